"""The simulated API: a local server that answers like Vivix, for demonstrations and tests.

Owns everything the pretended service is: its models, its ledger, its limits, its faults, its pictures. Refuses to know
the rest of the project: it was written from the description of the API, never from our parser, so a misreading on one
side cannot hide behind the same misreading on the other. It talks to 127.0.0.1 only and charges nobody.

    python -m vivix_tui.demo --seed 7 --speed 10 --scenario calm

Prompts steer the fate of a job: `[fail]` fails with PROVIDER_ERROR the first time a body is posted and succeeds when
the same body is posted again, `[moderate]` always fails with CONTENT_POLICY, `[slow]` takes five times as long.
"""

"""The command line: arguments, exit codes, and the only printing to stdout.

`main.py` parses and dispatches, `output.py` prints rows, `reading.py` only reads the store, `wishing.py` writes wishes
and waits for them with the engine, `setup.py` is about config and surroundings. Nothing heavy is imported before it is
needed: `vivix-tui list` loads neither textual nor httpx.
"""

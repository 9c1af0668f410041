"""The API's side of the fuzzer: it answers badly, and looks at the rows before it answers the next question.

Owns: what was answered to whom, and the comparison with the row as it is when the same one asks again. Refuses: how
answers are mutated (`mutations`, `framing`) and judged (`referee`).
"""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from tests.fuzz import referee
from tests.fuzz.framing import mutated
from tests.fuzz.ledger import Ledger
from tests.fuzz.mutations import Draft, Sent, documented
from tests.srv import CREDITS, GENERATE, GET_GENERATION, MODELS, Answer, Request, Srv, generation, id_of, json_reply

TOO_LATE = "no complete answer within"
LIMITS = {"calls_per_minute": 60_000, "concurrent_jobs": 1_000_000}


@dataclass(slots=True)
class Asked:
    """Something that is asked about again and again: its last answer, and its row as it was before that one.

    `left` is how often it is still answered badly; after that the truth is told.
    """

    left: int = 0
    before: dict[str, Any] | None = None
    last: Sent | None = None


class MutatingApi:
    """Stands on `srv`. `faults` are the rows that contradict the documents, each with the answer that made them so."""

    def __init__(self, srv: Srv, ledger: Ledger, *, seed: int, cases: int) -> None:
        self.kinds: Counter[str] = Counter()
        self.endpoints: Counter[str] = Counter()
        self.applied = self.left_alone = self.too_late = 0
        self.faults: list[str] = []
        self.generations: dict[str, Asked] = {}
        self.submissions: dict[str, str] = {}
        self.posts: Counter[str] = Counter()
        self._ledger, self._left, self._dice = ledger, cases, random.Random(seed)
        self._lock = threading.RLock()
        self._account, self._post = Asked(), Asked()
        self._posted = ""
        self._balances: set[int | None] = {None}
        self._next_balance = itertools.count(1_000)
        srv.on("GET", GET_GENERATION, self._generation)
        srv.on("POST", GENERATE, self._generate)
        srv.on("GET", CREDITS, lambda _: self._credits_or_models("credits"))
        srv.on("GET", MODELS, lambda _: self._credits_or_models("models"))

    @property
    def cases(self) -> int:
        """How many mutated answers were sent."""
        return self.kinds.total()

    @property
    def done(self) -> bool:
        return self._left <= 0

    def settle(self, generation_id: str) -> None:
        """Looks at a row about which nobody asks any longer."""
        with self._lock:
            self._compare_generation(generation_id, self.generations.pop(generation_id))

    def settle_post(self) -> None:
        """Looks at the row of the last POST."""
        with self._lock:
            self._compare_post()

    # ---------------------------------------------------------------------------------------------------- answers

    def _generation(self, request: Request) -> Answer:
        asked_id = unquote(id_of(request))
        with self._lock:
            asked = self.generations.get(asked_id)
            if asked is None:  # one that a POST made: it ends at once, every other time with a refund
                return json_reply(200, generation(asked_id, self._dice.choice(("completed", "failed"))))
            self._compare_generation(asked_id, asked)
            asked.before = self._ledger.generation(asked_id)
            draft = documented("generation", asked_id, self._dice, next(self._next_balance))
            if asked.left > 0 and not self.done:
                asked.left -= 1
                asked.last = self._mutated("generation", draft)
            else:
                asked.last = self._true(Draft(200, generation(asked_id, "failed"), draft.headers))
            if referee.about_generation(asked_id, asked.last) is not None:
                self._tells_balance(asked.last)
            return asked.last.answer

    def _generate(self, request: Request) -> Answer:
        body = request.body.decode()
        with self._lock:
            self._compare_post(again=body == self._posted)
            self.posts[body] += 1
            self._posted = body
            draft = documented("generate", f"made-{len(self.posts)}", self._dice, next(self._next_balance))
            first = self.posts[body] == 1
            self._post.last = self._mutated("generate", draft) if first and not self.done else self._true(draft)
            self._tells_balance(self._post.last)
            return self._post.last.answer

    def _credits_or_models(self, endpoint: str) -> Answer:
        with self._lock:
            self._compare_account()
            balance = next(self._next_balance)
            draft = documented(endpoint, "", self._dice, balance)
            draft.value["rate_limit"] = LIMITS
            self._account.before = self._ledger.account()
            first = "asked_at" not in self._account.before
            answer = self._true(draft) if first or self.done else self._mutated(endpoint, draft)
            self._account.last = answer
            self._endpoint = endpoint
            self._tells_balance(answer)
            return answer.answer

    def _mutated(self, endpoint: str, draft: Draft) -> Sent:
        self._left -= 1
        answer = mutated(self._dice, draft)
        self.kinds[answer.kind] += 1
        self.endpoints[endpoint] += 1
        return answer

    @staticmethod
    def _true(draft: Draft) -> Sent:
        answer = json_reply(draft.status, draft.value, draft.headers)
        return Sent("the truth", answer, draft.status, draft.body, draft.headers, plain=True)

    def _tells_balance(self, answer: Sent) -> None:
        facts = referee.usable(answer)
        if facts is not None:
            self._balances |= {referee.balance_of(answer.headers)}
            self._balances |= facts.amounts("balance") | facts.amounts("credits_balance")

    # ----------------------------------------------------------------------------------------------- comparisons

    def _compare_generation(self, asked_id: str, asked: Asked) -> None:
        if asked.before is None or asked.last is None:
            return
        after = self._ledger.generation(asked_id)
        answer = asked.last
        if answer.whole and TOO_LATE in (after["note"] or ""):
            # A busy machine: the deadline was over before all of it had come, so it must not have changed anything.
            self.too_late += 1
            answer = replace(answer, whole=False)
        faults = referee.generation_faults(asked_id, answer, asked.before, after)
        faults = [f"{fault} (note: {after['note']})" for fault in faults]
        self._note(asked_id, asked.last, faults, changed=after["checked_at"] != asked.before["checked_at"])
        asked.before, asked.last = None, None

    def _compare_post(self, *, again: bool = False) -> None:
        if self._post.last is None:
            return
        after = self._ledger.submission(self.submissions[self._posted])
        if again and after["state"] == "sending":  # it was queued once more, and is the one that is being sent now
            after["state"] = "queued"
        faults = referee.post_faults(self._post.last, after)
        self._note("POST", self._post.last, faults, changed=after["state"] == "accepted")
        self._post.last = None

    def _compare_account(self) -> None:
        before, last = self._account.before, self._account.last
        if before is None or last is None:
            return
        after = self._ledger.account()
        faults = referee.account_faults(self._endpoint, last, before, after)
        balance = self._ledger.number("SELECT balance FROM accounts")
        if balance not in self._balances:
            faults.append(f"the balance is {balance}, which no usable answer told")
        self._note(self._endpoint, last, faults, changed=after != before)

    def _note(self, about: str, answer: Sent, faults: list[str], *, changed: bool) -> None:
        if answer.kind != "the truth":
            self.applied += changed
            self.left_alone += not changed
        shown = answer.answer[:300] if isinstance(answer.answer, bytes) else answer.body[:300]
        self.faults += [f"{about}: {fault} after {answer.kind} ({answer.status}) {shown!r}" for fault in faults]


def bodies(number: int) -> list[str]:
    """Different bodies to POST."""
    return [json.dumps({"model": "m", "prompt": f"fox {n}"}) for n in range(number)]

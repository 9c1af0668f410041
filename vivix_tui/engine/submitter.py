"""Sends what is queued, one body at a time, in order, as slots free.

Owns: the step from wish to POST: written down as `sending` before the first byte leaves, and its outcome after it.
Refuses: sending anything twice; what may have arrived becomes `unknown` and waits for the user.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from vivix_tui.config import Config
from vivix_tui.domain import submission as s
from vivix_tui.domain import times
from vivix_tui.domain.account import complaint, parse_body
from vivix_tui.domain.generation import FAILED, Generation
from vivix_tui.domain.submission import Accepted, Submission, verdict_on_refusal
from vivix_tui.domain.text import is_utf_8
from vivix_tui.engine import accepted_file
from vivix_tui.engine.link import Link
from vivix_tui.errors import BadReply, Refusal, StoreError, Unreachable
from vivix_tui.store import accounts, calls, generations, query, submissions
from vivix_tui.store.prices import prices_of
from vivix_tui.store.store import Store

STEP_S = 0.2
FIRST_LOOK_S = 5.0
STORE_AGAIN_S = 1.0
UNKNOWN_PAUSES_AT = 2
ACCEPTED_FILE = "accepted.jsonl"
NO_CONNECTION_WAIT_S = 2.0
log = logging.getLogger("vivix_tui.engine.submitter")


class Submitter:
    """The queue of one account. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, profile: str, link: Link, wake: asyncio.Event, config: Config) -> None:
        self._store = store
        self._profile = profile
        self._link = link
        self._wake = wake
        self._fallback = config.paths.log.with_name(ACCEPTED_FILE)
        self._daily_cap = config.settings.spend.daily_cap
        self._not_before = 0.0
        self._unknown_in_a_row = 0
        self._full_at: int | None = None
        self.sending: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """For ever; sleeps while nothing may go out."""
        self._recover()
        # With the account's limit no POST has to find it out, and with its balance an unknown outcome can be judged.
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_S):
                await self._link.looked.wait()
        while True:
            self._settle_asked()
            item = submissions.next_queued(self._store, self._profile)
            if item is None:
                await self._wake.wait()
                self._wake.clear()
            elif not self._may_go(item):
                await asyncio.sleep(STEP_S)
            else:
                await self._link.turn()
                # The turn may have come late: what was wished meanwhile counts.
                if submissions.next_queued(self._store, self._profile) != item or not self._may_go(item):
                    self._link.give_back()
                    continue
                # A sending that has begun is seen to its end even while the engine stops: its answer names the id.
                self.sending = asyncio.ensure_future(self._send(item))
                await asyncio.shield(self.sending)

    def _may_go(self, item: Submission) -> bool:
        """Whether nothing speaks against sending it now; refuses or holds it where the body or the user's cap does."""
        if self._link.is_down:
            # A body that meets an outage may be charged without an answer: a question that costs nothing goes first.
            self._link.credits_wanted = True
            return False
        return not self._waits() and self._checked(item) and self._affordable(item)

    def _settle_asked(self) -> None:
        """Retries that had to ask how their original ended: the answer lets them go, or refuses them unsent."""
        for item in submissions.asking_first(self._store, self._profile):
            original = generations.get(self._store, self._profile, item.retry_of or "")
            if original is None:
                continue
            now = datetime.now(UTC)
            if original.status == FAILED:
                submissions.asked(self._store, item, now)
            elif generations.was_asked(self._store, self._profile, original.generation_id):
                self._settle(item, original, now)

    def _settle(self, item: Submission, original: Generation, now: datetime) -> None:
        reason = s.reason_not_to_retry(original, again=item.again)
        if reason is None:
            submissions.asked(self._store, item, now)
        else:
            step = "R asks again" if not original.ended else "R, or `vivix-tui retry --again`, sends it all the same"
            submissions.refuse_unsent(self._store, item, reason, now, code=s.NOT_FAILED, next_step=f"{step}.")

    def _waits(self) -> bool:
        """Whether the next body has to wait: for a time that the API named, or for a slot."""
        taken = query.in_flight(self._store, self._profile, datetime.now(UTC))
        if time.monotonic() < self._not_before:
            # Refused for lack of a slot: the first of our jobs that ends frees one, before the time is over.
            return self._full_at is None or taken >= self._full_at
        limit = accounts.account(self._store, self._profile).concurrent_jobs
        return limit is not None and taken >= limit

    def _checked(self, item: Submission) -> bool:
        if not is_utf_8(item.body):
            submissions.refuse_unsent(self._store, item, "its text was damaged on the disk", datetime.now(UTC))
            return False
        if not item.checked:
            return True
        reason = complaint(parse_body(item.body) or {}, accounts.models(self._store, self._profile))
        if reason is not None:
            submissions.refuse_unsent(self._store, item, reason, datetime.now(UTC))
        return reason is None

    def _affordable(self, item: Submission) -> bool:
        """Whether it stays below the user's daily cap; else it is held, with the reason.

        One whose price nobody knows is held, too: a release is the user's word that it may go out.
        """
        if not self._daily_cap:
            return True
        now = datetime.now(UTC)
        cost = item.credits_estimate
        if cost is None:
            if not accounts.models(self._store, self._profile):
                return False  # the catalogue is asked for at the start: the price will be known in a moment
            (price,) = prices_of(self._store, self._profile, [item.body])
            cost = price.high if price else None
            if cost is not None:
                submissions.price(self._store, item.submission_id, cost)
        spent = submissions.spent_since(self._store, self._profile, times.midnight(now))
        released = item.error == s.OVER_CAP
        if spent + (cost or 0) <= self._daily_cap and (cost is not None or released):
            return True
        words = "costs nobody knows what; `queue release` sends it" if cost is None else f"costs up to {cost:,}"
        reason = f"spend.daily_cap is {self._daily_cap:,}, {spent:,} went out today, this one {words}"
        submissions.hold_for(self._store, item, s.OVER_CAP, reason, now)
        return False

    async def _send(self, item: Submission) -> None:
        begun = False
        try:
            begun = submissions.begin(self._store, item.submission_id, self._link.balance, datetime.now(UTC))
        finally:
            if not begun:
                self._link.give_back()
        if not begun:
            return
        try:
            answer = await self._link.call(lambda: self._link.client.generate(item.body), calls.SUBMISSION)
        except Refusal as refusal:
            await self._refused(item, refusal)
        except Unreachable as error:
            state = s.UNKNOWN if error.sent else s.QUEUED
            self._not_before = time.monotonic() + NO_CONNECTION_WAIT_S
            await self._ended(
                item, state, Refusal(status=0, code="NO_ANSWER" if error.sent else "NOT_SENT", message=str(error))
            )
        except BadReply as error:
            # A redirect, an HTML page, 2xx without an id: whoever wrote that does not say that nothing was made.
            state = s.REFUSED if s.is_definite(error.status) else s.UNKNOWN
            said = Refusal(
                status=error.status, code=f"HTTP_{error.status}", message=str(error), request_id=error.request_id
            )
            await self._ended(item, state, said)
        else:
            self._unknown_in_a_row = 0
            await self._keep(item, answer)

    async def _keep(self, item: Submission, answer: Accepted) -> None:
        """Stores the id that was paid for; where the database cannot take it, a file does until it can."""

        def save() -> None:
            submissions.accepted(self._store, item, answer, self._link.balance, datetime.now(UTC))

        words = f"{answer.generation_id} was accepted ({answer.request_id}) but cannot be stored"
        await self._written(
            save,
            f"{words}; it is in {self._fallback}",
            meanwhile=lambda: accepted_file.append(self._fallback, item, answer),
        )

    async def _written(
        self, write: Callable[[], object], words: str, meanwhile: Callable[[], object] | None = None
    ) -> None:
        """Writes until the database takes it: what is known must not become unknown for lack of space."""
        failed = False
        while True:
            try:
                write()
            except StoreError as error:
                if not failed and meanwhile is not None:
                    meanwhile()
                failed = True
                self._link.unsaved = f"{words}: {error}"
                await asyncio.sleep(STORE_AGAIN_S)
            else:
                self._link.unsaved = None
                return

    def _recover(self) -> None:
        """What an engine that died left as being sent: its id, where one was saved, else the outcome is unknown."""
        now = datetime.now(UTC)
        submissions.orphaned(self._store, self._profile, now)
        for submission_id, answer in accepted_file.read(self._fallback):
            item = submissions.get(self._store, submission_id)
            if item is not None and item.state == s.UNKNOWN:
                submissions.accepted(self._store, item, answer, item.balance_after, now)
        put_off_at = submissions.put_off_at(self._store, self._profile, s.NO_SLOT)
        if put_off_at is not None:
            # A full account is not asked more often because the program was started again.
            waited_s = max(0.0, (now - put_off_at).total_seconds())
            self._full_at = query.in_flight(self._store, self._profile, datetime.now(UTC))
            self._not_before = max(self._not_before, time.monotonic() + s.SLOT_WAIT_S - waited_s)

    async def _refused(self, item: Submission, refusal: Refusal) -> None:
        verdict = verdict_on_refusal(refusal.status, refusal.code, refusal.retry_after_s)
        # The API counts jobs that we do not see. The one being sent is among ours until its outcome is written.
        taken = query.in_flight(self._store, self._profile, datetime.now(UTC)) - 1
        self._full_at = taken if refusal.code == s.NO_SLOT else None
        self._not_before = time.monotonic() + verdict.wait_s
        await self._ended(item, verdict.state, refusal)
        if verdict.pause:
            self._link.doubt_balance(ask=False)
            await self._pause(_missing(refusal), needs=refusal.needed)

    async def _pause(self, reason: str, *, needs: int | None = None) -> None:
        await self._written(
            lambda: submissions.pause_queue(self._store, self._profile, reason, needs=needs),
            "the queue is to pause, which cannot be stored",
        )

    async def _ended(self, item: Submission, state: str, refusal: Refusal) -> None:
        now = datetime.now(UTC)
        await self._written(
            lambda: submissions.ended(self._store, item, state, now, refusal=refusal),
            f"a submission was {state} ({refusal.code}), which cannot be stored",
        )
        if state == s.UNKNOWN:
            self._unknown_in_a_row += 1
        elif refusal.status:  # a closed port says nothing about what becomes of a body that arrives
            self._unknown_in_a_row = 0
        if self._unknown_in_a_row >= UNKNOWN_PAUSES_AT:
            # Each further body might be charged without an answer, too: that is for the user to risk.
            reason = f"{self._unknown_in_a_row} submissions in a row had no readable answer, may have been charged"
            await self._pause(reason)
            self._unknown_in_a_row = 0
        if state == s.UNKNOWN:
            # How the balance moved is the one hint at whether it was charged.
            self._link.doubt_balance(ask=True)
        log.info("submission %s: %s %s", item.submission_id, state, refusal.code)


def _missing(refusal: Refusal) -> str:
    balance = "unknown" if refusal.balance is None else f"{refusal.balance:,}"
    needed = "unknown" if refusal.needed is None else f"{refusal.needed:,}"
    return f"not enough credits: {needed} needed, balance {balance}"

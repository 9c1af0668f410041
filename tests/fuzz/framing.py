"""Answers that are no HTTP, not all of it, or take for ever.

Owns: broken framing, header garbage, and connections that die or dawdle. Refuses: what is inside (`mutations`).
"""

from __future__ import annotations

import random

from tests.fuzz.mutations import CONTENTS, Draft, Mutation, Sent
from tests.srv import Act, Answer, Connection, chunked, cut, drip, endless, later, reply, reset, stall

CRLF = b"\r\n"


def _whole(draft: Draft) -> bytes:
    return reply(draft.status, draft.body, draft.headers)


def _broken(kind: str, answer: Answer) -> Sent:
    return Sent(kind, answer, whole=False)


def _cut(dice: random.Random, draft: Draft) -> Sent:
    data = _whole(draft)
    first = data[: dice.randrange(len(data))]
    return _broken("cut", dice.choice((cut(first), reset(first, pause_s=0.01))))


def _stalled(dice: random.Random, draft: Draft) -> Sent:
    data = _whole(draft)
    at = dice.choice((0, dice.randrange(len(data))))
    return _broken("silent or slow", dice.choice((stall(data[:at]), drip(data[:at], b" ", pause_s=0.3))))


def _endless(dice: random.Random, draft: Draft) -> Sent:
    head = reply(draft.status, b"", {**draft.headers, "transfer-encoding": "chunked"})
    block = b"10000\r\n" + b" " * 65_536 + CRLF
    kinds = (
        endless(head, block),
        endless(reply(draft.status, b"", {**draft.headers, "content-length": "9" * 15}), b" " * 65_536),
        endless(b"HTTP/1.1 200 X\r\n", b"x-more: " + b"y" * 1_000 + CRLF),
    )
    return _broken("endless", dice.choice(kinds))


def _late(dice: random.Random, draft: Draft) -> Sent:
    data = _whole(draft)
    return Sent("late", later(0.1, data), draft.status, draft.body, draft.headers, plain=True)


def _chunks(dice: random.Random, draft: Draft) -> Sent:
    head = reply(draft.status, b"", {**draft.headers, "transfer-encoding": "chunked"})
    body, at = draft.body, dice.randrange(1, len(draft.body))
    if dice.random() < 0.4:
        return Sent("chunked", head + chunked(body[:at], body[at:]), draft.status, body, draft.headers, plain=True)
    bad = dice.choice(
        (
            b"zz\r\n" + body,
            b"-1\r\n" + body,
            b"ffffffffffffffffffffffff\r\n" + body,
            b"%x\r\n%b" % (len(body) + 50, body),
            b"%x\r\n%b0\r\n\r\n" % (len(body) - 5, body),
            chunked(body, end=False),
            b"",
        )
    )
    return _broken("chunked badly", _closing(head + bad))


def _length(dice: random.Random, draft: Draft) -> Sent:
    """Lengths that cannot be true, or that contradict each other."""
    body = draft.body
    length = dice.choice((str(len(body) + 7), "-1", "1e3", "+5", "0x10", "", "nine", "9" * 60, f"{len(body)}, 7"))
    return _broken("bad length", _closing(reply(draft.status, body, {**draft.headers, "content-length": length})))


def _short_length(dice: random.Random, draft: Draft) -> Sent:
    """More bytes than the length tells: what is left over must not pass for the next answer."""
    at = dice.choice((0, len(draft.body) // 2))
    data = reply(draft.status, draft.body, {**draft.headers, "content-length": str(at)})
    return Sent("short length", _closing(data), draft.status, draft.body[:at], draft.headers)


def _garbage(dice: random.Random, draft: Draft) -> Sent:
    """Heads that no parser should take."""
    data = _whole(draft)
    _, _, rest = data.partition(CRLF)
    made = dice.choice(
        (
            b"HTP/1.1 200 X\r\n" + rest,
            b"200 OK\r\n" + rest,
            b"HTTP/1.1 20x X\r\n" + rest,
            b"HTTP/1.1 -200 X\r\n" + rest,
            b"HTTP/1.1 99999 X\r\n" + rest,
            b"\x16\x03\x01\x02\x00\x01\x00" + bytes(200),
            b"SSH-2.0-OpenSSH_9.6\r\n",
            CRLF * 50,
            bytes(dice.randrange(256) for _ in range(300)),
            data.replace(CRLF, b"\r\nno colon here\r\n", 1),
            data.replace(CRLF, b"\r\nx-nul: a\x00b\r\n", 1),
            data.replace(CRLF, b"\r\n: empty\r\n", 1),
            data.replace(CRLF, b"\r\nx bad: 1\r\n", 1),
            data.replace(CRLF, b"\r\nx-big: " + b"y" * 200_000 + CRLF, 1),
            data.replace(CRLF, CRLF + b"".join(b"x-%d: %s\r\n" % (i, b"z" * 90) for i in range(2_000)), 1),
            data.replace(CRLF, b"\r\ncontent-length: 3\r\n", 1),
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n" + bytes(20),
            b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
        )
    )
    return _broken("garbled head", _closing(made))


def _tolerated(dice: random.Random, draft: Draft) -> Sent:
    """Heads that are odd and allowed, or nearly so."""
    data = _whole(draft)
    made = dice.choice(
        (
            data.replace(b"HTTP/1.1", b"HTTP/1.0", 1),
            data.replace(b"HTTP/1.1", b"HTTP/9.9", 1),
            data.replace(
                CRLF, b"\r\nset-cookie: a=b; Expires=Wed, 99 Xxx 0000; Domain=..; Max-Age=x; Path=\xff\r\n", 1
            ),
            data.replace(CRLF, b"\r\nx-folded: a\r\n b\r\n", 1),
            data.replace(CRLF, b"\r\nlink: <\x80\xff>; rel=\x80\r\n", 1),
            b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + data,
            data.replace(b" X\r\n", b"\r\n", 1),
            data.replace(b" X\r\n", b" \xff\xfe\r\n", 1),
        )
    )
    return Sent("odd head", _closing(made), draft.status, draft.body, draft.headers)


def _closing(data: bytes) -> Act:
    """Sent, then hung up: nothing of it can be taken for the answer to a later question."""

    def act(connection: Connection) -> None:
        connection.send(data)
        connection.hang_up()

    return act


FRAMINGS: dict[Mutation, int] = {
    _cut: 6, _stalled: 1, _endless: 1, _late: 1, _chunks: 5, _length: 4, _short_length: 3, _garbage: 6, _tolerated: 4,
}  # fmt: skip
EVERY = CONTENTS | FRAMINGS


def mutated(dice: random.Random, draft: Draft) -> Sent:
    """One answer, mutated in one of all ways."""
    return dice.choices(list(EVERY), list(EVERY.values()))[0](dice, draft)

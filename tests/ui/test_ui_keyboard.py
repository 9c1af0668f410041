"""What is pasted is no key."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vivix_tui.ui.keyboard import PASTE_BEGINS, PASTE_ENDS, PasteGuard

PIECES = st.sampled_from(["a", "R", "\x1b", "\x1b[", "\x1b[2", "\x1b[A", "[200~", "[201~", PASTE_BEGINS, PASTE_ENDS])


def cleaned(text: str) -> str:
    """As it has to come out: whatever is between the marks, without escapes."""
    head, begins, rest = text.partition(PASTE_BEGINS)
    if not begins:
        return text
    pasted, ends, rest = rest.partition(PASTE_ENDS)
    return head + begins + pasted.replace("\x1b", "") + ends + (cleaned(rest) if ends else "")


@given(st.lists(PIECES, max_size=12).map("".join), st.lists(st.integers(1, 7), min_size=1))
def test_pasted_text_has_no_escapes_however_it_is_torn(text: str, sizes: list[int]) -> None:
    guard, came, at, turn = PasteGuard(), "", 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        came += guard.clean(text[at : at + size])
        at, turn = at + size, turn + 1
    wanted = cleaned(text)
    # Of a paste that has not ended, what may be the beginning of its end is still waited for.
    assert wanted.startswith(came)
    assert len(wanted) - len(came) < len(PASTE_ENDS)
    came += guard.clean(PASTE_ENDS)
    assert came == cleaned(text + PASTE_ENDS)

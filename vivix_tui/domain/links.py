"""Which URLs may be made into something that opens at a touch: a terminal's link, a code for a camera, a browser.

Owns: the refusal of all but plain web addresses. Refuses: opening them.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

MOST_CHARACTERS = 2_000  # terminals ignore longer ones
_PLAIN = "".join(map(chr, range(0x21, 0x7F)))


def link_to(url: str) -> str | None:
    """`url` in printable ASCII, None where it is no http or https address that shows where it leads.

    Control characters would end the terminal's escape sequence, and what stands before an @ or looks like another
    alphabet's letter makes people take one host for another.
    """
    if not url.isprintable() or " " in url or len(url) > MOST_CHARACTERS:
        return None
    link = quote(url, safe=_PLAIN)
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or "%" in parts.netloc:
        return None
    return link if len(link) <= MOST_CHARACTERS else None

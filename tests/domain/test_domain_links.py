"""What may become a link: plain web addresses, and nothing that could end an escape sequence or disguise a host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivix_tui.domain.links import MOST_CHARACTERS, link_to


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://cdn.test/a/b.jpg?x=1;y=2#z", "https://cdn.test/a/b.jpg?x=1;y=2#z"),
        ("http://127.0.0.1:8080/a.mp4", "http://127.0.0.1:8080/a.mp4"),
        ("https://[::1]/a", "https://[::1]/a"),
        ("https://cdn.test/ein schöner".replace(" ", "-"), "https://cdn.test/ein-sch%C3%B6ner"),
        ("HTTPS://CDN.TEST/A", "HTTPS://CDN.TEST/A"),
        ("https://cdn.test/a%20b", "https://cdn.test/a%20b"),
    ],
)
def test_a_web_address_is_a_link(url: str, link: str) -> None:
    assert link_to(url) == link


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ftp://cdn.test/a",
        "data:text/html,x",
        "//cdn.test/a",
        "https:",
        "https:///a",
        "https://",
        "http://[::1",
        "https://bank.test@evil.test/a",
        "https://user:secret@cdn.test/a",
        "https://b\u0430nk.test/a",
        "https://cdn.test/a\x1b\\\x1b]0;title\x07",
        "https://cdn.test/a\x07b",
        "https://cdn.test/a\x9cb",
        "https://cdn.test/a\nb",
        "https://cdn.test/a b",
        "https://cdn.test/\u202egpj.exe",
        "https://cdn.test/\ud800",
        "https://cdn.test/" + "a" * MOST_CHARACTERS,
        "https://cdn.test/" + "ö" * 1_000,
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert link_to(url) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_link_holds_nothing_but_printable_ascii(host: str, path: str) -> None:
    for url in (f"https://{host}/{path}", host, f"http://cdn.test/{path}"):
        link = link_to(url)
        assert link is None or all("!" <= character <= "~" for character in link)

"""What is said while files come: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from vivix_tui.cli.output import Progress, progress_text


@pytest.mark.parametrize(
    ("received", "size", "rate", "text"),
    [
        (12_600_000, 30_000_000, 5_100_000.0, " 42% 12.6/30.0 MB 5.1 MB/s 0:03 left"),
        (12_600_000, None, 5_100_000.0, "12.6 MB 5.1 MB/s"),
        (12_600_000, 30_000_000, 0.0, " 42% 12.6/30.0 MB"),
        (30_000_000, 30_000_000, 5_100_000.0, "100% 30.0/30.0 MB 5.1 MB/s"),
        (31_000_000, 30_000_000, 5_100_000.0, "100% 31.0/30.0 MB 5.1 MB/s"),
        (1, 10**15, 1_000.0, "  0% 0.0/1000000000.0 MB 0.0 MB/s hours left"),
    ],
)
def test_as_much_is_said_as_is_known(received: int, size: int | None, rate: float, text: str) -> None:
    assert progress_text(received, size, rate) == text


def test_several_files_are_counted() -> None:
    assert progress_text(500_000, None, 0.0, (1, 4)) == "0.5 MB 1/4 files"
    assert progress_text(500_000, 1_000_000, 0.0, (1, 4)) == " 50% 0.5/1.0 MB 1/4 files"


def test_without_a_terminal_a_line_comes_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    progress = Progress(lambda: now[0])
    for second in range(26):
        now[0] = float(second)
        progress.show(second * 1_000_000, 40_000_000)
    progress.clear()
    told = capsys.readouterr()
    assert told.out == ""
    assert "\r" not in told.err
    assert "\x1b" not in told.err
    first, second_line = told.err.splitlines()
    assert first.startswith("vivix-tui:  25% 10.0/40.0 MB 1.0 MB/s 0:3")
    assert second_line.startswith("vivix-tui:  50% 20.0/40.0 MB")


def test_what_lay_on_disk_before_is_no_speed(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    progress = Progress(lambda: now[0])
    progress.show(30_000_000, 40_000_000)
    now[0] = 11.0
    progress.show(30_000_000, 40_000_000)
    assert capsys.readouterr().err == "vivix-tui:  75% 30.0/40.0 MB\n"


def test_on_a_terminal_one_line_is_a_bar_that_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        progress = Progress(lambda: 0.0)
        progress.show(0, 10_000_000)
        progress.show(5_000_000, 10_000_000)
        progress.clear()
        progress.clear()
        progress.show(5_000_000, None, (1, 4))
        bar = b"\r[############            ]  50% 5.0/10.0 MB\x1b[K\r\x1b[K"
        expected = bar + b"\r[######                  ] 5.0 MB 1/4 files\x1b[K"
        read = b""
        while len(read) < len(expected):  # a pty hands over what it has so far
            read += os.read(ours, 1000)
        assert read == expected
    os.close(ours)

"""SEC-08: all that a first run makes is the user's alone from the first instant, though the umask would allow anything.

What is made is seen by strace, from outside. Where that is not installed, or may not look, `making` listens inside the
program; of what SQLite makes it sees less: how it is a moment later, and not how it was asked for.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import KEY, make_home
from tests.e2e.terminal import ENTER, ESC, Terminal
from tests.preview.conftest import corners
from tests.srv import GENERATE, GET_GENERATION, Srv, generation, id_of, image_reply, json_reply
from tests.torture.figures import Figures

CALLS = "open,openat,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,unlink,unlinkat,rename,renameat,renameat2"
STRACE = f"strace -f -y -e trace={CALLS} -o"
CTRL_S = "\x13"
OF_OTHERS = 0o077
KINDS = {
    "config": r"config\.toml",
    "key": "api-key",
    "database": r"vivix\.db",
    "its log": r"vivix\.db-wal",
    "its index": r"vivix\.db-shm",
    "the engine's lock": r"\.lock$",
    "log": r"vivix\.log",
    "choices": r"state\.toml",
    "outputs": r"\.part$",
    "their descriptions": r"\.json",
    "thumbnails": "thumbnails/",
    "support": r"support-.*\.json$",
    "a body in the editor": "vivix-tui-edit-",
}
"""What the run has to have made, and what their paths look like at the instant of their making."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file or folder that was made, or got another mode (`how`): which mode was asked for, and found if that is
    known."""

    how: str
    path: str
    mode: int
    found: int = 0

    def __str__(self) -> str:
        return f"{self.how} {self.path} {self.mode:o} {self.found:o}"


def run(folder: Path, *, strace: bool = True) -> Figures:
    """`strace` False does without it where it is there, too."""
    why = refusal() if strace else "not asked for"
    figures = Figures(f"SEC-08: a first run with umask 000, seen {'from within' if why else 'by strace'}")
    began, log = time.monotonic(), folder / "made.log"
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "tmp").mkdir(mode=0o700)
    if why:
        figures.tell("strace", why)
        _first_run(home, "", "tests.torture.making", MADE_LOG=str(log))
        made = list(listened(log.read_text().splitlines()))
    else:
        _first_run(home, f"{STRACE} {log}", "vivix_tui.cli.main")
        made = list(traced(log.read_text("utf-8", "replace").splitlines()))
    made = [one for one in made if one.path.startswith(f"{home}/")]
    for name, pattern in KINDS.items():
        figures.promise(any(re.search(pattern, one.path) for one in made), f"{name} was not seen being made")
    for how in ("file", "folder", "sqlite", "mode"):
        figures.tell(f"made: {how}", sum(one.how == how for one in made))
    figures.none("open to others from the first instant", [one for one in made if (one.mode | one.found) & OF_OTHERS])
    left = [path for path in home.rglob("*") if path != home / "tmp"]
    figures.tell("files and folders that are left", len(left))
    figures.none("open to others in the end", [path for path in left if path.stat().st_mode & OF_OTHERS])
    figures.tell("seconds", time.monotonic() - began)
    return figures


def refusal() -> str:
    """Why strace cannot be used here, "" where it can."""
    if shutil.which("strace") is None:
        return "not installed here"
    ran = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else f"may not look here: {ran.stderr.strip()[:200]}"


def _first_run(folder: Path, through: str, module: str, **more: str) -> None:
    """Keeps a key, makes a generation, fetches and shows its output, changes a choice, asks support, edits a body."""
    with Srv() as srv:
        url = f"{srv.url}/out/1.png"
        done = {"output_url": url, "output_urls": [url]}
        picture = io.BytesIO()
        corners(64, 64).save(picture, "PNG")
        srv.on("GET", "/out/*", image_reply(picture.getvalue()))
        srv.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "completed", **done)))
        srv.on("POST", GENERATE, json_reply(201, {"generation_id": "g2", "status": "pending"}))
        home = make_home(folder, VIVIX_BASE_URL=srv.url, TMPDIR=str(folder / "tmp"), EDITOR="true", **more)
        with Terminal(home, through=("sh", "-c", f"umask 000; exec {through}"), module=module) as terminal:
            terminal.wait_for("Welcome to vivix-tui", 60)
            terminal.type(KEY)
            terminal.wait_for("41 characters")
            terminal.press(ENTER)
            terminal.wait_for("The key works", 60)
            terminal.press("k")
            terminal.wait_for(r"\bwrote\b")
            terminal.wait_for("● live")
            _make(terminal)
            terminal.press("d")
            terminal.wait_for("whole:", 60)
            terminal.press("p")
            terminal.wait_for("▀|▄", 60)
            terminal.press(ESC, "I")
            terminal.press("B")
            terminal.wait_for("Support bundle")
            terminal.press(ESC)
            terminal.wait_until_gone("Support bundle")
            terminal.press("E")
            terminal.wait_for("Send the same body again", 60)
            terminal.press(ESC)
            terminal.wait_until_gone("Send the same body again")
            terminal.leave()
            assert terminal.exit_code(20) == 0


def _make(terminal: Terminal) -> None:
    terminal.press("n")
    terminal.wait_for("grok-imagine", 60)
    terminal.press(ENTER)
    terminal.wait_until_gone("which model")
    terminal.wait_for("of 2,000", 60)
    terminal.type("a fox")
    terminal.wait_for('"a fox"', 60)
    terminal.press(CTRL_S)
    terminal.wait_for("1 done", 60)


def listened(lines: Iterable[str]) -> Iterator[Made]:
    """What `making` wrote down."""
    for line in lines:
        how, mode, found, path = line.split(" ", 3)
        yield Made(how, path, int(mode, 8), int(found, 8))


def traced(lines: Iterable[str]) -> Iterator[Made]:
    """What strace saw being made. To open a file that was made before makes nothing, whatever mode is named then:
    SQLite does so with a database that was made private for it."""
    there: set[str] = set()
    for name, arguments in succeeded(lines):
        paths = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
        if name.startswith(("unlink", "rename")):
            there.discard(paths[0])
            there.update(paths[1:])
            continue
        mode = re.search(r", (0\d*)$", arguments)  # without O_CREAT there is none
        if mode is None:
            continue
        path = paths[0] if paths else re.sub(r"^\d+<(.*?)>.*", r"\1", arguments)
        if "chmod" in name:
            yield Made("mode", path, int(mode[1], 8))
        elif path not in there:
            there.add(path)
            yield Made("folder" if name.startswith("mkdir") else "file", path, int(mode[1], 8))


def succeeded(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names and arguments of calls; those that another thread interrupted are put together again."""
    begun: dict[str, str] = {}
    for line in lines:
        pid, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[pid] = call.removesuffix("<unfinished ...>").rstrip()
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>", call):
            call = begun.pop(pid, "") + call[resumed.end() :]
        if found := re.fullmatch(r"(\w+)\((.*)\)\s+= \d+(?:<.*>)?", call):
            yield found[1], found[2]

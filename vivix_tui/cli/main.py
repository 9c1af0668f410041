"""Arguments in, exit code out.

Owns: the parser, the dispatch, and how errors and signals end a command. Refuses: loading anything heavy before a
command needs it.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from vivix_tui import __version__
from vivix_tui.domain.text import one_line, without_keys
from vivix_tui.errors import UsageError, VivixError

if TYPE_CHECKING:
    from vivix_tui.config import Config
    from vivix_tui.store.store import Store

QUEUE_ACTIONS = ("list", "hold", "release", "cancel", "top", "pause", "resume")
_KEY_IN_ARGUMENTS = (
    "an API key is no argument: all users of this machine can see it there\n"
    "  make a new one on the web, and set VIVIX_API_KEY (`vivix-tui config init` shows other ways)"
)
_DASHBOARD = {"command": None, "profile": None, "config": None}
SCENARIOS = ("calm", "busy", "stormy", "history", "empty")


class _Ended(BaseException):
    """SIGTERM or SIGHUP arrived: unwinds like Ctrl-C, so that everything is closed in order."""

    def __init__(self, number: int) -> None:
        self.number = number


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"vivix-tui: {one_line(message)}\n  try: {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(prog="vivix-tui", description="Watch generations made through the Vivix API.")
    parser.add_argument("--profile", metavar="NAME", help="the account to use (a profile of the config)")
    parser.add_argument("--config", metavar="FILE", type=Path, help="another config file")
    parser.add_argument("--version", action="version", version=f"vivix-tui {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _add_demo(commands.add_parser("demo", help="the dashboard on a built-in, simulated API"))
    _add_wishes(commands)
    _add_reading(commands)
    _add_setup(commands)
    return parser


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--seed", type=int, default=1, metavar="N")
    demo.add_argument("--speed", type=_positive, default=1.0, metavar="X", help="how much faster than life")
    demo.add_argument("--scenario", choices=SCENARIOS, default="calm")
    demo.add_argument("--data", type=Path, metavar="DIR", help="keep database and files there")
    demo.add_argument("--serve", action="store_true", help="only the API; prints its base URL and key")
    demo.add_argument("--port", type=int, default=0, metavar="P")


def _add_wishes(commands: argparse._SubParsersAction[_Parser]) -> None:
    track = commands.add_parser("track", help="follow ids made elsewhere")
    track.add_argument("ids", nargs="+", metavar="ID", help="ids, or - for stdin (ids and JSON lines)")
    submit = commands.add_parser("submit", help="queue bodies for POST /generate")
    submit.add_argument("files", nargs="+", metavar="FILE", help="JSON object, array or lines; - for stdin")
    submit.add_argument("--yes", action="store_true", help="do not ask, whatever it costs")
    submit.add_argument("--no-check", action="store_true", help="do not check parameters against /models")
    retry = commands.add_parser("retry", help="send the same body again")
    retry.add_argument("ids", nargs="+", metavar="ID")
    retry.add_argument("--yes", action="store_true", help="do not ask for the price")
    retry.add_argument("--edit", action="store_true", help="open the body in $EDITOR first")
    retry.add_argument("--again", action="store_true", help="even if it completed or is being retried")
    wait = commands.add_parser("wait", help="run until these have ended")
    wait.add_argument("ids", nargs="*", metavar="ID")
    wait.add_argument("--json", action="store_true")
    download = commands.add_parser("download", help="fetch all outputs")
    download.add_argument("ids", nargs="+", metavar="ID")
    download.add_argument("--to", metavar="DIR", help="into this folder")
    download.add_argument("--json", action="store_true")
    for waiting in (submit, retry, download):
        waiting.add_argument("--no-wait", action="store_true", help="only write the wish down")
    for waiting in (submit, retry, download, wait):
        waiting.add_argument("--timeout", type=_positive, metavar="S", help="seconds to wait at most")
    _add_queue(commands)
    commands.add_parser("watch", help="run the engine without a screen, until SIGTERM")


def _add_queue(commands: argparse._SubParsersAction[_Parser]) -> None:
    queue = commands.add_parser("queue", help="what has not been sent yet")
    queue.add_argument("action", nargs="?", default="list", choices=QUEUE_ACTIONS)
    queue.add_argument("ids", nargs="*", metavar="ID")
    queue.add_argument("--json", action="store_true")
    resolve = commands.add_parser("resolve", help="tell how an unknown submission really ended")
    resolve.add_argument("submission", metavar="SUBMISSION")
    how = resolve.add_mutually_exclusive_group(required=True)
    how.add_argument("--accepted", metavar="GENERATION_ID", help="it became this generation")
    how.add_argument("--not-sent", action="store_true", help="it never arrived: send it")
    how.add_argument("--give-up", action="store_true", help="close it, never send it")


def _add_reading(commands: argparse._SubParsersAction[_Parser]) -> None:
    listing = commands.add_parser("list", help="what is known, newest first")
    listing.add_argument("--status", metavar="S")
    listing.add_argument("--since", metavar="T", help="2h, 3d, or an ISO date")
    listing.add_argument("--limit", type=_count, metavar="N")
    listing.add_argument("--submissions", action="store_true", help="submissions instead of generations")
    listing.add_argument("--json", action="store_true")
    show = commands.add_parser("show", help="all that is known of one id")
    show.add_argument("id", metavar="ID")
    show.add_argument("--json", action="store_true")


def _add_setup(commands: argparse._SubParsersAction[_Parser]) -> None:
    for name, about in (("credits", "the account"), ("models", "the catalogue")):
        commands.add_parser(name, help=about).add_argument("--json", action="store_true")
    config = commands.add_parser("config", help="write, print or find the config")
    config.add_argument("action", choices=("init", "show", "path"))
    doctor = commands.add_parser("doctor", help="check key, API, terminal, folders")
    doctor.add_argument("--bundle", action="store_true", help="print what support needs: ids, codes, times, no secrets")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code. Errors end as one line on stderr, never as a traceback."""
    given = sys.argv[1:] if argv is None else argv
    if any(without_keys(argument) != argument for argument in given):
        print(f"vivix-tui: {_KEY_IN_ARGUMENTS}", file=sys.stderr)
        return 2
    # Building a parser for each command takes 10 ms; most starts name none.
    arguments = build_parser().parse_args(given) if given else argparse.Namespace(**_DASHBOARD)
    os.umask(0o077)
    try:
        return _run(arguments)
    except VivixError as error:
        hint = f"\n  {one_line(error.hint)}" if error.hint else ""
        print(f"vivix-tui: {one_line(str(error))}{hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except _Ended as ended:
        return 0 if arguments.command == "watch" else 128 + ended.number
    except BrokenPipeError:
        # Whoever read our output has enough; Python would complain once more while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:  # noqa: BLE001 - the last edge: a traceback may hold anybody's text
        return _failed(error, arguments)


def _failed(error: Exception, arguments: argparse.Namespace) -> int:
    """Names the kind of an error that nobody expected; the log gets the rest."""
    import logging  # noqa: PLC0415

    from vivix_tui import config, logs  # noqa: PLC0415

    log, where = logging.getLogger("vivix_tui"), config.default_paths(os.environ, arguments.config).log
    if not log.handlers:
        logs.to_file(where)
    log.error("%s failed", arguments.command or "the dashboard", exc_info=error)
    print(f"vivix-tui: an internal error ({type(error).__name__}); more in {one_line(str(where))}", file=sys.stderr)
    return 1


def entry() -> NoReturn:
    """The console script: `main`, and an end that nothing can delay.

    A name lookup or a key command that hangs in a thread would keep the interpreter waiting. All that matters is on
    disk by now, so such a thread is left behind.
    """
    _speak_utf8()
    code = main([os.fsencode(argument).decode("utf-8", "surrogateescape") for argument in sys.argv[1:]])
    gone = False
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            gone = True  # the interpreter would try once more, and end with 120
    if gone or threading.active_count() > 1:
        os._exit(code)
    sys.exit(code)


def _speak_utf8() -> None:
    """Terminals speak UTF-8 also where a locale was not passed on, as over many SSH links."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _run(arguments: argparse.Namespace) -> int:
    from vivix_tui import config  # noqa: PLC0415 - `--version` and `--help` do not need it

    if arguments.command == "config" and arguments.action in ("init", "path"):
        from vivix_tui.cli import setup  # noqa: PLC0415

        paths = config.default_paths(os.environ, arguments.config)
        if arguments.action == "init":
            return setup.run_config_init(paths)
        print(paths.config)
        return 0
    if arguments.command == "demo" and arguments.serve:
        return _serve_demo(arguments)
    loaded = config.load(file=arguments.config, profile=arguments.profile)
    if arguments.command in (None, "demo"):
        return _dashboard(loaded, arguments)
    if arguments.command in ("config", "doctor", "credits", "models"):
        from vivix_tui.cli import setup  # noqa: PLC0415

        surroundings: dict[str, Callable[[], int]] = {
            "config": lambda: setup.run_config_show(loaded),
            "doctor": lambda: setup.run_bundle(loaded) if arguments.bundle else setup.run_doctor(loaded),
            "credits": lambda: setup.run_credits(loaded, arguments),
            "models": lambda: setup.run_models(loaded, arguments),
        }
        return surroundings[arguments.command]()
    return _with_store(loaded, arguments)


def _with_store(loaded: Config, arguments: argparse.Namespace) -> int:
    from vivix_tui import logs, wiring  # noqa: PLC0415
    from vivix_tui.cli import queueing, reading, wishing  # noqa: PLC0415

    logs.to_file(loaded.paths.log)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    run: dict[str, Callable[[Config, Store, argparse.Namespace], int]] = {
        "track": wishing.run_track,
        "submit": wishing.run_submit,
        "retry": wishing.run_retry,
        "wait": wishing.run_wait,
        "download": wishing.run_download,
        "queue": queueing.run_queue,
        "resolve": queueing.run_resolve,
        "watch": lambda config, _store, _arguments: wishing.run_watch(config),
        "list": reading.run_list,
        "show": reading.run_show,
    }
    store = wiring.open_store(loaded)
    try:
        return run[arguments.command](loaded, store, arguments)
    finally:
        store.close()


def _dashboard(loaded: Config, arguments: argparse.Namespace) -> int:
    streams = (sys.stdin, sys.stdout, sys.stderr)  # Textual draws on stderr; one that was closed is None
    if not all(s and s.isatty() for s in streams) or os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError(
            "the dashboard needs a terminal on stdin, stdout and stderr, with TERM set",
            hint="`vivix-tui list` and `vivix-tui watch` work without one",
        )
    from vivix_tui import wiring  # noqa: PLC0415

    if arguments.command is None:
        return wiring.run_dashboard(loaded)
    return wiring.run_demo(
        loaded, seed=arguments.seed, speed=arguments.speed, scenario=arguments.scenario, data=arguments.data
    )


def _serve_demo(arguments: argparse.Namespace) -> int:
    try:
        from vivix_tui.demo.__main__ import main as serve  # noqa: PLC0415
    except ImportError:
        raise UsageError("the demo API needs the extra: pip install 'vivix-tui[demo]'") from None
    options = ["--seed", str(arguments.seed), "--speed", str(arguments.speed), "--scenario", arguments.scenario]
    options += ["--port", str(arguments.port)]
    return serve(options + (["--data", str(arguments.data)] if arguments.data else []))


def _end(number: int, _frame: FrameType | None) -> None:
    raise _Ended(number)


def _positive(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


if __name__ == "__main__":
    entry()

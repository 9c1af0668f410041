"""`python -m vivix_tui.demo`: starts the simulated API, says where it is, ends when told.

Owns the arguments, the first lines on stdout and the end of the process (SIGTERM, SIGINT, with `--announce` also the
end of stdin). Refuses everything about the API itself.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.types import ASGIApp

from . import pipeline
from .faults import Storm
from .jobs import Job
from .ledger import Ledger
from .server import build_app
from .story import SCENARIOS, foreign_id, missing_id
from .studio import API_KEY, Studio
from .transport import Server, listen, server_for
from .voice import Announcer, tell


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    arguments = argparse.ArgumentParser(
        prog="python -m vivix_tui.demo",
        description="A simulated Vivix API on 127.0.0.1. Nothing leaves this machine, nothing is charged.",
        epilog="Words in a prompt that force its fate: [fail] (once), [moderate] (always), [slow] (5 times as long).",
    )
    arguments.add_argument("--seed", type=int, default=7, metavar="N", help="what chance depends on (default 7)")
    arguments.add_argument(
        "--speed", type=_speed, default=1.0, metavar="X", help="how many times faster than real (default 1)"
    )
    arguments.add_argument(
        "--scenario", choices=sorted(SCENARIOS), default="calm", help="what happens by itself (default calm)"
    )
    arguments.add_argument("--port", type=_port, default=0, metavar="P", help="default: a free one")
    arguments.add_argument("--balance", type=_balance, metavar="N", help="credits at the start, never topped up")
    arguments.add_argument("--data", type=Path, metavar="DIR", help="keep the ledger in DIR and continue it next time")
    arguments.add_argument("--announce", action="store_true", help="JSON lines on stdout; ends when stdin ends")
    return arguments


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.01 <= speed <= 100_000:
        raise argparse.ArgumentTypeError("must be from 0.01 to 100000")
    return speed


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return port


def _balance(text: str) -> int:
    balance = int(text)
    if balance < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return balance


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until told to stop. Returns 0, or 1 when the port or the directory cannot be used."""
    options = parser().parse_args(argv)
    try:
        listener = _listener(options.port, options.data)
    except OSError as error:
        print(f"Port {options.port} on 127.0.0.1 cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    try:
        ledger = Ledger(options.data)
    except OSError as error:
        listener.close()
        print(f"The ledger in {options.data} cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    scenario = SCENARIOS[options.scenario]
    try:
        studio = Studio(ledger, scenario, seed=options.seed, speed=options.speed, balance=options.balance)
        app: ASGIApp = build_app(studio, base_url)
        server = server_for(Storm(app, options.seed) if scenario.stormy else app)
        asyncio.run(_serve(server, studio, base_url, announced=options.announce, listener=listener))
    finally:
        listener.close()
        ledger.close()
    return 0


def _listener(port: int, data: Path | None) -> socket.socket:
    """Listens on `port`; 0 is a free one, with `data` the one of last time, so that known output URLs stay good."""
    if port or data is None:
        return listen(port)
    remembered = data / "demo-api.port"
    try:
        listener = listen(int(remembered.read_text("ascii")))
    except (OSError, ValueError, OverflowError):
        listener = listen(0)
        with contextlib.suppress(OSError):  # a folder that cannot be written is the ledger's to complain about
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            remembered.write_text(str(listener.getsockname()[1]), "ascii")
    return listener


async def _serve(server: Server, studio: Studio, base_url: str, *, announced: bool, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    announcer: Announcer | None = None
    if announced:
        announcer = Announcer()
        _announce_opening(announcer, studio, base_url)
        _when_stdin_ends(lambda: loop.call_soon_threadsafe(server.stop))
    else:
        tell(_human_lines(studio, base_url))

    def announce(job: Job) -> None:
        if announcer is not None:
            announcer.say(generation_id=job.id, body=job.body)

    script = asyncio.create_task(pipeline.run(studio, announce))
    try:
        await server.serve(sockets=[listener])
    finally:
        script.cancel()


def _announce_opening(announcer: Announcer, studio: Studio, base_url: str) -> None:
    opening = [{"generation_id": job.id, "body": job.body} for job in studio.ledger.by_author("script")]
    if studio.scenario.has_script:
        opening += [{"generation_id": missing_id(studio.seed)}, {"generation_id": foreign_id(studio.seed)}]
    announcer.say(base_url=base_url, api_key=API_KEY, opening=len(opening))
    for line in opening:
        announcer.say(**line)


def _human_lines(studio: Studio, base_url: str) -> list[str]:
    limits = studio.tier
    lines = [
        f"Simulated Vivix API, scenario {studio.scenario.name}, seed {studio.seed}, speed {studio.speed:g}.",
        f"Tier {limits.name}: {limits.calls_per_minute} calls a minute, {limits.concurrent_jobs} jobs at once.",
        "",
        f"  base URL  {base_url}",
        f"  API key   {API_KEY}",
        "",
        "To use it from another terminal:",
        "",
        f"  export VIVIX_BASE_URL={base_url} VIVIX_API_KEY={API_KEY}",
    ]
    running = studio.ledger.in_flight(time.time())
    if running:
        lines += ["", "Generations in flight:", ""]
        lines += [f"  {job.id}  {job.model.slug}" for job in running]
    return [*lines, "", "Ctrl-C ends it."]


def _when_stdin_ends(do: Callable[[], object]) -> None:
    """Calls `do` when whoever holds the other end of stdin is gone."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
            do()

    threading.Thread(target=wait, name="stdin", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())

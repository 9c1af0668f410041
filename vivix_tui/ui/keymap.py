"""The keys in force: the registry's, and over them the user's own from the config.

Owns: who keeps a key that two commands want, and saying so. Refuses: what commands do.
"""

from __future__ import annotations

from collections.abc import Mapping

from vivix_tui.ui.commands import BY_ID, COMMANDS, shown_keys

NO_KEY = "<none>"  # what Textual is told for a command without keys; no terminal sends it


def keymap(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The keys of all commands that have other ones than the registry's ("": none), and what has to be said.

    A key of the user's own is taken from the command that has it by default; of two own ones the first keeps it.
    """
    own = {name: _keys(text) for name, text in wanted.items() if name in BY_ID}
    complaints = [f"keys.{name}: no such command" for name in wanted if name not in BY_ID]
    owner = dict[str, str]()
    for name, keys in own.items():
        for key in keys:
            if owner.setdefault(key, name) != name:
                complaints.append(f"{shown_keys(key)} is both {owner[key]} and {name}: it is {owner[key]}")
    found = dict[str, str]()
    for command in COMMANDS:
        keys = [key for key in own.get(command.id, _keys(command.keys)) if owner.get(key, command.id) == command.id]
        lost = [key for key in _keys(command.keys) if command.id not in own and key not in keys]
        complaints += [f"{shown_keys(key)} is {owner[key]} now, no longer {command.id}" for key in lost]
        if keys != _keys(command.keys):
            found[command.id] = ",".join(keys)
    return found, complaints


def _keys(text: str) -> list[str]:
    return [key for part in text.split(",") if (key := part.strip())]

"""What a run of the torture found: figures to print, and the promises that were broken.

Owns: collecting and printing. Refuses: deciding what a promise is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Figures:
    """One part of the torture; `broken` is empty where every promise was kept."""

    title: str
    values: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def tell(self, name: str, value: object) -> None:
        self.values[name] = f"{value:.1f}" if isinstance(value, float) else value

    def none(self, name: str, offenders: Iterable[object]) -> None:
        """A promise that there is nothing of this kind: tells the number, and names the first ones."""
        found = list(offenders)
        self.tell(name, len(found))
        if found:
            self.broken.append(f"{name}: {len(found)}, e.g. {'; '.join(str(x)[:200] for x in found[:3])}")

    def promise(self, kept: bool, words: str) -> None:
        """Notes `words` unless the promise was kept."""
        if not kept:
            self.broken.append(words)

    def text(self) -> str:
        lines = [f"{self.title}: {'BROKEN' if self.broken else 'ok'}"]
        lines += [f"  {name:<46} {value}" for name, value in self.values.items()]
        lines += [f"  BROKEN {words}" for words in self.broken]
        return "\n".join(lines)

"""What text panes are made of.

Owns: one paragraph, with what stands before it. Refuses: colours (a line names a role), wrapping and drawing.
"""

from __future__ import annotations

from msgspec import Struct

LABEL_WIDTH = 9


class Line(Struct, frozen=True):
    """One paragraph. `label` or `lead` stands before its first line, the others hang `indent` cells below.

    `link` is where its text leads (see `domain.links`), empty where it leads nowhere. A `late` one is not drawn before
    its row has been looked at for a moment.
    """

    text: str
    role: str = "plain"
    indent: int = 0
    label: str = ""
    lead: str = ""
    link: str = ""
    late: bool = False

"""In which order the table's rows stand, in SQL that walks an index from its beginning or its end.

Owns: what can be sorted by, and where a row stands among the others. Refuses: reading. Equal rows stand as without
any sorting: active ones first, then the newest. What is not known comes last, whichever way round; all else
is exactly reversed.
"""

from __future__ import annotations

from msgspec import Struct

TEXT = "LIKE :text ESCAPE '\\'"


class Order(Struct, frozen=True):
    """`by` is one of BY; `inverted` turns it round."""

    by: str = "age"
    inverted: bool = False

    @classmethod
    def named(cls, name: str) -> Order:
        """What `str` made of an order; the default one for any other text."""
        order = cls(name.removeprefix("-"), name.startswith("-"))
        return order if order.by in _KEYS else cls()

    def __str__(self) -> str:
        return f"{'-' if self.inverted else ''}{self.by}"

    @property
    def falls(self) -> bool:
        """Whether the greatest of what is known stands first."""
        key = _KEYS[self.by]
        return self.inverted != (key is not None and key.descending)


class _Key(Struct, frozen=True):
    """What is compared, before what every order compares (`_TIES`, unless `alone`)."""

    generation: str
    submission: str = "NULL"
    descending: bool = False
    alone: bool = False


_RETRIES = "SELECT {} FROM submissions s WHERE s.profile = :profile AND s.state NOT IN ('refused', 'cancelled') AND {}"
_RETRIED = _RETRIES.format("retry_of", "retry_of IS NOT NULL")
_KEYS = {
    "age": None,
    "status": _Key("rank", "CASE state WHEN 'refused' THEN 2 WHEN 'unknown' THEN 2 ELSE 1 END"),
    "model": _Key("model", "model"),
    "duration": _Key("duration_ms", descending=True),
    "credits": _Key("credits", "credits_estimate", descending=True),
    "files": _Key("outputs", descending=True),
    "retries": _Key(f"({_RETRIES.format('count(*)', 's.retry_of = g.generation_id')})", descending=True),
    "id": _Key("generation_id", "submission_id", alone=True),
}
_TIES = (("section", False), ("sort_ms", True), ("id", False))
BY = tuple(_KEYS)
# The phases as `rank` numbers them in the indexes of all orders but the default one.
RANKS = ("active", "queued", "failed", "gone", "done")


def rows_sql(order: Order, generation_filter: str, submission_filter: str, *, to_sort: bool = True) -> str:
    """All rows as (kind, id, number, key, section, sort_ms); `to_sort` says that ORDER BY will follow."""
    key = _KEYS[order.by]
    arms = [(key.generation if key else "NULL", "")]
    if order.by == "retries":
        # No index holds this; the few that have retries are sorted, and the others come from the index of the default
        # order. What is always NULL here is one that SQLite knows to be the same in all rows: they need no sorting.
        arms = [(arms[0][0], f" AND generation_id IN ({_RETRIED})")]
        unknown = "forgotten_at" if to_sort else "NULL"
        arms.append((unknown, f" AND forgotten_at IS NULL AND generation_id NOT IN ({_RETRIED})"))
    selects = [
        f"SELECT 'generation' AS kind, generation_id AS id, rowid AS number, {value} AS key, section, sort_ms"
        f" FROM generations g WHERE profile = :profile AND section IS NOT NULL{which}{generation_filter}"
        for value, which in arms
    ]
    selects.append(
        f"SELECT 'submission', submission_id, -rowid, {key.submission if key else 'NULL'}, section, sort_ms"
        f" FROM submissions WHERE profile = :profile AND section IS NOT NULL{submission_filter}"
    )
    return " UNION ALL ".join(selects)


def order_sql(order: Order, *, backwards: bool = False) -> str:
    """The ORDER BY of `rows_sql`; `backwards` begins with the last row."""
    unknown = " NULLS FIRST" if backwards else " NULLS LAST"
    terms = (
        f"{name}{' DESC' if down != backwards else ''}{unknown if name == 'key' else ''}"
        for name, down in _terms(order)
    )
    return f"ORDER BY {', '.join(terms)}"


def beside_sql(order: Order, *, known: bool, after: bool = False) -> list[str]:
    """Conditions under which a row stands before (or `after`) the one with :key (which is `known`), :section, :sort_ms,
    :id.

    Each is a range of one index; a single OR over them would walk the whole index.
    """
    found, same = [], "1"
    for name, down in _terms(order):
        if name == "key" and not known:
            found += [] if after else ["key IS NOT NULL"]
        else:
            found.append(f"{same} AND {name} {'>' if down != after else '<'} :{name}")
        if name == "key" and known and after:
            found.append("key IS NULL")
        same += f" AND {name} IS :{name}"
    return found


def _terms(order: Order) -> tuple[tuple[str, bool], ...]:
    """Names, each with whether the greatest comes first."""
    key = _KEYS[order.by]
    natural = _TIES if key is None else (("key", key.descending), *(() if key.alone else _TIES))
    return tuple((name, down != order.inverted) for name, down in natural)

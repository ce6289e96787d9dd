"""From the cells of JSON Lines to the columns of our tables, each of the type that `json_rows` would give it.

A maker raises a ValueError where a value is none that its column can have as it is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pyarrow as pa

from classifier.articles import STRING_FIELDS
from classifier.reading.base import click_schema
from classifier.reading.columns import FILE, value_column
from classifier.reading.json_cells import CellColumn, Cut, Kinds, Scanner
from classifier.reading.layout import Kind

Maker = Callable[[Scanner, Cut, CellColumn], pa.Array]

_PLAIN_TYPES = {
    Kinds.STRING: pa.string(),
    Kinds.INT: pa.int64(),
    Kinds.FLOAT: pa.float64(),
    Kinds.INT | Kinds.FLOAT: pa.float64(),
    Kinds.BOOL: pa.bool_(),
    Kinds(0): pa.string(),
}


def maker(our: str, kind: Kind) -> Maker | None:
    """What makes our column of that name in that kind of table; None for one that it does not have."""
    if kind == "clicks":
        return _of_one_kind if our in _CLICK_NAMES else None
    if kind == "boxes":
        return _BOXES.get(our)
    made: Maker = _ARTICLES.get(our, _any)
    return made


def _typed(kinds: Kinds, target: pa.DataType) -> Maker:
    """A column that has values of these kinds only."""

    def make(scanner: Scanner, cut: Cut, column: CellColumn) -> pa.Array:
        if column.kinds & ~(kinds | Kinds.NULL):
            raise ValueError("values of another kind")
        return scanner.strings(cut, column).cast(target)

    return make


def _of_one_kind(scanner: Scanner, cut: Cut, column: CellColumn) -> pa.Array:
    kind = _PLAIN_TYPES.get(column.kinds & ~Kinds.NULL)
    if kind is None:
        raise ValueError("values of several kinds")
    return scanner.strings(cut, column).cast(kind)


def _any(scanner: Scanner, cut: Cut, column: CellColumn) -> pa.Array:
    if column.kinds & ~Kinds.NULL in _PLAIN_TYPES:
        return _of_one_kind(scanner, cut, column)
    return value_column(_values(scanner, cut, column))


def _lists(scanner: Scanner, cut: Cut, column: CellColumn) -> pa.Array:
    if column.kinds & ~(Kinds.NESTED | Kinds.NULL):
        raise ValueError("values of another kind")
    return pa.array(_values(scanner, cut, column), pa.list_(pa.string()))


def _values(scanner: Scanner, cut: Cut, column: CellColumn) -> list[object]:
    """As Python reads them: one text of all is read in one go."""
    written = scanner.strings(cut, column, raw=True).fill_null("null").to_pylist()
    values: list[object] = json.loads(f"[{','.join(written)}]")
    return values


# What a number or flag is as a text is how it is written, but for floats.
_TEXT = _typed(Kinds.STRING | Kinds.INT | Kinds.BOOL, pa.string())
_ONLY_TEXT = _typed(Kinds.STRING, pa.string())
_NUMBER = _typed(Kinds.INT | Kinds.FLOAT, pa.float64())

_ARTICLES: dict[str, Maker] = {
    **dict.fromkeys((*STRING_FIELDS, FILE), _TEXT),
    "sections": _lists,
    "published_at": _ONLY_TEXT,
    "popularity": _NUMBER,
}
_BOXES: dict[str, Maker] = {
    **dict.fromkeys(("list", "headline", "article_id", FILE), _TEXT),
    "taken_at": _ONLY_TEXT,
    "rank": _NUMBER,
}
_CLICK_NAMES = frozenset((*click_schema().names, FILE))

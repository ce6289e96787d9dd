"""Rows of JSON as Python objects: read from text, mended where numbers stand for text, made into columns.

Readers of JSON come here with what is not plainly a column of one kind; every value is looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NoReturn

import pyarrow as pa

from classifier.articles import STRING_FIELDS, Article, article_schema
from classifier.errors import FieldError
from classifier.reading.base import Rejection, click_schema
from classifier.reading.casting import Where
from classifier.reading.checks import reject
from classifier.reading.columns import FILE, value_column
from classifier.reading.layout import Layout

_NOT_UTF8 = re.compile("[\ud800-\udfff]")

Row = dict[str, Any]


def names_of(rows: Sequence[Row]) -> list[str]:
    """The names of all rows, in order of appearance."""
    shapes = dict.fromkeys(map(tuple, rows))
    return list(dict.fromkeys(name for shape in shapes for name in shape))


def nameable(rows: list[Row], where: Where) -> tuple[list[Row], Where, list[Rejection]]:
    """The rows without those that have a name which UTF-8 cannot write, where they stand, and why the others were
    rejected."""
    wrong = {name for name in names_of(rows) if _NOT_UTF8.search(name)}
    bad = {
        number: FieldError(ascii(name), "this name is not Unicode text", remedy="mend or remove it")
        for number, row in enumerate(rows)
        for name in wrong & row.keys()
    }
    return *_without(rows, bad, where), reject(bad, where)


def _without(rows: list[Row], bad: dict[int, FieldError], where: Where) -> tuple[list[Row], Where]:
    if not bad:
        return rows, where
    good = [number for number in range(len(rows)) if number not in bad]
    return [rows[number] for number in good], where.of(good)


def parse_row(line: bytes) -> Row | None:
    """The object on a line; None where there is nothing on it.

    Raises:
        ValueError, RecursionError: there is something else on it; `problem_of` says it in words.
    """
    text = line.decode().strip(" \t\r\n")
    if not text:
        return None
    row = decoder.decode(text)
    if not isinstance(row, dict):
        raise ValueError(f"a {type(row).__name__}; each line must be one JSON object")
    return row


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON; write null")


decoder = json.JSONDecoder(parse_constant=_no_number)


def problem_of(error: Exception) -> str:
    """What is wrong with a line, and how to mend it."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start + 1}; save the file as UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON at character {error.pos + 1}: {error.msg}; write one object a line"
    if isinstance(error, RecursionError):
        return "nested too deeply; each line must be one flat JSON object"
    return str(error)


def columns_of(
    rows: list[Row], renamed: Sequence[tuple[str, str]], layout: Layout, where: Where
) -> tuple[dict[str, pa.Array], Where, list[Rejection]]:
    """The columns of the rows that can be read, by our names, where those rows stand, and why others were rejected."""
    try:
        return _columns(rows, renamed, layout), where, []
    except (pa.ArrowException, UnicodeEncodeError, RecursionError, OverflowError):
        bad: dict[int, FieldError] = {}
        mended: list[Row] = []
        for number, row in enumerate(rows):
            try:
                mended.append(_mended({our: row.get(their) for our, their in renamed}, layout))
            except FieldError as error:
                bad[number] = error
        _, left = _without(rows, bad, where)
        return _columns(mended, [(our, our) for our, _ in renamed], layout), left, reject(bad, where)


def _columns(rows: Sequence[Row], renamed: Sequence[tuple[str, str]], layout: Layout) -> dict[str, pa.Array]:
    """The rows' columns, typed as far as JSON goes; anything that does not fit raises."""
    kinds = _BOX_KINDS if layout.kind == "boxes" else _ARTICLE_KINDS
    columns: dict[str, pa.Array] = {}
    for our, their in renamed:
        try:
            values = list(map(itemgetter(their), rows))
        except KeyError:
            values = [row.get(their) for row in rows]
        if layout.kind == "clicks":
            if our in _CLICK_NAMES:
                columns[our] = _click_column(values)
        elif our in kinds:
            columns[our] = pa.array(values, kinds[our])
        elif layout.kind != "boxes":
            columns[our] = value_column(values)
    # An empty object has no column, but is a row.
    return columns or {layout.key: pa.nulls(len(rows), pa.string())}


_ARTICLE_KINDS = {
    **{field.name: field.type for field in article_schema()},
    "published_at": pa.string(),
    FILE: pa.string(),
}
_BOX_KINDS = {
    **dict.fromkeys(("list", "headline", "article_id", "taken_at", FILE), pa.string()),
    "rank": pa.float64(),
}


_CLICK_NAMES = (*click_schema().names, FILE)


def _click_column(values: Sequence[Any]) -> pa.Array:
    """Ids and flags are written as numbers here and as text there: `check_clicks` tells.

    Raises:
        pyarrow.ArrowException: a list or an object.
    """
    if {type(value) for value in values} & {list, dict}:
        raise pa.ArrowTypeError("nested")
    return value_column(values)


def _mended(row: Row, layout: Layout) -> Row:
    """The row with numbers for text turned into text.

    Raises:
        FieldError: a value of a type that the field cannot have.
    """
    if layout.kind == "clicks":
        for name in _CLICK_NAMES:
            if not isinstance(row.get(name), bool | int | float):
                _check_text(name, row.get(name))
        return row
    texts = _BOX_TEXTS if layout.kind == "boxes" else (*STRING_FIELDS, FILE)
    for name in texts:
        value = row.get(name)
        if isinstance(value, bool | int | float):
            row[name] = json.dumps(value)
        elif value is not None and (not isinstance(value, str) or layout.kind == "boxes" or name == FILE):
            _check_text(name, value)
    if layout.kind == "boxes":
        return {
            **row,
            "rank": _rank(row.get("rank")),
            "taken_at": _check_text("taken_at", row.get("taken_at")),
        }
    stand_in: Row = {"headline": "label"} if layout.kind == "labels" else {}
    if isinstance(row.get("published_at"), str):  # its time is read column by column
        _check_text("published_at", row["published_at"])
        stand_in["published_at"] = None
    try:
        Article.from_mapping({**row, **stand_in}, timezone=layout.options.timezone)
        if row.get("popularity") is not None:
            row["popularity"] = float(row["popularity"])
    except OverflowError:
        raise FieldError("popularity", "is too large", remedy="it must be a number below 1e308") from None
    for name, value in row.items():
        if name not in _ARTICLE_KINDS:
            _check_extra(name, value)
    return row


_BOX_TEXTS = ("list", "headline", "article_id", FILE)


def _check_text(name: str, value: Any) -> Any:
    try:
        pa.scalar(value, pa.string())
    except UnicodeEncodeError:
        problem = "holds half of a surrogate pair, which is no character"
        raise FieldError(name, problem, remedy="remove it or fix the encoding of the source") from None
    except pa.ArrowException:
        raise FieldError(name, f"is a {type(value).__name__}", remedy="it must be a string") from None
    return value


def _rank(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        raise FieldError(
            "rank", f"is not a number but {value!r:.40}", remedy="it must be a whole number, 1 for the top"
        ) from None


def _check_extra(name: str, value: Any) -> None:
    try:
        value_column([value])
    except UnicodeEncodeError:
        problem = "holds half of a surrogate pair, which is no character"
        raise FieldError(name, problem, remedy="remove it or fix the encoding of the source") from None
    except RecursionError:
        raise FieldError(
            name, "is nested too deeply", remedy="flatten it, or drop it with --ignore"
        ) from None

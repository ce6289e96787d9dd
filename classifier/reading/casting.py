"""Arrow columns of any workable type become the article table's types; what cannot be read is named row by row."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from classifier.errors import FieldError, FormatError


@dataclass(frozen=True, slots=True)
class Where:
    """Where the rows of one batch stand: in `file`, as rows from `first` on or on `lines` (both 1-based)."""

    file: str
    first: int = 1
    lines: Sequence[int] | None = None

    def number(self, row: int) -> int:
        return self.first + row if self.lines is None else self.lines[row]

    def numbers(self, count: int) -> Sequence[int]:
        """Those of the first `count` rows."""
        return range(self.first, self.first + count) if self.lines is None else self.lines[:count]

    def of(self, rows: Sequence[int]) -> Where:
        """Where these of the rows stand."""
        return Where(self.file, lines=[self.number(row) for row in rows])

    def __call__(self, row: int) -> str:
        return f"{self.file}, {'row' if self.lines is None else 'line'} {self.number(row)}"


@dataclass(frozen=True, slots=True)
class Cast:
    """A typed column; rows in `failures` could not be read and are null in `values`, those in `doubts` may be misread."""

    values: pa.Array
    failures: Mapping[int, FieldError] = field(default_factory=dict)
    doubts: Mapping[int, str] = field(default_factory=dict)


def plain(column: pa.Array) -> pa.Array:
    """The column without dictionary, run-end or extension encoding."""
    while True:
        if types.is_dictionary(column.type):
            column = column.dictionary_decode()
        elif types.is_run_end_encoded(column.type):
            column = pc.run_end_decode(column)
        elif isinstance(column.type, pa.BaseExtensionType):
            column = column.storage
        else:
            return column


def is_text(kind: pa.DataType) -> bool:
    """Whether that is a type of strings."""
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether that is a type of byte strings, which may hold text."""
    tests = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def cast_text(column: pa.Array, name: str, file: str) -> Cast:
    """Strings from text, bytes in UTF-8, numbers, flags, dates.

    Raises:
        FormatError: a nested type.
    """
    column = plain(column)
    if types.is_string(column.type):
        return Cast(column)
    if types.is_nested(column.type):
        raise wrong_type(name, column.type, file, "a column of text")
    if is_bytes(column.type):
        return _decoded(column, name)
    try:
        return Cast(column.cast(pa.string()))
    except pa.ArrowException as error:
        raise wrong_type(name, column.type, file, "a column of text") from error


def _decoded(column: pa.Array, name: str) -> Cast:
    try:
        return Cast(column.cast(pa.binary()).cast(pa.string()))
    except pa.ArrowInvalid:
        return _one_by_one(column, pa.string(), lambda value: _utf8(value, name))


def _utf8(value: bytes, name: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise FieldError(
            name, f"is not UTF-8 at byte {error.start}", remedy="convert the file to UTF-8"
        ) from None


def cast_number(column: pa.Array, name: str, file: str) -> Cast:
    """Float64 from numbers, flags, decimals and text; infinite and undefined ones fail.

    Raises:
        FormatError: any other type.
    """
    column = plain(column)
    kind = column.type
    if is_text(kind) or is_bytes(kind):
        text = cast_text(column, name, file)
        cast = _parsed_numbers(text.values, name)
        return Cast(cast.values, {**cast.failures, **text.failures})
    if not any(
        test(kind)
        for test in (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    ):
        raise wrong_type(name, kind, file, "a column of numbers")
    return _finite(column.cast(pa.float64(), safe=False), name)


def _parsed_numbers(column: pa.Array, name: str) -> Cast:
    column = pc.utf8_trim_whitespace(column)
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    try:
        return _finite(column.cast(pa.float64()), name)
    except pa.ArrowInvalid:
        return _one_by_one(column, pa.float64(), lambda value: _number(value, name))


def _number(value: str, name: str) -> float:
    flags = {"true": 1.0, "false": 0.0}
    try:
        number = flags[value.lower()] if value.lower() in flags else float(value)
    except ValueError:
        number = None
    if number is None or "_" in value:
        raise FieldError(name, f"{_shown(value)} is not a number", remedy="write it like 1234 or 12.5")
    if not math.isfinite(number):
        raise _not_finite(number, name)
    return number


def _finite(column: pa.Array, name: str) -> Cast:
    good = pc.is_finite(column)
    if pc.all(good).as_py() is not False:
        return Cast(column)
    bad = pc.indices_nonzero(pc.invert(good)).to_pylist()
    failures = {row: _not_finite(column[row].as_py(), name) for row in bad}
    return Cast(pc.if_else(good, column, pa.scalar(None, pa.float64())), failures)


def _not_finite(number: float, name: str) -> FieldError:
    return FieldError(name, f"is {number}", remedy="leave it out where the count is unknown")


def cast_sections(column: pa.Array, name: str, file: str) -> Cast:
    """Lists of distinct, non-empty strings from lists, or from JSON lists in text.

    Raises:
        FormatError: any other type.
    """
    column = plain(column)
    kind = column.type
    target = pa.list_(pa.string())
    if types.is_null(kind):
        return Cast(pa.nulls(len(column), target))
    if is_text(kind):
        return _one_by_one(column, target, lambda value: _labels(value, name))
    try:
        # Only lists: Arrow would also make lists of maps.
        if not (types.is_nested(kind) and hasattr(kind, "value_field")) or types.is_map(kind):
            raise pa.ArrowInvalid("no list")
        column = column.cast(target)
    except pa.ArrowException as error:
        raise wrong_type(name, kind, file, "a list of strings") from error
    items = column.flatten()
    pairs = pa.table([pc.list_parent_indices(column), items], ["row", "item"])
    distinct = pairs.group_by(["row", "item"]).aggregate([]).num_rows == len(items)
    if distinct and not items.null_count and not pc.any(pc.equal(items, "")).as_py():
        return Cast(column)
    return Cast(
        pa.array([None if labels is None else _tidy(labels) for labels in column.to_pylist()], target)
    )


def _labels(value: str, name: str) -> list[str] | None:
    if not value.strip():
        return None
    try:
        labels = json.loads(value)
        json.dumps(labels, ensure_ascii=False).encode()  # an escape may stand for half of a surrogate pair
    except (ValueError, RecursionError):
        labels = None
    if not isinstance(labels, list) or not all(isinstance(label, str | None) for label in labels):
        raise FieldError(
            name,
            f"{_shown(value)} is not a list of strings",
            remedy='write it like ["Politics", "World"], or use the column "section" for a single one',
        )
    return _tidy(labels)


def _tidy(labels: Sequence[str | None]) -> list[str]:
    return list(dict.fromkeys([label for label in labels if label]))


def _one_by_one(column: pa.Array, kind: pa.DataType, parse: Callable[[Any], Any]) -> Cast:
    values: list[Any] = []
    failures: dict[int, FieldError] = {}
    for row, value in enumerate(column.to_pylist()):
        try:
            values.append(None if value is None else parse(value))
        except FieldError as error:
            values.append(None)
            failures[row] = error
    return Cast(pa.array(values, kind), failures)


def wrong_type(name: str, kind: pa.DataType, file: str, wanted: str) -> FormatError:
    """The error for a column that cannot be cast."""
    return FormatError(
        f'the column "{name}" is of type {kind}',
        where=file,
        remedy=f"it must be {wanted} (or --ignore {name})",
    )


def _shown(value: str) -> str:
    return f'"{value[:40]}…"' if len(value) > 40 else f'"{value}"'

"""Columns from Python values, their order in a table, and tables from batches whose columns differ."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import reduce
from typing import Any

import pyarrow as pa
from pyarrow import types

from classifier.articles import article_schema
from classifier.reading.cast_times import time_array
from classifier.reading.casting import is_text, plain
from classifier.reading.documents import ELEMENT

# Where a row came from. Of documents that hold one article, `line` is null.
# Where a row is from: the file, a line of it, an element of a document.
FILE, LINE = "file", "line"
PLACES = (FILE, LINE, ELEMENT)


def json_text(value: Any) -> str:
    """One line of JSON; times in ISO 8601, bytes in base64, and null for numbers that JSON lacks."""
    try:
        return _encode(value)
    except ValueError:
        return _encode(_finite(value))


def _encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain_value)


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return list(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def value_column(values: Sequence[Any]) -> pa.Array:
    """A column of strings, ints, floats, flags or times as the values are; of text where they are mixed or nested.

    Raises:
        UnicodeEncodeError: a string holds half of a surrogate pair.
    """
    kinds = {type(value) for value in values if value is not None}
    try:
        if not kinds or kinds == {str}:
            return pa.array(values, pa.string())
        if kinds == {int, float}:
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
        if kinds == {datetime}:
            aware = {value.tzinfo is not None for value in values if value is not None}
            if len(aware) == 1:
                return time_array(values) if aware == {True} else pa.array(values, pa.timestamp("us"))
        elif len(kinds) == 1 and kinds <= {int, float, bool, date, bytes, Decimal}:
            return pa.array(values)
    except (pa.ArrowException, OverflowError):  # such as integers beyond 64 bits
        pass
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int | float | list | tuple | Mapping):
        return json_text(value)
    return str(value)


def arranged(columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """One batch: the article table's columns in its order, `file`, `line`, then every other."""
    names = [*article_schema().names, *PLACES]
    order = [*(name for name in names if name in columns), *(name for name in columns if name not in names)]
    return pa.RecordBatch.from_arrays([columns[name] for name in order], names=order)


def concat(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """One table of all batches: missing columns are null, types are unified.

    Times keep their zone where all batches share it (those without any time have no say), else they are in UTC. Columns
    of numbers become floats, columns of other different types text.
    """
    found = list(batches)
    if not found:
        return article_schema().empty_table()
    kinds: dict[str, list[pa.DataType]] = {}
    for batch in found:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            seen = kinds.setdefault(name, [])
            if len(column) > column.null_count:
                seen.append(column.type)
    first = {name: batch.schema.field(name).type for batch in reversed(found) for name in batch.schema.names}
    target = {name: reduce(common_type, seen) if seen else first[name] for name, seen in kinds.items()}
    target = {name: pa.string() if types.is_null(kind) else kind for name, kind in target.items()}
    schema = pa.schema(list(target.items()))
    return pa.Table.from_batches([conform(batch, schema) for batch in found], schema)


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with exactly the columns of `schema`: missing ones null, others cast."""
    columns = []
    for want in schema:
        at = batch.schema.get_field_index(want.name)
        columns.append(pa.nulls(len(batch), want.type) if at < 0 else convert(batch.column(at), want.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def convert(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """The column as `kind`; as text, nested values become JSON.

    Raises:
        pyarrow.ArrowException: there is no way to.
    """
    if column.type.equals(kind):
        return column
    column = plain(column)
    if column.null_count == len(column):
        return pa.nulls(len(column), kind)
    if not is_text(kind) or is_text(column.type):
        # Coarser times and larger numbers than the target holds exactly are rounded.
        return column.cast(kind, safe=not (types.is_timestamp(kind) or types.is_floating(kind)))
    return as_text(column).cast(kind)


def convert_chunks(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """`convert` for every chunk."""
    return pa.chunked_array([convert(chunk, kind) for chunk in column.chunks], kind)


def as_text(column: pa.Array) -> pa.Array:
    """Strings: nested values as JSON, times in ISO 8601, floats so that they read back the same (null if they cannot)."""
    if types.is_string(column.type):
        return column
    if types.is_binary(column.type) or types.is_large_binary(column.type):
        return pa.array(
            [None if v is None else v.decode(errors="replace") for v in column.to_pylist()], pa.string()
        )
    values = [_finite(value) for value in to_values(column)]
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def to_values(column: pa.Array) -> list[Any]:
    """Python values; times in microseconds, so that no other library's time type comes in."""
    if types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values


def common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that a column gets of which batches have these two."""
    if one.equals(other):
        return one
    kinds = (one, other)
    if all(is_text(kind) for kind in kinds):
        return pa.string()
    if all(types.is_timestamp(kind) for kind in kinds):
        if (one.tz is None) != (other.tz is None):
            return pa.string()
        return pa.timestamp("us", tz=one.tz if one.tz == other.tz else "UTC")
    if all(types.is_signed_integer(kind) for kind in kinds):
        return pa.int64()
    if all(types.is_integer(kind) or types.is_floating(kind) for kind in kinds):
        return pa.float64()
    return pa.string()

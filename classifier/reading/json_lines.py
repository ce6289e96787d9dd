"""Record batches as JSON Lines, column by column: what `json_text` means of each row."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from classifier.reading.casting import is_text
from classifier.reading.columns import as_text, json_text, to_values

_ESCAPED = r'[\x00-\x1f"\\]'
_NULL = "null"


def json_lines(batch: pa.RecordBatch) -> pa.Buffer:
    """One object a row, each with a line break behind it; NaN and infinity are null."""
    if not len(batch):
        return pa.py_buffer(b"")
    lines = _object(batch.schema.names, batch.columns, end="}\n")
    _, offsets, data = lines.buffers()
    ends = memoryview(offsets).cast("i")
    return data.slice(ends[0], ends[len(lines)] - ends[0])


def csv_texts(column: pa.Array) -> pa.Array:
    """(n,) strings as `as_text` makes them; null where there is nothing."""
    if types.is_float64(column.type):
        return _floats(column)
    if types.is_list(column.type) and column.null_count < len(column):
        return pc.if_else(column.is_valid(), _texts(column), pa.scalar(None, pa.string()))
    return as_text(column)


def _object(names: Sequence[str], columns: Sequence[pa.Array], end: str = "}") -> pa.Array:
    parts: list[pa.Array | str] = []
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        parts += [f"{', ' if number else '{'}{json_text(name)}: ", _texts(column)]
    return pc.binary_join_element_wise(*(parts or ["{"]), end, "")


def _texts(column: pa.Array) -> pa.Array:
    """(n,) strings: each value as JSON."""
    kind = column.type
    if column.null_count == len(column):
        return pa.repeat(pa.scalar(_NULL), len(column))
    if is_text(kind):
        made = _quoted(column.cast(pa.string()))
    elif types.is_float64(kind):
        made = _floats(column)
    elif types.is_integer(kind):
        made = column.cast(pa.string())
    elif types.is_boolean(kind):
        made = pc.if_else(column, "true", "false")
    elif types.is_struct(kind) and kind.num_fields and not column.null_count:
        made = _object([field.name for field in kind], column.flatten())
    elif types.is_list(kind):
        made = _lists(column)
    else:
        return pa.array([json_text(value) for value in to_values(column)], pa.string())
    return made.fill_null(_NULL)


def _quoted(column: pa.Array) -> pa.Array:
    if len(column) and types.is_string(column.type) and len(_distinct(column)) * 4 < len(column):
        encoded = column.dictionary_encode()
        return _quoted_each(encoded.dictionary).take(encoded.indices)
    return _quoted_each(column)


def _distinct(column: pa.Array) -> pa.Array:
    """The distinct values of the first few rows: enough to see whether they repeat."""
    return column.slice(0, 64).unique()


def _quoted_each(column: pa.Array) -> pa.Array:
    odd = pc.match_substring_regex(column, _ESCAPED)
    made = pc.binary_join_element_wise('"', column, '"', "")
    if not pc.any(odd).as_py():
        return made
    wrong = column.filter(odd).to_pylist()
    return pc.replace_with_mask(made, odd.fill_null(False), pa.array(map(_encode, wrong), pa.string()))


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _floats(column: pa.Array) -> pa.Array:
    """The shortest digits that read back the same; whole numbers keep their ".0"."""
    finite = pc.is_finite(column)
    if pc.all(finite).as_py() is False:
        column = pc.if_else(finite, column, pa.scalar(None, pa.float64()))
    made = column.cast(pa.string())
    whole = pc.equal(column, pc.trunc(column))
    if not pc.any(whole).as_py():
        return made
    whole = pc.and_(whole, pc.invert(pc.match_substring(made, "e")))
    return pc.if_else(whole, pc.binary_join_element_wise(made, ".0", ""), made)


def _lists(column: pa.Array) -> pa.Array:
    """Of lists as they lie: what is hidden behind null lists or beside a slice is left out."""
    lengths = column.value_lengths().fill_null(0)
    ends = pc.cumulative_sum(lengths).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    items = pa.ListArray.from_arrays(offsets, _texts(column.flatten()))
    made = pc.binary_join_element_wise("[", pc.binary_join(items, ", "), "]", "")
    return pc.if_else(column.is_valid(), made, _NULL) if column.null_count else made

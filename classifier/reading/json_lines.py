"""Record batches as JSON Lines, column by column: what `json_text` means of each row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from classifier.reading.casting import is_text
from classifier.reading.columns import as_text, json_text, to_values

_ESCAPED = r'[\x00-\x1f"\\]'
_NULL = "null"


def json_lines(batch: pa.RecordBatch, gap: str = " ") -> pa.Buffer:
    """One object a row, each with a line break behind it, `gap` behind commas and colons; NaN and infinity are null."""
    if not len(batch):
        return pa.py_buffer(b"")
    pieces = _object(batch.schema.names, batch.columns, gap, end="}\n")
    lines = _joined(pieces, len(batch))
    _, offsets, data = lines.buffers()
    ends = memoryview(offsets).cast("i")[lines.offset :]
    return data.slice(ends[0], ends[len(lines)] - ends[0])


def csv_texts(column: pa.Array) -> pa.Array:
    """(n,) strings as `as_text` makes them; null where there is nothing."""
    if types.is_float64(column.type):
        return _floats(column)
    if types.is_list(column.type) and column.null_count < len(column):
        return pc.if_else(
            column.is_valid(), _joined(_pieces(column, " "), len(column)), pa.scalar(None, pa.string())
        )
    return as_text(column)


class _Few(NamedTuple):
    """Strings of which there are few: the `values`, and the place (n,) of each row's among them."""

    values: pa.Array
    places: pa.Array


_Piece: TypeAlias = "str | pa.Array | _Few"  # what stands in every row alike, or each row's own string


def _object(names: Sequence[str], columns: Sequence[pa.Array], gap: str, end: str = "}") -> Iterator[_Piece]:
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        yield f"{f',{gap}' if number else '{'}{json_text(name)}:{gap}"
        yield from _pieces(column, gap)
    yield end if names else f"{{{end}"


def _joined(pieces: Iterable[_Piece], count: int) -> pa.Array:
    """(count,) strings: the pieces behind each other. Joining costs by the piece, so what can be is joined before."""
    parts = list(_merged(pieces))
    if all(isinstance(part, str) for part in parts):
        return pa.repeat(pa.scalar("".join(parts)), count)
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "")


def _merged(pieces: Iterable[_Piece]) -> Iterator[str | pa.Array]:
    """The pieces, constants joined with each other and with each of few strings beside them."""
    before: str | _Few = ""
    for piece in pieces:
        if isinstance(before, str) and isinstance(piece, str):
            before += piece
        elif isinstance(before, str) and isinstance(piece, _Few):
            before = _Few(pc.binary_join_element_wise(before, piece.values, ""), piece.places)
        elif isinstance(before, _Few) and isinstance(piece, str):
            before = _Few(pc.binary_join_element_wise(before.values, piece, ""), before.places)
        else:
            yield from _taken(before)
            before = piece if isinstance(piece, _Few) else ""
            if not isinstance(piece, _Few):
                yield piece
    yield from _taken(before)


def _taken(piece: str | _Few) -> Iterator[str | pa.Array]:
    if piece:
        yield piece if isinstance(piece, str) else piece.values.take(piece.places)


def _pieces(column: pa.Array, gap: str) -> Iterator[_Piece]:
    """Each value as JSON, of a column with a row or more."""
    kind, nulls = column.type, column.null_count
    if nulls == len(column):
        yield _NULL
    elif is_text(kind) and _repeats(text := column.cast(pa.string())):
        encoded = text.dictionary_encode("encode")
        values = _quoted(encoded.dictionary).fill_null(_NULL)
        if len(values) == 1:
            yield values[0].as_py()
        else:
            yield _Few(values, encoded.indices)
    elif types.is_boolean(kind):
        places = column.cast(pa.int8()).fill_null(2)
        yield _Few(pa.array(["false", "true", _NULL]), places)
    elif types.is_struct(kind) and kind.num_fields and not nulls:
        yield from _object([field.name for field in kind], column.flatten(), gap)
    elif types.is_list(kind) and not nulls:
        yield from ("[", _items(column, gap), "]")
    else:
        yield _texts(column, gap)


def _texts(column: pa.Array, gap: str) -> pa.Array:
    """(n,) strings: what `_pieces` are joined."""
    kind = column.type
    if is_text(kind):
        made = _quoted(column.cast(pa.string()))
    elif types.is_float64(kind):
        made = _floats(column)
    elif types.is_integer(kind):
        made = column.cast(pa.string())
    elif types.is_list(kind):
        made = pc.if_else(
            column.is_valid(), pc.binary_join_element_wise("[", _items(column, gap), "]", ""), _NULL
        )
    else:
        made = pa.array([json_text(value) for value in to_values(column)], pa.string())
    return made.fill_null(_NULL)


def _repeats(column: pa.Array) -> bool:
    """Whether the first few rows repeat: then it is worth while to look at each different text once."""
    return len(column.slice(0, 64).unique()) * 4 < len(column)


def _quoted(column: pa.Array) -> pa.Array:
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


def _items(column: pa.Array, gap: str) -> pa.Array:
    """(n,) the items of each list, as they lie: what is hidden behind null lists or beside a slice is left out."""
    lengths = column.value_lengths().fill_null(0)
    ends = pc.cumulative_sum(lengths).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    items = column.flatten()
    texts = _joined(_pieces(items, gap), len(items)) if len(items) else pa.array([], pa.string())
    return pc.binary_join(pa.ListArray.from_arrays(offsets, texts), f",{gap}")

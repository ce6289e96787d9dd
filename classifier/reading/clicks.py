"""The check of tables of clicks: which articles a shown list held, and which of them were clicked."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from classifier.errors import FieldError, FormatError
from classifier.reading.base import Rejection, click_schema
from classifier.reading.casting import Cast, Where, cast_number, cast_text, is_bytes, is_text, plain
from classifier.reading.checks import reject, take_good
from classifier.reading.columns import FILE

_LAST = 2**31 - 1
_TOO_MANY = 1000  # rows to name one by one when all of them are wrong
_LIST = "name the list that was shown: an impression id, the same on each of its lines"
_ID = "give the id of the article that was shown"
_CLICKED = "write 1 (or true) where the article was clicked, 0 (or false) where it was not"
_POSITION = "it must be a whole number from 0 up, or left out where the place is unknown"
_REMEDIES = {"clicked": _CLICKED, "position": _POSITION}
_NUL = "remove it or fix the encoding of the source"


def check_clicks(batch: pa.RecordBatch, where: Where) -> tuple[pa.RecordBatch, list[Rejection]]:
    """The good rows of a table of clicks, with the columns of `click_schema()` and `file`; why others were rejected.

    Works column by column; only rows that are wrong are looked at one by one.

    Raises:
        FormatError: a column whose type cannot be read as what it should be, or that holds nothing that can be.
    """
    columns: dict[str, pa.Array] = {}
    failures: dict[int, FieldError] = {}
    for name in (*click_schema().names, FILE):
        at = batch.schema.get_field_index(name)
        cast = _cast(pa.nulls(len(batch)) if at < 0 else batch.column(at), name, where.file)
        columns[name] = cast.values
        failures = {**cast.failures, **failures}
    for name, remedy in (("shown", _LIST), ("article_id", _ID)):
        blank = pc.equal(pc.utf8_trim_whitespace(columns[name]), "").fill_null(True)
        _fail(failures, blank, FieldError(name, "is empty", remedy=remedy))
        held = pc.match_substring(columns[name], "\0")
        _fail(failures, held, FieldError(name, "holds a NUL character", remedy=_NUL))
    clicked, position = columns["clicked"], columns["position"]
    _fail(failures, pc.is_null(clicked), FieldError("clicked", "is missing", remedy=_CLICKED))
    neither = pc.and_(pc.not_equal(clicked, 0.0), pc.not_equal(clicked, 1.0))
    _fail_number(failures, neither, "clicked", clicked)
    whole = pc.equal(pc.floor(position), position)
    inside = pc.and_(pc.greater_equal(position, 0.0), pc.less_equal(position, float(_LAST)))
    _fail_number(failures, pc.invert(pc.and_(whole, inside)), "position", position)
    if len(failures) == len(batch) >= _TOO_MANY:
        raise FormatError(
            f"none of {len(batch)} rows of clicks can be read: {failures[0].field} {failures[0].problem}",
            where=where(0),
            remedy=failures[0].remedy,
        )
    columns = take_good(columns, failures)
    columns["clicked"] = columns["clicked"].cast(pa.bool_())
    columns["position"] = columns["position"].cast(pa.int32())
    for name in ("shown", "article_id", FILE):
        # The same few names stand on millions of lines.
        columns[name] = columns[name].dictionary_encode()
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), reject(failures, where)


def _cast(column: pa.Array, name: str, file: str) -> Cast:
    if name not in _REMEDIES:
        return cast_text(column, name, file)
    cast = _cast_number(plain(column), name, file)
    failures = {
        row: FieldError(name, error.problem, remedy=_REMEDIES[name]) for row, error in cast.failures.items()
    }
    return Cast(cast.values, failures)


def _cast_number(column: pa.Array, name: str, file: str) -> Cast:
    if is_text(column.type) or is_bytes(column.type):
        text = cast_text(column, name, file)
        # As numbers here already: true and false would otherwise be parsed row by row.
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(text.values))
        words = pa.array(["true", "false"], pa.string())
        digits = pa.array(["1", "0"], pa.string()).take(pc.index_in(lower, value_set=words))
        cast = cast_number(pc.coalesce(digits, text.values), name, file)
        return Cast(cast.values, {**cast.failures, **text.failures})
    return cast_number(column, name, file)


def _fail(failures: dict[int, FieldError], bad: pa.Array, error: FieldError) -> None:
    for row in pc.indices_nonzero(bad).to_pylist():
        failures.setdefault(row, error)


def _fail_number(failures: dict[int, FieldError], bad: pa.Array, name: str, values: pa.Array) -> None:
    for row in pc.indices_nonzero(bad).to_pylist():
        failures.setdefault(row, FieldError(name, f"is {values[row].as_py():g}", remedy=_REMEDIES[name]))

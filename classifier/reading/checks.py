"""The column-wise check of tables: the same rows pass as `Article.from_mapping` lets pass, many times faster.

Columns are cast, and rows that *may* be wrong are found with Arrow's kernels; only those go through `from_mapping`, which
decides and words the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from classifier.articles import SPLITS, STRING_FIELDS, TEXT_FIELDS, Article, article_schema
from classifier.errors import FieldError
from classifier.reading.base import Note, ReadOptions, Rejection
from classifier.reading.cast_times import cast_time
from classifier.reading.casting import Cast, Where, cast_number, cast_sections, cast_text, plain
from classifier.reading.columns import FILE, arranged
from classifier.reading.content_ids import content_ids
from classifier.reading.string_bytes import begins_with_text, holds_nul
from classifier.reading.time_rules import TimeRules

# What str.strip() takes for white space: a text of nothing else is empty.
_SPACES = "".join([chr(code) for code in range(0x3001) if chr(code).isspace()])
LABEL_KEYS = ("id", "url", FILE)

Columns = dict[str, pa.Array]
Failures = dict[int, FieldError]


def check_batch(
    batch: pa.RecordBatch, options: ReadOptions, where: Where, notebook: Notebook | None = None
) -> tuple[pa.RecordBatch, list[Rejection]]:
    """The good rows of an article table, all its columns present and typed, and why the others were rejected.

    Missing ids are filled with a hash of the content; null texts become ""; other columns are kept behind. `notebook` has
    what is known of the file's times, and gets notes.

    Raises:
        FormatError: a column whose type cannot be read as what it should be.
    """
    columns, failures = typed(batch, options, where, notebook)
    for name in TEXT_FIELDS:
        text = columns.get(name)
        columns[name] = _constant("", len(batch)) if text is None else _filled(text)
    columns, bad = _without(columns, failures, _suspects(columns) | _empty(columns), where)
    columns = _with_ids(columns)
    length = len(columns["headline"])
    for own in article_schema():
        if own.name not in columns:
            columns[own.name] = pa.nulls(length, own.type)
    return arranged(columns), bad


def check_labels(
    batch: pa.RecordBatch, key: str, options: ReadOptions, where: Where, notebook: Notebook | None = None
) -> tuple[pa.RecordBatch, list[Rejection]]:
    """The good rows of a label table, its columns typed; rows without a value in the column `key` are rejected.

    Raises:
        FormatError: a column whose type cannot be read as what it should be.
    """
    columns, failures = typed(batch, options, where, notebook)
    values = columns.setdefault(key, pa.nulls(len(batch), pa.string())).fill_null("")
    for row in _rows(pc.equal(values, "")):
        failures.setdefault(
            row, FieldError(key, "is missing", remedy=f"the rows of a label table are joined by {key}")
        )
    # With some text, from_mapping has only the other fields to complain about.
    stand_in = {"headline": _constant("label", len(batch))}
    kept, bad = _without({**columns, **stand_in}, failures, _suspects(columns), where)
    del kept["headline"]
    return arranged(kept), bad


def label_key(names: Iterable[str]) -> str:
    """The column that a label table is joined by: the first of `LABEL_KEYS` that it has."""
    found = set(names)
    return next(name for name in LABEL_KEYS if name in found)


@dataclass(slots=True)
class Notebook:
    """What is remembered of one file from batch to batch: how its times are written, and notes to tell."""

    rules: TimeRules
    notes: list[Note] = field(default_factory=list)

    @classmethod
    def of(cls, options: ReadOptions) -> Notebook:
        return cls(TimeRules.of(options))

    def doubts(self, cast: Cast, column: pa.Array, where: Where) -> None:
        """Note what may have been misread: once a kind, with the first value and its place."""
        for what, count in Counter(cast.doubts.values()).items():
            row = next(row for row, doubt in cast.doubts.items() if doubt == what)
            self.notes.append(Note(where.file, what, f'"{column[row]}"', count, where.number(row)))

    def take_notes(self) -> tuple[Note, ...]:
        """The notes since the last time."""
        notes, self.notes = tuple(self.notes), []
        return notes


def typed(
    batch: pa.RecordBatch, options: ReadOptions, where: Where, notebook: Notebook | None = None
) -> tuple[Columns, Failures]:
    """Every column as its type in the article table, extra ones plain, and the rows of which a value could not be read."""
    notebook = notebook or Notebook.of(options)
    columns: Columns = {}
    failures: Failures = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        cast = _cast(name, column, where.file, notebook.rules)
        notebook.doubts(cast, column, where)
        columns[name] = cast.values
        failures = {**cast.failures, **failures}
    return columns, failures


def _cast(name: str, column: pa.Array, file: str, rules: TimeRules) -> Cast:
    if name in STRING_FIELDS or name == FILE:
        return cast_text(column, name, file)
    if name == "popularity":
        return cast_number(column, name, file)
    if name == "published_at":
        return cast_time(column, name, file, rules)
    if name == "sections":
        return cast_sections(column, name, file)
    column = plain(column)
    return Cast(column.cast(pa.string()) if types.is_null(column.type) else column)


def reject(errors: Mapping[int, FieldError], where: Where) -> list[Rejection]:
    """A rejection for each row, its place put into the reason."""
    return [
        Rejection(
            where.file,
            where.number(row),
            str(FieldError(error.field, error.problem, where=where(row), remedy=error.remedy)),
        )
        for row, error in sorted(errors.items())
    ]


def take_good(columns: Columns, bad: Iterable[int]) -> Columns:
    """The columns without the rows in `bad`."""
    dropped = set(bad)
    if not dropped:
        return columns
    length = len(next(iter(columns.values())))
    rows = pa.array([row for row in range(length) if row not in dropped], pa.int64())
    return {name: column.take(rows) for name, column in columns.items()}


def _without(
    columns: Columns, failures: Failures, suspects: set[int], where: Where
) -> tuple[Columns, list[Rejection]]:
    """Drop the rows that failed, and those suspects that `from_mapping` refuses."""
    bad = dict(failures)
    checked = [name for name in columns if name in article_schema().names]
    for row in suspects - failures.keys():
        try:
            Article.from_mapping({name: columns[name][row].as_py() for name in checked})
        except FieldError as error:
            bad[row] = error
    return take_good(columns, bad), reject(bad, where)


def _suspects(columns: Columns) -> set[int]:
    """Rows that hold a NUL, or a split of another name."""
    found: set[int] = set()
    for name in STRING_FIELDS:
        if name in columns and holds_nul(columns[name]):
            found.update(_rows(pc.match_substring(columns[name], "\0")))
    if "sections" in columns:
        sections = columns["sections"]
        nul = pc.match_substring(sections.flatten(), "\0")
        found.update(pc.list_parent_indices(sections).filter(nul).to_pylist())
    if "split" in columns:
        split = columns["split"]
        known = pa.array(SPLITS, pa.string())
        found.update(_rows(pc.and_(pc.is_valid(split), pc.invert(pc.is_in(split, value_set=known)))))
    return found


def _empty(columns: Columns) -> set[int]:
    """Rows of which no text holds more than white space."""
    rows = pa.array(np.arange(len(columns["headline"])), pa.int64())
    for name in TEXT_FIELDS:
        if len(rows):
            text = columns[name].take(rows) if len(rows) < len(columns[name]) else columns[name]
            doubtful = pa.array(np.flatnonzero(~begins_with_text(text)), pa.int64())
            blank = pc.equal(pc.utf8_trim(text.take(doubtful), characters=_SPACES), "")
            rows = rows.take(doubtful.filter(blank))
    return set(rows.to_pylist())


def _with_ids(columns: Columns) -> Columns:
    """Rows without an id get the hash of their content."""
    length = len(columns["headline"])
    ids = columns.get("id")
    ids = pa.nulls(length, pa.string()) if ids is None else ids
    missing = pc.equal(ids.fill_null(""), "")
    if not pc.any(missing).as_py():
        return {**columns, "id": ids}
    nothing = pa.nulls(length, pa.string())
    parts = [columns.get(name, nothing) for name in ("url", *TEXT_FIELDS)]
    if pc.all(missing).as_py():
        return {**columns, "id": content_ids(*parts)}
    made = content_ids(*(part.filter(missing) for part in parts))
    return {**columns, "id": pc.replace_with_mask(ids, missing, made)}


def _rows(mask: pa.Array) -> list[int]:
    rows: list[int] = pc.indices_nonzero(mask).to_pylist()
    return rows


def _filled(text: pa.Array) -> pa.Array:
    return text.fill_null("") if text.null_count else text


def _constant(value: str, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), length)

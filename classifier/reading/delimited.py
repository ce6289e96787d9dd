"""CSV and TSV: a header line, then a record a line or several; in whatever dialect, UTF-8 or an older encoding.

Everything is text first. An empty value is null, in a text column "". Columns that are not the article table's become
whole numbers, numbers or flags where all their values are written so.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc

from classifier.articles import TEXT_FIELDS, article_schema
from classifier.errors import FieldError, FormatError
from classifier.reading import mind
from classifier.reading.base import BATCH_ROWS, Chunk, Note, ReadOptions, Rejection, Source, read_block
from classifier.reading.casting import Where
from classifier.reading.checks import reject
from classifier.reading.columns import FILE
from classifier.reading.dialects import SAMPLE, SEPARATORS, Dialect, find_dialect
from classifier.reading.layout import Layout, lay_out
from classifier.reading.looking import Joined

# A longer value is the rest of the file behind a quotation mark that nothing closes.
MAX_FIELD = 1 << 24
_BATCH_CHARACTERS = 1 << 25
_NOT_TEXT = re.compile("[\ud800-\udfff]")
# An error handler of all encodings; surrogateescape knows none for UTF-16 and UTF-32.
_MARKED = "newsdesk.marked"
codecs.register_error(_MARKED, lambda error: ("\udcff", getattr(error, "end", 0)))
_PATTERNS = {
    "int": r"^(0|-?[1-9][0-9]{0,17})$",
    "float": r"^-?((0|[1-9][0-9]{0,15})(\.[0-9]+)?|\.[0-9]+)(e[-+][0-9]{1,2})?$",
    "bool": r"^(true|false|True|False)$",
}
_TYPES = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "text": pa.string()}


def read_csv(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Batches of a file of separated values; how it is written, its beginning says (`dialects`).

    Raises:
        FormatError: no header, a quotation mark that nothing closes, or columns that do not fit.
    """
    return _read(source, options, SEPARATORS)


def read_tsv(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Batches of a file of values separated by tabs, MIND's tables among them.

    Raises:
        FormatError: as `read_csv`.
    """
    return _read(source, options, "\t")


def _read(source: Source, options: ReadOptions, separators: str) -> Iterator[Chunk]:
    with source.open() as opened:
        head = read_block(opened, SAMPLE)
        dialect = find_dialect(head, separators, complete=len(head) < SAMPLE)
        known = mind.kind_of(source.name, head) if separators == "\t" else None
        binary = io.BufferedReader(Joined(head[dialect.skip :], opened))
        if known == "behaviours":
            yield from mind.read_behaviours(binary, source.name, options)
            return
        # Invalid bytes become lone surrogates: their row is rejected when its batch is made.
        stream = io.TextIOWrapper(binary, dialect.encoding, errors=_MARKED, newline="")
        form, header = str(dialect), None
        notes: tuple[Note, ...] = ()
        if known:
            dialect = replace(dialect, quote="")
            options = replace(options, ignore=options.ignore | mind.ENTITIES)
            form, header = f"MIND's news, {dialect}", mind.NEWS
        elif not dialect.is_plain:
            notes = (Note(source.name, f"read as {form}"),)
        for chunk in _chunks(stream, source.name, options, dialect, header):
            yield replace(chunk, form=form, notes=(*notes, *chunk.notes))
            form, notes = "", ()


def _chunks(
    stream: TextIO, file: str, options: ReadOptions, dialect: Dialect, known: Sequence[str] | None
) -> Iterator[Chunk]:
    records = _records(_lines(stream, file), file, dialect)
    header = list(known or [name.strip() for name in next(records, (1, []))[1] or []])
    if not any(header) or any(_NOT_TEXT.search(name) or "\0" in name for name in header):
        problem = (
            f"the first line is not {dialect.charset} text" if any(header) else "there is no header line"
        )
        raise FormatError(
            problem,
            where=file,
            remedy="write the column names into the first line and save the file as UTF-8",
        )
    table = _Table(header, lay_out([name for name in header if name], options, file), file, dialect)
    for line, record in records:
        table.add(line, record)
        if table.is_full:
            yield table.flush()
    yield table.flush()


def _lines(stream: TextIO, file: str) -> Iterator[str]:
    number = 0
    while line := stream.readline(MAX_FIELD):
        number += 1
        if len(line) == MAX_FIELD:
            raise FormatError(
                f"longer than {MAX_FIELD} characters",
                where=f"{file}, line {number}",
                remedy="is it a text file?",
            )
        yield line


def _records(lines: Iterator[str], file: str, dialect: Dialect) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with the line on which it begins; None for one whose quotation marks are wrong."""
    # The limit is the process's; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD))
    reader = csv.reader(lines, strict=True, **dialect.of_csv())
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error) or "limit" in str(error):
                raise FormatError(
                    "a quotation mark opens a value here that nothing closes",
                    where=f"{file}, line {line}",
                    remedy='close it, or write quotation marks inside of quoted values twice ("")',
                ) from error
            yield line, None
        else:
            if record:
                yield line, record


class _Table:
    """Collects records and makes batches of them."""

    def __init__(self, header: Sequence[str], layout: Layout, file: str, dialect: Dialect) -> None:
        self._charset = dialect.charset
        self._header = header
        self._layout = layout
        self._file = file
        self._picked = [(our, header.index(name)) for our, name in layout.renamed(filter(None, header))]
        self._kinds: dict[str, str] = {}
        self._clear()

    def _clear(self) -> None:
        self._records: list[list[str]] = []
        self._lines: list[int] = []
        self._rejected: list[Rejection] = []
        self._characters = 0

    @property
    def is_full(self) -> bool:
        return (
            max(len(self._records), len(self._rejected)) >= BATCH_ROWS or self._characters > _BATCH_CHARACTERS
        )

    def add(self, line: int, record: list[str] | None) -> None:
        if record is None or len(record) != len(self._header):
            self._rejected.append(Rejection(self._file, line, self._reason(line, record)))
            return
        self._records.append(record)
        self._lines.append(line)
        self._characters += sum(map(len, record))

    def _reason(self, line: int, record: list[str] | None) -> str:
        where = f"{self._file}, line {line}"
        if record is None:
            return f'{where}: text behind a closing quotation mark; write quotation marks inside of values twice ("")'
        return (
            f"{where}: {len(record)} values, but the header names {len(self._header)} columns; "
            "put values that hold separators or line breaks into quotation marks"
        )

    def flush(self) -> Chunk:
        """The chunk of the records so far."""
        try:
            columns = self._columns()
        except UnicodeEncodeError:
            self._reject_invalid()
            columns = self._columns()
        where = Where(self._file, lines=self._lines)
        batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        chunk = self._layout.chunk(batch, where)
        rejected = sorted([*self._rejected, *chunk.rejected], key=lambda rejection: rejection.line or 0)
        self._clear()
        return replace(chunk, rejected=tuple(rejected))

    def _columns(self) -> dict[str, pa.Array]:
        columns = {}
        for our, at in self._picked:
            column = pa.array([record[at] for record in self._records], pa.string())
            if our not in TEXT_FIELDS:
                column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
                if our not in article_schema().names and our != FILE and not self._layout.is_own:
                    column = self._typed(our, column)
            columns[our] = column
        return columns

    def _reject_invalid(self) -> None:
        bad = {
            row: FieldError(our, f"is not {self._charset}", remedy="save the file as UTF-8")
            for row, record in enumerate(self._records)
            for our, at in self._picked
            if _NOT_TEXT.search(record[at])
        }
        self._rejected += reject(bad, Where(self._file, lines=self._lines))
        good = [row for row in range(len(self._records)) if row not in bad]
        self._records = [self._records[row] for row in good]
        self._lines = [self._lines[row] for row in good]

    def _typed(self, name: str, column: pa.Array) -> pa.Array:
        """Of the type that this batch and those before agree on."""
        before = self._kinds.get(name)
        kind = before or "text"
        if column.null_count < len(column):
            kind = next((kind for kind, like in _PATTERNS.items() if _all_match(column, like)), "text")
            if before and kind != before:
                kind = "float" if {kind, before} == {"int", "float"} else "text"
            self._kinds[name] = kind
        return column.cast(_TYPES[kind])


def _all_match(column: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())

"""JSON Lines: one object a line, UTF-8. A bad line is rejected alone.

The kernel cuts blocks of lines into columns (`json_cells`). A batch in which that does not say enough (a nested name, a
number that stands for text, a line that only Python can judge) is read once more, object by object (`json_rows`): the
outcome is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from classifier.errors import FormatError
from classifier.reading.base import BATCH_ROWS, Chunk, ReadOptions, Rejection, Source, read_block
from classifier.reading.casting import Where
from classifier.reading.json_cells import LINE_DOUBTFUL, LINE_ROW, Block, CellColumn, Cut, Scanner
from classifier.reading.json_columns import maker
from classifier.reading.json_rows import Row, columns_of, nameable, names_of, parse_row, problem_of
from classifier.reading.layout import MAX_NAMES, Layout, check_mapping, lay_out

MAX_LINE = 1 << 26  # bytes, or one block more
_BLOCK = 1 << 22
_BOM = b"\xef\xbb\xbf"


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Batches of a file with one JSON object a line; what kind of table it is, its first batch says.

    Raises:
        FormatError: the objects have no text and no key, a mapped name is in none of them, or the kind changes.
    """
    layout: Layout | None = None
    seen: dict[str, None] = {}
    scanner = Scanner(MAX_NAMES + 1)
    with source.open() as stream:
        for batch in _batches(stream, source.name, scanner):
            seen |= dict.fromkeys(batch.names)
            if len(seen) > MAX_NAMES:
                raise FormatError(
                    f"more than {MAX_NAMES} different names",
                    where=source.name,
                    remedy="write one object a line, with the columns as names",
                )
            if layout is None and batch.lines:
                layout = lay_out(batch.names, options, source.name, complete=batch.is_last)
            if layout is None:
                yield Chunk(rejected=tuple(batch.rejected))
                continue
            yield _chunk(batch, layout, source.name)
    if layout is not None and layout.kind == "articles":
        check_mapping(seen, layout.options, source.name)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some lines: `names` and `lines` (1-based) of the good ones. `columns` has their cells by name; where those do not
    say enough it is empty, and `rows` has objects."""

    scanner: Scanner
    cut: Cut
    first: int
    is_last: bool
    names: list[str] = field(default_factory=list)
    lines: Sequence[int] = ()
    columns: Mapping[str, CellColumn] = field(default_factory=dict)
    rows: list[Row] | None = None
    rejected: tuple[Rejection, ...] = ()

    def opened(self, file: str) -> _Batch:
        """The same lines as objects; those with a name that UTF-8 cannot write are rejected, too."""
        rows, lines, rejected = _objects(self.cut, self.first, file, (LINE_ROW, LINE_DOUBTFUL))
        rows, where, unnamable = nameable(rows, Where(file, lines=lines))
        return replace(
            self,
            names=names_of(rows),
            lines=where.lines or (),
            rows=rows,
            columns={},
            rejected=(*rejected, *unnamable),
        )


def _batches(stream: BinaryIO, file: str, scanner: Scanner) -> Iterator[_Batch]:
    """The lines in batches; one that `is_last` comes at the end, though it may be empty."""
    more = read_block(stream, _BLOCK)
    block, start, line, ended = Block(more.removeprefix(_BOM)), 0, 1, len(more) < _BLOCK
    del more
    while True:
        cut = scanner.cut(block, start, BATCH_ROWS, ended=ended)
        start += cut.used
        is_last = ended and start == block.size
        if len(cut.lines) or is_last:
            yield _batch(_Batch(scanner, cut, line, is_last), file)
            line += len(cut.lines)
            if is_last:
                return
        elif block.size - start >= MAX_LINE:
            reason = f"{file}, line {line}: longer than {MAX_LINE} bytes; write one object a line"
            nothing = replace(cut, columns={})
            yield _Batch(scanner, nothing, line, is_last=False, rejected=(Rejection(file, line, reason),))
            block, start, line = _behind_line(stream), 0, line + 1
            ended = not block.size
        else:
            more = read_block(stream, _BLOCK)
            block, start, ended = Block(block.bytes[start : block.size], more), 0, len(more) < _BLOCK


def _behind_line(stream: BinaryIO) -> Block:
    """What follows the next line break, as far as it was read."""
    while part := read_block(stream, _BLOCK):
        _, found, rest = part.partition(b"\n")
        if found:
            return Block(rest, read_block(stream, _BLOCK))
    return Block()


def _batch(batch: _Batch, file: str) -> _Batch:
    cut = batch.cut
    rows, _, rejected = _objects(cut, batch.first, file, (LINE_DOUBTFUL,))
    if rows or cut.columns is None:
        return batch.opened(file)
    lines = np.flatnonzero(cut.lines[:, 2] == LINE_ROW) + batch.first
    return replace(
        batch,
        names=list(cut.columns),
        lines=lines.tolist(),
        columns=cut.columns,
        rejected=tuple(rejected),
    )


def _objects(
    cut: Cut, first: int, file: str, states: Sequence[int]
) -> tuple[list[Row], list[int], list[Rejection]]:
    """The objects on the lines of these states, their lines, and why others were rejected."""
    rows: list[Row] = []
    lines: list[int] = []
    rejected: list[Rejection] = []
    for number in np.flatnonzero(np.isin(cut.lines[:, 2], states)).tolist():
        line = first + number
        try:
            row = parse_row(cut.line(number))
        except (ValueError, RecursionError) as error:
            rejected.append(Rejection(file, line, f"{file}, line {line}: {problem_of(error)}"))
        else:
            if row is not None:
                rows.append(row)
                lines.append(line)
    return rows, lines, rejected


def _chunk(batch: _Batch, layout: Layout, file: str) -> Chunk:
    where = Where(file, lines=batch.lines)
    renamed = layout.renamed(batch.names)
    layout.check_later([our for our, _ in renamed], where(0) if batch.lines else file)
    rejected: list[Rejection] = []
    columns = None if batch.rows is not None else _cell_columns(batch, renamed, layout)
    if columns is None:
        if batch.rows is None:
            batch = batch.opened(file)
        where = Where(file, lines=batch.lines)
        columns, where, rejected = columns_of(batch.rows or [], layout.renamed(batch.names), layout, where)
    made = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    chunk = layout.chunk(made, where)
    ordered = sorted([*batch.rejected, *rejected, *chunk.rejected], key=lambda rejection: rejection.line or 0)
    return replace(chunk, rejected=tuple(ordered))


def _cell_columns(
    batch: _Batch, renamed: Sequence[tuple[str, str]], layout: Layout
) -> dict[str, pa.Array] | None:
    """The columns by our names; None where a value is none that its column can have as it is."""
    columns: dict[str, pa.Array] = {}
    for our, their in renamed:
        make = maker(our, layout.kind)
        if make is None:
            continue
        try:
            columns[our] = make(batch.scanner, batch.cut, batch.columns[their])
        except (pa.ArrowException, ValueError, OverflowError, RecursionError):
            return None
    # An empty object has no column, but is a row.
    return columns or {layout.key: pa.nulls(len(batch.lines), pa.string())}

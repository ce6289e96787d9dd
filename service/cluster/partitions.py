"""Inputs in partitions, each the work of one task: row groups of a large Parquet file, one file, or several small ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.errors import FormatError, UsageError
from classifier.reading import COMPRESSIONS, READERS, find_sources
from classifier.reading.collecting import nothing_in
from classifier.reading.finding import STDIN
from service.cluster.storage import absolute, is_remote, listed, reading

PART_ROWS = 250_000  # of a Parquet file, from which on its row groups are divided
PART_BYTES = 64 << 20  # of small files together
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or some of its row groups; `name` is what errors and the `file` column say."""

    name: str
    url: str
    size: int
    groups: tuple[int, ...] | None = None


Partition = tuple[Piece, ...]


def find_files(inputs: Sequence[str]) -> list[tuple[str, str]]:
    """(name, url) of every file behind the inputs, in the local engine's order.

    Raises:
        InputError: nothing is there.
        UsageError: standard input, which workers cannot read.
    """
    found: list[tuple[str, str]] = []
    for given in inputs:
        if given == STDIN:
            raise UsageError("a cluster cannot read standard input", remedy="give files, or --engine local")
        if is_remote(given):
            found += [(name, url) for name, url, named in listed(given) if named or _is_known(name)]
            continue
        for source in find_sources([given]).sources:
            with source.open() as stream:
                found.append((source.name, absolute(str(stream.name))))
    return list({url: (name, url) for name, url in found}.values())


def _is_known(name: str) -> bool:
    *_, last, end = ["", "", *[suffix.lower() for suffix in PurePosixPath(name).suffixes]]
    return (last if end in COMPRESSIONS else end) in READERS


def partitions(files: Sequence[tuple[str, str]], rows: int = PART_ROWS) -> Iterator[Partition]:
    """The files in order, divided; their sizes are asked for, and of Parquet files the footers.

    Raises:
        InputError: a file cannot be read.
    """
    waiting: list[Piece] = []
    for name, url in files:
        for piece in _pieces(name, url, rows):
            if piece.groups is not None or sum(one.size for one in waiting) + piece.size > PART_BYTES:
                if waiting:
                    yield tuple(waiting)
                waiting = []
            if piece.groups is not None:
                yield (piece,)
            else:
                waiting.append(piece)
    if waiting:
        yield tuple(waiting)


def _pieces(name: str, url: str, rows: int) -> Iterator[Piece]:
    with reading(url) as stream:
        size = stream.seek(0, 2) if stream.seekable() else 0
        if not name.lower().endswith(_PARQUET):
            yield Piece(name, url, size)
            return
        stream.seek(0)
        try:
            data = pq.ParquetFile(stream).metadata
        except (pa.ArrowException, OSError) as error:
            raise FormatError(
                f"not a Parquet file that can be read: {str(error).splitlines()[0]}",
                where=name,
                remedy="is it complete, and of the format that its name says?",
            ) from error
    if data.num_rows <= rows or data.num_row_groups < 2:
        yield Piece(name, url, size)
        return
    groups: list[int] = []
    count = 0
    for number in range(data.num_row_groups):
        groups.append(number)
        count += data.row_group(number).num_rows
        if count >= rows or number + 1 == data.num_row_groups:
            yield Piece(name, url, size * count // max(data.num_rows, 1), tuple(groups))
            groups, count = [], 0


def check_inputs(files: Sequence[tuple[str, str]], inputs: Sequence[str]) -> None:
    """Something must be there for the inputs.

    Raises:
        InputError: nothing is.
    """
    if not files:
        raise nothing_in(inputs)

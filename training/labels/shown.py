"""Clicks per shown list, joined with the articles: which article stood where, and was it clicked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class ClickReport:
    """What joining did: `lines` read, `lists` with an article that is known, lines of `unknown` articles (and the `example`
    id of one), lines `repeated` within a list."""

    lines: int
    lists: int
    unknown: int
    example: str
    repeated: int


@dataclass(frozen=True, slots=True)
class Clicks:
    """m lines, a list and an article each once: the list's number `lists` (m,), rising; the article's position `rows`
    (m,); `clicked` (m,); the place in the list `positions` (m,), UNKNOWN where it was not given."""

    lists: Ints
    rows: Ints
    clicked: NDArray[np.bool_]
    positions: NDArray[np.int32]
    report: ClickReport

    def __len__(self) -> int:
        return len(self.rows)


def join_clicks(table: pa.Table, ids: pa.ChunkedArray) -> Clicks | None:
    """A table of clicks (`click_schema()` and `file`), its articles found among `ids`; None where it is empty.

    Lists of one name in different files are different lists. An article that is twice in a list counts once: as clicked
    where one of its lines says so, at the first of its places. Works on whole columns: millions of lists are no loop.
    """
    if not table.num_rows:
        return None
    table = table.unify_dictionaries()
    shown, files = _ranks(table["shown"]), _ranks(table["file"])
    names = table["article_id"].chunk(0).dictionary
    found = pc.fill_null(pc.index_in(names, value_set=ids.combine_chunks()), UNKNOWN).to_numpy()
    at = _codes(table["article_id"])
    rows = found[at].astype(np.int64)
    known = rows != UNKNOWN
    example = "" if known.all() else str(names[int(at[int(np.argmin(known))])])
    lists = shown[known] + files[known] * (int(shown.max()) + 1)
    _, lists = np.unique(lists, return_inverse=True)
    clicked = table["clicked"].to_numpy()[known]
    positions = pc.fill_null(table["position"], UNKNOWN).to_numpy()[known]
    lists, rows, clicked, positions, repeated = _once(lists, rows[known], clicked, positions)
    report = ClickReport(
        table.num_rows, int(lists[-1]) + 1 if len(lists) else 0, int((~known).sum()), example, repeated
    )
    return Clicks(lists, rows, clicked, positions, report)


def _codes(column: pa.ChunkedArray) -> NDArray[np.int32]:
    """The positions in the dictionary that all chunks share."""
    return np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])


def _ranks(column: pa.ChunkedArray) -> Ints:
    """The places of the values among those that there are, in order: whatever the order of the rows."""
    order = pc.array_sort_indices(column.chunk(0).dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[_codes(column)]


def _once(
    lists: Ints, rows: Ints, clicked: NDArray[np.bool_], positions: NDArray[np.int32]
) -> tuple[Ints, Ints, NDArray[np.bool_], NDArray[np.int32], int]:
    """The lines in order of list and article, each pair once; and how many lines that left out."""
    key = lists * (int(rows.max(initial=0)) + 1) + rows
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    repeated = len(key) - len(first)
    lists, rows, clicked, positions = lists[order], rows[order], clicked[order], positions[order]
    if repeated:
        last = np.iinfo(np.int32).max
        places = np.minimum.reduceat(np.where(positions == UNKNOWN, last, positions), first)
        positions = np.where(places == last, UNKNOWN, places).astype(np.int32)
        lists, rows, clicked = lists[first], rows[first], np.logical_or.reduceat(clicked, first)
    return lists, rows, clicked, positions, repeated

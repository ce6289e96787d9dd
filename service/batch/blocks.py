"""What is read, in blocks: so many rows, or fewer where they are long. Where one ends depends on the rows alone, so that a
run that goes on from any of them makes the same blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from classifier.reading import read_source
from classifier.reading.base import Chunk, Note, ReadOptions, Rejection
from classifier.reading.encoders import GROUP_ROWS
from service.batch.sources import Sources

_MOST_BYTES = 1 << 26  # of articles in a block, as they lie in memory
_MOST_REJECTED = 10_000  # that wait for the next block


class Place(NamedTuple):
    """Where reading stands: in which source, and how many of its articles and rejections have been taken."""

    source: int = 0
    articles: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """One block: batches of checked articles, what was rejected and noted on the way, and where reading stands behind it
    (None where no run can go on from there: articles are still waiting)."""

    pieces: tuple[pa.RecordBatch, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    place: Place | None = None
    notes: tuple[Note, ...] = ()

    @property
    def count(self) -> int:
        return sum(map(len, self.pieces))


def blocks(
    sources: Sources, options: ReadOptions, start: Place | None = None, size: int = GROUP_ROWS
) -> Iterator[Rows]:
    """The articles of all sources from a place on, `size` a block; the last may be of rejections alone, or empty.

    Raises:
        InputError: a source cannot be read.
    """
    waiting, start = _Waiting(size), start or Place()
    for number in range(start.source, len(sources)):
        skip = start if number == start.source else Place()
        place = Place(number)
        for chunk in read_source(sources.watched(number), options):
            new = chunk.rejected[max(0, skip.rejected - place.rejected) :]
            waiting.rejected += new
            waiting.notes += chunk.notes
            place = place._replace(rejected=place.rejected + len(chunk.rejected))
            articles = chunk.articles
            if articles is not None and len(articles):
                known = max(0, min(len(articles), skip.articles - place.articles))
                place = place._replace(articles=place.articles + known)
                for cut in waiting.cuts(articles.slice(known)):
                    place = place._replace(articles=place.articles + len(cut))
                    if waiting.add(cut):
                        yield waiting.taken(place)
            if len(waiting.rejected) > _MOST_REJECTED:
                yield waiting.rejections()
    yield waiting.taken(Place(len(sources)))


def collected(chunks: Iterable[Chunk], size: int) -> Iterator[Rows]:
    """The articles of chunks in blocks from which nobody goes on."""
    waiting = _Waiting(size)
    for chunk in chunks:
        waiting.rejected += chunk.rejected
        waiting.notes += chunk.notes
        for cut in waiting.cuts(chunk.articles) if chunk.articles else ():
            if waiting.add(cut):
                yield waiting.taken(None)
        if len(waiting.rejected) > _MOST_REJECTED:
            yield waiting.rejections()
    yield waiting.taken(None)


@dataclass(slots=True)
class _Waiting:
    most: int
    pieces: list[pa.RecordBatch] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def cuts(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The batch, cut where blocks end."""
        at = 0
        while at < len(batch):
            cut = batch.slice(at, self.most - self.rows)
            at += len(cut)
            yield cut

    def add(self, batch: pa.RecordBatch) -> bool:
        """Whether the block is full now."""
        self.pieces.append(batch)
        self.rows += len(batch)
        self.size += batch.nbytes
        return self.rows >= self.most or self.size >= _MOST_BYTES

    def taken(self, place: Place | None) -> Rows:
        found = Rows(tuple(self.pieces), tuple(self.rejected), place, tuple(self.notes))
        self.pieces, self.rejected, self.notes, self.rows, self.size = [], [], [], 0, 0
        return found

    def rejections(self) -> Rows:
        found = Rows(rejected=tuple(self.rejected), notes=tuple(self.notes))
        self.rejected, self.notes = [], []
        return found

"""Where blocks go: standard output, or a folder of durable parts that becomes the target."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from classifier.errors import NotResumable, OutputError
from classifier.reading.base import Rejection
from classifier.reading.encoders import Encoder
from classifier.reading.writing import refuse_existing, resolve_target, sync_folder, writing_to
from service.batch.asked import Scoring
from service.batch.blocks import Place, Rows
from service.batch.duplicates import SeenIds
from service.batch.journal import Durable
from service.batch.parts import IDS, OUTPUT, REJECTED, Parts
from service.batch.sources import Sources
from service.batch.summary import Tally
from service.batch.work import Done

_SHARE = 20  # parts become durable so seldom that it takes a twentieth of the time at most
_REPLAYED = 1 << 20  # bytes of ids at once
REJECTIONS = ".rejected.jsonl"


class Target(Protocol):
    """One output. `tally` is what is in it, `ids` those seen."""

    tally: Tally
    ids: SeenIds

    def start(self) -> Place | None:
        """Where reading begins; None where nothing is left to do."""

    def put(self, rows: Rows, done: Done) -> None: ...

    def finish(self) -> None: ...

    def stop(self) -> int:
        """After an error or an interruption, wherever it came: how many articles of this run a later one need not score
        again."""


class Stdout:
    """Standard output: rows as they come; rejected ones are only handed on."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.tally, self.ids = Tally(), SeenIds()

    def start(self) -> Place:
        return Place()

    def put(self, rows: Rows, done: Done) -> None:
        _count(self, rows, done)
        if done.block is not None:
            with writing_to("-"):
                sys.stdout.buffer.write(done.block.data)
                sys.stdout.buffer.flush()

    def finish(self) -> None:
        with writing_to("-"):
            sys.stdout.buffer.flush()

    def stop(self) -> int:
        return 0


class File:
    """A file, by way of `Parts`. `run` describes what is scored and how: only the same can be gone on with.

    Raises:
        OutputError: the target exists (and is not to be overwritten), or cannot be written.
    """

    def __init__(
        self,
        path: str,
        encoder: Encoder,
        sources: Sources,
        run: Mapping[str, Any],
        scoring: Scoring,
    ) -> None:
        self._path = path
        self._encoder = encoder
        self._sources = sources
        self._run = run
        self._resume, self._force, self._pace = scoring.resume, scoring.force, scoring.pace
        self._target = resolve_target(path, force=True)
        self._parts = Parts(self._target, path)
        self._blocks = 0
        self._kept: Durable | None = None
        self._place: Place | None = None
        self._next = 0.0
        self.tally, self.ids = Tally(), SeenIds()

    def start(self) -> Place | None:
        """See `Target`.

        Raises:
            OutputError: the target is there, another run writes it, or an interrupted one has left something of it.
            NotResumable: what was interrupted was another run.
        """
        with writing_to(self._path):
            if not self._parts.folder.is_dir():
                refuse_existing(self._target, self._path, force=self._force)
            self._parts.open()
            return self._begin()

    def _begin(self) -> Place | None:
        left = self._parts.durable() if self._resume else []
        if left:
            self._parts.check(self._run)
            left = self._unchanged(left)
            if left[-1].done:
                self._take_up_done(left[-1])
                return None
        refuse_existing(self._target, self._path, force=self._force)
        if left:
            return self._go_on(left)
        if not self._force:
            self._parts.refuse_left()
        self._parts.begin(self._run)
        self._parts.write(OUTPUT, self._encoder.header())
        return Place()

    def _unchanged(self, left: list[Durable]) -> list[Durable]:
        """Up to the last part before which no source has changed since."""
        for count in range(len(left), 0, -1):
            part = left[count - 1]
            if self._sources.digest(min(part.place.source + 1, len(self._sources))) == part.sources:
                return left[:count]
        raise NotResumable("what it has read was changed, renamed or removed since", where=self._path)

    def _go_on(self, left: list[Durable]) -> Place:
        self._kept = left[-1]
        self._blocks = self._kept.blocks
        self.tally = Tally.from_dict(self._kept.tally)
        self._parts.go_on(left)
        for data in self._parts.read(IDS, _REPLAYED):
            self.ids.add(np.frombuffer(data, np.uint64))
        self._sources.skip(self._kept.place.source)
        return self._kept.place

    def _take_up_done(self, part: Durable) -> None:
        """All was written, only names were missing."""
        self.tally = Tally.from_dict(part.tally)
        self._blocks, self._kept = part.blocks, part
        for data in self._parts.read(IDS, _REPLAYED):
            self.ids.add(np.frombuffer(data, np.uint64))
        self._publish()

    def put(self, rows: Rows, done: Done) -> None:
        """See `Target`.

        Raises:
            OutputError: it cannot be written.
        """
        self._place = None  # until all of it is written
        _count(self, rows, done)
        with writing_to(self._path):
            if done.block is not None:
                at = self._parts.length(OUTPUT)
                self._parts.write(OUTPUT, done.block.data)
                self._parts.write_entry(self._encoder.entry(done.block, at, self._blocks))
                self._parts.write(IDS, done.hashes.tobytes())
                self._blocks += 1
            if rows.rejected:
                self._parts.write(REJECTED, b"".join(map(rejection_line, rows.rejected)))
            self._place = rows.place
            if rows.place is not None and time.monotonic() >= self._next:
                self._keep(rows.place)

    def _keep(self, place: Place, *, done: bool = False) -> None:
        started = time.monotonic()
        read = min(place.source + 1, len(self._sources))
        durable = Durable(
            place,
            self._parts.lengths(),
            self._blocks,
            self.tally.to_dict(),
            self._sources.digest(read),
            done,
        )
        self._parts.keep(durable)
        self._kept = durable
        now = time.monotonic()
        self._next = now + max(self._pace, _SHARE * (now - started)) if self._pace else now

    def finish(self) -> None:
        """See `Target`.

        Raises:
            OutputError: it cannot be written, or another file has come to be there.
        """
        with writing_to(self._path):
            end = self._encoder.end(self._parts.entries(), self._blocks, self.tally.articles)
            for data in end:
                self._parts.write(OUTPUT, data)
            self._keep(Place(len(self._sources)), done=True)
            self._publish()

    def _publish(self) -> None:
        self._parts.close()
        rejected = self._target.with_name(self._target.name + REJECTIONS)
        if (self._parts.folder / OUTPUT).exists():
            refuse_existing(self._target, self._path, force=self._force)
            if self.tally.rejected:
                self._parts.move(REJECTED, rejected)
            else:
                rejected.unlink(missing_ok=True)  # of an output that is replaced now
            self._parts.move(OUTPUT, self._target)
            sync_folder(self._target.parent)
        self._parts.remove()

    def stop(self) -> int:
        """See `Target`."""
        try:
            if self._place is not None and self._blocks and not (self._kept and self._kept.done):
                with writing_to(self._path):
                    self._keep(self._place)
        except OutputError:
            pass  # the first error is the one to tell of
        left = self._parts.leave()
        return int(left[-1].tally["articles"]) if left and self._kept else 0


def _count(target: Target, rows: Rows, done: Done) -> None:
    target.tally.add(done.rows, len(rows.rejected), done.sections, done.decisions)
    target.tally.seen |= done.seen
    target.ids.add(done.hashes)


def rejection_line(rejection: Rejection) -> bytes:
    """As OUT.rejected.jsonl has it."""
    row = {"file": rejection.file, "line": rejection.line, "reason": str(rejection)}
    return (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")

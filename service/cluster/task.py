"""What a worker does: one partition to one part."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import fsspec

import classifier
from classifier.errors import ArtifactError
from classifier.model import Model
from classifier.reading import read_source
from classifier.reading.base import Chunk, ReadOptions, Rejection, Source
from classifier.reading.columnar import read_parquet
from classifier.reading.encoders import GROUP_ROWS, encoder_for
from service.batch.blocks import collected
from service.batch.duplicates import Distinct
from service.batch.summary import Tally
from service.batch.target import REJECTIONS, rejection_line
from service.batch.work import Worker
from service.cluster.partitions import Partition, Piece
from service.cluster.storage import Folder, is_remote, reading

DONE = "_parts"  # the folder of what tasks say that they have done

_models: dict[str, Model] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Plan:
    """What all tasks of a run share. `suffix` is that of parts."""

    model: str
    version: str
    output: str
    suffix: str
    options: ReadOptions
    keep: tuple[str, ...]


def part_name(number: int, suffix: str) -> str:
    """The file of a part."""
    return f"part-{number:05d}{suffix}"


def done_name(number: int) -> str:
    """The file that says that a part is whole, and what is in it."""
    return f"{DONE}/{number:05d}.json"


def load_once(path: str) -> Model:
    """The model, loaded once a process: its arrays are mapped into memory, which processes of a machine share. A remote one
    is fetched first.

    Raises:
        ArtifactError: as `classifier.load`.
    """
    with _lock:
        if path not in _models:
            _models[path] = classifier.load(_fetched(path) if is_remote(path) else path)
        return _models[path]


def _fetched(url: str) -> str:
    system, path = fsspec.core.url_to_fs(url)
    folder = Path(tempfile.mkdtemp(prefix="newsdesk-model-")) / path.rstrip("/").rpartition("/")[2]
    system.get(path, str(folder), recursive=True)
    return str(folder)


def score_partition(plan: Plan, number: int, partition: Partition) -> dict[str, Any]:
    """Score a partition, write its part and then that it is done; what it says is what is answered.

    Raises:
        NewsdeskError: as `service.batch.score_files`.
    """
    model = load_once(plan.model)
    if model.version != plan.version:
        raise ArtifactError(
            f"a worker finds version {model.version}, the run began with {plan.version}",
            where=plan.model,
            remedy="give the version's folder, the same on every machine",
        )
    folder = Folder(plan.output)
    tally, distinct = _write_part(plan, model, number, partition, folder)
    done = {
        "number": number,
        "tally": tally.to_dict(),
        "size": sum(piece.size for piece in partition),
        "ids": distinct.packed(),
    }
    folder.write(done_name(number), done)
    return done


def _write_part(
    plan: Plan, model: Model, number: int, partition: Partition, folder: Folder
) -> tuple[Tally, Distinct]:
    worker = Worker(model, plan.keep)
    encoder = encoder_for(f"part{plan.suffix}", worker.schema)
    tally, distinct, rejected = Tally(), Distinct(), _Rejected(folder, part_name(number, REJECTIONS))
    entries: list[bytes] = []
    with folder.writing(part_name(number, plan.suffix)) as file:
        at = file.write(encoder.header())
        for rows in collected(_chunks(plan.options, partition), GROUP_ROWS):
            rejected.add(rows.rejected)
            done = worker.work(rows, encoder)
            tally.add(done.rows, len(rows.rejected), done.sections, done.decisions)
            tally.seen |= done.seen
            distinct.add(done.hashes)
            if done.block is not None:
                entries.append(encoder.entry(done.block, at, len(entries)))
                file.write(done.block.data)
                at += len(done.block.data)
        for data in encoder.end(entries, len(entries), tally.articles):
            file.write(data)
        rejected.close()
    return tally, distinct


def _chunks(options: ReadOptions, partition: Partition) -> Iterator[Chunk]:
    for piece in partition:
        source = Source(piece.name, partial(reading, piece.url))
        yield from _read(source, piece, options)


def _read(source: Source, piece: Piece, options: ReadOptions) -> Iterator[Chunk]:
    if piece.groups is None:
        return read_source(source, options)
    return read_parquet(source, options, piece.groups)


class _Rejected:
    """The file of rejected rows, which is there only if there are any."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder, self._name = folder, name
        self._lines: list[bytes] = []

    def add(self, rejected: tuple[Rejection, ...]) -> None:
        self._lines += map(rejection_line, rejected)

    def close(self) -> None:
        if self._lines:
            with self._folder.writing(self._name) as file:
                file.writelines(self._lines)
        else:
            with suppress(FileNotFoundError):
                self._folder.remove(self._name)


def tally_of(done: Mapping[str, Any]) -> Tally:
    """What a part holds."""
    return Tally.from_dict(done["tally"])

"""The hidden folder beside a target that holds what is written of it, until it is whole.

`output` and `rejected` become the target and its neighbour; `entries` is what the end of the output will tell of its
blocks, `ids` a hash an article; `journal` says what of all that is durable, `run.json` what run it is. A killed process
leaves the folder; the next one with --resume cuts the files back to the last durable part and goes on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from classifier.errors import NotResumable, OutputError
from classifier.reading.writing import lock, sync_folder
from service.batch import journal
from service.batch.journal import Durable

OUTPUT, REJECTED, ENTRIES, IDS = "output", "rejected", "entries", "ids"
FILES = (OUTPUT, REJECTED, ENTRIES, IDS)
_JOURNAL, _RUN, _LOCK = "journal", "run.json", "lock"
_RESUME = "--resume goes on with it, --force begins again"


class Parts:
    """The folder of one target, locked: two runs cannot write the same."""

    def __init__(self, target: Path, path: str) -> None:
        self.folder = target.with_name(f".{target.name}.parts")
        self._path = path
        self._files: dict[str, BinaryIO] = {}
        self._lengths = dict.fromkeys(FILES, 0)
        self._lock: BinaryIO | None = None  # open only while it is ours

    def open(self) -> None:
        """Make the folder, or take the one that is there.

        Raises:
            OutputError: another process has it.
        """
        self.folder.mkdir(exist_ok=True)
        if not self._take():
            raise OutputError(
                "another run writes it now", where=self._path, remedy="wait for that, or stop it"
            )

    def _take(self) -> bool:
        file = (self.folder / _LOCK).open("ab")
        try:
            if lock(file.fileno()):
                self._lock = file
        finally:
            if self._lock is not file:
                file.close()
        return self._lock is file

    def durable(self) -> list[Durable]:
        """What an earlier run has left, oldest first."""
        return [part for part in journal.read(self.folder / _JOURNAL) if part.blocks or part.done]

    def refuse_left(self) -> None:
        """What an earlier run has left is not thrown away unasked.

        Raises:
            OutputError: there is something.
        """
        if left := self.durable():
            rows = left[-1].tally["articles"]
            raise OutputError(
                f"an interrupted run has {rows} articles of it in {self.folder.name}",
                where=self._path,
                remedy=_RESUME,
            )

    def begin(self, run: Mapping[str, Any]) -> None:
        """Empty files of a new run."""
        for name in (_JOURNAL, *FILES):
            with suppress(FileNotFoundError):
                (self.folder / name).unlink()
        with (self.folder / _RUN).open("w", encoding="utf-8") as file:
            json.dump(run, file)
            file.flush()
            os.fsync(file.fileno())
        self._open({})
        sync_folder(self.folder)

    def check(self, run: Mapping[str, Any]) -> None:
        """The run that was interrupted must have been the same.

        Raises:
            NotResumable: something is different, and what.
        """
        try:
            before = json.loads((self.folder / _RUN).read_text("utf-8"))
        except (OSError, ValueError):
            raise NotResumable("what it was is not known any more", where=self._path) from None
        for name, value in json.loads(json.dumps(run)).items():
            if before.get(name) != value:
                raise NotResumable(
                    f"its {name} was {json.dumps(before.get(name))}, not {json.dumps(value)}",
                    where=self._path,
                )

    def go_on(self, left: list[Durable]) -> None:
        """Cut the files back to the last of these durable parts, and forget later ones."""
        journal.rewrite(self.folder / _JOURNAL, left)
        self._open(left[-1].lengths)

    def _open(self, lengths: Mapping[str, int]) -> None:
        for name in FILES:
            file = (self.folder / name).open("ab")
            self._files[name] = file
            self._lengths[name] = lengths.get(name, 0)
            file.truncate(self._lengths[name])
            file.seek(0, os.SEEK_END)

    def length(self, name: str) -> int:
        return self._lengths[name]

    def write(self, name: str, data: Any) -> None:
        """Append bytes."""
        self._files[name].write(data)
        self._lengths[name] += memoryview(data).nbytes

    def read(self, name: str, piece: int) -> Iterator[bytes]:
        """A file from its start, in pieces."""
        with (self.folder / name).open("rb") as file:
            while data := file.read(piece):
                yield data

    def entries(self) -> Iterator[bytes]:
        """What was written to ENTRIES by `write_entry`."""
        self._files[ENTRIES].flush()
        with (self.folder / ENTRIES).open("rb") as file:
            while head := file.read(4):
                yield file.read(int.from_bytes(head, "little"))

    def write_entry(self, entry: bytes) -> None:
        self.write(ENTRIES, len(entry).to_bytes(4, "little") + entry)

    def keep(self, durable: Durable) -> None:
        """Make all that was written durable, and say so in the journal."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        journal.append(self.folder / _JOURNAL, durable)

    def lengths(self) -> dict[str, int]:
        return dict(self._lengths)

    def move(self, name: str, target: Path) -> None:
        """A file to its final name; nothing where an interrupted run has done so."""
        with suppress(FileNotFoundError):
            (self.folder / name).replace(target)

    def close(self) -> None:
        """Close everything; what cannot be written any more is left out."""
        for file in self._files.values():
            try:
                file.close()
            except OSError:  # a full disk: closing tries to write what is left once more
                with suppress(OSError):
                    file.close()
        self._files = {}
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def leave(self) -> list[Durable]:
        """Close everything, and forget it where nothing is durable. It may be interrupted at any point of `open`: what
        another process has is never touched.

        Returns:
            What is durable, oldest first.
        """
        try:
            if self._lock is None and not self._take():
                return []
        except OSError:  # there is no folder
            return []
        left = self.durable()
        if left:
            self.close()
        else:
            self.remove()
        return left

    def remove(self) -> None:
        """Forget everything."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

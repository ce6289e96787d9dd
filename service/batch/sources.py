"""Sources that are watched as they are read: what they were, whether they stay it, and how far reading is."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import BinaryIO

from classifier.errors import InputError
from classifier.reading.base import Source
from classifier.reading.finding import STDIN_NAME

_MANY = 20_000  # files whose sizes are not all asked for in advance
Print = tuple[int, int]  # bytes, nanoseconds of the last change


class Sources:
    """Sources in order. `digest(n)` stands for the first n of them as they are now."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._digests = [b""]
        self._read_before = 0
        self._handle: int | None = None

    def __len__(self) -> int:
        return len(self._sources)

    def watched(self, number: int) -> Source:
        """The source, of which it is noticed when it changes between opening and closing.

        Raises:
            InputError: as reading it ends well, though it has changed.
        """
        source = self._sources[number]

        @contextmanager
        def opened() -> Iterator[BinaryIO]:
            with _opened(source) as stream:
                handle = _handle(stream)
                before = _print_of(handle)
                self._note(number, before)
                self._handle = handle
                try:
                    yield stream
                    if _print_of(handle) != before:
                        raise InputError(
                            "changed while it was read",
                            where=source.name,
                            remedy="score it again when nobody writes to it",
                        )
                finally:
                    self._handle = None
                    self._read_before += before[0] if before else 0

        return replace(source, open=opened)

    def _note(self, number: int, found: Print | None) -> None:
        if number + 1 == len(self._digests):
            self._digests.append(_chained(self._digests[-1], self._sources[number].name, found))

    def digest(self, count: int) -> str:
        """Of the names, sizes and times of the first `count` sources; those not read yet are looked at."""
        while len(self._digests) <= count:
            number = len(self._digests) - 1
            found = None
            with suppress(OSError, InputError), self._sources[number].open() as stream:
                found = _print_of(_handle(stream))
            self._note(number, found)
        return self._digests[count].hex()

    def skip(self, count: int) -> None:
        """Say that the first `count` sources count as read."""
        self._read_before = sum(self._size(number) or 0 for number in range(count))

    def read(self) -> int:
        """Bytes read so far, of the one that is open as far as its position tells."""
        handle = self._handle
        if handle is None:
            return self._read_before
        try:
            return self._read_before + os.lseek(handle, 0, os.SEEK_CUR)
        except OSError:
            return self._read_before

    def size(self) -> int | None:
        """Bytes of all sources; None where that is not known."""
        if len(self._sources) > _MANY:
            return None
        sizes = [self._size(number) for number in range(len(self._sources))]
        return None if None in sizes else sum(size or 0 for size in sizes)

    def _size(self, number: int) -> int | None:
        if self._sources[number].name == STDIN_NAME:
            return None
        with suppress(OSError, InputError), self._sources[number].open() as stream:
            found = _print_of(_handle(stream))
            return found[0] if found else None
        return None


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    """Standard input by a stream of its own: Python cannot end while a thread waits in its `sys.stdin`."""
    handle = _handle(sys.stdin.buffer) if source.name == STDIN_NAME else None
    if handle is None:
        with source.open() as stream:
            yield stream
    else:
        with os.fdopen(os.dup(handle), "rb") as stream:
            yield stream


def _handle(stream: BinaryIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, AttributeError):
        return None


def _print_of(handle: int | None) -> Print | None:
    """None of what is no regular file."""
    if handle is None:
        return None
    found = os.fstat(handle)
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _chained(before: bytes, name: str, found: Print | None) -> bytes:
    text = f"{name}\0{found}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(before + text, digest_size=16).digest()

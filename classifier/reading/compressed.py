"""Compressed sources, read as if they were not: gzip, Zstandard, bzip2, xz, LZ4."""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from classifier.errors import FormatError
from classifier.reading.base import Source

# What can be written, too; names as Arrow has them.
CODECS = {".gz": "gzip", ".zst": "zstd"}
_BUFFER = 1 << 18
_XZ_MEMORY = 1 << 28
# Text becomes ten times smaller, seldom fifty times. Asked only of what is large.
MAX_RATIO = 500
_LARGE = 1 << 28


class _Stream(Protocol):
    # Not `read`: where the data are damaged, PyArrow's never frees the room that it made for them.
    def readinto(self, buffer: memoryview, /) -> int: ...


def _by_arrow(codec: str) -> Callable[[Any], _Stream]:
    return lambda compressed: pa.CompressedInputStream(pa.PythonFile(compressed, mode="r"), codec)


class _Members:
    """What a decompressor of Python's makes of a stream of one or several members."""

    def __init__(self, compressed: BinaryIO, new: Callable[[], Any]) -> None:
        self._compressed = compressed
        self._new = new
        self._member = new()
        self._unused = b""
        self._begun = False

    def readinto(self, buffer: memoryview) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        while True:
            if self._member.eof:
                # Zeros behind a member are padding.
                self._unused = (self._member.unused_data or self._unused).lstrip(b"\0")
                self._unused = self._unused or self._compressed.read(_BUFFER).lstrip(b"\0")
                if not self._unused:
                    return b""
                self._member, self._begun = self._new(), False
            data = self._unused
            if self._member.needs_input and not data:
                data = self._compressed.read(_BUFFER)
                if not data:
                    raise EOFError("it ends before its end mark")
            self._unused, self._begun = b"", True
            if made := self._member.decompress(data, size):
                return bytes(made)


DECOMPRESSORS: dict[str, Callable[[Any], _Stream]] = {
    ".gz": _by_arrow("gzip"),
    ".zst": _by_arrow("zstd"),
    ".bz2": lambda compressed: _Members(compressed, bz2.BZ2Decompressor),
    ".xz": lambda compressed: _Members(compressed, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY)),
    ".lz4": _by_arrow("lz4"),
}


def decompressed(source: Source, suffix: str) -> Source:
    """The same source, opened through the decompressor of `suffix`; damage is a FormatError where it is met."""

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with source.open() as compressed:
            raw = _Decompressor(compressed, suffix, source.name)
            with io.BufferedReader(raw, _BUFFER) as stream:
                yield stream

    return replace(source, open=opened)


class _Counted:
    """A stream that knows how much was read of it, and offers no more than that."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.size += len(data)
        return data

    def close(self) -> None:
        """Nothing: who opened the stream closes it."""


class _Decompressor(io.RawIOBase):
    def __init__(self, compressed: BinaryIO, suffix: str, name: str) -> None:
        self._compressed = _Counted(compressed)
        self._stream = DECOMPRESSORS[suffix](self._compressed)
        self._suffix = suffix
        self._name = name
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            size = self._stream.readinto(buffer)
        except (pa.ArrowException, OSError, EOFError, lzma.LZMAError, ValueError) as error:
            raise FormatError(
                f"cannot be decompressed: {error}",
                where=self._name,
                remedy=f"is it a whole {self._suffix} file?",
            ) from error
        self._size += size
        if self._size > _LARGE and self._size > MAX_RATIO * self._compressed.size:
            raise FormatError(
                f"becomes more than {MAX_RATIO} times larger by decompression, which no text does",
                where=self._name,
                remedy="if it is yours, decompress it first",
            )
        return size

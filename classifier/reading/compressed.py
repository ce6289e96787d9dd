"""Sources in gzip or Zstandard, read as if they were not compressed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa

from classifier.errors import FormatError
from classifier.reading.base import Source

CODECS = {".gz": "gzip", ".zst": "zstd"}
_BUFFER = 1 << 18


def decompressed(source: Source, suffix: str) -> Source:
    """The same source, opened through the decompressor of `suffix`; damage is a FormatError where it is met."""

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with source.open() as compressed:
            raw = _Decompressor(compressed, suffix, source.name)
            with io.BufferedReader(raw, _BUFFER) as stream:
                yield stream

    return Source(source.name, opened)


class _Decompressor(io.RawIOBase):
    def __init__(self, compressed: BinaryIO, suffix: str, name: str) -> None:
        self._stream = pa.CompressedInputStream(pa.PythonFile(compressed, mode="r"), CODECS[suffix])
        self._suffix = suffix
        self._name = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except (pa.ArrowException, OSError) as error:
            raise FormatError(
                f"cannot be decompressed: {error}",
                where=self._name,
                remedy=f"is it a whole {self._suffix} file?",
            ) from error
        buffer[: len(data)] = data
        return len(data)

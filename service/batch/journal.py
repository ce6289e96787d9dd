"""The journal of a run: one line a durable part, each with a check of itself, so that a torn one is seen.

A line says how long every file of the folder is that holds the part, where reading stands behind it, what has been counted,
and what the sources read so far were.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.batch.blocks import Place

Lengths = dict[str, int]


@dataclass(frozen=True, slots=True)
class Durable:
    """One durable part: `lengths` are bytes by file, `sources` the digest of the sources up to the one that is being read,
    `done` whether the output is whole."""

    place: Place
    lengths: Lengths
    blocks: int
    tally: Mapping[str, Any]
    sources: str
    done: bool = False

    def line(self) -> bytes:
        data = {
            "place": list(self.place),
            "lengths": self.lengths,
            "blocks": self.blocks,
            "tally": dict(self.tally),
            "sources": self.sources,
            "done": self.done,
        }
        text = json.dumps(data, ensure_ascii=True).encode()
        return b"%08x %s\n" % (zlib.crc32(text), text)

    @classmethod
    def read(cls, line: bytes) -> Durable | None:
        """None where the line is torn."""
        check, _, text = line.partition(b" ")
        if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(text[:-1]):
            return None
        data = json.loads(text)
        place = Place(*data["place"])
        return cls(place, data["lengths"], data["blocks"], data["tally"], data["sources"], data["done"])


def append(path: Path, durable: Durable) -> None:
    """Write a line; when this returns it has reached the disk.

    Raises:
        OSError: it has not.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        line = durable.line()
        if os.write(handle, line) < len(line):
            raise OSError(28, "No space left on device")
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> list[Durable]:
    """The durable parts, oldest first, up to the first torn line; none where there is no journal."""
    found = []
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                durable = Durable.read(line)
                if durable is None:
                    break
                found.append(durable)
    return found


def rewrite(path: Path, parts: list[Durable]) -> None:
    """Keep only these lines.

    Raises:
        OSError: it could not be written.
    """
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.writelines(part.line() for part in parts)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

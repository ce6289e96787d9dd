"""Strings as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, take_array


def pack_strings(name: str, strings: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Strings as two arrays: their UTF-8 bytes end to end, and n + 1 offsets."""
    encoded = [text.encode() for text in strings]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(data) for data in encoded], out=offsets[1:])
    return {f"{name}.bytes": np.frombuffer(b"".join(encoded), np.uint8), f"{name}.offsets": offsets}


def unpack_strings(arrays: Arrays, name: str) -> tuple[str, ...]:
    """The inverse of `pack_strings`.

    Raises:
        ArtifactDamaged: offsets that do not fit the bytes, or bytes that are no UTF-8.
    """
    data = take_array(arrays, f"{name}.bytes", np.uint8, (None,)).tobytes()
    offsets = take_array(arrays, f"{name}.offsets", np.int64, (None,))
    if not len(offsets) or offsets[0] or offsets[-1] != len(data) or (np.diff(offsets) < 0).any():
        raise ArtifactDamaged("offsets do not fit the bytes", where=arrays.file(f"{name}.offsets"))
    try:
        return tuple(_slices(data, offsets.tolist()))
    except UnicodeDecodeError as error:
        raise ArtifactDamaged("holds bytes that are no UTF-8", where=arrays.file(f"{name}.bytes")) from error


def _slices(data: bytes, offsets: list[int]) -> Iterator[str]:
    for start, end in pairwise(offsets):
        yield data[start:end].decode()

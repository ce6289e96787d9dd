"""Questions to whole columns of strings that their bytes answer, much faster than a look at each string."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# Bytes that white space beyond ASCII begins with (U+0085, U+00A0, U+1680, U+2000 to U+205F, U+3000).
_MAYBE_SPACE = np.zeros(256, np.bool_)
_MAYBE_SPACE[:0x21] = True
_MAYBE_SPACE[[0xC2, 0xE1, 0xE2, 0xE3]] = True


def holds_nul(column: pa.Array) -> bool:
    """Whether there is a NUL in any string of the column (n,)."""
    offsets, data = _parts(column)
    used = data[offsets[0] : offsets[-1]]
    return bool(used.size and used.min() == 0)


def begins_with_text(column: pa.Array) -> npt.NDArray[np.bool_]:
    """(n,) whether a string surely holds more than white space: it begins with a byte that no white space begins with."""
    offsets, data = _parts(column)
    filled = offsets[1:] > offsets[:-1]
    if not data.size:
        return filled
    first = data[np.minimum(offsets[:-1], data.size - 1)]
    sure: npt.NDArray[np.bool_] = filled & ~_MAYBE_SPACE[first]
    return sure


def _parts(column: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """The offsets (n + 1,) and the bytes that they are into; what is null may have bytes, too."""
    _, offsets, data = column.buffers()
    if not len(column):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    # By count: a buffer may be larger than its offsets, by whatever number of bytes.
    found = np.frombuffer(offsets, np.int32, len(column) + 1, 4 * column.offset)
    return found, np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)

"""Memory for tables that are read at random places."""

from __future__ import annotations

import mmap

import numpy as np
from numpy.typing import NDArray

_LINE = 64  # bytes of a cache line
_HUGE = 1 << 21  # bytes of a huge page


def cleared(size: int) -> NDArray[np.uint8]:
    """(size,) zeros from where a cache line begins.

    Large ones are in huge pages where the system has them: most of what a random access to 4 KB pages costs is finding the
    page.
    """
    if size < _HUGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        memory = np.zeros(size + _LINE, np.uint8)
        return _from(memory, size, _LINE)
    pages = mmap.mmap(-1, size + _HUGE)
    pages.madvise(mmap.MADV_HUGEPAGE)
    return _from(np.frombuffer(pages, np.uint8), size, _HUGE)


def _from(memory: NDArray[np.uint8], size: int, step: int) -> NDArray[np.uint8]:
    start = -memory.ctypes.data % step
    return memory[start : start + size]

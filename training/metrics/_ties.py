"""Rankings with ties: the places that tied articles share, and counting pairs in the right order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.metrics._checks import Floats

_SMALL = 256


@dataclass(frozen=True, slots=True)
class Ranking:
    """Articles, best first (`rows`), in blocks of equal values that start at `starts` (places from 0)."""

    rows: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    sizes: npt.NDArray[np.intp]

    def spread(self, of_block: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(n,) what each article's block has."""
        result = np.empty(len(self.rows), dtype=of_block.dtype)
        result[self.rows] = np.repeat(of_block, self.sizes)
        return result

    def expected(self, of_place: npt.NDArray[Any]) -> Floats:
        """(n,) the mean of `of_place` over the places each article can take, its block in random order."""
        if len(self.starts) < len(self.rows):
            of_place = np.add.reduceat(of_place, self.starts) / self.sizes
        return self.spread(of_place.astype(np.float64, copy=False))


def ranked(values: Floats) -> Ranking:
    """The ranking of `values` (n,), n at least 1, the highest first."""
    rows = np.argsort(-values)
    ordered = values[rows]
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    starts = np.concatenate([np.zeros(1, dtype=np.intp), changes])
    return Ranking(rows, starts, np.diff(starts, append=len(values)))


def ascents(values: npt.NDArray[np.intp]) -> int:
    """How many pairs i < j have values[i] < values[j] (integers from 0 on).

    By the highest bit in which a pair differs: among values with equal higher bits, in their order, the zeros
    before each one are counted. Small inputs compare every pair, which is faster for them.
    """
    if len(values) <= _SMALL:
        return int(np.count_nonzero(np.triu(values[:, None] < values)))
    count = 0
    for bit in range(int(values.max()).bit_length()):
        grouped = values[np.argsort(values >> (bit + 1), kind="stable")]
        one = (grouped >> bit) & 1
        zeros = np.cumsum(1 - one)
        prefix = grouped >> (bit + 1)
        starts = np.flatnonzero(np.diff(prefix, prepend=-1))
        zeros_before = np.concatenate([np.zeros(1, dtype=zeros.dtype), zeros])[starts]
        count += int((one * zeros).sum()) - int((np.add.reduceat(one, starts) * zeros_before).sum())
    return count


def pairs_within(sizes: npt.NDArray[np.intp]) -> int:
    """How many pairs have both members in the same one of blocks of these sizes."""
    return int((sizes * (sizes - 1) // 2).sum())

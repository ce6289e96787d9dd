"""What stands in for the address of an article that is scored before it has one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.text.blocks import CategoryBlock
from classifier.text.rows import NO_URL, URL
from training.popularity.features import FittedFeature
from training.popularity.material import scores_of

Floats = NDArray[np.float64]


def of_address(one: FittedFeature) -> bool:
    """Whether it is made of addresses, also if it is crossed."""
    return one.feature.is_text and one.feature.block.column == URL


def without_address(
    fitted: Sequence[FittedFeature], weights: Floats, sources: Sequence[str], source: NDArray[np.int64]
) -> tuple[CategoryBlock, Floats]:
    """A block for articles without an address, and its weights: what the addresses of a source add on average, "" over all.

    Without it an article would be compared with others by what it lacks: an outlet's host is in all of its addresses, and
    carries a part of its level. `fitted` and `weights` (width,) are a head's features over the training articles, `source`
    (n,) their places in `sources` from 1, 0 for none.
    """
    starts = np.cumsum([0, *(one.matrix.shape[1] for one in fitted)])
    own = [
        (one, weights[start : start + one.matrix.shape[1]])
        for one, start in zip(fitted, starts[:-1], strict=True)
    ]
    own = [(one, part) for one, part in own if of_address(one)]
    added = scores_of([one for one, _ in own], np.concatenate([part for _, part in own]))
    counts = np.bincount(source, minlength=len(sources) + 1)
    typical = np.bincount(source, added, len(sources) + 1) / np.maximum(counts, 1)
    typical[0] = added.mean()
    return CategoryBlock(NO_URL, 1.0, ("", *sources)), typical

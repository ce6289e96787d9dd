"""What the findings in probabilities have in common: their types, how many to look at a time, and what they refuse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.errors import UsageError

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

CELLS = 1 << 22  # probabilities that are looked at a time: 32 MB


def check(probability: Floats, truth: Truth, labels: Sequence[str], *of_articles: Sequence[str]) -> None:
    """Refuses what is no probability, or does not fit: (n, k) both, k `labels`, n of each of `of_articles`."""
    if probability.ndim != 2 or probability.shape != truth.shape or truth.dtype != np.bool_:
        raise UsageError(
            f"probabilities have the shape {probability.shape}, truth {truth.shape} of {truth.dtype}",
            remedy="give two matrices (articles, labels), truth of booleans",
        )
    wanted = [probability.shape[1], *[len(probability)] * len(of_articles)]
    if [len(labels), *map(len, of_articles)] != wanted:
        raise UsageError(
            "labels, ids or headlines do not fit the probabilities", remedy="give one for each column or row"
        )
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise UsageError("a probability is not between 0 and 1", remedy="give calibrated probabilities")

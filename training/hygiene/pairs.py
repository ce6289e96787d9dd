"""Pairs of sections that the model cannot tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.hygiene._checks import CELLS, Floats, Truth, check
from training.metrics import wilson

CONFUSED_FROM = (
    0.10  # the share of a section's articles that another must surely take before the pair is named
)
_FEWEST = 5  # mistaken articles: of three in three nothing follows, and there are many pairs


@dataclass(frozen=True, slots=True)
class Direction:
    """Of `articles` with a section (and not the other) `mistaken` went to the other; the share with its 95 % interval."""

    articles: int
    mistaken: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Confusable:
    """Two sections that the model cannot tell apart: `forth` is `first` taken for `second`, `back` the reverse."""

    first: str
    second: str
    forth: Direction
    back: Direction

    @property
    def worse(self) -> Direction:
        """The direction that pairs are judged by: with the higher lower limit among those with at least five mistakes."""
        return max(self.forth, self.back, key=lambda way: (way.mistaken >= _FEWEST, way.low))


def confusable(
    held_probability: Floats, truth: Truth, labels: Sequence[str], *, level: float = CONFUSED_FROM
) -> list[Confusable]:
    """Pairs of sections that the model cannot tell apart, the worst first.

    An article of one section is mistaken for the other if that one is the best of those it does not have and better than
    its own. A pair is named where, in one direction at least, there are five mistakes and the lower limit of their share is
    above `level`: a small section that a large one takes in is found as well.

    Args:
        held_probability: (n, k) out-of-fold probabilities.
        truth: (n, k) which labels each article has, one or several.
        labels: (k,)

    Raises:
        UsageError: shapes that do not fit, or something that is no probability.
    """
    check(held_probability, truth, labels)
    if len(labels) < 2:
        return []
    mistaken: dict[tuple[int, int], int] = {}
    step = max(1, CELLS // len(labels))
    for start in range(0, len(truth), step):
        p, has = held_probability[start : start + step], truth[start : start + step]
        others = np.where(has, -1.0, p)
        best = others.argmax(axis=1)
        rows, own = np.nonzero(has)
        wrong = others[rows, best[rows]] > p[rows, own]
        for pair in zip(own[wrong].tolist(), best[rows[wrong]].tolist(), strict=True):
            mistaken[pair] = mistaken.get(pair, 0) + 1
    counts = truth.sum(axis=0)
    found = []
    for first, second in sorted({(min(pair), max(pair)) for pair in mistaken}):
        both = int(np.count_nonzero(truth[:, first] & truth[:, second]))
        forth = _direction(mistaken.get((first, second), 0), int(counts[first]) - both)
        back = _direction(mistaken.get((second, first), 0), int(counts[second]) - both)
        found.append(Confusable(labels[first], labels[second], forth, back))
    found = [pair for pair in found if pair.worse.mistaken >= _FEWEST and pair.worse.low > level]
    return sorted(found, key=lambda pair: (-pair.worse.low, pair.first, pair.second))


def _direction(mistaken: int, articles: int) -> Direction:
    rate = mistaken / articles if articles else 0.0
    low, high = wilson([mistaken], [articles])
    return Direction(articles, mistaken, rate, float(low[0]), float(high[0]))

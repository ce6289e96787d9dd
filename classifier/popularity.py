"""The popularity head: a score, its percentile among the source's articles, the chance of the daily top five."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.linear import Linear
from classifier.results import Contribution
from classifier.sections import contributions
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks import pack_strings, unpack_strings
from classifier.text.rows import Rows
from classifier.text.sparse import Floats

QUANTILES = 101
MIN_SOURCE_ARTICLES = 200  # under this many training articles a source's percentile is taken against all


@dataclass(frozen=True, slots=True)
class PopularityResult:
    """One article's answer of the popularity head."""

    score: float
    percentile: float
    top5_probability: float


@dataclass(frozen=True, slots=True)
class Top5Curve:
    """P(top five) = logistic(intercept + score_slope · score + size_slope · log(group size))."""

    intercept: float
    score_slope: float
    size_slope: float

    def probability(self, score: Floats, size: Floats) -> Floats:
        """Scores (n,) and group sizes (n,) to chances (n,); 1 where a group has at most five articles."""
        logit = self.intercept + self.score_slope * score + self.size_slope * np.log(size)
        return np.where(size <= 5, 1.0, 0.5 * (1.0 + np.tanh(0.5 * logit)))


@dataclass(frozen=True, slots=True)
class PopularityHead:
    """`quantiles` (sources + 1, QUANTILES): training scores at 0, 1, … 100 %, row 0 over all articles, then a row a source.

    `group_sizes` (sources + 1,) are median group sizes, in the same order. Sources with fewer than MIN_SOURCE_ARTICLES
    have the quantiles of row 0.
    """

    linear: Linear
    sources: tuple[str, ...]
    quantiles: Floats
    group_sizes: Floats
    top5: Top5Curve
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {name: i + 1 for i, name in enumerate(self.sources)})

    def scores(self, rows: Rows) -> Floats:
        """(n,) scores, higher is more popular; comparable within a source's day."""
        return self.linear.scores(rows)[:, 0]

    def results(self, rows: Rows) -> list[PopularityResult]:
        scores = self.scores(rows)
        ids = [self._ids.get(source, 0) for source in rows.values("source")]
        chances = self.top5.probability(scores, self.group_sizes[ids])
        return [
            PopularityResult(score, percentile(self.quantiles[i], score), chance)
            for score, i, chance in zip(scores.tolist(), ids, chances.tolist(), strict=True)
        ]

    def explain(self, rows: Rows) -> list[Contribution]:
        """What each feature of the first row adds to its score, largest effect first."""
        return contributions("popularity", self.linear.parts(rows), 0)

    def spec(self) -> dict[str, Any]:
        top5 = {
            "intercept": self.top5.intercept,
            "score_slope": self.top5.score_slope,
            "size_slope": self.top5.size_slope,
        }
        return {**self.linear.spec(), "top5": top5}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            **self.linear.arrays(),
            **pack_strings("sources", self.sources),
            "quantiles": self.quantiles,
            "group_sizes": self.group_sizes,
        }

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> PopularityHead:
        sources = unpack_strings(arrays, "sources")
        quantiles = take_array(arrays, "quantiles", np.float64, (len(sources) + 1, QUANTILES))
        sizes = take_array(arrays, "group_sizes", np.float64, (len(sources) + 1,))
        if not (sizes >= 1).all() or (quantiles[:, 1:] < quantiles[:, :-1]).any():
            raise ArtifactDamaged("group sizes under 1 or falling quantiles", where=spec.place)
        top5 = spec.spec("top5")
        curve = Top5Curve(*(top5.get(name, float) for name in ("intercept", "score_slope", "size_slope")))
        return cls(Linear.load(spec, arrays, 1), sources, quantiles, sizes, curve)


def percentile(quantiles: Floats | Sequence[float], score: float) -> float:
    """Where `score` lies among rising `quantiles` (0 to 100), linear in between; equal quantiles give their middle."""
    low = int(np.searchsorted(quantiles, score, side="left"))
    high = int(np.searchsorted(quantiles, score, side="right"))
    last = len(quantiles) - 1
    if high > low:  # the score is one of the quantiles
        return 100.0 * (low + high - 1) / 2 / last
    if low == 0:
        return 0.0
    if low > last:
        return 100.0
    before, after = float(quantiles[low - 1]), float(quantiles[low])
    share = (score - before) / (after - before)
    return 100.0 * (low - 1 + (share if math.isfinite(share) else 0.5)) / last

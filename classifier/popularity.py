"""The popularity head: a score, its percentile among the source's articles, the chance of the daily top five."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.linear import Linear
from classifier.results import Contribution
from classifier.sections import contributions
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks import pack_strings, unpack_strings
from classifier.text.blocks.publishing import load_timezone
from classifier.text.fused import TextSums, is_text_cross
from classifier.text.rows import Rows
from classifier.text.single import RowSums
from classifier.text.sparse import Floats, Integers
from classifier.text.times import HOURS, WEEKDAYS, time_features
from classifier.text.values import local_times, positions

QUANTILES = 101
DAYS = len(WEEKDAYS) + 1
MIN_SOURCE_ARTICLES = 200  # under this many training articles a source's percentile is taken against all


class PopularityResult(NamedTuple):
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

    def one(self, score: float, size: float, log_size: float) -> float:
        """`probability` of one article, to the bit."""
        if size <= 5:
            return 1.0
        logit = self.intercept + self.score_slope * score + self.size_slope * log_size
        return 0.5 * (1.0 + float(np.tanh(0.5 * logit)))


@dataclass(frozen=True, slots=True)
class PopularityHead:
    """`quantiles` (sources + 1, QUANTILES): training scores at 0, 1, … 100 %, row 0 over all articles, then a row a source.

    `group_sizes` (sources + 1, DAYS) are median group sizes, in the same order, by local weekday in `timezone`, the last
    column for articles without a time. Sources with fewer than MIN_SOURCE_ARTICLES have the quantiles of row 0.

    `variance` (width,) is the variance of each weight: how unsure the fit is of it. `spread` is the median over groups of
    the deviation of log(1 + count): a score of 1 more stands for exp(spread) times as many readers (1 where labels are no
    counts). `pair_slope`: logistic(pair_slope · (score − other)) is the chance to be the more popular of two articles of
    a group.
    """

    linear: Linear
    sources: tuple[str, ...]
    quantiles: Floats
    group_sizes: Floats
    top5: Top5Curve
    variance: Floats
    spread: float = 1.0
    pair_slope: float = 1.0
    timezone: str = "UTC"
    _columns: frozenset[str] = field(init=False, repr=False, compare=False)
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _log_sizes: Floats = field(init=False, repr=False, compare=False)
    _quantiles: dict[int, list[float]] = field(
        init=False, repr=False, compare=False
    )  # rows that were asked for

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {name: i for i, name in enumerate(self.sources)})
        object.__setattr__(self, "_log_sizes", np.log(self.group_sizes))
        object.__setattr__(self, "_quantiles", {})
        columns = frozenset(getattr(block, "column", None) for block in self.linear.blocks)
        object.__setattr__(self, "_columns", columns)

    def scores(self, rows: Rows, text: TextSums | None = None) -> Floats:
        """(n,) scores, higher is more popular; comparable within a source's day. Here and below `text` is what the texts
        add to the linear head's scores, where it is known; it is used up."""
        return self.linear.scores_and_known(rows, text)[0][:, 0]

    def results(self, rows: Rows, text: TextSums | None = None) -> list[PopularityResult]:
        scores = self.scores(rows, text)
        ids = [self._ids.get(source, -1) + 1 for source in rows.values("source")]
        days = [self._day(time) for time in rows.times()]
        chances = self.top5.probability(scores, self.group_sizes[ids, days]).tolist()
        return [
            PopularityResult(score, percentile(self._quantiles_of(i), score), chance)
            for score, i, chance in zip(scores.tolist(), ids, chances, strict=True)
        ]

    def one(self, rows: Rows, text: RowSums | None = None) -> PopularityResult:
        """`results` of a single row, to the same bits, without what arrays cost.

        Raises:
            FieldError: the text cannot be read.
        """
        score = self.linear.one(rows, text)[0][0]
        row = self._ids.get(rows.value("source"), -1) + 1
        day = self._day(rows.value("published_at"))
        chance = self.top5.one(score, self.group_sizes.item(row, day), self._log_sizes.item(row, day))
        return PopularityResult(score, percentile(self._quantiles_of(row), score), chance)

    def _quantiles_of(self, row: int) -> list[float]:
        found = self._quantiles.get(row)
        if found is None:
            found = self._quantiles[row] = self.quantiles[row].tolist()
        return found

    def answers(self, rows: Rows, text: TextSums | None = None) -> tuple[Floats, Floats, Floats]:
        """Scores, percentiles and chances of the top five, (n,) each: those of `results`, by columns."""
        scores = self.scores(rows, text)
        ids = positions(rows, "source", self.sources, self._ids) + 1
        days = local_times(rows, self.timezone)[:, 1] - HOURS
        days[days < 0] = DAYS - 1
        chances = self.top5.probability(scores, self.group_sizes[ids, days])
        return scores, self._percentiles(scores, ids), chances

    def _percentiles(self, scores: Floats, ids: Integers) -> Floats:
        found = np.empty(len(scores))
        for own in np.unique(ids).tolist():
            at = np.flatnonzero(ids == own)
            found[at] = percentiles(self.quantiles[own], scores[at])
        return found

    def reads(self, column: str) -> bool:
        """Whether any feature is made of a column."""
        return column in self._columns

    def reads_in_text(self, column: str) -> bool:
        """Whether what the texts add to the score depends on a column."""
        crosses = [block for block in self.linear.blocks if is_text_cross(block)]
        return any(getattr(block, "column", None) == column for block in crosses)

    def _day(self, time: datetime | None) -> int:
        found = time_features(time, self.timezone)
        return DAYS - 1 if found is None else found[1] - HOURS

    def explain(self, rows: Rows) -> list[Contribution]:
        """What each feature of the first row adds to its score, largest effect first."""
        return contributions("popularity", self.linear.parts(rows), 0)

    def spec(self) -> dict[str, Any]:
        top5 = {
            "intercept": self.top5.intercept,
            "score_slope": self.top5.score_slope,
            "size_slope": self.top5.size_slope,
        }
        return {
            **self.linear.spec(),
            "top5": top5,
            "spread": self.spread,
            "pair_slope": self.pair_slope,
            "timezone": self.timezone,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            **self.linear.arrays(),
            **pack_strings("sources", self.sources),
            "quantiles": self.quantiles,
            "group_sizes": self.group_sizes,
            "variance": self.variance,
        }

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> PopularityHead:
        sources = unpack_strings(arrays, "sources")
        quantiles = take_array(arrays, "quantiles", np.float64, (len(sources) + 1, QUANTILES))
        # Formats 1 and 2 knew no weekdays, and none of what has a default here: every difference of scores counted there.
        old = "timezone" not in spec.data
        if old:
            sizes = take_array(arrays, "group_sizes", np.float64, (len(sources) + 1,))
            sizes = np.repeat(sizes[:, None], DAYS, axis=1)
        else:
            sizes = take_array(arrays, "group_sizes", np.float64, (len(sources) + 1, DAYS))
        if not (sizes >= 1).all() or (quantiles[:, 1:] < quantiles[:, :-1]).any():
            raise ArtifactDamaged("group sizes under 1 or falling quantiles", where=spec.place)
        top5 = spec.spec("top5")
        curve = Top5Curve(*(top5.get(name, float) for name in ("intercept", "score_slope", "size_slope")))
        linear = Linear.load(spec, arrays, 1)
        variance, spread, slope, timezone = np.zeros(linear.width), 1.0, 1.0, "UTC"
        if not old:
            variance = take_array(arrays, "variance", np.float64, (linear.width,))
            spread, slope = spec.get("spread", float), spec.get("pair_slope", float)
            timezone = load_timezone(spec)
        if (variance < 0).any() or spread <= 0 or slope < 0:
            raise ArtifactDamaged("a variance, spread or slope below 0", where=spec.place)
        return cls(linear, sources, quantiles, sizes, curve, variance, spread, slope, timezone)


def percentile(quantiles: Floats | Sequence[float], score: float) -> float:
    """Where `score` lies among rising `quantiles` (0 to 100), linear in between; equal quantiles give their middle."""
    low, high = bisect_left(quantiles, score), bisect_right(quantiles, score)
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


def percentiles(quantiles: Floats, scores: Floats) -> Floats:
    """`percentile` of every score (n,), to the same bits."""
    low = np.searchsorted(quantiles, scores, side="left")
    high = np.searchsorted(quantiles, scores, side="right")
    last = len(quantiles) - 1
    inner = np.clip(low, 1, last)
    before, after = quantiles[inner - 1], quantiles[inner]
    with np.errstate(all="ignore"):  # infinite quantiles, and scores beyond the ends
        share = (scores - before) / (after - before)
        between = 100.0 * (low - 1 + np.where(np.isfinite(share), share, 0.5)) / last
    found = np.where(low == 0, 0.0, np.where(low > last, 100.0, between))
    return np.where(high > low, 100.0 * (low + high - 1) / 2 / last, found)

"""Bootstrap intervals (Efron & Tibshirani 1993, chapter 13: the percentile interval).

The units that are drawn with replacement are what varies independently: groups for popularity, articles for
sections. The same arguments give the same interval, under any hash seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from classifier.errors import UsageError
from training.metrics._checks import Floats, at_least_one

_CHUNK = 1 << 20  # indices drawn at a time: 8 MB


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean difference of two models over the same units, and its interval."""

    mean: float
    low: float
    high: float


def bootstrap_mean(
    values: npt.ArrayLike, *, samples: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """The interval (low, high) of the mean of `values`, one a unit.

    NaN (a group where the metric is not defined) is left out before drawing. The values are sorted first, so
    their order has no influence. (NaN, NaN) where nothing is left.

    Args:
        values: (n,)
        samples: how many times n units are drawn.
        level: the share of samples within the interval.

    Raises:
        UsageError: `values` is no vector, `samples` is under 1, or `level` is not between 0 and 1.
    """
    _check(samples, level)
    units = np.asarray(values, dtype=np.float64)
    if units.ndim != 1:
        raise UsageError(f"values have the shape {units.shape}", remedy="give a vector, one value a unit")
    units = np.sort(units[~np.isnan(units)])
    n = len(units)
    if n == 0:
        return math.nan, math.nan
    random = np.random.default_rng(seed)
    means = np.empty(samples)
    step = max(1, _CHUNK // n)
    for start in range(0, samples, step):
        part = means[start : start + step]
        part[:] = units[random.integers(n, size=(len(part), n))].mean(axis=1)
    return _interval(means, level)


def paired_difference(
    a: npt.ArrayLike, b: npt.ArrayLike, *, samples: int = 2000, seed: int = 0, level: float = 0.95
) -> Difference:
    """The mean of a − b over the same units, with its interval: positive where `a` is better.

    Units where either is NaN are left out.

    Args:
        a, b: (g,) one metric of two models on the same groups (`PopularityMetrics.per_group`).

    Raises:
        UsageError: as `bootstrap_mean`, or the lengths differ.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise UsageError(
            f"a has the shape {first.shape}, b {second.shape}", remedy="compare both on the same groups"
        )
    difference = first - second
    low, high = bootstrap_mean(difference, samples=samples, seed=seed, level=level)
    kept = difference[~np.isnan(difference)].tolist()
    return Difference(math.fsum(kept) / len(kept) if kept else math.nan, low, high)


def bootstrap_statistic(
    statistic: Callable[[npt.NDArray[np.int64]], float],
    n: int,
    *,
    samples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """The interval (low, high) of a statistic that is no mean, such as macro-F1 over articles.

    `statistic` is called `samples` times with the rows drawn, (n,) of 0 … n − 1; samples where it is NaN are
    left out. Labels should be coded as integers before, which makes F1 of 100,000 rows a matter of a
    millisecond: `bootstrap_statistic(lambda rows: macro_f1(truth[rows], predicted[rows]), len(truth))`.

    Raises:
        UsageError: `n` is negative, `samples` is under 1, or `level` is not between 0 and 1.
    """
    _check(samples, level)
    if n < 0:
        raise UsageError(f"n is {n}", remedy="give the number of units")
    if n == 0:
        return math.nan, math.nan
    random = np.random.default_rng(seed)
    drawn = np.array([statistic(random.integers(n, size=n)) for _ in range(samples)], dtype=np.float64)
    return _interval(drawn[~np.isnan(drawn)], level)


def _check(samples: int, level: float) -> None:
    at_least_one(samples, "samples")
    if not 0 < level < 1:
        raise UsageError(f"level is {level}", remedy="give a share between 0 and 1, such as 0.95")


def wilson(hits: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """The interval of shares `hits` / `n`, elementwise (Wilson 1927); 0 to 1 where n is 0."""
    h, m = np.asarray(hits, np.float64), np.asarray(n, np.float64)
    z = float(norm.ppf((1 + level) / 2))
    share = np.divide(h, m, out=np.full(h.shape, 0.5), where=m > 0)
    middle = (h + z * z / 2) / (m + z * z)
    root = np.sqrt(np.maximum(share * (1 - share) * m + z * z / 4, 0.0))
    half = z * root / (m + z * z)
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def _interval(drawn: Floats, level: float) -> tuple[float, float]:
    if not drawn.size:
        return math.nan, math.nan
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

"""From judgements and scores to what a report shows; every function is pure, and none depends on the order of the rows.

Articles are judged within groups: `groups` are the rows of each group (`training.metrics.evaluable_groups`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics import bootstrap_mean, top_k_membership, wilson
from training.metrics.ranking import TOP
from training.report.compute import reliability
from training.report.popularity.content import (
    Chances,
    Floats,
    HitShare,
    OverTime,
    RankTable,
    ScoreSlice,
    Series,
    Unit,
)

Rows = NDArray[np.intp]
MOST_PERIODS = 40
_HISTOGRAM = 30
_TENTHS_FROM = 20  # articles in the median group; smaller ones are cut in fifths
_STARTS: tuple[tuple[Unit, Callable[[date], date]], ...] = (
    ("day", lambda day: day),
    ("week", lambda day: day - timedelta(days=day.weekday())),
    ("month", lambda day: day.replace(day=1)),
    ("year", lambda day: day.replace(month=1, day=1)),
)


def parts_of(groups: Sequence[Rows]) -> int:
    """Into how many parts the order of a group is cut: as many as its articles fill."""
    return 10 if np.median([len(rows) for rows in groups]) >= _TENTHS_FROM else 5


def rank_table(truth: Floats, scores: Floats, groups: Sequence[Rows]) -> RankTable:
    """The predicted order against the true one, ties in expectation over their orders; `truth`, `scores` (n,)."""
    parts = parts_of(groups)
    joint, chance = np.zeros((parts, parts)), np.zeros((parts, parts))
    for rows in groups:
        true, predicted = _membership(truth[rows], parts), _membership(scores[rows], parts)
        joint += predicted.T @ true
        sizes = true.sum(axis=0)
        chance += np.outer(sizes, sizes) / len(rows)
    each = joint.sum(axis=1, keepdims=True)
    return RankTable(joint / each, chance / each, sum(map(len, groups)), len(groups))


def hit_share(flags: Floats, scores: Floats, groups: Sequence[Rows]) -> HitShare:
    """The share of ones in each part of the predicted order; `flags`, `scores` (n,)."""
    parts = parts_of(groups)
    hits, count = np.zeros(parts), np.zeros(parts)
    for rows in groups:
        predicted = _membership(scores[rows], parts)
        hits += predicted.T @ flags[rows]
        count += predicted.sum(axis=0)
    low, high = wilson(hits, count)
    return HitShare(hits / count, low, high, count, float(hits.sum() / count.sum()))


def _membership(values: Floats, parts: int) -> Floats:
    """(n, parts) the chance of each article to stand in each part of the order by falling value."""
    n = len(values)
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    own = np.eye(parts)[np.arange(n) * parts // n]
    sizes = np.diff(np.r_[starts, n])
    shared = np.add.reduceat(own, starts, axis=0) / sizes[:, None]
    found = np.empty((n, parts))
    found[order] = np.repeat(shared, sizes, axis=0)
    return found


def over_time(per_group: Mapping[str, Floats], days: Sequence[str | None]) -> OverTime | None:
    """Means by the finest period of which there are at most `MOST_PERIODS`; None where no group has a day.

    `per_group` are (g,) the metric of each ordering, the model's first; `days` (g) local ISO days. Orderings that agree on
    every group become one.
    """
    known = np.array([day is not None for day in days], np.bool_)
    own = [date.fromisoformat(day) for day in days if day]
    if not own:
        return None
    unit, start = next(
        (item for item in _STARTS if len({item[1](day) for day in own}) <= MOST_PERIODS), _STARTS[-1]
    )
    starts = [start(day) for day in own]
    periods = sorted(set(starts))
    of_period = np.searchsorted(np.array(periods, "datetime64[D]"), np.array(starts, "datetime64[D]"))
    same: dict[bytes, list[str]] = {}
    for name, values in per_group.items():
        same.setdefault(values.tobytes(), []).append(name)
    series = tuple(
        _series(tuple(names), per_group[names[0]][known], of_period, len(periods)) for names in same.values()
    )
    counts = np.bincount(of_period, minlength=len(periods)).astype(np.int64)
    return OverTime(unit, tuple(day.isoformat() for day in periods), counts, series)


def _series(names: tuple[str, ...], values: Floats, of_period: NDArray[np.intp], periods: int) -> Series:
    points, low, high = (np.full(periods, np.nan) for _ in range(3))
    for period in range(periods):
        own = values[of_period == period]
        own = own[~np.isnan(own)]
        if len(own):
            points[period] = own.mean()
        if len(own) > 1:
            low[period], high[period] = bootstrap_mean(own, samples=1000)
    return Series(names, float(np.nanmean(values)), *bootstrap_mean(values), points, low, high)


def chances(truth: Floats, probability: Floats, groups: Sequence[Rows], *, bins: int = 15) -> Chances:
    """The chances of the top five (n,) against its truth, in bins of equal mass."""
    outcome = np.concatenate([top_k_membership(truth[rows], TOP) for rows in groups])
    told = probability[np.concatenate(groups)]
    edges = np.linspace(0.0, max(float(told.max()), 0.05), _HISTOGRAM + 1)
    counts, _ = np.histogram(told, edges)
    return Chances(reliability(told, outcome, bins), edges, counts.astype(np.int64))


def common_day(days: Sequence[str | None]) -> str | None:
    """The day that most have, of equally frequent ones the latest."""
    counts = Counter(day for day in days if day)
    return max(counts, key=lambda day: (counts[day], day)) if counts else None


def score_slices(found: Mapping[str, Mapping[str, Any]]) -> tuple[ScoreSlice, ...]:
    """`by_source` or `by_section` of the evaluation's JSON as rows; one group alone has no interval."""
    rows = []
    for value, own in found.items():
        low, high = own.get("intervals", {}).get("ndcg_at_10", (np.nan, np.nan))
        if own["groups"] < 2:
            low = high = np.nan
        if own["ndcg_at_10"] is not None:
            figures = (own["ndcg_at_10"], low, high, own["random_ndcg_at_10"])
            rows.append(ScoreSlice(value, own["n"], own["groups"], *figures))
    return tuple(rows)

"""Evaluating the popularity head: the metrics of each group, and their plain means over groups.

A metric is computed within each group (`training.metrics.ranking`). Means are exact sums (`math.fsum`):
neither the order of the rows nor the names of the groups can change a metric, not even in the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.errors import LabelError
from training.metrics._checks import Floats, Ints, numbers, same_length, within_unit
from training.metrics.intervals import bootstrap_statistic
from training.metrics.ranking import GROUP_METRICS, TOP, Judged, auc, brier, check_flags, top_k_membership
from training.metrics.sections import ece

SMALLEST_GROUP = 10


def is_flag(values: npt.ArrayLike) -> bool:
    """Whether popularity is a yes or no: there are values (n,), and all are 0 or 1."""
    array = np.asarray(values)
    return array.size > 0 and bool(((array == 0) | (array == 1)).all())


@dataclass(frozen=True, slots=True)
class PopularityMetrics:
    """`evaluate_popularity`'s answer. NaN is a metric that no group defines.

    `n` articles in `groups` groups were evaluated. `auc` is None unless popularity is a flag, `top5_brier`
    and `top5_ece` are None without probabilities. `per_group` holds, by the names of the fields, an array
    (groups,) of each metric that is a mean over groups (all but `auc` and `top5_ece`, which are pooled), by
    the groups' names (`group_names`, groups) in code point order.
    """

    n: int
    groups: int
    ndcg_at_5: float
    ndcg_at_10: float
    top5_overlap: float
    mrr: float
    pairwise_accuracy: float
    auc: float | None
    top5_brier: float | None
    top5_ece: float | None
    per_group: dict[str, Floats] = field(compare=False, repr=False)
    group_names: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def to_dict(self) -> dict[str, float | None]:
        """The fields but `per_group` and `group_names`, for JSON: NaN becomes None."""
        left_out = ("per_group", "group_names")
        values = {name: getattr(self, name) for name in self.__slots__ if name not in left_out}
        return {name: None if value is None or math.isnan(value) else value for name, value in values.items()}


def evaluate_popularity(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: Sequence[str] | npt.NDArray[Any],
    *,
    flags: bool,
    top5_probability: npt.ArrayLike | None = None,
) -> PopularityMetrics:
    """Every metric of the popularity head: plain means over groups.

    Groups under 10 articles are left out and, for flags, groups without a 1; `n` and `groups` count what is
    kept. A group whose counts are all equal is kept: its nDCG is 1 and its other metrics are those of chance
    for any scores, except that it has no pairs and so no part in `pairwise_accuracy`. `auc` pools all
    articles given, the small groups' too.

    The outcome behind `top5_brier` (Brier 1950; the mean over a group, then over groups) and `top5_ece` (15
    bins, pooled over the groups kept) is being in the true top 5 of the group, in expectation where that is
    tied.

    Args:
        truth: (n,) counts or flags.
        scores: (n,)
        groups: (n,) the name of each article's group.
        flags: whether popularity is a flag.
        top5_probability: (n,) the predicted chance of the top 5.

    Raises:
        LabelError: a truth or a group is missing, or `flags` and a truth is neither 0 nor 1.
        UsageError: the lengths differ, a score is NaN, or a probability lies outside 0–1.
    """
    t, s = numbers(truth, "truth", labels=True), numbers(scores, "scores")
    same_length(truth=t, scores=s, groups=np.empty(len(groups)))
    if flags:
        check_flags(t)
    p = None if top5_probability is None else numbers(top5_probability, "top5_probability")
    if p is not None:
        same_length(truth=t, top5_probability=p)
        within_unit(p, "top5_probability")
    by_name = evaluable_groups(t, groups, flags=flags)
    kept = list(by_name.values())
    table = np.array([Judged(t[rows], flags).metrics(s[rows]) for rows in kept]).reshape(
        -1, len(GROUP_METRICS)
    )
    per_group = {name: table[:, column].copy() for column, name in enumerate(GROUP_METRICS)}
    top5_ece = None
    if p is not None:
        outcomes = [top_k_membership(t[rows], TOP) for rows in kept]
        briers = [brier(p[rows], outcome) for rows, outcome in zip(kept, outcomes, strict=True)]
        per_group["top5_brier"] = np.array(briers, dtype=np.float64)
        top5_ece = ece(p[np.concatenate(kept)], np.concatenate(outcomes)) if kept else math.nan
    means = {name: _mean(values) for name, values in per_group.items()}
    return PopularityMetrics(
        n=sum(map(len, kept)),
        groups=len(kept),
        ndcg_at_5=means["ndcg_at_5"],
        ndcg_at_10=means["ndcg_at_10"],
        top5_overlap=means["top5_overlap"],
        mrr=means["mrr"],
        pairwise_accuracy=means["pairwise_accuracy"],
        auc=None if not flags else auc(t, s) if len(t) else math.nan,
        top5_brier=means.get("top5_brier"),
        top5_ece=top5_ece,
        per_group=per_group,
        group_names=tuple(by_name),
    )


def evaluable_groups(
    truth: Floats, groups: Sequence[str] | npt.NDArray[Any], *, flags: bool
) -> dict[str, npt.NDArray[np.intp]]:
    """The rows of each group that `evaluate_popularity` keeps, the groups by name; `truth`, `groups` (n,)."""
    return {
        name: rows
        for name, rows in _split(groups).items()
        if len(rows) >= SMALLEST_GROUP and (not flags or truth[rows].any())
    }


def top5_constants(
    truth: npt.ArrayLike, groups: Sequence[str] | npt.NDArray[Any], *, flags: bool
) -> tuple[float, float]:
    """The `top5_brier` of two answers that need no model: always the base rate of the top five among the articles
    evaluated, and the share that five are of each group. NaN where no group is evaluated.

    Args:
        truth, groups, flags: as in `evaluate_popularity`.

    Raises:
        LabelError: a truth or a group is missing.
    """
    t = numbers(truth, "truth", labels=True)
    kept = list(evaluable_groups(t, groups, flags=flags).values())
    if not kept:
        return math.nan, math.nan
    outcomes = [top_k_membership(t[rows], TOP) for rows in kept]
    base = TOP * len(kept) / sum(map(len, kept))

    def mean(constants: Sequence[float]) -> float:
        pairs = zip(outcomes, constants, strict=True)
        return _mean(np.array([brier(np.full(len(outcome), p), outcome) for outcome, p in pairs]))

    return mean([base] * len(kept)), mean([TOP / len(rows) for rows in kept])


def auc_interval(
    flags: npt.ArrayLike, scores: npt.ArrayLike, *, samples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % bootstrap interval (low, high) of `auc` over articles; NaN where there are only ones or only zeros.

    Args:
        flags, scores: (n,) as `auc` takes them.
    """
    f, s = numbers(flags, "flags", labels=True), numbers(scores, "scores")
    if not 0 < f.sum() < len(f):
        return math.nan, math.nan
    _, place = np.unique(s, return_inverse=True)
    # Two cells a score, in order: neither the order of the rows nor sorting again matters to a sample.
    cells = np.sort(2 * place + (f > 0))
    width = 2 * (int(place.max()) + 1)

    def of_sample(rows: npt.NDArray[np.int64]) -> float:
        counts = np.bincount(cells[rows], minlength=width)
        zeros, ones = counts[0::2], counts[1::2]
        pairs = int(ones.sum()) * int(zeros.sum())
        below = np.cumsum(zeros) - zeros
        return int((ones * (2 * below + zeros)).sum()) / (2 * pairs) if pairs else math.nan

    return bootstrap_statistic(of_sample, len(cells), samples=samples, seed=seed)


def _split(groups: Sequence[str] | npt.NDArray[Any]) -> dict[str, npt.NDArray[np.intp]]:
    """The rows of each group, the groups by name."""
    names: list[Any] = groups.tolist() if isinstance(groups, np.ndarray) else list(groups)
    if not all(isinstance(name, str) for name in names):
        raise LabelError("an article has no popularity group", remedy="name every group by a string")
    codes = {name: code for code, name in enumerate(sorted(set(names)))}
    if not codes:
        return {}
    of_row: Ints = np.fromiter((codes[name] for name in names), dtype=np.int64, count=len(names))
    order = np.argsort(of_row, kind="stable")
    return dict(zip(codes, np.split(order, np.cumsum(np.bincount(of_row))[:-1]), strict=True))


def _mean(values: Floats) -> float:
    defined = values[~np.isnan(values)].tolist()
    return math.fsum(defined) / len(defined) if defined else math.nan

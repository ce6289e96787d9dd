"""The popularity side of an evaluation: the model and its baselines on the same groups, and on the groups of each source
and section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.answers import PopularityAnswers
from training.baselines import POPULARITY_BASELINES
from training.corpus import Corpus, Mask
from training.labels import Judgements
from training.metrics import (
    SMALLEST_GROUP,
    PopularityMetrics,
    auc_interval,
    bootstrap_mean,
    evaluate_popularity,
    paired_difference,
    top5_constants,
)

Floats = NDArray[np.float64]
MOST_VALUES = 30  # of a slice
_SLICED = ("ndcg_at_10", "top5_overlap")


@dataclass(frozen=True, slots=True)
class PopularityBasis:
    """The `judgements` that were measured against, and what was measured, group by group."""

    judgements: Judgements
    own: PopularityMetrics
    baselines: Mapping[str, PopularityMetrics]


def judged(judgements: Judgements, mask: Mask) -> Judgements:
    """Those about the articles of a mask (n,); positions stay."""
    keep = mask[judgements.rows]
    return Judgements(
        judgements.rows[keep], judgements.values[keep], judgements.groups[keep], judgements.flags
    )


def measure_popularity(answers: PopularityAnswers, judgements: Judgements) -> PopularityBasis:
    """The metrics of the model and of every baseline; there must be an answer for every judgement."""
    return PopularityBasis(
        judgements,
        _measure(judgements, answers.scores, answers.chances),
        {name: _measure(judgements, answers.baselines[name]) for name in POPULARITY_BASELINES},
    )


def popularity_metrics(
    basis: PopularityBasis,
    answers: PopularityAnswers,
    corpus: Corpus,
    *,
    leaked: Mask | None = None,
    intervals: bool = True,
) -> dict[str, Any]:
    """The `popularity` object of the evaluation's JSON; `leaked` and `intervals` as in `training.evaluation.evaluate`."""
    judgements, own = basis.judgements, basis.own
    base_rate, size = top5_constants(judgements.values, judgements.groups, flags=judgements.flags)
    found: dict[str, Any] = {
        **own.to_dict(),
        "top5_brier_base_rate": base_rate if own.groups else None,
        "top5_brier_size": size if own.groups else None,
        "baselines": {name: baseline.to_dict() for name, baseline in basis.baselines.items()},
        "by_source": _by_value([(s,) if s else () for s in _sources(corpus)], judgements, answers, intervals),
        "by_section": _by_value(corpus.labels, judgements, answers, intervals),
    }
    if intervals and own.groups:
        found["intervals"] = _intervals(basis, answers)
        found["ahead_of"] = {name: _difference(own, other) for name, other in basis.baselines.items()}
    if leaked is not None and leaked[judgements.rows].any():
        rest = judged(judgements, ~leaked)
        found["near_duplicates"] = len(np.unique(judgements.rows[leaked[judgements.rows]]))
        found["without_near_duplicates"] = (
            _measure(rest, answers.scores, answers.chances).to_dict() if len(rest) else None
        )
    return found


def _sources(corpus: Corpus) -> list[str]:
    return [str(value or "").strip() for value in corpus.rows.values("source")]


def _measure(judgements: Judgements, scores: Floats, chances: Floats | None = None) -> PopularityMetrics:
    at = judgements.rows
    return evaluate_popularity(
        judgements.values,
        scores[at],
        judgements.groups,
        flags=judgements.flags,
        top5_probability=None if chances is None else chances[at],
    )


def _intervals(basis: PopularityBasis, answers: PopularityAnswers) -> dict[str, list[float]]:
    """At 95 %, by drawing groups again; of `auc`, which pools them, by drawing articles."""
    found = {}
    for name, values in basis.own.per_group.items():
        if not np.isnan(values).all():
            found[name] = list(bootstrap_mean(values))
    judgements = basis.judgements
    if basis.own.auc is not None and not np.isnan(basis.own.auc):
        found["auc"] = list(auc_interval(judgements.values, answers.scores[judgements.rows]))
    return found


def _difference(own: PopularityMetrics, other: PopularityMetrics) -> dict[str, float]:
    """The paired differences over groups, with their 95 % bootstrap intervals: `low` and `high` are of nDCG@10."""
    ndcg = paired_difference(own.per_group["ndcg_at_10"], other.per_group["ndcg_at_10"])
    overlap = paired_difference(own.per_group["top5_overlap"], other.per_group["top5_overlap"])
    return {
        "ndcg_at_10": ndcg.mean,
        "low": ndcg.low,
        "high": ndcg.high,
        "top5_overlap": overlap.mean,
        "top5_overlap_low": overlap.low,
        "top5_overlap_high": overlap.high,
    }


def _by_value(
    values: Sequence[tuple[str, ...]], judgements: Judgements, answers: PopularityAnswers, intervals: bool
) -> dict[str, dict[str, Any]]:
    """Each value's articles ranked among themselves within their groups, beside random scores (of few articles any order
    has a high nDCG); `values` (n) are what each article has.

    Only parts of groups with ten such articles count; of values the `MOST_VALUES` with the most articles, these first.
    """
    names = sorted({value for own in values for value in own})
    code = {name: i for i, name in enumerate(names)}
    own = [values[i] for i in judgements.rows.tolist()]
    at = np.repeat(np.arange(len(own)), [len(item) for item in own])
    of_value = np.array([code[value] for item in own for value in item], np.int64)
    if not len(at):
        return {}
    _, group = np.unique(judgements.groups, return_inverse=True)
    parts, of_part = np.unique(group[at] * len(names) + of_value, return_inverse=True)
    sizes = np.bincount(of_part)
    kept = sizes >= SMALLEST_GROUP
    if judgements.flags:
        kept &= np.bincount(of_part, judgements.values[at]) > 0
    articles = np.bincount(parts % len(names), sizes * kept, minlength=len(names))
    largest = sorted(np.flatnonzero(articles).tolist(), key=lambda i: (-articles[i], names[i]))
    kept_row = kept[of_part]
    found = {}
    for i in largest[:MOST_VALUES]:
        rows = at[(of_value == i) & kept_row]
        part = Judgements(
            judgements.rows[rows], judgements.values[rows], judgements.groups[rows], judgements.flags
        )
        found[names[i]] = _slice(
            _measure(part, answers.scores), _measure(part, np.zeros(len(answers.scores))), intervals
        )
    return found


def _slice(metrics: PopularityMetrics, random: PopularityMetrics, intervals: bool) -> dict[str, Any]:
    every = metrics.to_dict()
    found: dict[str, Any] = {name: every[name] for name in ("n", "groups", *_SLICED)}
    found["random_ndcg_at_10"] = random.to_dict()["ndcg_at_10"]
    if intervals:
        found["intervals"] = {name: list(bootstrap_mean(metrics.per_group[name])) for name in _SLICED}
    return found

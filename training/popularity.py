"""Fitting the popularity head."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from classifier.errors import LabelError
from classifier.linear import Linear
from classifier.popularity import MIN_SOURCE_ARTICLES, QUANTILES, PopularityHead
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Block
from classifier.text.rows import TEXT
from training.blocks import (
    as_weights,
    block_matrix,
    fit_category,
    fit_shape,
    fit_text,
    fit_time,
    side_by_side,
)
from training.calibration.top5 import fit_top5
from training.config import Config
from training.corpus import Corpus
from training.labels import Judgements
from training.metrics import top_k_membership
from training.splits import day_folds

SMALL = 100  # with fewer articles, words of a single article are kept
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FittedPopularity:
    """The head and how many articles and groups it learned from."""

    head: PopularityHead
    articles: int
    groups: int


def fit_popularity(
    corpus: Corpus, targets: Floats, judgements: Judgements, config: Config
) -> FittedPopularity:
    """Ridge regression of `targets` (n,; NaN unknown) on text, headline shape, hour, weekday and source.

    `judgements` say who was in the daily top five, for the calibration.

    Raises:
        LabelError: the labels say nothing about which article is more popular.
    """
    known = np.isfinite(targets)
    if known.sum() < 2:
        raise LabelError(
            "no group of articles has differing popularity",
            remedy="give counts that differ within a day and source, a popularity_group column, or ranking boxes",
        )
    corpus, targets, judgements = corpus.take(known), targets[known], judgements.within(known)
    blocks, features = fit_blocks(corpus, config)
    weights, intercept = fit_linear(features, targets, config)
    held = out_of_fold(features, targets, _days(corpus, judgements), config)
    sizes, hits = _memberships(judgements)
    seen = held[judgements.rows]
    if not np.isfinite(seen).any():
        seen = np.zeros(len(seen))  # scores that say nothing: what is left is the size of the group
    usable = np.isfinite(seen) & (sizes > 5)
    top5 = fit_top5(seen[usable], sizes[usable], hits[usable])
    # Where nothing could be held out (one day, one group) the fitted scores stand in.
    scores = np.where(np.isfinite(held), held, features @ weights[:, 0] + intercept[0])
    sources, quantiles, group_sizes = _by_source(corpus, judgements, scores, sizes)
    head = PopularityHead(Linear(blocks, weights, intercept), sources, quantiles, group_sizes, top5)
    return FittedPopularity(head, len(corpus), len(np.unique(judgements.groups)))


def fit_blocks(corpus: Corpus, config: Config) -> tuple[list[Block], sp.csr_matrix]:
    """The head's blocks and the (n, width) matrix of the training articles."""
    rows = corpus.rows
    min_df = 2 if len(corpus) >= SMALL else 1
    blocks: list[Block] = []
    matrices: list[Any] = []
    for column, weight in ((TEXT, 1.0), ("headline", 0.5)):
        fitted = fit_text(rows, column, Analyzer("word", (1, 1)), min_df=min_df, weight=weight)
        if fitted is not None:
            blocks.append(fitted[0])
            matrices.append(fitted[2])
    others: list[Block] = [fit_shape(rows, weight=0.05)]
    if any(time is not None for time in rows.times()):
        others.append(fit_time(rows, corpus.timezone, weight=0.1))
    for column in dict.fromkeys(("source", *config.features.categorical)):
        categories = fit_category(rows, column, weight=0.5)
        if categories.width > 1:
            others.append(categories)
    for other in others:
        blocks.append(other)
        matrices.append(block_matrix(other, rows))
    return blocks, side_by_side(matrices)


def fit_linear(features: sp.csr_matrix, targets: Floats, config: Config) -> tuple[Floats, Floats]:
    """Ridge; weights (width, 1), intercept (1,)."""
    model = Ridge(alpha=config.fit.popularity_alpha, solver="sparse_cg", tol=1e-5)
    model.fit(features, targets)
    return as_weights(model.coef_), np.array([float(model.intercept_)])


def out_of_fold(features: sp.csr_matrix, targets: Floats, days: NDArray[np.str_], config: Config) -> Floats:
    """(n,) scores of each article by a fit on other days; NaN where there are none."""
    fold = day_folds(days, config.fit.folds)
    scores = np.full(len(targets), np.nan)
    for number in np.unique(fold):
        held, rest = fold == number, fold != number
        if rest.sum() >= 2:
            weights, intercept = fit_linear(features[rest], targets[rest], config)
            scores[held] = features[held] @ weights[:, 0] + intercept[0]
    return scores


def _days(corpus: Corpus, judgements: Judgements) -> NDArray[np.str_]:
    """(n,) local days; the group's name where an article has no time."""
    group = dict(zip(judgements.rows.tolist(), judgements.groups.tolist(), strict=True))
    return np.array(
        [day if day else f"~{group.get(i, '')}" for i, day in enumerate(corpus.days)], dtype=np.str_
    )


def _memberships(judgements: Judgements) -> tuple[Floats, Floats]:
    """(m,) size of each judgement's group, and its article's membership in the group's top five."""
    _, group, counts = np.unique(judgements.groups, return_inverse=True, return_counts=True)
    hits = np.zeros(len(judgements))
    order = np.argsort(group, kind="stable")
    for members in np.split(order, np.cumsum(counts)[:-1]):
        hits[members] = top_k_membership(judgements.values[members], min(5, len(members)))
    return counts[group].astype(np.float64), hits


def _by_source(
    corpus: Corpus, judgements: Judgements, scores: Floats, sizes: Floats
) -> tuple[tuple[str, ...], Floats, Floats]:
    """Sources, quantiles (sources + 1, QUANTILES) and median group sizes (sources + 1,); see PopularityHead."""
    named = np.array([str(value or "") for value in corpus.rows.values("source")], dtype=np.str_)
    sources = tuple(sorted(name for name in Counter(named.tolist()) if name))
    grid = np.linspace(0.0, 1.0, QUANTILES)
    overall = np.quantile(scores, grid)
    quantiles = [overall]
    medians = [_median_group_size(judgements, sizes, np.ones(len(judgements), np.bool_))]
    for source in sources:
        own = named == source
        quantiles.append(np.quantile(scores[own], grid) if own.sum() >= MIN_SOURCE_ARTICLES else overall)
        medians.append(_median_group_size(judgements, sizes, own[judgements.rows]) or medians[0])
    # Rising by definition; interpolation between equal scores may fall in the last bit.
    return sources, np.maximum.accumulate(np.array(quantiles), axis=1), np.array(medians)


def _median_group_size(judgements: Judgements, sizes: Floats, which: NDArray[np.bool_]) -> float:
    """Median over groups (not articles) of the group's size; 0 without any."""
    groups, first = np.unique(judgements.groups[which], return_index=True)
    return float(np.median(sizes[which][first])) if len(groups) else 0.0

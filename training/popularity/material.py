"""What recipes are fitted on, and fitting one: weights for the features that scoring will see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.labels import Judgements
from training.popularity.design import Design
from training.popularity.features import FeatureCache, FittedFeature
from training.popularity.learners import Problem, Solution, fit
from training.popularity.recipes import Feature, PopularityRecipe

Floats = NDArray[np.float64]

_MOST_HALVINGS = 20
_SHRINKAGE = 5.0  # articles' worth of the overall level in a source's
_FAR, _BEYOND = -1.0, 0.3  # from so far below the middle on a target counts by that share: tops are asked for


@dataclass(frozen=True, slots=True)
class Material:
    """What every recipe is fitted on: n articles' features, standardised `targets`, `groups` as numbers, `ages` in days
    before the newest, and whether popularity is a flag. `nuisance` features are fitted with every recipe and held at their
    average when predicting. `sample_weight` (n,) is how much each article counts for its group's size (None: all alike)."""

    cache: FeatureCache
    targets: Floats
    groups: NDArray[np.int64]
    ages: Floats
    flags: bool
    nuisance: tuple[Feature, ...] = ()
    sample_weight: Floats | None = None

    def predicting(
        self, recipe: PopularityRecipe, seen: NDArray[np.bool_] | None = None
    ) -> list[FittedFeature]:
        """The features that scoring will see, fitted on the articles of a mask."""
        return self.cache.fitted(recipe.features, seen)

    def emphasis(self, recipe: PopularityRecipe, rows: NDArray[np.int64]) -> Floats | None:
        """How much each article of some positions counts, by `sample_weight` and age, 1 on average; None: all alike."""
        weight = np.ones(len(rows)) if self.sample_weight is None else self.sample_weight[rows].copy()
        if recipe.half_life:
            ages = self.ages[rows] - self.ages[rows].min()
            weight *= 0.5 ** np.minimum(ages / recipe.half_life, _MOST_HALVINGS)
        return None if weight.min() == weight.max() else np.asarray(weight / weight.mean())


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """`solution` in all columns that were fitted, which are those of `features` one after the other, so many of each;
    `weights` (width,), `intercept` and `scores` (n,) of what predicts."""

    solution: Solution
    features: tuple[tuple[Feature, int], ...]
    weights: Floats
    intercept: float
    scores: Floats

    def start(self, features: Sequence[tuple[Feature, int]]) -> Solution:
        """A solution in other features to start from: the weights of the features that are the same, else 0."""
        known, at = {}, 0
        for feature, width in self.features:
            known[feature.plain, feature.recent, width] = self.solution.weights[at : at + width]
            at += width
        found = [
            known.get((feature.plain, feature.recent, width), np.zeros(width)) for feature, width in features
        ]
        return replace(self.solution, weights=np.concatenate(found))


def group_weights(judgements: Judgements, count: int) -> Floats | None:
    """`Material.sample_weight` (count,): a group counts by the square root of its articles, since metrics take all groups
    alike, of which the small know less. An article of several groups has their average, one of none the average over all.
    None where the groups are not what targets were standardised in."""
    if judgements.targets is not None or not len(judgements):
        return None
    _, group, sizes = np.unique(judgements.groups, return_inverse=True, return_counts=True)
    weight = sizes[group] ** -0.5
    judged = np.bincount(judgements.rows, minlength=count)
    total = np.bincount(judgements.rows, weight, count)
    return np.where(judged > 0, total / np.maximum(judged, 1), weight.mean())


def tempered(targets: Floats) -> Floats:
    """Standardised targets (n,), the low end drawn in: by how much an article failed says little about what succeeds."""
    return np.maximum(targets, _FAR + _BEYOND * (targets - _FAR))


def fit_weights(
    material: Material,
    recipe: PopularityRecipe,
    train: NDArray[np.bool_] | None = None,
    *,
    features_of: NDArray[np.bool_] | None = None,
    tolerance: float,
    start: FittedWeights | None = None,
) -> FittedWeights | None:
    """Fit a recipe on the articles of a mask, its features on the same, or on those of `features_of`. None where these give
    no feature. `start` is a similar fit."""
    train = np.ones(len(material.targets), np.bool_) if train is None else train
    seen = train if features_of is None else features_of
    seen_mask = None if seen.all() else seen
    plain = material.predicting(recipe, seen_mask)
    columns = material.cache.columns((*recipe.features, *material.nuisance), seen_mask)
    if not plain:
        return None
    rows = np.flatnonzero(train)
    problem = Problem(
        Design([own for _, own in columns], rows, 0 if features_of is None else len(train)),
        material.targets[rows],
        np.unique(material.groups[rows], return_inverse=True)[1],
        material.emphasis(recipe, rows),
        material.flags,
    )
    features = tuple((feature, own.width) for feature, own in columns)
    first = None if start is None else start.start(features)
    solution = fit(recipe.learner, problem, recipe.plain_alpha, tolerance=tolerance, start=first)
    weights, constant = _predicting(material, recipe, seen_mask, solution)
    intercept = solution.intercept + constant
    if recipe.learner in ("pairwise", "listwise"):
        scores = scores_of(plain, weights) + intercept
        intercept += _level(plain, weights, scores[rows], material.targets[rows], rows)
    return FittedWeights(solution, features, weights, intercept, scores_of(plain, weights) + intercept)


def scores_of(fitted: Sequence[FittedFeature], weights: Floats) -> Floats:
    """(n,) of features side by side, without putting them there."""
    at = 0
    total: Any = 0.0
    for one in fitted:
        width = one.matrix.shape[1]
        total = total + one.matrix @ weights[at : at + width]
        at += width
    return np.asarray(total)


def _level(
    fitted: Sequence[FittedFeature], weights: Floats, scores: Floats, targets: Floats, rows: NDArray[np.int64]
) -> float:
    """Bring scores to the level of the targets, every source's and all, since order within groups leaves it open;
    adds to the sources' `weights`, returns what the intercept lacks."""
    slope = max(float(scores.std()), 1e-9) / max(float(targets.std()), 1e-9)
    missing = targets * slope - scores
    overall = float(missing.mean())
    at = 0
    for one in fitted:
        width = one.matrix.shape[1]
        if one.feature.kind == "block" and one.feature.block.column == "source" and not one.feature.crossed:
            table = one.matrix[rows]
            weight = one.feature.block.weight
            counts = np.asarray(table.sum(axis=0)).ravel() / weight
            lacking = table.T @ (missing - overall) / weight
            weights[at : at + width] += lacking / (counts + _SHRINKAGE) / weight
        at += width
    return overall


def _predicting(
    material: Material,
    recipe: PopularityRecipe,
    seen: NDArray[np.bool_] | None,
    solution: Solution,
) -> tuple[Floats, float]:
    """The weights of the plain features, with those that fade as they are on the newest day added; and what nuisance
    features at their average add."""
    fitted = material.cache.fitted((*recipe.features, *material.nuisance), seen)
    nuisance = set(material.nuisance)
    at, constant = 0, 0.0
    places: dict[Feature, slice] = {}
    kept: list[Floats] = []
    width = 0
    for one in fitted:
        own = solution.weights[at : at + one.matrix.shape[1]]
        at += len(own)
        if one.feature in nuisance:
            constant += float(np.asarray(one.matrix.mean(axis=0)).ravel() @ own)
            continue
        places[one.feature.plain] = slice(width, width + len(own))
        width += len(own)
        kept.append(own)
    weights = np.concatenate(kept)
    by_plain = {one.feature.plain: one.feature for one in fitted}
    for feature in recipe.features:
        if feature.recent and feature.plain in places:
            place = places[feature.plain]
            scale = feature.block.weight / by_plain[feature.plain].block.weight
            weights[place] += scale * solution.weights[at : at + place.stop - place.start]
            at += place.stop - place.start
    return weights, constant

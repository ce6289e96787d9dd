"""From labelled articles to a popularity head: the chosen recipe, its weights, and what makes of scores chances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from classifier.errors import LabelError
from classifier.linear import Linear
from classifier.popularity import PopularityHead, Top5Curve
from classifier.text.rows import LENGTHS
from training.calibration.pairs import fit_pair_slope
from training.calibration.top5 import fit_top5
from training.config import Config
from training.corpus import Corpus, Mask
from training.labels import Judgements
from training.metrics import top_k_membership
from training.popularity.addresses import of_address, without_address
from training.popularity.choice import Trials, choose_recipe, start_recipe
from training.popularity.columns import is_numeric
from training.popularity.features import FeatureCache, to_blocks
from training.popularity.learners import TOLERANCE, rough
from training.popularity.material import FittedWeights, Material, fit_weights, group_weights, tempered
from training.popularity.recipes import Feature, PopularityRecipe, as_learner
from training.popularity.sources import group_sizes, score_quantiles, source_names, weekdays
from training.popularity.uncertainty import weight_variance
from training.popularity.validation import make_validation
from training.recipes import BlockRecipe
from training.splits import day_folds

Floats = NDArray[np.float64]
Progress = Callable[[str], None]
_MANY = 60_000  # the newest so many articles are enough to choose by
_HELD = 5e-3  # the tolerance of fits that go on from one which has seen what they are asked about
_LEAST_JUDGED = 200  # judgements that walking forward must give for chances to be calibrated on them
# And that its newest window must give, for chances to be calibrated on that alone: its fit has seen nearly as much as the
# final one, those before it less, and their scores spread less.
_MANY_JUDGED = 2000


@dataclass(frozen=True, slots=True)
class FittedPopularity:
    """The head, its recipe, and how many articles and groups it learned from."""

    head: PopularityHead
    recipe: PopularityRecipe
    articles: int
    groups: int
    tried: int

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "recipe": self.recipe.to_dict(),
            "articles": self.articles,
            "groups": self.groups,
            "recipes_tried": self.tried,
        }


def fit_popularity(
    corpus: Corpus,
    targets: Floats,
    judgements: Judgements,
    config: Config,
    progress: Progress = lambda step: None,
) -> FittedPopularity:
    """A linear head for `targets` (n,; NaN unknown); `judgements` say who was how popular in which group.

    Raises:
        LabelError: the labels say nothing about which article is more popular.
        ConfigError: a configured feature cannot be.
    """
    known = np.isfinite(targets)
    if known.sum() < 2:
        raise LabelError(
            "no group of articles has differing popularity",
            remedy="give counts that differ within a day and source, a popularity_group column, or ranking boxes",
        )
    corpus, targets, judgements = corpus.take(known), tempered(targets[known]), judgements.within(known)
    corpus = with_one_section(corpus)
    days = _days(corpus, judgements)
    material = _material(corpus, targets, judgements, config)
    with threadpool_limits(1, user_api="blas"):  # with more, the last bits would be others
        chosen = _choose(corpus, material, judgements, days, config, progress)
        progress("fitting the chosen recipe")
        return _finish(corpus, material, judgements, days, chosen, config)


def with_one_section(corpus: Corpus) -> Corpus:
    """Of several labels the first stands in the column `section`, that the head reads."""
    return corpus.with_column("section", [labels[0] if labels else None for labels in corpus.labels])


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A recipe, how many were tried, its scores of what was asked inside the training part (n,), NaN elsewhere, and which
    of them are of the newest window (n,)."""

    recipe: PopularityRecipe
    tried: int
    held: Floats
    newest: Mask


def _choose(
    corpus: Corpus,
    material: Material,
    judgements: Judgements,
    days: NDArray[np.str_],
    config: Config,
    progress: Progress,
) -> _Chosen:
    """The configured recipe, with what it leaves open chosen."""
    fit = config.fit
    start = _start(corpus, judgements, config)
    newest = np.ones(len(corpus), np.bool_)
    if len(corpus) > _MANY:
        newest[np.argsort(days, kind="stable")[:-_MANY]] = False
        corpus, judgements, days = corpus.take(newest), judgements.within(newest), days[newest]
        material = _material(corpus, material.targets[newest], judgements, config)
    trials = Trials(
        material, make_validation(corpus, material.targets, judgements, days, fit.folds), progress
    )
    recipe = start
    if trials.validation.usable():
        recipe = choose_recipe(
            start,
            trials,
            features=not fit.popularity_features,
            alpha=not fit.popularity_alpha,
            half_life=fit.popularity_half_life < 0,
            learner=not fit.popularity_learner,
        )
    held = np.full(len(newest), np.nan)
    held[newest] = trials.scores(recipe)
    last = np.zeros(len(newest), np.bool_)
    last[newest] = trials.validation.newest
    material.cache.forget()
    return _Chosen(recipe, len(trials.found), held, last)


def _start(corpus: Corpus, judgements: Judgements, config: Config) -> PopularityRecipe:
    """What the configuration says, and else what is plain."""
    fit, features = config.fit, config.features
    there = {*corpus.table.schema.names, *LENGTHS}.difference(features.nuisance)
    categorical = tuple(name for name in dict.fromkeys(features.categorical) if name in there)
    numeric = tuple(name for name in dict.fromkeys(features.numeric) if name in there)
    start = start_recipe(corpus.rows, categorical, numeric, flags=judgements.flags)
    # The source is a feature unless it is a nuisance.
    chosen = [one for one in start.features if not set(one.columns) & set(features.nuisance)]
    if fit.popularity_features:
        # In a head what is crossed stands before its crosses.
        chosen = sorted(map(Feature.parse, fit.popularity_features), key=lambda one: bool(one.crossed))
    start = replace(start, features=tuple(chosen))
    if fit.popularity_learner:
        start = replace(start, learner=as_learner(fit.popularity_learner))
    alpha, half_life = fit.popularity_alpha or start.alpha, max(fit.popularity_half_life, 0.0)
    return replace(start, alpha=alpha, half_life=half_life)


def _material(corpus: Corpus, targets: Floats, judgements: Judgements, config: Config) -> Material:
    instants = corpus.instants
    newest = np.nanmax(instants, initial=-np.inf) if np.isfinite(instants).any() else 0.0
    dated = np.isfinite(instants)
    ages = (newest - instants[dated]) / 86400.0
    middle = float(np.median(ages)) if len(ages) else 0.0
    filled = np.full(len(corpus), middle)
    filled[dated] = ages
    first = dict(zip(judgements.rows[::-1].tolist(), judgements.groups[::-1].tolist(), strict=True))
    names = [first.get(i) or group or "" for i, group in enumerate(corpus.groups)]
    groups = np.unique(np.array(names, dtype=np.str_), return_inverse=True)[1]
    nuisance = tuple(
        Feature(BlockRecipe(name), "numeric" if is_numeric(corpus.rows.values(name)) else "block")
        for name in dict.fromkeys(config.features.nuisance)
    )
    cache = FeatureCache(corpus.rows, corpus.timezone, filled, corpus.hash_key)
    sample_weight = group_weights(judgements, len(corpus))
    return Material(cache, targets, groups, filled, judgements.flags, nuisance, sample_weight)


def _finish(
    corpus: Corpus,
    material: Material,
    judgements: Judgements,
    days: NDArray[np.str_],
    chosen: _Chosen,
    config: Config,
) -> FittedPopularity:
    recipe = chosen.recipe
    # From nothing: with the recipe fixed the weights are the same to the bit.
    fitted = fit_weights(material, recipe, tolerance=TOLERANCE)
    if fitted is None:
        raise LabelError(
            "the articles that have a popularity have no text and no other feature",
            remedy="give headlines, summaries or bodies",
        )
    held, folds = _out_of_fold(material, recipe, fitted, day_folds(days, config.fit.folds))
    sizes, hits = _memberships(judgements)
    sources, source = source_names(corpus)
    table = group_sizes(corpus, judgements, sizes, source, len(sources))
    # What the head will go by is the usual size of such a day, not the size that it turned out to have.
    usual = table[source, weekdays(corpus)][judgements.rows]
    top5, pair_slope = _chances(chosen, held, judgements, (sizes > 5) & (usual > 5), usual, hits)
    # Where nothing could be held out (one day, one group) the fitted scores stand in.
    scores = np.where(np.isfinite(held), held, fitted.scores)
    predicting = material.predicting(recipe)
    blocks, weights = to_blocks(predicting), fitted.weights
    variance = weight_variance(material, recipe, fitted, held, folds)
    if any(map(of_address, predicting)):
        stand_in, typical = without_address(predicting, weights, sources, source)
        blocks, weights = [*blocks, stand_in], np.concatenate([weights, typical])
        variance = np.concatenate([variance, np.zeros(len(typical))])  # the same for all headlines of a story
    linear = Linear(blocks, weights[:, None].copy(), np.array([fitted.intercept]))
    head = PopularityHead(
        linear,
        sources,
        score_quantiles(scores, source, len(sources)),
        table,
        top5,
        variance,
        spread=_spread(judgements),
        pair_slope=pair_slope,
        timezone=corpus.timezone,
    )
    return FittedPopularity(head, recipe, len(corpus), len(np.unique(judgements.groups)), chosen.tried)


def _chances(
    chosen: _Chosen,
    held: Floats,
    judgements: Judgements,
    usable: Mask,
    usual: Floats,
    hits: Floats,
) -> tuple[Top5Curve, float]:
    """The curve of the top five, fitted on the `usable` (m,) of the judgements, and PopularityHead.pair_slope: on scores of
    walking forward where these are enough, else on those of folds, `held` (n,). `usual` (m,) are usual sizes of the groups,
    `hits` (m,) memberships in the top five."""

    def enough(scores: Floats, least: int) -> bool:
        return bool(np.isfinite(scores[judgements.rows[usable]]).sum() >= least)

    scores = (chosen.held if enough(chosen.held, _LEAST_JUDGED) else held)[judgements.rows]
    if not np.isfinite(scores).any():
        scores = np.zeros(len(scores))  # that say nothing: what is left is the size of the group
    pair_slope = fit_pair_slope(scores, judgements)
    newest = np.where(chosen.newest, chosen.held, np.nan)
    if enough(newest, _MANY_JUDGED):
        scores = newest[judgements.rows]
    usable = usable & np.isfinite(scores)
    return fit_top5(scores[usable], usual[usable], hits[usable]), pair_slope


def _out_of_fold(
    material: Material, recipe: PopularityRecipe, fitted: FittedWeights, fold: NDArray[np.int64]
) -> tuple[Floats, list[FittedWeights]]:
    """(n,) scores of each article by a fit on other days, NaN where there are none; and those fits, a fold."""
    scores = np.full(len(material.targets), np.nan)
    everything = np.ones(len(fold), np.bool_)
    parts = [held for number in np.unique(fold) if ((held := fold == number).sum() <= len(fold) - 2)]
    found = Parallel(n_jobs=min(cpu_count(), max(len(parts), 1)), prefer="threads")(
        delayed(fit_weights)(
            material,
            recipe,
            ~held,
            features_of=everything,
            tolerance=min(rough(len(fold)), _HELD),
            start=fitted,
        )
        for held in parts
    )
    fits = []
    for held, own in zip(parts, found, strict=True):
        if own is not None:
            scores[held] = own.scores[held]
            fits.append(own)
    return scores, fits


def _spread(judgements: Judgements) -> float:
    """PopularityHead.spread."""
    if judgements.flags or not len(judgements) or judgements.values.max() <= 1.0:
        return 1.0
    logs = np.log1p(np.maximum(judgements.values, 0.0))
    _, group, sizes = np.unique(judgements.groups, return_inverse=True, return_counts=True)
    mean = np.bincount(group, logs) / sizes
    deviation = np.sqrt(np.bincount(group, (logs - mean[group]) ** 2) / sizes)
    told = deviation[deviation > 1e-9]
    return float(np.median(told)) if len(told) else 1.0


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

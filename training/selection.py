"""Choosing the section head's recipe inside the training part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from training.blocks import as_weights
from training.corpus import Corpus, Ids
from training.label_thresholds import fit_label_thresholds
from training.metrics import accuracy, macro_f1, micro_f1
from training.recipes import BlockCache, BlockRecipe, Recipe, additions, base_recipes, script_of
from training.splits import folds

Truth = NDArray[np.bool_]
Floats = NDArray[np.float64]

FEW = 20_000  # with fewer articles, parts of words help: an inflected or compound word is rarely seen twice
FORWARD = 2_000  # a newest fifth of fewer articles validates too little: folds instead
NEWEST = 0.2
_GAIN = 0.0005  # what a block must bring to be worth its cost
_CS = (0.25, 0.5, 2.0, 4.0)
_QUICK = 300_000  # articles × labels × folds that one recipe may cost while choosing
_IMBALANCE = (
    3.0  # from so many times as many articles in the largest label as in the median one, weights are tried
)


@dataclass(frozen=True, slots=True)
class Validation:
    """n training articles; `fold` (n,) numbers of the parts that are predicted from the rest, −1: never predicted.

    Dated articles are walked forward once: the newest fifth is predicted from the older rest (`forward`).
    """

    truth: Truth
    several: bool
    fold: NDArray[np.int64]
    forward: bool
    seed: int

    def quick(self) -> Validation:
        """The same with fewer of its folds predicted, where fits are many: a choice between recipes needs less than the
        calibration of the chosen one."""
        count = int(self.fold.max()) + 1
        wanted = min(max(1, _QUICK // self.truth.size), count)
        return replace(self, fold=np.where(self.fold < wanted, self.fold, -1))

    def held_out(self, features: sp.csr_matrix, recipe: Recipe) -> Floats:
        """(n, k) scores by fits that did not see the article; NaN where it is never predicted."""
        scores = np.full(self.truth.shape, np.nan)
        for number in range(int(self.fold.max()) + 1):
            held, rest = self.fold == number, self.fold != number
            if held.any() and rest.any():
                weights, intercept = fit_linear(
                    features[rest], self.truth[rest], recipe, several=self.several, seed=self.seed
                )
                scores[held] = features[held] @ weights + intercept
        return scores

    def quality(self, scores: Floats) -> float:
        """One figure of held-out scores: accuracy, or with several labels the mean of micro- and macro-F1 at thresholds
        fitted on the same scores."""
        known = np.isfinite(scores).all(axis=1)
        truth, scores = self.truth[known], scores[known]
        if not self.several:
            return accuracy(truth.argmax(axis=1), scores.argmax(axis=1))
        assigned = scores >= fit_label_thresholds(scores, truth, shrink=5.0)
        return (micro_f1(truth, assigned) + macro_f1(truth, assigned)) / 2

    def balanced_quality(self, scores: Floats) -> float:
        """`quality`, with rare labels counting as much as frequent ones."""
        if self.several:
            return self.quality(scores)
        known = np.isfinite(scores).all(axis=1)
        return (
            self.quality(scores) + macro_f1(self.truth[known].argmax(axis=1), scores[known].argmax(axis=1))
        ) / 2


def make_validation(
    corpus: Corpus, truth: Truth, clusters: Ids, *, several: bool, fold_count: int, seed: int
) -> Validation:
    """Forward in time where enough articles have one, else near-duplicate clusters in folds."""
    instants = corpus.instants
    dated = np.isfinite(instants)
    if dated.mean() >= 0.5 and dated.sum() * NEWEST >= FORWARD:
        cut = np.quantile(instants[dated], 1.0 - NEWEST)
        newest = dated & (instants >= cut)
        # A later copy of an older article proves nothing.
        fold = np.where(newest & ~np.isin(clusters, clusters[~newest]), 0, -1)
        return Validation(truth, several, fold, True, seed)
    return Validation(truth, several, folds(clusters, fold_count, seed), False, seed)


def choose_recipe(
    corpus: Corpus,
    cache: BlockCache,
    validation: Validation,
    categorical: tuple[str, ...],
    *,
    c: float | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Recipe:
    """The recipe that validates best: base, then blocks that help, class weights, regularisation (unless given)."""
    validation = validation.quick()
    script = script_of(corpus.texts)
    named = tuple(BlockRecipe("category", column) for column in categorical)

    def quality(recipe: Recipe, measure: Callable[[Floats], float] = validation.quality) -> float:
        matrix = cache.matrix(recipe)
        return -1.0 if matrix is None else measure(validation.held_out(matrix, recipe))

    start = Recipe((), 1.0 if c is None else c)
    best, best_quality = start, -1.0
    for base in base_recipes(script, len(corpus)):
        candidate = replace(start, blocks=(*base.blocks, *named))
        if (found := quality(candidate)) > best_quality + _GAIN:
            best, best_quality = candidate, found
    for block in additions(script, corpus.rows, len(corpus), FEW):
        progress(f"trying {block}")
        if block in best.blocks or block.column in categorical:
            continue
        candidate = best.adding(block)
        if (found := quality(candidate)) > best_quality + _GAIN:
            best, best_quality = candidate, found
    best = _balanced(best, validation, quality)
    if c is not None:
        return best
    best_quality = quality(best)
    for other in _CS:
        progress(f"trying C = {other:g}")
        candidate = replace(best, c=other)
        if (found := quality(candidate)) > best_quality:
            best, best_quality = candidate, found
    return best


def _balanced(recipe: Recipe, validation: Validation, quality: Callable[..., float]) -> Recipe:
    """With class weights where labels are imbalanced and weights help the rare ones."""
    counts = np.sort(validation.truth.sum(axis=0))
    if counts[-1] < _IMBALANCE * max(counts[len(counts) // 2], 1):
        return recipe
    weighted = replace(recipe, balance=0.5)
    measure = validation.balanced_quality
    return weighted if quality(weighted, measure) > quality(recipe, measure) + _GAIN else recipe


def fit_linear(
    features: sp.csr_matrix, truth: Truth, recipe: Recipe, *, several: bool, seed: int
) -> tuple[Floats, Floats]:
    """One-vs-rest linear support vector machines; weights (width, k), intercept (k,)."""
    outputs = truth.shape[1]
    weights = np.zeros((features.shape[1], outputs))
    intercept = np.zeros(outputs)
    for output in range(outputs):
        target = truth[:, output]
        if not several and outputs == 2 and output == 1:
            # Two sections are one question; the second answer mirrors the first.
            weights[:, 1], intercept[1] = -weights[:, 0], -intercept[0]
        elif target.all() or not target.any():
            intercept[output] = 1.0 if target.all() else -1.0
        else:
            positive = ((~target).sum() / target.sum()) ** recipe.balance
            machine = LinearSVC(
                C=recipe.c, random_state=seed, class_weight={False: 1.0, True: float(positive)}
            ).fit(features, target)
            weights[:, output] = as_weights(machine.coef_)[:, 0]
            intercept[output] = float(machine.intercept_[0])
    return weights, intercept

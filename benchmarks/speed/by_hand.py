"""Newsdesk's own training procedure for sections with scikit-learn doing the work: the same recipes are tried on the same
articles, but texts are vectorised by TfidfVectorizer, categories by OneHotEncoder, and weights are fitted by LinearSVC.

It is done as one does it with care: a block is vectorised once for each training part, however many recipes use it (as a
Pipeline with a memory does), and LinearSVC gets the tolerance that Newsdesk uses, which is milder than its default. What it
cannot do is weigh a training part anew from counts that were made once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from training.blocks import MIN_CATEGORY_ARTICLES
from training.calibration.deciding import Decided, decide
from training.config import Config
from training.corpus import Corpus, Ids, Mask
from training.features import LARGE
from training.recipes import BlockRecipe, Recipe
from training.sections import truth_matrix, usable_labels
from training.selection import (
    TOLERANCE,
    Trials,
    Validation,
    choose_recipe,
    fit_linear,
    keep_slack,
    make_validation,
)

Floats = NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(slots=True)
class Vectorised:
    """Blocks over n articles, fitted on some and applied to others, each pair of these once; `seconds` by kind of work.

    `own_fits`: weights by Newsdesk's `fit_linear` all the same, so that only vectorising differs.
    """

    corpus: Corpus
    own_fits: bool = False
    seconds: dict[str, float] = field(default_factory=lambda: {"vectorising": 0.0, "fitting": 0.0})
    _fitted: dict[tuple[BlockRecipe, bytes], tuple[Any, Any]] = field(default_factory=dict)
    _applied: dict[tuple[BlockRecipe, bytes, bytes], Any] = field(default_factory=dict)
    _columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    def learnt(self, recipe: Recipe, train: Mask) -> sp.csr_matrix:
        """(articles of `train`, width) of vectorizers fitted on them."""
        return self._beside(recipe, lambda block: self._fit(block, train)[1])

    def applied(self, recipe: Recipe, train: Mask, held: Mask) -> sp.csr_matrix:
        """(articles of `held`, width) of the same vectorizers."""
        return self._beside(recipe, lambda block: self._apply(block, train, held))

    def features(self, recipe: Recipe, train: Mask, corpus: Corpus) -> sp.csr_matrix:
        """(articles of another corpus, width) of the same vectorizers."""
        return self._beside(
            recipe, lambda block: self._fit(block, train)[0].transform(_column(block, corpus))
        )

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[kind] += time.perf_counter() - started

    def _beside(self, recipe: Recipe, matrix: Callable[[BlockRecipe], Any]) -> sp.csr_matrix:
        with self.timed("vectorising"):
            found = [matrix(replace(block, weight=1.0)) * block.weight for block in recipe.blocks]
            return sp.hstack(found, "csr")

    def _fit(self, block: BlockRecipe, train: Mask) -> tuple[Any, Any]:
        key = block, train.tobytes()
        if key not in self._fitted:
            vectorizer = self._vectorizer(block)
            self._fitted[key] = vectorizer, vectorizer.fit_transform(self._own(block)[train])
        return self._fitted[key]

    def _apply(self, block: BlockRecipe, train: Mask, held: Mask) -> Any:
        key = block, train.tobytes(), held.tobytes()
        if key not in self._applied:
            self._applied[key] = self._fit(block, train)[0].transform(self._own(block)[held])
        return self._applied[key]

    def _vectorizer(self, block: BlockRecipe) -> Any:
        if block.analyzer is None:
            return OneHotEncoder(handle_unknown="ignore", min_frequency=MIN_CATEGORY_ARTICLES)
        rare = block.analyzer == "word" and len(self.corpus) < LARGE
        return TfidfVectorizer(
            analyzer=block.analyzer, ngram_range=block.ngrams, min_df=1 if rare else 2, sublinear_tf=True
        )

    def _own(self, block: BlockRecipe) -> NDArray[Any]:
        if block.column not in self._columns:
            self._columns[block.column] = _column(block, self.corpus)
        return self._columns[block.column]


def _column(block: BlockRecipe, corpus: Corpus) -> NDArray[Any]:
    """As its vectorizer takes it."""
    if block.analyzer is not None:
        return np.array(corpus.rows.texts(block.column), object)
    return np.array([[str(value or "")] for value in corpus.rows.values(block.column)], object)


@dataclass(frozen=True, slots=True)
class ByHand(Validation):
    """The same articles asked, but predicted by scikit-learn's objects; `cache` is a `Vectorised` here."""

    def held_out(self, cache: Any, recipe: Recipe, slack: Floats | None = None) -> Floats:
        scores = np.full(self.truth.shape, np.nan)
        for number in np.unique(self.fold[self.asked]).tolist():
            held = self.asked & (self.fold == number)
            rest = self.fold < number if self.forward else self.fold != number
            if rest.any():
                own = self.begun(slack, rest)
                predict = self.fit(cache, recipe, rest, self.tolerance, own)
                keep_slack(slack, rest, own)
                scores[held] = predict(cache.applied(recipe, rest, held))
        return scores

    def fit(
        self,
        cache: Vectorised,
        recipe: Recipe,
        rest: Mask,
        tolerance: float,
        slack: Floats | None = None,
    ) -> Callable[[sp.csr_matrix], Floats]:
        """Weights fitted on the articles of `rest`, as a function from features (m, width) to scores (m, k). `slack` is
        for Newsdesk's fits; LinearSVC begins with nothing."""
        features, truth, emphasis = cache.learnt(recipe, rest), self.truth[rest], self.emphasis(recipe, rest)
        with cache.timed("fitting"):
            if cache.own_fits:
                settings = {"several": False, "seed": self.seed, "tolerance": tolerance}
                weights, intercept = fit_linear(
                    features, truth, recipe, emphasis=emphasis, slack=slack, **settings
                )
                return lambda asked: asked @ weights + intercept
            counts = np.maximum(truth.sum(axis=0), 1)
            weight = {
                k: ((len(truth) - own) / own) ** recipe.balance for k, own in enumerate(counts.tolist())
            }
            machine = LinearSVC(
                C=recipe.plain_c, tol=tolerance, random_state=self.seed, class_weight=weight
            ).fit(features, truth.argmax(axis=1), sample_weight=emphasis)
        return lambda asked: _scores(machine, asked, truth.shape[1])


def _scores(machine: Any, features: sp.csr_matrix, labels: int) -> Floats:
    """−1 for a label that it has not seen."""
    found = machine.decision_function(features)
    if found.ndim == 1:
        found = np.column_stack([-found, found])
    scores = np.full((features.shape[0], labels), -1.0)
    scores[:, machine.classes_] = found
    return scores


@dataclass(frozen=True, slots=True)
class Made:
    """What was chosen, what decides from held-out scores, and the vectorizers and weights; all seconds are in `cache`."""

    recipe: Recipe
    labels: tuple[str, ...]
    decided: Decided
    cache: Vectorised
    predict: Callable[[sp.csr_matrix], Floats]

    def label(self, corpus: Corpus) -> list[str]:
        """The best section of each of other articles."""
        everything = np.ones(len(self.cache.corpus), np.bool_)
        best = self.predict(self.cache.features(self.recipe, everything, corpus)).argmax(axis=1)
        return [self.labels[k] for k in best.tolist()]


def fit_by_hand(
    corpus: Corpus,
    clusters: Ids,
    config: Config,
    progress: Progress = lambda step: None,
    *,
    own_fits: bool = False,
) -> Made:
    """What `training.sections.fit_sections` does, of articles with one label each; `clusters` (n,) are near-duplicates."""
    labels, _ = usable_labels(corpus, config.fit.min_label_articles)
    rows = np.flatnonzero([not set(labels).isdisjoint(names) for names in corpus.labels])
    corpus, clusters = corpus.take(rows), clusters[rows]
    truth = truth_matrix(corpus, labels)
    plain = make_validation(
        corpus, truth, clusters, several=False, fold_count=config.fit.folds, seed=config.fit.seed
    )
    validation = ByHand(**{one.name: getattr(plain, one.name) for one in fields(plain)})
    cache: Any = Vectorised(corpus, own_fits)
    trials = Trials(cache, validation.quick(), progress)
    recipe = choose_recipe(corpus, trials, config.features.of_sections)
    progress("calibrating")
    slack = np.zeros(truth.shape)
    scores = validation.held_out(cache, recipe, slack)
    progress(f"fitting {recipe}")
    predict = validation.fit(cache, recipe, np.ones(len(corpus), np.bool_), TOLERANCE, slack)
    at = np.flatnonzero(np.isfinite(scores).all(axis=1))
    decided = decide(
        at,
        scores[at],
        truth[at],
        validation.parts[at],
        labels,
        config.decisions,
        several=False,
        forward=validation.forward,
    )
    return Made(recipe, labels, decided, cache, predict)

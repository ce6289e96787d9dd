"""Fitting the section head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from classifier.errors import LabelError
from classifier.linear import Linear
from classifier.sections import SectionHead, Threshold, to_probabilities
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Block
from classifier.text.rows import TEXT
from training.blocks import FittedText, block_matrix, fit_category, fit_text, side_by_side
from training.calibration import fit_temperature, fit_thresholds
from training.config import Config
from training.corpus import Corpus, Ids
from training.recipes import Recipe
from training.selection import FEW, Validation, fit_linear
from training.splits import folds

LARGE = 1000  # from so many articles on, words of a single article are left out
Truth = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FittedSections:
    """The head, the text part as a scikit-learn pipeline, and what was dropped."""

    head: SectionHead
    pipeline: Pipeline
    dropped: dict[str, int]
    articles: int


def usable_labels(corpus: Corpus, minimum: int) -> tuple[tuple[str, ...], dict[str, int]]:
    """Labels with at least `minimum` articles, sorted; and the others with their counts.

    Raises:
        LabelError: there are no labels, or fewer than two are left.
    """
    counts = Counter(label for labels in corpus.labels for label in labels)
    kept = tuple(sorted(label for label, count in counts.items() if count >= minimum))
    dropped = {label: count for label, count in sorted(counts.items()) if count < minimum}
    if not counts:
        raise LabelError(
            "no training article has a section",
            remedy="give a section or sections column (or map one: --column section=…)",
        )
    if len(kept) < 2:
        only = f'only the section "{kept[0]}" has' if kept else "no section has"
        raise LabelError(
            f"{only} at least {minimum} training articles",
            remedy="a section head needs two sections; give articles of others",
        )
    return kept, dropped


def truth_matrix(corpus: Corpus, labels: tuple[str, ...]) -> Truth:
    """(n, labels) which labels each article has."""
    ids = {label: i for i, label in enumerate(labels)}
    truth = np.zeros((len(corpus), len(labels)), np.bool_)
    for row, names in enumerate(corpus.labels):
        for name in names:
            if name in ids:
                truth[row, ids[name]] = True
    return truth


def fit_sections(corpus: Corpus, clusters: Ids, config: Config) -> FittedSections:
    """Fit on every article of `corpus` that has a usable label; `clusters` (n,) keep near-duplicates in one fold.

    Raises:
        LabelError: there are too few labels or articles.
    """
    labels, dropped = usable_labels(corpus, config.fit.min_label_articles)
    several = corpus.several
    labelled = np.array([bool(set(names) & set(labels)) for names in corpus.labels])
    corpus, clusters = corpus.take(labelled), clusters[labelled]
    truth = truth_matrix(corpus, labels)

    texts = fit_texts(corpus)
    blocks: list[Block] = [block for block, _, _ in texts]
    matrices: list[Any] = [matrix for _, _, matrix in texts]
    for column in config.features.categorical:
        categories = fit_category(corpus.rows, column)
        if categories.width:
            blocks.append(categories)
            matrices.append(block_matrix(categories, corpus.rows))
    features = side_by_side(matrices)

    recipe = Recipe((), config.fit.section_c)
    fold = folds(clusters, config.fit.folds, config.fit.seed)
    weights, intercept = fit_linear(features, truth, recipe, several=several, seed=config.fit.seed)
    held = Validation(truth, several, fold, False, config.fit.seed).held_out(features, recipe)
    known = np.isfinite(held).all(axis=1)
    temperature = fit_temperature(held[known], truth[known], several=several)
    probability = to_probabilities(held[known], temperature, several=several)
    best = probability.argmax(axis=1)
    thresholds = tuple(
        # What is less likely right than wrong is never filed, however well it went in training.
        t if t.probability is None else Threshold(t.target, max(t.probability, 0.5))
        for t in fit_thresholds(
            probability.max(axis=1),
            truth[known][np.arange(len(best)), best],
            config.decisions.targets,
            level=config.decisions.confidence,
        )
    )
    head = SectionHead(
        Linear(blocks, weights, intercept),
        labels,
        several,
        temperature,
        thresholds,
        config.decisions.target,
    )
    pipeline = text_pipeline([vectorizer for _, vectorizer, _ in texts], head)
    return FittedSections(head, pipeline, dropped, len(corpus))


def fit_texts(corpus: Corpus) -> list[FittedText]:
    """The head's text blocks: words and pairs of words, and for few articles parts of words beside them.

    Raises:
        LabelError: the articles hold no words.
    """
    words = Analyzer("word", (1, 2))
    found = [fit_text(corpus.rows, TEXT, words, min_df=2 if len(corpus) >= LARGE else 1)]
    if len(corpus) < FEW:
        found.append(fit_text(corpus.rows, TEXT, Analyzer("char_wb", (3, 5)), min_df=2))
    kept = [block for block in found if block is not None]
    if not kept:
        raise LabelError(
            "the training articles with a section hold no words to learn from",
            remedy="map the columns of their texts (--column body=…)",
        )
    return kept


def text_pipeline(vectorizers: Sequence[TfidfVectorizer], head: SectionHead) -> Pipeline:
    """The text part of the head as plain scikit-learn objects, for notebooks: TF-IDF and one linear classifier.

    `predict` names the best section; with several labels take those whose `decision_function` is above 0.
    """
    width = sum(len(vectorizer.vocabulary_) for vectorizer in vectorizers)
    weights, intercept = head.linear.weights[:width].T, head.linear.intercept
    machine = LinearSVC()
    machine.classes_ = np.array(head.labels)
    machine.n_features_in_ = width
    if len(head.labels) == 2 and not head.several:  # scikit-learn keeps one row for two classes, the second's
        weights, intercept = weights[1:], intercept[1:]
    machine.coef_, machine.intercept_ = weights.copy(), intercept.copy()
    union = FeatureUnion([(f"tfidf_{i}", vectorizer) for i, vectorizer in enumerate(vectorizers)])
    return Pipeline([("features", union), ("linear", machine)])

"""Fitting the section head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from classifier.errors import LabelError
from classifier.linear import Linear
from classifier.sections import SectionHead
from classifier.text.blocks import TextBlock
from classifier.text.rows import TEXT
from training.blocks import side_by_side, sklearn_vectorizer
from training.calibration.deciding import Decided, decide
from training.config import Config
from training.corpus import Corpus, Ids
from training.features import BlockCache, FittedBlock
from training.recipes import BlockRecipe, Recipe
from training.selection import (
    MANY_DATED,
    TOO_MANY,
    Progress,
    Trials,
    Validation,
    choose_recipe,
    fit_linear,
    make_validation,
    tune_recipe,
)

_WEIGHT_CELLS = 1 << 27  # features of a block × labels: a gigabyte of weights
_SLACK_CELLS = 1 << 24  # articles × labels up to which it is kept where fits have come: 128 MB
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FittedSections:
    """The head; what was chosen, and the held-out judgements it rests on.

    `rows` are the positions in the given corpus of the `articles` that it was fitted on, to which `decided.judged.rows`,
    `truth` (articles, labels) and the features of `cache` refer. `label_counts` are of all labels in training, `dropped`
    those that too few articles had.
    """

    head: SectionHead
    recipe: Recipe
    decided: Decided
    dropped: dict[str, int]
    label_counts: dict[str, int]
    rows: Ids
    truth: Truth
    cache: BlockCache
    validation: Validation

    @property
    def pipeline(self) -> Pipeline:
        """The text part of the head for notebooks, made anew; see `text_pipeline`."""
        return text_pipeline(self.head)

    @property
    def articles(self) -> int:
        """How many articles it was fitted on."""
        return len(self.rows)

    def facts(self) -> dict[str, Any]:
        """For the manifest: what was chosen by validation, as settings that would fix it, and how."""
        kind = "folds"
        if self.validation.forward:
            dated = np.isfinite(np.asarray(self.validation.instants)).sum()
            share = "newest fifth" if dated >= MANY_DATED else "newer half"
            kind = f"the {share}, window by window,"
        return {
            **self.recipe.to_dict(),
            "validated_on": f"{kind} of the training part, {len(self.decided.judged.rows)} articles",
            "calibration": self.head.calibration.method,
            "calibration_log_loss": {trial.method: trial.log_loss for trial in self.decided.trials},
            "dropped": self.dropped,
        }


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


def fit_sections(
    corpus: Corpus, clusters: Ids, config: Config, progress: Progress = lambda step: None
) -> FittedSections:
    """Fit on every article of `corpus` that has a usable label; `clusters` (n,) keep near-duplicates in one fold.

    Raises:
        LabelError: there are too few labels or articles, or their texts hold no words.
    """
    labels, dropped = usable_labels(corpus, config.fit.min_label_articles)
    counts = dict(Counter(label for names in corpus.labels for label in names))
    several = corpus.several
    kept = set(labels)
    rows = np.flatnonzero([not kept.isdisjoint(names) for names in corpus.labels])
    corpus, clusters = corpus.take(rows), clusters[rows]
    truth = truth_matrix(corpus, labels)
    validation = make_validation(
        corpus, truth, clusters, several=several, fold_count=config.fit.folds, seed=config.fit.seed
    )
    # Whole, it is too large to try anything on, and nothing is.
    quick = validation if truth.size > TOO_MANY else validation.quick()
    cache = BlockCache(corpus.rows, max(_WEIGHT_CELLS // len(labels), 1000), corpus.hash_key)
    trials = Trials(cache, quick, progress)
    recipe = _recipe(corpus, trials, config)
    if config.fit.search:
        from training.search import search_recipe  # Optuna is an extra of its own

        recipe = search_recipe(recipe, trials, corpus, config)
    progress("calibrating")
    # A fit goes on from where one on older articles has come.
    slack = np.zeros(truth.shape) if truth.size <= _SLACK_CELLS else None
    decided = _decide(validation, cache, recipe, labels, config, slack)
    progress(f"fitting {recipe}")
    blocks = cache.fitted(recipe)
    if not any(isinstance(block.block, TextBlock) for block in blocks):
        raise LabelError(
            "the training articles with a section hold no words to learn from",
            remedy="map the columns of their texts (--column body=…)",
        )
    features = side_by_side([block.matrix for block in blocks])
    weights, intercept = fit_linear(
        features,
        truth,
        recipe,
        several=several,
        seed=config.fit.seed,
        emphasis=validation.emphasis(recipe),
        slack=slack,
    )
    head = SectionHead(
        Linear(
            [block.block for block in blocks],
            weights * decided.slope,
            intercept * decided.slope + decided.shift,
        ),
        labels,
        several,
        decided.calibration,
        decided.decisions,
        truth.mean(axis=0),
        decided.assignment,
        _least_known(blocks),
    )
    return FittedSections(head, recipe, decided, dropped, counts, rows, truth, cache, validation)


def _recipe(corpus: Corpus, trials: Trials, config: Config) -> Recipe:
    """As configured, or chosen where the configuration leaves it open."""
    fit = config.fit
    c = fit.section_c or None
    balance = fit.section_balance if fit.section_balance >= 0 else None
    half_life = fit.section_half_life if fit.section_half_life >= 0 else None
    if fit.section_blocks:
        blocks = tuple(map(BlockRecipe.parse, fit.section_blocks))
        recipe = Recipe(blocks, c or 1.0, balance or 0.0, half_life or 0.0)
        return tune_recipe(recipe, trials, c=c, balance=balance, half_life=half_life)
    named = config.features.of_sections
    return choose_recipe(corpus, trials, named, c=c, balance=balance, half_life=half_life)


def _least_known(blocks: Sequence[FittedBlock]) -> int:
    """A tenth of what the shortest hundredth of the training articles have: less is no article like them."""
    known = sum(np.diff(block.matrix.indptr) for block in blocks if isinstance(block.block, TextBlock))
    return max(1, int(np.quantile(known, 0.01) / 10))


def _decide(
    validation: Validation,
    cache: BlockCache,
    recipe: Recipe,
    labels: tuple[str, ...],
    config: Config,
    slack: NDArray[np.float64] | None,
) -> Decided:
    scores = validation.held_out(cache, recipe, slack)
    cache.forget()
    if scores is None:
        scores = np.full(validation.truth.shape, np.nan)
    at = np.flatnonzero(np.isfinite(scores).all(axis=1))
    return decide(
        at,
        scores[at],
        validation.truth[at],
        validation.parts[at],
        labels,
        config.decisions,
        several=validation.several,
        forward=validation.forward,
    )


def text_pipeline(head: SectionHead) -> Pipeline:
    """The text part of the head as plain scikit-learn objects, for notebooks: TF-IDF and one linear classifier.

    It takes headline, summary and body joined by line breaks, and leaves out what else the head looks at (source,
    headline). `predict` names the best section; with several labels take those whose `decision_function` is not below 0.
    """
    blocks = head.linear.blocks
    starts = np.cumsum([0, *(block.width for block in blocks)]).tolist()
    texts = [
        (start, block) for start, block in zip(starts, blocks, strict=False) if isinstance(block, TextBlock)
    ]
    # One text an article is all that a list of strings holds.
    column = TEXT if any(block.column == TEXT for _, block in texts) else texts[0][1].column
    texts = [(start, block) for start, block in texts if block.column == column]
    kept = np.concatenate([np.arange(start, start + block.width) for start, block in texts])
    weights, intercept = head.linear.weights[kept].T, head.linear.intercept
    if head.assignment is not None:
        intercept = intercept - head.assignment  # a label is assigned from 0 on
    machine = LinearSVC()
    machine.classes_ = np.array(head.labels)
    machine.n_features_in_ = weights.shape[1]
    if len(head.labels) == 2 and not head.several:  # scikit-learn keeps one row for two classes, the second's
        weights, intercept = weights[1:], intercept[1:]
    machine.coef_, machine.intercept_ = weights.copy(), intercept.copy()
    union = FeatureUnion(
        [(f"tfidf_{i}", sklearn_vectorizer(block)) for i, (_, block) in enumerate(texts)],
        transformer_weights={f"tfidf_{i}": block.weight for i, (_, block) in enumerate(texts)},
    )
    return Pipeline([("features", union), ("linear", machine)])

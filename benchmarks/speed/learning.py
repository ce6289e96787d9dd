"""Contenders in training: articles in, a fitted model out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.by_hand import fit_by_hand
from benchmarks.speed.models import (
    SEED,
    fasttext_label,
    fit_fasttext,
    import_fasttext,
    prepared,
    write_fasttext,
)
from benchmarks.speed.texts import read_dataset
from benchmarks.speed.workers import Contender
from classifier.linear import Linear
from classifier.text.rows import TEXT
from training.config import Config, parse_config
from training.corpus import Corpus
from training.dataset import Dataset
from training.features import BlockCache
from training.fit import fit
from training.recipes import BlockRecipe, Recipe
from training.sections import truth_matrix, usable_labels
from training.selection import fit_linear

FIXED = Recipe((BlockRecipe(TEXT, "word", (1, 2)),))  # C 1, as scikit-learn's default


@dataclass(frozen=True, slots=True)
class Learnt:
    """A fitted model: what labels it gives to other articles, the recipe, and how many recipes were tried for it."""

    label: Callable[[Corpus], list[str]]
    recipe: str
    tried: int = 0
    seconds: dict[str, float] = field(default_factory=dict)  # by kind of work


@cache
def dataset(name: str | None) -> Dataset:
    """Read and split once a process: nobody's seconds hold it."""
    return read_dataset(name)


def labelled(name: str | None, part: str) -> Corpus:
    """The articles of `train` or `test` that have a section."""
    data = dataset(name)
    some = np.array([bool(own) for own in data.corpus.labels], np.bool_)
    return data.corpus.take(some & getattr(data.split, part))


def newsdesk_chosen(name: str | None) -> Contender:
    """`training.fit.fit` with default settings: recipes are tried, the best is fitted and calibrated."""
    return _newsdesk(name, Config())


def newsdesk_calibrated(name: str | None) -> Contender:
    """The same with a fixed recipe."""
    return _newsdesk(name, parse_config({"fit": FIXED.to_dict()}))


def _newsdesk(name: str | None, config: Config) -> Contender:
    data = dataset(name)

    def run() -> Learnt:
        steps: list[str] = []
        head = fit(data, config, progress=steps.append, hash_key=SEED).sections
        if head is None:
            raise LookupError("no section head was fitted")
        return Learnt(_labelling(head.head.linear, head.head.labels), str(head.recipe), _tries(steps))

    return run


def newsdesk_weights(name: str | None) -> Contender:
    """The fixed recipe's vocabulary, idf and weights alone: no calibration."""
    data = dataset(name)

    def run() -> Learnt:
        corpus = data.corpus.take(data.split.train)
        labels, _ = usable_labels(corpus, Config().fit.min_label_articles)
        (block,) = BlockCache(corpus.rows, hash_key=SEED).fitted(FIXED)
        truth = truth_matrix(corpus, labels)
        weights, intercept = fit_linear(block.matrix, truth, FIXED, several=False, seed=0)
        return Learnt(_labelling(Linear([block.block], weights, intercept), labels), str(FIXED))

    return run


def _labelling(linear: Linear, labels: tuple[str, ...]) -> Callable[[Corpus], list[str]]:
    return lambda corpus: [labels[k] for k in linear.scores(corpus.rows).argmax(axis=1).tolist()]


def sklearn_chosen(name: str | None, own_fits: bool) -> Contender:
    """The same procedure by scikit-learn's objects; `own_fits`: but for the linear fits."""
    data = dataset(name)

    def run() -> Learnt:
        steps: list[str] = []
        corpus, clusters = data.corpus.take(data.split.train), data.clusters[data.split.train]
        made = fit_by_hand(corpus, clusters, Config(), steps.append, own_fits=own_fits)
        return Learnt(made.label, str(made.recipe), _tries(steps), dict(made.cache.seconds))

    return run


def _tries(steps: list[str]) -> int:
    return sum(step.startswith("tried ") for step in steps)


def fasttext_trained(name: str | None, folder: str, dimensions: int) -> Contender:
    """fastText's own training on two threads, from a file that was written before."""
    import_fasttext()
    corpus, path = labelled(name, "train"), Path(folder) / "train.txt"
    write_fasttext(path, corpus.texts, [own[0] for own in corpus.labels])

    def run() -> Learnt:
        machine = fit_fasttext(path, dimensions, 2)
        return Learnt(lambda asked: _fasttext_labels(machine, asked), f"{dimensions} dimensions")

    return run


def _fasttext_labels(machine: Any, corpus: Corpus) -> list[str]:
    names = {fasttext_label(own[0]): own[0] for own in corpus.labels}
    found = machine.predict([prepared(text) for text in corpus.texts])[0]
    return [names.get(own[0], own[0]) for own in found]


def facts(learnt: Learnt, name: str | None) -> dict[str, Any]:
    """What a run found, and how often it is right on the test part."""
    test = labelled(name, "test")
    right = [own[0] == found for own, found in zip(test.labels, learnt.label(test), strict=True)]
    return {
        "recipe": learnt.recipe,
        "tried": learnt.tried,
        "accuracy": round(float(np.mean(right)), 4),
        "seconds": {kind: round(own, 2) for kind, own in learnt.seconds.items()},
    }

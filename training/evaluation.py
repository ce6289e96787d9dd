"""The metrics of a version on labelled articles, baselines beside it: the JSON of `evaluate` and `train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import LabelError
from classifier.model import Model
from classifier.reading import Reading
from classifier.sections import SectionHead
from training.baselines import (
    POPULARITY_BASELINES,
    popularity_scores,
    section_labels,
)
from training.config import Config
from training.corpus import Corpus, Mask, make_corpus
from training.dataset import judgements_of
from training.labels import Judgements, group_boxes
from training.metrics import (
    PopularityMetrics,
    accuracy,
    bootstrap_mean,
    bootstrap_statistic,
    coverage_precision,
    ece,
    evaluate_popularity,
    log_loss,
    macro_f1,
    micro_f1,
    paired_difference,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_FLOOR = 2.2e-16  # the least probability that a log loss sees, as in training.metrics


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`sections` and `popularity` as in the JSON contract, None where the model or the labels lack that side."""

    sections: dict[str, Any] | None
    popularity: dict[str, Any] | None

    def to_dict(self) -> dict[str, Any]:
        return {"sections": self.sections, "popularity": self.popularity}


def evaluate(
    model: Model,
    corpus: Corpus,
    judgements: Judgements,
    *,
    leaked: Mask | None = None,
    intervals: bool = True,
) -> Evaluation:
    """Evaluate both heads on `corpus` (n articles; those made from boxes are left out of the section metrics).

    `judgements` hold the true popularity; `leaked` (n,) marks articles with near-duplicates in training: the figures
    without them are given too. `intervals` adds bootstrap intervals at 95 %.
    """
    tables = model.manifest.get("baselines", {})
    sections = popularity = None
    labelled = np.array([bool(labels) for labels in corpus.labels], np.bool_) & ~corpus.from_box
    if model.sections is not None and labelled.any():
        part = corpus.take(labelled)
        hidden = None if leaked is None else leaked[labelled]
        sections = _sections(model.sections, part, tables.get("sections", {}), hidden, intervals)
    if model.popularity is not None and len(judgements):
        popularity = _popularity(model, corpus, judgements, tables.get("popularity", {}), intervals)
    return Evaluation(sections, popularity)


def _sections(
    head: SectionHead,
    corpus: Corpus,
    tables: Mapping[str, Any],
    leaked: Mask | None,
    intervals: bool,
) -> dict[str, Any]:
    probability = head.probabilities(corpus.rows)
    measure = _several if head.several else _single
    found = measure(head, corpus.labels, probability)
    if intervals:
        outcome = _correct(head, corpus.labels, probability)
        found["intervals"] = {"accuracy": list(bootstrap_mean(outcome.astype(np.float64)))}
        if not head.several:
            truth, predicted = _names(head, corpus.labels, probability)
            statistic = bootstrap_statistic(lambda rows: macro_f1(truth[rows], predicted[rows]), len(truth), samples=200)
            found["intervals"]["macro_f1"] = list(statistic)
    if tables:
        answers = section_labels(corpus, tables).items()
        found["baselines"] = {
            name: {"accuracy": float(np.mean([set(t) == {p} for t, p in zip(corpus.labels, own, strict=True)]))}
            for name, own in answers
        }
    if leaked is not None and leaked.any():
        keep = np.flatnonzero(~leaked)
        rest = [corpus.labels[i] for i in keep]
        found["near_duplicates"] = int(leaked.sum())
        found["without_near_duplicates"] = measure(head, rest, probability[keep]) if len(keep) else None
    return found


def _single(head: SectionHead, labels: Sequence[tuple[str, ...]], probability: Floats) -> dict[str, Any]:
    truth, predicted = _names(head, labels, probability)
    ids = {label: i for i, label in enumerate(head.labels)}
    # A section that training never saw has the last, empty column: its probability is 0 whatever the article.
    index = np.array([ids.get(name, len(ids)) for name in truth.tolist()])
    padded = np.column_stack([probability, np.zeros(len(probability))])
    confidence = probability.max(axis=1)
    correct = truth == predicted
    return {
        "n": len(truth),
        "accuracy": accuracy(truth, predicted),
        "macro_f1": macro_f1(truth, predicted),
        "micro_f1": micro_f1(truth, predicted),
        "ece": ece(confidence, correct),
        "log_loss": log_loss(padded, index),
        "file": _file(head, confidence, correct),
    }


def _several(head: SectionHead, labels: Sequence[tuple[str, ...]], probability: Floats) -> dict[str, Any]:
    names = sorted({*head.labels, *(name for row in labels for name in row)})
    ids = {name: i for i, name in enumerate(names)}
    truth = np.zeros((len(labels), len(names)), np.bool_)
    for row, own in enumerate(labels):
        truth[row, [ids[name] for name in own]] = True
    known = [ids[name] for name in head.labels]
    full = np.zeros(truth.shape)
    full[:, known] = probability
    assigned = full >= 0.5
    right = np.where(truth, full, 1.0 - full)
    best = full.argmax(axis=1)
    return {
        "n": len(truth),
        "accuracy": accuracy(truth, assigned),
        "macro_f1": macro_f1(truth, assigned),
        "micro_f1": micro_f1(truth, assigned),
        "ece": ece(full.ravel(), truth.ravel()),
        "log_loss": float(-np.log(np.maximum(right, _FLOOR)).mean()),
        "file": _file(head, full.max(axis=1), truth[np.arange(len(best)), best]),
    }


def _names(
    head: SectionHead, labels: Sequence[tuple[str, ...]], probability: Floats
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    predicted = np.array(head.labels, dtype=np.str_)[probability.argmax(axis=1)]
    return np.array([row[0] for row in labels], dtype=np.str_), predicted


def _correct(head: SectionHead, labels: Sequence[tuple[str, ...]], probability: Floats) -> Bools:
    """(n,) whether exactly the right labels were assigned."""
    if not head.several:
        truth, predicted = _names(head, labels, probability)
        return np.asarray(truth == predicted)
    chosen = [{name for name, p in zip(head.labels, row, strict=True) if p >= 0.5} for row in probability]
    return np.array([set(own) == assigned for own, assigned in zip(labels, chosen, strict=True)])


def _file(head: SectionHead, confidence: Floats, correct: Bools) -> list[dict[str, Any]]:
    found = []
    for threshold in head.thresholds:
        precision, coverage = None, 0.0
        if threshold.probability is not None:
            held, coverage = coverage_precision(confidence, correct, threshold.probability)
            precision = held if coverage > 0 else None
        found.append({"target": threshold.target, "precision": precision, "coverage": coverage})
    return found


def _popularity(
    model: Model,
    corpus: Corpus,
    judgements: Judgements,
    tables: Mapping[str, Any],
    intervals: bool,
) -> dict[str, Any]:
    head = model.popularity
    if head is None:  # the caller has looked; this tells the type checker
        return {}
    results = head.results(corpus.rows)
    at = judgements.rows
    scores = np.array([result.score for result in results])[at]
    chances = np.array([result.top5_probability for result in results])[at]
    own = _measure(judgements, scores, chances)
    baselines = {
        name: _measure(judgements, values[at], None)
        for name, values in popularity_scores(corpus, tables).items()
    }
    found: dict[str, Any] = {
        **own.to_dict(),
        "baselines": {name: baselines[name].to_dict() for name in POPULARITY_BASELINES},
    }
    if intervals and own.groups:
        names = ("ndcg_at_10", "top5_overlap")
        found["intervals"] = {name: list(bootstrap_mean(own.per_group[name])) for name in names}
        found["ahead_of"] = {
            name: _difference(own, baselines[name]) for name in POPULARITY_BASELINES
        }
    return found


def _measure(judgements: Judgements, scores: Floats, chances: Floats | None) -> PopularityMetrics:
    return evaluate_popularity(
        judgements.values, scores, judgements.groups, flags=judgements.flags, top5_probability=chances
    )


def _difference(own: PopularityMetrics, other: PopularityMetrics) -> dict[str, float]:
    """The paired difference in nDCG@10 over groups, with its 95 % bootstrap interval."""
    difference = paired_difference(own.per_group["ndcg_at_10"], other.per_group["ndcg_at_10"])
    return {"ndcg_at_10": difference.mean, "low": difference.low, "high": difference.high}


def evaluate_reading(model: Model, reading: Reading, config: Config, split: str | None) -> Evaluation:
    """Evaluate on what was read: the part `split` ("train", "test", "all"); by default the test part where the data
    names one, else everything.

    Raises:
        LabelError: no article is in that part.
    """
    timezone = config.data.timezone or str(model.manifest.get("data", {}).get("timezone", ""))
    corpus = make_corpus(reading.articles, timezone)
    given = np.array([value or "" for value in corpus.rows.values("split")], dtype=np.str_)
    part = split or ("test" if (given == "test").any() else "all")
    mask = np.ones(len(corpus), np.bool_) if part == "all" else given == part
    if not mask.any():
        raise LabelError(f"no article is in the {part} part", remedy="give articles, or another --split")
    boxes = () if np.isfinite(corpus.popularity[mask]).any() else tuple(group_boxes(reading.boxes))
    judgements, _, _ = judgements_of(corpus, boxes, config)
    return evaluate(model, corpus.take(mask), judgements.within(mask))

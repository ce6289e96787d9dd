"""The metrics of a version on labelled articles, baselines beside it: the JSON of `evaluate` and `train`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from classifier.decisions import prediction_sets
from classifier.errors import LabelError
from classifier.model import Model
from classifier.reading import Reading
from training.answers import Answers, SectionAnswers, answers_of
from training.calibration.conformal import coverage_and_size
from training.config import Config
from training.corpus import Corpus, Ids, Mask
from training.dataset import build_dataset, corpus_of, fingerprint, judgements_of
from training.labels import Judgements, group_boxes, label_notes
from training.metrics import (
    accuracy,
    bootstrap_mean,
    bootstrap_statistic,
    coverage_precision,
    ece,
    log_loss,
    macro_f1,
    micro_f1,
)
from training.popularity_evaluation import (
    PopularityBasis,
    judged,
    measure_popularity,
    popularity_metrics,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Labels = Sequence[tuple[str, ...]]
_FLOOR = 2.2e-16  # the least probability that a log loss sees, as in training.metrics


@dataclass(frozen=True, slots=True)
class Basis:
    """What an evaluation measured: `answers` about articles of `corpus`; `model` is None where there were several.
    `popularity` is None where that side was not measured."""

    answers: Answers
    corpus: Corpus
    model: Model | None
    popularity: PopularityBasis | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`sections` and `popularity` as in the JSON contract, None where the model or the labels lack that side; `notes`
    on the labels that were read."""

    sections: dict[str, Any] | None
    popularity: dict[str, Any] | None
    basis: Basis | None = field(default=None, compare=False, repr=False)
    notes: tuple[str, ...] = ()

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
    """Evaluate both heads on `corpus` (n articles; those made from boxes are left out).

    `judgements` hold the true popularity; `leaked` (n,) marks articles with near-duplicates in training: the figures
    without them are given too. `intervals` adds bootstrap intervals at 95 %.
    """
    answers = answers_of(model, corpus, np.ones(len(corpus), np.bool_))
    found = evaluate_answers(answers, corpus, judgements, leaked=leaked, intervals=intervals)
    measured = None if found.basis is None else found.basis.popularity
    return replace(found, basis=Basis(answers, corpus, model, measured))


def evaluate_answers(
    answers: Answers,
    corpus: Corpus,
    judgements: Judgements,
    *,
    leaked: Mask | None = None,
    intervals: bool = True,
) -> Evaluation:
    """`evaluate` of answers that are there already, to those articles of `corpus` that they are about."""
    sections = popularity = measured = None
    if answers.sections is not None:
        labels = [corpus.labels[i] for i in answers.sections.rows.tolist()]
        hidden = None if leaked is None else leaked[answers.sections.rows]
        sections = _sections(answers.sections, labels, hidden, intervals)
    if answers.popularity is not None:
        judgements = judged(judgements, np.isfinite(answers.popularity.scores))
        if len(judgements):
            measured = measure_popularity(answers.popularity, judgements)
            popularity = popularity_metrics(
                measured, answers.popularity, corpus, leaked=leaked, intervals=intervals
            )
    return Evaluation(sections, popularity, Basis(answers, corpus, None, measured))


def _sections(
    answers: SectionAnswers, labels: Labels, leaked: Mask | None, intervals: bool
) -> dict[str, Any]:
    measure = _several if answers.several else _single
    everything = np.arange(len(labels))
    found = measure(answers, labels, everything)
    if intervals:
        outcome = _correct(answers, labels)
        found["intervals"] = {"accuracy": list(bootstrap_mean(outcome.astype(np.float64)))}
        if not answers.several:
            found["intervals"]["macro_f1"] = _macro_f1_interval(*_names(answers, labels, everything))
    if answers.baselines:
        found["baselines"] = {
            name: {
                "accuracy": float(np.mean([set(t) == {p} for t, p in zip(labels, own.tolist(), strict=True)]))
            }
            for name, own in answers.baselines.items()
        }
    if leaked is not None and leaked.any():
        keep = np.flatnonzero(~leaked)
        rest = [labels[i] for i in keep.tolist()]
        found["near_duplicates"] = int(leaked.sum())
        found["without_near_duplicates"] = measure(answers, rest, keep) if len(keep) else None
    return found


def _macro_f1_interval(truth: NDArray[np.str_], predicted: NDArray[np.str_]) -> list[float]:
    # Coded as integers: a bootstrap over strings takes seconds.
    _, codes = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    true, own = codes[: len(truth)], codes[len(truth) :]
    return list(bootstrap_statistic(lambda rows: macro_f1(true[rows], own[rows]), len(true), samples=200))


def _single(answers: SectionAnswers, labels: Labels, at: Ids) -> dict[str, Any]:
    """The metrics of the answers at `at` (m,), whose true labels are `labels` (m)."""
    probability = answers.probability[at]
    truth, predicted = _names(answers, labels, at)
    ids = {label: i for i, label in enumerate(answers.labels)}
    # A section that training never saw has no column: its probability is 0 whatever the article.
    index = np.array([ids.get(name, -1) for name in truth.tolist()], np.int64)
    confidence = probability.max(axis=1)
    correct = truth == predicted
    return {
        "n": len(truth),
        "accuracy": accuracy(truth, predicted),
        "macro_f1": macro_f1(truth, predicted),
        "micro_f1": micro_f1(truth, predicted),
        "ece": ece(confidence, correct),
        "log_loss": log_loss(probability, index),
        "log_loss_constant": _constant_log_loss(float(correct.mean()), probability.shape[1]),
        "file": _file(answers, at, confidence, correct),
        "sets": _sets(answers, at, index),
    }


def _constant_log_loss(share: float, labels: int) -> float | None:
    """Of an answer that names the same sections, always with the confidence `share` that is right of them, the rest spread
    evenly; what calibration must beat."""
    if not 0 < share < 1:
        return None
    return float(-share * np.log(share) - (1 - share) * np.log((1 - share) / max(labels - 1, 1)))


def _several(answers: SectionAnswers, labels: Labels, at: Ids) -> dict[str, Any]:
    names = sorted({*answers.labels, *(name for row in labels for name in row)})
    ids = {name: i for i, name in enumerate(names)}
    truth = np.zeros((len(labels), len(names)), np.bool_)
    for row, own in enumerate(labels):
        truth[row, [ids[name] for name in own]] = True
    full, assigned = np.zeros(truth.shape), np.zeros(truth.shape, np.bool_)
    columns = [ids[name] for name in answers.labels]
    full[:, columns], assigned[:, columns] = answers.probability[at], answers.assigned[at]
    right = np.where(truth, full, 1.0 - full)
    best = full.argmax(axis=1)
    return {
        "n": len(truth),
        "accuracy": accuracy(truth, assigned),
        "macro_f1": macro_f1(truth, assigned),
        "micro_f1": micro_f1(truth, assigned),
        "ece": ece(full.ravel(), truth.ravel()),
        "log_loss": float(-np.log(np.maximum(right, _FLOOR)).mean()),
        "file": _file(answers, at, full.max(axis=1), truth[np.arange(len(best)), best]),
        "sets": [],  # they are for one label an article
    }


def _names(answers: SectionAnswers, labels: Labels, at: Ids) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    predicted = np.array(answers.labels, dtype=np.str_)[answers.probability[at].argmax(axis=1)]
    return np.array([row[0] for row in labels], dtype=np.str_), predicted


def _correct(answers: SectionAnswers, labels: Labels) -> Bools:
    """(m,) whether exactly the right labels were assigned."""
    if not answers.several:
        truth, predicted = _names(answers, labels, np.arange(len(labels)))
        return np.asarray(truth == predicted)
    chosen = [{answers.labels[i] for i in np.flatnonzero(row).tolist()} for row in answers.assigned]
    return np.array([set(own) == assigned for own, assigned in zip(labels, chosen, strict=True)])


def _file(answers: SectionAnswers, at: Ids, confidence: Floats, correct: Bools) -> list[dict[str, Any]]:
    found = []
    for target, thresholds in sorted(answers.thresholds.items()):
        filed = confidence >= thresholds[at]
        precision, coverage = coverage_precision(filed.astype(np.float64), correct, 1.0)
        found.append(
            {"target": target, "precision": precision if filed.any() else None, "coverage": coverage}
        )
    return found


def _sets(answers: SectionAnswers, at: Ids, truth: Ids) -> list[dict[str, Any]]:
    found = []
    for level, thresholds in sorted(answers.sets.items()):
        probability = answers.probability[at]
        # Refitting has a threshold a fold.
        members = np.zeros(probability.shape, np.bool_)
        for threshold in np.unique(thresholds[at]).tolist():
            own = thresholds[at] == threshold
            members[own] = prediction_sets(probability[own], threshold)
        coverage, size = coverage_and_size(members, truth)
        found.append({"level": level, "coverage": coverage, "mean_size": size})
    return found


def evaluate_reading(model: Model, reading: Reading, config: Config, split: str | None) -> Evaluation:
    """Evaluate on what was read: the part `split` ("train", "test", "all"); by default the test part where the data
    names one, else everything.

    Raises:
        LabelError: no article is in that part, or none of them has a label for a head of the model.
    """
    corpus = corpus_of(reading, timezone_of(model, config))
    mask = part_of(corpus, split)
    boxes = () if np.isfinite(corpus.popularity[mask]).any() else tuple(group_boxes(reading.boxes))
    judgements, _, report = judgements_of(corpus, boxes, config, mask)
    found = check_evaluation(evaluate(model, corpus.take(mask), judgements), model)
    return replace(found, notes=tuple(label_notes(corpus, report)))


def timezone_of(model: Model, config: Config) -> str:
    """The zone of local days: the configured one, else that of the training data."""
    return config.data.timezone or str(model.manifest.get("data", {}).get("timezone", ""))


def same_split(model: Model, reading: Reading, config: Config) -> Reading:
    """What was read, with the split that training made of the very same articles (known by their fingerprint) where the
    data give none: so that a version's test part can be evaluated again, and is what is evaluated by default."""
    trained_on = model.manifest.get("data", {}).get("fingerprint")
    splits = reading.articles.column("split")
    if splits.null_count < len(splits) or _fingerprint(reading) != trained_on:
        return reading
    split = build_dataset(reading, config).split
    sides = zip(split.train.tolist(), split.test.tolist(), strict=True)
    names = ["train" if train else "test" if test else None for train, test in sides]
    at = reading.articles.schema.get_field_index("split")
    articles = reading.articles.set_column(
        at, "split", pa.array(names[: reading.articles.num_rows], pa.string())
    )
    return replace(reading, articles=articles)


def _fingerprint(reading: Reading) -> str:
    return fingerprint(reading.articles, reading.boxes, reading.clicks)


def part_name(reading: Reading, split: str | None) -> str:
    """In words, what `evaluate_reading` evaluates on."""
    given = set(reading.articles.column("split").to_pylist())
    part = split or ("test" if "test" in given else "all")
    return "all articles that were read" if part == "all" else f"the {part} part"


def part_of(corpus: Corpus, split: str | None) -> Mask:
    """The articles (n,) of a part; see `evaluate_reading`.

    Raises:
        LabelError: it is empty.
    """
    given = np.array([value or "" for value in corpus.rows.values("split")], dtype=np.str_)
    part = split or ("test" if (given == "test").any() else "all")
    mask = np.ones(len(corpus), np.bool_) if part == "all" else given == part
    if not mask.any():
        raise LabelError(
            "there is no article to evaluate on" if part == "all" else f"no article is in the {part} part",
            remedy="give labelled articles" + ("" if part == "all" else ", or another --split"),
        )
    return np.asarray(mask)


def check_evaluation(found: Evaluation, model: Model | None = None) -> Evaluation:
    """The evaluation, if there is anything in it.

    Raises:
        LabelError: nothing could be evaluated.
    """
    if found.sections is not None or found.popularity is not None:
        return found
    needs = []
    if model is None or model.sections is not None:
        needs.append("a section")
    if model is None or model.popularity is not None:
        needs.append("a popularity and its group (or day)")
    raise LabelError(
        f"nothing can be evaluated: no article has {' or '.join(needs)}",
        remedy="give labelled articles (or map their columns: --column section=…)",
    )

"""What a report shows, above all about a section head, computed from its answers and from what it was fitted on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifier.display import word_contributions
from classifier.linear import INTERCEPT
from classifier.reading.rows import to_articles
from classifier.results import Contribution
from classifier.sections import SectionHead
from classifier.text.blocks import TextBlock
from training.answers import SectionAnswers
from training.corpus import Corpus, Ids
from training.evaluation import Evaluation
from training.hygiene import (
    conflicting_duplicates,
    confusable,
    similar_names,
    suspected_labels,
    write_jsonl,
)
from training.learning import LearningPoint, learning_curve, learning_sizes
from training.popularity_inspection import popularity_content
from training.report.assemble import HeldOut, section_content
from training.report.compute import top_words
from training.report.content import Hygiene, ReportContent, SectionContent, SetRow
from training.sections import FittedSections
from training.selection import ROUGH, TOO_MANY, Validation, fit_linear
from training.splits import folds

Floats = NDArray[np.float64]
_MOST_LISTED = 200
_HYGIENE_FOLDS = 3  # fits on two thirds of the articles know enough to doubt a label


@dataclass(frozen=True, slots=True)
class Inspection:
    """What only training knows: findings about the labels, with all of them as JSON lines, and a learning curve."""

    hygiene: Hygiene
    hygiene_jsonl: bytes
    learning_curve: tuple[LearningPoint, ...]
    labels: list[tuple[str, ...]]


def report_content(
    evaluation: Evaluation, *, inspection: Inspection | None = None, command: str = ""
) -> ReportContent:
    """What a report shows of an evaluation; `inspection` adds what training found, `command` is how it was trained."""
    popularity = popularity_content(evaluation)
    basis = evaluation.basis
    if basis is None or basis.answers.sections is None or evaluation.sections is None:
        return ReportContent(None, popularity, command)
    head = None if basis.model is None else basis.model.sections
    sections = _sections(basis.answers.sections, basis.corpus, evaluation.sections["sets"], head, inspection)
    return ReportContent(sections, popularity, command)


def _sections(
    answers: SectionAnswers,
    corpus: Corpus,
    sets: Sequence[dict[str, float]],
    head: SectionHead | None,
    inspection: Inspection | None,
) -> SectionContent:
    """There is no one `head` where several answered."""
    part = corpus.take(answers.rows)
    held_out = HeldOut(
        answers.labels,
        part.labels,
        answers.probability,
        part.rows.texts("headline"),
        [len(text) for text in part.texts],
        part.days,
        part.rows.values("source"),
        part.rows.values("language"),
        assigned=answers.assigned if answers.several else None,
    )
    thresholds = []
    if head is not None:
        thresholds = [(item.target, item.probability) for item in head.decisions.thresholds]
    content = section_content(
        held_out,
        thresholds=thresholds,
        words=None if head is None else _words(head, part),
        train_labels=() if inspection is None else inspection.labels,
    )
    content = replace(
        content,
        sets=tuple(SetRow(item["level"], item["coverage"], item["mean_size"]) for item in sets),
        top_words={} if head is None else _top_words(head),
    )
    if inspection is None:
        return content
    return replace(content, hygiene=inspection.hygiene, learning_curve=inspection.learning_curve or None)


def _words(head: SectionHead, part: Corpus) -> Callable[[int], Sequence[tuple[str, float]]]:
    """The words that speak for the likeliest label of article i."""

    def words(i: int) -> Sequence[tuple[str, float]]:
        table = part.table.slice(i, 1)
        (article,) = to_articles(table.combine_chunks().to_batches()[0])
        parts: list[Contribution] = [
            item for item in head.explain(part.take(np.array([i])).rows) if item.feature != INTERCEPT
        ]
        return word_contributions(article, parts, "section")

    return words


def _top_words(head: SectionHead) -> dict[str, tuple[tuple[str, float], ...]]:
    """Of whole words where the head knows any: parts of words say little to a reader."""
    names: list[str] = []
    kept: list[Ids] = []
    at = 0
    blocks = [block for block in head.linear.blocks if isinstance(block, TextBlock)]
    readable = [block for block in blocks if block.analyzer.kind == "word"][:1] or blocks[:1]
    for block in head.linear.blocks:
        if any(block is one for one in readable) and isinstance(block, TextBlock):
            names.extend(block.terms)
            kept.append(np.arange(at, at + block.width))
        at += block.width
    return top_words(names, head.linear.weights[np.concatenate(kept)], head.labels) if kept else {}


def inspect_training(fitted: FittedSections, corpus: Corpus, clusters: Ids) -> Inspection:
    """Look at the training articles themselves: `corpus` and `clusters` (n,) as they were given to `fit_sections`."""
    part = corpus.take(fitted.rows)
    at, probability = _doubted(fitted, clusters[fitted.rows])
    truth = fitted.truth[at]
    ids, headlines = part.rows.values("id"), part.rows.texts("headline")
    labels = fitted.head.labels
    suspects = suspected_labels(
        probability,
        truth,
        [ids[i] for i in at.tolist()],
        [headlines[i] for i in at.tolist()],
        labels,
        several=fitted.head.several,
        most=sys.maxsize,
    )
    conflicts = conflicting_duplicates(clusters[fitted.rows], part.labels, ids, headlines)
    pairs = confusable(probability, truth, labels)
    similar = similar_names(fitted.label_counts)
    hygiene = Hygiene(
        tuple(suspects[:_MOST_LISTED]),
        len(suspects),
        tuple(conflicts[:_MOST_LISTED]),
        len(conflicts),
        tuple(pairs),
        tuple(similar),
    )
    return Inspection(hygiene, write_jsonl(suspects, conflicts, pairs, similar), _curve(fitted), part.labels)


def _doubted(fitted: FittedSections, clusters: Ids) -> tuple[Ids, Floats]:
    """Positions (m,) among the fitted articles and their probabilities (m, k), by fits that did not see them: all
    articles where that is affordable."""
    judged, validation = fitted.decided.judged, fitted.validation
    if len(judged.rows) == len(fitted.rows) or fitted.truth.size > TOO_MANY:
        return judged.rows, judged.probability
    fold = folds(clusters, _HYGIENE_FOLDS, validation.seed)
    everything = np.ones(len(fold), np.bool_)
    again = Validation(
        fitted.truth,
        validation.several,
        fold,
        everything,
        fold,
        False,
        validation.seed,
        ROUGH,
        validation.instants,
    )
    scores = again.held_out(fitted.cache, fitted.recipe)
    if scores is None or not np.isfinite(scores).all():
        return judged.rows, judged.probability
    decided = fitted.decided
    return np.arange(len(fold)), decided.calibration.apply(scores * decided.slope + decided.shift)


def _curve(fitted: FittedSections) -> tuple[LearningPoint, ...]:
    """Accuracy on the articles that validation predicted (of several folds the last), after learning from some of the
    others: the newest of them where they are dated."""
    validation = fitted.validation
    if fitted.truth.size > TOO_MANY or not len(fitted.decided.judged.rows):
        return ()
    last = validation.fold[validation.asked].max()
    held = np.flatnonzero(validation.asked & (validation.fold == last))
    rest = np.flatnonzero(validation.fold < last if validation.forward else validation.fold != last)
    mask = np.zeros(len(fitted.truth), np.bool_)
    mask[rest] = True
    features = fitted.cache.features(fitted.recipe, mask)
    if features is None or not len(rest):
        return ()
    truth, decided = fitted.truth, fitted.decided

    def fit_predict(rows: Ids) -> NDArray[np.bool_]:
        weights, intercept = fit_linear(
            features[rows],
            truth[rows],
            fitted.recipe,
            several=validation.several,
            seed=validation.seed,
            tolerance=ROUGH,
            emphasis=validation.emphasis(fitted.recipe, rows),
        )
        scores = (features[held] @ weights + intercept) * decided.slope + decided.shift
        assigned = fitted.head.assigned(scores, decided.calibration.apply(scores))
        return np.asarray((assigned == truth[held]).all(axis=1))

    order = _newest_first(rest, fitted) if validation.forward else _shuffled(rest, validation.seed)
    return learning_curve(fit_predict, order, learning_sizes(len(order)))


def _newest_first(rest: Ids, fitted: FittedSections) -> Ids:
    instants = fitted.validation.instants
    if instants is None:
        return rest
    instants = instants[rest]
    return rest[np.argsort(-np.where(np.isfinite(instants), instants, -np.inf), kind="stable")]


def _shuffled(rest: Ids, seed: int) -> Ids:
    return np.random.default_rng(seed).permutation(rest)

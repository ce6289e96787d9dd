"""What a version (or several, each on its own articles) answers, and its baselines beside it: what evaluation measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.model import Model
from training.baselines import popularity_scores, section_labels
from training.corpus import Corpus, Ids, Mask

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class SectionAnswers:
    """Of m labelled articles at positions `rows` (m,): `probability` and `assigned` (m, labels); the probability from
    which on each article is filed for each target (m,), infinite where never; that from which on a section is in its
    prediction set for each coverage (m,); and each baseline's label (m,)."""

    rows: Ids
    labels: tuple[str, ...]
    several: bool
    probability: Floats
    assigned: Bools
    thresholds: Mapping[float, Floats]
    sets: Mapping[float, Floats]
    baselines: Mapping[str, Objects]


@dataclass(frozen=True, slots=True)
class PopularityAnswers:
    """`scores` and `chances` of the top five (n,), NaN for articles that were not asked about; each baseline's scores."""

    scores: Floats
    chances: Floats
    baselines: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Answers:
    """Both heads' answers; None where the version lacks the head or no article has a label for it."""

    sections: SectionAnswers | None
    popularity: PopularityAnswers | None


def answers_of(model: Model, corpus: Corpus, asked: Mask) -> Answers:
    """What `model` says about the articles of a mask (n,), those made from boxes left out; sections of labelled ones."""
    asked = asked & ~corpus.from_box
    return Answers(_sections(model, corpus, asked), _popularity(model, corpus, asked))


def _sections(model: Model, corpus: Corpus, asked: Mask) -> SectionAnswers | None:
    head = model.sections
    at = np.flatnonzero(asked & np.array([bool(labels) for labels in corpus.labels], np.bool_))
    if head is None or not len(at):
        return None
    part = corpus.take(at)
    tables = model.manifest.get("baselines", {}).get("sections", {})
    answers = section_labels(part, tables) if tables else {}
    found = head.judge(part.rows)
    best = found.probabilities.argmax(axis=1)
    decisions = head.decisions
    limits = {item.target: decisions.limits(head.labels, item.target)[best] for item in decisions.thresholds}
    return SectionAnswers(
        at,
        head.labels,
        head.several,
        found.probabilities,
        found.assigned,
        {target: np.where(found.enough, limit, np.inf) for target, limit in limits.items()},
        {item.level: np.where(found.enough, item.threshold, 0.0) for item in decisions.sets},
        {name: np.array(labels, np.object_) for name, labels in answers.items()},
    )


def _popularity(model: Model, corpus: Corpus, asked: Mask) -> PopularityAnswers | None:
    if model.popularity is None or not asked.any():
        return None
    part = corpus.take(asked)
    results = model.popularity.results(model.popularity_rows(part.rows))
    tables = model.manifest.get("baselines", {}).get("popularity", {})
    return PopularityAnswers(
        _spread([result.score for result in results], asked),
        _spread([result.top5_probability for result in results], asked),
        {name: _spread(values, asked) for name, values in popularity_scores(part, tables).items()},
    )


def _spread(values: Sequence[float] | Floats, asked: Mask) -> Floats:
    out = np.full(len(asked), np.nan)
    out[asked] = values
    return out


def pool(parts: Sequence[Answers]) -> Answers:
    """One of several versions' answers, each about articles of its own in the same corpus.

    A section that one of them does not know has the probability 0 there.
    """
    sections = [part.sections for part in parts if part.sections is not None]
    popularity = [part.popularity for part in parts if part.popularity is not None]
    return Answers(
        _pool_sections(sections) if sections else None,
        _pool_popularity(popularity) if popularity else None,
    )


def _pool_sections(parts: Sequence[SectionAnswers]) -> SectionAnswers:
    labels = tuple(sorted({label for part in parts for label in part.labels}))
    at = {label: i for i, label in enumerate(labels)}
    tables, chosen = [], []
    for part in parts:
        columns = [at[label] for label in part.labels]
        table, assigned = (
            np.zeros((len(part.rows), len(labels))),
            np.zeros((len(part.rows), len(labels)), np.bool_),
        )
        table[:, columns], assigned[:, columns] = part.probability, part.assigned
        tables.append(table)
        chosen.append(assigned)
    return SectionAnswers(
        np.concatenate([part.rows for part in parts]),
        labels,
        any(part.several for part in parts),
        np.concatenate(tables),
        np.concatenate(chosen),
        {
            target: np.concatenate([part.thresholds[target] for part in parts])
            for target in parts[0].thresholds
        },
        {
            level: np.concatenate([part.sets[level] for part in parts])
            for level in parts[0].sets
            if all(level in part.sets for part in parts)
        },
        {name: np.concatenate([part.baselines[name] for part in parts]) for name in parts[0].baselines},
    )


def _pool_popularity(parts: Sequence[PopularityAnswers]) -> PopularityAnswers:
    def merged(arrays: Sequence[Floats]) -> Floats:
        out = arrays[0].copy()
        for array in arrays[1:]:
            out[np.isfinite(array)] = array[np.isfinite(array)]
        return out

    return PopularityAnswers(
        merged([part.scores for part in parts]),
        merged([part.chances for part in parts]),
        {name: merged([part.baselines[name] for part in parts]) for name in parts[0].baselines},
    )

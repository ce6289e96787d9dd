"""What a user should know about a training run, as sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from training.config import Config
from training.dataset import Dataset
from training.hygiene import similar_names
from training.sections import FittedSections

_MOST = 20  # notes of one kind


def section_notes(sections: FittedSections, dataset: Dataset, config: Config) -> list[str]:
    """What a user should know about the labels: which were dropped, are only held out, or look like one another."""
    held_out = Counter(
        label
        for labels, test in zip(dataset.corpus.labels, dataset.split.test.tolist(), strict=True)
        if test
        for label in labels
    )
    least = config.fit.min_label_articles
    notes = _first(
        f'section "{label}" was dropped: {_articles(count, "training ")}, at least {least} are needed'
        for label, count in sections.dropped.items()
    )
    notes += _first(
        f'section "{label}" is only in the test part ({_articles(count)}): no article can get it'
        for label, count in sorted(held_out.items())
        if label not in sections.label_counts
    )
    notes += [f"section names: {group.remedy}" for group in similar_names(sections.label_counts)]
    unknown = sorted(set(config.decisions.sections) - set(sections.head.labels))
    notes += [f'decisions.sections: there is no section "{name}" to hold a target' for name in unknown]
    decisions = sections.head.decisions
    notes += [
        f"target precision {item.target:g}: the training articles cannot support it"
        for item in decisions.thresholds
        if item.probability is None
    ]
    notes += [
        f'target precision {item.target:g} of the section "{name}": its training articles cannot support it'
        for name, item in sorted(decisions.own.items())
        if item.probability is None
    ]
    return notes


def _first(notes: Iterable[str]) -> list[str]:
    """The first of many, and how many more."""
    every = list(notes)
    more = [f"and {len(every) - _MOST:,} more sections likewise"] if len(every) > _MOST else []
    return every[:_MOST] + more


def _articles(count: int, kind: str = "") -> str:
    return f"{count} {kind}article{'s' * (count != 1)}"

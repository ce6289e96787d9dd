"""What a user should know about a training run, as sentences."""

from __future__ import annotations

from collections import Counter

from training.config import Config
from training.dataset import Dataset
from training.hygiene import similar_names
from training.sections import FittedSections


def section_notes(sections: FittedSections, dataset: Dataset, config: Config) -> list[str]:
    """What a user should know about the labels: which were dropped, are only held out, or look like one another."""
    notes = [
        f'section "{label}" was dropped: {count} training article{"s" * (count != 1)}, '
        f"at least {config.fit.min_label_articles} are needed"
        for label, count in sections.dropped.items()
    ]
    held_out = Counter(
        label
        for labels, test in zip(dataset.corpus.labels, dataset.split.test.tolist(), strict=True)
        if test
        for label in labels
    )
    notes += [
        f'section "{label}" is only in the test part ({count} article{"s" * (count != 1)}): no article can get it'
        for label, count in sorted(held_out.items())
        if label not in sections.label_counts
    ]
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

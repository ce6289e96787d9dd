"""What a training run says about the labels, sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from classifier.decisions import Decisions, Threshold
from training.config import Config, parse_config
from training.corpus import Corpus
from training.dataset import Dataset
from training.notes import section_notes
from training.sections import FittedSections, fit_sections
from training.splits import Split

Make = Callable[..., Corpus]
Stories = Callable[..., list[dict[str, Any]]]


def dataset_of(corpus: Corpus, test: np.ndarray) -> Dataset:
    split = Split(~test, test, "by hand", np.zeros(len(corpus), np.bool_))
    return Dataset(corpus, np.arange(len(corpus)), split, (), ())


def supported(fitted: FittedSections, *thresholds: Threshold) -> FittedSections:
    """With other thresholds: a tiny corpus supports no target."""
    head = replace(fitted.head, decisions=Decisions(0.95, thresholds or (Threshold(0.95, 0.9),)))
    return replace(fitted, head=head)


def notes_of(
    corpus: Corpus, test: np.ndarray, config: Config | None = None, thresholds: tuple[Threshold, ...] = ()
) -> list[str]:
    config = config or Config()
    dataset = dataset_of(corpus, test)
    train = np.flatnonzero(~test)
    fitted = fit_sections(corpus.take(train), dataset.clusters[train], config)
    return section_notes(supported(fitted, *thresholds), dataset, config)


def none_of(corpus: Corpus) -> np.ndarray:
    return np.zeros(len(corpus), np.bool_)


def test_there_is_nothing_to_say(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of(stories(days=2))
    assert notes_of(corpus, np.arange(len(corpus)) >= 20) == []


@pytest.mark.parametrize(
    ("count", "least", "note"),
    [
        (1, 2, 'section "Rare" was dropped: 1 training article, at least 2 are needed'),
        (3, 4, 'section "Rare" was dropped: 3 training articles, at least 4 are needed'),
    ],
)
def test_a_dropped_section(corpus_of: Make, stories: Stories, count: int, least: int, note: str) -> None:
    rows = stories(days=2)
    for row in rows[:count]:
        row["section"] = "Rare"
    corpus = corpus_of(rows)
    test = np.arange(len(rows)) >= 20
    assert notes_of(corpus, test, parse_config({"fit": {"min_label_articles": least}})) == [note]


def test_sections_of_the_test_part_alone(corpus_of: Make, stories: Stories) -> None:
    rows = stories(days=2)
    rows[0]["section"] = "Rare"  # dropped, so that it is not said twice, though the test part has it
    for number, section in ((20, "Weather"), (21, "Travel"), (22, "Weather"), (23, "Rare")):
        rows[number]["section"] = section
    corpus = corpus_of(rows)
    assert notes_of(corpus, np.arange(len(rows)) >= 20) == [
        'section "Rare" was dropped: 1 training article, at least 2 are needed',
        'section "Travel" is only in the test part (1 article): no article can get it',
        'section "Weather" is only in the test part (2 articles): no article can get it',
    ]


def test_each_of_several_labels_of_the_test_part(corpus_of: Make, stories: Stories) -> None:
    rows = stories(days=2)
    for row in rows:
        row["sections"] = [row.pop("section")]
    rows[20]["sections"] += ["Weather", "Travel"]
    corpus = corpus_of(rows)
    assert [note.split(" is")[0] for note in notes_of(corpus, np.arange(len(rows)) >= 20)] == [
        'section "Travel"',
        'section "Weather"',
    ]


def test_names_that_look_alike(corpus_of: Make, stories: Stories) -> None:
    rows = stories(days=2)
    for row in rows[:6:2]:
        row["section"] = "politics "
    (note,) = notes_of(corpus_of(rows), none_of(corpus_of(rows)))
    assert note.startswith('section names: "Politics" (9), "politics " (3) differ only by')


def test_targets_of_sections_that_nobody_has(corpus_of: Make, stories: Stories) -> None:
    rows = stories(days=2)
    rows[0]["section"] = "Rare"
    corpus = corpus_of(rows)
    targets = {"Travel": 0.9, "Politics": 0.9, "Rare": 0.8}
    found = notes_of(corpus, none_of(corpus), parse_config({"decisions": {"sections": targets}}))
    assert found[1:] == [
        'decisions.sections: there is no section "Rare" to hold a target',
        'decisions.sections: there is no section "Travel" to hold a target',
    ]


def test_targets_that_the_articles_cannot_support(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of(stories(days=2))
    thresholds = (Threshold(0.9, 0.7), Threshold(0.95, None), Threshold(0.995, None))
    assert notes_of(corpus, none_of(corpus), thresholds=thresholds) == [
        "target precision 0.95: the training articles cannot support it",
        "target precision 0.995: the training articles cannot support it",
    ]
    # So few articles support none of the usual targets.
    fitted = fit_sections(corpus, np.arange(len(corpus)), Config())
    notes = section_notes(fitted, dataset_of(corpus, none_of(corpus)), Config())
    assert [note.split(":")[0] for note in notes] == [f"target precision {t}" for t in (0.95, 0.98, 0.99)]


def test_own_targets_that_the_articles_cannot_support(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of(stories(days=2))
    config = parse_config({"decisions": {"sections": {"Politics": 0.999}}})
    fitted = fit_sections(corpus, np.arange(len(corpus)), config)
    assert fitted.head.decisions.own["Politics"].probability is None
    notes = section_notes(fitted, dataset_of(corpus, none_of(corpus)), config)
    assert any("Politics" in note and "0.999" in note for note in notes)

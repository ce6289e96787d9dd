"""Suspected labels and confusable sections, both from probabilities: planted noise is found, clean labels are left in
peace."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import UsageError
from training.hygiene import confusable, suspected_labels, write_jsonl

LABELS = ["Politics", "Economy", "スポーツ", "사회", "World"]


def model(truth: np.ndarray, seed: int, spread: float = 1.0, gap: float = 5.0) -> np.ndarray:
    """Probabilities (n, k) of a model that has learned the truth (n,), more or less surely."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, spread, (len(truth), len(LABELS)))
    logits[np.arange(len(truth)), truth] += gap
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def one_hot(index: np.ndarray) -> np.ndarray:
    return np.eye(len(LABELS), dtype=np.bool_)[index]


def names(n: int) -> list[str]:
    return [f"a{i:05}" for i in range(n)]


def planted(n: int = 3000, share: float = 0.03) -> tuple[np.ndarray, np.ndarray, set[str]]:
    """Probabilities, labels of which `share` are wrong, and the ids of those."""
    random = np.random.default_rng(4)
    truth = random.integers(len(LABELS), size=n)
    wrong = np.flatnonzero(random.random(n) < share)
    given_labels = truth.copy()
    given_labels[wrong] = (truth[wrong] + random.integers(1, len(LABELS), len(wrong))) % len(LABELS)
    return model(truth, 5), given_labels, {names(n)[i] for i in wrong}


def test_planted_noise_is_found() -> None:
    p, labels, wrong = planted()
    found = suspected_labels(p, one_hot(labels), names(3000), names(3000), LABELS)
    hits = {suspect.id for suspect in found} & wrong
    assert len(hits) >= 0.8 * len(wrong)
    assert len(hits) >= 0.9 * len(found)
    assert {suspect.kind for suspect in found} == {"wrong"}
    margins = [suspect.margin for suspect in found]
    assert margins == sorted(margins, reverse=True)
    best = found[0]
    row = int(best.id[1:])
    assert best.label == LABELS[labels[row]]
    assert best.predicted == LABELS[p[row].argmax()]
    assert best.probability == p[row].max()
    assert best.probability - best.label_probability == pytest.approx(best.margin)


def test_only_the_most_likely_are_named() -> None:
    p, labels, _ = planted()
    everything = suspected_labels(p, one_hot(labels), names(3000), names(3000), LABELS)
    assert suspected_labels(p, one_hot(labels), names(3000), names(3000), LABELS, most=5) == everything[:5]
    assert suspected_labels(p, one_hot(labels), names(3000), names(3000), LABELS, most=0) == []


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_clean_separable_labels_are_left_in_peace(seed: int, several: bool) -> None:
    truth = np.random.default_rng(seed).integers(len(LABELS), size=300)
    p = model(truth, seed, spread=0.3, gap=8.0)
    arguments = (p, one_hot(truth), names(300), names(300), LABELS)
    assert suspected_labels(*arguments, several=several) == []
    assert confusable(p, one_hot(truth), LABELS) == []


def test_missing_and_extra_labels_are_found() -> None:
    random = np.random.default_rng(8)
    n = 4000
    truth = random.random((n, len(LABELS))) < 0.2
    p = 1 / (1 + np.exp(-(np.where(truth, 4.0, -4.0) + random.normal(0, 1, truth.shape))))
    labels = truth.copy()
    flipped = random.random(truth.shape) < 0.01
    labels[flipped] ^= True
    found = suspected_labels(p, labels, names(n), names(n), LABELS, several=True, most=10_000)
    planted_changes = set()
    for row, label in np.argwhere(flipped).tolist():
        kind = "missing" if truth[row, label] else "extra"
        planted_changes.add((kind, names(n)[row], LABELS[label]))
    named = {(suspect.kind, suspect.id, suspect.predicted or suspect.label) for suspect in found}
    assert len(named) == len(found)
    assert len(named & planted_changes) >= 0.4 * len(planted_changes)
    assert len(named & planted_changes) >= 0.9 * len(named)
    for suspect in found:
        assert (suspect.label is None) == (suspect.kind == "missing") == (suspect.label_probability is None)
        assert (suspect.predicted is None) == (suspect.kind == "extra") == (suspect.probability is None)


def test_neither_order_of_articles_nor_of_labels_matters() -> None:
    p, labels, _ = planted(600, 0.1)
    p = np.round(p, 2)  # ties
    truth, ids = one_hot(labels), names(600)
    rows, columns = np.random.default_rng(0).permutation(600), np.array([3, 1, 4, 0, 2])
    shuffled = (
        p[rows][:, columns],
        truth[rows][:, columns],
        [ids[i] for i in rows],
        [ids[i] for i in rows],
        [LABELS[i] for i in columns],
    )
    found = suspected_labels(p, truth, ids, ids, LABELS)
    again = suspected_labels(*shuffled)
    assert [suspect.id for suspect in again] == [suspect.id for suspect in found]
    pairs = confusable(p, truth, LABELS, level=0.01)
    assert pairs
    for pair, other in zip(pairs, confusable(*shuffled[:2], shuffled[4], level=0.01), strict=True):
        assert {pair.first, pair.second} == {other.first, other.second}
        assert pair.worse == other.worse


def test_a_label_without_articles_is_never_suggested() -> None:
    p = np.array([[0.01, 0.99], [0.9, 0.1]])
    truth = np.array([[True, False], [True, False]])
    assert suspected_labels(p, truth, ["a", "b"], ["", ""], ["x", "y"]) == []
    assert suspected_labels(p, truth[:, ::-1], ["a", "b"], ["", ""], ["x", "y"], several=True) == []


def test_what_the_model_prefers_is_not_suspected() -> None:
    """Thresholds 0.5 (x) and 0.3 (y): reaching another's threshold is not enough, nor is being low."""
    truth = np.array([[True, False]] * 2 + [[False, True]] * 2)
    ids = ["a", "b", "c", "d"]
    for article, other, suspected in (
        ([0.45, 0.35], [0.55, 0.10], False),  # reaches y's threshold, but its own is more likely
        ([0.35, 0.45], [0.65, 0.10], True),
        ([0.50, 0.55], [0.50, 0.10], False),  # its own is as high as is usual
    ):
        p = np.array([article, other, [0.1, 0.3], [0.1, 0.3]])
        found = suspected_labels(p, truth, ids, ids, ["x", "y"])
        assert [suspect.id for suspect in found] == ["a"] * suspected


def test_what_is_unlikely_is_not_missing_nor_what_is_likely_extra() -> None:
    """A label whose articles get 0.2 in the mean, and one whose others get 0.9."""
    truth = np.array([[True, True]] * 2 + [[False, False]] * 2)
    p = np.array([[0.2, 0.95], [0.2, 0.85], [0.3, 0.9], [0.0, 0.9]])
    assert suspected_labels(p, truth, list("abcd"), list("abcd"), ["x", "y"], several=True) == []


def test_articles_without_a_label_are_left_out() -> None:
    p = np.array([[0.01, 0.99], [0.9, 0.1], [0.1, 0.9]])
    truth = np.array([[False, False], [True, False], [False, True]])
    assert suspected_labels(p, truth, ["a", "b", "c"], [""] * 3, ["x", "y"]) == []
    (found,) = suspected_labels(p, truth, ["a", "b", "c"], [""] * 3, ["x", "y"], several=True)
    assert (found.kind, found.id, found.predicted) == ("missing", "a", "y")


def test_no_articles() -> None:
    empty = np.empty((0, 5))
    assert suspected_labels(empty, empty > 0, [], [], LABELS) == []
    assert suspected_labels(empty, empty > 0, [], [], LABELS, several=True) == []
    assert confusable(empty, empty > 0, LABELS) == []


def test_confusable_sections_are_named_in_both_directions() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(len(LABELS), size=2000)
    looks = truth.copy()
    looks[(truth == 1) & (random.random(2000) < 0.4)] = 0
    looks[(truth == 0) & (random.random(2000) < 0.2)] = 1
    looks[(truth == 2) & (random.random(2000) < 0.05)] = 3
    p = model(looks, 1, spread=0.3, gap=8.0)
    (pair,) = confusable(p, one_hot(truth), LABELS)
    assert (pair.first, pair.second) == ("Politics", "Economy")
    assert pair.forth.articles == (truth == 0).sum()
    assert pair.back.mistaken == ((truth == 1) & (looks == 0)).sum()
    assert pair.back.rate == pair.back.mistaken / pair.back.articles
    assert pair.back.low < 0.4 < pair.back.high
    assert pair.worse is pair.back
    assert len(confusable(p, one_hot(truth), LABELS, level=0.01)) == 2
    assert confusable(p, one_hot(truth), LABELS, level=0.9) == []


def test_a_small_section_that_a_large_one_takes_in_is_found_but_not_a_few_articles() -> None:
    for small, named in ((4, 0), (12, 1)):
        truth = np.array([0] * 1000 + [1] * small)
        p = model(np.zeros(len(truth), np.int64), 0, spread=0.1)
        assert len(confusable(p, one_hot(truth), LABELS)) == named


def test_confusable_with_several_labels_counts_articles_with_one_of_both() -> None:
    truth = np.array([[True, True]] * 50 + [[True, False]] * 10 + [[False, True]] * 40)
    p = np.array([[0.9, 0.8]] * 50 + [[0.2, 0.7]] * 10 + [[0.1, 0.9]] * 40)
    (pair,) = confusable(p, truth, ["cotton", "crops"])
    assert (pair.forth.articles, pair.forth.mistaken) == (10, 10)
    assert (pair.back.articles, pair.back.mistaken) == (40, 0)


def test_what_does_not_fit_is_refused() -> None:
    p, truth = np.full((2, 2), 0.5), np.eye(2, dtype=np.bool_)
    for arguments in (
        (p, truth[:1], ["a", "b"], ["", ""], ["x", "y"]),
        (p, truth.astype(int), ["a", "b"], ["", ""], ["x", "y"]),
        (p, truth, ["a"], ["", ""], ["x", "y"]),
        (p, truth, ["a", "b"], ["", ""], ["x"]),
        (p * 3, truth, ["a", "b"], ["", ""], ["x", "y"]),
        (p * math.nan, truth, ["a", "b"], ["", ""], ["x", "y"]),
    ):
        with pytest.raises(UsageError):
            suspected_labels(*arguments)


def test_findings_can_be_written() -> None:
    p, labels, _ = planted(500, 0.1)
    truth, ids = one_hot(labels), names(500)
    suspects = suspected_labels(p, truth, ids, ids, LABELS)
    pairs = confusable(p, truth, LABELS, level=0.001)
    lines = [json.loads(line) for line in write_jsonl(suspects, (), pairs).splitlines()]
    assert [line["id"] for line in lines[: len(suspects)]] == [suspect.id for suspect in suspects]
    assert [line["probability"] for line in lines[len(suspects) :]] == [pair.worse.rate for pair in pairs]
    assert suspects
    assert pairs

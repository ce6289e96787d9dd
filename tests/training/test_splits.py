"""What is held out, and folds; near-duplicates are never on two sides of a split that we make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import LabelError
from training.corpus import Corpus
from training.splits import day_folds, folds, split_corpus, stratified_folds

Make = Callable[..., Corpus]
START = datetime(2031, 4, 1, tzinfo=UTC)


def hour(number: float) -> str:
    return (START + timedelta(hours=number)).isoformat()


def dated(corpus_of: Make, hours: list[int | None]) -> Corpus:
    return corpus_of([{"published_at": None if h is None else hour(h)} for h in hours])


def apart(count: int) -> np.ndarray:
    return np.arange(count)


def test_a_given_split_is_respected(corpus_of: Make) -> None:
    rows = [{"split": s, "published_at": hour(9 - i)} for i, s in enumerate(["test", "train", None, "test"])]
    split = split_corpus(corpus_of(rows), np.array([0, 0, 1, 2]), test_share=0.2)
    assert split.train.tolist() == [False, True, False, False]
    assert split.test.tolist() == [True, False, False, True]
    assert split.leaked.tolist() == [True, False, False, False]  # reported, not moved
    assert split.how == "as given by the split column"


def test_the_newest_are_held_out(corpus_of: Make) -> None:
    split = split_corpus(dated(corpus_of, [3, 9, 1, 5, 2, 8, 4, 7, 6, 0]), apart(10), test_share=0.2)
    assert split.test.nonzero()[0].tolist() == [1, 5]
    assert (split.train ^ split.test).all()
    assert not split.leaked.any()


def test_the_share_is_not_lost_to_rounding(corpus_of: Make) -> None:
    split = split_corpus(dated(corpus_of, list(range(50))), apart(50), test_share=0.42)
    assert split.test.sum() == 21


def test_one_instant_stays_on_one_side(corpus_of: Make) -> None:
    split = split_corpus(dated(corpus_of, [0, 1, 2, 3, 4, 5, 6, 7, 7, 7]), apart(10), test_share=0.2)
    assert split.test.nonzero()[0].tolist() == [7, 8, 9]
    split = split_corpus(dated(corpus_of, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), apart(10), test_share=0.5)
    assert split.test.nonzero()[0].tolist() == [9]


def test_undated_articles_train(corpus_of: Make) -> None:
    split = split_corpus(dated(corpus_of, [None, 0, 1, 2, None, 3, 4]), apart(7), test_share=0.2)
    assert split.test.nonzero()[0].tolist() == [6]
    assert split.train[[0, 4]].all()


def test_near_duplicates_of_earlier_articles_train(corpus_of: Make) -> None:
    corpus = dated(corpus_of, list(range(10)))
    split = split_corpus(corpus, np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 0]), test_share=0.2)
    assert split.test.nonzero()[0].tolist() == [8]
    split = split_corpus(corpus, np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 8]), test_share=0.2)
    assert split.test.nonzero()[0].tolist() == [8, 9]


def test_without_dates_the_labels_keep_their_shares(corpus_of: Make) -> None:
    labels = ["a"] * 50 + ["b"] * 30 + ["c"] * 20
    corpus = corpus_of([{"section": label} for label in labels])
    split = split_corpus(corpus, apart(100), test_share=0.2)
    assert Counter(np.array(labels)[split.test].tolist()) == {"a": 10, "b": 6, "c": 4}
    assert "stratified 20%" in split.how
    again = split_corpus(corpus, apart(100), test_share=0.2)
    other = split_corpus(corpus, apart(100), test_share=0.2, seed=1)
    assert (again.test == split.test).all()
    assert (other.test != split.test).any()


def test_the_stratified_share_is_one_of_clusters(corpus_of: Make) -> None:
    corpus = corpus_of([{"section": "a"}] * 100)
    split = split_corpus(corpus, np.arange(100) % 10 + 50, test_share=0.2)
    assert (split.test.sum(), len(set((np.flatnonzero(split.test) % 10).tolist()))) == (20, 2)


def test_rare_labels_add_up_to_the_share(corpus_of: Make) -> None:
    corpus = corpus_of([{"section": f"s{i // 3}"} for i in range(90)])
    split = split_corpus(corpus, apart(90), test_share=0.2)
    assert split.test.sum() == 18
    left = Counter(np.array([labels[0] for labels in corpus.labels])[split.train].tolist())
    assert len(left) == 30  # no label is held out as a whole


@given(data=st.data(), are_dated=st.booleans(), share=st.floats(0.05, 0.9))
def test_near_duplicates_stay_on_one_side(
    corpus_of: Make, data: st.DataObject, are_dated: bool, share: float
) -> None:
    count = data.draw(st.integers(2, 40))
    clusters = np.array(data.draw(st.lists(st.integers(0, 12), min_size=count, max_size=count)))
    rows = [
        {
            "section": data.draw(st.sampled_from(["a", "b", None])),
            "published_at": hour(data.draw(st.integers(0, 30))) if are_dated else None,
        }
        for _ in range(count)
    ]
    try:
        split = split_corpus(corpus_of(rows), clusters, test_share=share)
    except LabelError:
        return
    assert (split.train ^ split.test).all()
    assert not set(clusters[split.train]) & set(clusters[split.test])
    assert not split.leaked.any()


@pytest.mark.parametrize(
    ("rows", "side"),
    [
        ([{"split": "train"}, {"split": "train"}], "test"),
        ([{"split": "test"}, {"split": "test"}], "training"),
        ([{"published_at": hour(1)}], "test"),
        ([{"published_at": hour(1)}, {"published_at": hour(1)}], "test"),
        ([{"section": "a"}, {"section": "b"}], "test"),
        ([{"section": "a"}], "test"),
    ],
)
def test_an_empty_side_is_an_error(corpus_of: Make, rows: list[dict[str, str]], side: str) -> None:
    with pytest.raises(LabelError, match=f"no article is left for the {side} part") as caught:
        split_corpus(corpus_of(rows), apart(len(rows)), test_share=0.2)
    assert caught.value.remedy


CLUSTERS = st.lists(st.integers(0, 15), min_size=1, max_size=60).map(np.array)


@given(clusters=CLUSTERS, count=st.integers(2, 9), seed=st.integers(0, 3))
def test_folds_keep_clusters_together_and_are_balanced(clusters: np.ndarray, count: int, seed: int) -> None:
    found = folds(clusters, count, seed)
    by_cluster = dict(zip(clusters.tolist(), found.tolist(), strict=True))
    assert [by_cluster[c] for c in clusters.tolist()] == found.tolist()
    sizes = np.bincount(list(by_cluster.values()), minlength=count)
    assert sizes.max() - sizes.min() <= 1
    assert (folds(clusters, count, seed) == found).all()


@given(clusters=CLUSTERS, count=st.integers(2, 9), data=st.data())
def test_stratified_folds(clusters: np.ndarray, count: int, data: st.DataObject) -> None:
    labels = [(data.draw(st.sampled_from("ab")),) for _ in clusters]
    found = stratified_folds(clusters, labels, count)
    _, first = np.unique(clusters, return_index=True)
    by_cluster = dict(zip(clusters.tolist(), found.tolist(), strict=True))
    assert [by_cluster[c] for c in clusters.tolist()] == found.tolist()
    sizes = np.bincount(found[first], minlength=count)
    assert sizes.max() - sizes.min() <= 1
    for label in "ab":
        own = np.bincount([found[i] for i in first if labels[i] == (label,)], minlength=count)
        assert own.max() - own.min() <= 1


def test_folds_are_shuffled_by_the_seed() -> None:
    assert (folds(apart(50), 5, 0) != folds(apart(50), 5, 1)).any()
    labels = [("a",)] * 50
    assert (stratified_folds(apart(50), labels, 5, 0) != stratified_folds(apart(50), labels, 5, 1)).any()
    assert (stratified_folds(apart(50), labels, 5, 0) != np.arange(50) % 5).any()


def test_day_folds_are_runs_of_days() -> None:
    days = np.array([f"2031-04-{1 + i // 2:02d}" for i in range(20)])
    assert day_folds(days, 5).tolist() == [i // 4 for i in range(20)]
    assert day_folds(days[::-1], 5).tolist() == [i // 4 for i in range(20)][::-1]
    assert day_folds(np.array(["x"] * 3), 5).tolist() == [0, 0, 0]
    assert len(set(day_folds(days[:6], 5).tolist())) == 3

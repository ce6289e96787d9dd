"""Evaluating the popularity head over groups."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import LabelError, UsageError
from training.metrics import (
    auc,
    auc_interval,
    ece,
    evaluate_popularity,
    gains,
    is_flag,
    mrr,
    ndcg_at,
    pairwise_accuracy,
    top5_constants,
    top_k_membership,
    top_k_overlap,
)

FIELDS = [
    "n",
    "groups",
    "ndcg_at_5",
    "ndcg_at_10",
    "top5_overlap",
    "mrr",
    "pairwise_accuracy",
    "auc",
    "top5_brier",
    "top5_ece",
]


def newspaper(sizes: list[int], seed: int = 0, levels: int = 8) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    groups = np.repeat([f"gazette 2024-01-{day:02}" for day in range(len(sizes))], sizes)
    n = len(groups)
    return random.integers(levels, size=n), random.integers(levels, size=n) / 3, groups, random.random(n)


@pytest.mark.parametrize("flags", [False, True])
def test_means_are_plain_over_the_groups(flags: bool) -> None:
    truth, scores, groups, probability = newspaper([12, 30, 10])
    truth = (truth > 5) * 1.0 if flags else truth
    metrics = evaluate_popularity(truth, scores, groups, flags=flags, top5_probability=probability)
    parts = [(truth[groups == g], scores[groups == g], probability[groups == g]) for g in np.unique(groups)]
    graded = [gains(t, flags) for t, _, _ in parts]
    assert (metrics.n, metrics.groups) == (52, 3)
    for name, values in {
        "ndcg_at_5": [ndcg_at(g, s, 5) for g, (_, s, _) in zip(graded, parts, strict=True)],
        "ndcg_at_10": [ndcg_at(g, s, 10) for g, (_, s, _) in zip(graded, parts, strict=True)],
        "top5_overlap": [top_k_overlap(t, s) for t, s, _ in parts],
        "mrr": [mrr(t, s) for t, s, _ in parts],
        "pairwise_accuracy": [pairwise_accuracy(t, s) for t, s, _ in parts],
    }.items():
        assert getattr(metrics, name) == pytest.approx(np.mean(values), abs=1e-15), name
        assert metrics.per_group[name].tolist() == values, name
    outcome = np.concatenate([top_k_membership(t, 5) for t, _, _ in parts])
    assert metrics.top5_ece == ece(probability, outcome)
    assert metrics.auc == (auc(truth, scores) if flags else None)


def test_brier_by_hand() -> None:
    truth = np.arange(10)
    probability = np.full(10, 0.25)
    metrics = evaluate_popularity(truth, truth, ["day"] * 10, flags=False, top5_probability=probability)
    assert metrics.top5_brier == pytest.approx((5 * 0.75**2 + 5 * 0.25**2) / 10)
    assert metrics.top5_ece == pytest.approx(0.25)
    # All counts equal: each article is in the top five with chance one half, so y (and not 1/2) is compared.
    metrics = evaluate_popularity(
        np.ones(10), truth, ["day"] * 10, flags=False, top5_probability=np.full(10, 0.5)
    )
    assert metrics.top5_brier == pytest.approx(0.25)
    assert metrics.top5_ece == 0


def test_small_groups_are_left_out() -> None:
    truth, scores, groups, _ = newspaper([9, 10, 1])
    metrics = evaluate_popularity(truth, scores, groups, flags=False)
    assert (metrics.n, metrics.groups) == (10, 1)
    assert metrics.mrr == mrr(truth[9:19], scores[9:19])


def test_groups_of_flags_without_a_one_are_left_out_but_their_articles_count_in_auc() -> None:
    _, scores, groups, _ = newspaper([10, 12, 3], levels=100)
    truth = np.zeros(25)
    truth[[2, 3, 23]] = 1
    metrics = evaluate_popularity(truth, scores, groups, flags=True)
    assert (metrics.n, metrics.groups) == (10, 1)
    assert metrics.auc == auc(truth, scores)
    assert evaluate_popularity(truth, scores, groups, flags=False).groups == 2


def test_a_group_of_equal_counts_is_kept_but_has_no_pairs() -> None:
    truth, scores, groups, _ = newspaper([20, 20])
    truth[:20] = 3
    metrics = evaluate_popularity(truth, scores, groups, flags=False)
    assert metrics.groups == 2
    assert metrics.per_group["ndcg_at_10"][0] == pytest.approx(1)
    assert math.isnan(metrics.per_group["pairwise_accuracy"][0])
    assert metrics.pairwise_accuracy == pairwise_accuracy(truth[20:], scores[20:])


@pytest.mark.parametrize("n", [0, 9])
@pytest.mark.parametrize("flags", [False, True])
def test_no_kept_group_gives_nan_and_null(n: int, flags: bool) -> None:
    truth = np.arange(n) % 2
    metrics = evaluate_popularity(truth, truth, ["day"] * n, flags=flags, top5_probability=truth)
    assert math.isnan(metrics.ndcg_at_10)
    assert all(len(values) == 0 for values in metrics.per_group.values())
    row = json.loads(json.dumps(metrics.to_dict(), allow_nan=False))
    assert list(row) == FIELDS
    kept = {"n": 0, "groups": 0} | ({"auc": 1.0} if flags and n else {})
    assert row == dict.fromkeys(FIELDS) | kept


def test_to_dict_holds_the_contract() -> None:
    truth, scores, groups, probability = newspaper([12, 30])
    row = evaluate_popularity(truth, scores, groups, flags=False).to_dict()
    assert [name for name in FIELDS if row[name] is None] == ["auc", "top5_brier", "top5_ece"]
    row = evaluate_popularity(truth > 3, scores, groups, flags=True, top5_probability=probability).to_dict()
    assert None not in row.values()


@given(
    st.lists(st.integers(1, 25), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.integers(2, 30),
)
def test_order_and_names_keep_the_last_bit(sizes: list[int], seed: int, flags: bool, levels: int) -> None:
    truth, scores, groups, probability = newspaper(sizes, seed, levels)
    truth = (truth > levels // 2) * 1 if flags else truth
    here = evaluate_popularity(truth, scores, groups, flags=flags, top5_probability=probability)
    random = np.random.default_rng(seed)
    rows = random.permutation(len(truth))
    names = random.permutation(len(sizes))
    renamed = [f"{names[int(name[-2:])]}号" for name in groups[rows].tolist()]
    there = evaluate_popularity(
        truth[rows], scores[rows], renamed, flags=flags, top5_probability=probability[rows]
    )
    assert here.to_dict() == there.to_dict()
    for name, values in here.per_group.items():
        np.testing.assert_array_equal(np.sort(values), np.sort(there.per_group[name]))


def test_group_names_of_any_kind_of_string() -> None:
    truth, scores, groups, _ = newspaper([12, 30])
    expected = evaluate_popularity(truth, scores, groups, flags=False)
    for kind in (groups.astype(object), groups.tolist(), tuple(groups.tolist()), groups.astype("T")):
        assert evaluate_popularity(truth, scores, kind, flags=False) == expected


def test_a_constant_is_the_mean_of_random_scores() -> None:
    truth, _, groups, _ = newspaper([15, 40, 11], levels=20)
    random = np.random.default_rng(1)
    drawn = [
        evaluate_popularity(truth, random.random(66), groups, flags=False).to_dict() for _ in range(1500)
    ]
    constant = evaluate_popularity(truth, np.zeros(66), groups, flags=False).to_dict()
    for name in ("ndcg_at_5", "ndcg_at_10", "top5_overlap", "mrr", "pairwise_accuracy"):
        values = np.array([row[name] for row in drawn])
        assert abs(values.mean() - constant[name]) < 4 * values.std() / math.sqrt(len(values)), name


@pytest.mark.parametrize(
    ("values", "flag"),
    [
        ([0, 1, 1], True),
        ([0.0, 0.0], True),
        ([True, False], True),
        ([1, 2], False),
        ([0.5], False),
        ([], False),
    ],
)
def test_is_flag(values: list, flag: bool) -> None:
    assert is_flag(values) is flag


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"truth": [1, math.nan]}, LabelError),
        ({"truth": [1, None]}, LabelError),
        ({"truth": [0, 2], "flags": True}, LabelError),
        ({"scores": [1, math.nan]}, UsageError),
        ({"scores": [1]}, UsageError),
        ({"groups": ["a"]}, UsageError),
        ({"groups": ["a", None]}, LabelError),
        ({"groups": np.array([1, 2])}, LabelError),
        ({"top5_probability": [0.5]}, UsageError),
        ({"top5_probability": [0.5, 1.5]}, UsageError),
        ({"top5_probability": [0.5, math.nan]}, UsageError),
    ],
)
def test_bad_input_is_refused_with_a_remedy(changes: dict, error: type[Exception]) -> None:
    arguments = {"truth": [1, 0], "scores": [1, 2], "groups": ["a", "b"], "flags": False} | changes
    with pytest.raises(error) as caught:
        evaluate_popularity(**arguments)
    assert caught.value.remedy


def test_both_constants_by_hand() -> None:
    truth = np.arange(30.0)
    groups = ["a"] * 10 + ["b"] * 20
    base, size = top5_constants(truth, groups, flags=False)
    rate = 10 / 30
    assert base == pytest.approx(
        (0.5 * (1 - rate) ** 2 + 0.5 * rate**2 + 0.25 * (1 - rate) ** 2 + 0.75 * rate**2) / 2
    )
    assert size == pytest.approx((0.25 + 0.1875) / 2)
    told = evaluate_popularity(truth, truth, groups, flags=False, top5_probability=np.full(30, rate))
    assert told.top5_brier == pytest.approx(base)
    assert np.isnan(top5_constants(truth[:9], ["a"] * 9, flags=False)).all()


def test_the_interval_of_auc_holds_it_and_knows_no_order() -> None:
    random = np.random.default_rng(0)
    flags = (random.random(400) < 0.2).astype(float)
    scores = np.round(flags + random.normal(size=400), 1)
    low, high = auc_interval(flags, scores)
    middle = evaluate_popularity(flags, scores, ["g"] * 400, flags=True).auc
    assert middle is not None
    assert low < middle < high
    assert 0.05 < high - low < 0.2
    order = random.permutation(400)
    assert auc_interval(flags[order], scores[order]) == (low, high)
    assert auc_interval(flags, np.zeros(400)) == (0.5, 0.5)
    assert auc_interval(flags, flags) == (1.0, 1.0)
    assert np.isnan(auc_interval(np.ones(4), np.arange(4.0))).all()


def test_groups_are_named_in_the_order_of_their_figures() -> None:
    truth = np.r_[np.arange(10.0), np.arange(9.0), np.arange(12.0)]
    groups = ["b"] * 10 + ["c"] * 9 + ["a"] * 12
    found = evaluate_popularity(truth, truth * (np.array(groups) == "a"), groups, flags=False)
    assert found.group_names == ("a", "b")
    assert found.per_group["mrr"][0] == 1.0
    assert found.per_group["mrr"][1] < 0.5
    assert "group_names" not in found.to_dict()

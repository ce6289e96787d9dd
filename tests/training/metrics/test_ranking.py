"""Ranking metrics of one group: by hand, against other libraries, and ties against every order of them."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from classifier.errors import LabelError, UsageError
from training.metrics import (
    auc,
    gains,
    mrr,
    ndcg_at,
    pairwise_accuracy,
    top_k_membership,
    top_k_overlap,
)
from training.metrics.ranking import Judged

counts = st.integers(0, 4)
tied_pairs = st.lists(st.tuples(counts, counts), min_size=1, max_size=6)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(pairs, dtype=np.float64)
    return table[:, 0], table[:, 1]


def orders(scores: np.ndarray) -> list[np.ndarray]:
    """Every order (best first) that the scores allow, each as the places 1 … n of the articles."""
    allowed = []
    for order in permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in pairwise(order)):
            places = np.empty(len(scores))
            places[list(order)] = np.arange(1, len(scores) + 1)
            allowed.append(places)
    return allowed


def plain_ndcg(worth: np.ndarray, places: np.ndarray, k: int) -> float:
    best = sum(w / math.log2(i + 2) for i, w in enumerate(sorted(worth, reverse=True)[:k]))
    found = sum(w / math.log2(p + 1) for w, p in zip(worth, places, strict=True) if p <= k)
    return found / best


@given(tied_pairs, st.integers(1, 8))
@settings(max_examples=150)
def test_ndcg_is_the_mean_over_every_order_of_the_ties(pairs: list[tuple[int, int]], k: int) -> None:
    gain, scores = columns(pairs)
    if not gain.any():
        assert math.isnan(ndcg_at(gain, scores, k))
        return
    expected = np.mean([plain_ndcg(2**gain - 1, places, k) for places in orders(scores)])
    assert ndcg_at(gain, scores, k) == pytest.approx(expected, abs=1e-12)


@given(tied_pairs, st.integers(1, 8))
@settings(max_examples=150)
def test_overlap_and_mrr_are_the_mean_over_every_order_on_both_sides(pairs: list, k: int) -> None:
    truth, scores = columns(pairs)
    true_orders, predicted_orders = orders(truth), orders(scores)
    overlaps = [np.mean((t <= k)[p <= k]) for t in true_orders for p in predicted_orders]
    assert top_k_overlap(truth, scores, k) == pytest.approx(np.mean(overlaps), abs=1e-12)
    reciprocals = [1 / p[np.argmin(t)] for t in true_orders for p in predicted_orders]
    assert mrr(truth, scores) == pytest.approx(np.mean(reciprocals), abs=1e-12)
    members = np.mean([p <= k for p in predicted_orders], axis=0)
    assert top_k_membership(scores, k) == pytest.approx(members, abs=1e-12)


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=200))
def test_pairwise_accuracy_counts_pairs(pairs: list[tuple[int, int]]) -> None:
    truth, scores = columns(pairs)
    higher = truth[:, None] > truth
    right = np.sign(scores[:, None] - scores)[higher]
    if not higher.any():
        assert math.isnan(pairwise_accuracy(truth, scores))
        return
    assert pairwise_accuracy(truth, scores) == pytest.approx(np.mean((right + 1) / 2), abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 30, 127, 128, 129, 300])
@pytest.mark.parametrize("levels", [1, 2, 40])
def test_a_group_that_is_judged_often_has_the_same_metrics(n: int, levels: int) -> None:
    random = np.random.default_rng(n * levels)
    truth = random.integers(levels, size=n).astype(np.float64)
    group = Judged(truth, False)
    for _ in range(3):
        scores = random.integers(levels, size=n).astype(np.float64)
        worth = gains(truth, False)
        wanted = (
            ndcg_at(worth, scores, 5),
            ndcg_at(worth, scores, 10),
            top_k_overlap(truth, scores),
            mrr(truth, scores),
            pairwise_accuracy(truth, scores),
        )
        np.testing.assert_array_equal(group.metrics(scores), wanted)
    flags = (truth > 0).astype(np.float64)
    assert Judged(flags, True).metrics(truth)[1] == pytest.approx(ndcg_at(flags, truth, 10), nan_ok=True)


@pytest.mark.parametrize("n", [63, 64, 65, 255, 256, 257, 1000])
@pytest.mark.parametrize("levels", [2, 50, 10**6])
def test_pairwise_accuracy_of_large_groups(n: int, levels: int) -> None:
    random = np.random.default_rng(n + levels)
    truth = random.integers(levels, size=n)
    scores = truth * 0.5 + random.integers(levels, size=n)
    higher = truth[:, None] > truth
    right = np.sign(scores[:, None] - scores)[higher]
    assert pairwise_accuracy(truth, scores) == pytest.approx(np.mean((right + 1) / 2), abs=1e-12)


@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 45), st.integers(0, 2**32 - 1))
def test_ndcg_with_ties_agrees_with_scikit_learn(n: int, levels: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    gain, scores = random.integers(0, 5, size=n), random.integers(levels, size=n)
    gain[0] = 4
    if n > 1:  # scikit-learn refuses a single document
        expected = ndcg_score([2.0**gain - 1], [scores], k=k)
        assert ndcg_at(gain, scores, k) == pytest.approx(expected, abs=1e-12)


@given(st.integers(2, 60), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_untied_scores_agree_with_trec_eval(n: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, scores = random.permutation(n), random.permutation(n)
    gain = gains(truth, flag=False)
    run = [ir_measures.ScoredDoc("q", f"d{i}", float(score)) for i, score in enumerate(scores)]
    measure = ir_measures.nDCG(gains={g: 2**g - 1 for g in range(5)}) @ k
    judged = [ir_measures.Qrel("q", f"d{i}", int(g)) for i, g in enumerate(gain)]
    expected = ir_measures.calc_aggregate([measure], judged, run)[measure]
    assert ndcg_at(gain, scores, k) == pytest.approx(expected, abs=1e-6)
    best = [ir_measures.Qrel("q", f"d{np.argmax(truth)}", 1)]
    expected = ir_measures.calc_aggregate([ir_measures.RR], best, run)[ir_measures.RR]
    assert mrr(truth, scores) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.tuples(st.booleans(), counts), min_size=1, max_size=60))
def test_auc_agrees_with_scikit_learn_and_with_pairs(pairs: list[tuple[bool, int]]) -> None:
    flags, scores = columns(pairs)
    if flags.min() == flags.max():
        assert math.isnan(auc(flags, scores))
        return
    assert auc(flags, scores) == pytest.approx(roc_auc_score(flags, scores), abs=1e-12)
    assert auc(flags, scores) == pairwise_accuracy(flags, scores)


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_keeps_the_last_bit(pairs: list[tuple[int, int]], random) -> None:
    here, there = columns(pairs), columns(random.sample(pairs, len(pairs)))
    for metric in (
        lambda t, s: ndcg_at(gains(t, flag=False), s / 3, 10),
        lambda t, s: top_k_overlap(t, s / 3),
        mrr,
        pairwise_accuracy,
        lambda t, s: auc(t > 2, s),
    ):
        assert repr(metric(*here)) == repr(metric(*there))


def test_random_scores_reach_in_the_mean_what_a_constant_scores() -> None:
    random = np.random.default_rng(0)
    truth = np.floor(random.lognormal(3, 1.5, size=30))
    gain = gains(truth, flag=False)
    draws = [random.normal(size=30) for _ in range(4000)]
    for metric in (
        lambda s: ndcg_at(gain, s, 5),
        lambda s: ndcg_at(gain, s, 10),
        lambda s: top_k_overlap(truth, s),
        lambda s: mrr(truth, s),
        lambda s: pairwise_accuracy(truth, s),
        lambda s: auc(truth > 50, s),
    ):
        drawn = np.array([metric(scores) for scores in draws])
        assert abs(drawn.mean() - metric(np.zeros(30))) < 4 * drawn.std() / math.sqrt(len(drawn))


def test_gains_by_hand() -> None:
    # 20 articles: rank 1 is 5 %, 2 is 10 %, 5 is 25 %, 10 is 50 %.
    truth = np.arange(20, 0, -1)
    assert gains(truth, flag=False).tolist() == [4, 3, 2, 2, 2, 1, 1, 1, 1, 1, *[0] * 10]
    # Ten articles: the best is 10 %; the two tied thirds share rank 3 (30 %).
    assert gains([9, 8, 7, 7, 5, 4, 3, 2, 1, 0], flag=False).tolist() == [3, 2, 1, 1, 1, 0, 0, 0, 0, 0]
    assert gains([0, 1, 1], flag=True).tolist() == [0, 1, 1]
    assert gains([7], flag=False).tolist() == [0]


@pytest.mark.parametrize("n", [20, 40, 60, 140, 300, 5000])
def test_the_edges_of_the_gains_are_exact(n: int) -> None:
    by_rank = gains(-np.arange(n), flag=False)
    assert [int((by_rank >= g).sum()) for g in (4, 3, 2, 1)] == [n // 20, n // 10, n // 4, n // 2]


@pytest.mark.parametrize(("n", "gain"), [(10, 3), (19, 3), (20, 4), (500, 4)])
def test_equal_counts_share_the_best_rank_and_any_order_is_ideal(n: int, gain: int) -> None:
    truth = np.full(n, 12.0)
    assert set(gains(truth, flag=False)) == {gain}
    for scores in (np.zeros(n), np.arange(n), np.arange(n) // 2):
        assert ndcg_at(gains(truth, flag=False), scores, 10) == pytest.approx(1, abs=1e-15)
        assert top_k_overlap(truth, scores) == pytest.approx(5 / n)
        assert mrr(truth, scores) == pytest.approx(np.mean(1 / np.arange(1, n + 1)))
        assert math.isnan(pairwise_accuracy(truth, scores))


def test_a_perfect_order_scores_one_and_the_reverse_least() -> None:
    truth = np.array([3.0, 50.0, 7.0, 1.0, 9.0, 2.0, 8.0, 4.0, 5.0, 6.0])
    gain = gains(truth, flag=False)
    assert [ndcg_at(gain, truth, 5), top_k_overlap(truth, truth), mrr(truth, truth)] == [1, 1, 1]
    assert [pairwise_accuracy(truth, truth), pairwise_accuracy(truth, -truth)] == [1, 0]
    assert [ndcg_at(gain, -truth, 5), top_k_overlap(truth, -truth), mrr(truth, -truth)] == [0, 0, 0.1]


def test_k_beyond_the_group_and_a_single_article() -> None:
    assert top_k_membership([3, 1], 5).tolist() == [1, 1]
    assert top_k_overlap([3, 1], [0, 1], 5) == 1
    assert ndcg_at([1, 0], [0, 1], 99) == pytest.approx(1 / math.log2(3))
    assert ndcg_at([1], [0], 1) == 1
    assert mrr([0], [0]) == 1


def test_only_the_order_of_scores_matters() -> None:
    truth, scores = [1, 5, 3, 3], np.array([0.5, -np.inf, np.inf, -0.0])
    assert mrr(truth, scores) == 0.25
    assert pairwise_accuracy(truth, scores) == pairwise_accuracy(truth, [2, 0, 3, 1])
    assert top_k_membership([0.0, -0.0], 1).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: gains([], flag=False), LabelError),
        (lambda: gains([1, math.nan], flag=False), LabelError),
        (lambda: gains([1, None], flag=False), LabelError),
        (lambda: gains([0, 2], flag=True), LabelError),
        (lambda: ndcg_at([1, 0], [1], 5), UsageError),
        (lambda: ndcg_at([1, 0], [1, math.nan], 5), UsageError),
        (lambda: ndcg_at([1, 0], [1, 0], 0), UsageError),
        (lambda: ndcg_at([], [], 1), LabelError),
        (lambda: top_k_membership([1, math.nan], 1), UsageError),
        (lambda: top_k_membership([1, 2], 0), UsageError),
        (lambda: top_k_overlap([1, 2], [1, 2], 0), UsageError),
        (lambda: top_k_overlap([1, 2], [1]), UsageError),
        (lambda: mrr([1, math.nan], [1, 2]), LabelError),
        (lambda: mrr([1, 2], [1, None]), UsageError),
        (lambda: pairwise_accuracy([[1, 2]], [[1, 2]]), UsageError),
        (lambda: pairwise_accuracy([1, 2], ["a", "b"]), UsageError),
        (lambda: auc([0, 0.5], [1, 2]), LabelError),
        (lambda: auc([], []), LabelError),
    ],
)
def test_bad_input_is_refused_with_a_remedy(call, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        call()
    assert caught.value.remedy

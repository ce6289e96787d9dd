"""The section metrics: against scikit-learn, by hand, and under permutation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from sklearn.metrics import log_loss as sklearn_log_loss

from classifier.errors import LabelError, UsageError
from training.metrics import accuracy, coverage_precision, ece, log_loss, macro_f1, micro_f1

LABELS = ["Politics", "Economy", "경제", "スポーツ", ""]
label_pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


@given(label_pairs)
def test_single_labels_agree_with_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, predicted = map(list, zip(*pairs, strict=True))
    assert accuracy(truth, predicted) == accuracy_score(truth, predicted)
    assert macro_f1(truth, predicted) == pytest.approx(
        f1_score(truth, predicted, average="macro", zero_division=0), abs=1e-15
    )
    assert micro_f1(truth, predicted) == pytest.approx(accuracy(truth, predicted), abs=1e-15)


@given(st.integers(1, 30), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_several_labels_agree_with_scikit_learn(n: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, predicted = random.random((2, n, k)) < 0.3
    present = np.flatnonzero(truth.any(axis=0) | predicted.any(axis=0))
    assert accuracy(truth, predicted) == accuracy_score(truth, predicted)
    if not len(present):
        assert math.isnan(macro_f1(truth, predicted))
        assert math.isnan(micro_f1(truth, predicted))
        return
    expected = f1_score(truth, predicted, labels=present, average="macro", zero_division=0)
    assert macro_f1(truth, predicted) == pytest.approx(expected, abs=1e-15)
    expected = f1_score(truth, predicted, average="micro", zero_division=0)
    assert micro_f1(truth, predicted) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint64])
def test_integer_labels_of_any_width_and_size(dtype: type[np.integer]) -> None:
    truth = np.array([0, 1, 1, 100], dtype=dtype)
    predicted = np.array([0, 1, 0, 1], dtype=dtype)
    # F1: 2/3 for 0, 1/2 for 1, 0 for 100
    assert macro_f1(truth, predicted) == pytest.approx((2 / 3 + 1 / 2) / 3)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint64])
def test_small_integer_labels(dtype: type) -> None:
    assert macro_f1(np.array([0, 1, 1], dtype=dtype), np.array([0, 1, 0], dtype=dtype)) == pytest.approx(
        2 / 3
    )


def test_the_names_of_many_labels_keep_the_last_bit() -> None:
    random = np.random.default_rng(0)
    truth, predicted = random.integers(40, size=(2, 300))
    predicted = np.where(random.random(300) < 0.5, truth, predicted)
    values = {
        macro_f1(names[truth], names[predicted]) for names in (random.permutation(40) for _ in range(50))
    }
    assert len(values) == 1


def test_macro_f1_is_over_labels_in_truth_or_prediction() -> None:
    assert macro_f1(["a", "a", "b"], ["a", "a", "c"]) == pytest.approx(1 / 3)
    assert macro_f1([[1, 0, 0], [1, 0, 0]], [[1, 0, 0], [1, 1, 0]]) == pytest.approx(1 / 2)


@given(label_pairs, st.randoms(use_true_random=False))
def test_label_metrics_keep_their_last_bit_under_permutation_and_renaming(pairs: list, random) -> None:
    shuffled = random.sample(pairs, len(pairs))
    renamed = dict(zip(LABELS, random.sample(LABELS, len(LABELS)), strict=True))
    truth, predicted = zip(*pairs, strict=True)
    other = [[renamed[label] for label in column] for column in zip(*shuffled, strict=True)]
    for metric in (accuracy, macro_f1, micro_f1):
        assert metric(truth, predicted) == metric(*other)


@given(st.integers(1, 30), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_log_loss_agrees_with_scikit_learn(n: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(k, 0.3), size=n)
    index = random.integers(k, size=n)
    expected = sklearn_log_loss(index, probabilities, labels=np.arange(k))
    assert log_loss(probabilities, index) == pytest.approx(expected, rel=1e-9)


def test_log_loss_by_hand() -> None:
    assert log_loss([[0.5, 0.5], [0.25, 0.75]], [0, 0]) == pytest.approx((math.log(2) + math.log(4)) / 2)
    clipped = -math.log(np.finfo(np.float64).eps)
    assert log_loss([[0.0, 1.0]], [0]) == pytest.approx(clipped)
    assert log_loss([[0.5, 0.5]], [-1]) == pytest.approx(clipped)
    assert log_loss(np.array([[0, 1]]), [1]) == 0


def test_ece_by_hand() -> None:
    # Two bins of two: |0.3 - 0.5| and |0.8 - 0.5|.
    assert ece([0.2, 0.9, 0.4, 0.7], [1, 1, 0, 0], bins=2) == pytest.approx((0.2 + 0.3) / 2)
    # Five in two bins: sizes 3 and 2.
    assert ece([0.1, 0.2, 0.3, 0.9, 1.0], [0, 0, 0, 1, 1], bins=2) == pytest.approx((3 * 0.2 + 2 * 0.05) / 5)
    # Fewer articles than bins: each is its own bin.
    assert ece([0.2, 0.9], [0, 1], bins=15) == pytest.approx((0.2 + 0.1) / 2)
    assert ece([1, 0], [True, False]) == 0


@given(st.integers(1, 60), st.integers(1, 20))
def test_ece_of_a_constant_is_its_distance_to_the_share_correct(n: int, right: int) -> None:
    correct = np.arange(n) < right
    assert ece(np.full(n, 0.7), correct) == pytest.approx(abs(0.7 - correct.mean()), abs=1e-12)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.3, 0.35, 0.8, 1.0]), st.floats(0, 1)), min_size=1, max_size=50
    ),
    st.integers(1, 15),
    st.randoms(use_true_random=False),
)
def test_ece_and_coverage_keep_their_last_bit_under_permutation(rows: list, bins: int, random) -> None:
    confidence, correct = zip(*rows, strict=True)
    other_confidence, other_correct = zip(*random.sample(rows, len(rows)), strict=True)
    assert ece(confidence, correct, bins) == ece(other_confidence, other_correct, bins)
    here = coverage_precision(confidence, correct, 0.3)
    assert here == coverage_precision(other_confidence, other_correct, 0.3) or math.isnan(here[0])


def test_coverage_precision_by_hand() -> None:
    confidence, correct = [0.95, 0.5, 0.9, 0.1], [1, 1, 0, 0]
    assert coverage_precision(confidence, correct, 0.9) == (0.5, 0.5)
    assert coverage_precision(confidence, correct, 0.0) == (0.5, 1.0)
    assert coverage_precision(confidence, correct, 0.91) == (1.0, 0.25)
    precision, coverage = coverage_precision(confidence, correct, 0.99)
    assert math.isnan(precision)
    assert coverage == 0


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: accuracy(["a"], ["a", "b"]), UsageError),
        (lambda: accuracy([], []), LabelError),
        (lambda: accuracy(["a", None], ["a", "b"]), LabelError),
        (lambda: accuracy([0.5], [0.5]), UsageError),
        (lambda: macro_f1(["1"], [1]), UsageError),
        (lambda: macro_f1([[0, 2]], [[0, 1]]), LabelError),
        (lambda: macro_f1([[0, 1]], [0, 1]), UsageError),
        (lambda: micro_f1([[0, 1], [1]], [[0, 1], [1]]), UsageError),
        (lambda: ece([0.5], [0, 1]), UsageError),
        (lambda: ece([0.5, math.nan], [0, 1]), UsageError),
        (lambda: ece([0.5, 1.1], [0, 1]), UsageError),
        (lambda: ece([0.5, None], [0, 1]), UsageError),
        (lambda: ece([0.5], [1], bins=0), UsageError),
        (lambda: ece([], []), LabelError),
        (lambda: ece([["a"]], [["b"]]), UsageError),
        (lambda: ece(["a"], [1]), UsageError),
        (lambda: coverage_precision([0.5], [1], math.nan), UsageError),
        (lambda: log_loss([0.5, 0.5], [0]), UsageError),
        (lambda: log_loss([[0.5, 0.6]], [0]), UsageError),
        (lambda: log_loss([[math.nan, 0.6]], [0]), UsageError),
        (lambda: log_loss([[-0.5, 1.5]], [0]), UsageError),
        (lambda: log_loss([[0.5, 0.5]], [2]), LabelError),
        (lambda: log_loss([[0.5, 0.5]], [0.0]), UsageError),
        (lambda: log_loss([[0.5, 0.5]], [0, 1]), UsageError),
        (lambda: log_loss(np.empty((0, 2)), np.empty(0, dtype=int)), LabelError),
    ],
)
def test_bad_input_is_refused_with_a_remedy(call, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        call()
    assert caught.value.remedy

"""The machines are LinearSVC's, whatever the number of processors, and can be interrupted."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from training import machines
from training.machines import NotConverged, fit_machines

Floats = np.ndarray[Any, Any]


def made(seed: int, rows: int = 60, width: int = 30, classes: int = 3) -> tuple[sp.csr_matrix, Floats]:
    draw = np.random.default_rng(seed)
    features = sp.csr_matrix(draw.random((rows, width)) * (draw.random((rows, width)) < 0.2))
    truth = draw.random((rows, classes)) < 0.4
    truth[0], truth[1] = True, False
    return features, truth


def objective(weights: Floats, features: sp.csr_matrix, truth: Floats, cost: Floats) -> float:
    """LinearSVC's, of one machine (width + 1,), the intercept last."""
    missing = 1 - np.where(truth, 1, -1) * (features @ weights[:-1] + weights[-1])
    return float(0.5 * weights @ weights + (cost * np.maximum(missing, 0) ** 2).sum())


@given(
    st.integers(0, 2**32), st.sampled_from([0.1, 1.0, 8.0]), st.sampled_from([0.5, 1.0, 3.0]), st.booleans()
)
@settings(max_examples=40)
def test_they_are_those_of_linear_svc(seed: int, c: float, positive: float, weighed: bool) -> None:
    features, truth = made(seed)
    emphasis = np.random.default_rng(seed).uniform(0.2, 2.0, len(truth)) if weighed else np.ones(len(truth))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machines, "MOST_PASSES", 100_000)
        weights, intercept = fit_machines(
            features, truth, c * emphasis, np.full(3, positive), tolerance=1e-7, seed=seed
        )
    for k in range(3):
        theirs = LinearSVC(C=c, tol=1e-7, max_iter=100_000, class_weight={False: 1.0, True: positive})
        theirs.fit(features, truth[:, k], sample_weight=emphasis)
        # Each stops where it is near enough to the same end.
        np.testing.assert_allclose(weights[:, k], theirs.coef_[0], rtol=0, atol=1e-4)
        assert intercept[k] == pytest.approx(theirs.intercept_[0], abs=1e-4)


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_at_a_rough_tolerance_they_are_as_near_as_linear_svc(seed: int) -> None:
    features, truth = made(seed, rows=300, width=200, classes=2)
    cost = np.ones(len(truth))
    best = fit_machines(features, truth, cost, np.ones(2), tolerance=1e-8, seed=0)
    rough = fit_machines(features, truth, cost, np.ones(2), tolerance=0.01, seed=0)
    for k in range(2):
        exact, near = (
            objective(np.append(w[:, k], b[k]), features, truth[:, k], cost) for w, b in (best, rough)
        )
        assert exact <= near <= exact * 1.001


@given(st.integers(0, 2**32), st.sampled_from([0.5, 1.0, 3.0]))
@settings(max_examples=20)
def test_slack_is_what_articles_miss_their_side_by(seed: int, positive: float) -> None:
    features, truth = made(seed)
    cost = np.random.default_rng(seed).uniform(0.2, 2.0, len(truth))
    slack = np.zeros(truth.shape)
    found = fit_machines(features, truth, cost, np.full(3, positive), tolerance=1e-6, seed=0, slack=slack)
    scores = features @ found[0] + found[1]
    missed = np.maximum(1 - np.where(truth, 1, -1) * scores, 0)
    np.testing.assert_allclose(slack, missed, rtol=0, atol=1e-4)


def test_a_class_of_which_nothing_is_known_is_fitted_beside_others() -> None:
    features, truth = made(4, classes=9)
    cost = np.ones(len(truth))
    slack = np.zeros(truth.shape)
    cold = fit_machines(features, truth, cost, np.ones(9), tolerance=1e-6, seed=0, slack=slack)
    slack[:, 4] = 0.0
    begun = fit_machines(features, truth, cost, np.ones(9), tolerance=1e-6, seed=0, slack=slack)
    np.testing.assert_allclose(begun[0], cold[0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(begun[1], cold[1], rtol=0, atol=1e-4)


def test_a_fit_that_begins_at_its_end_makes_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    features, truth = made(4, classes=9)
    slack = np.zeros(truth.shape)
    passes: list[int] = []
    inner = machines._Machine.descend

    def descend(machine: Any, *given_: Any) -> None:
        inner(machine, *given_)
        passes.append(machine.passes)

    monkeypatch.setattr(machines._Machine, "descend", descend)
    settled: dict[str, Any] = {
        "cost": np.full(60, 2.0),
        "positive": np.full(9, 0.5),
        "seed": 0,
        "slack": slack,
    }
    first = fit_machines(features, truth, tolerance=0.01, **settled)
    assert len(passes) >= 9
    passes.clear()
    again = fit_machines(features, truth, tolerance=0.011, **settled)
    assert not passes
    for one, other in zip(first, again, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("processors", [1, 3])
def test_going_on_from_fewer_articles_ends_where_all_lead(
    monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    monkeypatch.setattr(machines, "cpu_count", lambda: processors)
    features, truth = made(5, rows=300, width=200, classes=2)
    cost, some = np.ones(300), np.arange(300) % 4 > 0
    slack = np.zeros(truth.shape)
    own = slack[some]
    fit_machines(features[some], truth[some], cost[some], np.ones(2), tolerance=0.01, seed=0, slack=own)
    slack[some] = own
    found = fit_machines(features, truth, cost, np.ones(2), tolerance=1e-7, seed=0, slack=slack)
    best = fit_machines(features, truth, cost, np.ones(2), tolerance=1e-8, seed=0)
    for one, other in zip(found, best, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_the_same_bits_on_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    features, truth = made(0, classes=5)
    found = []
    for processors in (1, 4):
        monkeypatch.setattr(machines, "cpu_count", lambda processors=processors: processors)
        weights, intercept = fit_machines(features, truth, np.ones(60), np.ones(5), tolerance=0.1, seed=3)
        found.append(weights.tobytes() + intercept.tobytes())
    assert found[0] == found[1]
    other = fit_machines(features, truth, np.ones(60), np.ones(5), tolerance=0.1, seed=4)[0]
    assert other.tobytes() != found[0][: other.nbytes]


def test_articles_without_features_have_the_intercept_alone() -> None:
    truth = np.array([[True], [True], [True], [False]])
    weights, intercept = fit_machines(
        sp.csr_matrix((4, 2)), truth, np.ones(4), np.ones(1), tolerance=1e-9, seed=0
    )
    assert weights.tolist() == [[0.0], [0.0]]
    # The derivative of ½b² + 3 (1 − b)² + (1 + b)² is 0 there.
    assert intercept[0] == pytest.approx(4 / 9)


def test_too_few_passes_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "MOST_PASSES", 1)
    features, truth = made(1)
    with pytest.warns(NotConverged, match="no convergence in 1 passes"):
        fit_machines(features, truth, np.ones(60), np.ones(3), tolerance=1e-9, seed=0)


def test_an_interruption_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would never converge: a tolerance below 0."""
    monkeypatch.setattr(machines, "MOST_PASSES", 2**62)
    features, truth = made(2)
    begun = threading.Event()
    inner = machines._Machine.descend

    def descend(*given_: Any) -> None:
        begun.set()
        inner(*given_)

    monkeypatch.setattr(machines._Machine, "descend", descend)

    def interrupt() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        fit_machines(features, truth, np.ones(60), np.ones(3), tolerance=-1.0, seed=0)
    thread.join()

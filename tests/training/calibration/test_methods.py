"""Calibration: known distortions are undone, temperature is never lost to noise, and nothing breaks on little data."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from classifier.calibration import LOWEST, Calibration, logistic
from classifier.errors import UsageError
from classifier.spec import Arrays, Spec
from training.calibration.fits import (
    _fit_common,
    _pooled,
    fit_isotonic,
    fit_sigmoid,
    fit_temperature_only,
    fit_vector,
    isotonic_labels,
)
from training.calibration.methods import compare_calibrations, cross_calibrated, fit_calibration


def draw_one(random: np.random.Generator, logits: np.ndarray) -> np.ndarray:
    """(n, k) truth with one label a row, by the softmax of `logits`."""
    noisy = logits + random.gumbel(size=logits.shape)
    return np.eye(logits.shape[1], dtype=np.bool_)[noisy.argmax(axis=1)]


def draw_several(random: np.random.Generator, logits: np.ndarray) -> np.ndarray:
    return random.random(logits.shape) < logistic(logits)


def loss(calibration: Calibration, scores: np.ndarray, truth: np.ndarray) -> float:
    p = calibration.apply(scores)
    if calibration.several:
        return -float(np.log(np.where(truth, p, 1 - p)).mean())
    return -float(np.log(p[truth]).mean())


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def folds(n: int, count: int = 5) -> np.ndarray:
    return np.arange(n) % count


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("slope", [0.3, 4.0])
def test_a_temperature_is_recovered(several: bool, slope: float) -> None:
    random = np.random.default_rng(0)
    scores = random.normal(0, 2 / slope, (4000, 5))
    truth = (draw_several if several else draw_one)(random, scores * slope)
    calibration = fit_calibration(scores, truth, several=several, folds=folds(4000))
    assert calibration.method == "temperature"
    assert calibration.slope == pytest.approx(np.full(5, slope), rel=0.06)


def test_a_temperature_is_that_of_a_grid_search() -> None:
    random = np.random.default_rng(1)
    scores = random.normal(0, 1, (500, 4))
    truth = draw_one(random, scores * 2)
    found = fit_temperature_only(scores, truth, several=False).slope[0]
    grid = np.linspace(1.0, 3.0, 2001)
    values = [-np.log(softmax(scores * slope)[truth]).mean() for slope in grid]
    assert found == pytest.approx(grid[int(np.argmin(values))], abs=0.02)


@pytest.mark.parametrize("several", [False, True])
def test_scores_that_never_err_keep_a_doubt_at_the_best_temperature(several: bool) -> None:
    truth = np.eye(2, dtype=np.bool_)[np.arange(40) % 2]
    scores = np.where(truth, 0.1, -0.1)
    found = fit_temperature_only(scores, truth, several=several).apply(scores)
    assert 0.95 < found[truth].min() <= found[truth].max() < 0.999


def test_vector_scaling_is_recovered() -> None:
    random = np.random.default_rng(2)
    slope, intercept = np.array([1.0, 2.0, 3.0, 1.5]), np.array([1.5, 0.0, -1.0, -0.5])
    scores = random.normal(0, 1, (20_000, 4))
    truth = draw_one(random, scores * slope + intercept)
    calibration, trials = compare_calibrations(scores, truth, several=False, folds=folds(20_000))
    assert calibration.method == "vector"
    assert calibration.slope == pytest.approx(slope, rel=0.08)
    assert calibration.intercept - calibration.intercept.mean() == pytest.approx(intercept, abs=0.1)
    assert [trial.method for trial in trials] == ["temperature", "vector", "sigmoid", "isotonic"]
    losses = {trial.method: trial.log_loss for trial in trials}
    assert min(losses, key=lambda method: losses[method]) == "vector"


def test_sigmoids_are_recovered() -> None:
    random = np.random.default_rng(3)
    slope, intercept = np.array([1.0, 2.0, 4.0, 2.0]), np.array([0.0, -2.0, 1.0, -3.0])
    scores = random.normal(0, 1, (20_000, 4))
    truth = draw_several(random, scores * slope + intercept)
    calibration = fit_calibration(scores, truth, several=True, folds=folds(20_000))
    assert calibration.method == "sigmoid"
    assert calibration.slope == pytest.approx(slope, rel=0.08)
    assert calibration.intercept == pytest.approx(intercept, abs=0.12)


@pytest.mark.parametrize("several", [False, True])
def test_another_shape_needs_steps(several: bool) -> None:
    """Probabilities that rise in two waves and never come near 0 or 1, of one section against two alike."""
    random = np.random.default_rng(4)
    score = random.uniform(-1, 1, (12_000, 1))
    scores = np.concatenate([score, -score, -score], axis=1)
    first = 0.1 + 0.3 * logistic(20 * (score + 0.5)) + 0.5 * logistic(20 * (score - 0.5))
    p = np.concatenate([first, (1 - first) / 2, (1 - first) / 2], axis=1)
    truth = random.random(p.shape) < p if several else draw_one(random, np.log(p))
    seen, fresh = slice(0, 6000), slice(6000, 12_000)
    calibration = fit_calibration(scores[seen], truth[seen], several=several, folds=folds(6000))
    assert calibration.method == "isotonic"
    assert np.abs(calibration.apply(scores[fresh]) - p[fresh]).mean() < 0.02
    plain = fit_temperature_only(scores[seen], truth[seen], several=several)
    assert np.abs(plain.apply(scores[fresh]) - p[fresh]).mean() > 0.04
    assert loss(calibration, scores[fresh], truth[fresh]) < loss(plain, scores[fresh], truth[fresh])


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_never_worse_than_temperature_by_more_than_noise(several: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    n, k = (300, 1500)[seed % 2], 6
    scores = random.normal(0, 1, (n + 5000, k)) + random.normal(-0.5, 0.5, k)
    distorted = scores * random.uniform(1, 4, k) ** (seed % 3) + random.normal(0, 0.3, k) * (seed % 3)
    truth = (draw_several if several else draw_one)(random, distorted)
    calibration = fit_calibration(scores[:n], truth[:n], several=several, folds=folds(n))
    temperature = fit_temperature_only(scores[:n], truth[:n], several=several)
    fresh = scores[n:], truth[n:]
    assert loss(calibration, *fresh) <= loss(temperature, *fresh) + 0.003


def test_rare_labels_have_the_common_sigmoid() -> None:
    random = np.random.default_rng(6)
    scores = random.normal(-1, 1, (3000, 40))
    truth = draw_several(random, 3 * scores - 1)
    truth[:, 20:] = False
    truth[:3, 30:] = True
    calibration = fit_sigmoid(scores, truth, several=True)
    assert (
        len(np.unique(calibration.slope[20:])) == 20 - 10 + 1 or len(np.unique(calibration.slope[30:])) == 1
    )
    assert np.ptp(calibration.slope[30:]) == 0
    assert np.ptp(calibration.intercept[30:]) == 0
    assert len(np.unique(calibration.slope[:20])) == 20


def test_few_articles_of_a_label_are_shrunk_to_the_common_sigmoid() -> None:
    random = np.random.default_rng(7)
    scores = random.normal(0, 1, (8000, 6))
    logits = 2 * scores
    logits[:, 5] = 2 * scores[:, 5] + 1.5
    truth = draw_several(random, logits)
    away = []
    for n in (20, 200, 8000):
        calibration = fit_sigmoid(scores[:n], truth[:n], several=True)
        away.append(calibration.intercept[5] - calibration.intercept[:5].mean())
    assert away[0] < away[2]
    assert away[2] == pytest.approx(1.5, abs=0.2)


@pytest.mark.parametrize("n", [400, 3000])
def test_a_sigmoid_has_the_highest_posterior(n: int) -> None:
    """Against SciPy's minimum of what the docstring says, without bins."""
    random = np.random.default_rng(8)
    scores = random.normal(0, 1, (n, 3))
    truth = draw_several(random, scores * [1.0, 3.0, 2.0] + [-2.0, 1.0, 0.0])
    slope, intercept = _fit_common(*_pooled(scores, truth), shift=True)
    found = fit_sigmoid(scores, truth, several=True)
    for label in range(3):
        logits, has = scores[:, label] * slope + intercept, truth[:, label]

        def posterior(x: np.ndarray, logits: np.ndarray = logits, has: np.ndarray = has) -> float:
            z = logits * x[0] + x[1]
            return (np.logaddexp(0, z) - has * z).sum() + 2 * (x[0] - 1) ** 2 + 0.5 * x[1] ** 2

        stretch, shift = minimize(posterior, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7}).x
        assert found.slope[label] == pytest.approx(slope * stretch, rel=3e-3)
        assert found.intercept[label] == pytest.approx(intercept * stretch + shift, abs=5e-3)


def test_scores_against_the_truth_keep_their_order() -> None:
    """A label whose scores point the wrong way becomes nearly constant, never falling."""
    random = np.random.default_rng(9)
    scores = random.normal(0, 1, (2000, 4))
    logits = 2 * scores
    logits[:, 0] *= -1
    truth = draw_several(random, logits)
    calibration = fit_sigmoid(scores, truth, several=True)
    assert (calibration.slope > 0).all()
    assert calibration.slope[0] < 0.2 * calibration.slope[1:].min()


@given(seed=st.integers(0, 2**32 - 1), several=st.booleans())
@settings(max_examples=25)
def test_every_method_is_rising_sums_to_one_and_survives_a_round_trip(seed: int, several: bool) -> None:
    random = np.random.default_rng(seed)
    scores = np.round(random.normal(0, 1, (900, 3)), 2)
    truth = (draw_several if several else draw_one)(random, scores * 2)
    found = [
        fit_temperature_only(scores, truth, several=several),
        fit_sigmoid(scores, truth, several=several),
        fit_isotonic(scores, truth, np.arange(3), several=several),
    ]
    if not several:
        found.append(fit_vector(scores, truth))
    grid = np.sort(random.normal(0, 2, 300))[:, None].repeat(3, axis=1)
    for calibration in found:
        again = Calibration.load(Spec(calibration.spec(), "c"), Arrays(calibration.arrays()), 3)
        assert again.apply(scores).tolist() == calibration.apply(scores).tolist()
        if not several:
            assert calibration.apply(scores).sum(axis=1) == pytest.approx(1.0, abs=1e-12)
        own = Calibration(again.method, True, again.slope, again.intercept, again.steps)
        assert (np.diff(own.apply(grid), axis=0) >= 0).all()


def test_isotonic_is_near_the_true_curve_and_never_certain() -> None:
    random = np.random.default_rng(10)
    scores = random.uniform(-2, 2, (5000, 1))
    truth = np.abs(scores) < 0
    truth[:, 0] = scores[:, 0] > 0.1 * random.normal(size=5000)
    calibration = fit_isotonic(scores, truth, np.array([0]), several=True)
    low, high = calibration.apply(np.array([[-9.0], [9.0]]))[:, 0]
    assert 1 / 5000 < low < 1 / 1000
    assert 1 / 5000 < 1 - high < 1 / 1000
    assert calibration.apply(np.array([[0.0]]))[0, 0] == pytest.approx(0.5, abs=0.1)


def test_isotonic_is_level_beyond_the_inner_edges() -> None:
    edges = np.concatenate([np.linspace(-2, -0.1, 500), np.linspace(0.1, 2, 500)])[:, None]
    calibration = fit_isotonic(edges, edges > 0, np.array([0]), several=True)
    p = calibration.apply(np.array([[-9.0], [-0.2], [0.0], [0.2], [9.0]]))[:, 0]
    assert p[0] == p[1] < 0.01
    assert p[2] == pytest.approx(0.5)
    assert p[3] == p[4] > 0.99


def test_only_frequent_labels_have_steps() -> None:
    truth = np.zeros((1000, 4), np.bool_)
    truth[:199, 0] = truth[:200, 1] = truth[:800, 2] = truth[:801, 3] = True
    assert isotonic_labels(truth).tolist() == [1, 2]
    scores = np.random.default_rng(0).normal(0, 1, truth.shape) + truth
    calibration = fit_isotonic(scores, truth, isotonic_labels(truth), several=True)
    assert calibration.steps is not None
    assert (np.diff(calibration.steps.offsets) > 0).tolist() == [False, True, True, False]


def degenerate() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(0)
    right = draw_one(random, random.normal(0, 1, (500, 3)))
    lacking = np.eye(3, dtype=np.bool_)[random.integers(2, size=500)]
    return {
        "one article": (np.array([[1.0, -1.0, -2.0]]), np.array([[True, False, False]])),
        "two articles": (np.array([[1.0, -1.0], [-1.0, 1.0]]), np.eye(2, dtype=np.bool_)),
        "all right": (np.where(right, 1.0, -1.0), right),
        "all right by far": (np.where(right, 1e6, -1e6), right),
        "all wrong": (np.where(right, -1.0, 1.0), right),
        "equal scores": (np.full((500, 3), -0.4), right),
        "all zero": (np.zeros((500, 3)), right),
        "a label without positives": (random.normal(0, 1, (500, 3)) + lacking, lacking),
        "one label for all": (np.ones((500, 2)) * [1.0, -1.0], np.ones((500, 2)) * [1, 0] > 0),
        "a single label": (random.normal(0, 1, (500, 1)), np.ones((500, 1), np.bool_)),
        "tiny scores": (np.where(right, 1e-9, -1e-9), right),
    }


@pytest.mark.parametrize("name", list(degenerate()))
@pytest.mark.parametrize("several", [False, True])
def test_degenerate_inputs_give_probabilities(name: str, several: bool) -> None:
    scores, truth = degenerate()[name]
    for calibration in (
        fit_calibration(scores, truth, several=several, folds=folds(len(scores))),
        fit_sigmoid(scores, truth, several=several),
        fit_temperature_only(scores, truth, several=several),
        *([] if several else [fit_vector(scores, truth)]),
        *([fit_isotonic(scores, truth, np.array([0]), several=several)]),
    ):
        p = calibration.apply(scores)
        assert np.isfinite(p).all()
        assert ((p >= 0) & (p <= 1)).all()
        Calibration.load(Spec(calibration.spec(), "c"), Arrays(calibration.arrays()), scores.shape[1])


def test_articles_that_are_all_right_do_not_make_certain() -> None:
    scores, truth = degenerate()["all right"]
    for several in (False, True):
        calibration = fit_calibration(scores, truth, several=several, folds=folds(len(scores)))
        sure = calibration.apply(scores)[truth]
        assert ((sure > 0.99) & (sure < 1 - LOWEST)).all()


def test_no_articles() -> None:
    for several in (False, True):
        nothing = np.empty((0, 3))
        calibration = fit_calibration(nothing, nothing > 0, several=several, folds=np.empty(0, np.int64))
        alone = fit_temperature_only(nothing, nothing > 0, several=several)
        for found in (calibration, alone):
            assert (found.slope.tolist(), found.intercept.tolist()) == ([1.0] * 3, [0.0] * 3)


def test_one_fold_compares_nothing() -> None:
    scores, truth = degenerate()["a label without positives"]
    calibration, trials = compare_calibrations(
        scores, truth, several=False, folds=np.zeros(len(scores), np.int64)
    )
    assert (calibration.method, trials) == ("temperature", ())


def drifting() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three windows of time: after the first, a short one, the first label becomes as frequent as it was rare."""
    random = np.random.default_rng(15)
    window = np.repeat([0, 1, 2], [300, 2000, 2000])
    scores = random.normal(0, 1, (len(window), 3))
    away = np.where(window == 0, -1.0, 1.0)[:, None] * [1.0, 0.0, 0.0]
    return scores, draw_one(random, 2 * scores + away), window


def test_a_drift_between_windows_teaches_no_intercept() -> None:
    """Folds that know both sides of it do, though nobody had known it at the time."""
    scores, truth, window = drifting()
    assert compare_calibrations(scores, truth, several=False, folds=window)[0].method == "vector"
    calibration, trials = compare_calibrations(scores, truth, several=False, folds=window, forward=True)
    assert calibration.method == "temperature"
    assert calibration.slope == pytest.approx(fit_temperature_only(scores, truth, several=False).slope)
    excess = {trial.method: trial.excess for trial in trials}
    assert excess["temperature"] == 0 < excess["vector"]


@pytest.mark.parametrize("several", [False, True])
def test_forward_each_window_is_judged_by_those_before_it(several: bool) -> None:
    """The first, which has none before it, never is."""
    scores, truth, window = drifting()
    _, trials = compare_calibrations(scores, truth, several=several, folds=window + 7, forward=True)
    total = 0.0
    for number in (1, 2):
        before, own = window < number, window == number
        found = fit_temperature_only(scores[before], truth[before], several=several)
        total += loss(found, scores[own], truth[own]) * own.sum()
    assert trials[0].log_loss == pytest.approx(total / (window > 0).sum(), rel=1e-12)
    assert "isotonic" in {trial.method for trial in trials}


@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 4))
@settings(max_examples=20)
def test_forward_labels_may_be_new(seed: int, several: bool, windows: int) -> None:
    """A label without articles in the windows before it, however frequent later."""
    random = np.random.default_rng(seed)
    window = np.sort(random.integers(windows, size=500))
    scores = random.normal(0, 1, (500, 3))
    scores[window < windows - 1, 0] -= 50
    truth = (draw_several if several else draw_one)(random, scores)
    calibration, trials = compare_calibrations(scores, truth, several=several, folds=window, forward=True)
    assert np.isfinite(calibration.apply(scores)).all()
    assert (len(trials) == 0) == (len(np.unique(window)) == 1)
    assert all(np.isfinite(trial.log_loss) for trial in trials)


@pytest.mark.parametrize("several", [False, True])
def test_cross_calibrated_probabilities_come_from_the_other_folds(several: bool) -> None:
    random = np.random.default_rng(14)
    scores = random.normal(0, 1, (1000, 3))
    truth = (draw_several if several else draw_one)(random, scores * [1, 2, 3])
    fold = folds(1000, 4)
    p = cross_calibrated(scores, truth, "sigmoid", several=several, folds=fold)
    others = fit_sigmoid(scores[fold != 2], truth[fold != 2], several=several)
    assert p[fold == 2].tolist() == others.apply(scores[fold == 2]).tolist()
    single = cross_calibrated(scores, truth, "sigmoid", several=several, folds=np.zeros(1000, np.int64))
    assert single.tolist() == fit_sigmoid(scores, truth, several=several).apply(scores).tolist()
    wrong: Any = "vector" if several else "beta"
    with pytest.raises(UsageError):
        cross_calibrated(scores, truth, wrong, several=several, folds=fold)


def test_the_same_articles_give_the_same_bytes() -> None:
    random = np.random.default_rng(11)
    scores = random.normal(0, 1, (2000, 4))
    for several in (False, True):
        truth = (draw_several if several else draw_one)(random, scores * [1, 2, 3, 4])
        first, second = (
            fit_calibration(scores.copy(), truth.copy(), several=several, folds=folds(2000)) for _ in range(2)
        )
        assert first.spec() == second.spec()
        assert {name: array.tobytes() for name, array in first.arrays().items()} == {
            name: array.tobytes() for name, array in second.arrays().items()
        }


def test_thinning_changes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(12)
    scores = random.normal(-1, 1, (10_000, 20))
    truth = draw_several(random, scores * 3 - 2)
    whole = fit_temperature_only(scores, truth, several=True), fit_sigmoid(scores, truth, several=True)
    monkeypatch.setattr("training.calibration.fits._THIN", 40_000)
    thin = fit_temperature_only(scores, truth, several=True), fit_sigmoid(scores, truth, several=True)
    common = _fit_common(*_pooled(scores, truth), shift=True)
    assert common == (pytest.approx(3.0, abs=0.15), pytest.approx(-2.0, abs=0.1))
    for a, b in zip(whole, thin, strict=True):
        assert a.slope == pytest.approx(b.slope, rel=0.05)
        assert a.intercept == pytest.approx(b.intercept, abs=0.1)


def test_many_labels_are_feasible() -> None:
    random = np.random.default_rng(13)
    truth = random.random((300, 10_000)) < np.geomspace(0.1, 1e-4, 10_000)
    scores = random.normal(-1, 0.3, truth.shape) + truth
    start = time.process_time()
    calibration = fit_calibration(scores, truth, several=True, folds=folds(300, 3))
    assert time.process_time() - start < 30
    assert calibration.width == 10_000


@pytest.mark.parametrize(
    ("scores", "truth", "several", "fold"),
    [
        ([[1.0, 2.0]], [[True]], True, [0]),
        ([[1.0, 2.0]], [[1, 0]], True, [0]),
        ([[1.0, np.nan]], [[True, False]], True, [0]),
        ([[1.0, 2.0]], [[True, True]], False, [0]),
        ([[1.0, 2.0]], [[False, False]], False, [0]),
        ([[1.0, 2.0]], [[True, False]], False, [0, 1]),
        ([1.0, 2.0], [True, False], True, [0, 1]),
    ],
)
def test_what_does_not_fit_is_refused(scores: Any, truth: Any, several: bool, fold: list[int]) -> None:
    with pytest.raises(UsageError):
        fit_calibration(np.array(scores), np.array(truth), several=several, folds=np.array(fold))

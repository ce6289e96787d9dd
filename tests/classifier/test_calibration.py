"""The calibration that an artifact holds: rising, whole, and refused where it is damaged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.calibration import LOWEST, Calibration, Steps, logistic
from classifier.errors import ArtifactDamaged, UsageError
from classifier.spec import Arrays, Spec

METHODS = [
    ("temperature", False),
    ("temperature", True),
    ("vector", False),
    ("sigmoid", False),
    ("sigmoid", True),
    ("isotonic", False),
    ("isotonic", True),
]


def make(method: Any, several: bool, seed: int = 0, k: int = 4) -> Calibration:
    random = np.random.default_rng(seed)
    slope = np.abs(random.normal(2, 1, k))
    intercept = random.normal(0, 1, k)
    if method == "temperature":
        slope[:], intercept[:] = slope[0], 0.0
    steps = None
    if method == "isotonic":
        lengths = random.integers(0, 5, k)
        lengths[0] = 3
        curves = [np.sort(random.normal(0, 1, length)) for length in lengths]
        values = [np.sort(random.random(length)) for length in lengths]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        steps = Steps(offsets, np.concatenate(curves), np.concatenate(values))
    return Calibration(method, several, slope, intercept, steps)


def saved(calibration: Calibration) -> tuple[dict[str, Any], dict[str, Any]]:
    return dict(calibration.spec()), {name: array.copy() for name, array in calibration.arrays().items()}


def load(spec: dict[str, Any], arrays: dict[str, Any], labels: int | None = None) -> Calibration:
    return Calibration.load(Spec(spec, "manifest.json: calibration"), Arrays(arrays, "c."), labels)


@pytest.mark.parametrize(("method", "several"), METHODS)
def test_a_round_trip_changes_nothing(method: str, several: bool) -> None:
    calibration = make(method, several)
    again = load(*saved(calibration), 4)
    scores = np.random.default_rng(1).normal(0, 2, (50, 4))
    assert again.apply(scores).tolist() == calibration.apply(scores).tolist()
    assert (again.method, again.several, again.width) == (method, several, 4)


@pytest.mark.parametrize(("method", "several"), METHODS)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 7), width=st.floats(0.1, 100))
def test_probabilities_are_probabilities(method: str, several: bool, seed: int, k: int, width: float) -> None:
    scores = np.random.default_rng(seed).normal(0, width, (20, k))
    p = make(method, several, seed, k).apply(scores)
    assert p.shape == scores.shape
    assert ((p >= 0) & (p <= 1)).all()
    if several:
        assert ((p >= LOWEST) & (p <= 1 - LOWEST)).all()
    else:
        assert p.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert np.isfinite(np.log(np.maximum(p, 1e-300))).all()


@pytest.mark.parametrize(("method", "several"), METHODS)
def test_a_row_does_not_depend_on_those_beside_it(method: str, several: bool) -> None:
    calibration = make(method, several, 3, 9)
    scores = np.random.default_rng(2).normal(0, 2, (101, 9))
    together = calibration.apply(scores)
    for row in range(len(scores)):
        assert calibration.apply(scores[row : row + 1]).tolist() == together[row : row + 1].tolist()
        assert calibration.one(scores[row].tolist()) == together[row].tolist()


@pytest.mark.parametrize("method", ["temperature", "sigmoid", "isotonic"])
@given(seed=st.integers(0, 2**32 - 1))
def test_a_higher_score_never_lowers_the_own_probability(method: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    calibration = make(method, True, seed, 3)
    grid = np.concatenate([random.normal(0, 2, 300), np.linspace(-1, 1, 50)])
    if calibration.steps is not None:
        knots = calibration.steps.scores
        grid = np.concatenate([grid, knots, np.nextafter(knots, -9), np.nextafter(knots, 9)])
    p = calibration.apply(np.repeat(np.sort(grid)[:, None], 3, axis=1))
    assert (np.diff(p, axis=0) >= -1e-15).all()


def test_softmax_and_logistic_are_what_they_say() -> None:
    scores = np.array([[1.0, -0.5], [30.0, -900.0]])
    one = Calibration("vector", False, np.array([2.0, 1.0]), np.array([0.0, 0.5])).apply(scores)
    assert one[0, 0] == pytest.approx(np.exp(2) / (np.exp(2) + np.exp(0.0)))
    assert one[1].tolist() == [1.0, 0.0]
    several = Calibration("sigmoid", True, np.array([2.0, 1.0]), np.array([0.0, 0.5])).apply(scores)
    assert several[0] == pytest.approx([1 / (1 + np.exp(-2)), 0.5])
    assert several[1] == pytest.approx([1 - LOWEST, LOWEST])
    apart = Calibration("sigmoid", False, np.array([2.0, 1.0]), np.array([0.0, 0.5])).apply(scores)
    assert apart[0] == pytest.approx(several[0] / several[0].sum())
    assert logistic(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_steps_are_interpolated_and_level_beyond() -> None:
    steps = Steps(np.array([0, 3, 3, 4]), np.array([-1.0, 0.0, 1.0, 0.5]), np.array([0.1, 0.2, 0.8, 0.3]))
    calibration = Calibration("isotonic", True, np.ones(3), np.zeros(3), steps)
    p = calibration.apply(np.repeat([[-9.0], [-1.0], [-0.5], [0.75], [1.0], [9.0]], 3, axis=1))
    assert p[:, 0] == pytest.approx([0.1, 0.1, 0.15, 0.65, 0.8, 0.8])
    assert p[:, 1] == pytest.approx(logistic(np.array([-9.0, -1.0, -0.5, 0.75, 1.0, 9.0])))
    assert p[:, 2] == pytest.approx([0.3] * 6)


def test_another_number_of_labels_is_refused() -> None:
    with pytest.raises(UsageError, match="4 scores"):
        make("sigmoid", True).apply(np.zeros((1, 5)))


def damage(name: str, value: Any) -> Any:
    def change(spec: dict[str, Any], arrays: dict[str, Any]) -> None:
        target = spec if name in ("method", "several") else arrays
        if value is None:
            del target[name]
        else:
            target[name] = value(target[name]) if callable(value) else value

    return pytest.param(change, id=f"{name}-{getattr(value, '__name__', value)}")


def negative(array: np.ndarray) -> np.ndarray:
    return -array


def reverse(array: np.ndarray) -> np.ndarray:
    return array[::-1].copy()


def infinite(array: np.ndarray) -> np.ndarray:
    return array * np.inf


def longer(array: np.ndarray) -> np.ndarray:
    return np.append(array, array[-1:])


def empty(array: np.ndarray) -> np.ndarray:
    return array[:0]


def single(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32)


def equal(array: np.ndarray) -> np.ndarray:
    return np.zeros_like(array)


def large(array: np.ndarray) -> np.ndarray:
    return array + 2.0


def beyond(array: np.ndarray) -> np.ndarray:
    return array + 1


def lower(array: np.ndarray) -> np.ndarray:
    return array - 0.99


def first(array: np.ndarray) -> np.ndarray:
    return np.append([1], array[1:])


@pytest.mark.parametrize(
    "change",
    [
        damage("method", "pickle"),
        damage("method", None),
        damage("method", "vector"),
        damage("several", 1),
        damage("several", None),
        *[damage("slope", value) for value in (None, negative, infinite, longer, empty, single)],
        *[damage("intercept", value) for value in (None, infinite, longer, empty, single)],
        *[
            damage("steps.offsets", value)
            for value in (None, negative, reverse, longer, beyond, first, single)
        ],
        *[damage("steps.scores", value) for value in (None, reverse, infinite, longer, empty, single, equal)],
        *[damage("steps.probabilities", value) for value in (None, reverse, longer, negative, lower, large)],
    ],
)
def test_damage_is_found(change: Any) -> None:
    spec, arrays = saved(make("isotonic", True))
    load(spec, arrays)
    change(spec, arrays)
    with pytest.raises(ArtifactDamaged) as caught:
        load(spec, arrays)
    assert caught.value.where


def test_another_number_of_labels_is_damage() -> None:
    with pytest.raises(ArtifactDamaged):
        load(*saved(make("temperature", False)), 5)


def test_a_single_label_with_no_label_at_all_is_damage() -> None:
    with pytest.raises(ArtifactDamaged):
        load({"method": "temperature", "several": True}, {"slope": np.empty(0), "intercept": np.empty(0)})

"""When to file, and which sections to offer instead of one."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_array

from classifier.decisions import Decisions, SetLevel, Threshold, prediction_sets
from classifier.errors import ArtifactDamaged, UsageError
from classifier.spec import Spec

DECISIONS = Decisions(
    0.95,
    (Threshold(0.95, 0.8), Threshold(0.98, 0.9), Threshold(0.99, None)),
    {"World": Threshold(0.99, 0.97), "Crime": Threshold(0.999, None)},
    (SetLevel(0.9, 0.4), SetLevel(0.95, 0.1), SetLevel(0.99, 0.0)),
)
LABELS = ("Crime", "Politics", "World")
SHARES = st.floats(0, 1)
TARGETS = st.floats(0, 1, exclude_min=True, exclude_max=True)
THRESHOLDS = st.builds(Threshold, TARGETS, st.none() | SHARES)


def load(spec: Any) -> Decisions:
    return Decisions.load(Spec(spec, "manifest.json: decisions"))


@pytest.mark.parametrize(
    ("target", "expected"), [(None, 0.8), (0.95, 0.8), (0.98, 0.9), (0.99, math.inf), (0.5, math.inf)]
)
def test_a_section_with_a_target_of_its_own_keeps_it(target: float | None, expected: float) -> None:
    assert DECISIONS.limits(LABELS, target).tolist() == [math.inf, expected, 0.97]
    assert DECISIONS.limits(LABELS[::-1], target).tolist() == [0.97, expected, math.inf]
    assert DECISIONS.limits((), target).shape == (0,)


def test_the_configured_target_is_the_one_that_counts() -> None:
    assert replace(DECISIONS, target=0.98).limits(LABELS).tolist() == [math.inf, 0.9, 0.97]
    assert replace(DECISIONS, own={}).limits(LABELS).tolist() == [0.8] * 3


def test_levels_of_sets() -> None:
    assert DECISIONS.set_level(0.95) == SetLevel(0.95, 0.1)
    assert [item.everything for item in DECISIONS.sets] == [False, False, True]


def test_a_level_that_was_not_fitted_names_those_that_were() -> None:
    with pytest.raises(UsageError, match=r"coverage 0\.8") as caught:
        DECISIONS.set_level(0.8)
    assert "0.9, 0.95, 0.99" in str(caught.value.remedy)
    with pytest.raises(UsageError, match="no prediction sets") as caught:
        replace(DECISIONS, sets=()).set_level(0.9)
    assert "one label" in str(caught.value.remedy)


@given(
    st.builds(
        Decisions,
        TARGETS,
        st.lists(THRESHOLDS).map(tuple),
        st.dictionaries(st.text(), THRESHOLDS),
        st.lists(st.builds(SetLevel, TARGETS, SHARES)).map(tuple),
    )
)
def test_it_comes_back_from_its_spec(decisions: Decisions) -> None:
    back = load(json.loads(json.dumps(decisions.spec())))
    assert back == decisions
    assert back.spec() == decisions.spec()


def test_the_spec_does_not_depend_on_the_order_of_own_targets() -> None:
    turned = replace(DECISIONS, own=dict(reversed(DECISIONS.own.items())))
    assert turned.spec() == DECISIONS.spec()


def test_what_was_loaded_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        load(DECISIONS.spec()).own["World"] = Threshold(0.5, 0.5)  # type: ignore[index]


def test_format_1_had_neither_own_targets_nor_sets() -> None:
    spec = {name: value for name, value in DECISIONS.spec().items() if name in ("target", "thresholds")}
    assert Decisions.load(Spec(spec, "here"), sets=False) == replace(DECISIONS, own={}, sets=())
    with pytest.raises(ArtifactDamaged):
        load(spec)


@pytest.mark.parametrize(
    "change",
    [
        {"target": None},
        {"target": "0.95"},
        {"target": math.nan},
        {"thresholds": None},
        {"thresholds": {}},
        {"thresholds": [0.95]},
        {"thresholds": [{"probability": 0.8}]},
        {"thresholds": [{"target": 0.95, "probability": "0.8"}]},
        {"thresholds": [{"target": 0.95, "probability": math.inf}]},
        {"own": None},
        {"own": ["World"]},
        {"own": [{"target": 0.95, "probability": 0.8}]},
        {"own": [{"section": 5, "target": 0.95, "probability": 0.8}]},
        {"own": [{"section": "World", "probability": 0.8}]},
        {"sets": None},
        {"sets": [0.9]},
        {"sets": [{"level": 0.9}]},
        {"sets": [{"level": 0.9, "threshold": None}]},
        {"sets": [{"level": 0.9, "threshold": -0.1}]},
        {"sets": [{"level": 0.9, "threshold": 1.1}]},
        {"sets": [{"level": 0.0, "threshold": 0.5}]},
        {"sets": [{"level": 1.0, "threshold": 0.5}]},
        {"sets": [{"level": True, "threshold": 0.5}]},
    ],
)
def test_a_spec_that_was_never_written(change: dict[str, Any]) -> None:
    spec = DECISIONS.spec()
    assert load(spec) == DECISIONS
    with pytest.raises(ArtifactDamaged) as caught:
        load({**spec, **change})
    assert str(caught.value.where).startswith("manifest.json: decisions")


# Prediction sets

PROBABILITIES = any_array(np.float64, st.tuples(st.integers(0, 20), st.integers(1, 8)), elements=SHARES)


def test_sections_from_the_threshold_on_are_in() -> None:
    p = np.array([[0.4, 0.4, 0.2], [0.5, 0.25, 0.25], [0.1, 0.2, 0.7], [0.2, 0.2, 0.1]])
    assert prediction_sets(p, 0.25).tolist() == [
        [True, True, False],
        [True, True, True],
        [False, False, True],
        [True, False, False],  # the first of the best, though none reaches the threshold
    ]
    assert prediction_sets(p, 0.0).all()


@given(PROBABILITIES, SHARES)
def test_sets_are_never_empty_and_grow_as_the_threshold_falls(p: Any, threshold: float) -> None:
    sets = prediction_sets(p, threshold)
    assert sets.shape == p.shape
    assert sets[np.arange(len(p)), p.argmax(axis=1)].all()
    assert (sets <= prediction_sets(p, threshold / 2)).all()
    assert (sets.sum(axis=1) <= 1 + (p >= threshold).sum(axis=1)).all()
    assert (sets >= (p >= threshold)).all()


@pytest.mark.parametrize(
    ("p", "threshold", "says"),
    [
        ([[0.5, 0.5]], math.nan, "threshold is NaN"),
        ([[0.5, math.nan]], 0.5, "not between"),
        ([[1.5, 0.5]], 0.5, "not between"),
        ([[-0.1, 0.5]], 0.5, "not between"),
        ([0.5, 0.5], 0.5, "shape"),
        ([[], []], 0.5, "shape"),
    ],
)
def test_what_makes_no_sets_is_refused(p: Any, threshold: float, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        prediction_sets(np.array(p), threshold)

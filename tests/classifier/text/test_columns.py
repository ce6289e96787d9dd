"""Numbers as features: shares of two neighbouring knots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec
from classifier.text.blocks import NumericBlock, load_block
from classifier.text.rows import Rows
from classifier.text.values import as_number

NUMBERS = st.floats(-1e12, 1e12, allow_subnormal=False)
KNOTS = st.lists(NUMBERS, min_size=2, max_size=8, unique=True).map(sorted).map(np.array)
STEPS = NumericBlock("words", 0.5, np.array([0.0, 100.0, 400.0]), np.array([0.25, 0.5, 0.25]))


def dense(block: NumericBlock, *values: Any) -> np.ndarray[Any, Any]:
    of = Rows.from_articles([Article(headline="x", extra={block.column: value}) for value in values])
    out = np.zeros((len(of), block.width))
    block.transform(of).add_product(np.eye(block.width), out)
    return out


@given(KNOTS, NUMBERS, st.floats(0.01, 100))
def test_shares_are_a_partition_of_unity(knots: Any, value: float, weight: float) -> None:
    (found,) = dense(NumericBlock("words", weight, knots, np.zeros(len(knots))), value)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(weight)
    (near,) = [np.flatnonzero(found)]
    assert len(near) in (1, 2)
    assert near[-1] - near[0] <= 1
    # Piecewise linear: weights equal to the knots give the value back, clipped to their ends.
    scale = max(abs(knots).max(), 1.0)
    assert found @ knots / weight == pytest.approx(np.clip(value, knots[0], knots[-1]), abs=1e-9 * scale)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, [0.5, 0, 0]),
        (25, [0.375, 0.125, 0]),
        (100.0, [0, 0.5, 0]),
        (250.0, [0, 0.25, 0.25]),
        (400, [0, 0, 0.5]),
        (-7, [0.5, 0, 0]),
        (1e300, [0, 0, 0.5]),
        (10**400, [0.125, 0.25, 0.125]),  # no float holds it
        ("25", [0.375, 0.125, 0]),
        (" 1e2 ", [0, 0.5, 0]),
        ("many", [0.125, 0.25, 0.125]),
        ("", [0.125, 0.25, 0.125]),
        (None, [0.125, 0.25, 0.125]),
        (True, [0.125, 0.25, 0.125]),
        (float("nan"), [0.125, 0.25, 0.125]),
        (float("inf"), [0.125, 0.25, 0.125]),
        (["25"], [0.125, 0.25, 0.125]),
    ],
)
def test_by_hand(value: Any, expected: list[float]) -> None:
    np.testing.assert_allclose(dense(STEPS, value)[0], expected, rtol=0, atol=1e-12)


def test_articles_without_the_column_are_average() -> None:
    of = Rows.from_articles([Article(headline="x")])
    assert STEPS.transform(of).row(0)[1].tolist() == [0.125, 0.25, 0.125]


@given(st.text(max_size=8) | st.none() | st.booleans() | st.integers() | st.floats())
def test_a_number_is_finite_or_none(value: Any) -> None:
    found = as_number(value)
    assert found is None or (isinstance(found, float) and np.isfinite(found))
    if isinstance(value, float) and np.isfinite(value):
        assert found == value


def test_a_feature_is_named_by_its_value_and_stands_nowhere() -> None:
    assert [STEPS.feature_name(i) for i in range(3)] == [
        "words: about 0",
        "words: about 100",
        "words: about 400",
    ]
    assert STEPS.feature_spans(Rows.from_articles([Article(headline="x", extra={"words": 1})]), 0) == {}


@given(KNOTS, st.floats(0.01, 100), st.text(max_size=8), st.data())
def test_it_comes_back_from_its_spec_and_arrays(
    knots: Any, weight: float, column: str, data: st.DataObject
) -> None:
    average = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(knots), max_size=len(knots))))
    block = NumericBlock(column, weight, knots, average)
    back = load_block(Spec(block.spec(), "here"), Arrays(block.arrays()))
    assert isinstance(back, NumericBlock)
    assert (back.column, back.weight) == (column, weight)
    assert back.knots.tobytes() == knots.tobytes()
    assert back.average.tobytes() == average.tobytes()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("knots", np.array([0.0, 100.0, 100.0]), "two knots or more, rising"),
        ("knots", np.array([0.0, 400.0, 100.0]), "two knots or more, rising"),
        ("knots", np.array([1.0]), "two knots or more, rising"),
        ("knots", np.array([]), "two knots or more, rising"),
        ("knots", np.array([0.0, np.nan, 100.0]), "not finite"),
        ("knots", np.array([0.0, 1.0, np.inf]), "not finite"),
        ("knots", np.array([0, 1, 2]), "expected float64"),
        ("knots", np.zeros((3, 1)), "expected float64"),
        ("average", np.zeros(2), "expected float64"),
        ("average", np.full(3, np.nan), "not finite"),
        ("average", None, "the array is missing"),
    ],
)
def test_arrays_that_were_never_written(name: str, value: Any, says: str) -> None:
    arrays = {key: array for key, array in {**STEPS.arrays(), name: value}.items() if array is not None}
    with pytest.raises(ArtifactDamaged, match=says) as caught:
        load_block(Spec(STEPS.spec(), "here"), Arrays(arrays, "folder/popularity.5."))
    assert caught.value.where == f"folder/popularity.5.{name}.npy"


@pytest.mark.parametrize("change", [{"column": None}, {"weight": "1"}, {"weight": float("inf")}])
def test_a_spec_that_was_never_written(change: dict[str, Any]) -> None:
    with pytest.raises(ArtifactDamaged, match="must be a"):
        load_block(Spec({**STEPS.spec(), **change}, "here"), Arrays(STEPS.arrays()))

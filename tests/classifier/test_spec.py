"""Every value of a manifest is looked up with the type that it must have."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec, take_array

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, st.sampled_from([int, float, str, bool, list]))
@example(10**400, float)
@example(-(10**400), int)
@example(2**63, float)
def test_a_value_is_of_the_type_asked_for_or_refused(value: Any, kind: type) -> None:
    spec = Spec({"name": value}, "here")
    fits = type(value) is kind and value == value and value not in (math.inf, -math.inf)
    if not fits and not (kind is float and type(value) is int and abs(value) <= 2**63):
        with pytest.raises(ArtifactDamaged, match=f'^here: "name" must be a {kind.__name__}$'):
            spec.get("name", kind)
        return
    found = spec.get("name", kind)
    assert type(found) is kind
    assert found == (float(value) if kind is float else value)


@given(JSON)
def test_nothing_but_its_own_error(value: Any) -> None:
    spec = Spec({"name": value}, "here")
    for look in (
        lambda: spec.spec("name"),
        lambda: spec.specs("name"),
        lambda: spec.strings("name"),
        lambda: spec.choice("name", ("a", "b")),
        lambda: Spec(value, "here"),
    ):
        with suppress(ArtifactDamaged):
            look()


def test_a_place_inside_is_named() -> None:
    spec = Spec({"heads": {"sections": {"blocks": [{}, {"kind": 1}]}}}, "manifest.json")
    block = spec.spec("heads").spec("sections").specs("blocks")[1]
    assert block.place == "manifest.json.heads.sections.blocks[1]"
    with pytest.raises(ArtifactDamaged, match=r'\.blocks\[1\]: "kind" must be a str'):
        block.get("kind", str)


def test_an_integer_may_stand_for_a_float_and_nothing_for_anything_else() -> None:
    assert Spec({"n": 2}, "here").get("n", float) == 2.0
    for value, kind in ((True, int), (True, float), (2.0, int), ("2", float), (1, bool)):
        with pytest.raises(ArtifactDamaged):
            Spec({"n": value}, "here").get("n", kind)


def test_arrays_know_their_files() -> None:
    arrays = Arrays({"0.idf": np.ones(2), "0.terms.bytes": np.ones(1), "10.idf": np.ones(3)}, "v/sections.")
    assert sorted(arrays.under("0.")) == ["idf", "terms.bytes"]
    assert arrays.under("0.").file("idf") == "v/sections.0.idf.npy"
    assert len(arrays) == 3
    np.testing.assert_array_equal(take_array(arrays.under("10."), "idf", np.float64, (None,)), np.ones(3))
    with pytest.raises(ArtifactDamaged, match=r"v/sections\.1\.idf\.npy: the array is missing"):
        take_array(arrays.under("1."), "idf", np.float64, (None,))

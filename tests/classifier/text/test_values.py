"""Columns of an Arrow batch and the same values as objects: the same bits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.text.rows import Rows
from classifier.text.shape import headline_shape
from classifier.text.shapes import column_shapes
from classifier.text.times import time_features
from classifier.text.values import is_null, local_times, numbers, positions

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
headlines = st.text(characters | st.sampled_from(" -–'‘\"?：A5é\x1f\u3000\U0001f600"), max_size=12)
ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "-03:30", "Africa/Monrovia"]


def rows_of(name: str, values: list[object], kind: pa.DataType) -> Rows:
    return Rows.from_batch(pa.RecordBatch.from_pydict({name: pa.array(values, kind)}))


@example([" - a", "a - ", "a - b", "- a", "'a' b'", "\u3000", "", "5 ways", "Who?", "２x", "\x1cA\x1c"])
@given(st.lists(headlines, max_size=12))
def test_shapes_of_a_column_are_those_of_its_strings(texts: list[str]) -> None:
    found, there = column_shapes(pa.array(["before", *texts], pa.string()).slice(1))
    assert found.tolist() == [headline_shape(text) for text in texts]
    assert there.tolist() == [bool(text.strip()) for text in texts]


def test_a_null_headline_is_none() -> None:
    assert column_shapes(pa.array([None, "a"], pa.string()))[1].tolist() == [False, True]


@example([datetime(1951, 9, 8, 14, 59, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)], "Asia/Tokyo")
@example([datetime(9999, 12, 31, 23, 59, tzinfo=UTC), None], "Asia/Tokyo")
@example([datetime(2024, 4, 6, 15, tzinfo=UTC) + timedelta(minutes=m) for m in (0, 29, 30)], ZONES[3])
@given(st.lists(st.none() | st.datetimes(timezones=st.just(UTC)), max_size=8), st.sampled_from(ZONES))
def test_local_times_of_a_column_are_those_of_its_times(times: list[datetime | None], zone: str) -> None:
    wanted = [list(time_features(time, zone) or (-1, -1)) for time in times]
    found = local_times(rows_of("published_at", [*times], pa.timestamp("us", tz="UTC")), zone)
    assert found.tolist() == wanted
    assert local_times(Rows({"published_at": times}, len(times)), zone).tolist() == wanted


def test_times_in_another_unit_and_zone() -> None:
    times = [datetime(2031, 5, 1, 23, 30, tzinfo=UTC)]
    rows = rows_of("published_at", [*times], pa.timestamp("s", tz="America/New_York"))
    assert local_times(rows, "Asia/Tokyo").tolist() == [list(time_features(times[0], "Asia/Tokyo") or ())]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_positions(kind: pa.DataType) -> None:
    names, places = ("b", "a"), {"b": 0, "a": 1}
    values: list[object] = ["a", None, "c", "b", ""]
    assert positions(rows_of("x", values, kind), "x", names, places).tolist() == [1, -1, -1, 0, -1]
    assert positions(Rows({"x": values}, 5), "x", names, places).tolist() == [1, -1, -1, 0, -1]
    assert positions(rows_of("x", [1, 2], pa.int64()), "x", ("2",), {"2": 0}).tolist() == [-1, 0]
    assert positions(rows_of("y", values, kind), "x", names, places).tolist() == [-1] * 5
    assert is_null(rows_of("x", values, kind), "x").tolist() == [False, True, False, False, False]
    assert is_null(rows_of("y", values, kind), "x").tolist() == [True] * 5


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None, 2**62 + 1], pa.int64()),
        ([1.5, float("inf"), None], pa.float64()),
        (["1.5", "x", None], pa.string()),
        ([True, None, False], pa.bool_()),
    ],
)
def test_numbers(values: list[object], kind: pa.DataType) -> None:
    found, wanted = (numbers(rows, "x") for rows in (rows_of("x", values, kind), Rows({"x": values}, 3)))
    np.testing.assert_array_equal(found, wanted)


def test_a_replaced_column_goes_before_the_batch() -> None:
    rows = rows_of("x", ["a", "b"], pa.string())
    assert rows.arrow("x").to_pylist() == ["a", "b"]
    assert rows.with_values("x", ["c", "d"]).arrow("x") is None
    replaced = rows.with_values("x", ["c", "d"]).with_values("x", pa.array(["e", "f"]))
    assert replaced.arrow("x").to_pylist() == replaced.values("x") == ["e", "f"]
    assert rows.with_values("y", pa.array([1, 2])).values("y") == [1, 2]
    assert rows.values("x") == ["a", "b"]

"""Ranks, time, chances and slices from plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.report.popularity.compute import (
    MOST_PERIODS,
    chances,
    common_day,
    hit_share,
    over_time,
    rank_table,
    score_slices,
)


def groups_of(*sizes: int) -> list[NDArray[np.intp]]:
    return np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])


def test_a_perfect_order_fills_the_diagonal_and_its_reverse_the_other() -> None:
    groups = groups_of(20, 25, 33)
    truth = np.random.default_rng(0).permutation(78).astype(float)
    found = rank_table(truth, 3 * truth - 5, groups)
    assert found.shares.shape == (10, 10)
    assert (found.articles, found.groups) == (78, 3)
    np.testing.assert_allclose(found.shares, np.eye(10))
    np.testing.assert_allclose(found.chance.sum(axis=1), 1)
    assert 0.08 < found.chance.min() < found.chance.max() < 0.13
    reverse = rank_table(truth, -truth, groups_of(20, 30))
    np.testing.assert_allclose(reverse.shares, np.eye(10)[::-1])


def test_small_groups_are_cut_in_fifths_and_constant_scores_are_chance() -> None:
    truth = np.random.default_rng(1).permutation(36).astype(float)
    found = rank_table(truth, np.zeros(36), groups_of(12, 12, 12))
    assert found.shares.shape == (5, 5)
    np.testing.assert_allclose(found.shares, found.chance)


@given(
    st.lists(st.integers(10, 30), min_size=1, max_size=4),
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
)
def test_rows_are_shares_whatever_is_tied_and_order_is_no_matter(
    sizes: list[int], seed: int, levels: int
) -> None:
    random = np.random.default_rng(seed)
    truth, scores = random.integers(levels, size=(2, sum(sizes))).astype(float)
    groups = groups_of(*sizes)
    found = rank_table(truth, scores, groups)
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)
    np.testing.assert_allclose(found.chance.sum(axis=1), 1)
    shuffled = [random.permutation(rows) for rows in groups]
    np.testing.assert_allclose(rank_table(truth, scores, shuffled).shares, found.shares)
    flags = (truth > 0).astype(float)
    hits = hit_share(flags, scores, groups)
    assert hits.count.sum() == pytest.approx(sum(sizes))
    assert (hits.share * hits.count).sum() == pytest.approx(flags.sum())
    assert hits.base == pytest.approx(flags.mean())


def test_shares_of_hits_fall_where_the_order_is_right() -> None:
    flags = np.tile([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 2)
    found = hit_share(flags, flags - np.arange(20) / 1000, groups_of(10, 10))
    np.testing.assert_allclose(found.share, [1.0, 0.5, 0.0, 0.0, 0.0])
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()


def test_days_become_weeks_months_and_years() -> None:
    def days(count: int, step: int) -> list[str | None]:
        first = np.datetime64("2030-11-01")
        return [str(first + step * i) for i in range(count)]

    for count, step, unit, first in (
        (MOST_PERIODS, 1, "day", "2030-11-01"),
        (MOST_PERIODS + 1, 1, "week", "2030-10-28"),
        (MOST_PERIODS + 1, 7, "month", "2030-11-01"),
        (MOST_PERIODS + 1, 31, "year", "2030-01-01"),
    ):
        found = over_time({"model": np.linspace(0, 1, count)}, days(count, step))
        assert found is not None
        assert (found.unit, found.starts[0]) == (unit, first)
        assert found.groups.sum() == count
        assert len(found.starts) == len(found.groups) == len(found.series[0].points) <= MOST_PERIODS


def test_means_and_intervals_of_periods() -> None:
    values = np.array([0.2, 0.4, 0.6, 0.5])
    same = values.copy()
    other = values / 2
    days = ["2031-04-02", "2031-04-02", "2031-04-02", "2031-04-01"]
    found = over_time({"model": values, "random": other, "source": other.copy(), "twin": same}, days)
    assert found is not None
    assert found.starts == ("2031-04-01", "2031-04-02")
    assert found.groups.tolist() == [1, 3]
    assert [series.names for series in found.series] == [("model", "twin"), ("random", "source")]
    own = found.series[0]
    assert own.points.tolist() == pytest.approx([0.5, 0.4])
    assert np.isnan([own.point_low[0], own.point_high[0]]).all()  # one group
    assert own.point_low[1] < 0.4 < own.point_high[1]
    assert own.mean == pytest.approx(0.425)
    assert own.low < own.mean < own.high


def test_groups_without_a_day_count_in_neither_mean_nor_period() -> None:
    found = over_time({"model": np.array([0.2, 0.9])}, ["2031-04-02", None])
    assert found is not None
    assert (found.series[0].mean, found.groups.tolist()) == (0.2, [1])
    assert over_time({"model": np.array([0.2, 0.9])}, [None, None]) is None


def test_the_day_of_a_group() -> None:
    assert common_day(["2031-04-01", None, "2031-04-02", "2031-04-02"]) == "2031-04-02"
    assert common_day(["2031-04-01", "2031-04-02"]) == "2031-04-02"
    assert common_day([None]) is None


def test_chances_are_binned_and_counted() -> None:
    truth = np.arange(40.0)
    probability = np.where(np.arange(40) % 20 >= 15, 0.8, 0.1)
    found = chances(truth, probability, groups_of(20, 20), bins=2)
    assert found.reliability.count.tolist() == [20, 20]
    assert found.reliability.accuracy.tolist() == pytest.approx([0.0, 0.5])
    assert found.counts.sum() == 40
    assert found.edges[-1] == 0.8
    assert chances(truth, np.zeros(40), groups_of(40)).counts.sum() == 40


def test_slices_of_one_group_have_no_interval() -> None:
    own = {"n": 20, "ndcg_at_10": 0.5, "random_ndcg_at_10": 0.3, "intervals": {"ndcg_at_10": [0.4, 0.6]}}
    rows = score_slices(
        {"a": {**own, "groups": 2}, "b": {**own, "groups": 1}, "c": {**own, "groups": 2, "ndcg_at_10": None}}
    )
    assert [row.value for row in rows] == ["a", "b"]
    assert (rows[0].low, rows[0].high, rows[0].random) == (0.4, 0.6, 0.3)
    assert np.isnan(rows[1].low)


def test_rows_are_predicted_and_columns_real() -> None:
    truth = np.arange(10.0)[::-1]
    scores = np.array([4.0, 3.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 2.0, 1.0])  # the real top is predicted fourth
    shares = rank_table(truth, scores, groups_of(10)).shares
    assert shares.argmax(axis=1).tolist() == [1, 2, 3, 0, 4]
    assert shares.max(axis=1).tolist() == [1.0] * 5

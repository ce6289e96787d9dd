"""Percentile, chance of the top five, and the source that both are taken against."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import ArtifactDamaged, ArtifactError
from classifier.linear import Linear
from classifier.popularity import DAYS, QUANTILES, PopularityHead, Top5Curve, percentile, percentiles
from classifier.spec import Arrays, Spec
from classifier.text.blocks import CategoryBlock, CrossBlock
from classifier.text.rows import Rows

NUMBERS = st.floats(-1e9, 1e9)
QUANTILE_LISTS = st.lists(NUMBERS, min_size=2, max_size=20).map(sorted)
CURVE = Top5Curve(0.5, 2.0, -1.0)


def head(**changes: Any) -> PopularityHead:
    """Scores are the desk's: low -1, middle 0, high 1; sources "big" and "None"."""
    linear = Linear([CategoryBlock("desk", 1.0, ("low", "high"))], np.array([[-1.0], [1.0]]), np.array([0.0]))
    values: dict[str, Any] = {
        "sources": ("None", "big"),
        "quantiles": np.stack(
            [np.linspace(-1, 1, QUANTILES), np.linspace(-3, -2, QUANTILES), np.linspace(0, 10, QUANTILES)]
        ),
        "group_sizes": np.repeat([[20.0], [4.0], [100.0]], DAYS, axis=1),
        "top5": CURVE,
        "variance": np.zeros(2),
    }
    return PopularityHead(linear, **{**values, **changes})


def rows(*pairs: tuple[str | None, str]) -> Rows:
    return Rows.from_articles(
        [Article(headline="x", source=source, extra={"desk": desk}) for source, desk in pairs]
    )


@given(QUANTILE_LISTS, NUMBERS, NUMBERS)
@example([0.0, 0.0, 1.0], 0.0, 0.5)
@example([-1e308, 1e308], 0.0, 1.0)
def test_percentile_rises_with_the_score(quantiles: list[float], one: float, other: float) -> None:
    low, high = sorted((one, other))
    first, second = percentile(quantiles, low), percentile(quantiles, high)
    assert 0.0 <= first <= second <= 100.0
    assert percentile(quantiles, np.nextafter(quantiles[0], -np.inf)) == 0.0
    assert percentile(quantiles, np.nextafter(quantiles[-1], np.inf)) == 100.0


@given(QUANTILE_LISTS, st.data())
def test_percentile_rises_at_the_quantiles_themselves(quantiles: list[float], data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(quantiles))
    around = [np.nextafter(place, -np.inf), place, np.nextafter(place, np.inf)]
    found = [percentile(quantiles, score) for score in around]
    assert percentiles(np.array(quantiles), np.array(around)).tolist() == found
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("quantiles", "score", "expected"),
    [
        ([0.0, 1.0, 2.0], 1.0, 50.0),
        ([0.0, 1.0, 2.0], 0.5, 25.0),
        ([0.0, 1.0, 2.0], 0.0, 0.0),
        ([0.0, 1.0, 2.0], 2.0, 100.0),
        ([0.0, 0.0, 0.0], 0.0, 50.0),
        ([0.0, 0.0, 0.0], -1.0, 0.0),
        ([0.0, 0.0, 0.0], 0.1, 100.0),
        ([0.0, 1.0, 1.0, 1.0, 5.0], 1.0, 50.0),
        ([0.0, 0.0, 4.0], 2.0, 75.0),
    ],
)
def test_percentile_by_hand(quantiles: list[float], score: float, expected: float) -> None:
    assert percentile(quantiles, score) == expected


@given(NUMBERS, NUMBERS, st.floats(1, 1e6))
def test_top5_rises_with_the_score_and_is_certain_in_small_groups(
    one: float, other: float, size: float
) -> None:
    low, high = sorted((one, other))
    chances = CURVE.probability(np.array([low, high]), np.array([size, size]))
    assert 0.0 <= chances[0] <= chances[1] <= 1.0
    small = CURVE.probability(np.array([low, high]), np.array([min(size, 5.0)] * 2))
    assert small.tolist() == [1.0, 1.0]


def test_top5_by_hand() -> None:
    (chance,) = CURVE.probability(np.array([1.0]), np.array([20.0]))
    assert chance == pytest.approx(1 / (1 + np.exp(-(0.5 + 2.0 - np.log(20)))))


def test_each_source_has_its_own_and_others_share_the_first_row() -> None:
    pairs = [("big", "high"), ("unheard of", "high"), (None, "high"), ("", "middle"), ("None", "low")]
    big, unheard, missing, empty, literal = head().results(rows(*pairs))
    assert big.score == 1.0
    assert big.percentile == pytest.approx(10.0)
    assert big.top5_probability == pytest.approx(1 / (1 + np.exp(-(2.5 - np.log(100)))))
    assert unheard.percentile == missing.percentile == 100.0
    assert (
        unheard.top5_probability
        == missing.top5_probability
        == pytest.approx(1 / (1 + np.exp(-(2.5 - np.log(20)))))
    )
    assert empty.percentile == 50.0
    assert (literal.percentile, literal.top5_probability) == (100.0, 1.0)


def test_no_rows() -> None:
    assert head().results(rows()) == []


def test_it_comes_back_from_its_spec_and_arrays() -> None:
    one = head(spread=0.5, pair_slope=2.5, timezone="Asia/Tokyo", variance=np.array([0.25, 0.5]))
    back = PopularityHead.load(Spec(one.spec(), "here"), Arrays(one.arrays()))
    assert (back.spread, back.pair_slope, back.timezone) == (0.5, 2.5, "Asia/Tokyo")
    assert back.variance.tolist() == [0.25, 0.5]
    of = rows(("big", "high"), ("None", "low"), (None, "middle"))
    assert back.results(of) == one.results(of)


@pytest.mark.parametrize(
    "arrays",
    [
        {"group_sizes": np.array([[20.0] * DAYS, [0.5] * DAYS, [100.0] * DAYS])},
        {"group_sizes": np.array([[20.0] * DAYS, [np.nan] * DAYS, [100.0] * DAYS])},
        {"group_sizes": np.ones((2, DAYS))},
        {"group_sizes": np.ones((3, DAYS - 1))},
        {"group_sizes": np.ones(3)},
        {"quantiles": np.zeros((2, QUANTILES))},
        {"quantiles": np.zeros((3, QUANTILES - 1))},
        {"quantiles": np.full((3, QUANTILES), np.nan)},
        {"quantiles": np.stack([np.linspace(1, 0, QUANTILES)] * 3)},
        {"variance": np.array([1.0, -1e-9])},
        {"variance": np.array([1.0, np.nan])},
        {"variance": np.ones(3)},
    ],
)
def test_arrays_that_were_never_written(arrays: dict[str, Any]) -> None:
    one = head()
    with pytest.raises(ArtifactDamaged):
        PopularityHead.load(Spec(one.spec(), "here"), Arrays({**one.arrays(), **arrays}))


@pytest.mark.parametrize("name", ["quantiles", "group_sizes", "variance", "0.weights", "sources.bytes"])
def test_an_array_that_is_missing(name: str) -> None:
    one = head()
    arrays = {key: array for key, array in one.arrays().items() if key != name}
    with pytest.raises(ArtifactDamaged, match="the array is missing"):
        PopularityHead.load(Spec(one.spec(), "here"), Arrays(arrays))


@pytest.mark.parametrize(
    "change",
    [
        {"spread": 0.0},
        {"spread": -1.0},
        {"spread": None},
        {"pair_slope": -0.5},
        {"pair_slope": float("inf")},
        {"pair_slope": "1"},
        {"timezone": 9},
        {"timezone": None},
    ],
)
def test_a_spec_that_was_never_written(change: dict[str, Any]) -> None:
    one = head()
    with pytest.raises(ArtifactDamaged, match="here"):
        PopularityHead.load(Spec({**one.spec(), **change}, "here"), Arrays(one.arrays()))


def test_a_time_zone_that_this_system_lacks() -> None:
    one = head()
    with pytest.raises(ArtifactError, match=r"not a known time zone.*tzdata") as caught:
        PopularityHead.load(Spec({**one.spec(), "timezone": "Mars/Olympus"}, "here"), Arrays(one.arrays()))
    assert not isinstance(caught.value, ArtifactDamaged)


def test_what_formats_1_and_2_did_not_hold_has_its_default() -> None:
    """They knew one size of a source's groups, whatever the day."""
    one = head()
    spec = {name: value for name, value in one.spec().items() if name in ("blocks", "top5")}
    arrays = {name: array for name, array in one.arrays().items() if name != "variance"}
    arrays["group_sizes"] = np.array([20.0, 4.0, 100.0])
    back = PopularityHead.load(Spec(spec, "here"), Arrays(arrays))
    assert (back.spread, back.pair_slope, back.timezone) == (1.0, 1.0, "UTC")
    assert back.variance.tolist() == [0.0, 0.0]
    assert back.group_sizes.tolist() == one.group_sizes.tolist()
    of = rows(("big", "high"), ("None", "low"), (None, "middle"))
    assert back.results(of) == one.results(of)


def test_the_size_of_the_group_is_that_of_the_local_weekday() -> None:
    sizes = np.array(
        [[20.0 + day for day in range(DAYS)], [4.0] * DAYS, [100.0 + day for day in range(DAYS)]]
    )
    one = head(group_sizes=sizes, timezone="Asia/Tokyo")
    times = {
        "2031-05-04T14:59:00+00:00": 6,  # still Sunday in Tokyo
        "2031-05-04T15:00:00+00:00": 0,
        "2031-05-09T15:00:00+00:00": 5,
        None: DAYS - 1,
        "9999-12-31T23:00:00+00:00": DAYS - 1,  # no local time
    }
    for source, first in (("big", 100.0), ("elsewhere", 20.0)):
        articles = [
            Article(
                headline="x",
                source=source,
                published_at=None if time is None else datetime.fromisoformat(time),
                extra={"desk": "high"},
            )
            for time in times
        ]
        results = one.results(Rows.from_articles(articles))
        assert [one.one(Rows.from_articles([article])) for article in articles] == results
        found = [result.top5_probability for result in results]
        assert found == pytest.approx([1 / (1 + np.exp(-(2.5 - np.log(first + d)))) for d in times.values()])


def test_which_columns_it_reads() -> None:
    sections = CategoryBlock("section", 1.0, ("World",))
    crossed = CrossBlock("desk", 1.0, ("high",), sections, np.array([0], np.int64))
    one = replace(head(), linear=Linear([sections, crossed], np.ones((2, 1)), np.zeros(1)))
    assert [one.reads(name) for name in ("section", "desk", "source", "")] == [True, True, False, False]


@pytest.mark.parametrize("top5", [None, {}, {"intercept": 0, "score_slope": 1}, {"intercept": "0"}])
def test_a_curve_that_was_never_written(top5: Any) -> None:
    one = head()
    with pytest.raises(ArtifactDamaged, match=r"here"):
        PopularityHead.load(Spec({**one.spec(), "top5": top5}, "here"), Arrays(one.arrays()))

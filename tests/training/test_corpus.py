"""Labels, groups, local days and hours of a corpus."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from training.corpus import Corpus

Make = Callable[..., Corpus]
EVENING = "2022-02-02T23:30:00+09:00"  # 14:30 UTC the same day
MORNING = "2022-02-03T07:30:00+09:00"  # 22:30 UTC of the day before


def test_labels(corpus_of: Make) -> None:
    corpus = corpus_of(
        [
            {"section": "Politics"},
            {"sections": ["World", "Economy"], "section": "Politics"},
            {"sections": []},
            {},
            {"section": ""},
            {"sections": ["", "World"]},
        ]
    )
    assert corpus.labels == [("Politics",), ("World", "Economy"), (), (), (), ("World",)]
    assert corpus.several
    assert not corpus_of([{"section": "Politics"}, {}]).several


def test_days_and_hours_are_those_of_the_column(corpus_of: Make) -> None:
    rows = [{"published_at": EVENING}, {"published_at": MORNING}, {}]
    tokyo = corpus_of(rows, column_zone="Asia/Tokyo")
    assert tokyo.timezone == "Asia/Tokyo"
    assert tokyo.days == ["2022-02-02", "2022-02-03", None]
    assert tokyo.hours == [23, 7, None]
    utc = corpus_of(rows)
    assert utc.days == ["2022-02-02", "2022-02-02", None]
    assert utc.hours == [14, 22, None]


def test_the_configured_zone_goes_before_that_of_the_column(corpus_of: Make) -> None:
    corpus = corpus_of([{"published_at": MORNING}], column_zone="Asia/Tokyo", timezone="America/New_York")
    assert corpus.timezone == "America/New_York"
    assert (corpus.days, corpus.hours) == (["2022-02-02"], [17])
    assert corpus.instants.tolist() == [1643841000.0]


def test_groups(corpus_of: Make) -> None:
    rows = [
        {"published_at": EVENING, "source": "Courier"},
        {"published_at": MORNING, "source": "Courier"},
        {"published_at": MORNING},
        {"published_at": MORNING, "source": "Courier", "popularity_group": "front"},
        {"published_at": MORNING, "source": "Courier", "popularity_group": ""},
        {"popularity_group": "front"},
        {"source": "Courier"},
    ]
    assert corpus_of(rows, column_zone="Asia/Tokyo").groups == [
        "Courier 2022-02-02",
        "Courier 2022-02-03",
        "2022-02-03",
        "front",
        "Courier 2022-02-03",
        "front",
        None,
    ]


def test_popularity_is_nan_where_unknown(corpus_of: Make) -> None:
    found = corpus_of([{"popularity": 3.0}, {}, {"popularity": 0.0}]).popularity
    np.testing.assert_array_equal(found, [3.0, np.nan, 0.0])


@pytest.mark.parametrize("which", [np.array([True, False, True]), np.array([0, 2])])
def test_take(corpus_of: Make, which: np.ndarray) -> None:
    corpus = corpus_of([{"headline": name} for name in "abc"], timezone="Asia/Tokyo")
    part = corpus.take(which)
    assert part.texts == ["a", "c"]
    assert part.timezone == "Asia/Tokyo"
    assert len(part.from_box) == 2
    assert len(corpus.take(np.zeros(3, np.bool_))) == 0


def test_take_reorders(corpus_of: Make) -> None:
    assert corpus_of([{"headline": name} for name in "abc"]).take(np.array([2, 0])).texts == ["c", "a"]


def test_with_column(corpus_of: Make) -> None:
    corpus = corpus_of([{"section": "a"}, {"section": "b"}])
    assert corpus.with_column("section", [None, "c"]).labels == [(), ("c",)]
    assert corpus.labels == [("a",), ("b",)]


@pytest.mark.parametrize("length", [0, 1, 99, 100, 101, 199, 200, 299, 1000])
def test_some_articles_evenly_spread(corpus_of: Make, length: int) -> None:
    some = corpus_of([{"id": str(number)} for number in range(length)]).spread(100)
    assert min(length, 100) <= len(some) < 200
    steps = np.diff([int(number) for number in some.table.column("id").to_pylist()])
    assert len(set(steps.tolist())) <= 1

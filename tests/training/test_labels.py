"""From counts, flags and ranking boxes to judgements and targets."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.reading import Reading
from classifier.similar import normalise_title
from training.corpus import Corpus
from training.labels import (
    NO_JUDGEMENTS,
    Box,
    Judgements,
    add_box_articles,
    box_judgements,
    count_judgements,
    group_boxes,
    standardised_targets,
    training_targets,
)
from training.labels.judgements import normal_scores

Make = Callable[..., Corpus]
Read = Callable[..., Reading]


def box(name: str, titles: list[str], taken_at: str | None = None, ids: dict[int, str] | None = None) -> Box:
    lines = tuple((rank, title, (ids or {}).get(rank)) for rank, title in enumerate(titles, 1) if title)
    return Box(name, None if taken_at is None else datetime.fromisoformat(taken_at), lines, None)


def judged(corpus: Corpus, *boxes: Box, window_days: int = 7) -> dict[str, float]:
    """Headline to value, of a single group."""
    found, _ = box_judgements(corpus, boxes, window_days=window_days)
    assert len(set(found.groups.tolist())) <= 1
    headlines = corpus.rows.texts("headline")
    return {
        headlines[row]: value for row, value in zip(found.rows.tolist(), found.values.tolist(), strict=True)
    }


@pytest.mark.parametrize(
    "other",
    [
        "\u201cStorm\u201d hits Mayor\u2019s  house",
        '"STORM" HITS MAYOR\'S HOUSE',
        "\uff02\uff33\uff54\uff4f\uff52\uff4d\uff02 hits\u00a0mayor's house ",
    ],
)
def test_titles_are_compared_normalised(other: str) -> None:
    assert normalise_title(other) == normalise_title('"Storm" hits\tMayor\'s house')


@given(st.text())
def test_a_normalised_title_stays(title: str) -> None:
    once = normalise_title(title)
    assert normalise_title(once) == once
    assert normalise_title(unicodedata.normalize("NFD", title)) == once
    assert normalise_title(f" {title}\n") == once


def test_listed_articles_are_found_by_id_or_title(corpus_of: Make) -> None:
    corpus = corpus_of([{"headline": "One"}, {"headline": "Two"}, {"headline": "Three", "id": "x3"}])
    found = judged(
        corpus, box("Politics", ["one", "other words", "\u201ctwo\u201d"], ids={2: "x3", 3: "gone"})
    )
    assert found == {"One": 1.0, "Three": pytest.approx(1 / np.log2(3))}  # quotes are part of a title
    found = judged(corpus, box("Politics", ["one", "two"], ids={2: "gone"}))
    assert set(found) == {"One", "Two"}  # an unknown id leaves the title to decide


def test_ranks_with_gaps_keep_their_worth(corpus_of: Make) -> None:
    corpus = corpus_of([{"headline": "One"}, {"headline": "Four"}])
    assert judged(corpus, box("*", ["one", "", "", "four"])) == {"One": 1.0, "Four": 1 / np.log2(5)}


def test_a_title_twice_in_a_box_keeps_the_better_rank(corpus_of: Make) -> None:
    corpus = corpus_of([{"headline": "One"}, {"headline": "Two"}])
    assert judged(corpus, box("*", ["one", "two", "One"])) == {"One": 1.0, "Two": 1 / np.log2(3)}


def test_a_box_that_says_nothing_is_left_out(corpus_of: Make) -> None:
    corpus = corpus_of([{"headline": "One"}, {"headline": "Two"}])
    found, report = box_judgements(corpus, [box("*", ["one"]), box("*", ["none"])], window_days=7)
    assert len(found) == 0
    assert report.to_dict() == {"boxes": 2, "lines": 2, "matched": 1, "headline_only": 0, "left_out": 2}


def test_unmatched_titles_become_articles_with_their_lists_label(corpus_of: Make) -> None:
    corpus = corpus_of([{"headline": "Known", "source": "Courier", "section": "World"}])
    boxes = [
        box("*", ["everywhere", "also in Politics"]),
        box("Politics", ["known", "New", "also in politics"]),
        box("Courier", ["from an outlet"]),
        box("Economy", ["ALSO in Politics"]),
    ]
    grown = add_box_articles(corpus, boxes)
    assert grown.from_box.tolist() == [False, True, True, True, True]
    assert grown.rows.texts("headline")[1:] == ["everywhere", "also in Politics", "New", "from an outlet"]
    assert grown.labels == [("World",), (), ("Politics",), ("Politics",), ()]
    assert grown.rows.values("source")[1:] == [None, None, None, "Courier"]
    assert len(set(grown.rows.values("id"))) == 5
    assert box_judgements(grown, boxes, window_days=7)[1].headline_only == 6


def test_boxes_that_do_not_teach_give_no_label(corpus_of: Make) -> None:
    boxes = [box("*", ["a title", "b title"]), box("Politics", ["a title"]), box("World", ["b title"])]
    grown = add_box_articles(corpus_of([{"headline": "Known"}]), boxes, [True, False, True])
    assert grown.labels == [(), (), ("World",)]
    assert grown.texts == ["Known", "a title", "b title"]


def test_nothing_new_leaves_the_corpus(corpus_of: Make) -> None:
    corpus = corpus_of([{"headline": "Known"}])
    assert add_box_articles(corpus, [box("Politics", ["known"])]) is corpus


def line(list_: str, rank: int, headline: str, **more: Any) -> dict[str, Any]:
    return {"list": list_, "rank": rank, "headline": headline, **more}


def test_a_box_printed_on_many_pages_counts_once(reading_of: Read) -> None:
    rows = [
        line("*", rank, f"title {rank}", taken_at="2031-04-01T23:00:00Z", file=f"{page}.txt")
        for page in ("a", "b", "c")
        for rank in (2, 1)
        if (page, rank) != ("b", 1)  # one page was cut off
    ]
    (found,) = group_boxes(reading_of([{"headline": "x"}], rows).boxes)
    assert found.lines == ((1, "title 1", None), (2, "title 2", None))
    assert found.file == "a.txt"
    assert found.taken_at == datetime.fromisoformat("2031-04-01T23:00:00+00:00")


def test_undated_boxes_are_told_apart_by_file(reading_of: Read) -> None:
    rows = [
        line("*", 1, "same", file="a.txt"),
        line("*", 1, "same", file="b.txt"),
        line("*", 1, "other", file="c.txt"),
        line("Politics", 1, "same", file="c.txt"),
    ]
    found = group_boxes(reading_of([{"headline": "x"}], rows).boxes)
    assert [(b.name, b.file, b.lines[0][1]) for b in found] == [
        ("*", "a.txt", "same"),
        ("*", "c.txt", "other"),
        ("Politics", "c.txt", "same"),
    ]


def published(headline: str, time: str | None, section: str = "Politics", **more: Any) -> dict[str, Any]:
    return {"headline": headline, "published_at": time, "section": section, **more}


WEEK = [
    published("old", "2031-04-01T12:00:00+09:00"),
    published("before", "2031-04-08T23:59:00+09:00"),
    published("morning", "2031-04-09T00:01:00+09:00"),  # still the 8th in UTC
    published("listed", "2031-04-09T12:00:00+09:00"),
    published("other section", "2031-04-09T13:00:00+09:00", "World"),
    published("later", "2031-04-10T12:00:00+09:00"),
    published("after", "2031-04-10T23:00:00+09:00"),
    published("undated", None),
]


def test_unlisted_are_the_scopes_articles_since_the_earliest_listed_ones_day(corpus_of: Make) -> None:
    corpus = corpus_of(WEEK, column_zone="Asia/Tokyo")
    found = judged(corpus, box("Politics", ["listed"], "2031-04-10T22:00:00+09:00"))
    assert found == {"listed": 1.0, "morning": 0.0, "later": 0.0}


def test_the_day_begins_in_the_local_zone(corpus_of: Make) -> None:
    corpus = corpus_of(WEEK)  # in UTC the day of "listed" begins at 9 o'clock in Tokyo
    found = judged(corpus, box("Politics", ["listed"], "2031-04-10T22:00:00+09:00"))
    assert found == {"listed": 1.0, "later": 0.0}


def test_the_site_wide_list_is_about_all(corpus_of: Make) -> None:
    corpus = corpus_of(WEEK, column_zone="Asia/Tokyo")
    found = judged(corpus, box("*", ["listed"], "2031-04-10T22:00:00+09:00"))
    assert set(found) == {"listed", "morning", "later", "other section"}


def test_the_window_bounds_how_far_back_the_unlisted_lie(corpus_of: Make) -> None:
    corpus = corpus_of([*WEEK, published("between", "2031-04-05T12:00:00+09:00")], column_zone="Asia/Tokyo")
    evergreen = box("Politics", ["old", "listed"], "2031-04-09T20:00:00+09:00")
    assert set(judged(corpus, evergreen, window_days=1)) == {"old", "listed", "before", "morning"}
    assert set(judged(corpus, evergreen, window_days=8)) == {"old", "listed", "before", "morning", "between"}
    assert judged(corpus, evergreen, window_days=1)["old"] == 1.0


def test_a_listed_article_later_than_the_box_does_not_set_the_window(corpus_of: Make) -> None:
    corpus = corpus_of(WEEK, column_zone="Asia/Tokyo")
    found = judged(corpus, box("Politics", ["later", "listed"], "2031-04-09T20:00:00+09:00"))
    assert found == {"later": 1.0, "listed": 1 / np.log2(3), "morning": 0.0}
    # With none before it, its own day's worth of articles is what it chose from.
    found = judged(corpus, box("Politics", ["later"], "2031-04-09T20:00:00+09:00"))
    assert found == {"later": 1.0, "before": 0.0, "morning": 0.0, "listed": 0.0}


def test_a_box_without_a_time_is_about_the_days_of_its_articles(corpus_of: Make) -> None:
    corpus = corpus_of(WEEK, column_zone="Asia/Tokyo")
    assert judged(corpus, box("Politics", ["listed", "undated"])) == {
        "listed": 1.0,
        "undated": 1 / np.log2(3),
        "morning": 0.0,
    }
    assert judged(corpus, box("Politics", ["undated"])) == {}


def test_an_outlets_list_is_about_the_outlet(corpus_of: Make) -> None:
    rows = [
        published(f"{source} {i}", f"2031-04-09T0{i}:00:00Z", source=source)
        for source in ("Courier", "Herald")
        for i in range(3)
    ]
    found = judged(corpus_of(rows), box("Herald", ["herald 1"], "2031-04-09T12:00:00+00:00"))
    assert found == {"Herald 1": 1.0, "Herald 0": 0.0, "Herald 2": 0.0}


def test_counts_and_flags(corpus_of: Make) -> None:
    rows = [
        {"popularity": 5.0, "popularity_group": "g"},
        {"popularity": 0.0, "popularity_group": "g"},
        {"popularity_group": "g"},
        {"popularity": 1.0},  # nothing to compare it within
    ]
    found = count_judgements(corpus_of(rows))
    assert found.rows.tolist() == [0, 1]
    assert not found.flags
    flags = count_judgements(corpus_of([{**row, "popularity": 1.0} for row in rows]))
    assert flags.flags
    assert len(count_judgements(corpus_of([]))) == 0


def test_within_counts_positions_inside_the_mask() -> None:
    all_ = Judgements(np.array([0, 2, 3]), np.array([1.0, 2.0, 3.0]), np.array(["a", "b", "b"]), False)
    part = all_.within(np.array([False, True, True, True]))
    assert (part.rows.tolist(), part.values.tolist(), part.groups.tolist()) == (
        [1, 2],
        [2.0, 3.0],
        ["b", "b"],
    )


def judgements(values: list[float], groups: list[str], *, flags: bool = False) -> Judgements:
    return Judgements(np.arange(len(values)), np.array(values), np.array(groups, dtype=np.str_), flags)


COUNTS = st.integers(0, 10**9).map(float)


@given(st.lists(st.tuples(COUNTS, st.sampled_from("abc")), min_size=1, max_size=40))
def test_targets_are_standardised_within_groups(pairs: list[tuple[float, str]]) -> None:
    values, groups = [list(item) for item in zip(*pairs, strict=True)]
    found = standardised_targets(judgements(values, groups), len(values))
    for name in set(groups):
        own = np.array([group == name for group in groups])
        of_group, counts = found[own], np.array(values)[own]
        if len(set(counts)) < 2:
            assert np.isnan(of_group).all()
            continue
        assert of_group.mean() == pytest.approx(0.0, abs=1e-6)
        assert of_group.std() == pytest.approx(1.0, abs=1e-6)
        order = np.argsort(counts, kind="stable")
        rises, steps = np.diff(counts[order]), np.diff(of_group[order])
        assert (steps[rises > 0] > 0).all()
        assert (np.abs(steps[rises == 0]) < 1e-9).all()


def test_a_large_group_of_equal_counts_says_nothing() -> None:
    assert np.isnan(standardised_targets(judgements([7.3] * 100_000, ["g"] * 100_000), 100_000)).all()


def test_negative_counts_are_ordered_too() -> None:
    found = standardised_targets(judgements([-5.0, -1.0, 0.0, 3.0], ["g"] * 4), 4)
    assert (np.diff(found) > 0).all()
    assert found.mean() == pytest.approx(0.0)


def test_an_article_judged_twice_takes_the_mean() -> None:
    twice = Judgements(
        np.array([0, 1, 0, 1, 2]), np.array([1.0, 0, 0, 1, 0]), np.array(["a", "a", "b", "b", "b"]), True
    )
    found = standardised_targets(twice, 4)
    high, low = np.sqrt(2), -np.sqrt(0.5)
    np.testing.assert_allclose(found, [(1 + low) / 2, (-1 + high) / 2, low, np.nan])


def test_boxes_only_fill_in_beside_counts() -> None:
    counts = judgements([1.0, 9.0], ["a", "a"])
    others = Judgements(np.array([1, 2, 3]), np.array([0.0, 1.0, 0.0]), np.array(["b"] * 3), False)
    found = training_targets(counts, others, 5)
    np.testing.assert_allclose(found[:2], [-1.0, 1.0])
    assert found[2] > 0 > found[3]
    assert np.isnan(found[4])
    assert np.isnan(training_targets(NO_JUDGEMENTS, NO_JUDGEMENTS, 2)).all()


# Places


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([3.0, 1.0, 2.0], [2.5, 0.5, 1.5]),
        ([1.0, 1.0, 2.0], [None, None, 2.5]),  # two share the mean of the first two places
        ([7.0, 7.0, 7.0], [1.5, 1.5, 1.5]),
        ([5.0], [0.5]),
    ],
)
def test_normal_scores_by_hand(values: list[float], places: list[float | None]) -> None:
    n = len(values)
    normal = NormalDist()
    shared = (normal.inv_cdf(0.5 / n) + normal.inv_cdf(1.5 / n)) / 2 if None in places else 0.0
    expected = [shared if place is None else normal.inv_cdf(place / n) for place in places]
    found = normal_scores(np.array(values), np.zeros(n, np.int64))
    assert found == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0, 2.0])), max_size=30))
def test_normal_scores_keep_the_order_within_their_groups(pairs: list[tuple[int, float]]) -> None:
    group = np.array([g for g, _ in pairs], np.int64)
    values = np.array([v for _, v in pairs])
    found = normal_scores(values, group)
    assert np.isfinite(found).all()
    for number in set(group.tolist()):
        mine = group == number
        assert found[mine].sum() == pytest.approx(0.0, abs=1e-9)
        alone = normal_scores(values[mine], np.zeros(mine.sum(), np.int64))
        np.testing.assert_allclose(found[mine], alone, atol=1e-12)  # other groups do not matter
        for one, score in zip(values[mine], found[mine], strict=True):
            assert (np.sign(values[mine] - one) == np.sign(np.round(found[mine] - score, 12))).all()


def test_places_teach_their_normal_scores_and_counts_their_logarithms() -> None:
    values = np.array([1.0, 0.63, 0.5, 0.0, 0.0, 0.0])
    places = Judgements(np.arange(6), values, np.array(["g"] * 6), False, places=True)
    found = standardised_targets(places, 7)
    assert np.isnan(found[6])
    assert found[:6].mean() == pytest.approx(0)
    assert found[:6].std() == pytest.approx(1)
    other = replace(places, values=values**3)
    np.testing.assert_allclose(standardised_targets(other, 7), found)  # only the order counts
    counted = standardised_targets(replace(places, places=False), 7)
    assert not np.allclose(counted[:6], found[:6])
    logs = np.log1p(values)
    np.testing.assert_allclose(counted[:6], (logs - logs.mean()) / logs.std())
    equal = replace(places, values=np.full(6, 0.3))
    assert np.isnan(standardised_targets(equal, 6)).all()


def test_the_part_of_places_are_places() -> None:
    places = Judgements(np.arange(3), np.arange(3.0), np.array(["g"] * 3), False, places=True)
    assert places.within(np.array([True, False, True])).places
    assert places.telling().places

"""Freshness, near-duplicates and the limit a source: what leaves a list, what moves in it, and that order never matters."""

from __future__ import annotations

import math
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import UsageError
from classifier.ranking import Entry, build_rankings
from classifier.results import Prediction
from classifier.similar import NearDuplicates

NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)
Pairs = list[tuple[Article, Prediction]]


def scored(article: Article, score: float, section: str | None = None) -> tuple[Article, Prediction]:
    return article, Prediction(article.id, section, None, None, None, score, 50.0, 0.25, "model", "version")


def lists(pairs: Pairs, **options: Any) -> dict[str, tuple[Entry, ...]]:
    """Every list by name, the site-wide one as "*"."""
    found = build_rankings([a for a, _ in pairs], [p for _, p in pairs], **options)
    return {"*": found.site, **found.by_section}


def ids(pairs: Pairs, **options: Any) -> list[str]:
    return [entry.id for entry in lists(pairs, **options)["*"]]


BODIES = st.lists(st.sampled_from("abcdef"), min_size=3, max_size=12).map(" ".join)
HOURS_AGO = st.none() | st.integers(-3, 72)


@st.composite
def inputs(draw: st.DrawFn) -> Pairs:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["", "Vote", "Bank", "Mayor", "Senate", "Prices"]),
                BODIES,
                st.sampled_from([None, "", "Gazette", "Courier"]),
                st.sampled_from([None, "World", "Science"]),
                st.sampled_from([-1.0, 0.0, 0.5, 2.0]),
                HOURS_AGO,
            ),
            max_size=14,
        )
    )
    return [
        scored(
            Article(
                id=f"id-{i}",
                headline=headline,
                body=body,
                source=source,
                section=section,
                published_at=None if ago is None else NOON - timedelta(hours=ago),
            ),
            score,
            "Science",
        )
        for i, (headline, body, source, section, score, ago) in enumerate(rows)
    ]


OPTIONS = st.fixed_dictionaries(
    {"top": st.integers(1, 6)},
    optional={
        "half_life": st.sampled_from([0.5, 6.0, 24.0]),
        "spread": st.sampled_from([0.5, 1.0, 2.0]),
        "per_source": st.integers(1, 3),
        "keep_duplicates": st.booleans(),
    },
)


@given(inputs(), OPTIONS, st.randoms(use_true_random=False))
def test_input_order_never_matters(pairs: Pairs, options: dict[str, Any], rng: random.Random) -> None:
    assert lists(rng.sample(pairs, len(pairs)), **options) == lists(pairs, **options)


@given(inputs(), OPTIONS)
@settings(max_examples=300)
def test_a_list_holds_what_it_must_and_passes_over_nothing_else(
    pairs: Pairs, options: dict[str, Any]
) -> None:
    by_id = {article.id: article for article, _ in pairs}
    index = NearDuplicates([a.headline for a, _ in pairs], [a.text for a, _ in pairs])
    near = {pairs[i][0].id: {pairs[j][0].id for j in index.of(i)} for i in range(len(pairs))}
    keep, limit = options.get("keep_duplicates", False), options.get("per_source", math.inf)
    # Everything in order, for what stands above what.
    whole = lists(pairs, **{**options, "top": 99, "keep_duplicates": True, "per_source": None})
    for name, entries in lists(pairs, **options).items():
        listed = [entry.id for entry in entries]
        assert [entry.rank for entry in entries] == list(range(1, len(entries) + 1))
        assert len(listed) <= options["top"]
        assert keep or not any(b in near[a] for a, b in combinations(listed, 2))
        sources = Counter(by_id[i].source for i in listed if by_id[i].source)
        assert all(count <= limit for count in sources.values())
        order = [entry.id for entry in whole[name]]
        assert [i for i in order if i in listed] == listed
        last = order.index(listed[-1]) if len(listed) == options["top"] else len(order)
        for place, other in enumerate(order[:last]):
            above = [i for i in listed if order.index(i) < place]
            source = by_id[other].source
            assert (
                other in listed
                or (not keep and any(other in near[i] for i in above))
                or (source and sum(by_id[i].source == source for i in above) == limit)
            )
        left_out = {} if keep else {i: near[i] & set(order) - set(listed) for i in listed}
        assert sum(entry.duplicates for entry in entries) == len(set().union(*left_out.values()))
        assert all(entry.duplicates <= len(left_out.get(entry.id, ())) for entry in entries)


# Near-duplicates


STORY = "The two ministers agreed on new ferry fares for the islands after a long night of talks"


def test_near_duplicates_are_listed_once_as_the_best_of_them() -> None:
    pairs = [
        scored(Article(id="first", headline="Fares agreed", body=STORY, section="World"), 1.0),
        scored(Article(id="edited", headline="Ferry fares", body=STORY + " in May", section="World"), 2.0),
        scored(Article(id="same title", headline="“Ferry  fares”", body="A", section="World"), 0.5),
        scored(Article(id="by title", headline='"ferry fares"', body="B", section="Islands"), 0.0),
        scored(Article(id="other", headline="Weather", section="World"), 1.5),
    ]
    found = lists(pairs)
    assert [(e.id, e.duplicates) for e in found["*"]] == [("edited", 1), ("other", 0), ("same title", 1)]
    assert [(e.id, e.duplicates) for e in found["World"]] == [("edited", 1), ("other", 0), ("same title", 0)]
    # A list is whole by itself: what the site-wide list leaves out may be the best of its section.
    assert [e.id for e in found["Islands"]] == ["by title"]
    assert ids(pairs, keep_duplicates=True) == ["edited", "other", "first", "same title", "by title"]
    assert {e.duplicates for e in lists(pairs, keep_duplicates=True)["*"]} == {0}


def test_ten_thousand_long_articles_in_seconds() -> None:
    rng = random.Random(0)
    vocabulary = [f"word{i}" for i in range(20_000)]
    texts = [" ".join(rng.choices(vocabulary, k=200)) for _ in range(5000)]
    pairs = [
        scored(Article(id=str(i), body=texts[i % 5000], section=f"Section {i % 10}"), rng.random())
        for i in range(10_000)
    ]
    started = time.perf_counter()
    found = lists(pairs, top=10)
    assert (
        time.perf_counter() - started < 30
    )  # about 2 when nothing else runs; comparing every pair takes minutes
    assert [entry.duplicates for entry in found["*"]] == [1] * 10


# The limit a source


def test_a_list_holds_so_many_of_a_source() -> None:
    rows = [("a", "Gazette"), ("b", "Gazette"), ("c", None), ("d", None), ("e", "Courier"), ("f", "Gazette")]
    pairs = [
        scored(Article(id=name, headline=f"Title {name}", source=source), -float(i))
        for i, (name, source) in enumerate(rows)
    ]
    assert ids(pairs, per_source=1) == ["a", "c", "d", "e"]
    assert ids(pairs, per_source=2, top=4) == ["a", "b", "c", "d"]
    assert ids(pairs, per_source=2, top=6) == ["a", "b", "c", "d", "e"]


def test_what_is_over_the_limit_leaves_its_near_duplicate_listed() -> None:
    pairs = [
        scored(Article(id="a", headline="Title", source="Gazette"), 3.0),
        scored(Article(id="b", headline="Fares", source="Gazette"), 2.0),
        scored(Article(id="c", headline="Fares", source="Courier"), 1.0),
    ]
    assert ids(pairs, per_source=1) == ["a", "c"]


# Freshness


def aged(hours: dict[str, float | None], scores: dict[str, float] | None = None) -> Pairs:
    return [
        scored(
            Article(
                id=name,
                headline=f"Title {name}",
                published_at=None if ago is None else NOON - timedelta(hours=ago),
            ),
            (scores or {}).get(name, 0.0),
        )
        for name, ago in hours.items()
    ]


@pytest.mark.parametrize("spread", [1.0, 0.5, 2.0])
def test_expected_readers_halve_every_half_life(spread: float) -> None:
    pairs = aged({"new": 0, "day": 24, "two": 48}, {"new": 1.0, "day": 1.0, "two": 1.0})
    found = {e.id: e for e in lists(pairs, half_life=24.0, spread=spread)["*"]}
    readers = {name: math.exp(spread * entry.ranking_score) for name, entry in found.items()}
    assert readers["day"] / readers["new"] == pytest.approx(1 / 2)
    assert readers["two"] / readers["new"] == pytest.approx(1 / 4)
    assert found["new"].ranking_score == 1.0
    assert {entry.popularity_score for entry in found.values()} == {1.0}


def test_a_better_article_outlives_newer_ones_for_a_while() -> None:
    # Twice as many readers are a score of ln 2 more: worth exactly one half-life.
    scores = {"good": math.log(2), "new": 0.0}
    for ago, expected in ((9, ["good", "new"]), (11, ["new", "good"])):
        assert ids(aged({"good": ago, "new": 0}, scores), half_life=10.0) == expected
    assert ids(aged({"good": 1000, "new": 0}, scores)) == ["good", "new"]


def test_ages_are_counted_to_now() -> None:
    pairs = aged({"future": -5, "new": 0, "old": 10, "unknown": None})

    def losses(**options: Any) -> dict[str, float]:
        return {e.id: -e.ranking_score / math.log(2) for e in lists(pairs, half_life=1.0, **options)["*"]}

    # To the newest by default; without a time an article has the median age of the others.
    assert losses() == pytest.approx({"future": 0, "new": 5, "old": 15, "unknown": 5})
    assert losses(now=NOON) == pytest.approx({"future": 0, "new": 0, "old": 10, "unknown": 0})
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert losses(now=tokyo + timedelta(hours=2)) == pytest.approx(
        {"future": 0, "new": 2, "old": 12, "unknown": 2}
    )


def test_without_any_time_a_half_life_changes_nothing() -> None:
    pairs = aged({"a": None, "b": None}, {"a": 0.0, "b": 1.0})
    assert lists(pairs, half_life=1.0, now=NOON) == lists(pairs)
    assert lists([], half_life=1.0) == {"*": ()}


POSITIVE = st.floats(min_value=5e-324, max_value=sys.float_info.max)


@given(st.tuples(HOURS_AGO, HOURS_AGO), st.tuples(POSITIVE, POSITIVE), POSITIVE, st.floats(-1e308, 1e308))
def test_of_equal_scores_the_newer_is_above_at_any_half_life(
    ago: tuple[int | None, int | None], half_lives: tuple[float, float], spread: float, score: float
) -> None:
    pairs = aged({"a": ago[0], "b": ago[1]}, {"a": score, "b": score})
    for half_life in half_lives:
        entries = lists(pairs, half_life=half_life, spread=spread)["*"]
        assert all(math.isfinite(entry.ranking_score) for entry in entries)
        if None not in ago and ago[0] != ago[1]:
            assert entries[0].id == ("a" if ago[0] < ago[1] else "b")  # type: ignore[operator]


@given(
    st.tuples(st.integers(0, 72), st.integers(0, 72)),
    st.tuples(st.integers(-8, 8), st.integers(-8, 8)),
    st.tuples(st.integers(1, 50), st.integers(1, 50)),
)
def test_a_shorter_half_life_never_lifts_an_older_article(
    ago: tuple[int, int], halves: tuple[int, int], half_lives: tuple[int, int]
) -> None:
    pairs = aged({"older": max(ago) + 1, "newer": min(ago)}, {"older": halves[0] / 2, "newer": halves[1] / 2})
    shorter, longer = sorted(half_lives)
    if ids(pairs, half_life=longer)[0] == "newer":
        assert ids(pairs, half_life=shorter)[0] == "newer"


# What cannot be used


BAD = {
    "half_life": [0, 0.0, -1.0, math.nan, math.inf, -math.inf],
    "spread": [0.0, -1.0, math.nan, math.inf],
    "per_source": [0, -1],
    "top": [0, -1],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in BAD for value in BAD[name]])
def test_bad_values_are_named(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"^{name} is {value};"):
        lists([], **{name: value})


def test_a_now_that_cannot_be_used() -> None:
    with pytest.raises(UsageError, match="now has no time zone"):
        lists([], half_life=1.0, now=NOON.replace(tzinfo=None))
    with pytest.raises(UsageError, match="now has no effect without a half-life"):
        lists([], now=NOON)


def test_labels_may_differ_between_equal_ids() -> None:
    same = Article(id="same", headline="Title", published_at=NOON)
    pairs = [
        scored(replace(same, section="World"), 1.0),
        scored(replace(same, section="Science"), 1.0),
        scored(replace(same, source="Gazette"), 1.0, "World"),
    ]
    for options in ({}, {"keep_duplicates": True}):
        assert lists(pairs, **options) == lists(pairs[::-1], **options)

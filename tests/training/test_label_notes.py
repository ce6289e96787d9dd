"""Bad labels: what is made of them, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from classifier.reading import Reading
from classifier.reading.base import click_schema
from training.config import Config
from training.corpus import Corpus
from training.dataset import corpus_of, judgements_of
from training.labels import box_judgements, count_judgements, group_boxes, join_clicks, label_notes
from training.labels.judgements import standardised_targets

Make = Callable[..., Corpus]
Read = Callable[..., Reading]
NOW = datetime(2031, 6, 1, tzinfo=UTC)


def article(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"a{number}",
        "headline": f"headline {number}",
        "source": "Gazette",
        "published_at": f"2031-05-0{1 + number // 12}T08:{number % 60:02d}:00Z",
        **more,
    }


def line(
    rank: int, headline: str, *, name: str = "*", taken_at: str | None = "2031-05-01T23:00:00Z"
) -> dict[str, Any]:
    return {
        "list": name,
        "rank": rank,
        "headline": headline,
        **({} if taken_at is None else {"taken_at": taken_at}),
    }


def noted(corpus: Corpus) -> str:
    (note,) = label_notes(corpus, now=NOW)
    return note


# Counts


def test_good_counts_need_no_word(corpus_of: Make) -> None:
    corpus = corpus_of([article(i, popularity=float(i)) for i in range(36)])
    assert label_notes(corpus, now=NOW) == []
    assert label_notes(corpus_of([article(0)]), now=NOW) == []


def test_counts_below_0_are_unknown(corpus_of: Make) -> None:
    corpus = corpus_of([article(i, popularity=-1.0 if i == 3 else float(i)) for i in range(12)])
    assert np.flatnonzero(np.isnan(corpus.popularity)).tolist() == [3]
    found = count_judgements(corpus)
    assert 3 not in found.rows.tolist()
    assert np.isnan(standardised_targets(found, 12)[3])
    assert noted(corpus) == (
        "popularity is below 0 in 1 article, which is no count: taken as unknown; leave such values out, or shift a "
        "balance (likes less dislikes) up to 0"
    )


def test_groups_of_one_and_of_equal_counts_say_nothing(corpus_of: Make) -> None:
    alone = corpus_of([article(i, popularity=float(i), popularity_group=f"g{i}") for i in range(12)])
    equal = corpus_of([article(i, popularity=7.0) for i in range(12)])
    for corpus, groups in ((alone, "12 of 12 popularity groups"), (equal, "1 of 1 popularity group")):
        assert np.isnan(standardised_targets(count_judgements(corpus), 12)).all()
        assert noted(corpus).startswith(f"{groups} have one article or equal counts only: they do not say")
    few = [
        article(i, popularity=float(i), **({"popularity_group": "g"} if i == 0 else {})) for i in range(12)
    ]
    assert label_notes(corpus_of(few), now=NOW) == []  # one in twelve is nothing to speak of


def test_counts_that_cannot_be_compared_are_counted(corpus_of: Make) -> None:
    rows = [article(i, popularity=float(i)) for i in range(12)]
    rows += [article(i, popularity=3.0, published_at=None) for i in (12, 13)]
    assert noted(corpus_of(rows)) == (
        "the popularity of 2 articles cannot be compared with any other: give published_at or a popularity_group"
    )


def test_a_group_in_which_nothing_is_known_is_passed_over(corpus_of: Make) -> None:
    rows = [article(i, popularity=float(i) if i < 12 else None) for i in range(24)]
    corpus = corpus_of(rows)
    assert (
        np.isfinite(standardised_targets(count_judgements(corpus), 24)).tolist() == [True] * 12 + [False] * 12
    )
    assert label_notes(corpus, now=NOW) == []


def test_flags_among_counts_are_read_as_counts_and_named(corpus_of: Make) -> None:
    rows = [article(i, popularity=float(i % 3 == 0) if i < 12 else 100.0 * i) for i in range(36)]
    corpus = corpus_of(rows)
    assert not count_judgements(corpus).flags
    assert noted(corpus).startswith("popularity is only 0 or 1 in 1 of 3 groups and a count in others")
    flags = corpus_of([article(i, popularity=float(i % 3 == 0)) for i in range(36)])
    assert count_judgements(flags).flags
    assert label_notes(flags, now=NOW) == []


# Times


def test_a_few_dates_in_the_future_are_named(corpus_of: Make) -> None:
    rows = [article(i) for i in range(12)]
    rows[2]["published_at"] = "2999-01-01T00:00:00Z"
    assert noted(corpus_of(rows)) == (
        "1 article is dated in the future, the last on 2999-01-01: they count as the newest; mend published_at or its time "
        "zone"
    )
    later = [article(i, published_at="2031-07-01T00:00:00Z") for i in range(12)]
    assert label_notes(corpus_of(later), now=NOW) == []  # an archive of another time, not a mistake


@pytest.mark.parametrize(
    ("time", "zone"),
    [("9999-12-31T23:59:00+00:00", "Asia/Tokyo"), ("0001-01-01T00:00:00+00:00", "America/New_York")],
)
def test_a_time_at_the_edge_of_the_calendar_has_no_local_day(corpus_of: Make, time: str, zone: str) -> None:
    corpus = corpus_of([article(0), article(1, published_at=time)], timezone=zone)
    assert (corpus.days[0] is None, corpus.days[1], corpus.hours[1], corpus.groups[1]) == (
        False,
        None,
        None,
        None,
    )


def test_clocks_of_several_zones_are_compared_as_instants(reading_of: Read) -> None:
    times = [
        "2031-05-01T23:30:00+09:00",
        "2031-05-01T16:00:00+00:00",
        "2031-05-01T12:00:00-05:00",
    ]  # 14:30, 16:00, 17:00
    rows = [article(i, published_at=time) for i, time in enumerate(times)]
    boxes = [line(1, "headline 1", taken_at="2031-05-01T18:30:00+02:00")]  # 16:30
    reading = reading_of(rows, boxes)
    corpus = corpus_of(reading)
    assert corpus.timezone == "UTC"
    assert (np.diff(corpus.instants) > 0).all()
    assert corpus_of(reading, "Asia/Tokyo").days == ["2031-05-01", "2031-05-02", "2031-05-02"]
    found, _ = box_judgements(corpus, group_boxes(reading.boxes), window_days=7)
    assert dict(zip(found.rows.tolist(), found.values.tolist(), strict=True)) == {
        1: 1.0,
        0: 0.0,
    }  # 2 came later


# Boxes


def boxed(reading: Reading) -> tuple[Corpus, dict[str, float], list[str]]:
    """The corpus, what each headline is worth, and the notes."""
    corpus = corpus_of(reading)
    found, report = box_judgements(corpus, group_boxes(reading.boxes), window_days=7)
    headlines = corpus.rows.texts("headline")
    worth = {headlines[i]: value for i, value in zip(found.rows.tolist(), found.values.tolist(), strict=True)}
    return corpus, worth, label_notes(corpus, report, now=NOW)


def test_boxes_that_match_nothing_are_named(reading_of: Read) -> None:
    _, worth, notes = boxed(reading_of([article(0)], [line(1, "something else"), line(2, "and more")]))
    assert worth == {}
    assert (
        notes[0]
        == "ranking boxes: 1 with 2 lines, 0 joined with articles (0 of them headline-only), 1 boxes left out"
    )
    assert notes[1].startswith("no title of the ranking boxes is the headline of an article")


def test_a_title_whose_rank_is_taken_is_neither_listed_nor_unlisted(reading_of: Read) -> None:
    rows = [article(i) for i in range(4)]
    boxes = [line(1, "headline 0"), line(1, "headline 1"), line(2, "headline 2"), line(2, "HEADLINE 2")]
    _, worth, notes = boxed(reading_of(rows, boxes))
    assert worth == {"headline 0": 1.0, "headline 2": 1 / np.log2(3), "headline 3": 0.0}
    assert notes[1:] == [
        "1 line of ranking boxes left out: another line of the same list and time has the same rank; give each box its own "
        "taken_at (or file)"
    ]


def test_many_boxes_without_a_time_in_one_file_are_named(reading_of: Read) -> None:
    boxes = [line(1 + i % 3, f"headline {i}", taken_at=None) for i in range(30)]
    _, worth, notes = boxed(reading_of([article(i) for i in range(36)], boxes))
    assert [name for name, value in worth.items() if value] == ["headline 0", "headline 1", "headline 2"]
    assert notes[1].startswith("27 lines of ranking boxes left out")


def test_a_box_from_before_its_articles_is_named(reading_of: Read) -> None:
    rows = [article(i) for i in range(4)]
    boxes = [line(1, "headline 0", taken_at="2031-04-01T00:00:00Z"), line(1, "headline 1")]
    _, worth, notes = boxed(reading_of(rows, [*boxes, line(2, "headline 2")]))
    assert worth["headline 1"] == 1.0
    assert notes[1:] == [
        "1 ranking box taken before any article listed there was published: check taken_at (--taken-at) and the time zones"
    ]


def test_a_box_at_the_edge_of_the_calendar_is_a_box(reading_of: Read) -> None:
    rows = [article(0, published_at="0001-01-01T00:00:00Z"), article(1)]
    boxes = [line(rank, f"headline {rank - 1}", taken_at="0001-01-02T00:00:00Z") for rank in (1, 2)]
    reading = reading_of(rows, boxes)
    corpus = corpus_of(reading, "America/New_York")
    found, _ = box_judgements(corpus, group_boxes(reading.boxes), window_days=7)
    assert found.values.tolist() == [1.0, 1 / np.log2(3)]


# Clicks


def clicked(corpus: Corpus, lines: list[tuple[str, str, bool]]) -> Corpus:
    schema = click_schema().append(pa.field("file", click_schema().field("shown").type))
    rows = [(*one, None, "log.csv") for one in lines]
    arrays = [
        pa.array(values, pa.string()).dictionary_encode()
        if pa.types.is_dictionary(kind)
        else pa.array(values, kind)
        for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
    ]
    return replace(
        corpus, clicks=join_clicks(pa.Table.from_arrays(arrays, schema=schema), corpus.table["id"])
    )


def test_clicks_are_summed_up_and_what_is_left_out_is_named(corpus_of: Make) -> None:
    lines = [("i", "a0", True), ("i", "a1", False), ("i", "a1", True), ("i", "a2", False), ("j", "a0", False)]
    corpus = clicked(
        corpus_of([article(i) for i in range(3)]), [*lines, ("j", "x9", True), ("k", "x8", True)]
    )
    assert label_notes(corpus, now=NOW) == [
        "clicks: 7 lines, 2 lists that showed known articles, 1 of them with clicked and other articles",
        '2 lines of clicks left out: no article has the id, such as "x9"; article_id must hold the articles\' id',
        "1 line of clicks left out: the list has the article already, which counts as clicked where one of its lines "
        "says so; give every list that was shown a name of its own",
    ]


def test_clicks_without_one_known_article_judge_nothing(corpus_of: Make) -> None:
    corpus = clicked(corpus_of([article(0)]), [("i", "x", True), ("i", "y", False)])
    decisive, others, _ = judgements_of(corpus, (), Config())
    assert (len(decisive), len(others)) == (0, 0)
    assert label_notes(corpus, now=NOW)[0] == (
        "clicks: 2 lines, 0 lists that showed known articles, 0 of them with clicked and other articles"
    )

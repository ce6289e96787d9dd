"""Sides of boxes and articles, and the fingerprint: what is held out never comes into training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from classifier.errors import LabelError
from classifier.reading import Reading
from training.config import Config
from training.corpus import Corpus
from training.dataset import Dataset, build_dataset, describe, fingerprint, judgements_of

Make = Callable[..., Corpus]
Read = Callable[..., Reading]


def page(number: int, day: int, **more: Any) -> dict[str, Any]:
    return {
        "headline": f"Story number {number} about {chr(97 + number) * 5}",
        "section": "Politics",
        "file": f"{day}/{number}.txt",
        "published_at": f"2031-04-{day:02d}T{number:02d}:00:00Z",
        **more,
    }


def line(headline: str, *, name: str = "*", rank: int = 1, **more: Any) -> dict[str, Any]:
    return {"list": name, "rank": rank, "headline": headline, **more}


PAGES = [page(i, 1 + i // 2) for i in range(10)]  # five days, the last is held out


def built(reading: Reading) -> tuple[Dataset, set[str], set[str]]:
    """The dataset, the headlines that train, and the headlines that headline-only articles train with."""
    dataset = build_dataset(reading, Config())
    headlines = np.array(dataset.corpus.rows.texts("headline"))
    train = dataset.split.train
    return dataset, set(headlines[train].tolist()), set(headlines[train & dataset.corpus.from_box].tolist())


def test_a_box_is_on_the_side_of_its_page(reading_of: Read) -> None:
    boxes = [line("from a training page", file="2/3.txt"), line("from a test page", file="5/9.txt")]
    dataset, train, made = built(reading_of(PAGES, boxes))
    assert [box.lines[0][1] for box in dataset.train_boxes] == ["from a training page"]
    assert [box.lines[0][1] for box in dataset.test_boxes] == ["from a test page"]
    assert made == {"from a training page"}
    assert len(train) == 9
    assert not (dataset.split.test & dataset.corpus.from_box).any()


def test_a_box_without_a_page_is_on_the_side_of_its_time(reading_of: Read) -> None:
    boxes = [
        line("an early one", taken_at="2031-04-03T00:00:00Z"),
        line("a late one", taken_at="2031-04-06T00:00:00Z"),
        line("at no time"),
    ]
    dataset, _, made = built(reading_of(PAGES, boxes))
    assert made == {"an early one", "at no time"}
    assert [box.lines[0][1] for box in dataset.test_boxes] == ["a late one"]


def test_a_held_out_box_labels_nothing_that_trains(reading_of: Read) -> None:
    boxes = [
        line("listed on both sides", file="2/3.txt"),
        line("listed on both sides", name="World", file="5/9.txt"),
    ]
    dataset, _, made = built(reading_of(PAGES, boxes))
    assert made == {"listed on both sides"}
    assert dataset.corpus.labels[-1] == ()


def test_a_title_like_a_held_out_page_does_not_train(reading_of: Read) -> None:
    pages = [*PAGES[:-1], {**PAGES[-1], "headline": "", "body": "A man bites the same dog again today"}]
    boxes = [
        line("A man bites the same dog again today!", file="2/3.txt"),
        line("Another title", file="2/3.txt"),
    ]
    boxes[1]["rank"] = 2
    dataset, _, made = built(reading_of(pages, boxes))
    assert made == {"Another title"}
    assert not dataset.split.leaked.any()


def test_held_out_articles_are_in_no_training_judgement(reading_of: Read) -> None:
    rows = [{**row, "popularity": float(i), "popularity_group": "all"} for i, row in enumerate(PAGES)]
    dataset = build_dataset(reading_of(rows), Config())
    found, _, _ = judgements_of(dataset.corpus, dataset.train_boxes, Config(), dataset.split.train)
    assert len(found) == int(dataset.split.train.sum())
    assert set(found.values.tolist()) == set(dataset.corpus.popularity[dataset.split.train].tolist())
    boxes = [line(PAGES[9]["headline"], taken_at="2031-04-02T00:00:00Z")]
    boxes += [line(PAGES[1]["headline"], taken_at="2031-04-02T00:00:00Z", rank=2)]
    dataset = build_dataset(reading_of(PAGES, boxes), Config())
    found, _, report = judgements_of(dataset.corpus, dataset.train_boxes, Config(), dataset.split.train)
    assert report is not None
    assert report.matched == 2  # the title of a held-out article is found, and then left out
    assert set(found.rows.tolist()) == {0, 1}


def test_counts_decide_and_boxes_fill_in(reading_of: Read) -> None:
    boxes = [line(PAGES[1]["headline"], taken_at="2031-04-02T00:00:00Z")]
    rows = [{**PAGES[0], "popularity": 3.0}, *PAGES[1:]]
    dataset = build_dataset(reading_of(rows, boxes), Config())
    everything = np.ones(len(dataset.corpus), np.bool_)
    decisive, others, _ = judgements_of(dataset.corpus, dataset.train_boxes, Config())
    assert (decisive.values.tolist(), len(others)) == ([3.0], 2)
    # Where a part has no counts its boxes decide, whatever the other part has.
    decisive, others, _ = judgements_of(
        dataset.corpus, dataset.train_boxes, Config(), everything & (np.arange(len(everything)) > 0)
    )
    assert (decisive.values.tolist(), len(others)) == ([1.0], 0)


def test_without_articles_there_is_nothing_to_learn_from(reading_of: Read) -> None:
    with pytest.raises(LabelError, match="there are ranking boxes but no article") as caught:
        build_dataset(reading_of([], [line("a title")]), Config())
    assert "give the articles" in str(caught.value)
    nothing = reading_of(PAGES)
    with pytest.raises(LabelError, match="there is no article"):
        build_dataset(replace(nothing, articles=nothing.articles.slice(0, 0)), Config())


def test_describe(corpus_of: Make) -> None:
    corpus = corpus_of(
        [page(2, 3, popularity=0.0), page(1, 1), page(0, 2), {"headline": "x"}], column_zone="Asia/Tokyo"
    )
    mask = np.array([True, True, False, True])
    assert describe(corpus, mask) == {
        "articles": 3,
        "window": ["2031-04-01T10:00+09:00", "2031-04-03T11:00+09:00"],
        "with_section": 2,
        "with_popularity": 1,
        "from_boxes": 0,
    }
    alone = describe(corpus, np.array([False, False, False, True]))
    assert (alone["articles"], alone["window"]) == (1, None)


def test_the_fingerprint_is_of_the_values_alone(reading_of: Read) -> None:
    reading = reading_of([{**row, "desk": "north"} for row in PAGES], [line("a"), line("b", rank=2)])
    table, boxes = reading.articles, reading.boxes
    found = fingerprint(table, boxes)
    pieces = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    assert pieces.column("headline").num_chunks > table.column("headline").num_chunks
    assert fingerprint(pieces, boxes) == found
    assert fingerprint(table.select(table.schema.names[::-1]), boxes) == found
    assert fingerprint(table.drop_columns("file"), boxes) == found


@pytest.mark.parametrize(
    ("column", "value"),
    [("headline", "x"), ("popularity", 1.0), ("desk", None), ("published_at", "2031-04-01T00:00:01Z")],
)
def test_another_value_gives_another_fingerprint(reading_of: Read, column: str, value: object) -> None:
    rows = [{**row, "desk": "north"} for row in PAGES]
    before = reading_of(rows, [line("a")])
    after = reading_of(
        [{**rows[0], column: value, "id": before.articles["id"][0].as_py()}, *rows[1:]], [line("a")]
    )
    assert fingerprint(after.articles, after.boxes) != fingerprint(before.articles, before.boxes)
    other = reading_of(rows, [line("a", rank=2)])
    assert fingerprint(other.articles, other.boxes) != fingerprint(before.articles, before.boxes)

"""What the head knows of each source: sizes of its groups by weekday, and how its scores spread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from classifier.popularity import DAYS, MIN_SOURCE_ARTICLES, QUANTILES
from training.corpus import Corpus
from training.labels import count_judgements
from training.popularity.sources import group_sizes, score_quantiles, source_names, weekdays

Make = Callable[..., Corpus]
MONDAY = datetime.fromisoformat("2031-03-03T10:00:00+00:00")


def news(sizes: dict[tuple[str | None, int], int], *, timed: bool = True) -> list[dict[str, Any]]:
    """So many articles of a source on each day, counted from a Monday."""
    return [
        {
            "headline": "x",
            "source": source,
            "published_at": (MONDAY + timedelta(days=day)).isoformat() if timed else None,
            "popularity": float(i),
            "popularity_group": f"{source} {day}",
        }
        for (source, day), size in sizes.items()
        for i in range(size)
    ]


def table(corpus: Corpus) -> Any:
    judgements = count_judgements(corpus)
    _, group, counts = np.unique(judgements.groups, return_inverse=True, return_counts=True)
    sources, source = source_names(corpus)
    return group_sizes(corpus, judgements, counts[group].astype(float), source, len(sources))


def test_sources_are_numbered_from_one(corpus_of: Make) -> None:
    corpus = corpus_of([{"headline": "x", "source": name} for name in ("b", None, "a", "", "b")])
    names, ids = source_names(corpus)
    assert names == ("a", "b")
    assert ids.tolist() == [2, 0, 1, 0, 2]


def test_weekdays_are_local(corpus_of: Make) -> None:
    times = ["2031-03-02T14:59:00+00:00", "2031-03-02T15:00:00+00:00", "2031-03-08T10:00:00+00:00", None]
    corpus = corpus_of([{"headline": "x", "published_at": time} for time in times], timezone="Asia/Tokyo")
    assert weekdays(corpus).tolist() == [6, 0, 5, DAYS - 1]


def test_sizes_are_medians_of_each_weekday(corpus_of: Make) -> None:
    """The north has 10 articles on a day, 20 on Sundays and, once, 90; the south 4."""
    sizes: dict[tuple[str | None, int], int] = {
        ("north", day): 20 if day % 7 == 6 else 10 for day in range(28)
    }
    sizes[("north", 7)] = 90  # a Monday: one of four
    sizes.update({("south", day): 4 for day in range(0, 28, 7)})
    found = table(corpus_of(news(sizes)))
    assert found.shape == (3, DAYS)
    assert found[1, :7].tolist() == [10] * 6 + [20]
    assert found[1, DAYS - 1] == 10  # of any day
    assert found[2].tolist() == [4] * DAYS  # known on Mondays only: elsewhere its own median
    assert found[0, 1:7].tolist() == [10] * 5 + [20]
    assert found[0, 0] == 7  # 10, 90, 10, 10, and four times 4


def test_the_newest_four_weeks_count_where_they_are_enough(corpus_of: Make) -> None:
    sizes: dict[tuple[str | None, int], int] = {("north", day): 10 if day < 56 else 30 for day in range(84)}
    assert table(corpus_of(news(sizes)))[1, :7].tolist() == [30] * 7
    # Of Mondays only one is new: all count.
    for day in (63, 70, 77):
        del sizes[("north", day)]
    found = table(corpus_of(news(sizes)))
    assert found[1, 0] == 10
    assert found[1, 1:7].tolist() == [30] * 6


def test_a_group_of_several_sources_counts_once_for_each(corpus_of: Make) -> None:
    rows = [
        {**row, "popularity_group": row["published_at"][:10], "popularity": float(i)}
        for i, row in enumerate(
            news({**{("north", day): 6 for day in range(28)}, **{("south", day): 2 for day in range(28)}})
        )
    ]
    assert table(corpus_of(rows)).tolist() == [[8.0] * DAYS] * 3


def test_without_times_the_size_of_any_day_is_taken(corpus_of: Make) -> None:
    sizes: dict[tuple[str | None, int], int] = {("north", day): 10 for day in range(5)}
    sizes.update({("south", day): 30 for day in range(5)})
    found = table(corpus_of(news(sizes, timed=False)))
    assert found.tolist() == [[20.0] * DAYS, [10.0] * DAYS, [30.0] * DAYS]


def test_a_source_without_judgements_has_the_size_of_all(corpus_of: Make) -> None:
    rows = news({("north", day): 10 for day in range(5)})
    rows += [{"headline": "x", "source": "unread", "published_at": MONDAY.isoformat()}]
    assert table(corpus_of(rows)).tolist() == [[10.0] * DAYS] * 3


def test_scores_of_small_sources_are_ranked_among_all() -> None:
    draw = np.random.default_rng(0)
    large, small = draw.normal(5, 1, MIN_SOURCE_ARTICLES), draw.normal(-5, 1, MIN_SOURCE_ARTICLES - 1)
    scores = np.concatenate([large, small])
    source = np.repeat([1, 2], [len(large), len(small)])
    found = score_quantiles(scores, source, 3)
    assert found.shape == (4, QUANTILES)
    assert found[1, [0, 50, -1]] == pytest.approx([large.min(), np.median(large), large.max()])
    assert found[0, [0, -1]] == pytest.approx([small.min(), large.max()])
    for number in (2, 3):
        assert found[number].tolist() == found[0].tolist()
    assert (np.diff(found, axis=1) >= 0).all()
    equal = score_quantiles(np.full(300, 0.1 + 0.2), np.ones(300, np.int64), 1)
    assert (np.diff(equal, axis=1) >= 0).all()

"""A single row's features as numbers are those of its arrays, to the bit, and so are its scores."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.linear import Linear
from classifier.text.blocks import (
    CategoryBlock,
    CrossBlock,
    DaypartBlock,
    HardDaypartBlock,
    NumericBlock,
    ShapeBlock,
    TimeBlock,
)
from classifier.text.rows import Rows
from classifier.text.shape import SHAPE_FEATURES
from classifier.text.times import DAYPARTS, HARD_DAYPARTS, TIME_FEATURES

DRAW = np.random.default_rng(0)
DESK = CategoryBlock("desk", 0.3, ("north", "none", "south"))
LENGTH = NumericBlock("headline length", 0.3, np.array([0.0, 5.0, 9.0]), np.array([0.25, 0.5, 0.25]))
DAYPART = DaypartBlock("Asia/Tokyo", 0.3, DRAW.random(len(DAYPARTS.names)))
BLOCKS: list[Any] = [
    DESK,
    CategoryBlock("desk", 0.3, ("north", "none", "south"), 1),
    NumericBlock("words", 0.7, np.array([0.0, 100.0, 400.0]), np.array([0.25, 0.5, 0.25])),
    ShapeBlock(0.05, DRAW.random(len(SHAPE_FEATURES)), DRAW.random(len(SHAPE_FEATURES)) + 0.1),
    TimeBlock("Asia/Tokyo", 0.1, DRAW.random(len(TIME_FEATURES))),
    LENGTH,
    DAYPART,
    HardDaypartBlock("Asia/Tokyo", 0.3, DRAW.random(len(HARD_DAYPARTS.names))),
    CrossBlock("desk", 0.7, ("north", "south"), DAYPART, np.array([0, 1, 4, 7, 8, 12, 13, 17, 20, 30])),
    CrossBlock("desk", 0.2, ("north", "south"), LENGTH, np.array([0, 2, 3, 4, 5])),
    CrossBlock("words", 0.2, ("12", "7"), DESK, np.array([0, 4])),
]
TIMES = st.none() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9))]))
ARTICLES = st.builds(
    lambda headline, time, desk, words: Article(
        headline=headline, body="text", published_at=time, extra={"desk": desk, "words": words}
    ),
    st.sampled_from(["", " ", 'Who said "5 ways"?']) | st.text(max_size=40),
    TIMES,
    st.sampled_from([None, "north", "south", "none", "elsewhere", 7]),
    st.none() | st.floats() | st.integers(-5, 500) | st.just("12"),
)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.kind} {getattr(block, 'null', '')}")
@given(ARTICLES)
def test_the_features_of_a_row(block: Any, article: Article) -> None:
    rows = Rows.from_articles([article])
    indices, values = block.transform(rows).row(0)
    few, own = block.one(rows)
    assert list(few) == indices.tolist()
    assert np.array(own, np.float64).tobytes() == values.tobytes()


@given(ARTICLES, st.integers(1, 3))
def test_its_scores(article: Article, outputs: int) -> None:
    width = sum(block.width for block in BLOCKS)
    weights = np.random.default_rng(outputs).standard_normal((width, outputs))
    linear = Linear(BLOCKS, weights, np.arange(outputs, dtype=np.float64))
    alone = linear.scores(Rows.from_articles([article]))
    among = linear.scores(Rows.from_articles([article, article]))
    assert alone.tobytes() == among[:1].tobytes()

"""Scores are the sum of their parts, and a row's are its own whatever stands beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_array

from classifier.articles import Article
from classifier.errors import ArtifactDamaged
from classifier.linear import INTERCEPT, Linear
from classifier.model import Model
from classifier.spec import Arrays, Spec
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import CategoryBlock, TextBlock
from classifier.text.rows import Rows

HEADS = ("sections", "popularity")


@pytest.mark.parametrize("head", HEADS)
def test_parts_sum_to_the_scores(tiny: Model, articles: list[Article], head: str) -> None:
    linear = getattr(tiny, head).linear
    rows = Rows.from_articles(articles)
    scores = linear.scores(rows)
    assert scores.shape == (len(articles), len(linear.intercept))
    for number in range(len(articles)):
        parts = linear.parts(rows, number)
        total = sum((part.contributions for part in parts), np.zeros(len(linear.intercept)))
        np.testing.assert_allclose(total, scores[number], rtol=0, atol=1e-9)
        assert [part.name for part in parts].count(INTERCEPT) == 1


@pytest.mark.parametrize("head", HEADS)
def test_scores_do_not_depend_on_the_rows_beside(tiny: Model, articles: list[Article], head: str) -> None:
    linear = getattr(tiny, head).linear
    together = linear.scores(Rows.from_articles(articles * 3))
    for number, article in enumerate(articles):
        alone = linear.scores(Rows.from_articles([article]))[0]
        for copy in range(3):
            assert together[number + copy * len(articles)].tobytes() == alone.tobytes()


@pytest.mark.parametrize("head", HEADS)
def test_spans_lie_within_the_fields(tiny: Model, articles: list[Article], head: str) -> None:
    with_spans = 0
    for article in articles:
        for part in getattr(tiny, head).linear.parts(Rows.from_articles([article])):
            for name, start, end in part.spans:
                assert 0 <= start < end <= len(getattr(article, name))
                with_spans += 1
    assert with_spans >= 20


def small() -> Linear:
    blocks = [CategoryBlock("source", 1.0, ("a", "b")), CategoryBlock("desk", 2.0, ("x",))]
    return Linear(blocks, np.arange(6.0).reshape(3, 2), np.array([0.5, -0.5]))


@given(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["x", "y", None]))
def test_blocks_stand_side_by_side(source: str | None, desk: str | None) -> None:
    rows = Rows.from_articles([Article(headline="h", source=source, extra={"desk": desk})])
    expected = np.array([0.5, -0.5])
    if source in ("a", "b"):
        expected = expected + [[0.0, 1.0], [2.0, 3.0]]["ab".index(source)]
    if desk == "x":
        expected = expected + 2.0 * np.array([4.0, 5.0])
    assert small().scores(rows).tolist() == [expected.tolist()]


@given(
    any_array(np.int16, (4, 3)),
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["x", "y", None])), min_size=1
    ),
)
def test_parts_sum_exactly_to_the_score(numbers: Any, given: list[tuple[str | None, str | None]]) -> None:
    table = numbers.astype(np.float64)  # whole numbers, so that no order of adding rounds
    linear = Linear(small().blocks, table[:3], table[3])
    articles = [Article(headline="h", source=source, extra={"desk": desk}) for source, desk in given]
    rows = Rows.from_articles(articles)
    for number, score in enumerate(linear.scores(rows)):
        parts = linear.parts(rows, number)
        assert sum(part.contributions for part in parts).tolist() == score.tolist()
        assert parts[-1].name == INTERCEPT
        assert parts[-1].contributions.tolist() == table[3].tolist()
        assert parts[-1].spans == ()


def test_features_of_texts_are_counted_and_no_others() -> None:
    words = TextBlock("headline", Analyzer(), True, 1.0, ("bank", "vote"), np.ones(2))
    again = TextBlock("body", Analyzer(), True, 1.0, ("vote",), np.ones(1))
    linear = Linear([words, CategoryBlock("source", 1.0, ("a",)), again], np.ones((4, 2)), np.zeros(2))
    articles = [
        Article(headline="Vote, bank! Vote", body="vote", source="a"),
        Article(headline="vote", body="bank"),
        Article(headline="zzz", source="a"),
    ]
    scores, known = linear.scores_and_known(Rows.from_articles(articles))
    assert known.tolist() == [3, 1, 0]
    assert scores[2].tolist() == [1.0, 1.0]


def test_it_comes_back_from_its_spec_and_arrays() -> None:
    linear = small()
    back = Linear.load(Spec(linear.spec(), "here"), Arrays(linear.arrays()), 2)
    assert back.spec() == linear.spec()
    assert {name: array.tobytes() for name, array in back.arrays().items()} == {
        name: array.tobytes() for name, array in linear.arrays().items()
    }


def test_more_than_ten_blocks_keep_their_own_arrays() -> None:
    blocks = [CategoryBlock("source", 1.0, (f"only {i}",)) for i in range(12)]
    linear = Linear(blocks, np.zeros((12, 1)), np.zeros(1))
    back = Linear.load(Spec(linear.spec(), "here"), Arrays(linear.arrays()), 1)
    assert [block.feature_name(0) for block in back.blocks] == [f"source: only {i}" for i in range(12)]


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("weights", np.zeros((4, 2)), "weights.npy"),
        ("weights", np.zeros((3, 1)), "weights.npy"),
        ("weights", np.zeros(6), "weights.npy"),
        ("weights", np.array([[0, 1], [np.nan, 1], [2, 3]]), "weights.npy"),
        ("intercept", np.zeros(3), "intercept.npy"),
        ("intercept", np.zeros(2, np.int64), "intercept.npy"),
    ],
)
def test_arrays_that_do_not_fit(name: str, value: Any, where: str) -> None:
    linear = small()
    arrays = Arrays({**linear.arrays(), name: value}, "folder/sections.")
    with pytest.raises(ArtifactDamaged, match=r"expected|not finite") as caught:
        Linear.load(Spec(linear.spec(), "here"), arrays, 2)
    assert caught.value.where == f"folder/sections.{where}"


def test_a_head_without_blocks() -> None:
    arrays = Arrays({"weights": np.zeros((0, 2)), "intercept": np.zeros(2)})
    with pytest.raises(ArtifactDamaged, match="without feature blocks"):
        Linear.load(Spec({"blocks": []}, "here"), arrays, 2)

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
from classifier.text.blocks import Block, CategoryBlock, CrossBlock, NumericBlock, TextBlock
from classifier.text.fused import is_text_cross
from classifier.text.rows import Rows
from classifier.text.sparse import SparseRows

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
    words = TextBlock.of("headline", Analyzer(), ("bank", "vote"), np.ones(2), sublinear_tf=True)
    again = TextBlock.of("body", Analyzer(), ("vote",), np.ones(1), sublinear_tf=True)
    linear = Linear([words, CategoryBlock("source", 1.0, ("a",)), again], np.ones((4, 2)), np.zeros(2))
    articles = [
        Article(headline="Vote, bank! Vote", body="vote", source="a"),
        Article(headline="vote", body="bank"),
        Article(headline="zzz", source="a"),
    ]
    scores, known = linear.scores_and_known(Rows.from_articles(articles))
    assert known.tolist() == [3, 1, 0]
    alone = [linear.one(Rows.from_articles([article])) for article in articles]
    assert alone == list(zip(scores.tolist(), known.tolist(), strict=True))
    assert scores[2].tolist() == [1.0, 1.0]


def crossed(seed: int = 0) -> Linear:
    """Words, a number and sources; all of them again for each source, and words for each desk."""
    words = TextBlock.of(
        "headline",
        Analyzer(),
        ("bank", "storm", "vote"),
        np.array([1.0, 2.0, 3.0]),
        sublinear_tf=True,
        weight=0.5,
    )
    number = NumericBlock("words", 2.0, np.array([0.0, 10.0, 40.0]), np.array([0.25, 0.5, 0.25]))
    sources = CategoryBlock("source", 1.0, ("a", "b"))
    blocks: list[Block] = [
        words,
        number,
        CrossBlock("source", 3.0, ("a", "b"), words, np.array([0, 1, 5])),
        sources,
        CrossBlock("source", 1.0, ("a", "b"), number, np.arange(6)),
        CrossBlock("desk", 1.0, ("x",), words, np.arange(3)),
        CrossBlock("desk", 0.5, ("x", "y"), sources, np.array([1, 2])),
    ]
    weights = np.random.default_rng(seed).normal(size=(sum(block.width for block in blocks), 2))
    return Linear(blocks, weights, np.array([0.5, -0.5]))


CROSSED_ARTICLES = st.builds(
    lambda headline, source, words, desk: Article(
        headline=" ".join(headline), body=".", source=source, extra={"words": words, "desk": desk}
    ),
    st.lists(st.sampled_from(["bank", "storm", "vote", "other"]), max_size=5),
    st.sampled_from(["a", "b", "c", None]),
    st.sampled_from([None, 0, 7.5, 40, 1000, "12", "many"]),
    st.sampled_from(["x", "y", "z", None]),
)


@given(CROSSED_ARTICLES, st.integers(0, 3), st.booleans())
def test_a_single_row_gets_the_same_bits_as_numbers(article: Article, seed: int, few: bool) -> None:
    made = crossed(seed)
    # Crosses of other things than texts have features by the array only.
    blocks = [one for one in made.blocks if not few or not isinstance(one, CrossBlock) or is_text_cross(one)]
    weights = np.random.default_rng(seed).normal(size=(sum(block.width for block in blocks), 2))
    linear = Linear(blocks, weights, made.intercept)
    scores, known = linear.scores_and_known(Rows.from_articles([article]))
    assert linear.one(Rows.from_articles([article])) == (scores[0].tolist(), known[0])


@given(st.lists(CROSSED_ARTICLES, min_size=1, max_size=4), st.integers(0, 3))
def test_parts_with_crosses_and_numbers_sum_to_the_score(articles: list[Article], seed: int) -> None:
    linear = crossed(seed)
    rows = Rows.from_articles(articles)
    dense = np.zeros((len(rows), len(linear.weights)))
    at = 0
    for block in linear.blocks:
        block.transform(rows).add_product(np.eye(block.width), own := np.zeros((len(rows), block.width)))
        dense[:, at : at + block.width] = own
        at += block.width
    scores = linear.scores(rows)
    np.testing.assert_allclose(scores, dense @ linear.weights + linear.intercept, rtol=0, atol=1e-12)
    for number, article in enumerate(articles):
        parts = linear.parts(rows, number)
        total = sum((part.contributions for part in parts), np.zeros(2))
        np.testing.assert_allclose(total, scores[number], rtol=0, atol=1e-12)
        assert linear.scores(Rows.from_articles([article]))[0].tobytes() == scores[number].tobytes()
        for part in parts:
            if "headline: " in part.name:
                word = part.name.partition("headline: ")[2]
                assert part.spans
                assert all(article.headline[start:end] == word for _, start, end in part.spans)
            else:
                assert part.spans == ()
        assert len({part.name for part in parts}) == len(parts)


def test_only_words_by_themselves_are_counted_as_known() -> None:
    rows = Rows.from_articles([Article(headline="bank storm", source="a", extra={"desk": "x", "words": 3})])
    assert crossed().scores_and_known(rows)[1].tolist() == [2]


def test_what_is_crossed_is_made_once() -> None:
    made: list[str] = []

    class Counted(CategoryBlock):
        def transform(self, rows: Rows) -> SparseRows:
            made.append(self.column)
            return super().transform(rows)

    sources, desks = Counted("source", 1.0, ("a",)), Counted("desk", 1.0, ("x",))
    crosses: list[Block] = [
        CrossBlock(name, 1.0, ("x",), sources, np.array([0])) for name in ("desk", "language")
    ]
    linear = Linear([sources, desks, *crosses], np.ones((4, 1)), np.zeros(1))
    rows = Rows.from_articles([Article(headline="h", source="a", language="x", extra={"desk": "x"})])
    assert linear.scores(rows).tolist() == [[4.0]]
    assert made == ["source", "desk"]


def test_crosses_come_back_with_the_blocks_that_they_are_of() -> None:
    linear = crossed()
    assert [spec.get("inner") for spec in linear.spec()["blocks"]] == [None, None, 0, None, 1, 0, 3]
    back = Linear.load(Spec(linear.spec(), "here"), Arrays(linear.arrays()), 2)
    assert back.spec() == linear.spec()
    for block in back.blocks:
        if isinstance(block, CrossBlock):  # the very block, so that it is made once
            assert any(block.inner is other for other in back.blocks)
    rows = Rows.from_articles(
        [Article(headline="bank vote", source=source, extra={"desk": "x", "words": 3}) for source in "abc"]
    )
    assert back.scores(rows).tobytes() == linear.scores(rows).tobytes()


@pytest.mark.parametrize("inner", [2, 3, 6, 7, -1])
def test_a_cross_of_a_later_block_or_of_a_cross(inner: int) -> None:
    linear = crossed()
    spec = linear.spec()
    spec["blocks"][2]["inner"] = inner
    with pytest.raises(ArtifactDamaged, match="no block before this one") as caught:
        Linear.load(Spec(spec, "here"), Arrays(linear.arrays()), 2)
    assert caught.value.where == "here.blocks[2]"


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

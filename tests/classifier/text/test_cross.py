"""One block apart for each value of a category."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Block, CategoryBlock, CrossBlock, NumericBlock, TextBlock, load_block
from classifier.text.rows import Rows

WORDS = TextBlock.of(
    "headline", Analyzer("word", (1, 1)), ("bank", "storm", "vote"), np.ones(3), sublinear_tf=True, weight=0.5
)
STEPS = NumericBlock("words", 1.0, np.array([0.0, 10.0]), np.array([0.5, 0.5]))
DESKS = CategoryBlock("desk", 2.0, ("city", "world"))
INNER: list[Block] = [WORDS, STEPS, DESKS]
ARTICLES = st.builds(
    lambda headline, source, words, desk: Article(
        headline=" ".join(headline), body=".", source=source, extra={"words": words, "desk": desk}
    ),
    st.lists(st.sampled_from(["bank", "storm", "vote", "other"]), max_size=5),
    st.sampled_from(["north", "south", "elsewhere", None]),
    st.sampled_from([0, 4, 10, None]),
    st.sampled_from(["city", "world", "sports", None]),
)


@st.composite
def crosses(draw: st.DrawFn) -> CrossBlock:
    inner = draw(st.sampled_from(INNER))
    keys = draw(st.lists(st.integers(0, 2 * inner.width - 1), unique=True).map(sorted))
    weight = draw(st.floats(0.1, 10))
    return CrossBlock("source", weight, ("north", "south"), inner, np.array(keys, np.int64))


def dense(block: Block, of: Rows) -> np.ndarray[Any, Any]:
    out = np.zeros((len(of), block.width))
    block.transform(of).add_product(np.eye(block.width), out)
    return out


@given(crosses(), st.lists(ARTICLES, max_size=4))
def test_a_cross_is_the_product_of_category_and_block(block: CrossBlock, articles: list[Article]) -> None:
    of = Rows.from_articles(articles)
    category = dense(CategoryBlock("source", 1.0, block.categories), of)
    product = category[:, :, None] * dense(block.inner, of)[:, None, :]  # (n, categories, features)
    expected = product.reshape(len(articles), 2 * block.inner.width)[:, block.pairs] * block.weight
    np.testing.assert_allclose(dense(block, of), expected, rtol=0, atol=1e-12)
    given_ = block.cross(of, block.inner.transform(of))
    assert given_.values.tobytes() == block.transform(of).values.tobytes()
    assert given_.indices.tolist() == block.transform(of).indices.tolist()


def test_by_hand() -> None:
    pairs = np.array([0, 2, 4], np.int64)  # north × bank, north × vote, south × storm
    block = CrossBlock("source", 3.0, ("north", "south"), WORDS, pairs)
    articles = [
        Article(headline="bank", source="north"),
        Article(headline="bank", source="south"),
        Article(headline="storm", source="south"),
        Article(headline="storm", source="west"),
        Article(headline="vote"),
    ]
    assert dense(block, Rows.from_articles(articles)).tolist() == [
        [1.5, 0, 0],
        [0, 0, 0],
        [0, 0, 1.5],
        [0, 0, 0],
        [0, 0, 0],
    ]
    assert [block.feature_name(i) for i in range(3)] == [
        "source north × headline: bank",
        "source north × headline: vote",
        "source south × headline: storm",
    ]


def test_a_cross_stands_where_its_block_does() -> None:
    block = CrossBlock("source", 1.0, ("north", "south"), WORDS, np.array([0, 2, 4], np.int64))
    of = Rows.from_articles(
        [
            Article(headline="Vote, storm: a vote", source="north"),
            Article(headline="Vote, storm: a vote", source="south"),
            Article(headline="Vote", source="west"),
        ]
    )
    assert block.feature_spans(of, 0) == {1: [("headline", 0, 4), ("headline", 15, 19)]}
    assert block.feature_spans(of, 1) == {2: [("headline", 6, 11)]}
    assert block.feature_spans(of, 2) == {}
    empty = CrossBlock("source", 1.0, ("north",), WORDS, np.array([], np.int64))
    assert empty.feature_spans(of, 0) == {}


@given(crosses(), st.lists(ARTICLES, max_size=4))
def test_it_comes_back_from_its_spec_and_arrays(block: CrossBlock, articles: list[Article]) -> None:
    spec = {**block.spec(), "inner": 1}
    back = load_block(Spec(spec, "here"), Arrays(block.arrays()), [DESKS, block.inner])
    assert isinstance(back, CrossBlock)
    assert back.spec() == block.spec()
    assert (back.categories, back.pairs.tolist()) == (block.categories, block.pairs.tolist())
    of = Rows.from_articles(articles)
    assert dense(back, of).tobytes() == dense(block, of).tobytes()


CROSS = CrossBlock("source", 1.0, ("north", "south"), WORDS, np.array([0, 2, 4], np.int64))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("pairs", np.array([0, 2, 6]), "cannot be"),  # 2 · 3 combinations
        ("pairs", np.array([-1, 2, 4]), "cannot be"),
        ("pairs", np.array([0, 4, 2]), "cannot be"),
        ("pairs", np.array([0, 2, 2]), "cannot be"),
        ("pairs", np.array([0.0, 2.0]), "expected int64"),
        ("pairs", np.zeros((3, 1), np.int64), "expected int64"),
        ("pairs", None, "the array is missing"),
        ("categories.offsets", np.array([0, 5]), "offsets do not fit"),
        ("categories.bytes", None, "the array is missing"),
    ],
)
def test_arrays_that_were_never_written(name: str, value: Any, says: str) -> None:
    arrays = {key: array for key, array in {**CROSS.arrays(), name: value}.items() if array is not None}
    with pytest.raises(ArtifactDamaged, match=says) as caught:
        load_block(
            Spec({**CROSS.spec(), "inner": 0}, "here"), Arrays(arrays, "folder/popularity.6."), [WORDS]
        )
    assert caught.value.where == f"folder/popularity.6.{name}.npy"


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        (2, "no block before this one"),  # itself
        (3, "no block before this one"),
        (-1, "no block before this one"),
        (1, "no block before this one"),  # a cross
        (True, '"inner" must be a int'),
        ("0", '"inner" must be a int'),
        (None, '"inner" must be a int'),
    ],
)
def test_what_cannot_be_crossed(inner: Any, says: str) -> None:
    with pytest.raises(ArtifactDamaged, match=says) as caught:
        load_block(Spec({**CROSS.spec(), "inner": inner}, "here"), Arrays(CROSS.arrays()), [WORDS, CROSS])
    assert caught.value.where == "here"

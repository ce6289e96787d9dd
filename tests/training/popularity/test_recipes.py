"""Recipes of the popularity head: their notation, and what cannot be fitted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ConfigError
from classifier.text.rows import TEXT_COLUMNS
from training.config import parse_config
from training.popularity.recipes import (
    BUILT_IN,
    LEARNERS,
    Feature,
    PopularityRecipe,
    as_learner,
    check_recipe,
)
from training.recipes import BlockRecipe

WEIGHTS = st.floats(1e-6, 1e6) | st.sampled_from([0.05, 0.5, 1.0, 2.0])
COLUMNS = st.text(
    st.characters(categories=["L", "N", "Pd"]) | st.sampled_from("_."), min_size=1, max_size=8
).filter(lambda name: name not in {*TEXT_COLUMNS, *BUILT_IN})


@st.composite
def features(draw: st.DrawFn) -> Feature:
    kind: Any = draw(st.sampled_from(["text", "block", "numeric", *BUILT_IN.values()]))
    weight = draw(WEIGHTS)
    if kind == "text":
        low = draw(st.integers(1, 9))
        block = BlockRecipe(
            draw(st.sampled_from(TEXT_COLUMNS)),
            draw(st.sampled_from(["word", "char_wb"])),
            (low, draw(st.integers(low, 9))),
            weight,
        )
    else:
        column = {kind: name for name, kind in BUILT_IN.items()}.get(kind) or draw(COLUMNS)
        block = BlockRecipe(column, weight=weight)
    recent = draw(st.sampled_from([0.0, 1.5, 7.0, 30.0]) | st.floats(1.0, 36500.0))
    return Feature(block, "block" if kind == "text" else kind, draw(st.just("") | COLUMNS), recent)


@given(features())
def test_a_feature_is_read_back_from_what_is_written(feature: Feature) -> None:
    assert Feature.parse(str(feature)) == feature
    assert Feature.parse(f"  {feature}\n") == feature


@pytest.mark.parametrize(
    ("written", "feature", "shown"),
    [
        ("text word(1,2)", Feature(BlockRecipe("text", "word", (1, 2))), "text word(1,2)"),
        ("source", Feature(BlockRecipe("source")), "source * 1"),
        ("time * .1", Feature(BlockRecipe("time", weight=0.1), "time"), "time * 0.1"),
        ("headline shape", Feature(BlockRecipe("headline shape"), "shape"), "headline shape * 1"),
        ("word_count numeric", Feature(BlockRecipe("word_count"), "numeric"), "word_count numeric * 1"),
        (
            "word count numeric*2",
            Feature(BlockRecipe("word count", weight=2.0), "numeric"),
            "word count numeric * 2",
        ),
        (
            "source x text word(1,2)",
            Feature(BlockRecipe("text", "word", (1, 2)), crossed="source"),
            "source x text word(1,2)",
        ),
        (
            "desk x paragraphs numeric * 0.5",
            Feature(BlockRecipe("paragraphs", weight=0.5), "numeric", "desk"),
            "desk x paragraphs numeric * 0.5",
        ),
        (
            "section x source * 1, recent 7",
            Feature(BlockRecipe("source"), crossed="section", recent=7.0),
            "section x source * 1, recent 7",
        ),
        ("daypart * 0.3", Feature(BlockRecipe("daypart", weight=0.3), "daypart"), "daypart * 0.3"),
        (
            "source x headline length numeric",
            Feature(BlockRecipe("headline length"), "numeric", "source"),
            "source x headline length numeric * 1",
        ),
        ("url word(1,2) * 0.6", Feature(BlockRecipe("url", "word", (1, 2), 0.6)), "url word(1,2) * 0.6"),
        ("time numeric", Feature(BlockRecipe("time"), "numeric"), "time numeric * 1"),
    ],
)
def test_the_notation(written: str, feature: Feature, shown: str) -> None:
    assert Feature.parse(written) == feature
    assert str(feature) == shown


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "is no feature block"),
        ("source * 1, recent 0", "fades at once"),
        ("source * 1, recent 0.5", "fades at once"),
        ("source * 1, recent 99999999", "never fades"),
        ("source * 1, recent -7", "is no feature block"),
        ("source * 1, recent soon", "is no feature block"),
        ("text", "needs an analyzer"),
        ("source x text", "needs an analyzer"),
        ("text numeric", "needs an analyzer"),
        ("url", "needs an analyzer"),
        ("numeric", None),  # a column of that name
        ("source word(1,2)", "has an analyzer, and source is no text"),
        ("word_count numeric * 0", "weighs nothing"),
        ("text word(2,1)", "from long to short"),
    ],
)
def test_what_is_no_feature(written: str, problem: str | None) -> None:
    if problem is None:
        assert Feature.parse(written) == Feature(BlockRecipe(written))
        return
    with pytest.raises(ConfigError, match=re.escape(problem)) as caught:
        Feature.parse(written)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("feature", "columns"),
    [
        ("text word(1,2)", ()),
        ("source x text word(1,2)", ("source",)),
        ("time", ()),
        ("headline shape", ()),
        ("desk x time, recent 7", ("desk",)),
        ("source", ("source",)),
        ("word_count numeric", ("word_count",)),
        ("section x source", ("section", "source")),
    ],
)
def test_the_columns_that_a_feature_reads(feature: str, columns: tuple[str, ...]) -> None:
    assert Feature.parse(feature).columns == columns


def test_what_has_to_be_fitted_and_what_is_crossed() -> None:
    feature = Feature.parse("desk x word_count numeric * 0.5, recent 7")
    assert feature.plain == Feature.parse("desk x word_count numeric")
    assert feature.inner == Feature.parse("word_count numeric")


GOOD = ("text word(1,2)", "source * 0.5", "source x text word(1,2)", "source * 1, recent 7")


@pytest.mark.parametrize(
    ("features", "problem", "remedy"),
    [
        (GOOD, None, None),
        (("source x text word(1,2)", "text word(1,2) * 2"), None, None),  # in any order, of any weight
        (("source * 1", "source * 1, recent 7", "source * 1, recent 30"), None, None),
        (("text word(1,2)", "source * 2, recent 7"), "is recent only", 'add "source * 2" too'),
        (
            ("text word(1,2)", "source x text word(1,1) * 2"),
            "crosses what is not there",
            'add "text word(1,1)" too',
        ),
        (
            ("source * 1", "source x time"),
            '"source x time * 1" crosses what is not there',
            'add "time * 1" too',
        ),
        (
            ("text word(1,2)", "source x text word(1,2), recent 7"),
            "is recent only",
            'add "source x text word(1,2)" too',
        ),
        (("source * 1", "source * 2"), '"source * 2" is there twice', None),
        (("source * 1", "source * 2, recent 7", "source * 1, recent 7"), "is there twice", None),
    ],
)
def test_what_cannot_be_fitted(features: tuple[str, ...], problem: str | None, remedy: str | None) -> None:
    parsed = tuple(map(Feature.parse, features))
    if problem is None:
        check_recipe(parsed)
        return
    with pytest.raises(ConfigError, match=re.escape(problem)) as caught:
        check_recipe(parsed)
    assert remedy is None or caught.value.remedy == remedy


def test_regularisation_grows_with_the_texts_length() -> None:
    one, two, none = (
        PopularityRecipe(tuple(map(Feature.parse, features)), alpha=3.0)
        for features in (
            GOOD[:2],
            ("text word(1,2) * 2", "headline word(1,1) * 0.5", "source * 9", "source x text word(1,2) * 3"),
            GOOD[1:2],
        )
    )
    assert (one.plain_alpha, two.plain_alpha, none.plain_alpha) == (3.0, 3.0 * 4.25, 3.0)


def test_a_recipe_is_written_as_the_settings_that_fix_it() -> None:
    recipe = PopularityRecipe(tuple(map(Feature.parse, GOOD)), "listwise", 0.25, 30.0)
    assert str(recipe) == f"{' + '.join(GOOD)}, listwise, alpha 0.25, half-life 30 days"
    fit = parse_config({"fit": recipe.to_dict()}).fit
    back = PopularityRecipe(
        tuple(map(Feature.parse, fit.popularity_features)),
        as_learner(fit.popularity_learner),
        fit.popularity_alpha,
        fit.popularity_half_life,
    )
    assert back == recipe
    more = Feature(BlockRecipe("desk"))
    assert recipe.adding(more).features == (*recipe.features, more)


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_have_names(name: str) -> None:
    assert as_learner(name) == name
    with pytest.raises(ConfigError, match="no learner"):
        as_learner(name.upper())

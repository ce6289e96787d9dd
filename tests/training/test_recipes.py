"""Recipes of the section head: their notation, and what is worth trying for which script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ConfigError
from classifier.text.rows import TEXT_COLUMNS
from training.config import parse_config
from training.corpus import Corpus
from training.fit import check_columns
from training.recipes import BlockRecipe, Recipe, Script, additions, base_recipes, script_of

Make = Callable[..., Corpus]
WEIGHTS = st.floats(1e-6, 1e6) | st.sampled_from([0.05, 0.25, 0.5, 1.0, 2.0, 10.0])


@st.composite
def text_blocks(draw: st.DrawFn) -> BlockRecipe:
    low = draw(st.integers(1, 9))
    column, analyzer = draw(st.sampled_from(TEXT_COLUMNS)), draw(st.sampled_from(["word", "char_wb"]))
    return BlockRecipe(column, analyzer, (low, draw(st.integers(low, 9))), draw(WEIGHTS))


@st.composite
def categories(draw: st.DrawFn) -> BlockRecipe:
    word = st.text(st.characters(categories=["L", "N", "Pd"]) | st.sampled_from("_."), min_size=1, max_size=8)
    column = " ".join(draw(st.lists(word, min_size=1, max_size=3)))
    return BlockRecipe(column if column not in TEXT_COLUMNS else "desk", weight=draw(WEIGHTS))


@given(text_blocks() | categories())
def test_a_block_is_read_back_from_what_is_written(block: BlockRecipe) -> None:
    assert BlockRecipe.parse(str(block)) == block
    assert BlockRecipe.parse(f"  {block}\n") == block


@pytest.mark.parametrize(
    ("written", "block", "shown"),
    [
        ("text word(1,2)", BlockRecipe("text", "word", (1, 2)), "text word(1,2)"),
        ("text word(1, 2) * 1", BlockRecipe("text", "word", (1, 2)), "text word(1,2)"),
        (
            "headline char_wb(2,4) * .5",
            BlockRecipe("headline", "char_wb", (2, 4), 0.5),
            "headline char_wb(2,4) * 0.5",
        ),
        ("source", BlockRecipe("source"), "source * 1"),
        ("source*2", BlockRecipe("source", weight=2.0), "source * 2"),
        ("source * 1e-5", BlockRecipe("source", weight=0.00001), "source * 1e-05"),
        ("news desk * 2", BlockRecipe("news desk", weight=2.0), "news desk * 2"),
        ("서울 데스크 * 1", BlockRecipe("서울 데스크"), "서울 데스크 * 1"),
    ],
)
def test_the_notation(written: str, block: BlockRecipe, shown: str) -> None:
    assert BlockRecipe.parse(written) == block
    assert str(block) == shown


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "is no feature block"),
        (" \n", "is no feature block"),
        ("news\ndesk * 1", "is no feature block"),
        ("text word(1,2) * 0", "weighs nothing"),
        ("source * 0.0", "weighs nothing"),
        ("text", "needs an analyzer"),
        ("headline * 1", "needs an analyzer"),
        ("source * 1e999", "weighs more"),
        ("text wrod(1,2)", "is no feature block"),
        ("text word(0,1)", "is no feature block"),
        ("text char(2,4)", "is no feature block"),
        ("* 2", "is no feature block"),
        ("text word(2,1)", "has n-grams from long to short"),
        ("source word(1,2)", "has an analyzer, and source is no text"),
        ("titel char_wb(2,4) * 0.5", "has an analyzer, and titel is no text"),
    ],
)
def test_what_is_no_block(written: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        BlockRecipe.parse(written)
    assert "text word(1,2)" in str(caught.value.remedy) or "weight above 0" in str(caught.value.remedy)


def test_a_recipe_is_written_as_the_settings_that_fix_it() -> None:
    recipe = Recipe((BlockRecipe("text", "char_wb", (2, 4), 0.5), BlockRecipe("source")), 0.25, 0.5)
    assert str(recipe) == "text char_wb(2,4) * 0.5 + source * 1, C 0.25, balance 0.5"
    fit = parse_config({"fit": recipe.to_dict()}).fit
    assert tuple(map(BlockRecipe.parse, fit.section_blocks)) == recipe.blocks
    assert (fit.section_c, fit.section_balance) == (0.25, 0.5)
    assert recipe.adding(BlockRecipe("desk")).blocks == (*recipe.blocks, BlockRecipe("desk"))


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Assembly votes on the budget", "spaced"),
        ("Бюджет принят", "spaced"),
        ("البرلمان يصوت", "spaced"),
        ("국회는 예산안을 통과시켰다", "syllables"),
        ("국회는 LG 예산안 KOSPI", "syllables"),
        ("国会は予算案を可決した", "unspaced"),
        ("カタカナ", "unspaced"),
        ("议会通过了预算案", "unspaced"),
        ("รัฐสภาผ่านงบประมาณ", "unspaced"),
        ("議会 Apple Inc", "spaced"),  # two letters of ten
        ("議会議会 Apple", "unspaced"),  # four of nine: a language full of Latin names
        ("2031 — !", "spaced"),
        ("", "spaced"),
    ],
)
def test_the_script_of_a_text(text: str, script: Script) -> None:
    assert script_of([text]) == script


def test_the_script_is_that_of_a_third_of_the_letters_of_all_texts() -> None:
    assert script_of([]) == "spaced"
    assert script_of(["abcdef"] * 3 + ["議会議会議会"]) == "spaced"
    assert script_of(["abcdef"] * 3 + ["議会議会議会"] * 2) == "unspaced"
    assert script_of(["예산안예산안"] * 3 + ["議会議会議会"] * 2) == "unspaced"
    # Articles at the end of a long list count as those at its beginning.
    assert script_of(["words " * 80] * 2000 + ["国会可決" * 100] * 8000) == "unspaced"


@pytest.mark.parametrize("script", ["spaced", "syllables", "unspaced"])
def test_every_script_starts_with_what_its_words_allow(script: Script) -> None:
    bases = base_recipes(script)
    assert {block.column for base in bases for block in base.blocks} == {"text"}
    kinds = {block.analyzer for base in bases for block in base.blocks}
    assert kinds == ({"word"} if script == "spaced" else {"char_wb"})


ARTICLE = {"headline": "Words", "body": "More words", "source": "Tiny Gazette"}


def columns(script: Script, corpus: Corpus, few: bool = True) -> list[tuple[str, str | None]]:
    return [(block.column, block.analyzer) for block in additions(script, corpus.rows, few)]


def test_what_is_tried_beside_the_base(corpus_of: Make) -> None:
    both: Any = [ARTICLE, {**ARTICLE, "source": None}]
    full = corpus_of(both)
    assert columns("spaced", full) == [("source", None), ("text", "char_wb"), ("headline", "word")]
    assert columns("spaced", full, few=False) == [("source", None), ("headline", "word")]
    for script in ("syllables", "unspaced"):
        assert columns(script, full) == [("source", None), ("text", "word"), ("headline", "char_wb")]


@pytest.mark.parametrize("missing", ["source", "headline", "body"])
def test_what_no_article_has_is_not_tried(corpus_of: Make, missing: str) -> None:
    tried = [name for name, _ in columns("spaced", corpus_of([{**ARTICLE, missing: ""}]))]
    assert ("source" in tried) == (missing != "source")
    # A headline that is all of the text is there already.
    assert ("headline" in tried) == (missing == "source")


@pytest.mark.parametrize(
    "column",
    ["section", "sections", "popularity", "popularity_group", "split", "id", "published_at", "file"],
)
def test_labels_ids_and_times_are_no_blocks(column: str) -> None:
    with pytest.raises(ConfigError, match=rf'fit\.section_blocks: "{column}" is no feature'):
        parse_config({"fit": {"section_blocks": ["text word(1,1)", f"{column} * 1"]}})


@pytest.mark.parametrize("block", ["desks * 1", "desk word", "Desk * 2", "source, desk"])
def test_a_block_of_a_column_that_is_not_there(corpus_of: Make, block: str) -> None:
    corpus = corpus_of([{**ARTICLE, "desk": "north"}])
    check_columns(corpus, parse_config({"fit": {"section_blocks": ["text word(1,1)", "desk * 1"]}}))
    with pytest.raises(ConfigError, match=r"fit\.section_blocks"):
        check_columns(corpus, parse_config({"fit": {"section_blocks": ["text word(1,1)", block]}}))

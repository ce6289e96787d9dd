"""Recipes of the section head, and the choice between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from classifier.text.rows import TEXT
from training.corpus import Corpus
from training.duplicates import near_duplicates
from training.recipes import (
    BlockCache,
    BlockRecipe,
    Recipe,
    additions,
    base_recipes,
    fit_block,
    script_of,
)
from training.sections import truth_matrix, usable_labels
from training.selection import Validation, choose_recipe, fit_linear, make_validation

WORDS = [
    "harbour",
    "lantern",
    "meadow",
    "orchard",
    "quarry",
    "saddle",
    "timber",
    "velvet",
    "willow",
    "copper",
]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Assembly votes on the budget", "spaced"),
        ("Бюджет принят", "spaced"),
        ("국회는 예산안을 통과시켰다 LG", "syllables"),
        ("国会は予算案を可決した", "unspaced"),
        ("รัฐสภาผ่านงบประมาณ", "unspaced"),
        ("2031 — !", "spaced"),
    ],
)
def test_script(text: str, script: str) -> None:
    assert script_of([text]) == script


def test_script_of_nothing() -> None:
    assert script_of([]) == "spaced"


def test_a_recipe_comes_back_from_the_manifest() -> None:
    text = BlockRecipe("text", TEXT, 0.5, "char_wb", (2, 4), 3)
    recipe = Recipe((text, BlockRecipe("category", "source")), 0.25, 0.5)
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert str(recipe) == "text: char_wb 2–4 × 0.5 + source × 1, C = 0.25, balance 0.5"


def test_every_script_has_a_base_of_its_own() -> None:
    kinds = {
        s: [r.blocks[0].analyzer for r in base_recipes(s, 10)] for s in ("spaced", "syllables", "unspaced")
    }
    assert kinds == {"spaced": ["word", "word"], "syllables": ["char_wb"], "unspaced": ["char_wb"]}
    assert base_recipes("spaced", 999)[0].blocks[0].min_df == 1
    assert base_recipes("spaced", 1000)[0].blocks[0].min_df == 2


def _articles(corpus_of: Any, count: int = 240, *, dated: bool = False) -> Corpus:
    """Two sections that only the source tells apart; the words say nothing."""
    draw = np.random.default_rng(0)
    rows = []
    for i in range(count):
        row = {
            "headline": " ".join(draw.choice(WORDS, 6)) + f" case{i}",
            "source": ("North", "South")[i % 2],
            "section": ("Politics", "Economy")[i % 2],
        }
        if dated:
            row["published_at"] = f"2031-04-{1 + i * 28 // count:02d}T12:00:00+00:00"
        rows.append(row)
    corpus: Corpus = corpus_of(rows)
    return corpus


def _validation(corpus: Corpus, fold_count: int = 4) -> Validation:
    labels, _ = usable_labels(corpus, 2)
    truth = truth_matrix(corpus, labels)
    clusters = near_duplicates(corpus.texts)
    return make_validation(corpus, truth, clusters, several=False, fold_count=fold_count, seed=0)


def test_blocks_are_added_where_they_help(corpus_of: Any) -> None:
    corpus = _articles(corpus_of)
    source = BlockRecipe("category", "source")
    assert source in additions("spaced", corpus.rows, len(corpus), 1000)
    chosen = choose_recipe(corpus, BlockCache(corpus.rows), _validation(corpus), ())
    assert source in chosen.blocks


def test_a_given_regularisation_and_named_categories_stay(corpus_of: Any) -> None:
    corpus = _articles(corpus_of)
    chosen = choose_recipe(corpus, BlockCache(corpus.rows), _validation(corpus), ("source",), c=0.125)
    assert chosen.c == 0.125
    assert [block for block in chosen.blocks if block.column == "source"] == [
        BlockRecipe("category", "source")
    ]


def test_what_gives_nothing_is_left_out(corpus_of: Any) -> None:
    rows = _articles(corpus_of).rows
    assert fit_block(BlockRecipe("text", "body"), rows) is None
    assert fit_block(BlockRecipe("category", "language"), rows) is None
    cache = BlockCache(rows)
    assert cache.matrix(Recipe((BlockRecipe("text", "body"),))) is None
    assert cache.matrix(Recipe((BlockRecipe("text", "body"), BlockRecipe("category", "source")))).shape == (
        240,
        2,
    )


def test_a_fitted_block_sees_other_rows_as_scoring_does(corpus_of: Any) -> None:
    corpus = _articles(corpus_of)
    for recipe in (BlockRecipe("text", "headline", weight=0.5, min_df=1), BlockRecipe("category", "source")):
        fitted = fit_block(recipe, corpus.rows)
        assert fitted is not None
        found, expected = fitted.transform(corpus.rows), fitted.block.transform(corpus.rows)
        for i in range(5):
            row = np.zeros(expected.width)
            row[expected.row(i)[0]] = expected.row(i)[1]
            np.testing.assert_allclose(found[i].toarray()[0], row, atol=1e-12)


def test_folds_predict_everything_once_and_time_only_the_newest(
    corpus_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = _articles(corpus_of, dated=True)
    few = _validation(corpus)
    assert not few.forward
    assert set(few.fold.tolist()) == {0, 1, 2, 3}
    monkeypatch.setattr("training.selection.FORWARD", 10)  # few articles stand for many
    many = _validation(corpus)
    assert many.forward
    held = many.fold == 0
    assert corpus.instants[held].min() > corpus.instants[~held].max()
    assert 0.15 < held.mean() < 0.25


def test_held_out_scores_come_from_fits_that_did_not_see_the_article() -> None:
    # Each article has a word of its own and nothing else: known, it is learnt by heart; held out, it says nothing.
    truth = np.eye(2, dtype=np.bool_)[np.arange(20) % 2]
    features = sp.csr_matrix(sp.identity(20))
    validation = Validation(truth, False, np.arange(20) // 5, False, 0)
    held = validation.held_out(features, Recipe((), 10.0))
    weights, intercept = fit_linear(features, truth, Recipe((), 10.0), several=False, seed=0)
    assert ((features @ weights + intercept).argmax(axis=1) == truth.argmax(axis=1)).all()
    for number in range(4):
        assert len(np.unique(held[validation.fold == number].round(6), axis=0)) == 1


def test_a_choice_costs_fewer_folds_where_labels_are_many() -> None:
    truth = np.zeros((1000, 200), np.bool_)
    validation = Validation(truth, True, np.arange(1000) % 5, False, 0)
    assert set(validation.quick().fold.tolist()) == {-1, 0}
    small = Validation(truth[:, :2], True, np.arange(1000) % 5, False, 0)
    assert set(small.quick().fold.tolist()) == {0, 1, 2, 3, 4}


def test_two_sections_mirror_each_other_and_lone_labels_are_constant() -> None:
    features = sp.csr_matrix(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.5], [0.2, 1.0]]))
    truth = np.array([[True, False], [False, True], [True, False], [False, True]])
    weights, intercept = fit_linear(features, truth, Recipe(()), several=False, seed=0)
    np.testing.assert_array_equal(weights[:, 1], -weights[:, 0])
    assert intercept[1] == -intercept[0]
    lone = np.array([[True, False, True]] * 4)
    lone[0, 2] = False
    weights, intercept = fit_linear(features, lone, Recipe(()), several=True, seed=0)
    assert (intercept[0], intercept[1]) == (1.0, -1.0)
    assert not weights[:, :2].any()


def test_balance_lifts_rare_labels() -> None:
    draw = np.random.default_rng(1)
    features = sp.csr_matrix(draw.normal(size=(400, 5)))
    truth = np.column_stack([np.arange(400) % 20 == 0])
    plain = fit_linear(features, truth, Recipe((), 1.0), several=True, seed=0)
    lifted = fit_linear(features, truth, Recipe((), 1.0, balance=0.5), several=True, seed=0)
    assert (features @ lifted[0] + lifted[1]).mean() > (features @ plain[0] + plain[1]).mean()

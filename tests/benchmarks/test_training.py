"""The benchmark of training: scikit-learn does the same steps on the same articles, and it runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from training.config import Config
from training.corpus import Corpus
from training.features import BlockCache
from training.recipes import BlockRecipe, Recipe
from training.sections import truth_matrix, usable_labels
from training.selection import Validation, make_validation

Speed = Callable[[str], ModuleType]
RECIPE = Recipe(
    (
        BlockRecipe("text", "word", (1, 2)),
        BlockRecipe("source"),
        BlockRecipe("headline", "char_wb", (2, 4), 0.5),
    ),
    c=2.0,
    balance=0.5,
    half_life=10.0,
)


@pytest.fixture(scope="module")
def corpus(speed: Speed) -> Corpus:
    """The bundled newspaper's training part; half of it has another source."""
    found = speed("speed.learning").labelled(None, "train")
    return found.with_column("source", [("MC", "Agency")[row % 2] for row in range(len(found))])


def make(corpus: Corpus, kind: type[Any] = Validation) -> Any:
    """Its validation, made `kind`."""
    labels, _ = usable_labels(corpus, 1)
    truth = truth_matrix(corpus, labels)
    made = make_validation(corpus, truth, np.arange(len(corpus)), several=False, fold_count=3, seed=0)
    return kind(**{one.name: getattr(made, one.name) for one in fields(made)})


@pytest.mark.parametrize("forward", [False, True], ids=["folds", "forward"])
def test_vectorised_by_sklearn_the_held_out_scores_are_newsdesks(
    speed: Speed, corpus: Corpus, forward: bool
) -> None:
    by_hand = speed("speed.by_hand")
    ours, theirs = (
        replace(make(corpus, kind), forward=forward, tolerance=1e-4) for kind in (Validation, by_hand.ByHand)
    )
    expected = ours.held_out(BlockCache(corpus.rows), RECIPE)
    found = theirs.held_out(by_hand.Vectorised(corpus, own_fits=True), RECIPE)
    assert (np.isnan(found) == np.isnan(expected)).all()
    known = np.isfinite(expected).all(axis=1)
    assert known.any()
    assert found[known] == pytest.approx(expected[known], abs=0.01)
    machines = theirs.held_out(by_hand.Vectorised(corpus), RECIPE)
    assert machines[known] == pytest.approx(expected[known], abs=0.02)


def test_a_quicker_validation_is_still_by_hand(speed: Speed, corpus: Corpus) -> None:
    kind = speed("speed.by_hand").ByHand
    assert isinstance(make(corpus, kind).quick(), kind)


def test_a_block_is_vectorised_once_for_each_training_part(speed: Speed, corpus: Corpus) -> None:
    by_hand = speed("speed.by_hand")
    cache = by_hand.Vectorised(corpus)
    some, rest = np.arange(len(corpus)) < 200, np.arange(len(corpus)) >= 200
    first = cache.learnt(RECIPE, some)
    cache.applied(RECIPE, some, rest)
    known = {key: found[0] for key, found in cache._fitted.items()}
    again = cache.learnt(replace(RECIPE, c=8.0), some)
    cache.applied(replace(RECIPE, half_life=0.0), some, rest)
    assert (first != again).nnz == 0
    assert {key: found[0] for key, found in cache._fitted.items()} == known
    cache.learnt(RECIPE, rest)
    assert len(cache._fitted) == 2 * len(known)


def test_labels_that_a_fold_lacks_are_never_best(speed: Speed, corpus: Corpus) -> None:
    by_hand = speed("speed.by_hand")
    validation = make(corpus, by_hand.ByHand)
    lacking = ~validation.truth[:, 0]
    for own_fits in (False, True):
        cache = by_hand.Vectorised(corpus, own_fits)
        predict = validation.fit(cache, replace(RECIPE, balance=0.0), lacking, 0.01)
        scores = predict(cache.applied(RECIPE, lacking, lacking))
        assert (scores[:, 0] == -1.0).all()


def test_it_runs_on_the_bundled_newspaper(
    quick: Callable[..., dict[str, Any]], speed: Speed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = quick("training", without_fasttext=True)
    assert [note.split(":")[0] for note in found["notes"]] == [
        "fastText, 10 dimensions",
        "fastText, its default of 100 dimensions",
    ]
    sklearn, vectorized = found["rows"]
    assert sklearn["beside"] == "the same steps by scikit-learn"
    assert vectorized["beside"] == "the same steps, vectorised by scikit-learn"
    for own in found["rows"]:
        assert own["ratio"] == pytest.approx(own["other"] / own["newsdesk"], rel=2e-3)
    models = found["models"]
    assert len(models) == 5
    ours, same = models["Newsdesk"], models["the same steps, vectorised by scikit-learn"]
    assert ours["tried"] == same["tried"] > 5
    assert ours["recipe"] == same["recipe"]
    assert min(own["accuracy"] for own in models.values()) > 0.6
    folder = tmp_path / "benchmarks" / "results"
    folder.mkdir(parents=True)
    (folder / "training.json").write_text(json.dumps(found))
    monkeypatch.setattr(speed("tables"), "ROOT", tmp_path)
    assert len(speed("tables").TABLES["training"]().splitlines()) == 4


def test_fasttext_is_trained_and_measured(speed: Speed, tmp_path: Path) -> None:
    pytest.importorskip("fasttext", reason="the bench extra is not here")
    learning = speed("speed.learning")
    learnt = learning.fasttext_trained(None, str(tmp_path), 10)()
    sections = {own[0] for own in learning.labelled(None, "test").labels}
    assert set(learnt.label(learning.labelled(None, "test"))) <= sections
    assert learning.facts(learnt, None)["recipe"] == "10 dimensions"


def test_the_fixed_recipe_is_learnt_with_and_without_calibration(speed: Speed) -> None:
    learning = speed("speed.learning")
    calibrated, plain = (
        learning.facts(make(None)(), None)
        for make in (learning.newsdesk_calibrated, learning.newsdesk_weights)
    )
    assert calibrated["recipe"] == plain["recipe"] == "text word(1,2), C 1, balance 0"
    assert calibrated["tried"] == plain["tried"] == 0
    assert plain["accuracy"] == pytest.approx(calibrated["accuracy"], abs=0.06)
    assert Config().fit.section_blocks == ()

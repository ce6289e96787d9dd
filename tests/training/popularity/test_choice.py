"""The choice of a recipe: what helps is taken, what does not is left, and what is fixed stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest

from training.corpus import Corpus
from training.popularity.choice import Trials, _additions, choose_recipe, start_recipe
from training.popularity.material import fit_weights
from training.popularity.recipes import Feature, PopularityRecipe
from training.popularity.validation import Quality, make_validation

Make = Callable[..., Corpus]
Row = dict[str, Any]


def number(row: Row) -> int:
    """Of the first word."""
    return int(row["headline"].split()[0].removeprefix("word"))


def parsed(*features: str) -> tuple[Feature, ...]:
    return tuple(map(Feature.parse, features))


@pytest.fixture(scope="session")
def trials_of(corpus_of: Make, material_of: Any) -> Callable[..., Trials]:
    def make(rows: list[Row], **settings: Any) -> Trials:
        corpus, judgements, days, material = material_of(corpus_of(rows), **settings)
        return Trials(
            material, make_validation(corpus, material.targets, judgements, days, 5), lambda step: None
        )

    return make


def written(recipe: PopularityRecipe) -> list[str]:
    return [str(feature) for feature in recipe.features]


PLAIN = PopularityRecipe(parsed("text word(1,1)", "source * 0.5", "section * 0.5"))


def two_sources(lift: Callable[[Row], float]) -> Callable[[Row], float]:
    """By turns; each day of a source is a group."""

    def own(row: Row) -> float:
        row["source"] = ("north", "south")[int(row["id"][1:]) % 2]
        return lift(row)

    return own


def test_words_that_lift_in_one_source_and_sink_in_another_are_crossed(simulate: Any, trials_of: Any) -> None:
    def lift(row: Row) -> float:
        return (1.0 if row["source"] == "north" else -1.0) * (2.0 * ("word1 " in row["headline"] + " ") - 0.5)

    rows = simulate(two_sources(lambda row: 2.0 * lift(row)), daily=24, noise=0.2)
    trials = trials_of(rows)
    found = choose_recipe(PLAIN, trials, alpha=False, half_life=False, learner=False)
    assert "source x text word(1,1)" in written(found)
    assert trials.quality(found).top.mean() > trials.quality(PLAIN).top.mean() + 0.02


def test_a_section_that_another_source_reads_is_crossed(simulate: Any, trials_of: Any) -> None:
    def lift(row: Row) -> float:
        return 1.5 * (1 if row["section"] == "Sports" else -1) * (1 if row["source"] == "north" else -1)

    trials = trials_of(simulate(two_sources(lift), daily=24))
    found = choose_recipe(PLAIN, trials, alpha=False, half_life=False, learner=False)
    assert "section x source * 1" in written(found)


def test_of_what_only_adds_noise_most_is_left_out(simulate: Any, trials_of: Any) -> None:
    """Words alone decide, alike everywhere and at all times; the desk is drawn by lot. By a standard error chance alone
    takes one of six, by half of one one of three."""
    start = replace(PLAIN, features=(*PLAIN.features, *parsed("desk * 1", "time * 0.1")))
    tried = taken = 0
    for seed in range(6):
        draw = np.random.default_rng(seed)
        rows = simulate(two_sources(lambda row: 0.15 * number(row)), daily=24, noise=0.3, seed=seed)
        rows = [{**row, "desk": str(draw.choice(["a", "b"]))} for row in rows]
        trials = trials_of(rows)
        found = choose_recipe(start, trials, alpha=False, half_life=False, learner=False)
        tried += len(trials.found) - 1
        taken += len(set(found.features) - set(start.features))
        assert found.features[: len(start.features)] == start.features
    assert tried > 60
    assert taken < tried / 4


def test_learners_are_compared_by_order_alone(simulate: Any, trials_of: Any) -> None:
    """Scores of another learner have units of their own."""
    trials = trials_of(simulate(lambda row: 0.0, days=2))
    base = Quality(*np.random.default_rng(0).random((2, 50)))
    agreeing = Quality(base.agreement + 0.01, base.top)
    ahead = Quality(base.agreement - 0.01, base.top + 0.01)
    ridge, pairs = replace(PLAIN, alpha=4.0), replace(PLAIN, learner="pairwise")
    trials.found.update({PLAIN: base, ridge: agreeing, pairs: agreeing})
    assert trials.better(ridge, PLAIN)
    assert not trials.better(pairs, PLAIN)
    trials.found.update({ridge: ahead, pairs: ahead})
    assert not trials.better(ridge, PLAIN)
    assert trials.better(pairs, PLAIN)


def test_what_fades_is_taken_where_readers_change_their_minds(simulate: Any, trials_of: Any) -> None:
    def drifting(row: Row) -> float:
        return float(2.0 * np.sin(row["day"] / 6) * (1 if row["section"] == "Sports" else -1))

    rows = simulate(drifting, days=40)
    trials = trials_of(rows)
    assert trials.validation.forward
    found = choose_recipe(PLAIN, trials, alpha=False, half_life=False, learner=False)
    assert "section * 1, recent 7" in written(found)
    assert trials.quality(found).top.mean() > trials.quality(PLAIN).top.mean() + 0.02
    steady = trials_of(simulate(lambda row: 1.0 * (row["section"] == "Sports"), days=40))
    # With a weight of which the penalty takes nothing, so that a second copy is no way around it.
    sure = replace(PLAIN, features=parsed("text word(1,1) * 0.1", "source * 0.5", "section * 9"))
    found = choose_recipe(sure, steady, alpha=False, half_life=False, learner=False)
    assert not [feature for feature in found.features if feature.recent]


def test_a_half_life_is_taken_where_words_change_their_worth(simulate: Any, trials_of: Any) -> None:
    def turning(row: Row) -> float:
        return (0.1 if row["day"] >= 16 else -0.1) * number(row)

    rows = [{**row, "headline": row["headline"].split()[0]} for row in simulate(turning, days=36, noise=0.3)]
    trials = trials_of(rows)
    words = PopularityRecipe(parsed("text word(1,1)"))
    found = choose_recipe(words, trials, features=False, alpha=False, learner=False)
    assert found.half_life > 0
    assert replace(found, half_life=0.0) == words
    undated = [{**row, "popularity_group": row["published_at"][:10], "published_at": None} for row in rows]
    trials = trials_of(undated)
    assert not trials.validation.forward
    assert choose_recipe(words, trials, features=False, alpha=False, learner=False) == words
    assert not trials.found  # without times nothing that fades is tried


@pytest.mark.parametrize(("start", "up"), [(0.25, True), (64.0, False)])
def test_regularisation_climbs_while_it_gets_better(
    simulate: Any, trials_of: Any, start: float, up: bool
) -> None:
    def every_word(row: Row) -> float:
        return float(
            sum(0.5 * np.sin(7 * int(word.removeprefix("word"))) for word in row["headline"].split())
        )

    trials = trials_of(simulate(every_word, noise=0.3, days=60))
    words = PopularityRecipe(parsed("text word(1,2)", "text char_wb(3,5)"), alpha=start)
    found = choose_recipe(words, trials, features=False, half_life=False, learner=False)
    assert found.alpha > start if up else found.alpha < start
    for alpha in (found.alpha / 2, found.alpha * 2):
        if 0.25 <= alpha <= 64:
            assert not trials.better(replace(found, alpha=alpha), found)


def test_flags_are_offered_logistic_regression_and_counts_are_not(simulate: Any, trials_of: Any) -> None:
    rows = simulate(lambda row: 0.1 * number(row), days=24)
    cut = float(np.median([row["popularity"] for row in rows]))
    flags = [{**row, "popularity": float(row["popularity"] > cut)} for row in rows]
    for given, wanted in ((rows, False), (flags, True)):
        trials = trials_of(given)
        choose_recipe(PLAIN, trials, features=False, alpha=False, half_life=False)
        assert ({recipe.learner for recipe in trials.found} >= {"squares", "pairwise", "listwise"}) is True
        assert any(recipe.learner == "logistic" for recipe in trials.found) == wanted


def test_what_is_fixed_stays(simulate: Any, trials_of: Any) -> None:
    trials = trials_of(simulate(lambda row: 0.1 * number(row)))
    given = PopularityRecipe(parsed("headline word(1,1) * 2", "section * 3"), "pairwise", 7.0, 9.0)
    fixed = {"features": False, "alpha": False, "half_life": False, "learner": False}
    assert choose_recipe(given, trials, **fixed) == given
    assert not trials.found
    for name, own in (("alpha", "alpha"), ("half_life", "half_life"), ("learner", "learner")):
        trials = trials_of(simulate(lambda row: 0.1 * number(row)))
        choose_recipe(given, trials, **{**fixed, name: True})
        assert trials.found
        for recipe in trials.found:  # nothing else was tried
            assert replace(recipe, **{own: getattr(given, own)}) == given


def test_scores_are_by_fits_that_did_not_see_the_article(
    simulate: Any, corpus_of: Make, material_of: Any
) -> None:
    corpus, judgements, days, material = material_of(corpus_of(simulate(lambda row: 0.1 * number(row))))
    validation = make_validation(corpus, material.targets, judgements, days, 5)
    recipe = replace(
        PLAIN, features=(*PLAIN.features, *parsed("source x text word(1,1)", "section * 1, recent 7"))
    )
    before = Trials(material, validation, lambda step: None).scores(recipe)
    assert (np.isfinite(before) == validation.asked).all()
    for window in validation.windows:
        newest = np.isfinite(corpus.instants) & ~window.fitted
        targets = np.where(newest, -7.0, material.targets)  # all that was not yet known says something else
        after = Trials(replace(material, targets=targets), validation, lambda step: None).scores(recipe)
        np.testing.assert_array_equal(after[window.asked], before[window.asked])
    told = Trials(replace(material, targets=-material.targets), validation, lambda step: None).scores(recipe)
    np.testing.assert_allclose(told[validation.asked], -before[validation.asked], atol=0.05)


def test_each_recipe_is_tried_once_and_what_is_tried_is_said(
    simulate: Any, corpus_of: Make, material_of: Any
) -> None:
    corpus, judgements, days, material = material_of(corpus_of(simulate(lambda row: 0.1 * number(row))))
    said: list[str] = []
    trials = Trials(material, make_validation(corpus, material.targets, judgements, days, 5), said.append)
    found = choose_recipe(PLAIN, trials)
    assert len(said) == len(trials.found) == len(set(said)) > 5
    assert f"tried {PLAIN}: {trials.quality(PLAIN)}" in said
    assert found in trials.found
    assert len(said) == len(trials.found)


def test_fits_go_on_from_those_of_the_better_recipe(simulate: Any, trials_of: Any) -> None:
    trials = trials_of(simulate(lambda row: 0.1 * number(row)))
    poor = replace(PLAIN, features=parsed("section * 0.5"))
    assert not trials.better(poor, PLAIN)
    for window in range(len(trials.validation.windows)):
        start = trials.start("squares", window)
        assert start is not None
        assert [str(feature) for feature, _ in start.features] == written(PLAIN)
        assert trials.start("pairwise", window) is start  # no fit of this learner is there yet
    richer = replace(PLAIN, features=(*PLAIN.features, *parsed("headline shape")))
    trials.better(richer, PLAIN)
    for one in trials.validation.windows:
        cold = fit_weights(trials.material, richer, one.fitted, tolerance=1e-4)
        assert cold is not None
        np.testing.assert_allclose(trials.scores(richer)[one.asked], cold.scores[one.asked], atol=1e-2)
    assert trials.start("squares", len(trials.validation.windows)) is None


def test_a_part_without_features_is_scored_alike(simulate: Any, trials_of: Any) -> None:
    rows = simulate(lambda row: 0.1 * number(row))
    late = [{**row, "source": None if i < 250 else "south"} for i, row in enumerate(rows)]
    trials = trials_of(late)
    scores = trials.scores(PopularityRecipe(parsed("body word(1,1)", "source * 1")))
    first, second = trials.validation.windows
    assert set(scores[first.asked].tolist()) == {0.0}  # no source was known
    assert np.isfinite(scores[second.asked]).all()


FULL = {"headline": "Words there", "body": "More words", "source": "a", "section": "x"}


@pytest.mark.parametrize(
    ("rows", "categorical", "numeric", "expected"),
    [
        (
            [{"headline": "Only words"}] * 2,
            (),
            (),
            ["text word(1,2)", "headline shape * 0.05"],
        ),
        (
            [FULL, {**FULL, "source": "b", "section": "y", "published_at": "2031-03-03T06:00:00+00:00"}],
            (),
            ("words",),
            [
                "text word(1,2)",
                "headline word(1,1) * 0.5",
                "headline shape * 0.05",
                "time * 0.1",
                "source * 0.5",
                "section * 0.5",
                "words numeric * 1",
            ],
        ),
        (
            [FULL, {**FULL, "source": "b", "desk": "d"}, {**FULL, "desk": "e"}],
            ("desk", "source"),
            (),
            [
                "text word(1,2)",
                "headline word(1,1) * 0.5",
                "headline shape * 0.05",
                "desk * 1",
                "source * 1",
            ],
        ),
        (
            [{"headline": "국회는 예산안을 통과시켰다", "summary": "예산안"}] * 2,
            (),
            (),
            ["text char_wb(2,4)", "headline char_wb(2,4) * 0.5", "headline shape * 0.05"],
        ),
        ([{"body": "国会は予算案を可決した"}] * 2, (), (), ["text char_wb(1,3)", "headline shape * 0.05"]),
    ],
)
def test_where_the_choice_starts(
    corpus_of: Make, rows: Any, categorical: Any, numeric: Any, expected: list[str]
) -> None:
    found = start_recipe(corpus_of(rows).rows, categorical, numeric, flags=False)
    assert written(found) == expected
    assert (found.learner, found.half_life) == ("squares", 0.0)
    flagged = start_recipe(corpus_of(rows).rows, categorical, numeric, flags=True)
    assert flagged == replace(found, learner="logistic")


def test_what_else_an_article_shows_is_tried(corpus_of: Make) -> None:
    """Once each: lengths of the texts there are, the address, parts of the day and their crosses with what they are of."""
    row = {**FULL, "url": "https://paper.example/a?b", "published_at": "2031-03-03T06:00:00+00:00"}
    rows = corpus_of([row, {**row, "source": "b"}]).rows
    start = start_recipe(rows, (), ("body length",), flags=False)
    tried = [" + ".join(map(str, features)) for features in _additions(start, rows)]
    assert "headline length numeric * 0.3" in tried  # no summary; the body's was named
    assert "url word(1,2) * 0.6" in tried
    assert "daypart * 0.45" in tried
    assert "daypart * 0.45 + source x daypart * 0.45" in tried
    assert (
        "headline word(1,1) * 0.5 + url word(1,2) * 0.6"
        " + source x headline word(1,1) * 0.5 + source x url word(1,2) * 0.6"
    ) in tried
    assert tried[-2:] == ["headline word(1,2) * 0.5", "headline start word(1,3) * 0.4"]
    assert len(tried) == len(set(tried))
    assert not offers_url(list(_additions(start, rows, {"source"})))  # which the address would tell again
    bare = corpus_of([{"headline": "Only words"}] * 2).rows
    plain = list(_additions(start_recipe(bare, (), (), flags=False), bare))
    assert not offers_url(plain)
    assert [str(feature) for feature in plain[-1]] == ["headline start word(1,3) * 0.4"]
    assert "headline word(1,2) * 0.5" not in map(str, chain.from_iterable(plain))  # the text is the headline
    bodies = corpus_of([{"body": "Only words"}] * 2).rows
    for features in _additions(start_recipe(bodies, (), (), flags=False), bodies):
        assert not [feature for feature in features if feature.block.column.startswith("headline")]
    assert not [feature for features in plain for feature in features if "daypart" in str(feature)]


def offers_url(tried: list[tuple[Feature, ...]]) -> bool:
    return any(str(feature).startswith("url ") for features in tried for feature in features)


@pytest.mark.parametrize(("without", "offered"), [(0, True), (1, True), (2, False), (100, False)])
def test_the_address_is_tried_where_nearly_all_have_one(corpus_of: Make, without: int, offered: bool) -> None:
    """Titles of ranking boxes have none, and they are those that were read."""
    own = [{"headline": "x", **({} if i < without else {"url": f"/sports/{i}"})} for i in range(100)]
    rows = corpus_of(own).rows
    assert offers_url(list(_additions(start_recipe(rows, (), (), flags=False), rows))) == offered


def test_readers_of_one_source_come_at_another_time(simulate: Any, trials_of: Any) -> None:
    """A cross comes with what it is of, once."""

    def lift(row: Row) -> float:
        hour = int(row["id"][1:]) % 24
        row["published_at"] = row["published_at"][:11] + f"{hour:02d}:00:00+00:00"
        return 2.0 * (1 if hour < 12 else -1) * (1 if row["source"] == "north" else -1)

    trials = trials_of(simulate(two_sources(lift), daily=48))
    start = replace(PLAIN, features=(*PLAIN.features, *parsed("time * 0.1")))
    found = written(choose_recipe(start, trials, alpha=False, half_life=False, learner=False))
    assert found.count("daypart * 0.45") == 1
    assert "source x daypart * 0.45" in found

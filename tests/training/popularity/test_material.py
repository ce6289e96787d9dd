"""Fitting a recipe: what fades is folded in, what is nobody's merit is held fixed, and sources keep their level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training.corpus import Corpus
from training.labels import NO_JUDGEMENTS, Judgements
from training.popularity.design import Design
from training.popularity.features import FeatureCache
from training.popularity.learners import Problem, fit
from training.popularity.material import Material, fit_weights, group_weights, tempered
from training.popularity.recipes import LEARNERS, Feature, Learner, PopularityRecipe

Make = Callable[..., Corpus]
Row = dict[str, Any]
EXACT = 1e-10


def recipe(*features: str, **more: Any) -> PopularityRecipe:
    return PopularityRecipe(tuple(map(Feature.parse, features)), **more)


def lift(row: Row) -> float:
    row["source"] = ("north", "south")[row["day"] % 2]
    return (
        0.1 * int(row["headline"].split()[0].removeprefix("word"))
        + float(row["section"] == "Sports") * int(row["day"]) / 10
    )


FADING = recipe(
    "text word(1,1)",
    "source * 0.5",
    "section * 1",
    "source x text word(1,1) * 2",
    "text word(1,1) * 0.5, recent 7",
    "section * 2, recent 7",
    "section * 1, recent 30",
    "source x text word(1,1) * 1, recent 14",
)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("part", [False, True])
def test_what_fades_is_as_on_the_newest_day(
    simulate: Any, corpus_of: Make, material_of: Any, learner: Learner, part: bool
) -> None:
    """The plain features with the weights of both give what all features give where nothing has faded."""
    corpus, _, _, material = material_of(corpus_of(simulate(lift)))
    train = np.arange(len(corpus)) < 200 if part else None
    found = fit_weights(material, replace(FADING, learner=learner), train, tolerance=1e-4)
    assert found is not None
    unfaded = FeatureCache(corpus.rows, corpus.timezone, np.zeros(len(corpus)))
    columns = [own for _, own in unfaded.columns(FADING.features, train)]
    design = Design(columns, np.arange(len(corpus)))
    with design.pool() as pool:
        expected = design.scores(pool, found.solution.weights)
    differences = found.scores - expected
    if learner in ("pairwise", "listwise"):  # sources are brought to their level besides
        sources = np.array(corpus.rows.values("source"))
        for name in ("north", "south"):
            assert np.ptp(differences[sources == name]) < 1e-5
    else:
        assert np.ptp(differences) < 1e-5
    assert np.abs(found.solution.weights[len(found.weights) :]).max() > 1e-3


def test_what_fades_is_fitted_by_each_articles_own_age(
    simulate: Any, corpus_of: Make, material_of: Any
) -> None:
    """Readers of today are told from those of long ago."""

    def turned(row: Row) -> float:
        return (3.0 if row["day"] >= 30 else -3.0) * float(row["section"] == "Sports")

    corpus, _, _, material = material_of(corpus_of(simulate(turned, days=40)))
    sports = np.array(corpus.rows.values("section")) == "Sports"
    plain, fading = (
        fit_weights(material, recipe(*features, alpha=0.1), tolerance=EXACT)
        for features in (("section * 1",), ("section * 1", "section * 1, recent 7"))
    )
    assert plain is not None
    assert fading is not None
    assert plain.scores[sports].mean() < plain.scores[~sports].mean()
    assert fading.scores[sports].mean() > fading.scores[~sports].mean() + 0.5


def test_least_squares_of_a_part_see_nothing_else(simulate: Any, corpus_of: Make, material_of: Any) -> None:
    corpus, _, _, material = material_of(corpus_of(simulate(lift)))
    train = np.arange(len(corpus)) % 2 == 0
    own = recipe("text word(1,1)", "source * 0.5", "headline shape", half_life=10.0)
    found = fit_weights(material, own, train, tolerance=EXACT)
    other = replace(material, targets=np.where(train, material.targets, 99.0))
    again = fit_weights(other, own, train, tolerance=EXACT)
    assert found is not None
    assert again is not None
    assert found.scores.tobytes() == again.scores.tobytes()
    # Features of all, weights of a part: as the folds of an artifact's percentiles are fitted.
    whole = fit_weights(material, own, train, features_of=np.ones(len(corpus), np.bool_), tolerance=EXACT)
    assert whole is not None
    everything = fit_weights(material, own, tolerance=EXACT)
    assert everything is not None
    assert whole.weights.shape == everything.weights.shape
    assert not np.allclose(whole.weights, everything.weights)


def test_a_fit_starts_from_the_features_that_it_shares_with_another(
    simulate: Any, corpus_of: Make, material_of: Any
) -> None:
    _, _, _, material = material_of(corpus_of(simulate(lift)))
    first = fit_weights(
        material, recipe("text word(1,1)", "source * 0.5", "source * 1, recent 7"), tolerance=1e-4
    )
    assert first is not None
    widths = dict(first.features)
    words, source = Feature.parse("text word(1,1)"), Feature.parse("source * 0.5")
    other = Feature.parse("section * 1")
    found = first.start([(source, 2), (other, 2), (words, widths[words]), (source, 3)])
    own = first.solution.weights
    after = widths[words]
    expected = [
        *own[after : after + 2],
        0.0,
        0.0,
        *own[:after],
        0.0,
        0.0,
        0.0,
    ]  # of another width it is another
    assert found.weights.tolist() == expected
    assert (found.learner, found.intercept) == ("squares", first.solution.intercept)


def test_older_articles_count_less(simulate: Any, corpus_of: Make, material_of: Any) -> None:
    corpus, _, _, material = material_of(corpus_of(simulate(lift, days=20, daily=12)))
    rows = np.arange(len(corpus))
    weight = material.emphasis(recipe("time", half_life=5.0), rows)
    assert weight is not None
    assert weight.mean() == pytest.approx(1.0)
    age = (np.nanmax(corpus.instants) - corpus.instants) / 86400
    np.testing.assert_allclose(weight, weight[-1] * 0.5 ** (age / 5))
    early = material.emphasis(recipe("time", half_life=5.0), rows[:120])
    assert early is not None
    assert early.argmax() == 119  # by age before the newest of the part
    old = material.emphasis(recipe("time", half_life=0.5), rows[:24])
    assert old is not None
    assert old[12] > 3 * old[0]  # however old it is
    assert material.emphasis(recipe("time"), rows) is None


def test_a_group_counts_by_the_square_root_of_its_articles(
    simulate: Any, corpus_of: Make, material_of: Any
) -> None:
    rows = simulate(lift, days=3, daily=16)[:36]  # days of 16, 16 and 4
    _, _, _, material = material_of(corpus_of(rows))
    for half_life in (0.0, 5.0):
        weight = material.emphasis(recipe("time", half_life=half_life), np.arange(36))
        assert weight is not None
        assert weight.mean() == pytest.approx(1.0)
        days = np.add.reduceat(weight * 2.0 ** (material.ages / 5 if half_life else 0.0), [0, 16, 32])
        np.testing.assert_allclose(days / days[0], [1.0, 1.0, 0.5])
    part = material.emphasis(recipe("time"), np.arange(28, 36))  # of which four are of each of two days
    assert part is not None
    np.testing.assert_allclose(part[4:] / part[0], 2.0)
    assert material.emphasis(recipe("time"), np.arange(32)) is None


def test_how_much_an_article_counts_does_not_depend_on_the_order_of_boxes() -> None:
    """Of several groups it has the average; an article that another form of label filled in has that over all."""
    names = ["a"] * 4 + ["b"] * 16 + ["c"] * 4
    given = Judgements(
        np.array([*range(4), *range(16), 0, 1, 2, 17]), np.zeros(24), np.array(names), flags=False
    )
    found = group_weights(given, 20)
    assert found is not None
    np.testing.assert_allclose(found[[0, 3, 4, 15, 17]], [1.25 / 3, 0.375, 0.25, 0.25, 0.5])
    np.testing.assert_allclose(found[[16, 18, 19]], (8 * 0.5 + 16 * 0.25) / 24)
    turned = Judgements(given.rows[::-1], given.values, given.groups[::-1], flags=False)
    np.testing.assert_allclose(np.asarray(group_weights(turned, 20)), found, rtol=1e-14)
    # Clicks are standardised over all lists.
    assert group_weights(replace(given, targets=np.zeros(20)), 20) is None
    assert group_weights(NO_JUDGEMENTS, 20) is None


def test_by_how_much_an_article_failed_counts_less() -> None:
    targets = np.array([-3.0, -2.0, -1.0, -0.5, 0.0, 4.0])
    np.testing.assert_allclose(tempered(targets), [-1.6, -1.3, -1.0, -0.5, 0.0, 4.0])


def first_word(row: Row) -> int:
    return int(row["headline"].split()[0].removeprefix("word"))


def placed(row: Row) -> float:
    """Editors mostly push articles that begin with word10 to word19 to the top; readers like word0 to word9."""
    pushed = 10 <= first_word(row) < 20
    row["slot"] = "top" if pushed == (row["luck"] < 1.0) else "bottom"
    row["placement"] = float(int(row["id"][1:]) * 7 % 15 + (0 if row["slot"] == "top" else 15))
    return float(1.0 * (first_word(row) < 10) - 0.05 * row["placement"] + 1.5 * (row["slot"] == "top"))


@pytest.mark.parametrize("nuisance", [["placement"], ["slot"], ["slot", "placement"]])
@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_a_nuisance_takes_its_share_and_is_held_fixed(
    simulate: Any, corpus_of: Make, material_of: Any, nuisance: list[str], learner: Learner
) -> None:
    corpus, _, _, material = material_of(
        corpus_of(simulate(placed, days=40, noise=0.3)), features={"nuisance": nuisance}
    )
    written = {"placement": "placement numeric * 1", "slot": "slot * 1"}
    assert [str(feature) for feature in material.nuisance] == [written[name] for name in nuisance]
    words = recipe("text word(1,1)", learner=learner)
    found, naive = (
        fit_weights(own, words, tolerance=1e-6) for own in (material, replace(material, nuisance=()))
    )
    assert found is not None
    assert naive is not None
    assert len(found.weights) == len(naive.weights) < len(found.solution.weights)
    first = np.array([first_word({"headline": text}) for text in corpus.rows.texts("headline")])
    liked, pushed = first < 10, (first >= 10) & (first < 20)
    assert naive.scores[pushed].mean() > naive.scores[liked].mean()
    assert found.scores[liked].mean() > found.scores[pushed].mean()
    # The nuisance is held at its average: so is the average article's score.
    if learner == "squares":
        assert found.scores.mean() == pytest.approx(material.targets.mean(), abs=0.01)


def test_features_alone_that_are_nuisances_are_no_head(
    simulate: Any, corpus_of: Make, material_of: Any
) -> None:
    _, _, _, material = material_of(corpus_of(simulate(placed)), features={"nuisance": ["placement"]})
    assert fit_weights(material, recipe("desk * 1", "body word(1,1)"), tolerance=1e-4) is None


@pytest.mark.parametrize("learner", ["pairwise", "listwise"])
@pytest.mark.parametrize("split", [True, False])
def test_order_is_learned_within_groups(corpus_of: Make, learner: Learner, split: bool) -> None:
    """Ships stand in popular groups, and are the least popular there."""
    rows = [{"headline": "ships" if (i % 10 < 8) == (i < 100) else "trains"} for i in range(200)]
    ships = np.array([row["headline"] == "ships" for row in rows])
    targets = np.where(np.arange(200) < 100, 1.0, -1.0) - 0.5 * ships
    groups = np.arange(200) // (10 if split else 200)
    corpus = corpus_of(rows)
    cache = FeatureCache(corpus.rows, "UTC", np.zeros(200))
    material = Material(cache, targets, groups, np.zeros(200), False)
    found = fit_weights(material, recipe("headline word(1,1)", learner=learner), tolerance=1e-6)
    assert found is not None
    assert (found.weights[0] < found.weights[1]) == split


@pytest.mark.parametrize("learner", ["pairwise", "listwise"])
def test_learners_of_order_are_brought_to_the_level_of_the_targets(
    simulate: Any, corpus_of: Make, learner: Learner
) -> None:
    """One group of both sources, in which the north is far more popular."""

    def north(row: Row) -> float:
        row["source"] = ("north", "south")[int(row["id"][1:]) % 2]
        return 0.05 * int(row["headline"].split()[0].removeprefix("word")) + 4.0 * float(
            row["source"] == "north"
        )

    corpus = corpus_of(simulate(north, daily=20))
    logs = np.log1p(corpus.popularity)
    targets = (logs - logs.mean()) / logs.std() + 2.0
    # Groups are the sources' own: order inside says nothing of what is between them.
    groups = np.array([int(name == "south") for name in corpus.rows.values("source")])
    material = Material(
        FeatureCache(corpus.rows, corpus.timezone, np.zeros(len(corpus))),
        targets,
        groups,
        np.zeros(len(corpus)),
        False,
    )
    words = recipe("text word(1,1)", "source * 0.5", learner=learner)
    found = fit_weights(material, words, tolerance=1e-6)
    assert found is not None
    design = Design([own for _, own in material.cache.columns(words.features)], np.arange(len(corpus)))
    solution = fit(learner, Problem(design, targets, groups), words.plain_alpha)
    assert abs(solution.weights[-1] - solution.weights[-2]) < 0.1
    with design.pool() as pool:
        scale = design.scores(pool, solution.weights).std() / targets.std()
    for source in (0, 1):
        level = found.scores[groups == source].mean() / scale
        assert level == pytest.approx(targets[groups == source].mean(), abs=0.2)

"""Choosing the section head's recipe: what is held out of the training part, and what is chosen by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from training import selection
from training.calibration.assignment import fit_label_thresholds
from training.corpus import Corpus, Ids, Mask
from training.features import BlockCache, Parts
from training.metrics import macro_f1, micro_f1
from training.recipes import BlockRecipe, Recipe
from training.sections import truth_matrix, usable_labels
from training.selection import (
    Quality,
    Trials,
    Validation,
    choose_recipe,
    fit_linear,
    make_validation,
    quality,
    tune_recipe,
)

Make = Callable[..., Corpus]
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
NORTH = ["minister", "assembly", "ballot", "coalition", "decree", "mayor", "senate", "treaty"]
SOUTH = ["bank", "market", "shares", "exports", "prices", "factory", "currency", "tariff"]


class Watched(BlockCache):
    """Keeps the masks that features were asked for."""

    def __init__(self, corpus: Corpus) -> None:
        super().__init__(corpus.rows)
        self.masks: list[Mask] = []

    def parts(self, recipe: Recipe, train: Mask, asked: Mask) -> Parts | None:
        self.masks.append(train)
        return super().parts(recipe, train, asked)


def validation_of(
    corpus: Corpus, clusters: Ids | None = None, *, fold_count: int = 4, seed: int = 0
) -> Validation:
    labels, _ = usable_labels(corpus, 2)
    truth = truth_matrix(corpus, labels)
    clusters = np.arange(len(corpus)) if clusters is None else clusters
    return make_validation(corpus, truth, clusters, several=corpus.several, fold_count=fold_count, seed=seed)


def chosen(corpus: Corpus, categorical: Sequence[str] = (), **fixed: Any) -> Recipe:
    trials = Trials(BlockCache(corpus.rows), validation_of(corpus).quick(), lambda step: None)
    return choose_recipe(corpus, trials, categorical, **fixed)


# What is held out


def on(day: int) -> str:
    return (datetime(2010, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)).isoformat()


def dated(
    corpus_of: Make, count: int, *, undated: int = 0, day: Callable[[int], int] = lambda i: i
) -> Corpus:
    """Articles in a shuffled order, number i published on day `day(i)`."""
    rows = []
    for i in np.random.default_rng(0).permutation(count).tolist():
        rows.append(
            {
                "headline": f"{(NORTH, SOUTH)[i % 2][i % 8]} {WORDS[i % 10]}",
                "section": ("Politics", "Economy")[i % 2],
                "published_at": None if i < undated else on(day(i)),
            }
        )
    return corpus_of(rows)


@pytest.mark.parametrize(("count", "undated"), [(240, 0), (999, 0), (2400, 1300)])
def test_few_articles_are_validated_in_folds(corpus_of: Make, count: int, undated: int) -> None:
    found = validation_of(dated(corpus_of, count, undated=undated))
    assert not found.forward
    assert found.asked.all()
    assert np.unique(found.fold).tolist() == [0, 1, 2, 3]
    assert np.ptp(np.bincount(found.fold)) <= 1
    np.testing.assert_array_equal(found.parts, found.fold)


def test_near_duplicates_are_in_one_fold(corpus_of: Make) -> None:
    clusters = np.arange(240) // 3
    found = validation_of(dated(corpus_of, 240), clusters)
    for cluster in range(80):
        assert len(np.unique(found.fold[clusters == cluster])) == 1


@pytest.mark.parametrize(
    ("count", "undated", "share"), [(1000, 0, 0.5), (1900, 900, 0.5), (10_000, 0, 0.2), (15_000, 5000, 0.2)]
)
def test_many_dated_articles_are_validated_forward(
    corpus_of: Make, count: int, undated: int, share: float
) -> None:
    """The newer half of a thousand, the newest fifth of ten thousand; articles without a time only teach."""
    corpus = dated(corpus_of, count, undated=undated)
    found = validation_of(corpus)
    assert found.forward
    known = np.isfinite(corpus.instants)
    assert found.asked[known].mean() == pytest.approx(share, abs=0.01)
    assert not found.asked[~known].any()
    assert (found.fold[~known] == -1).all()
    assert corpus.instants[found.asked].min() > corpus.instants[known & ~found.asked].max()
    assert len(np.unique(found.parts[found.asked])) >= 2  # a calibration can be judged


def test_forward_never_trains_on_what_came_later(corpus_of: Make) -> None:
    corpus = dated(corpus_of, 1200, undated=100, day=lambda i: i // 4)
    for found in (validation_of(corpus), validation_of(corpus).quick()):
        cache = Watched(corpus)
        scores = found.held_out(cache, Recipe((BlockRecipe("text", "word"),)))
        assert scores is not None
        np.testing.assert_array_equal(np.isfinite(scores).all(axis=1), found.asked)
        windows = np.unique(found.fold[found.asked])
        assert len(cache.masks) == len(windows) > 0
        for number, rest in zip(windows.tolist(), cache.masks, strict=True):
            held = found.asked & (found.fold == number)
            assert np.nanmax(corpus.instants[rest]) < corpus.instants[held].min()
            assert rest[~np.isfinite(corpus.instants)].all()
            assert not (rest & held).any()


def test_windows_grow_with_time(corpus_of: Make) -> None:
    corpus = dated(corpus_of, 1200)
    found = validation_of(corpus, fold_count=5)
    cache = Watched(corpus)
    found.held_out(cache, Recipe((BlockRecipe("text", "word"),)))
    assert [int(part.sum()) for part in cache.masks] == [600, 720, 840, 960, 1080]


def test_copies_of_older_articles_are_not_asked(corpus_of: Make) -> None:
    corpus = dated(corpus_of, 1000)
    order = np.argsort(corpus.instants)
    clusters = np.arange(1000)
    clusters[order[900:950]] = clusters[order[:50]]
    found = validation_of(corpus, clusters)
    assert not found.asked[order[900:950]].any()
    assert found.asked[order[500:900]].all()
    assert found.asked[order[950:]].all()
    # Of one window: none of the fits has seen either.
    clusters = np.arange(1000)
    clusters[order[990]] = clusters[order[999]]
    assert validation_of(corpus, clusters).asked[order[500:]].all()


def test_copies_of_articles_of_an_earlier_window_are_not_asked(corpus_of: Make) -> None:
    corpus = dated(corpus_of, 1000)
    order = np.argsort(corpus.instants)
    clusters = np.arange(1000)
    clusters[order[990]] = clusters[order[510]]
    found = validation_of(corpus, clusters)
    assert found.fold[order[510]] < found.fold[order[990]]
    assert found.asked[order[510]]
    assert not found.asked[order[990]]


def test_times_that_are_all_alike_say_nothing(corpus_of: Make) -> None:
    found = validation_of(dated(corpus_of, 1100, day=lambda i: 5))
    assert not found.forward
    assert found.asked.all()


def test_forward_needs_something_to_learn_from(corpus_of: Make) -> None:
    """All of one instant but for one without a time: that one would be all that a fit learns from."""
    corpus = dated(corpus_of, 1101, undated=1, day=lambda i: 5)
    found = validation_of(corpus)
    cache = Watched(corpus)
    found.held_out(cache, Recipe((BlockRecipe("text", "word"),)))
    assert min(int(part.sum()) for part in cache.masks) > 100


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_holds_out_the_same(corpus_of: Make, seed: int) -> None:
    corpus = dated(corpus_of, 240)
    one, other = (validation_of(corpus, seed=seed) for _ in range(2))
    np.testing.assert_array_equal(one.fold, other.fold)
    assert (validation_of(corpus, seed=seed + 1).fold != one.fold).any()


@pytest.mark.parametrize("forward", [True, False])
def test_fits_go_on_from_those_on_older_articles_alone(corpus_of: Make, forward: bool) -> None:
    corpus = dated(corpus_of, 1200 if forward else 400)
    found, recipe = validation_of(corpus), Recipe((BlockRecipe("text", "word"),))
    assert found.forward == forward
    slack = np.zeros(found.truth.shape)
    plain = found.held_out(BlockCache(corpus.rows), recipe)
    gone_on = found.held_out(BlockCache(corpus.rows), recipe, slack)
    assert plain is not None
    assert gone_on is not None
    np.testing.assert_allclose(plain, gone_on, rtol=0, atol=0.02)
    # Of a fold no fit may know anything, so there each begins with nothing.
    assert np.array_equal(plain, gone_on, equal_nan=True) == (not forward)
    last = found.fold == found.fold.max()
    assert slack[~last].any()
    assert not slack[last].any()


def test_held_out_scores_come_from_fits_that_did_not_see_the_article(corpus_of: Make) -> None:
    # Each article has a word of its own and nothing else: known, it is learnt by heart; held out, it says nothing.
    corpus = corpus_of([{"headline": f"word{i}", "section": "ab"[i % 2]} for i in range(20)])
    found = validation_of(corpus)
    recipe = Recipe((BlockRecipe("text", "word"),), 10.0)
    cache = BlockCache(corpus.rows)
    held = found.held_out(cache, recipe)
    assert held is not None
    features = cache.features(recipe)
    assert features is not None
    weights, intercept = fit_linear(features, found.truth, recipe, several=False, seed=0)
    assert ((features @ weights + intercept).argmax(axis=1) == found.truth.argmax(axis=1)).all()
    for number in range(4):
        assert len(np.unique(held[found.fold == number].round(6), axis=0)) == 1


def plain(truth: np.ndarray, fold: np.ndarray, *, forward: bool) -> Validation:
    asked = fold >= 0
    return Validation(truth, True, fold, asked, fold, forward, 0)


@pytest.mark.parametrize("forward", [False, True])
def test_a_choice_costs_fewer_fits_where_articles_or_labels_are_many(forward: bool) -> None:
    fold = np.arange(1000) % 5
    if forward:
        fold = np.sort(fold) - 1
    many, few = (plain(np.zeros((1000, k), np.bool_), fold, forward=forward) for k in (200, 2))
    assert len(np.unique(few.quick().fold[few.quick().asked])) == len(np.unique(fold[fold >= 0]))
    quick = many.quick()
    assert len(np.unique(quick.fold[quick.asked])) == 1
    assert quick.asked.any()
    assert (quick.asked <= many.asked).all()
    assert quick.tolerance > few.quick().tolerance == many.tolerance
    between = plain(np.zeros((1000, 100), np.bool_), fold, forward=forward).quick()
    assert 1 <= len(np.unique(between.fold[between.asked])) <= 3


@pytest.mark.parametrize("forward", [False, True])
def test_no_more_is_held_out_than_memory_allows(
    corpus_of: Make, monkeypatch: pytest.MonkeyPatch, forward: bool
) -> None:
    corpus = dated(corpus_of, 1000 if forward else 900)
    whole = validation_of(corpus)
    monkeypatch.setattr(selection, "_HELD_CELLS", 300)  # 150 articles of two labels
    found = validation_of(corpus)
    assert (found.forward, int(found.asked.sum())) == (forward, 150)
    assert (found.asked <= whole.asked).all()
    assert len(np.unique(found.parts[found.asked])) >= 2
    np.testing.assert_array_equal(validation_of(corpus).asked, found.asked)
    if not forward:
        assert len(np.unique(found.fold[found.asked])) == 1  # a single fit
    scores = found.quick().held_out(BlockCache(corpus.rows), Recipe((BlockRecipe("text", "word"),)))
    assert scores is not None
    assert np.isfinite(scores).all(axis=1).sum() == 150
    monkeypatch.setattr(selection, "_HELD_CELLS", 1)  # never fewer than a hundred
    assert validation_of(corpus).asked.sum() == 100


# How good a recipe is


def test_quality_is_the_log_loss_at_the_best_temperature() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(0, 1, (600, 3))
    truth = np.eye(3, dtype=np.bool_)[(3 * scores + random.gumbel(size=scores.shape)).argmax(axis=1)]
    found = quality(truth, scores, several=False)
    losses = []
    for slope in np.linspace(1, 6, 501):
        powers = np.exp(scores * slope)
        losses.append(-np.log((powers / powers.sum(axis=1, keepdims=True))[truth]).mean())
    assert found.value == pytest.approx(-min(losses), abs=1e-3)
    assert found.losses is not None
    assert found.value == -found.losses.mean()
    right = scores.argmax(axis=1) == truth.argmax(axis=1)
    assert found.accuracy == right.mean()
    assert found.macro_f1 == macro_f1(truth.argmax(axis=1), scores.argmax(axis=1))
    assert quality(truth, 50 * scores, several=False).value == pytest.approx(found.value, abs=1e-4)
    assert (
        quality(truth, scores + random.normal(0, 1, scores.shape), several=False).value < found.value - 0.05
    )


def test_quality_of_several_labels() -> None:
    random = np.random.default_rng(0)
    truth = random.random((400, 4)) < [0.5, 0.3, 0.1, 0.05]
    apart = np.where(truth, 1.0, -1.0) + np.array([5.0, 0.0, 0.0, -5.0])
    perfect = quality(truth, apart, several=True)
    assert (perfect.accuracy, perfect.macro_f1) == (1.0, 1.0)
    noisy = apart + random.normal(0, 0.7, truth.shape)
    found = quality(truth, noisy, several=True)
    assigned = noisy >= fit_label_thresholds(noisy, truth, shrink=5.0)
    assert (found.accuracy, found.macro_f1) == (micro_f1(truth, assigned), macro_f1(truth, assigned))
    assert found.macro_f1 < found.accuracy < 1
    assert found.losses is not None
    assert found.value == -found.losses.mean()
    assert perfect.clearly_above(found)
    assert str(found).startswith(f"micro-F1 {found.accuracy:.4f}, ")


def test_only_what_is_more_than_noise_is_better() -> None:
    random = np.random.default_rng(0)
    losses = random.random(400)

    def own(values: np.ndarray) -> Quality:
        return Quality(-float(values.mean()), 0.5, 0.5, values)

    assert own(losses - 0.1).clearly_above(own(losses))
    assert not own(losses).clearly_above(own(losses))
    assert not own(losses - 0.0001).clearly_above(own(losses))  # for sure, but not worth a block
    lucky = random.normal(0, 1, 400)
    lucky += -0.02 - lucky.mean()  # better on average, by a fraction of what articles differ
    assert not own(losses + lucky).clearly_above(own(losses))
    assert own(losses).clearly_above(Quality(-np.inf, 0.0, 0.0))
    assert not Quality(-np.inf, 0.0, 0.0).clearly_above(own(losses))


def test_each_recipe_is_tried_once_and_reported(corpus_of: Make) -> None:
    corpus = dated(corpus_of, 60)
    said: list[str] = []
    trials = Trials(BlockCache(corpus.rows), validation_of(corpus), said.append)
    words, nothing = Recipe((BlockRecipe("text", "word"),)), Recipe((BlockRecipe("body", "word"),))
    first = trials.quality(words)
    assert trials.quality(Recipe((BlockRecipe("text", "word"),))) is first
    assert first.accuracy > 0.9
    assert trials.quality(nothing).value == -np.inf
    assert said[0].startswith("tried text word(1,1), C 1, balance 0: accuracy 1.0000, log loss 0.")
    assert len(said) == 2


# What is chosen


def told_by_words(corpus_of: Make, wrong: float = 0.125, **own: Callable[[int], Any]) -> Corpus:
    """Two sections that one word of each article tells, but for the share `wrong`."""
    draw = np.random.default_rng(0)
    rows = []
    for i in range(160):
        told = (i + (draw.random() < wrong)) % 2
        row = {
            "headline": " ".join([*draw.choice(WORDS, 3), str(draw.choice((NORTH, SOUTH)[told]))]),
            "section": ("Politics", "Economy")[i % 2],
        }
        rows.append({**row, **{name: value(i) for name, value in own.items()}})
    return corpus_of(rows)


def test_a_source_that_helps_is_taken(corpus_of: Make) -> None:
    helpful = chosen(told_by_words(corpus_of, source=lambda i: ("North", "South")[i % 2]))
    assert BlockRecipe("source") in helpful.blocks


def test_a_source_that_says_nothing_is_left_out(corpus_of: Make) -> None:
    useless = chosen(told_by_words(corpus_of, source=lambda i: ("East", "West")[i // 2 % 2]))
    assert [block.column for block in useless.blocks if block.column == "source"] == []
    assert {block.column for block in useless.blocks} == {"text"}


def test_parts_of_words_are_taken_where_words_inflect(corpus_of: Make) -> None:
    """Every word has an ending that is hardly seen twice."""
    draw = np.random.default_rng(0)
    letters = list("bcdfghklmnprstvz")
    rows = []
    for i in range(160):
        stems = draw.choice((NORTH, SOUTH)[i % 2], 2)
        words = [stem[:5] + "a" + "".join(draw.choice(letters, 4)) for stem in stems]
        rows.append({"headline": " ".join(words), "section": "ab"[i % 2]})
    assert "char_wb" in [block.analyzer for block in chosen(corpus_of(rows)).blocks]
    whole = [
        {"headline": " ".join(draw.choice((NORTH, SOUTH)[i % 2], 2)), "section": "ab"[i % 2]}
        for i in range(160)
    ]
    assert {block.analyzer for block in chosen(corpus_of(whole)).blocks} == {"word"}


def test_pairs_of_words_are_taken_where_they_tell(corpus_of: Make) -> None:
    """Only which of two words comes first says the section."""
    draw = np.random.default_rng(0)
    rows = []
    for i in range(400):
        pair = ("bank vote", "vote bank")[i % 2]
        rows.append({"headline": f"{draw.choice(WORDS)} {pair} {draw.choice(WORDS)}", "section": "ab"[i % 2]})
    found = chosen(corpus_of(rows)).blocks[0]
    assert found == BlockRecipe("text", "word", (1, 2))


def test_another_script_has_another_base(corpus_of: Make) -> None:
    rows = [
        {"headline": ("국회는 예산안을", "은행은 금리를")[i % 2], "section": "ab"[i % 2]} for i in range(40)
    ]
    assert chosen(corpus_of(rows)).blocks[0].analyzer == "char_wb"


def test_what_is_fixed_stays(corpus_of: Make) -> None:
    corpus = told_by_words(corpus_of, source=lambda i: ("East", "West")[i // 2 % 2])
    trials = Trials(BlockCache(corpus.rows), validation_of(corpus), lambda step: None)
    found = choose_recipe(corpus, trials, ("source",), c=0.125, balance=0.3)
    assert all(recipe.blocks.count(BlockRecipe("source")) == 1 for recipe in trials.found)
    assert (found.c, found.balance) == (0.125, 0.3)
    assert [block for block in found.blocks if block.column == "source"] == [BlockRecipe("source")]
    free = chosen(corpus)
    assert free.c in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    given = Recipe((BlockRecipe("headline", "word", weight=0.5),), 0.125, 0.3)
    trials = Trials(BlockCache(corpus.rows), validation_of(corpus), lambda step: None)
    assert tune_recipe(given, trials, c=0.125, balance=0.3, half_life=0.0) == given
    assert not trials.found
    assert tune_recipe(given, trials, c=None, balance=0.3, half_life=0.0).blocks == given.blocks
    assert trials.found


@pytest.mark.parametrize(("wrong", "start", "step"), [(0.0, 1.0, 1), (0.125, 1.0, 0), (0.25, 8.0, -1)])
def test_regularisation_climbs_until_nothing_beside_it_is_clearly_better(
    corpus_of: Make, wrong: float, start: float, step: int
) -> None:
    corpus = told_by_words(corpus_of, wrong)
    trials = Trials(BlockCache(corpus.rows), validation_of(corpus), lambda step: None)
    words = Recipe((BlockRecipe("text", "word"),), start)
    found = tune_recipe(words, trials, c=None, balance=0.0, half_life=0.0)
    best = trials.quality(found)
    for c in {0.25, 0.5, 1.0, 2.0, 4.0, 8.0} & {found.c / 2, found.c * 2}:
        assert not trials.quality(replace(words, c=c)).clearly_above(best)
    assert np.sign(found.c - start) == step
    assert found == words or best.clearly_above(trials.quality(words))


def test_class_weights_lift_rare_sections_where_they_help(corpus_of: Make) -> None:
    draw = np.random.default_rng(0)
    rows = []
    for i in range(300):
        section = "rare" if i % 10 == 0 else "rarer" if i % 10 == 1 else "large"
        own = {"rare": NORTH, "rarer": SOUTH, "large": WORDS}[section]
        words = [str(draw.choice(own if draw.random() < 0.4 else WORDS)) for _ in range(5)]
        rows.append({"headline": " ".join(words), "section": section})
    corpus = corpus_of(rows)
    trials = Trials(BlockCache(corpus.rows), validation_of(corpus), lambda step: None)
    words = Recipe((BlockRecipe("text", "word"),), 0.5)
    found = tune_recipe(words, trials, c=0.5, balance=None, half_life=0.0)
    assert found.balance > 0
    assert trials.quality(found).macro_f1 > trials.quality(words).macro_f1
    assert tune_recipe(words, trials, c=0.5, balance=0.0, half_life=0.0) == words
    clear = corpus_of([{**row, "headline": f"{row['section']} {row['headline']}"} for row in rows])
    trials = Trials(BlockCache(clear.rows), validation_of(clear), lambda step: None)
    assert tune_recipe(words, trials, c=0.5, balance=None, half_life=0.0) == words
    assert len(trials.found) == 2  # tried, and no help
    even = told_by_words(corpus_of)
    trials = Trials(BlockCache(even.rows), validation_of(even), lambda step: None)
    assert tune_recipe(words, trials, c=0.5, balance=None, half_life=0.0) == words
    assert not trials.found  # nothing is rare: nothing to try


def test_the_same_articles_choose_the_same(corpus_of: Make) -> None:
    corpora = [told_by_words(corpus_of, source=lambda i: ("North", "South")[i % 2]) for _ in range(2)]
    assert chosen(corpora[0]) == chosen(corpora[1])
    one, other = (
        validation_of(corpus).held_out(BlockCache(corpus.rows), chosen(corpus)) for corpus in corpora
    )
    assert one is not None
    assert other is not None
    assert one.tobytes() == other.tobytes()


def test_nothing_is_tried_where_each_trial_would_take_minutes(
    corpus_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = told_by_words(corpus_of, source=lambda i: ("North", "South")[i % 2])
    monkeypatch.setattr(selection, "TOO_MANY", 100)
    trials = Trials(BlockCache(corpus.rows), validation_of(corpus), lambda step: None)
    found = choose_recipe(corpus, trials, ())
    assert [str(block) for block in found.blocks] == ["text word(1,2)"]
    assert not trials.found


# The fit


def test_the_older_an_article_the_less_it_counts(corpus_of: Make) -> None:
    corpus = dated(corpus_of, 1000, undated=1, day=lambda i: 30 * (i // 250))
    found = validation_of(corpus)
    words = Recipe((BlockRecipe("text", "word"),), half_life=30.0)
    weight = found.emphasis(words)
    assert weight is not None
    assert weight.mean() == pytest.approx(1.0)
    age = (np.nanmax(corpus.instants) - corpus.instants) / 86400
    newest = weight[age == 0][0]
    known = np.isfinite(age)
    np.testing.assert_allclose(weight[known], newest * 0.5 ** (age[known] / 30))
    median = newest * 0.5 ** (np.median(age[known]) / 30)
    assert weight[~known] == pytest.approx(median)  # without a time: as an article of the middle
    part = found.emphasis(words, age >= 60)
    assert part is not None
    assert part.max() == part[age[age >= 60] == 60][0]
    assert found.emphasis(replace(words, half_life=0.0)) is None
    assert validation_of(dated(corpus_of, 200, undated=200)).emphasis(words) is None


def test_what_counts_more_is_fitted_better() -> None:
    features = sp.csr_matrix(np.ones((40, 1)))
    truth = np.arange(40)[:, None] < 20
    words = Recipe((BlockRecipe("text", "word"),))
    for heavy in (truth, ~truth):
        emphasis = np.where(heavy[:, 0], 1.9, 0.1)
        weights, intercept = fit_linear(features, truth, words, several=True, seed=0, emphasis=emphasis)
        assert ((weights[0] + intercept > 0) == heavy[0]).all()


def test_a_half_life_is_taken_where_words_change_their_section(corpus_of: Make) -> None:
    draw = np.random.default_rng(0)
    rows = []
    for i in range(1000):
        own = (NORTH, SOUTH)[(i + (i > 450)) % 2]  # what the words meant before misleads
        rows.append(
            {
                "headline": " ".join([*draw.choice(own, 2), *draw.choice(WORDS, 2)]),
                "section": "ab"[i % 2],
                "published_at": on(i),
            }
        )
    corpus = corpus_of(rows)
    assert chosen(corpus).half_life > 0
    assert chosen(corpus, half_life=0.0).half_life == 0
    assert chosen(corpus, half_life=33.0).half_life == 33
    assert chosen(dated(corpus_of, 1000)).half_life == 0


def test_two_sections_mirror_each_other_and_lone_labels_are_constant() -> None:
    features = sp.csr_matrix(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.5], [0.2, 1.0]]))
    truth = np.array([[True, False], [False, True], [True, False], [False, True]])
    words = Recipe((BlockRecipe("text", "word"),))
    weights, intercept = fit_linear(features, truth, words, several=False, seed=0)
    np.testing.assert_array_equal(weights[:, 1], -weights[:, 0])
    assert intercept[1] == -intercept[0]
    alone = np.array([[True, False]] * 4)
    for several in (False, True):
        weights, intercept = fit_linear(features, alone, words, several=several, seed=0)
        assert (intercept.tolist(), weights.any()) == ([1.0, -1.0], False)
    lone = np.array([[True, False, True]] * 4)
    lone[0, 2] = False
    weights, intercept = fit_linear(features, lone, words, several=True, seed=0)
    assert (intercept[0], intercept[1]) == (1.0, -1.0)
    assert not weights[:, :2].any()
    assert weights[:, 2].any()


def test_balance_lifts_rare_labels() -> None:
    draw = np.random.default_rng(1)
    features = sp.csr_matrix(draw.normal(size=(400, 5)))
    truth = np.column_stack([np.arange(400) % 20 == 0])
    words = Recipe((BlockRecipe("text", "word"),))
    plain = fit_linear(features, truth, words, several=True, seed=0)
    lifted = fit_linear(features, truth, replace(words, balance=0.5), several=True, seed=0)
    assert (features @ lifted[0] + lifted[1]).mean() > (features @ plain[0] + plain[1]).mean()

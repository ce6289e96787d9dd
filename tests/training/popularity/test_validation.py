"""Walking forward inside the training part: nothing that is asked was fitted, nor anything newer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.corpus import Corpus
from training.labels import Judgements, count_judgements
from training.metrics import evaluate_popularity
from training.popularity import validation as module
from training.popularity.head import _days
from training.popularity.validation import CLEAR, PLAUSIBLE, Quality, Validation, Window, make_validation

Make = Callable[..., Corpus]
PROPERTY = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


def news(days: list[int | None]) -> list[dict[str, Any]]:
    """An article on each of these days, None: without a time."""
    return [
        {
            "headline": f"x {i}",
            "published_at": None
            if day is None
            else f"2031-0{3 + day // 28}-{1 + day % 28:02d}T10:00:00+00:00",
            "popularity_group": f"week {(day or 0) // 7}",
            "popularity": float(i * 7 % 11),
        }
        for i, day in enumerate(days)
    ]


def validation_of(corpus: Corpus, folds: int = 5) -> Validation:
    judgements = count_judgements(corpus)
    return make_validation(corpus, np.zeros(len(corpus)), judgements, _days(corpus, judgements), folds)


DAYS = st.none() | st.integers(0, 80)


@given(st.lists(DAYS, min_size=2, max_size=30) | st.lists(DAYS, min_size=60, max_size=90), st.integers(2, 6))
@PROPERTY
def test_what_is_asked_was_not_fitted_and_is_newer(
    corpus_of: Make, days: list[int | None], folds: int
) -> None:
    corpus = corpus_of(news(days))
    found = validation_of(corpus, folds)
    times = np.array([np.nan if day is None else day for day in days])
    dated = np.isfinite(times)
    for window in found.windows:
        assert not (window.fitted & window.asked).any()
        assert window.fitted.any()
        assert window.asked.any()
        for day in {day for day in days if day is not None}:  # a day is asked, fitted or neither, but whole
            assert len(set(window.asked[times == day].tolist())) == 1
            assert len(set(window.fitted[times == day].tolist())) == 1
        if found.forward:
            assert window.fitted[~dated].all()  # taken to be old
            assert times[window.fitted & dated].max(initial=-1) < times[window.asked].min()
    if found.forward:
        first, second = found.windows
        assert times[first.asked].max() < times[second.asked].min()
        assert (second.fitted & first.asked).any()
        assert dated.mean() >= 0.5
        assert len(set(times[dated].tolist())) >= 10
    elif found.windows:
        np.testing.assert_array_equal(np.sum([w.asked for w in found.windows], axis=0), np.ones(len(days)))


def test_the_newest_two_fifths_are_asked(corpus_of: Make) -> None:
    found = validation_of(corpus_of(news([day for day in range(20) for _ in range(5)])))
    assert found.forward
    assert [window.asked.sum() for window in found.windows] == [20, 20]
    assert [window.fitted.sum() for window in found.windows] == [60, 80]
    assert np.flatnonzero(found.asked).tolist() == list(range(60, 100))


@pytest.mark.parametrize(
    ("days", "windows", "forward"),
    [
        ([*range(9)] * 4, 5, False),  # few days
        ([*range(10)] * 4, 2, True),
        ([*range(20), *[None] * 21], 5, False),  # few times
        ([*range(21), *[None] * 20], 2, True),
        ([3] * 20, 0, False),
        ([None] * 20, 0, False),  # all of one group
        ([*range(12), *[30] * 100], 5, False),  # no day is newer than the first that is asked
    ],
)
def test_folds_where_time_says_too_little(
    corpus_of: Make, days: list[int | None], windows: int, forward: bool
) -> None:
    found = validation_of(corpus_of(news(days)))
    assert (len(found.windows), found.forward) == (windows, forward)


def judgements_of(groups: list[list[float]], flags: bool = False) -> Judgements:
    values = np.array([value for group in groups for value in group])
    names = np.array([f"g{k}" for k, group in enumerate(groups) for _ in group])
    return Judgements(np.arange(len(values)), values, names, flags)


def everything(judgements: Judgements) -> Validation:
    asked = np.ones(len(judgements), np.bool_)
    return Validation((Window(~asked, asked),), judgements.values, judgements, False)


def test_the_top_is_the_mean_of_four_metrics_of_each_group() -> None:
    draw = np.random.default_rng(0)
    judgements = judgements_of([draw.integers(0, 100, 12).astype(float).tolist() for _ in range(9)])
    scores = draw.normal(size=len(judgements))
    found = everything(judgements)
    assert found.usable()
    top = found.quality(scores).top
    assert top.shape == (9,)
    whole = evaluate_popularity(judgements.values, scores, judgements.groups, flags=False)
    expected = [whole.ndcg_at_5, whole.ndcg_at_10, whole.top5_overlap, whole.pairwise_accuracy]
    assert top.mean() == pytest.approx(np.mean(expected))
    assert found.quality(judgements.values).top.tolist() == [1.0] * 9
    others = found.quality(np.where(np.arange(108) < 36, scores, 0)).top
    assert top[:3].tolist() == others[:3].tolist()


def test_agreement_is_the_correlation_with_the_targets_of_each_group() -> None:
    draw = np.random.default_rng(0)
    judgements = judgements_of([draw.integers(0, 100, 12).astype(float).tolist() for _ in range(9)])
    targets, scores = draw.normal(size=(2, len(judgements)))
    found = replace(everything(judgements), targets=targets)
    agreement = found.quality(scores).agreement
    expected = [
        np.corrcoef(*pair)[0, 1] for pair in zip(targets.reshape(9, 12), scores.reshape(9, 12), strict=True)
    ]
    np.testing.assert_allclose(agreement, expected)
    # Whatever a group's level and unit.
    moved = 3.0 * scores + np.repeat(np.arange(9.0), 12)
    np.testing.assert_allclose(found.quality(moved).agreement, expected)
    np.testing.assert_allclose(found.quality(targets).agreement, 1.0)
    assert not found.quality(np.full(len(judgements), 0.1)).agreement.any()


SAME = np.zeros(50)
NOISE = np.tile([0.2, -0.2], 25)


@pytest.mark.parametrize(
    ("gain", "lead", "better"),
    [
        (np.full(50, 0.01), SAME, True),
        (np.full(50, 0.0004), SAME, False),  # true, but not worth a feature
        (SAME, SAME, False),
        (np.full(50, -0.01), SAME, False),
        (NOISE + 0.01, SAME, False),  # within the noise
        (np.tile([0.06, -0.02], 25), SAME, True),
        (np.full(50, 0.01), np.full(50, -0.01), False),  # lost at the top
        (np.full(50, 0.01), NOISE - 0.01, True),  # perhaps lost
        (SAME, np.full(50, 0.01), False),
    ],
)
def test_better_is_by_more_than_the_noise_of_the_groups(gain: Any, lead: Any, better: bool) -> None:
    base = Quality(*np.random.default_rng(0).random((2, 50)))  # how groups differ does not matter
    other = Quality(base.agreement + gain, base.top + lead)
    assert other.better_than(base) == better
    # Of scores in other units order alone tells.
    turned = Quality(base.agreement + lead, base.top + gain)
    plain = gain.mean() > max(gain.std() / 50**0.5, 0.0005)
    assert turned.better_than(base, same_units=False) == plain


def test_what_mostly_helps_needs_less_to_be_taken() -> None:
    base = Quality(*np.random.default_rng(0).random((2, 50)))
    other = Quality(base.agreement + NOISE + 0.02, base.top)
    assert other.better_than(base, PLAUSIBLE)
    assert not other.better_than(base, CLEAR)
    assert not Quality(base.agreement + NOISE + 0.01, base.top).better_than(base, PLAUSIBLE)
    assert not Quality(base.agreement + 0.0004, base.top).better_than(base, PLAUSIBLE)


def test_of_windows_in_time_the_last_is_the_newest() -> None:
    places = np.arange(50)
    asked = [(places >= 10) & (places < 30), places >= 30]
    windows = tuple(Window(~own, own) for own in asked)
    validation = Validation(windows, np.zeros(50), judgements_of([[1.0, 2.0]]), True)
    assert np.flatnonzero(validation.newest).tolist() == list(range(30, 50))
    assert not replace(validation, forward=False).newest.any()


def test_groups_that_decide_nothing_are_not_judged() -> None:
    good = [[float(i) for i in range(10)]] * 8
    bad = [[float(i) for i in range(9)], [5.0] * 30]  # too few; all equal
    found = everything(judgements_of([*good, *bad]))
    assert found.usable()
    assert len(found.quality(np.zeros(119)).top) == 8
    assert not everything(judgements_of([*good[:7], *bad])).usable()
    # What is asked counts, not what is there.
    judgements = judgements_of(good)
    asked = np.arange(80) < 75
    part = Validation((Window(~asked, asked),), judgements.values, judgements, True)
    assert len(part.quality(np.zeros(80)).agreement) == 7
    assert not part.usable()
    assert not Validation((), judgements.values, judgements, False).usable()


def test_flags_are_judged_too() -> None:
    found = everything(judgements_of([[1.0] * 2 + [0.0] * 10] * 8, flags=True))
    good, bad = (found.quality(sign * np.tile(np.arange(12.0), 8)).top for sign in (-1, 1))
    assert good.min() > 0.85  # who else is among the five cannot be told
    assert bad.max() < 0.5


def test_of_very_many_groups_some_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_GROUPS", 10)
    found = everything(judgements_of([[float(i) for i in range(10)]] * 35))
    assert len(found.quality(np.zeros(350)).top) == 9  # each fourth

"""What a section head decides by, fitted on held-out scores: probabilities, filing thresholds, sets, assigned labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.calibration import Calibration, Method
from classifier.decisions import Decisions, prediction_sets
from classifier.linear import Linear
from classifier.sections import SectionHead
from classifier.text.blocks import CategoryBlock
from classifier.text.rows import Rows
from training.calibration import deciding
from training.calibration.assignment import fit_label_thresholds
from training.calibration.conformal import fit_conformal
from training.calibration.deciding import Decided, decide
from training.calibration.methods import compare_calibrations, cross_calibrated
from training.calibration.thresholds import fit_thresholds
from training.config import DecisionConfig

LABELS = ("Economy", "Politics", "Sports")
CONFIG = DecisionConfig()


def drawn(
    seed: int, n: int, *, several: bool = False, sharpness: float = 3.0, shift: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n, 3) that need a slope, and with `shift` intercepts, and the truth."""
    random = np.random.default_rng(seed)
    scores = random.normal(0, 1, (n, 3))
    logits = scores * sharpness * [1.0, 1.5, 0.7] + shift * np.array([1.0, -1.0, 0.0])
    if several:
        return scores, random.random(scores.shape) < 1 / (1 + np.exp(-logits))
    noisy = logits + random.gumbel(size=logits.shape)
    return scores, np.eye(3, dtype=np.bool_)[noisy.argmax(axis=1)]


def decided(
    scores: np.ndarray, truth: np.ndarray, config: DecisionConfig = CONFIG, *, several: bool = False
) -> Decided:
    rows = np.arange(len(scores))
    return decide(rows, scores, truth, rows % 5, LABELS, config, several=several)


@pytest.mark.parametrize(
    ("several", "shift", "sharpness", "method"),
    [
        (False, 0.0, 3.0, "vector"),
        (False, 2.0, 3.0, "vector"),
        (True, 0.0, 0.0, "temperature"),
        (True, 2.0, 3.0, "sigmoid"),
    ],
)
def test_folded_slope_and_shift_give_the_calibrations_probabilities(
    several: bool, shift: float, sharpness: float, method: Method
) -> None:
    scores, truth = drawn(0, 2000, several=several, shift=shift, sharpness=sharpness)
    found = decided(scores, truth, several=several)
    rows = np.arange(len(scores)) % 5
    calibration, trials = compare_calibrations(scores, truth, several=several, folds=rows)
    assert (found.calibration.method, found.trials) == (method, trials)
    folded = scores * found.slope + found.shift
    assert found.calibration.apply(folded).tobytes() == calibration.apply(scores).tobytes()
    assert found.calibration.slope.tolist() == [1.0] * 3
    assert found.calibration.intercept.tolist() == [0.0] * 3
    np.testing.assert_array_equal(found.judged.scores, folded)


def test_steps_are_not_folded() -> None:
    """Isotonic curves lie over the scores as they are."""
    random = np.random.default_rng(4)
    score = random.uniform(-1, 1, (4000, 1))
    scores = np.concatenate([score, -score, -score], axis=1)
    first = 0.1 + 0.8 * (score[:, 0] > 0)
    truth = np.zeros(scores.shape, np.bool_)
    truth[np.arange(4000), np.where(random.random(4000) < first, 0, random.integers(1, 3, 4000))] = True
    found = decided(scores, truth)
    assert found.calibration.method == "isotonic"
    assert (found.slope.tolist(), found.shift.tolist()) == ([1.0] * 3, [0.0] * 3)
    assert found.judged.scores.tobytes() == scores.tobytes()
    own = compare_calibrations(scores, truth, several=False, folds=np.arange(4000) % 5)[0]
    assert found.calibration.apply(scores).tobytes() == own.apply(scores).tobytes()


@pytest.mark.parametrize("several", [False, True])
def test_everything_is_fitted_on_cross_calibrated_probabilities(several: bool) -> None:
    # So few that a calibration fits its own articles too well: with them other thresholds would come out.
    scores, truth = drawn(1, 250, several=several, shift=2.0)
    config = DecisionConfig(targets=(0.85, 0.9), target=0.85)
    found = decided(scores, truth, config, several=several)
    fold = np.arange(250) % 5
    p = cross_calibrated(scores, truth, found.calibration.method, several=several, folds=fold)
    np.testing.assert_array_equal(found.judged.probability, p)
    right = truth[np.arange(250), p.argmax(axis=1)]
    expected = fit_thresholds(p.max(axis=1), right, config.targets, level=config.confidence)
    assert expected[0].probability is not None
    assert expected[0].probability > 0.5
    assert found.decisions.thresholds == expected
    calibration = found.calibration.apply(scores * found.slope + found.shift)
    assert not np.array_equal(calibration, p)
    if several:
        assert found.decisions.sets == ()
        assert found.assignment is not None
        np.testing.assert_array_equal(
            found.assignment, fit_label_thresholds(found.judged.scores, truth, folds=fold)
        )
    else:
        assert found.decisions.sets == fit_conformal(p, truth.argmax(axis=1))
        assert found.assignment is None


def test_windows_of_time_are_calibrated_forward() -> None:
    """A label that was rare in the first window and is frequent since: only folds make an intercept of that."""
    random = np.random.default_rng(15)
    window = np.repeat([0, 1, 2], [300, 2000, 2000])
    scores = random.normal(0, 1, (len(window), 3))
    logits = 2 * scores + np.where(window == 0, -1.0, 1.0)[:, None] * [1.0, 0.0, 0.0]
    truth = np.eye(3, dtype=np.bool_)[(logits + random.gumbel(size=logits.shape)).argmax(axis=1)]
    rows = np.arange(len(window))
    methods = {}
    for forward in (False, True):
        found = decide(rows, scores, truth, window, LABELS, CONFIG, several=False, forward=forward)
        _, trials = compare_calibrations(scores, truth, several=False, folds=window, forward=forward)
        assert found.trials == trials
        methods[forward] = found.calibration.method
        p = cross_calibrated(scores, truth, found.calibration.method, several=False, folds=window)
        np.testing.assert_array_equal(found.judged.probability, p)  # thresholds are for all windows
        np.testing.assert_array_equal(found.judged.parts, window)
    assert methods == {False: "vector", True: "temperature"}
    assert not found.shift.any()


def test_sets_have_the_configured_coverages() -> None:
    scores, truth = drawn(2, 600)
    config = DecisionConfig(coverages=(0.8, 0.5))
    found = decided(scores, truth, config)
    assert [item.level for item in found.decisions.sets] == [0.5, 0.8]
    for item in found.decisions.sets:
        inside = prediction_sets(found.judged.probability, item.threshold)[truth].mean()
        assert item.level <= inside < item.level + 0.03 or item.level == 0.5  # the best one is always inside
    assert decided(scores, truth, DecisionConfig(coverages=())).decisions.sets == ()


def test_a_section_with_a_target_of_its_own() -> None:
    """Its articles decide its threshold, and only the others' the common one."""
    scores, truth = drawn(3, 3000, sharpness=4.0)
    config = DecisionConfig(targets=(0.9, 0.93), target=0.9, sections={"Politics": 0.97, "Unknown": 0.99})
    found = decided(scores, truth, config)
    p, best = found.judged.probability, found.judged.probability.argmax(axis=1)
    right = truth[np.arange(3000), best]
    mine = best == LABELS.index("Politics")
    own = fit_thresholds(p.max(axis=1)[mine], right[mine], [0.97], level=0.9)
    others = fit_thresholds(p.max(axis=1)[~mine], right[~mine], (0.9, 0.93), level=0.9)
    assert own[0].probability is not None
    assert found.decisions.own == {"Politics": own[0]}  # a section that nobody has is left out
    assert found.decisions.thresholds == others
    limits = found.decisions.limits(LABELS)
    assert limits.tolist() == [others[0].probability, own[0].probability, others[0].probability]
    assert limits[1] > limits[0]
    assert right[mine & (p.max(axis=1) >= limits[1])].mean() >= 0.97


@pytest.mark.parametrize("several", [False, True])
def test_a_target_that_the_articles_cannot_support_is_none(several: bool) -> None:
    scores, truth = drawn(5, 40, several=several)
    found = decided(scores, truth, DecisionConfig(sections={"Sports": 0.999}), several=several).decisions
    assert [(item.target, item.probability) for item in found.thresholds] == [
        (0.95, None),
        (0.98, None),
        (0.99, None),
    ]
    assert found.own["Sports"].probability is None
    assert np.isinf(found.limits(LABELS)).all()


def test_what_is_more_likely_wrong_than_right_is_not_filed() -> None:
    """Scores that say little and are yet always right: the lucky threshold is raised to a half."""
    truth = np.eye(3, dtype=np.bool_)[np.arange(300) % 3]
    found = deciding._decisions(
        np.where(truth, 0.4, 0.3), truth, LABELS, DecisionConfig(sections={"Sports": 0.9}), several=False
    )
    assert [item.probability for item in found.thresholds] == [0.5, 0.5, None]
    assert found.own["Sports"].probability == 0.5


@pytest.mark.parametrize("several", [False, True])
def test_nothing_held_out_gives_a_head_that_always_asks(several: bool) -> None:
    config = DecisionConfig(sections={"Politics": 0.5})
    found = decided(np.empty((0, 3)), np.empty((0, 3), np.bool_), config, several=several)
    assert found.calibration.method == "temperature"
    assert found.trials == ()
    assert found.decisions.sets == ()
    assert (found.slope.tolist(), found.shift.tolist()) == ([1.0] * 3, [0.0] * 3)
    head = _head(found, several=several)
    rows = Rows({"desk": ["a", "b", "c", "d"]}, 4)
    assert {result.decision for result in head.results(rows)} == {"review"}
    assert np.isfinite(head.probabilities(rows)).all()
    again = SectionHead.load(*_stored(head))
    assert again.probabilities(rows).tolist() == head.probabilities(rows).tolist()
    assert np.isinf(again.decisions.limits(LABELS)).all()


def _head(found: Decided, *, several: bool) -> SectionHead:
    block = CategoryBlock("desk", 1.0, ("a", "b", "c"))
    linear = Linear([block], np.diag([50.0] * 3) * found.slope, found.shift)
    prior = np.full(3, 1 / 3)
    return SectionHead(
        linear, LABELS, several, found.calibration, found.decisions, prior, found.assignment, 1
    )


def _stored(head: SectionHead) -> tuple[Any, Any]:
    from classifier.spec import Arrays, Spec

    return Spec(head.spec(), "sections"), Arrays(head.arrays())


@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.booleans(), st.integers(1, 4))
@settings(max_examples=40)
def test_whatever_is_held_out_is_decided_and_read_back(
    seed: int, n: int, several: bool, fold_count: int
) -> None:
    scores, truth = drawn(seed, n, several=several)
    rows = np.arange(n)
    config = DecisionConfig(sections={"Economy": 0.6})
    found = decide(rows, scores, truth, rows % fold_count, LABELS, config, several=several)
    p = found.calibration.apply(scores * found.slope + found.shift)
    assert np.isfinite(p).all()
    assert found.judged.probability.shape == (n, 3)
    calibration, decisions = found.calibration, found.decisions
    head = SectionHead.load(*_stored(_head(found, several=several)))
    assert isinstance(head.calibration, Calibration)
    assert head.calibration.method == calibration.method
    assert head.decisions == Decisions(decisions.target, decisions.thresholds, decisions.own, decisions.sets)

"""What only compiled versions hold: calibrations with members, plain probabilities, labels that may be none, null as a
category."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.calibration import LOWEST, Calibration, Steps
from classifier.decisions import Decisions
from classifier.errors import ArtifactDamaged
from classifier.linear import Linear
from classifier.sections import SectionHead
from classifier.spec import Arrays, Spec
from classifier.text.blocks import CategoryBlock, load_block
from classifier.text.rows import Rows

KINDS: list[tuple[Any, bool]] = [
    ("temperature", False),
    ("temperature", True),
    ("sigmoid", False),
    ("sigmoid", True),
    ("isotonic", False),
    ("clipped", False),
    ("clipped", True),
]


def make(
    method: Any, several: bool, members: int, *, plain: bool = True, seed: int = 0, k: int = 3
) -> Calibration:
    random = np.random.default_rng(seed)
    columns = members * k
    steps = None
    if method == "isotonic":
        knots = np.sort(random.normal(0, 1, (columns, 4)), axis=1).ravel()
        values = np.sort(random.random((columns, 4)), axis=1).ravel()
        steps = Steps(np.arange(columns + 1) * 4, knots, values)
    slope, intercept = np.abs(random.normal(1, 1, columns)), random.normal(0, 1, columns)
    return Calibration(method, several, slope, intercept, steps, members, plain)


def again(calibration: Calibration, labels: int | None = None, **changes: Any) -> Calibration:
    spec = Spec({**calibration.spec(), **changes}, "manifest.json: calibration")
    return Calibration.load(spec, Arrays(calibration.arrays(), "c."), labels)


def member_of(calibration: Calibration, number: int) -> Calibration:
    """One of them, alone."""
    own = slice(number * calibration.width, (number + 1) * calibration.width)
    steps = calibration.steps
    if steps is not None:
        offsets = steps.offsets[own.start : own.stop + 1]
        part = slice(offsets[0], offsets[-1])
        steps = Steps(offsets - offsets[0], steps.scores[part], steps.probabilities[part])
    return Calibration(
        calibration.method,
        calibration.several,
        calibration.slope[own],
        calibration.intercept[own],
        steps,
        plain=calibration.plain,
    )


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "kept off"])
@pytest.mark.parametrize(("method", "several"), KINDS)
@given(seed=st.integers(0, 2**32 - 1), members=st.integers(1, 4))
@settings(max_examples=20)
def test_the_mean_of_the_members(method: Any, several: bool, plain: bool, seed: int, members: int) -> None:
    calibration = again(make(method, several, members, plain=plain, seed=seed), 3)
    assert (calibration.width, calibration.columns) == (3, 3 * members)
    scores = np.random.default_rng(seed).normal(0, 3, (30, 3 * members))
    parts = scores.reshape(30, members, 3)
    each = [member_of(calibration, number).apply(parts[:, number].copy()) for number in range(members)]
    found = calibration.apply(scores)
    assert found == pytest.approx(np.mean(each, axis=0), abs=1e-15)
    if not several:
        assert found.sum(axis=1) == pytest.approx(1.0)
    assert calibration.label_scores(scores) == pytest.approx(parts.mean(axis=1))
    assert calibration.label_scores(scores[0]) == pytest.approx(parts[0].mean(axis=0))


def test_plain_probabilities_are_not_kept_from_0_and_1() -> None:
    scores = np.array([[50.0, -800.0]])
    for method, wanted in (("sigmoid", [1.0, 0.0]), ("clipped", [1.0, 0.0])):
        plain = Calibration(method, True, np.ones(2), np.zeros(2), plain=True)  # type: ignore[arg-type]
        assert plain.apply(scores).tolist() == [wanted]
        kept = Calibration(method, True, np.ones(2), np.zeros(2))  # type: ignore[arg-type]
        assert kept.apply(scores).tolist() == [[1 - LOWEST, LOWEST]]


def test_the_clipped_curve() -> None:
    calibration = Calibration("clipped", True, np.array([2.0]), np.array([0.5]), plain=True)
    assert calibration.apply(np.array([[-9.0], [-0.25], [0.0], [0.2], [9.0]]))[:, 0] == pytest.approx(
        [0.0, 0.5, 0.75, 0.95, 1.0]
    )


@pytest.mark.parametrize("method", ["sigmoid", "clipped"])
def test_labels_that_tie_are_parted_by_their_scores(method: Any) -> None:
    calibration = Calibration(method, False, np.ones(3), np.zeros(3), plain=True)
    found = calibration.apply(np.array([[60.0, 80.0, -900.0], [-900.0, -990.0, -800.0], [80.0, 60.0, 70.0]]))
    assert found.argmax(axis=1).tolist() == [1, 2, 0]
    assert found == pytest.approx(np.array([[0.5, 0.5, 0.0], [1 / 3] * 3, [1 / 3] * 3]), abs=1e-12)


def test_steps_that_tie_keep_the_order_of_the_labels() -> None:
    steps = Steps(np.array([0, 1, 2]), np.array([0.0, 0.0]), np.array([0.5, 0.5]))
    calibration = Calibration("isotonic", False, np.ones(2), np.zeros(2), steps, plain=True)
    assert calibration.apply(np.array([[1.0, 2.0]])).tolist() == [[0.5, 0.5]]


def test_small_plain_probabilities_keep_their_ratio() -> None:
    calibration = Calibration("sigmoid", False, np.ones(2), np.zeros(2), plain=True)
    found = calibration.apply(np.array([[-100.0, -101.0]]))
    assert found[0] == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))])


@pytest.mark.parametrize(
    "changes",
    [{"members": 0}, {"members": -3}, {"members": 2}, {"members": 1.0}, {"members": 10**18}, {"plain": 1}],
    ids=str,
)
def test_a_damaged_calibration(changes: dict[str, Any]) -> None:
    for labels in (3, None):
        with pytest.raises(ArtifactDamaged):
            again(make("sigmoid", False, 3), labels, **changes)


# The head


def head(several: bool, **changes: Any) -> SectionHead:
    """Two labels and two members; the desks a and b count for something."""
    linear = Linear(
        [CategoryBlock("desk", 1.0, ("a", "b"))],
        np.array([[1.0, -1.0, 3.0, -2.0], [-1.0, 1.0, -4.0, 2.0]]),
        np.array([0.5, 0.0, 0.0, -0.5]),
    )
    values: dict[str, Any] = {
        "linear": linear,
        "labels": ("X", "Y"),
        "several": several,
        "calibration": Calibration("temperature", several, np.ones(4), np.zeros(4), members=2, plain=True),
        "decisions": Decisions(0.95, ()),
        "assignment": np.zeros(2) if several else None,
    }
    return SectionHead(**{**values, **changes})


def desks(*names: str) -> Rows:
    return Rows.from_articles([Article(headline="x", extra={"desk": name}) for name in names])


def loaded(one: SectionHead, **changes: Any) -> SectionHead:
    return SectionHead.load(Spec({**one.spec(), **changes}, "manifest.json"), Arrays(one.arrays(), "s."))


def test_explanations_are_of_the_mean_of_the_members() -> None:
    one = loaded(head(False))
    parts = {part.feature: (part.contribution, part.against) for part in one.explain(desks("a"))}
    assert parts == {"desk: a": (2.0, 3.5), "(intercept)": (0.25, 0.5)}
    assert one.results(desks("a"))[0].section == "X"


def test_labels_are_assigned_by_the_mean_of_the_members() -> None:
    one = loaded(head(True, assignment=np.array([-2.25, 1.25])))
    assert one.judge(desks("a", "b")).assigned.tolist() == [[True, False], [True, True]]


def test_none_may_be_assigned() -> None:
    limits = {"assignment": np.array([9.0, 9.0])}
    assert head(True, **limits).judge(desks("a")).assigned.tolist() == [[True, False]]
    one = head(True, **limits, assigns_none=True)
    for each in (one, loaded(one)):
        assert each.judge(desks("a", "b")).assigned.tolist() == [[False, False], [False, False]]
        (result,) = each.results(desks("a"))
        assert (result.section, [score.assigned for score in result.scores]) == ("X", [False, False])
    assert "assigns_none" not in head(True).spec()


def test_a_damaged_head() -> None:
    with pytest.raises(ArtifactDamaged, match="one label an article cannot be none"):
        loaded(head(False), assigns_none=True)
    with pytest.raises(ArtifactDamaged, match="assigns_none"):
        loaded(head(True), assigns_none=1)
    with pytest.raises(ArtifactDamaged):
        loaded(head(False), labels=["X", "Y", "Z"])


# The category


def test_null_may_be_a_category() -> None:
    block = CategoryBlock("desk", 2.0, ("city", "(none)"), 1)
    of = Rows.from_articles(
        [Article(headline="x", extra={"desk": value}) for value in ("city", None, "(none)", "arts")]
    )
    for each in (block, load_block(Spec(block.spec(), "m"), Arrays(block.arrays()))):
        found = np.zeros((4, 2))
        each.transform(of).add_product(np.eye(2), found)
        assert found.tolist() == [[2.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]]
    assert block.feature_name(1) == "desk: (none)"
    assert "null" not in CategoryBlock("desk", 2.0, ("city",)).spec()


@pytest.mark.parametrize("null", [-1, 2, "0", True])
def test_a_damaged_category(null: Any) -> None:
    block = CategoryBlock("desk", 2.0, ("city", "(none)"), 1)
    with pytest.raises(ArtifactDamaged, match="null"):
        load_block(Spec({**block.spec(), "null": null}, "m"), Arrays(block.arrays()))

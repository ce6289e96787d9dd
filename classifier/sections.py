"""The section head: scores to probabilities, a decision, and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Calibration
from classifier.decisions import Decisions, prediction_sets
from classifier.errors import ArtifactDamaged
from classifier.linear import FeaturePart, Linear
from classifier.results import MAX_SECTION_SCORES, Contribution, Decision, SectionScore
from classifier.spec import Arrays, Spec, take_array
from classifier.text.fused import TextSums
from classifier.text.rows import Rows
from classifier.text.single import RowSums
from classifier.text.sparse import Floats, Integers

Bools = NDArray[np.bool_]


class SectionResult(NamedTuple):
    """One article's answer of the section head. `best` are the first sections, each its name, its probability and whether
    the article gets the label: what `scores` has as objects, which take as long to make as all the rest."""

    section: str
    probability: float
    decision: Decision
    best: tuple[tuple[str, float, bool], ...]

    @property
    def scores(self) -> tuple[SectionScore, ...]:
        """`best` as objects, at most MAX_SECTION_SCORES of them."""
        return tuple([SectionScore(*own) for own in self.best])


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of n articles: `probabilities` (n, k), which labels each gets `assigned` (n, k), and whether `enough` (n,) of its
    text is known to file it or to leave a section out of its prediction set."""

    probabilities: Floats
    assigned: Bools
    enough: Bools


@dataclass(frozen=True, slots=True)
class RankedSections:
    """Of n articles the m best labels, best first: `places` (n, m) among the labels, `probabilities` and `assigned` (n, m),
    and which articles are `filed` (n,)."""

    places: Integers
    probabilities: Floats
    assigned: Bools
    filed: Bools


@dataclass(frozen=True, slots=True)
class SectionHead:
    """One label (`several` false: probabilities over all labels sum to 1) or several (each label on its own).

    `calibration` makes probabilities of scores. An article none of whose words is known gets `prior` (k,), the labels'
    shares in training, instead; one that knows fewer than `least_known` features of its text is never filed: it is much
    shorter than those that the probabilities were made true on. With several labels one is assigned from its `assignment`
    (k,) on, a score; the best one is in any case, unless `assigns_none`.

    Of a calibration with several members the scores of a label are the mean of theirs.
    """

    linear: Linear
    labels: tuple[str, ...]
    several: bool
    calibration: Calibration
    decisions: Decisions
    prior: Floats | None = None
    assignment: Floats | None = None
    least_known: int = 1
    assigns_none: bool = False
    _limits: list[float] = field(init=False, repr=False, compare=False)
    _prior: list[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_limits", self.decisions.limits(self.labels).tolist())
        object.__setattr__(self, "_prior", [] if self.prior is None else self.prior.tolist())

    def probabilities(self, rows: Rows) -> Floats:
        """(n, labels) probabilities."""
        return self.judge(rows).probabilities

    def judge(self, rows: Rows, text: TextSums | None = None) -> Judgement:
        """Everything about every article, before it is put into words. Here and below `text` is what the texts add to the
        linear head's scores, where it is known; it is used up."""
        scores, known = self.linear.scores_and_known(rows, text)
        probabilities = self.calibration.apply(scores)
        assigned = self.assigned(self.calibration.label_scores(scores), probabilities)
        if self.prior is not None and not known.all():
            probabilities[known == 0] = self.prior
            assigned[known == 0] = np.arange(len(self.prior)) == self.prior.argmax()
        return Judgement(probabilities, assigned, known >= self.least_known)

    def results(self, rows: Rows, text: TextSums | None = None) -> list[SectionResult]:
        found = self.judge(rows, text)
        return [
            self._result(order, row, own, enough)
            for order, row, own, enough in zip(
                # Stable, so that equal probabilities keep the order of the labels.
                np.argsort(-found.probabilities, axis=1, kind="stable")[:, :MAX_SECTION_SCORES].tolist(),
                found.probabilities.tolist(),
                found.assigned.tolist(),
                found.enough.tolist(),
                strict=True,
            )
        ]

    def one(self, rows: Rows, text: RowSums | None = None) -> SectionResult:
        """`results` of a single row, to the same bits, without what arrays cost where an article has one label.

        Raises:
            FieldError: the text cannot be read.
        """
        if self.several:
            return self.results(rows, None if text is None else TextSums.of(text))[0]
        scores, known = self.linear.one(rows, text)
        unknown = not known and self.prior is not None
        probabilities = self._prior if unknown else self.calibration.one(scores)
        order = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)
        assigned = [place == order[0] for place in range(len(order))]
        return self._result(order[:MAX_SECTION_SCORES], probabilities, assigned, known >= self.least_known)

    def ranked(self, rows: Rows, text: TextSums | None = None) -> RankedSections:
        """`results` by columns."""
        found = self.judge(rows, text)
        limits = np.array(self._limits)
        sure = found.probabilities.max(axis=1) >= limits[found.probabilities.argmax(axis=1)]
        # A stable sort, so that equal probabilities keep the order of the labels.
        order = np.argsort(-found.probabilities, axis=1, kind="stable")[:, :MAX_SECTION_SCORES]
        at = np.arange(len(order))[:, None], order
        return RankedSections(order, found.probabilities[at], found.assigned[at], sure & found.enough)

    def assigned(self, scores: Floats, probabilities: Floats) -> Bools:
        """(n, k) which labels articles of these scores and probabilities get: the best one, or with several labels those
        that reach their threshold and always the best one (unless `assigns_none`)."""
        found = np.zeros(scores.shape, np.bool_) if self.assignment is None else scores >= self.assignment
        if self.assigns_none:
            return found
        found[np.arange(len(found)), probabilities.argmax(axis=1)] = True
        return found

    def _result(
        self, order: list[int], probabilities: list[float], assigned: list[bool], enough: bool
    ) -> SectionResult:
        labels = self.labels
        best = tuple([(labels[i], probabilities[i], assigned[i]) for i in order])
        first = order[0]
        filed = enough and probabilities[first] >= self._limits[first]
        return SectionResult(labels[first], probabilities[first], "file" if filed else "review", best)

    def sets(self, rows: Rows, level: float) -> list[tuple[str, ...]]:
        """Each article's prediction set, best first: the sections that hold the true one with that coverage. An article
        that says too little (`least_known`) may belong anywhere.

        Raises:
            UsageError: no sets of that coverage were fitted.
        """
        threshold = self.decisions.set_level(level).threshold
        found = self.judge(rows)
        order = np.argsort(-found.probabilities, axis=1, kind="stable")
        sizes = prediction_sets(found.probabilities, threshold).sum(axis=1)
        sizes[~found.enough] = len(self.labels)
        return [
            tuple(self.labels[i] for i in row[:size].tolist())
            for row, size in zip(order, sizes.tolist(), strict=True)
        ]

    def explain(self, rows: Rows) -> list[Contribution]:
        """What each feature of the first row adds to its best section's score and, `against`, to its lead over the
        runner-up; largest effect first. They sum to the score and the lead."""
        order = np.argsort(-self.probabilities(rows)[0], kind="stable").tolist()
        parts = self.linear.parts(rows)
        if self.calibration.members > 1:
            parts = [replace(p, contributions=self.calibration.label_scores(p.contributions)) for p in parts]
        return contributions("section", parts, order[0], order[1] if len(order) > 1 else None)

    def spec(self) -> dict[str, Any]:
        found = {
            **self.linear.spec(),
            "labels": list(self.labels),
            "several": self.several,
            "calibration": self.calibration.spec(),
            "decisions": self.decisions.spec(),
            "least_known": self.least_known,
        }
        return {**found, "assigns_none": True} if self.assigns_none else found

    def arrays(self) -> dict[str, NDArray[Any]]:
        calibration = {f"calibration.{name}": array for name, array in self.calibration.arrays().items()}
        found = {**self.linear.arrays(), **calibration}
        for name, array in (("prior", self.prior), ("assignment", self.assignment)):
            if array is not None:
                found[name] = array
        return found

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> SectionHead:
        labels = tuple(spec.strings("labels"))
        if not labels or len(set(labels)) < len(labels):
            raise ArtifactDamaged("needs different labels", where=spec.place)
        several = spec.get("several", bool)
        if "temperature" in spec.data:  # format 1
            linear = Linear.load(spec, arrays, len(labels))
            calibration = _temperature(spec, len(labels), several)
            assignment = np.zeros(len(labels)) if several else None
            decisions = Decisions.load(spec, sets=False)
            return cls(linear, labels, several, calibration, decisions, None, assignment)
        calibration = Calibration.load(spec.spec("calibration"), arrays.under("calibration."), len(labels))
        if calibration.several != several:
            raise ArtifactDamaged("the calibration is for another kind of labels", where=spec.place)
        linear = Linear.load(spec, arrays, calibration.columns)
        prior = take_array(arrays, "prior", np.float64, (len(labels),)) if "prior" in arrays else None
        if prior is not None and not ((prior >= 0).all() and 0 < prior.max() <= 1):
            raise ArtifactDamaged("the shares are not in 0–1", where=arrays.file("prior"))
        assignment = take_array(arrays, "assignment", np.float64, (len(labels),)) if several else None
        decisions = Decisions.load(spec.spec("decisions"))
        least = spec.get("least_known", int)
        if least < 1:
            raise ArtifactDamaged('"least_known" is below 1', where=spec.place)
        none = spec.get("assigns_none", bool) if "assigns_none" in spec.data else False
        if none and not several:
            raise ArtifactDamaged("one label an article cannot be none", where=spec.place)
        return cls(linear, labels, several, calibration, decisions, prior, assignment, least, none)


def _temperature(spec: Spec, labels: int, several: bool) -> Calibration:
    temperature = spec.get("temperature", float)
    if temperature <= 0:
        raise ArtifactDamaged("needs a positive temperature", where=spec.place)
    slope = np.full(labels, 1.0 / temperature)
    return Calibration("temperature", several, slope, np.zeros(labels))


def contributions(
    head: Any, parts: Sequence[FeaturePart], output: int, runner_up: int | None = None
) -> list[Contribution]:
    """The parts' contributions to one output, and to its lead over another; largest effect first, equal ones by name."""
    found = [
        Contribution(
            head,
            part.name,
            float(part.contributions[output]),
            part.spans,
            None
            if runner_up is None
            else float(part.contributions[output]) - float(part.contributions[runner_up]),
        )
        for part in parts
    ]
    return sorted(found, key=lambda item: (-abs(item.contribution), item.feature))

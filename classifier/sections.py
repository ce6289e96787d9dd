"""The section head: scores to probabilities, a decision, and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.linear import FeaturePart, Linear
from classifier.results import MAX_SECTION_SCORES, Contribution, Decision, SectionScore
from classifier.spec import Arrays, Spec
from classifier.text.rows import Rows
from classifier.text.sparse import Floats


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which probability on articles are filed unseen at a target precision; None where the data cannot support it."""

    target: float
    probability: float | None


@dataclass(frozen=True, slots=True)
class SectionResult:
    """One article's answer of the section head."""

    section: str
    probability: float
    decision: Decision
    scores: tuple[SectionScore, ...]


@dataclass(frozen=True, slots=True)
class SectionHead:
    """One label (`several` false: probabilities over all labels sum to 1) or several (each label on its own).

    Probabilities are softmax or logistic of scores / `temperature` (Guo et al. 2017, "On calibration of modern neural
    networks"). `thresholds` rise with their target; `target` is the one that decisions use.
    """

    linear: Linear
    labels: tuple[str, ...]
    several: bool
    temperature: float
    thresholds: tuple[Threshold, ...]
    target: float

    def probabilities(self, rows: Rows) -> Floats:
        """(n, labels) probabilities."""
        return to_probabilities(self.linear.scores(rows), self.temperature, several=self.several)

    def results(self, rows: Rows) -> list[SectionResult]:
        scores, known = self.linear.scores_and_known(rows)
        probabilities = to_probabilities(scores, self.temperature, several=self.several)
        return [self._result(row, seen) for row, seen in zip(probabilities, known.tolist(), strict=True)]

    def _result(self, probabilities: Floats, known: bool) -> SectionResult:
        # A stable sort, so that equal probabilities keep the order of the labels.
        order = np.argsort(-probabilities, kind="stable")[:MAX_SECTION_SCORES].tolist()
        best = order[0]
        scores = tuple(
            SectionScore(
                self.labels[i],
                float(probabilities[i]),
                bool(probabilities[i] >= 0.5) if self.several else i == best,
            )
            for i in order
        )
        probability = float(probabilities[best])
        # Nothing in the text is known: whatever the probability, it is no judgement of this article.
        decision = self.decide(probability) if known else "review"
        return SectionResult(self.labels[best], probability, decision, scores)

    def decide(self, probability: float) -> Decision:
        """ "file" where the configured target precision is held at this probability."""
        threshold = next((t.probability for t in self.thresholds if t.target == self.target), None)
        return "file" if threshold is not None and probability >= threshold else "review"

    def explain(self, rows: Rows) -> list[Contribution]:
        """What each feature of the first row adds to its best section's score, largest effect first."""
        best = int(np.argmax(self.probabilities(rows)[0]))
        return contributions("section", self.linear.parts(rows), best)

    def spec(self) -> dict[str, Any]:
        return {
            **self.linear.spec(),
            "labels": list(self.labels),
            "several": self.several,
            "temperature": self.temperature,
            "thresholds": [{"target": t.target, "probability": t.probability} for t in self.thresholds],
            "target": self.target,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        return self.linear.arrays()

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> SectionHead:
        labels = tuple(spec.strings("labels"))
        temperature = spec.get("temperature", float)
        if not labels or len(set(labels)) < len(labels) or temperature <= 0:
            raise ArtifactDamaged("needs different labels and a positive temperature", where=spec.place)
        thresholds = tuple(
            Threshold(
                item.get("target", float),
                None if item.data.get("probability") is None else item.get("probability", float),
            )
            for item in spec.specs("thresholds")
        )
        linear = Linear.load(spec, arrays, len(labels))
        several = spec.get("several", bool)
        return cls(linear, labels, several, temperature, thresholds, spec.get("target", float))


def to_probabilities(scores: Floats, temperature: float, *, several: bool) -> Floats:
    """Scores (n, k) to probabilities (n, k): softmax for one label, logistic a label for several."""
    scaled = scores / temperature
    if several:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scaled)))  # the logistic function, without overflow
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def contributions(head: Any, parts: Sequence[FeaturePart], output: int) -> list[Contribution]:
    """The parts' contributions to one output, largest effect first, equal ones by name."""
    found = [Contribution(head, part.name, float(part.contributions[output]), part.spans) for part in parts]
    return sorted(found, key=lambda item: (-abs(item.contribution), item.feature))

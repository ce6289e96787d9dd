"""All that a report shows beyond the manifest's figures, as plain records: `compute` fills them, `page`, `figures` and
`card` only read them; the popularity head's are in
`popularity.content`. Learning curves and label hygiene come as `training.learning` and `training.hygiene` found them.

Texts may come from anywhere (headlines, section names): whoever prints them escapes them. Body text never gets here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.hygiene import Conflict, Confusable, SimilarNames, Suspect
from training.learning import LearningPoint

if TYPE_CHECKING:
    from training.report.popularity.content import PopularityContent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _nothing() -> Mapping[str, tuple[SliceRow, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often articles of one label (row) got another (column): `counts` (m, m) over the m `labels` shown, which are
    the most confused of `of`; `totals` (m,) are the articles of each in all."""

    labels: tuple[str, ...]
    counts: Ints
    totals: Ints
    of: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """b bins of equal mass by rising confidence: mean `confidence` (b,), share right `accuracy` (b,), `count` (b,)."""

    confidence: Floats
    accuracy: Floats
    count: Ints


@dataclass(frozen=True, slots=True)
class TargetPoint:
    """What filing from a stored threshold on gave on the held-out articles.

    `threshold` is None where the training part could not support the target, `precision` None where nothing was filed.
    """

    target: float
    threshold: float | None
    coverage: float
    precision: float | None


@dataclass(frozen=True, slots=True)
class CoverageCurve:
    """`precision` (p,) among the most confident share `coverage` (p,) of the articles, rising; `n` articles in all."""

    coverage: Floats
    precision: Floats
    points: tuple[TargetPoint, ...]
    n: int


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's F1 with its interval at 95 %; NaN where the label is in no truth and no prediction.

    `support` is the number of held-out articles that have it.
    """

    label: str
    f1: float
    low: float
    high: float
    support: int


@dataclass(frozen=True, slots=True)
class LabelCount:
    """Articles with a label in the training part and in the test part."""

    label: str
    train: int
    test: int


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Accuracy with its interval on the `n` held-out articles that share a value."""

    value: str
    n: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """A confident mistake: the headline and what its words added to the predicted label's score."""

    headline: str
    truth: str
    predicted: str
    probability: float
    words: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class SetRow:
    """Prediction sets at a nominal coverage: how often they held the truth, and how many labels they had."""

    nominal: float
    coverage: float
    mean_size: float


@dataclass(frozen=True, slots=True)
class Hygiene:
    """What to look at in the training labels, each kind in the order in which `training.hygiene` found it.

    `suspects` and `conflicts` may be the first of more: `suspects_found` and `conflicts_found` count all of them.
    """

    suspects: tuple[Suspect, ...]
    suspects_found: int
    conflicts: tuple[Conflict, ...]
    conflicts_found: int
    confusable: tuple[Confusable, ...]
    similar: tuple[SimilarNames, ...]


@dataclass(frozen=True, slots=True)
class SectionContent:
    """The section head's part. `labels` are all k of the model; what is None or empty is left out of the report.

    `slices` go from a name ("source", "month", …) to rows in the order to show; `top_words` from a label to (feature,
    weight), heaviest first; `hygiene` is None where the labels were not looked at.
    """

    labels: tuple[str, ...]
    several: bool = False
    confusion: Confusion | None = None
    reliability: Reliability | None = None
    precision_coverage: CoverageCurve | None = None
    f1: tuple[LabelScore, ...] = ()
    counts: tuple[LabelCount, ...] = ()
    learning_curve: tuple[LearningPoint, ...] | None = None
    slices: Mapping[str, tuple[SliceRow, ...]] = field(default_factory=_nothing)
    sets: tuple[SetRow, ...] = ()
    top_words: Mapping[str, tuple[tuple[str, float], ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    mistakes: tuple[Mistake, ...] = ()
    hygiene: Hygiene | None = None


@dataclass(frozen=True, slots=True)
class ReportContent:
    """Both heads' parts, None where a head is missing; `command` is how the version was trained, as typed."""

    sections: SectionContent | None = None
    popularity: PopularityContent | None = None
    command: str = ""

"""What scoring answers: predictions, explanations, ranking lists, and the Arrow schema of scored rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Decision = Literal["file", "review"]
MAX_SECTION_SCORES = 10


@dataclass(frozen=True, slots=True)
class SectionScore:
    """One section's probability; `assigned` says whether the article gets the label."""

    name: str
    probability: float
    assigned: bool

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "probability": self.probability, "assigned": self.assigned}


@dataclass(frozen=True, slots=True)
class Prediction:
    """One scored article. Fields of a head that the model lacks are None.

    `section_scores` holds at most ten sections, best first; `section` is the best. `decision` is "file" when the
    configured target precision is held, else "review". `popularity_percentile` is in 0–100, against the training
    articles of the same source; `top5_probability` is the chance of the source's daily top five.
    """

    id: str
    section: str | None
    section_probability: float | None
    decision: Decision | None
    section_scores: tuple[SectionScore, ...] | None
    popularity_score: float | None
    popularity_percentile: float | None
    top5_probability: float | None
    model: str
    version: str

    def to_dict(self) -> dict[str, Any]:
        """The scored row, as JSON writes it."""
        row: dict[str, Any] = {name: getattr(self, name) for name in PREDICTION_FIELDS}
        if self.section_scores is not None:
            row["section_scores"] = [score.to_dict() for score in self.section_scores]
        return row


PREDICTION_FIELDS = tuple(Prediction.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature adds to a head's score.

    `head` is "section" or "popularity". For the section head `contribution` is what the feature adds to the winning
    section's score, and `against` what it adds to that section's lead over the runner-up; both sum to the score and the
    lead over all features, of which "(intercept)" is one. `against` is None for the popularity head. `spans` are the
    places in the article that it stands for: (field, start, end) in code points.
    """

    head: Literal["section", "popularity"]
    feature: str
    contribution: float
    spans: tuple[tuple[str, int, int], ...]
    against: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "head": self.head,
            "feature": self.feature,
            "contribution": self.contribution,
            "against": self.against,
            "spans": [list(span) for span in self.spans],
        }


@cache
def prediction_schema() -> pa.Schema:
    """The Arrow schema of scored rows."""
    import pyarrow as pa

    score = pa.struct(
        [
            pa.field("name", pa.string()),
            pa.field("probability", pa.float64()),
            pa.field("assigned", pa.bool_()),
        ]
    )
    types: dict[str, pa.DataType] = {
        "section_scores": pa.list_(score),
        **dict.fromkeys(
            ("section_probability", "popularity_score", "popularity_percentile", "top5_probability"),
            pa.float64(),
        ),
    }
    return pa.schema([pa.field(name, types.get(name, pa.string())) for name in PREDICTION_FIELDS])

"""What ranking headlines answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from classifier.text.blocks import FieldSpan


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a feature that stands nowhere (a question, the length), and what it adds to a headline's score more than
    to the first one's. `spans` are its places in this headline, `first_spans` those in the first."""

    feature: str
    difference: float
    spans: tuple[FieldSpan, ...]
    first_spans: tuple[FieldSpan, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "feature": self.feature,
            "difference": self.difference,
            "spans": [list(span) for span in self.spans],
            "first_spans": [list(span) for span in self.first_spans],
        }


@dataclass(frozen=True, slots=True)
class RankedHeadline:
    """One headline beside the first, which is the best.

    `positions` say where it stood in what was given, from 0; several where it was there more than once. `behind` (≥ 0) is
    the difference in score to the first, `standard_error` that of the difference (None where the version does not know how
    unsure its weights are). `better_chance`: of two articles of one day with this difference, how often the first is read
    more; None for the first itself. `told_apart`: the difference is beyond the noise. The differences of `words`, largest
    first, and the `rest` sum to -`behind`.
    """

    rank: int
    headline: str
    positions: tuple[int, ...]
    popularity_score: float
    popularity_percentile: float
    top5_probability: float
    behind: float
    standard_error: float | None
    better_chance: float | None
    told_apart: bool
    words: tuple[Word, ...]
    rest: float

    def to_dict(self) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in RankedHeadline.__dataclass_fields__}
        return {**row, "positions": list(self.positions), "words": [word.to_dict() for word in self.words]}


@dataclass(frozen=True, slots=True)
class HeadlineRanking:
    """Headlines for one story, best first, and the version that says so."""

    headlines: tuple[RankedHeadline, ...]
    model: str
    version: str

    @property
    def tied(self) -> tuple[RankedHeadline, ...]:
        """Those that cannot be told apart from the first, the first among them."""
        return tuple(item for item in self.headlines if not item.told_apart)

    def to_dict(self) -> dict[str, Any]:
        return {
            "headlines": [item.to_dict() for item in self.headlines],
            "model": self.model,
            "version": self.version,
        }

"""What a run tells about itself, on the way and at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Summary:
    """How many articles were scored and rows rejected, how often each section and decision was given, how many articles
    have an id that one before has (`duplicates`, with its standard error; None where too many were seen to tell), and which
    columns to keep no input has."""

    articles: int
    rejected: int
    sections: Mapping[str, int] = field(default_factory=dict)
    decisions: Mapping[str, int] = field(default_factory=dict)
    duplicates: tuple[int, int] | None = (0, 0)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `size` is all bytes that there are to read, None where that is not known."""

    articles: int
    rejected: int
    read: int
    size: int | None


@dataclass(slots=True)
class Tally:
    """What is counted as blocks are written; it is kept with each durable part."""

    articles: int = 0
    rejected: int = 0
    sections: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)  # columns to keep that an input had

    def add(self, rows: int, rejected: int, sections: Counter[str], decisions: Counter[str]) -> None:
        self.articles += rows
        self.rejected += rejected
        self.sections += sections
        self.decisions += decisions

    def to_dict(self) -> dict[str, Any]:
        return {
            "articles": self.articles,
            "rejected": self.rejected,
            "sections": dict(self.sections),
            "decisions": dict(self.decisions),
            "seen": sorted(self.seen),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tally:
        return cls(
            data["articles"],
            data["rejected"],
            Counter(data["sections"]),
            Counter(data["decisions"]),
            set(data["seen"]),
        )

    def summary(self, keep: Iterable[str], duplicates: tuple[int, int] | None) -> Summary:
        missing = tuple(name for name in dict.fromkeys(keep) if name not in self.seen)
        sections = dict(sorted(self.sections.items(), key=lambda item: (-item[1], item[0])))
        decisions = dict(sorted(self.decisions.items()))
        return Summary(self.articles, self.rejected, sections, decisions, duplicates, missing)

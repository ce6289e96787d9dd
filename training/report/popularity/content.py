"""What a report shows of a popularity head beyond the manifest's figures, as plain records.

Texts may come from anywhere (headlines, sources, words): whoever prints them escapes them. Body text never gets here but
as the single words that decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.report.content import Reliability

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Unit = Literal["day", "week", "month", "year"]
LabelKind = Literal["counts", "flags", "clicks", "ranking boxes"]


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What was measured against: `articles` with a label in `all_groups` groups, of which `evaluated` articles in `groups`
    groups could be (ten articles; where labels say yes or no, one of them a yes); `first_day` and `last_day` are those of
    all, None without times."""

    kind: LabelKind
    articles: int
    all_groups: int
    evaluated: int
    groups: int
    median_size: float
    first_day: str | None
    last_day: str | None

    @property
    def yes_or_no(self) -> bool:
        return self.kind in ("flags", "clicks")


@dataclass(frozen=True, slots=True)
class RankTable:
    """Where the articles of each part of the predicted order really stood, best first, in b parts of each group.

    `shares` (b, b): of the articles in a predicted part (row), the share in each true part; `chance` (b, b): what random
    scores would give.
    """

    shares: Floats
    chance: Floats
    articles: int
    groups: int


@dataclass(frozen=True, slots=True)
class HitShare:
    """Of flags: the share of ones in each part of the predicted order (b,), best first, with its interval; `count` (b,)
    articles, in expectation over ties; `base` is the share among all."""

    share: Floats
    low: Floats
    high: Floats
    count: Floats
    base: float


@dataclass(frozen=True, slots=True)
class Series:
    """One ordering's mean metric over all groups and in each period (p,), with intervals; those of a period with one group
    are NaN. `names` are the orderings that give exactly this."""

    names: tuple[str, ...]
    mean: float
    low: float
    high: float
    points: Floats
    point_low: Floats
    point_high: Floats


@dataclass(frozen=True, slots=True)
class OverTime:
    """nDCG@10 in p periods: `starts` (p) are their first ISO days, rising; the model's series comes first."""

    unit: Unit
    starts: tuple[str, ...]
    groups: Ints
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Chances:
    """The chances of the top five against what came true, and how many articles got which: `counts` between `edges`."""

    reliability: Reliability
    edges: Floats
    counts: Ints


@dataclass(frozen=True, slots=True)
class WordEffect:
    """A feature of the model: `effect`, the standard deviation within groups of what it adds to a score, with the sign of
    its weight, and how many of the articles looked at have it. Where none was looked at `effect` is the weight."""

    name: str
    effect: float
    articles: int


@dataclass(frozen=True, slots=True)
class WordPanel:
    """The features of one kind that lift and that sink, largest effect first."""

    title: str
    lift: tuple[WordEffect, ...]
    sink: tuple[WordEffect, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a group of `of` articles, 1 the best: `first` to `last` where articles are tied."""

    first: int
    last: int
    of: int


@dataclass(frozen=True, slots=True)
class Surprise:
    """A hit that was missed, or a flop that was promised; `words` are what set it apart from its group, in the wrong
    direction, with what they added to its score beyond the group's average."""

    headline: str
    group: str
    true: Place
    predicted: Place
    words: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class ScoreSlice:
    """nDCG@10 with its interval on the `n` articles in `groups` groups that share a value, ranked among themselves, and
    that of random scores; `low` and `high` are NaN where there is one group."""

    value: str
    n: int
    groups: int
    ndcg: float
    low: float
    high: float
    random: float


@dataclass(frozen=True, slots=True)
class PopularityContent:
    """The popularity head's part; what is None or empty is left out of the report, and `missing` says why, in sentences.

    `slices` go from a name ("source", "section") to rows, the largest first; `looked_at` is the number of articles behind
    the effects of the words.
    """

    labels: LabelFacts | None = None
    ranks: RankTable | None = None
    hits: HitShare | None = None
    over_time: OverTime | None = None
    chances: Chances | None = None
    words: tuple[WordPanel, ...] = ()
    looked_at: int = 0
    missed: tuple[Surprise, ...] = ()
    promised: tuple[Surprise, ...] = ()
    slices: Mapping[str, tuple[ScoreSlice, ...]] = field(default_factory=lambda: MappingProxyType({}))
    missing: tuple[str, ...] = ()

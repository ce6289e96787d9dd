"""What the popularity head is made of: features, a learner, its regularisation, a half-life.

A feature is written like a block of the section head (`text word(1,2)`, `source * 0.5`), or `time`, `daypart`, `headline
shape`, or a number's column as `word_count numeric`. `source x text word(1,2)` is that block once for each source.
`source * 1, recent 7` has a second weight for every source that fades into the past with a half-life of 7 days, and so
learns what has changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from classifier.errors import ConfigError
from training.recipes import BlockRecipe, write_number

Learner = Literal["squares", "logistic", "pairwise", "listwise"]
Kind = Literal["block", "numeric", "time", "daypart", "shape"]

TIME, DAYPART, SHAPE = "time", "daypart", "headline shape"
LEARNERS: tuple[Learner, ...] = get_args(Learner)
BUILT_IN: dict[str, Kind] = {TIME: "time", DAYPART: "daypart", SHAPE: "shape"}  # made without a column
_NUMERIC = re.compile(r"(?P<column>\S.*?) numeric(?P<weight> ?\* ?\S+)?")
_MOST_DAYS = 36500
_RECENT = re.compile(r"(?P<feature>.+), recent (?P<days>[0-9]*\.?[0-9]+)")


@dataclass(frozen=True, slots=True)
class Feature:
    """A block, through `crossed` (a column of categories) apart for each of its values where that is not empty.

    `block` holds column, analyzer and weight of every `kind`. `recent` is the half-life in days of a second weight, 0 for
    none.
    """

    block: BlockRecipe
    kind: Kind = "block"
    crossed: str = ""
    recent: float = 0.0

    def __str__(self) -> str:
        written = str(self.block)
        if self.kind == "numeric":
            written = f"{self.block.column} numeric{written.removeprefix(self.block.column)}"
        crossed = f"{self.crossed} x " if self.crossed else ""
        recent = f", recent {write_number(self.recent)}" if self.recent else ""
        return f"{crossed}{written}{recent}"

    @classmethod
    def parse(cls, text: str) -> Feature:
        """Of what `str` wrote.

        Raises:
            ConfigError: it is no feature.
        """
        rest, recent = text.strip(), 0.0
        if found := _RECENT.fullmatch(rest):
            rest, recent = found["feature"], float(found["days"])
            if not 1.0 <= recent <= _MOST_DAYS:
                problem = "fades at once" if recent < 1.0 else "never fades"
                raise ConfigError(f'"{text:.60}" {problem}', remedy=f"give recent 1 to {_MOST_DAYS} days")
        crossed, cross, inner = rest.partition(" x ")
        if not cross:
            crossed, inner = "", rest
        kind: Kind = "block"
        if found := _NUMERIC.fullmatch(inner):
            kind, inner = "numeric", f"{found['column']}{found['weight'] or ' * 1'}"
        block = BlockRecipe.parse(inner)
        if kind == "block":
            kind = BUILT_IN.get(block.column, kind)
        return cls(block, kind, crossed.strip(), recent)

    @property
    def is_text(self) -> bool:
        return self.block.analyzer is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns beside the texts and times that it reads."""
        own = self.kind in ("block", "numeric") and not self.is_text
        return (*((self.crossed,) if self.crossed else ()), *((self.block.column,) if own else ()))

    @property
    def inner(self) -> Feature:
        """What is crossed: the feature alone, as it stands in the recipe apart from its weight."""
        return Feature(replace(self.block, weight=1.0), self.kind)

    @property
    def plain(self) -> Feature:
        """Without weight and fading: what has to be fitted."""
        return Feature(replace(self.block, weight=1.0), self.kind, self.crossed)


@dataclass(frozen=True, slots=True)
class PopularityRecipe:
    """`alpha` is the regularisation for articles whose texts have length 1: the more text blocks, the longer an article's
    vector (each has its weight as length), and the more of it is needed; crosses do not count among these. `half_life` in
    days: an article of that age counts half as much as a new one (0: all alike)."""

    features: tuple[Feature, ...]
    learner: Learner = "squares"
    alpha: float = 2.0
    half_life: float = 0.0

    def __str__(self) -> str:
        aging = f", half-life {self.half_life:g} days" if self.half_life else ""
        return f"{' + '.join(map(str, self.features))}, {self.learner}, alpha {self.alpha:g}{aging}"

    @property
    def plain_alpha(self) -> float:
        """The regularisation for the features as they are."""
        squares = [f.block.weight**2 for f in self.features if f.is_text and not f.crossed]
        return self.alpha * (sum(squares) or 1.0)

    def to_dict(self) -> dict[str, Any]:
        """As settings of the configuration, which would fix it."""
        return {
            "popularity_features": [str(feature) for feature in self.features],
            "popularity_learner": self.learner,
            "popularity_alpha": self.alpha,
            "popularity_half_life": self.half_life,
        }

    def adding(self, *features: Feature) -> PopularityRecipe:
        return replace(self, features=(*self.features, *features))


def as_learner(name: str) -> Learner:
    """
    Raises:
        ConfigError: there is no such learner.
    """
    for learner in LEARNERS:
        if learner == name:
            return learner
    raise ConfigError(f'there is no learner "{name:.60}"', remedy=f"give one of {', '.join(LEARNERS)}")


def check_recipe(features: tuple[Feature, ...]) -> None:
    """
    Raises:
        ConfigError: a feature is there twice, or what is crossed, or fades, is not there by itself.
    """
    seen = set()
    for feature in features:
        if (key := (feature.plain, feature.recent)) in seen:
            raise ConfigError(f'"{feature}" is there twice', remedy="name each feature once, with one weight")
        seen.add(key)
    alone = {feature.inner for feature in features if not feature.crossed and not feature.recent}
    plain = {feature.plain for feature in features if not feature.recent}
    for feature in features:
        if feature.crossed and feature.inner not in alone:
            raise ConfigError(f'"{feature}" crosses what is not there', remedy=f'add "{feature.inner}" too')
        if feature.recent and feature.plain not in plain:
            raise ConfigError(
                f'"{feature}" is recent only', remedy=f'add "{replace(feature, recent=0.0)}" too'
            )

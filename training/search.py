"""Further recipes for the section head, which Optuna proposes and the same validation judges as the usual choice.

Optuna is imported only when a search begins.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from classifier.options import require
from classifier.text.analyzer import AnalyzerName
from classifier.text.rows import TEXT
from training.config import Config
from training.corpus import Corpus
from training.recipes import SAMPLE, BlockRecipe, Recipe, Script, additions, script_of
from training.selection import FEW, Progress, Quality, Trials, Truth

if TYPE_CHECKING:
    from optuna import Study, Trial

_NONE = "none"
_WORDS = ((1, 1), (1, 2), (1, 3))
# The first are those of the usual choice.
_PARTS: dict[Script, tuple[tuple[int, int], ...]] = {
    "spaced": ((3, 5), (2, 5), (3, 6)),
    "syllables": ((1, 4), (2, 4), (1, 3)),
    "unspaced": ((1, 3), (1, 2), (2, 4)),
}
_HEADLINE_PARTS = ((2, 4), (1, 3))
_WEIGHTS = (0.1, 5.0)
_CS = (0.05, 20.0)
_BALANCE_STEP = 0.25
_IMBALANCE = 3.0  # as in the usual choice
_RANDOM = 10  # so many recipes, but at most a quarter, are drawn before what was found guides the draws
_SPENT = 100  # after so many proposals on end that were known, there is nothing left to propose


@dataclass(frozen=True, slots=True)
class Step:
    """Where a search is: `number` of `count` recipes tried, the best so far, and whether the last one is that."""

    number: int
    count: int
    recipe: Recipe
    quality: Quality
    improved: bool
    seconds_left: float

    def __str__(self) -> str:
        return f"best: {self.quality}; {timedelta(seconds=round(self.seconds_left))} left"


Watch = Callable[[Step], None]


@runtime_checkable
class Watcher(Protocol):
    """A progress that wants to see every step of a search, as a terminal does; others are told lines now and then."""

    def watch(self, count: int) -> AbstractContextManager[Watch]:
        """Open for as long as the search runs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a recipe has one of the blocks of `choices` (of weight 1), or none if `optional`; `weighted` or of weight 1."""

    name: str
    choices: tuple[BlockRecipe, ...]
    optional: bool = True
    weighted: bool = True

    def suggest(self, trial: Trial) -> BlockRecipe | None:
        # Every trial has every parameter, whether it matters or not: only so are they drawn together.
        names = [*map(str, self.choices), *([_NONE] if self.optional else [])]
        name = trial.suggest_categorical(self.name, names) if len(names) > 1 else names[0]
        weight = 1.0
        if self.weighted:
            weight = _two_digits(trial.suggest_float(f"{self.name} weight", *_WEIGHTS, log=True))
        return None if name == _NONE else replace(self.choices[names.index(name)], weight=weight)


@dataclass(frozen=True, slots=True)
class Space:
    """The recipes that are looked through: those of `start` with other blocks at `places` (none: the blocks are given),
    and, where they are not given either, another C and balance. Its half-life stays."""

    start: Recipe
    places: tuple[Place, ...]
    c: bool
    balance: bool

    def __bool__(self) -> bool:
        return bool(self.places) or self.c or self.balance

    def suggest(self, trial: Trial) -> Recipe:
        recipe = self.start
        if self.places:
            blocks = {place.name: place.suggest(trial) for place in self.places}
            base, beside = blocks[TEXT], blocks.get("beside")
            if base is not None and beside is not None and base.analyzer == beside.analyzer:
                blocks["beside"] = None
            recipe = replace(recipe, blocks=tuple(block for block in blocks.values() if block is not None))
        if self.c:
            recipe = replace(recipe, c=_two_digits(trial.suggest_float("C", *_CS, log=True)))
        if self.balance:
            recipe = replace(recipe, balance=trial.suggest_float("balance", 0.0, 1.0, step=_BALANCE_STEP))
        return recipe

    def parameters(self, recipe: Recipe) -> dict[str, Any] | None:
        """With which `suggest` would give this recipe; None if it is not in the space."""
        if recipe.half_life != self.start.half_life:
            return None
        found: dict[str, Any] = {"C": recipe.c, "balance": recipe.balance}
        rest = list(recipe.blocks)
        for place in self.places:
            own = [block for block in rest if replace(block, weight=1.0) in place.choices][:1]
            if not own and not place.optional:
                return None
            found[place.name] = str(replace(own[0], weight=1.0)) if own else _NONE
            if own:
                rest.remove(own[0])
                found[f"{place.name} weight"] = own[0].weight
        return None if rest and self.places else found


def space_of(start: Recipe, corpus: Corpus, truth: Truth, config: Config) -> Space:
    """What the configuration leaves open and the articles have: columns, script, imbalanced labels (truth (n, k))."""
    counts = np.sort(truth.sum(axis=0))
    imbalanced = start.balance > 0 or counts[-1] >= _IMBALANCE * max(counts[len(counts) // 2], 1)
    return Space(
        start,
        () if config.fit.section_blocks else tuple(_places(corpus, config.features.of_sections)),
        c=not config.fit.section_c,
        balance=config.fit.section_balance < 0 and bool(imbalanced),
    )


def _places(corpus: Corpus, categorical: Sequence[str]) -> Iterator[Place]:
    """In the order of the usual choice, so that its recipes are known and no other order of a recipe is tried."""
    script, few = script_of(corpus.spread(SAMPLE).texts), len(corpus) < FEW
    offered = {block.column for block in additions(script, corpus.rows, few)}
    words = _blocks(TEXT, "word", _WORDS)
    parts = _blocks(TEXT, "char_wb", _PARTS[script] if few else _PARTS[script][:1])
    main, other = (words, parts) if script == "spaced" else (parts, words)
    yield Place(TEXT, (*main, *other) if TEXT in offered else main, optional=False, weighted=False)
    for column in categorical:
        yield Place(f"column {column}", (BlockRecipe(column),), optional=False)
    if "source" in offered.difference(categorical):
        yield Place("source", (BlockRecipe("source"),))
    if TEXT in offered:
        yield Place("beside", other)
    if "headline" in offered:
        spaced = script == "spaced"
        lengths = _WORDS[:2] if spaced else _HEADLINE_PARTS
        yield Place("headline", _blocks("headline", "word" if spaced else "char_wb", lengths))


def _blocks(
    column: str, analyzer: AnalyzerName, lengths: Sequence[tuple[int, int]]
) -> tuple[BlockRecipe, ...]:
    return tuple(BlockRecipe(column, analyzer, ngrams) for ngrams in lengths)


def _two_digits(value: float) -> float:
    """What is fitted is what is written."""
    return float(f"{value:.2g}")


def search_recipe(start: Recipe, trials: Trials, corpus: Corpus, config: Config) -> Recipe:
    """The best on validation of `start` and of `[fit] search` further recipes; what the configuration gives stays.

    Raises:
        MissingExtra: Optuna is not installed.
    """
    require("optuna", "search")
    space = space_of(start, corpus, trials.validation.truth, config)
    count = config.fit.search
    if not space:
        trials.progress("the configuration leaves no recipe to search")
        return start
    progress = trials.progress
    watching = progress.watch(count) if isinstance(progress, Watcher) else nullcontext(_lines(progress))
    quiet = replace(trials, progress=lambda step: None)
    progress(f"searching {count} further recipes")
    with _quiet_optuna(), watching as watch:
        return _search(space, quiet, count, config.fit.seed, watch)


def _search(space: Space, trials: Trials, count: int, seed: int, watch: Watch) -> Recipe:
    best, quality = space.start, trials.quality(space.start)
    study = study_of(space, trials, count, seed)
    started = time.perf_counter()
    tried = known = 0
    while tried < count and known < _SPENT:
        trial = study.ask()
        recipe = space.suggest(trial)
        known = known + 1 if recipe in trials.found else 0
        found = trials.quality(recipe)
        _tell(study, trial, found)
        if known:
            continue
        tried += 1
        improved = found.value > quality.value
        if improved:
            best, quality = recipe, found
        left = (time.perf_counter() - started) / tried * (count - tried)
        watch(Step(tried, count, best, quality, improved, left))
    return best


def study_of(space: Space, trials: Trials, count: int, seed: int) -> Study:
    """A study that first asks for what was tried already, the start at the head: it costs nothing, and guides the rest."""
    import optuna

    known = [
        found
        for recipe in dict.fromkeys((space.start, *trials.found))
        if (found := space.parameters(recipe)) is not None
    ]
    random = len(known) + min(_RANDOM, count // 4)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=random)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for parameters in known:
        study.enqueue_trial(parameters)
    return study


def _tell(study: Study, trial: Trial, found: Quality) -> None:
    from optuna.trial import TrialState

    if math.isfinite(found.value):
        study.tell(trial, found.value)
    else:
        study.tell(trial, state=TrialState.FAIL)


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _lines(progress: Progress) -> Watch:
    """A line for every tenth of the search and for every better recipe."""

    def watch(step: Step) -> None:
        tenth = step.number * 10 // step.count > (step.number - 1) * 10 // step.count
        if step.improved:
            progress(f"search {step.number}/{step.count}: better: {step.recipe}: {step.quality}")
        elif tenth:
            progress(f"search {step.number}/{step.count}: {step}")

    return watch

"""Choosing the popularity head's recipe by walking forward inside the training part.

From a plain start features are added one by one and kept where they help, then what fades, the half-life, the
regularisation and the learner are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray

from classifier.text.rows import LENGTHS, START, TEXT, URL, Rows
from training.popularity.learners import rough
from training.popularity.material import FittedWeights, Material, fit_weights
from training.popularity.recipes import DAYPART, LEARNERS, SHAPE, TIME, Feature, Learner, PopularityRecipe
from training.popularity.validation import CLEAR, PLAUSIBLE, Quality, Validation
from training.recipes import BlockRecipe, Script, script_of

Floats = NDArray[np.float64]
Progress = Callable[[str], None]

_ALPHAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_HALF_LIVES = (120.0, 60.0, 30.0, 14.0)
_RECENT = (7.0, 30.0)
_LEAST_WITH_URL = (
    0.99  # of the articles: else who has none would tell where an article came from, such as a ranking box
)
_FEW_CHARACTERS = 50_000_000  # parts of words of longer texts take too long, and too much memory
_ADDRESS = Feature(BlockRecipe(URL, "word", (1, 2), 0.6))


@dataclass(slots=True)
class Trials:
    """Recipes tried on one validation, each once: held-out scores (n,) and quality by group. `last` are each window's last
    fits, one a learner, from which the next goes on."""

    material: Material
    validation: Validation
    progress: Progress
    found: dict[PopularityRecipe, Quality] = field(default_factory=dict)
    held: dict[PopularityRecipe, Floats] = field(default_factory=dict)
    last: dict[int, dict[Learner, FittedWeights]] = field(default_factory=dict)

    def quality(self, recipe: PopularityRecipe) -> Quality:
        if recipe not in self.found:
            self.found[recipe] = quality = self.validation.quality(self.scores(recipe))
            self.progress(f"tried {recipe}: {quality}")
        return self.found[recipe]

    def better(self, candidate: PopularityRecipe, than: PopularityRecipe, errors: float = CLEAR) -> bool:
        """By more than that many standard errors. Fits go on from the better one's."""
        known = self.quality(than)
        before = {number: dict(fits) for number, fits in self.last.items()}
        better = self.quality(candidate).better_than(
            known, errors, same_units=candidate.learner == than.learner
        )
        if not better:
            self.last = before
        return better

    def scores(self, recipe: PopularityRecipe) -> Floats:
        """(n,) scores by fits that did not see the article; NaN where it is never asked."""
        if recipe in self.held:
            return self.held[recipe]
        scores = self.held[recipe] = np.full(len(self.material.targets), np.nan)
        self.material.cache.prepare((*recipe.features, *self.material.nuisance))
        windows = self.validation.windows
        starts = [self.start(recipe.learner, number) for number in range(len(windows))]
        tolerance = rough(len(self.material.targets))
        # Threads: the kernel lets go of the interpreter.
        fits = Parallel(n_jobs=min(cpu_count(), max(len(windows), 1)), prefer="threads")(
            delayed(fit_weights)(self.material, recipe, window.fitted, tolerance=tolerance, start=start)
            for window, start in zip(windows, starts, strict=True)
        )
        for number, (window, fitted) in enumerate(zip(windows, fits, strict=True)):
            if fitted is None:
                scores[window.asked] = 0.0
                continue
            self.last.setdefault(number, {})[recipe.learner] = fitted
            scores[window.asked] = fitted.scores[window.asked]
        return scores

    def start(self, learner: Learner, window: int) -> FittedWeights | None:
        """The last fit on that window by the same learner, else by another one."""
        found = self.last.get(window, {})
        return found.get(learner) or next(iter(found.values()), None)


def start_recipe(
    rows: Rows, categorical: tuple[str, ...], numeric: tuple[str, ...], *, flags: bool
) -> PopularityRecipe:
    """Where the choice starts, and what is taken where there is nothing to choose by."""
    script = script_of(rows.texts(TEXT))
    features = [_main_text(script)]
    if any(rows.texts("headline")) and (any(rows.texts("summary")) or any(rows.texts("body"))):
        own = ("word", (1, 1)) if script == "spaced" else ("char_wb", (2, 4))
        features.append(Feature(BlockRecipe("headline", *own, weight=0.5)))  # type: ignore[arg-type]
    features.append(Feature(BlockRecipe(SHAPE, weight=0.05), "shape"))
    if any(time is not None for time in rows.times()):
        features.append(Feature(BlockRecipe(TIME, weight=0.1), "time"))
    own_columns = [name for name in ("source", "section") if name not in categorical]
    features += [Feature(BlockRecipe(name, weight=0.5)) for name in own_columns if _values(rows, name) > 1]
    features += [Feature(BlockRecipe(name)) for name in categorical if _values(rows, name) > 1]
    features += [Feature(BlockRecipe(name), "numeric") for name in numeric]
    return PopularityRecipe(tuple(features), "logistic" if flags else "squares")


def _main_text(script: Script) -> Feature:
    if script == "spaced":
        return Feature(BlockRecipe(TEXT, "word", (1, 2)))
    return Feature(BlockRecipe(TEXT, "char_wb", (2, 4) if script == "syllables" else (1, 3)))


def _values(rows: Rows, column: str) -> int:
    return len({str(value) for value in rows.values(column) if value is not None})


def choose_recipe(
    start: PopularityRecipe,
    trials: Trials,
    *,
    features: bool = True,
    alpha: bool = True,
    half_life: bool = True,
    learner: bool = True,
) -> PopularityRecipe:
    """The recipe that ranks best, beginning with `start`; what is False stays as it is there."""
    best = _climb(start, trials) if alpha else start
    if features:
        fixed = {column for feature in trials.material.nuisance for column in feature.columns}
        for added in _additions(best, trials.material.cache.rows, fixed):
            new = [feature for feature in added if feature not in best.features]
            best = _better(best, best.adding(*new), trials, errors=PLAUSIBLE)
        if trials.validation.forward:
            best = _fading(best, trials)
    if half_life and trials.validation.forward:
        for days in _HALF_LIVES:
            if (older := _better(best, replace(best, half_life=days), trials)) is best:
                break
            best = older
    if alpha:
        best = _climb(best, trials)
    if learner:
        for name in LEARNERS:
            if name != "logistic" or trials.material.flags:
                best = _better(best, replace(best, learner=name), trials)
    return best


def _better(
    best: PopularityRecipe, candidate: PopularityRecipe, trials: Trials, errors: float = CLEAR
) -> PopularityRecipe:
    return candidate if candidate != best and trials.better(candidate, best, errors) else best


def _climb(recipe: PopularityRecipe, trials: Trials) -> PopularityRecipe:
    """The best regularisation, going up or down from where it is as long as it gets clearly better."""
    at = min(range(len(_ALPHAS)), key=lambda i: abs(np.log(_ALPHAS[i] / recipe.alpha)))
    for step in (1, -1):
        first, place = recipe, at
        while 0 <= place + step < len(_ALPHAS):
            place += step
            if (better := _better(recipe, replace(recipe, alpha=_ALPHAS[place]), trials)) is recipe:
                break
            recipe = better
        if recipe is not first:
            break
    return recipe


def _additions(
    recipe: PopularityRecipe, rows: Rows, nuisance: Collection[str] = ()
) -> Iterator[tuple[Feature, ...]]:
    """Features worth trying, the cheapest first; those that a cross is of are tried with it, if they are not there. None
    that would tell again what is a `nuisance`."""
    columns = [f.block.column for f in recipe.features if f.kind == "block" and not f.is_text]
    kinds = {f.kind for f in recipe.features}
    named = {f.block.column for f in recipe.features}
    if {"source", "section"} <= set(columns):
        yield (Feature(BlockRecipe("source"), crossed="section"),)
    lengths = [name for name, text in LENGTHS.items() if name not in named and any(rows.texts(text))]
    yield tuple(Feature(BlockRecipe(name, weight=0.3), "numeric") for name in lengths)
    given = sum(map(bool, rows.texts(URL)))
    with_url = bool(given) and given >= _LEAST_WITH_URL * len(rows) and "source" not in nuisance
    if with_url:
        yield (_ADDRESS,)
    if "time" in kinds:
        part = Feature(BlockRecipe(DAYPART, weight=0.45), "daypart")
        yield (part,)
        for column in columns:
            yield part, replace(part, crossed=column)
            yield (Feature(BlockRecipe(TIME, weight=0.5), "time", column),)
    for column in columns:
        for feature in recipe.features:
            if feature.kind == "numeric":
                yield (replace(feature, crossed=column),)
    main, *others = (feature for feature in recipe.features if feature.is_text)
    if main.block.analyzer == "word":
        for column in columns:
            yield (replace(main, crossed=column),)
        if sum(map(len, rows.texts(TEXT))) < _FEW_CHARACTERS:
            yield (Feature(BlockRecipe(TEXT, "char_wb", (1, 5), 0.7)),)
        others += [_ADDRESS] if with_url else []
        for column in columns if others else ():
            yield (*others, *(replace(text, crossed=column) for text in others))
        if "headline" in named:
            yield (Feature(BlockRecipe("headline", "word", (1, 2), 0.5)),)
        if any(rows.texts("headline")):
            yield (Feature(BlockRecipe(START, "word", (1, 3), 0.4)),)


def _fading(recipe: PopularityRecipe, trials: Trials) -> PopularityRecipe:
    """With a second weight that fades for the categories, and for words."""
    categories = [f for f in recipe.features if f.kind == "block" and not f.is_text and not f.recent]
    for days in _RECENT:
        own = [replace(f, block=replace(f.block, weight=1.0), recent=days) for f in categories]
        if own and (found := _better(recipe, recipe.adding(*own), trials)) is not recipe:
            recipe = found
            break
    return _better(recipe, recipe.adding(replace(recipe.features[0], recent=_RECENT[0])), trials)

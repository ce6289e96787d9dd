"""Choosing the section head's recipe inside the training part, and fitting its weights.

Articles with times are validated forward, on the newest of them, others in folds. The base is regularised, blocks are added
one by one and kept where they help, then class weights, half-life and regularisation are tried. Linear fits are here, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from training.calibration.assignment import fit_label_thresholds
from training.calibration.fits import fit_sigmoid, fit_temperature_only
from training.corpus import Corpus, Ids
from training.features import BlockCache
from training.machines import fit_machines
from training.metrics import accuracy, macro_f1, micro_f1
from training.recipes import SAMPLE, BlockRecipe, Recipe, additions, base_recipes, script_of
from training.splits import folds

Truth = NDArray[np.bool_]
Floats = NDArray[np.float64]
Progress = Callable[[str], None]

FEW = 20_000  # with fewer articles, parts of words help: an inflected or compound word is rarely seen twice
# With so many dated articles the newest fifth is validation enough, in two windows; with fewer, but so many, the newer half
# in more; with still fewer there is too little to lose, and folds take all.
MANY_DATED, _DATED = 10_000, 1_000
_NEWEST, _NEWER = 0.2, 0.5
# LinearSVC's: scores are within about 0.001, and within 0.01, of those at its default of 0.0001.
TOLERANCE, ROUGH = 0.01, 0.1
_CS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_MOST_HALVINGS = 20  # nothing is forgotten altogether: a label of old articles alone stays one
_HALF_LIVES = (240.0, 120.0, 60.0)  # days
_QUICK = 300_000  # articles × labels × folds that one recipe may cost while choosing
TOO_MANY = 20_000_000  # articles × labels from which on nothing is chosen: each trial would take many minutes
_HELD_CELLS = 1 << 25  # held-out scores that are kept for calibration: 256 MB
_FLOOR = 1e-15  # keeps logarithms finite
# From so many times as many articles in the largest label as in the median one, class weights are tried.
_IMBALANCE = 3.0


@dataclass(frozen=True, slots=True)
class Validation:
    """n training articles of which those `asked` (n,) are predicted, fold by fold, by fits that do not see the fold.

    `fold` (n,) are fold numbers. In folds a fit sees all others; `forward` in time those of lower numbers, −1 the lowest.
    `parts` (n,) number what a calibration must be judged on together: folds, or windows of time. `instants` (n,) are
    seconds since 1970, NaN without a time.
    """

    truth: Truth
    several: bool
    fold: Ids
    asked: NDArray[np.bool_]
    parts: Ids
    forward: bool
    seed: int
    tolerance: float = TOLERANCE
    instants: Floats | None = None

    def quick(self) -> Validation:
        """The same, rougher and with fewer fits where they are many: windows of time in one, not all folds predicted, of
        several labels not all. A choice between recipes needs less than the calibration of the chosen one."""
        truth = self.truth
        if self.several:
            # Frequent and rare ones alike.
            ranked = np.argsort(-truth.sum(axis=0), kind="stable")
            truth = truth[:, np.sort(ranked[:: max(1, -(-truth.size // _QUICK))])]
        wanted = max(1, _QUICK // truth.size)
        if wanted >= len(np.unique(self.fold[self.asked])):
            # With few articles to judge by, rough fits would choose by their own noise.
            return replace(self, truth=truth)
        rough = replace(self, truth=truth, tolerance=ROUGH)
        if self.forward:
            return replace(rough, fold=np.minimum(self.fold, 0))
        return replace(rough, asked=self.asked & (self.fold < wanted))

    def emphasis(self, recipe: Recipe, fitted: NDArray[np.bool_] | Ids | None = None) -> Floats | None:
        """How much each of some articles (by default all) counts in a fit: by its age, 1 on average; None: all alike."""
        if not recipe.half_life or self.instants is None:
            return None
        instants = self.instants if fitted is None else self.instants[fitted]
        dated = np.isfinite(instants)
        if not dated.any():
            return None
        days = (instants[dated].max() - np.where(dated, instants, np.median(instants[dated]))) / 86400.0
        weight = 0.5 ** np.minimum(days / recipe.half_life, _MOST_HALVINGS)
        return np.asarray(weight / weight.mean())

    def held_out(self, cache: BlockCache, recipe: Recipe, slack: Floats | None = None) -> Floats | None:
        """(n, k) scores by fits that did not see the article; NaN where it is never predicted. None without features.

        `slack` (n, k), zeros, gets those of the last fit, from which one on more articles may go on. Forward in time each
        fit goes on from the one before, which saw no article that this one does not see.
        """
        scores = np.full(self.truth.shape, np.nan)
        for number in np.unique(self.fold[self.asked]).tolist():
            held = self.asked & (self.fold == number)
            rest = self.fold < number if self.forward else self.fold != number
            if not rest.any():
                continue
            parts = cache.parts(recipe, rest, held)
            if parts is None:
                return None
            learnt, asked = parts
            own = self.begun(slack, rest)
            weights, intercept = fit_linear(
                learnt,
                self.truth[rest],
                recipe,
                several=self.several,
                seed=self.seed,
                tolerance=self.tolerance,
                emphasis=self.emphasis(recipe, rest),
                slack=own,
            )
            keep_slack(slack, rest, own)
            scores[held] = asked @ weights + intercept
        return scores

    def begun(self, slack: Floats | None, rest: NDArray[np.bool_]) -> Floats | None:
        """(articles of the mask, k) from where a fit on them begins; see `held_out`."""
        if slack is None:
            return None
        return slack[rest] if self.forward else np.zeros((int(rest.sum()), slack.shape[1]))


def keep_slack(slack: Floats | None, rest: NDArray[np.bool_], own: Floats | None) -> None:
    """Write that of the articles of a mask over that of all."""
    if slack is not None and own is not None:
        slack[:] = 0.0
        slack[rest] = own


@dataclass(frozen=True, slots=True)
class Quality:
    """How well held-out articles were predicted. `value` decides, higher is better: minus the log loss, whose parts by
    article are `losses` (m,). With several labels `accuracy` is micro-F1."""

    value: float
    accuracy: float
    macro_f1: float
    losses: Floats | None = None
    several: bool = False

    def clearly_above(self, other: Quality) -> bool:
        """Better by more than noise and cost: by a standard error of the paired difference, and by a part in 500."""
        gain = self.value - other.value
        if self.losses is None or other.losses is None or len(self.losses) != len(other.losses):
            return gain > 0
        error = np.std(self.losses - other.losses) / np.sqrt(len(self.losses))
        return gain > max(float(error), 0.002 * -other.value)

    def __str__(self) -> str:
        if self.several:
            return f"micro-F1 {self.accuracy:.4f}, macro-F1 {self.macro_f1:.4f}, log loss {-self.value:.4f}"
        return f"accuracy {self.accuracy:.4f}, log loss {-self.value:.4f}"


_NOTHING = Quality(-np.inf, 0.0, 0.0)


def quality(truth: Truth, scores: Floats, *, several: bool) -> Quality:
    """Of held-out `scores` (m, k) against `truth` (m, k).

    The log loss at the best temperature, or with several labels at the best sigmoid of each: it says more than accuracy or
    F1, which tell apart only what lies next to a boundary. F1 of several labels is at thresholds fitted on the same scores.
    """
    if several:
        probability = fit_sigmoid(scores, truth, several=True).apply(scores)
        right = np.where(truth, probability, 1.0 - probability)
        losses = -np.log(np.maximum(right, _FLOOR)).sum(axis=1)
        assigned = scores >= fit_label_thresholds(scores, truth, shrink=5.0)
        return Quality(
            -float(losses.mean()), micro_f1(truth, assigned), macro_f1(truth, assigned), losses, several
        )
    own, best = truth.argmax(axis=1), scores.argmax(axis=1)
    probability = fit_temperature_only(scores, truth, several=False).apply(scores)[truth]
    losses = -np.log(np.maximum(probability, _FLOOR))
    return Quality(-float(losses.mean()), accuracy(own, best), macro_f1(own, best), losses, several)


def make_validation(
    corpus: Corpus, truth: Truth, clusters: Ids, *, several: bool, fold_count: int, seed: int
) -> Validation:
    """Forward in time where enough articles have one, else near-duplicate clusters in folds."""
    instants = corpus.instants
    dated = np.isfinite(instants)
    if dated.mean() >= 0.5 and dated.sum() >= _DATED:
        many = dated.sum() >= MANY_DATED
        share, windows = (_NEWEST, 2) if many else (_NEWER, fold_count)
        edges = np.quantile(instants[dated], np.linspace(1.0 - share, 1.0, windows + 1)[:-1])
        fold = np.where(dated, np.searchsorted(edges, instants, side="right") - 1, -1)
        # A later copy of an older article proves nothing.
        _, inverse = np.unique(clusters, return_inverse=True)
        first = np.full(inverse.max() + 1, windows)
        np.minimum.at(first, inverse, fold)
        asked = (fold >= 0) & (fold == first[inverse])
        if asked.any() and (fold < 0).mean() >= (1.0 - share) / 2:
            return _affordable(Validation(truth, several, fold, asked, fold, True, seed, instants=instants))
    fold = folds(clusters, fold_count, seed)
    everything = np.ones(len(fold), np.bool_)
    return _affordable(Validation(truth, several, fold, everything, fold, False, seed, instants=instants))


def _affordable(validation: Validation) -> Validation:
    """With so few articles held out that their scores fit in memory, thousands of labels or not."""
    most = max(_HELD_CELLS // validation.truth.shape[1], 100)
    asked = np.flatnonzero(validation.asked)
    if len(asked) <= most:
        return validation
    some = np.zeros(len(validation.asked), np.bool_)
    if not validation.forward:
        asked = np.flatnonzero(validation.asked & (validation.fold == 0))
    some[np.random.default_rng(validation.seed).permutation(asked)[:most]] = True
    parts = np.arange(len(some)) % 2 if not validation.forward else validation.parts
    return replace(validation, asked=some, parts=parts)


@dataclass(slots=True)
class Trials:
    """Recipes tried on one validation, each once."""

    cache: BlockCache
    validation: Validation
    progress: Progress
    found: dict[Recipe, Quality] = field(default_factory=dict)

    def quality(self, recipe: Recipe) -> Quality:
        """The worst there is for a recipe that the articles give no feature."""
        if recipe not in self.found:
            scores = self.validation.held_out(self.cache, recipe)
            self.found[recipe] = found = _NOTHING if scores is None else self._measured(scores)
            self.progress(f"tried {recipe}: {found}")
        return self.found[recipe]

    def _measured(self, scores: Floats) -> Quality:
        known = np.isfinite(scores).all(axis=1)
        if not known.any():
            return _NOTHING
        return quality(self.validation.truth[known], scores[known], several=self.validation.several)


def choose_recipe(
    corpus: Corpus,
    trials: Trials,
    categorical: Sequence[str],
    *,
    c: float | None = None,
    balance: float | None = None,
    half_life: float | None = None,
) -> Recipe:
    """The recipe that validates best: a base, then the blocks that help, class weights, regularisation (unless given)."""
    script = script_of(corpus.spread(SAMPLE).texts)
    named = tuple(BlockRecipe(column) for column in categorical)
    start = Recipe((), 1.0 if c is None else c, balance or 0.0, half_life or 0.0)
    bases = [replace(start, blocks=(*base.blocks, *named)) for base in base_recipes(script)]
    best = bases[0]
    if trials.validation.truth.size > TOO_MANY:
        return best
    for candidate in bases[1:]:
        best = _better(best, candidate, trials)
    if c is None:
        # First: else a block that says nothing could win by the milder fit that comes with it.
        best = _climb(best, trials)
    for block in additions(script, corpus.rows, len(corpus) < FEW):
        if block.column not in categorical:
            best = _better(best, best.adding(block), trials)
    for base in bases:  # beside what was added another base may be better
        best = _better(best, replace(best, blocks=(base.blocks[0], *best.blocks[1:])), trials)
    return tune_recipe(best, trials, c=c, balance=balance, half_life=half_life)


def _better(best: Recipe, candidate: Recipe, trials: Trials) -> Recipe:
    if candidate == best:
        return best
    return candidate if trials.quality(candidate).clearly_above(trials.quality(best)) else best


def tune_recipe(
    recipe: Recipe, trials: Trials, *, c: float | None, balance: float | None, half_life: float | None
) -> Recipe:
    """The recipe with the class weights, half-life and regularisation that validate best, unless they are given."""
    if trials.validation.truth.size > TOO_MANY:
        return recipe
    if balance is None and not trials.validation.several:  # several labels have thresholds of their own
        recipe = _balanced(recipe, trials)
    if half_life is None and trials.validation.forward:
        recipe = _aged(recipe, trials)
    return _climb(recipe, trials) if c is None else recipe


def _aged(recipe: Recipe, trials: Trials) -> Recipe:
    """With the half-life that helps most, if it clearly helps."""
    best = max(
        (replace(recipe, half_life=days) for days in _HALF_LIVES), key=lambda r: trials.quality(r).value
    )
    return _better(recipe, best, trials)


def _climb(recipe: Recipe, trials: Trials) -> Recipe:
    """The best regularisation, going up or down from where it is as long as it gets clearly better.

    A gain within the noise is no reason to leave the middle of the road: on few articles it is gone on the next.
    """
    for step in (1, -1):
        start = recipe
        at = _CS.index(recipe.c) if recipe.c in _CS else 2
        while 0 <= at + step < len(_CS):
            at += step
            candidate = replace(recipe, c=_CS[at])
            if not trials.quality(candidate).clearly_above(trials.quality(recipe)):
                break
            recipe = candidate
        if recipe is not start:
            break
    return recipe


def _balanced(recipe: Recipe, trials: Trials) -> Recipe:
    """With class weights where labels are imbalanced and weights help the rare ones without harm to all."""
    counts = np.sort(trials.validation.truth.sum(axis=0))
    if counts[-1] < _IMBALANCE * max(counts[len(counts) // 2], 1):
        return recipe
    weighted = replace(recipe, balance=0.5)
    before, after = trials.quality(recipe), trials.quality(weighted)
    helps = after.macro_f1 > before.macro_f1 + 0.005 and after.accuracy > before.accuracy - 0.001
    return weighted if helps else recipe


def fit_linear(
    features: sp.csr_matrix,
    truth: Truth,
    recipe: Recipe,
    *,
    several: bool,
    seed: int,
    tolerance: float = TOLERANCE,
    emphasis: Floats | None = None,
    slack: Floats | None = None,
) -> tuple[Floats, Floats]:
    """One-vs-rest linear support vector machines; weights (width, k), intercept (k,). `emphasis` (n,) weighs articles;
    `slack` (n, k) is where the fit begins, and then where it ended (see `fit_machines`)."""
    outputs = truth.shape[1]
    count = truth.sum(axis=0)
    mixed = (count > 0) & (count < len(truth))
    # Two sections are one question; the second answer mirrors the first.
    mirrored = not several and outputs == 2 and bool(mixed[1])
    todo = np.flatnonzero(mixed)[:1] if mirrored else np.flatnonzero(mixed)
    own = None if slack is None else slack[:, todo]
    found, bias = fit_machines(
        features,
        truth[:, todo],
        recipe.plain_c * (np.ones(len(truth)) if emphasis is None else emphasis),
        ((len(truth) - count[todo]) / count[todo]) ** recipe.balance,
        tolerance=tolerance,
        seed=seed,
        slack=own,
    )
    if slack is not None:
        slack[:, todo] = own
    if mirrored:
        return np.column_stack([found, -found]), np.append(bias, -bias)
    if len(todo) == outputs:
        return found, bias
    weights = np.zeros((features.shape[1], outputs))
    intercept = np.where(count > 0, 1.0, -1.0)
    weights[:, todo], intercept[todo] = found, bias
    return weights, intercept

"""Linear learners of popularity: what a score is asked to be, and how its weights are found.

- `squares`, pointwise: least squares on targets standardised within the group, by conjugate gradients.
- `logistic`, pointwise: logistic regression of a flag.
- `pairwise`: logistic loss of every pair of a group, weighted by the difference of the targets (RankNet, Burges et al.
  2005; the weights in the manner of Cao et al. 2006).
- `listwise`: cross entropy between softmax of targets and of scores within the group (ListNet, Cao et al. 2007).

All have a penalty alpha / 2 · |weights|², brought to one scale: that of `squares`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from training.popularity.design import Design
from training.popularity.normal import NormalEquations
from training.popularity.recipes import Learner

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
# Value and gradient (n,) of a loss of scores (n,).
Loss = Callable[[Floats], tuple[float, Floats]]

TOLERANCE, _ROUGH = 1e-4, 1e-2
_FEW = 10_000  # articles, fitted to the end in no time; of few groups a choice goes by little things, too
_STEPS = 300
_REMEMBERED = 2  # steps of L-BFGS
_LEAST_FALL = 0.04  # of the loss in a step, where 1 is the tolerance
_LEAST_SHARE = 1e-3  # of flags or of what is none
_MOST_STRETCHED, _TRIES = 8.0, 6
_MOST_PAIRS = 4_000_000
# How curved a loss is, on average, where least squares have 1: by this alpha is scaled.
_PAIR_CURVATURE, _LIST_CURVATURE = 0.15, 0.5


@dataclass(frozen=True, slots=True)
class Problem:
    """n articles: their features as a `design` (n, width), standardised `targets` (n,), `groups` (n,) as numbers from 0,
    how much each article counts (`emphasis` (n,), 1 on average; None: all alike), and whether the targets stand for
    `flags`."""

    design: Design
    targets: Floats
    groups: Ids
    emphasis: Floats | None = None
    flags: bool = False

    @property
    def counting(self) -> Floats:
        """(n,) the emphasis, whether given or not."""
        return np.ones(len(self.targets)) if self.emphasis is None else self.emphasis


@dataclass(frozen=True, slots=True)
class Solution:
    """scores = features @ weights (width,) + intercept, as that learner has them."""

    weights: Floats
    intercept: float
    learner: Learner


def rough(articles: int) -> float:
    """The tolerance of a fit that is only compared with others."""
    return TOLERANCE if articles < _FEW else _ROUGH


def fit(
    learner: Learner,
    problem: Problem,
    alpha: float,
    *,
    tolerance: float = TOLERANCE,
    start: Solution | None = None,
) -> Solution:
    """Weights that `learner` finds best; `start` are those of a similar problem, perhaps of another learner."""
    with problem.design.pool() as pool:
        equations = NormalEquations(problem.design, problem.targets, problem.counting, pool)
        if learner == "squares":
            weights = equations.solve(alpha, tolerance, None if start is None else start.weights)
            return Solution(weights, equations.centre - float(equations.mean @ weights), learner)
        curvature, loss, base = _asked(learner, problem)
        descent = _Descent(problem, equations, pool, learner, loss, curvature, alpha, base)
        return descent.run(tolerance, start)


def _asked(learner: Learner, problem: Problem) -> tuple[float, Loss, float | None]:
    """How curved the learner's loss is where least squares have 1; the loss; and the score that fits best where nothing is
    known of an article, None where any does, since order alone tells no level."""
    if learner == "pairwise":
        return _PAIR_CURVATURE, _pair_loss(problem), None
    if learner == "listwise":
        return _LIST_CURVATURE, _list_loss(problem), None
    # The targets are standardised: what lies above their mean was a 1.
    hits = (problem.targets > 0).astype(np.float64)
    share = min(max(float(np.average(hits, weights=problem.counting)), _LEAST_SHARE), 1.0 - _LEAST_SHARE)
    curvature = max(float(hits.mean() * (1.0 - hits.mean())), _LEAST_SHARE)
    return curvature, _logistic_loss(problem, hits), float(np.log(share / (1.0 - share)))


@dataclass(frozen=True, slots=True)
class _Descent:
    """L-BFGS on the loss of the scores and the penalty, in weights that are scaled by how curved both are on average. With
    a `base` the level of the scores is free, too."""

    problem: Problem
    equations: NormalEquations
    pool: ThreadPoolExecutor
    learner: Learner
    loss: Loss
    curvature: float
    alpha: float
    base: float | None

    def run(self, tolerance: float, start: Solution | None) -> Solution:
        alpha, size, free = self.alpha * self.curvature, self.problem.design.width, self.base is not None
        scale = np.sqrt(np.maximum(self.curvature * self.equations.squares + alpha, 1e-12))
        design, pool = self.problem.design, self.pool
        weights = np.empty(size)

        def value(point: Floats) -> tuple[float, Floats]:
            np.divide(point[:size], scale, weights)
            scores = design.scores(pool, weights)
            if free:
                scores += point[size]
            found, slope = self.loss(scores)
            gradient = np.empty(len(point))
            design.add_up(pool, slope, alpha, weights, gradient[:size])
            gradient[:size] /= scale
            if free:
                gradient[size] = slope.sum()
            return found + 0.5 * alpha * float(weights @ weights), gradient

        point = np.zeros(size + int(free))
        if start is not None:
            own = start if start.learner == self.learner else self._stretched(start)
            point[:size] = own.weights * scale
            if free:
                point[size] = own.intercept
        options = {"maxiter": _STEPS, "maxcor": _REMEMBERED, "ftol": tolerance * _LEAST_FALL, "gtol": 1e-7}
        found = minimize(value, point, jac=True, method="L-BFGS-B", options=options).x
        return Solution(found[:size] / scale, float(found[size]) if free else 0.0, self.learner)

    def _stretched(self, start: Solution) -> Solution:
        """The weights times the factor that is best of all, at the best level: learners have units of their own."""
        scores = self.problem.design.scores(self.pool, start.weights)
        level = float(self.problem.counting @ scores / self.problem.counting.sum())
        scores -= level
        base = self.base or 0.0
        penalty = 0.5 * self.alpha * self.curvature * float(start.weights @ start.weights)
        found = minimize_scalar(
            lambda factor: self.loss(factor * scores + base)[0] + factor**2 * penalty,
            bounds=(0.0, _MOST_STRETCHED),
            method="bounded",
            options={"maxiter": _TRIES},
        )
        factor = float(found.x)
        return Solution(start.weights * factor, base - factor * level, self.learner)


def _logistic_loss(problem: Problem, hits: Floats) -> Loss:
    emphasis = problem.counting

    def loss(scores: Floats) -> tuple[float, Floats]:
        value = np.logaddexp(0.0, scores) - hits * scores
        return float(emphasis @ value), emphasis * (0.5 * (1.0 + np.tanh(0.5 * scores)) - hits)

    return loss


def _pair_loss(problem: Problem) -> Loss:
    better, worse, weight = pairs(problem)
    count = len(problem.targets)

    def loss(scores: Floats) -> tuple[float, Floats]:
        lead = scores[better] - scores[worse]
        slope = -weight * 0.5 * (1.0 - np.tanh(0.5 * lead))
        gradient = np.bincount(better, slope, count) - np.bincount(worse, slope, count)
        return float(weight @ np.logaddexp(0.0, -lead)), np.asarray(gradient, np.float64)

    return loss


def pairs(problem: Problem) -> tuple[Ids, Ids, Floats]:
    """The pairs (p,) of articles of one group whose targets differ: the better, the worse, and what the pair weighs.

    A group of m articles has pairs in proportion to m², and weighs in proportion to m. Of more than `_MOST_PAIRS` in all,
    the groups' largest give some, drawn by a seed.
    """
    order = np.argsort(problem.groups, kind="stable")
    sizes = np.bincount(problem.groups)
    members = np.split(order, np.cumsum(sizes)[:-1])
    share = min(1.0, _MOST_PAIRS / max(float((sizes.astype(np.float64) ** 2).sum() / 2), 1.0))
    generator = np.random.default_rng(0)
    better, worse, weights = [], [], []
    for rows in members:
        first, second = np.nonzero(problem.targets[rows][:, None] > problem.targets[rows][None, :])
        if share < 1.0:
            some = generator.random(len(first)) < share
            first, second = first[some], second[some]
        weight = (problem.targets[rows[first]] - problem.targets[rows[second]]) / (len(rows) * share)
        if problem.emphasis is not None:
            weight = weight * problem.emphasis[rows].mean()
        better.append(rows[first])
        worse.append(rows[second])
        weights.append(weight)
    if not better:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return np.concatenate(better), np.concatenate(worse), np.concatenate(weights)


def _list_loss(problem: Problem) -> Loss:
    group = problem.groups
    count = int(group.max(initial=-1)) + 1
    sizes = np.bincount(group, minlength=count)
    wanted = _softmax(problem.targets, group, count)[0] * sizes[group]
    if problem.emphasis is not None:
        wanted = wanted * (np.bincount(group, problem.emphasis, count) / np.maximum(sizes, 1))[group]
    mass = np.bincount(group, wanted, count)

    def loss(scores: Floats) -> tuple[float, Floats]:
        share, log_share = _softmax(scores, group, count)
        return float(-(wanted @ log_share)), share * mass[group] - wanted

    return loss


def _softmax(values: Floats, group: Ids, count: int) -> tuple[Floats, Floats]:
    """Of values (n,) within their groups, and its logarithm."""
    most = np.full(count, -np.inf)
    np.maximum.at(most, group, values)
    shifted = values - most[group]
    powers = np.exp(shifted)
    total = np.bincount(group, powers, count)[group]
    return powers / total, shifted - np.log(total)

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
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, cg

from training.popularity.normal import NormalEquations
from training.popularity.recipes import Learner

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
# Value and gradient (n,) of a loss of scores (n,).
Loss = Callable[[Floats], tuple[float, Floats]]

TOLERANCE, ROUGH = 1e-4, 5e-3
_STEPS = 300
_MOST_PAIRS = 4_000_000
# How curved a loss is, on average, where least squares have 1: by this alpha is scaled.
_PAIR_CURVATURE, _LIST_CURVATURE = 0.15, 0.5


@dataclass(frozen=True, slots=True)
class Problem:
    """n articles: `features` (n, width), standardised `targets` (n,), `groups` (n,) as numbers from 0, how much each
    article counts (`emphasis` (n,), 1 on average; None: all alike), and whether the targets stand for `flags`. Where there
    are `rows` (n,), `features` are those of more articles, and these the positions of ours."""

    features: sp.csr_matrix
    targets: Floats
    groups: Ids
    emphasis: Floats | None = None
    flags: bool = False
    rows: Ids | None = None

    @property
    def table(self) -> sp.csr_matrix:
        """(n, width) the features of these articles alone."""
        return self.features if self.rows is None else self.features[self.rows]


@dataclass(frozen=True, slots=True)
class Solution:
    """scores = features @ weights (width,) + intercept."""

    weights: Floats
    intercept: float


def fit(
    learner: Learner,
    problem: Problem,
    alpha: float,
    *,
    tolerance: float = TOLERANCE,
    start: Floats | None = None,
) -> Solution:
    """Weights that `learner` finds best; `start` (width,) are weights from a similar problem."""
    if learner == "squares":
        return _squares(problem, alpha, tolerance, start)
    if learner == "logistic":
        # The targets are standardised: what lies above their mean was a 1.
        hits = (problem.targets > 0).astype(np.float64)
        scale = float(hits.mean() * (1.0 - hits.mean()))
        return _descend(problem, _logistic_loss(problem, hits), alpha * scale, tolerance, start, free=True)
    if learner == "pairwise":
        return _descend(problem, _pair_loss(problem), alpha * _PAIR_CURVATURE, tolerance, start)
    return _descend(problem, _list_loss(problem), alpha * _LIST_CURVATURE, tolerance, start)


def _squares(problem: Problem, alpha: float, tolerance: float, start: Floats | None) -> Solution:
    """(XᵀWX + alpha) w = XᵀWy with X and y centred by their weighted means, preconditioned by the diagonal."""
    count = len(problem.targets)
    rows = np.arange(count) if problem.rows is None else problem.rows
    emphasis = np.ones(count) if problem.emphasis is None else problem.emphasis
    normal = NormalEquations(problem.features, rows, problem.targets, emphasis)
    diagonal = 1.0 / (normal.squares + alpha)
    size = normal.width
    with normal.pool() as pool:
        times = normal.times(pool)
        operator = LinearOperator((size, size), matvec=lambda w: times(w) + alpha * w, dtype=np.float64)
        jacobi = LinearOperator((size, size), matvec=lambda v: diagonal * v, dtype=np.float64)
        weights, _ = cg(operator, normal.right, x0=start, rtol=tolerance, maxiter=_STEPS, M=jacobi)
    return Solution(weights, normal.centre - float(normal.mean @ weights))


def _descend(
    problem: Problem, loss: Loss, alpha: float, tolerance: float, start: Floats | None, *, free: bool = False
) -> Solution:
    """L-BFGS on the loss of the scores and the penalty; `free` adds an intercept, which order alone cannot tell."""
    table = problem.table
    columns = table.T
    size = table.shape[1]

    def value(point: Floats) -> tuple[float, Floats]:
        weights = point[:size]
        scores = table @ weights
        if free:
            scores = scores + point[size]
        found, slope = loss(scores)
        gradient = np.zeros(len(point))
        gradient[:size] = columns @ slope + alpha * weights
        if free:
            gradient[size] = slope.sum()
        return found + 0.5 * alpha * float(weights @ weights), gradient

    point = np.zeros(size + int(free))
    if start is not None:
        point[:size] = start
    options = {"maxiter": _STEPS, "maxcor": 10, "ftol": tolerance * 1e-2, "gtol": 1e-7}
    found = minimize(value, point, jac=True, method="L-BFGS-B", options=options).x
    return Solution(found[:size], float(found[size]) if free else 0.0)


def _logistic_loss(problem: Problem, hits: Floats) -> Loss:
    emphasis = np.ones(len(hits)) if problem.emphasis is None else problem.emphasis

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

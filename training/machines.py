"""Linear support vector machines, one against the rest: scikit-learn's LinearSVC, faster, and interruptible.

The objective is LinearSVC's (squared hinge loss, dual, the intercept regularised like a weight), and so is the stopping
rule: `tolerance` is its `tol`. The kernel's fit.c has the solver and its source.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from joblib import cpu_count
from numpy.typing import NDArray

from classifier.text import native
from classifier.text.memory import cleared
from classifier.text.native import LANES, kernel

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

MOST_PASSES = 1000
_CELLS = 1 << 25  # articles × machines whose state is held at a time
# How far a descent goes before it is measured again which articles have something to say: first until projected gradients
# are within about that of the first article, then to a share of what was measured. Further would be for the wrong articles.
_FIRST, _SHARE = 1.0, 0.25


class NotConverged(UserWarning):
    """The weights are not as near the optimum as was asked for."""


@dataclass(slots=True)
class _Articles:
    """What all machines share: features (n, width), C of each article (n,), processors, whether to stop."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: Floats
    squares: Floats
    cost: Floats
    table: native.Features
    stop: ctypes.c_int32
    pool: ThreadPoolExecutor
    processors: int

    @classmethod
    def of(
        cls, features: sp.csr_matrix, cost: Floats, pool: ThreadPoolExecutor, processors: int
    ) -> _Articles:
        indptr = features.indptr.astype(np.int64)
        indices = np.ascontiguousarray(features.indices, np.int32)
        values = np.ascontiguousarray(features.data, np.float64)
        squares = np.empty(features.shape[0])
        kernel.nd_squares(indptr.ctypes.data, values.ctypes.data, len(squares), squares.ctypes.data)
        table = native.Features(
            *(array.ctypes.data for array in (indptr, indices, values, squares)), *features.shape
        )
        cost = np.ascontiguousarray(cost, np.float64)
        return cls(indptr, indices, values, squares, cost, table, ctypes.c_int32(), pool, processors)

    def __len__(self) -> int:
        return len(self.squares)

    def parts(self, count: int) -> list[tuple[int, int]]:
        """[0, count) in a part a processor."""
        return list(pairwise(np.linspace(0, count, self.processors + 1, dtype=np.int64).tolist()))

    def each(self, act: Callable[..., Any], over: Iterable[Any]) -> None:
        """Call on threads of the pool; an interruption reaches the one that waits here."""
        for task in [self.pool.submit(act, one) for one in over]:
            task.result()


@dataclass(slots=True)
class _Machine:
    """One class: its articles (n,), the weights (width + 1,) it is fitted into, and where its descent is."""

    truth: Truth
    weights: Floats
    alpha: Floats
    order: NDArray[np.uint32]
    state: native.Machine
    passes: int = 0
    spread: float = np.inf  # of the projected gradients of all articles

    @classmethod
    def of(cls, articles: _Articles, truth: Truth, positive: float, weights: Floats, seed: int) -> _Machine:
        truth, alpha = np.ascontiguousarray(truth), np.zeros(len(truth))
        state = native.Machine(
            truth.ctypes.data, articles.cost.ctypes.data, positive, weights.ctypes.data, alpha.ctypes.data
        )
        state.random = seed
        machine = cls(truth, weights, alpha, np.empty(0, np.uint32), state)
        machine.look_at(np.arange(len(truth), dtype=np.uint32))
        return machine

    def look_at(self, order: NDArray[np.uint32]) -> None:
        self.order = order
        self.state.order, self.state.count = order.ctypes.data, len(order)

    def begin(self, articles: _Articles, slack: Floats) -> None:
        """From where articles miss their side of the margin by `slack` (n,)."""
        self.alpha[:] = slack / self._missed(articles)
        kernel.nd_begin(articles.table, self.state)

    def slack(self, articles: _Articles) -> Floats:
        """(n,) by how much they miss it."""
        return np.asarray(self.alpha * self._missed(articles))

    def _missed(self, articles: _Articles) -> Floats:
        """(n,) by how much each misses it at the optimum, for one of its dual variable."""
        return np.asarray(0.5 / (articles.cost * np.where(self.truth, self.state.positive, 1.0)))

    def descend(self, articles: _Articles, tolerance: float) -> None:
        aim = max(tolerance, min(_FIRST, _SHARE * self.spread))
        most = MOST_PASSES - self.passes
        stop = ctypes.addressof(articles.stop)
        self.passes += kernel.nd_descend(articles.table, self.state, aim, most, stop)


def fit_machines(
    features: sp.csr_matrix,
    truth: Truth,
    cost: Floats,
    positive: Floats,
    *,
    tolerance: float,
    seed: int,
    slack: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Weights (width, k) and intercepts (k,) of one machine a column of `truth` (n, k), the same on any number of
    processors.

    `cost` (n,) is C of each article; that of an article of class c is multiplied by `positive[c]` (k,). `slack` (n, k) says
    by how much each article missed its side of the margin in a similar fit, from where this one then goes on; its own are
    written over them. Without any, or where all are 0, it begins with nothing. An interruption ends it after the pass
    that is under way.

    Raises:
        MemoryError: there was none left.
    """
    outputs, processors = truth.shape[1], cpu_count()
    size = (outputs, features.shape[1] + 1)
    weights = cleared(8 * outputs * size[1]).view(np.float64).reshape(size)
    together = max(LANES, _CELLS // max(len(truth), 1))
    # In threads, even if it is one: only where the main one waits outside the kernel can it be interrupted.
    with ThreadPoolExecutor(processors) as pool:
        articles = _Articles.of(features, cost, pool, processors)
        try:
            for first in range(0, outputs, together):
                some = slice(first, min(first + together, outputs))
                machines = [
                    _Machine.of(articles, truth[:, k], float(positive[k]), weights[k], seed)
                    for k in range(some.start, some.stop)
                ]
                _fit(articles, machines, tolerance, None if slack is None else slack[:, some])
        except BaseException:
            articles.stop.value = 1
            raise
    return np.ascontiguousarray(weights[:, :-1].T), weights[:, -1].copy()


def _fit(articles: _Articles, machines: list[_Machine], tolerance: float, slack: Floats | None) -> None:
    """Descend on the articles that have something to say, then look which have now, until nothing changes. `slack` (n, k)
    as in `fit_machines`; at first all have something to say, unless it tells more."""
    packed = cleared((articles.table.width + 1) * LANES * 8)
    left = machines
    if slack is not None:
        begun = [(machine, own) for machine, own in zip(machines, slack.T, strict=True) if own.any()]
        articles.each(lambda one: one[0].begin(articles, one[1]), begun)
        # Where nothing is known all articles ask for the same: that looks like having reached the end.
        fresh = [machine for machine, own in zip(machines, slack.T, strict=True) if not own.any()]
        left = fresh + _measured(articles, [machine for machine, _ in begun], tolerance, packed)
    while left:
        # Those with most to do first: then no thread waits long for another.
        order = sorted(left, key=lambda machine: len(machine.order), reverse=True)
        articles.each(lambda machine: machine.descend(articles, tolerance), order)
        left = _measured(articles, left, tolerance, packed)
    if slack is not None:
        slack[:] = np.stack([machine.slack(articles) for machine in machines], axis=1)


def _measured(
    articles: _Articles, machines: list[_Machine], tolerance: float, packed: NDArray[np.uint8]
) -> list[_Machine]:
    """Those that are not where they should be yet, and may go on."""
    for first in range(0, len(machines), LANES):
        _measure(articles, machines[first : first + LANES], packed)
    left = [machine for machine in machines if machine.spread > tolerance]
    going = [machine for machine in left if machine.passes < MOST_PASSES]
    if len(going) < len(left):
        warnings.warn(f"no convergence in {MOST_PASSES} passes", NotConverged, stacklevel=4)
    return going


def _measure(articles: _Articles, machines: Sequence[_Machine], packed: NDArray[np.uint8]) -> None:
    """Of at most LANES machines: how far apart the projected gradients are, and which articles have something to say."""
    lanes, count = len(machines), len(articles)
    states = (ctypes.POINTER(native.Machine) * lanes)(*(ctypes.pointer(one.state) for one in machines))
    active = np.empty((lanes, count), np.uint8)
    parts = articles.parts(count)
    ranges = np.empty((len(parts), lanes, 2))

    def pack(part: tuple[int, int]) -> None:
        kernel.nd_pack(states, lanes, *part, packed.ctypes.data)

    def measure(number: int) -> None:
        start, end = parts[number]
        kernel.nd_measure(
            articles.table,
            states,
            lanes,
            packed.ctypes.data,
            start,
            end,
            active.ctypes.data,
            ranges[number].ctypes.data,
        )

    def look(lane: int) -> None:
        machines[lane].spread = float(ranges[:, lane, 0].max() - ranges[:, lane, 1].min())
        machines[lane].look_at(np.flatnonzero(active[lane].view(np.bool_)).astype(np.uint32))

    articles.each(pack, articles.parts(articles.table.width + 1))
    articles.each(measure, range(len(parts)))
    articles.each(look, range(lanes))

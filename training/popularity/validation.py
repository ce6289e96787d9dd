"""Walking forward inside the training part: which articles are fitted, which are asked, and how well they were ranked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.corpus import Corpus, Ids, Mask
from training.labels import Judgements
from training.metrics import SMALLEST_GROUP
from training.metrics.ranking import GROUP_METRICS, Judged
from training.splits import day_folds

Floats = NDArray[np.float64]
_NEWEST, _WINDOWS = 0.4, 2
_LEAST_DAYS = 10
_LEAST_GROUPS = 8  # with fewer to judge by, nothing is chosen
_MOST_GROUPS = 4000
# What a choice goes by, averaged: one alone is noisier, and a head that gains in one and loses in the others is no better.
_JUDGED = ("ndcg_at_5", "ndcg_at_10", "top5_overlap", "pairwise_accuracy")


@dataclass(frozen=True, slots=True)
class Window:
    """Articles (n,) that are fitted, and articles that are then asked about."""

    fitted: Mask
    asked: Mask


@dataclass(frozen=True)
class Validation:
    """The windows, in time if `forward`, and what is known about the articles."""

    windows: tuple[Window, ...]
    judgements: Judgements
    forward: bool

    @property
    def asked(self) -> Mask:
        """(n,) articles of any window."""
        return np.asarray(np.logical_or.reduce([window.asked for window in self.windows]))

    def usable(self) -> bool:
        """Whether there is enough to choose by."""
        return bool(self.windows) and len(self._groups) >= _LEAST_GROUPS

    def quality(self, scores: Floats) -> Floats:
        """(groups,) of the asked articles' groups: the mean of `_JUDGED`. `scores` (n,)."""
        at = [GROUP_METRICS.index(name) for name in _JUDGED]
        metrics = [group.metrics(scores[rows]) for rows, group in self._groups]
        table = np.array(metrics, np.float64).reshape(-1, len(GROUP_METRICS))[:, at]
        known = np.isfinite(table)
        counts = known.sum(axis=1)
        sums = np.where(known, table, 0.0).sum(axis=1)
        return np.asarray(sums / np.maximum(counts, 1))

    @cached_property
    def _groups(self) -> list[tuple[Ids, Judged]]:
        """The articles of each group that can be judged, and what is known of it."""
        judged = self.judgements
        asked = self.asked[judged.rows]
        at = np.flatnonzero(asked)
        _, group, sizes = np.unique(judged.groups[at], return_inverse=True, return_counts=True)
        order = np.argsort(group, kind="stable")
        found = []
        for members in np.split(at[order], np.cumsum(sizes)[:-1]):
            values = judged.values[members]
            if len(members) >= SMALLEST_GROUP and values.min() < values.max():
                found.append(members)
        step = -(-len(found) // _MOST_GROUPS) if found else 1
        return [
            (judged.rows[members], Judged(judged.values[members], judged.flags)) for members in found[::step]
        ]


def make_validation(corpus: Corpus, judgements: Judgements, days: NDArray[np.str_], folds: int) -> Validation:
    """The newest `_NEWEST` in windows of days, each predicted from all before it; where there are few days, or articles
    without one, folds of days. `days` (n,) stand in order of time and name something for every article."""
    instants = corpus.instants
    dated = np.isfinite(instants)
    own = np.unique(days[dated])
    if dated.mean() >= 0.5 and len(own) >= _LEAST_DAYS:
        ordered = np.sort(days[dated])
        edges = [
            str(
                ordered[
                    min(int(len(ordered) * (1.0 - _NEWEST * (_WINDOWS - i) / _WINDOWS)), len(ordered) - 1)
                ]
            )
            for i in range(_WINDOWS)
        ]
        windows = []
        for i, first in enumerate(edges):
            asked = dated & (days >= first)
            if i + 1 < len(edges):
                asked &= days < edges[i + 1]
            # What has no time is taken to be old.
            windows.append(Window(~dated | (days < first), asked))
        if all(window.fitted.any() and window.asked.any() for window in windows):
            return Validation(tuple(windows), judgements, True)
    fold = day_folds(days, folds)
    numbers = np.unique(fold)
    if len(numbers) < 2:
        return Validation((), judgements, False)
    return Validation(tuple(Window(fold != k, fold == k) for k in numbers), judgements, False)

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
_JUDGED = ("ndcg_at_5", "ndcg_at_10", "top5_overlap", "pairwise_accuracy")
_LEAST_GAIN = 0.0005  # by less a recipe is no better
# Nor by fewer standard errors: of what helps as often as not, chance alone gives one in fifteen; of what is known to help
# mostly, the likeliest gain is above 0 even where less is seen.
CLEAR, PLAUSIBLE = 1.5, 0.5
_LOST = 1.5  # standard errors at the top
_NOTHING = 1e-20  # of squares of what is left of equal numbers


@dataclass(frozen=True, slots=True)
class Window:
    """Articles (n,) that are fitted, and articles that are then asked about."""

    fitted: Mask
    asked: Mask


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the groups (groups,) were ranked: `agreement` is the correlation of scores and targets, 0 where all scores
    are equal; `top` the mean of `_JUDGED`, which see order only, and most of it that of the first.

    What adds a little to every score is many times clearer in the first than in the second, where it shows only if
    articles change places. Of scores in other units (those of another learner) only the second tells.
    """

    agreement: Floats
    top: Floats

    def __str__(self) -> str:
        return f"{self.agreement.mean():.4f} ({self.top.mean():.4f})"

    def better_than(self, other: Quality, errors: float = CLEAR, *, same_units: bool = True) -> bool:
        """By more than noise: in agreement by so many standard errors of the paired difference over groups, and at the
        top not worse by more than `_LOST`; in other units by one at the top."""
        lead, lead_error = _difference(self.top, other.top)
        if not same_units:
            return lead > max(lead_error, _LEAST_GAIN)
        gain, error = _difference(self.agreement, other.agreement)
        return gain > max(errors * error, _LEAST_GAIN) and lead >= -_LOST * lead_error


def _difference(first: Floats, second: Floats) -> tuple[float, float]:
    """The mean of the differences, and its standard error."""
    differences = first - second
    return float(differences.mean()), float(differences.std()) / len(differences) ** 0.5


@dataclass(frozen=True)
class Validation:
    """The windows, in time if `forward`, and what is known about the articles: `targets` (n,) and judgements."""

    windows: tuple[Window, ...]
    targets: Floats
    judgements: Judgements
    forward: bool

    @property
    def asked(self) -> Mask:
        """(n,) articles of any window."""
        return np.asarray(np.logical_or.reduce([window.asked for window in self.windows]))

    @property
    def newest(self) -> Mask:
        """(n,) articles of the newest window; none without times."""
        return self.windows[-1].asked if self.forward else np.zeros(len(self.targets), np.bool_)

    def usable(self) -> bool:
        """Whether there is enough to choose by."""
        return bool(self.windows) and len(self._groups) >= _LEAST_GROUPS

    def quality(self, scores: Floats) -> Quality:
        """Of the asked articles' groups. `scores` (n,)."""
        return Quality(self._agreement(scores), self._top(scores))

    def _agreement(self, scores: Floats) -> Floats:
        """(groups,) Pearson's correlation of scores (n,) and targets within each."""
        found = np.zeros(len(self._groups))
        for number, (rows, _) in enumerate(self._groups):
            own, wanted = scores[rows] - scores[rows].mean(), self.targets[rows] - self.targets[rows].mean()
            lengths = float(own @ own) * float(wanted @ wanted)
            if lengths > _NOTHING:
                found[number] = float(own @ wanted) / lengths**0.5
        return found

    def _top(self, scores: Floats) -> Floats:
        """(groups,) the mean of those of `_JUDGED` that a group defines."""
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


def make_validation(
    corpus: Corpus, targets: Floats, judgements: Judgements, days: NDArray[np.str_], folds: int
) -> Validation:
    """The newest `_NEWEST` in windows of days, each predicted from all before it; where there are few days, or articles
    without one, folds of days. `days` (n,) stand in order of time and name something for every article; `targets` (n,) are
    those that recipes are fitted to."""
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
            return Validation(tuple(windows), targets, judgements, True)
    fold = day_folds(days, folds)
    numbers = np.unique(fold)
    if len(numbers) < 2:
        return Validation((), targets, judgements, False)
    return Validation(tuple(Window(fold != k, fold == k) for k in numbers), targets, judgements, False)

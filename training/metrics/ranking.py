"""Ranking metrics of one group of articles, within which popularity is comparable.

**Ties are never broken.** Where scores are tied, every metric is the expectation over the orders of the tied
articles, as a closed form (McSherry & Najork 2008), so that a constant scores exactly what random scores
reach in the mean. Where the truth is tied at the edge of the top k, or for the first place, its order is
random likewise.

Sums are exact (`math.fsum`) or of integers: the order of the rows cannot change a metric, not even in the
last bit.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from classifier.errors import LabelError
from training.metrics._checks import Floats, at_least_one, not_empty, numbers, same_length
from training.metrics._ties import Ranking, ascents, pairs_within, ranked

TOP = 5
_COMPARED = 128  # articles of a group up to which pairs are compared one by one
GROUP_METRICS = ("ndcg_at_5", "ndcg_at_10", "top5_overlap", "mrr", "pairwise_accuracy")


def gains(truth: npt.ArrayLike, flag: bool) -> Floats:
    """How much finding each article of a group is worth, (n,) of 0 to 4: the graded relevance of DCG.

    An article's rank (1 is the most popular; equal counts share the better rank) over the size of the group
    gives 4 up to 5 %, 3 up to 10 %, 2 up to 25 %, 1 up to 50 %, else 0. A flag is its own gain. Equal counts
    share the better rank, so a group whose counts are all equal has one gain throughout (4 from 20 articles
    on) and nDCG 1 for every order.

    Args:
        truth: (n,) counts or flags of one group.
        flag: whether they are flags.

    Raises:
        LabelError: the group is empty, a value is missing, or `flag` and a value is neither 0 nor 1.
    """
    t = numbers(truth, "truth", labels=True)
    not_empty(len(t))
    if flag:
        check_flags(t)
        return t
    return _gains(ranked(t))


def ndcg_at(gains: npt.ArrayLike, scores: npt.ArrayLike, k: int) -> float:
    """nDCG at k of one group, ties in expectation.

    DCG = sum of (2^gain − 1) / log2(place + 1) over the first k places: the discount of Järvelin & Kekäläinen
    (2002), the exponential gain of Burges et al. (2005), over the DCG of the best order. Tied articles each
    get the mean discount of the places they share, places beyond k counting 0 (McSherry & Najork 2008). NaN
    where every gain is 0.

    Args:
        gains: (n,) as `gains` gives them.
        scores: (n,) higher is predicted to be more popular.

    Raises:
        LabelError: the group is empty, or a gain is missing.
        UsageError: the lengths differ, a score is NaN, or k is under 1.
    """
    g = numbers(gains, "gains", labels=True)
    s = _scores(scores, g)
    at_least_one(k, "k")
    return _ndcg(g, ranked(s), k)


def top_k_membership(values: npt.ArrayLike, k: int) -> Floats:
    """The probability (n,) of each article to be in the top k of one group when ties are ordered at random.

    1 above the k-th value and 0 below it; the articles tied at the edge share the places that are left. The
    sum is min(k, n).

    Raises:
        LabelError: the group is empty.
        UsageError: a value is NaN, or k is under 1.
    """
    v = numbers(values, "values")
    not_empty(len(v))
    at_least_one(k, "k")
    return _membership(ranked(v), k)


def top_k_overlap(truth: npt.ArrayLike, scores: npt.ArrayLike, k: int = TOP) -> float:
    """The share of one group's true top k that is in the predicted top k.

    Ties on both sides are ordered at random, independently: sum of the products of `top_k_membership` over
    min(k, n). So flags with fewer than k ones, and counts tied at the edge, keep a perfect order under 1.

    Args:
        truth: (n,) counts or flags.
        scores: (n,)

    Raises:
        LabelError: the group is empty, or a truth is missing.
        UsageError: the lengths differ, a score is NaN, or k is under 1.
    """
    t = numbers(truth, "truth", labels=True)
    s = _scores(scores, t)
    at_least_one(k, "k")
    return _overlap(_membership(ranked(t), k), _membership(ranked(s), k), k)


def mrr(truth: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """1 / the predicted place of one group's most popular article (reciprocal rank, Voorhees 1999).

    Tied scores: the mean of 1 / place over the places that the tied articles share. Where several articles
    are equally the most popular, each is the best with equal chance: with m ones among flags a perfect order
    has (1 + … + 1/m) / m.

    Args:
        truth: (n,) counts or flags.
        scores: (n,)

    Raises:
        LabelError: the group is empty, or a truth is missing.
        UsageError: the lengths differ, or a score is NaN.
    """
    t = numbers(truth, "truth", labels=True)
    return _mrr(t == t.max(), ranked(_scores(scores, t)))


def pairwise_accuracy(truth: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """The share of one group's pairs that the scores put in the right order (concordance, Harrell 1982).

    Pairs of equal truth are left out, pairs of tied scores count half. NaN where all truths are equal. Time
    is n times the square of log n, memory proportional to n.

    Args:
        truth: (n,) counts or flags.
        scores: (n,)

    Raises:
        LabelError: the group is empty, or a truth is missing.
        UsageError: the lengths differ, or a score is NaN.
    """
    t = numbers(truth, "truth", labels=True)
    return _pairwise(ranked(t), ranked(_scores(scores, t)))


def auc(flags: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """The area under the ROC curve: how often a 1 scores above a 0, ties half (Hanley & McNeil 1982).

    NaN where there are only ones or only zeros.

    Args:
        flags: (n,) 0 or 1, of any number of groups.
        scores: (n,)

    Raises:
        LabelError: there are no articles, or a flag is neither 0 nor 1.
        UsageError: the lengths differ, or a score is NaN.
    """
    f = numbers(flags, "flags", labels=True)
    ranking = ranked(_scores(scores, f))
    check_flags(f)
    ones = np.add.reduceat(f[ranking.rows].astype(np.int64), ranking.starts)
    zeros = ranking.sizes - ones
    below = zeros.sum() - np.cumsum(zeros)
    pairs = int(ones.sum()) * int(zeros.sum())
    return int((ones * (2 * below + zeros)).sum()) / (2 * pairs) if pairs else math.nan


class Judged:
    """One group whose truth (n,) has been checked: what is the same whatever the scores."""

    def __init__(self, t: Floats, flags: bool) -> None:
        self._ranking = ranked(t)
        worth = np.exp2(t if flags else _gains(self._ranking)) - 1
        self._discounted = [(worth, discount, _ideal(worth, discount)) for discount in _discounts(len(t))]
        self._top = _membership(self._ranking, TOP)
        self._best = t == t.max()
        self._better = t[:, None] > t if len(t) <= _COMPARED else None

    def metrics(self, s: Floats) -> tuple[float, ...]:
        """The `GROUP_METRICS` of scores (n,) that have been checked; they are ranked only once."""
        ranking = ranked(s)
        return (
            *[_share_of_ideal(*own, ranking) for own in self._discounted],
            _overlap(self._top, _membership(ranking, TOP), TOP),
            _mrr(self._best, ranking),
            _pairwise(self._ranking, ranking) if self._better is None else _compared(self._better, s),
        )


def _gains(ranking: Ranking) -> Floats:
    n = len(ranking.rows)
    rank = ranking.spread(ranking.starts + 1)
    graded = np.zeros(n)
    for part, gain in ((2, 1), (4, 2), (10, 3), (20, 4)):
        graded[rank * part <= n] = gain  # in integers: no rounding at the edges
    return graded


def _ndcg(g: Floats, ranking: Ranking, k: int) -> float:
    worth, discount = np.exp2(g) - 1, _discount(len(g), k)
    return _share_of_ideal(worth, discount, _ideal(worth, discount), ranking)


def _discount(count: int, k: int) -> Floats:
    places = np.arange(1, count + 1)
    return np.where(places <= k, 1 / np.log2(places + 1), 0.0)


@lru_cache(1024)
def _discounts(count: int) -> tuple[Floats, ...]:
    """Those of `GROUP_METRICS` for a group of so many articles."""
    return _discount(count, 5), _discount(count, 10)


def _ideal(worth: Floats, discount: Floats) -> float:
    return math.fsum((-np.sort(-worth) * discount).tolist())


def _share_of_ideal(worth: Floats, discount: Floats, ideal: float, ranking: Ranking) -> float:
    if not ideal:
        return math.nan
    return min(1.0, math.fsum((worth * ranking.expected(discount)).tolist()) / ideal)


def _membership(ranking: Ranking, k: int) -> Floats:
    return ranking.expected((np.arange(len(ranking.rows)) < k).astype(np.int64))


def _overlap(true: Floats, predicted: Floats, k: int) -> float:
    return math.fsum((true * predicted).tolist()) / min(k, len(true))


def _mrr(is_best: npt.NDArray[np.bool_], ranking: Ranking) -> float:
    reciprocal = ranking.expected(1 / np.arange(1, len(is_best) + 1))
    best = reciprocal[is_best]
    return math.fsum(best.tolist()) / len(best)


def brier(p: Floats, outcome: Floats) -> float:
    """The mean of (p − y)² in the expectation over y, which is 1 with the probability `outcome`."""
    return math.fsum((outcome * (1 - p) ** 2 + (1 - outcome) * p**2).tolist()) / len(p)


def _pairwise(truth: Ranking, scores: Ranking) -> float:
    n, blocks = len(truth.rows), len(scores.starts)
    truth_block, score_block = truth.spread(np.arange(len(truth.starts))), scores.spread(np.arange(blocks))
    # Worst truth first, within equal truth best score first: the ascents are the pairs in the right order.
    keys = np.sort((len(truth.starts) - 1 - truth_block) * blocks + score_block)
    right = ascents(blocks - 1 - keys % blocks)
    tied_in_both = pairs_within(np.diff(np.flatnonzero(np.diff(keys, prepend=-1, append=-1))))
    pairs = n * (n - 1) // 2 - pairs_within(truth.sizes)
    tied = pairs_within(scores.sizes) - tied_in_both
    return (2 * right + tied) / (2 * pairs) if pairs else math.nan


def _compared(better: npt.NDArray[np.bool_], s: Floats) -> float:
    """`_pairwise`, pair by pair: quicker for few articles. `better` (n, n) is whether one's truth is above another's."""
    pairs = int(np.count_nonzero(better))
    right = int(np.count_nonzero(better & (s[:, None] > s)))
    tied = int(np.count_nonzero(better & (s[:, None] == s)))
    return (2 * right + tied) / (2 * pairs) if pairs else math.nan


def _scores(scores: npt.ArrayLike, truth: Floats) -> Floats:
    s = numbers(scores, "scores")
    not_empty(same_length(truth=truth, scores=s))
    return s


def check_flags(t: Floats) -> None:
    """
    Raises:
        LabelError: a value is neither 0 nor 1.
    """
    if not ((t == 0) | (t == 1)).all():
        raise LabelError("a flag is neither 0 nor 1", remedy="evaluate counts with flags off")

"""From clicks to judgements and targets: what an article got in the lists that it was shown in, against what was to be
expected there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.corpus import Mask
from training.labels.judgements import NO_JUDGEMENTS, Floats, Judgements
from training.labels.shown import UNKNOWN, Clicks, Ints

# Lists that judgements hold; targets are of all of them. Measuring on more takes long and tells nothing new.
MAX_LISTS = 50_000
_POSITION_PRIOR = 100.0  # lines' worth of the overall click rate in that of a position
_PRIOR = 3.0  # expected clicks' worth of shrinkage where no article was shown in two lists
_PRIORS = (1.0, 100.0)
_MANY = 4  # clicked (or other) lines of a list above which its chances are approximated
_ROUNDS, _STEP, _CLOSE = 50, 2.0, 1e-6


def click_judgements(clicks: Clicks, part: Mask, *, limit: int = MAX_LISTS) -> Judgements:
    """Flags, a list a group, about the articles of `part` (n,), positions counted inside it; `targets` are `click_targets`.

    Only lines of the part's articles are looked at, so that what was clicked on the other side says nothing here. A list
    without a click, or with clicks only, is left out: it does not tell its articles apart. Of more than `limit` lists the
    judgements hold so many, drawn by lot; their names are numbers.
    """
    own = part[clicks.rows]
    lists, clicked = clicks.lists[own], clicks.clicked[own]
    told = _told(lists, clicked)
    if not told.any():
        return NO_JUDGEMENTS
    weights = position_rates(clicked, clicks.positions[own])[told]
    rows = (np.cumsum(part) - 1)[clicks.rows[own][told]]
    lists, clicked = lists[told], clicked[told]
    number = np.cumsum(np.diff(lists, prepend=-1) > 0) - 1
    expected = expected_clicks(number, clicked, weights)
    targets = click_targets(rows, clicked, expected, int(part.sum()))
    count = int(number[-1]) + 1
    drawn = np.zeros(count, np.bool_)
    drawn[np.random.default_rng(0).permutation(count)[:limit]] = True
    held = drawn[number]
    names = np.arange(count).astype(f"<U{len(str(count))}")
    return Judgements(rows[held], clicked[held].astype(np.float64), names[number[held]], True, targets)


def telling_lists(clicks: Clicks) -> int:
    """How many lists have both clicked and other articles."""
    return len(np.unique(clicks.lists[_told(clicks.lists, clicks.clicked)]))


def _told(lists: Ints, clicked: NDArray[np.bool_]) -> Mask:
    """(m,) whether the line's list has both clicked and other articles."""
    sizes, clicks = np.bincount(lists), np.bincount(lists, clicked)
    return np.asarray(((clicks > 0) & (clicks < sizes))[lists])


def position_rates(clicked: NDArray[np.bool_], positions: NDArray[np.int32]) -> Floats:
    """(m,) the click rate at each line's position, over all lists, shrunk by 100 lines to the overall rate; the overall
    rate where the position is unknown. Some lines are clicked and some not, so that no rate is 0 or 1."""
    overall = float(clicked.mean())
    if (positions == UNKNOWN).all():
        return np.full(len(clicked), overall)
    places, at = np.unique(positions, return_inverse=True)
    got, shown = np.bincount(at, clicked), np.bincount(at)
    rates = (got + _POSITION_PRIOR * overall) / (shown + _POSITION_PRIOR)
    return np.asarray(np.where(places == UNKNOWN, overall, rates)[at])


def expected_clicks(lists: Ints, clicked: NDArray[np.bool_], weights: Floats) -> Floats:
    """(m,) the clicks that an article of no particular interest would have got in its list: the chance that its line is
    among the list's clicked ones, knowing how many those are, if each line is clicked with its position's click rate
    `weights` (m,; between 0 and 1). A list's lines add up to its clicks; without positions each has the list's mean.

    The examination hypothesis (Richardson, Dominowska & Ragno, WWW 2007; Craswell, Zoeter, Taylor & Ramsey, WSDM 2008):
    a click takes that the place was looked at and that the article appealed, and the first depends on the place alone.
    Rates by position hold some appeal, too, where a site shows the best first: then this takes out a little too much.

    Chances of k drawn lines from those of k − 1 (Chen, Dempster & Liu, Biometrika 1994), drawn of the rarer kind, clicked
    or not; as rounding errors grow with k, those of lists with many of both kinds by `_matched`.
    """
    clicks, sizes = np.bincount(lists, clicked), np.bincount(lists)
    few = np.minimum(clicks, sizes - clicks)
    rare = (2 * clicks <= sizes)[lists]
    odds = weights / (1.0 - weights)
    odds = np.where(rare, odds, 1.0 / odds)
    share = np.zeros(len(lists))
    at = np.flatnonzero((few <= _MANY)[lists])
    for step in range(1, int(few[few <= _MANY].max(initial=0.0)) + 1):
        at = at[few[lists[at]] >= step]
        room = odds[at] * (1.0 - share[at])
        share[at] = np.minimum(step * room / np.bincount(lists[at], room)[lists[at]], 1.0)
    at = np.flatnonzero((few > _MANY)[lists])
    if len(at):
        share[at] = _matched(np.unique(lists[at], return_inverse=True)[1], odds[at], few[few > _MANY])
    return np.asarray(np.where(rare, share, 1.0 - share))


def _matched(lists: Ints, odds: Floats, drawn: Floats) -> Floats:
    """(m,) the same chances where a list has many `drawn` (lists,) lines: of independent lines whose odds are `odds` (m,)
    times a factor of the list, such that the list adds up (Newton's method for the logarithm of the factor), then made
    those of a fixed number of lines (Hájek, Annals of Mathematical Statistics 1964)."""
    sizes = np.bincount(lists)
    factor = np.log(drawn / (sizes - drawn)) - np.bincount(lists, np.log(odds)) / sizes
    for _ in range(_ROUNDS):
        raised = np.exp(factor[lists]) * odds
        chance = raised / (1.0 + raised)
        spread = np.bincount(lists, chance * (1.0 - chance))
        short = drawn - np.bincount(lists, chance)
        if float(np.abs(short).max()) < _CLOSE:
            break
        factor += np.clip(short / np.maximum(spread, _CLOSE), -_STEP, _STEP)  # where it would leap, it walks
    middle = np.bincount(lists, chance**2 * (1.0 - chance)) / spread
    fixed = chance * (1.0 - (middle[lists] - chance) * (1.0 - chance) / spread[lists])
    return np.clip(fixed, 0.0, 1.0)


def click_targets(rows: Ints, clicked: NDArray[np.bool_], expected: Floats, count: int) -> Floats:
    """(count,) targets, NaN for articles that no list tells anything about.

    An article was clicked C times where E clicks were to be expected. Its target is log(1 + (C − E) / (E + k)): the mean
    over its lists of clicked minus expected, in units of the mean expectation and shrunk by E / (E + k); and as a
    logarithm, like counts. It equals log((C + k) / (E + k)), the empirical Bayes estimate of its relative click rate
    (gamma–Poisson: Robbins 1956; DuMouchel, The American Statistician 1999; of clicks over expected clicks: Zhang & Jones,
    WWW 2007): one lucky list moves it little, a thousand move it all the way. k is one over the variance of the articles'
    relative rates, by the method of moments from pairs of lists that show the same article, kept within 1 to 100, and 3
    where there are no such pairs. Targets are scaled to a mean square of 1, weighted by E.
    """
    surplus = clicked - expected
    of_article = np.bincount(rows, surplus, count).astype(np.float64)
    hoped = np.bincount(rows, expected, count).astype(np.float64)
    targets = np.log1p(of_article / (hoped + _prior(surplus, expected, of_article, hoped)))
    known = hoped > 0
    scale = float(np.sqrt(np.average(targets[known] ** 2, weights=hoped[known]))) if known.any() else 0.0
    if scale < 1e-9:
        return np.full(count, np.nan)  # every article got just what was to be expected
    return np.asarray(np.where(known, targets / scale, np.nan))


def _prior(surplus: Floats, expected: Floats, of_article: Floats, hoped: Floats) -> float:
    """1 / the variance of relative rates: products of surpluses in two lists of one article are, in the mean, that
    variance times the product of what was expected in them."""
    pairs = float((hoped**2).sum() - (expected**2).sum())
    if pairs <= 1e-9:
        return _PRIOR
    variance = float((of_article**2).sum() - (surplus**2).sum()) / pairs
    low, high = _PRIORS
    return min(max(1.0 / variance, low), high) if variance > 1.0 / high else high

"""Judgements: the one form that counts, flags, clicks and ranking boxes are brought to, and targets to fit from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from training.corpus import Corpus, Mask

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judgements:
    """m judgements: article positions `rows` (m,), `values` (m,), group names `groups` (m,), and whether they are flags.

    `targets` (n articles,; NaN unknown) are there where more is known than the values within their groups say; `then` are
    the judgements that fill in where these know nothing of an article. `places`: values say an order, and no more.
    """

    rows: NDArray[np.int64]
    values: Floats
    groups: NDArray[np.str_]
    flags: bool
    targets: Floats | None = None
    then: Judgements | None = None
    places: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def within(self, mask: Mask) -> Judgements:
        """Those about the articles of a mask, with positions counted inside it."""
        position = np.cumsum(mask) - 1
        keep = mask[self.rows]
        return Judgements(
            position[self.rows[keep]],
            self.values[keep],
            self.groups[keep],
            self.flags,
            None if self.targets is None else self.targets[mask],
            None if self.then is None else self.then.within(mask),
            self.places,
        )

    def telling(self) -> Judgements:
        """Those of groups with a value above 0: a box whose listed articles are all elsewhere says nothing."""
        _, group = np.unique(self.groups, return_inverse=True)
        keep = (np.bincount(group, self.values > 0) > 0)[group]
        return replace(self, rows=self.rows[keep], values=self.values[keep], groups=self.groups[keep])

    def chain(self) -> Iterator[Judgements]:
        """These, and those that fill in, in order."""
        yield self
        if self.then is not None:
            yield from self.then.chain()


NO_JUDGEMENTS = Judgements(np.empty(0, np.int64), np.empty(0), np.empty(0, np.str_), False)


def count_judgements(corpus: Corpus) -> Judgements:
    """Of the popularity column, for articles with a group. They are flags where all of them are 0 or 1."""
    if not np.isfinite(corpus.popularity).any():
        return NO_JUDGEMENTS
    grouped = np.array([group is not None for group in corpus.groups], np.bool_)
    known = np.flatnonzero(np.isfinite(corpus.popularity) & grouped)
    values = corpus.popularity[known]
    groups = np.array([corpus.groups[i] for i in known], dtype=np.str_)
    return Judgements(known, values, groups, bool(len(values)) and bool(np.isin(values, (0.0, 1.0)).all()))


def training_targets(judgements: Judgements, others: Judgements, count: int) -> Floats:
    """(count,) standardised targets, from `others` where `judgements` know nothing; each followed by what fills in."""
    targets = np.full(count, np.nan)
    for source in (*judgements.chain(), *others.chain()):
        targets = np.where(np.isfinite(targets), targets, standardised_targets(source, count))
    return targets


def standardised_targets(judgements: Judgements, count: int) -> Floats:
    """(count,) regression targets, NaN where nothing is known; of clicks those of `click_targets`.

    Within each group the values (of counts log(1 + x), mirrored below 0; of places their normal scores) are centred
    and scaled to unit deviation; groups whose values are all equal say nothing. An article with several judgements takes
    their mean.
    """
    if judgements.targets is not None:
        return judgements.targets
    total, seen = np.zeros(count), np.zeros(count)
    _, group = np.unique(judgements.groups, return_inverse=True)
    values = judgements.values
    if judgements.places:
        values = normal_scores(values, group)
    elif not judgements.flags:
        values = np.sign(values) * np.log1p(np.abs(values))
    sizes = np.bincount(group)
    mean = np.bincount(group, values) / np.maximum(sizes, 1)
    centred = values - mean[group]
    deviation = np.sqrt(np.bincount(group, centred**2) / np.maximum(sizes, 1))
    told = differing(group, values)[1] & (deviation[group] > 0)
    np.add.at(total, judgements.rows[told], centred[told] / deviation[group][told])
    np.add.at(seen, judgements.rows[told], 1.0)
    return np.where(seen > 0, total / np.maximum(seen, 1.0), np.nan)


def normal_scores(values: Floats, group: NDArray[np.int64]) -> Floats:
    """(m,) what a standard normal variable is expected to be at each value's place in its group (van der Waerden 1952; a
    place p of n stands at (p − 1/2) / n); equal values share the mean of their places. Logarithms of counts are about
    normal, so that places teach on the scale of counts."""
    order = np.lexsort((values, group))
    sizes = np.bincount(group)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    in_order = group[order]
    place = np.arange(len(order)) - starts[in_order] + 0.5
    expected = ndtri(place / sizes[in_order])
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(in_order) != 0) | (np.diff(values[order]) != 0)
    tie = np.cumsum(new) - 1
    found = np.empty(len(order))
    found[order] = (np.bincount(tie, expected) / np.bincount(tie))[tie]
    return found


def differing(group: NDArray[np.int64], values: Floats) -> tuple[Mask, Mask]:
    """(groups,) and (m,): whether a group's values differ, of the group and of its members.

    Compared exactly: in a large group of equal values rounding alone gives a deviation.
    """
    count = int(group.max(initial=-1)) + 1
    least, most = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(least, group, values)
    np.maximum.at(most, group, values)
    return most > least, (most > least)[group]

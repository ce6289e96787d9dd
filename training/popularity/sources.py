"""What the head knows of each source: how its scores spread, and how many articles its days have."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from classifier.popularity import DAYS, MIN_SOURCE_ARTICLES, QUANTILES
from classifier.text.times import HOURS, time_features
from training.corpus import Corpus
from training.labels import Judgements

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
_RECENT_DAYS = 28  # the size of a day drifts: four of each weekday, if they are there
_LEAST = 3  # groups that a median needs


def source_names(corpus: Corpus) -> tuple[tuple[str, ...], Ids]:
    """The sources by name, and each article's (n,) as a row of PopularityHead's tables, 0 without one."""
    named = [str(value or "") for value in corpus.rows.values("source")]
    sources = tuple(sorted(name for name in Counter(named) if name))
    ids = {name: i + 1 for i, name in enumerate(sources)}
    return sources, np.array([ids.get(name, 0) for name in named], np.int64)


def weekdays(corpus: Corpus) -> Ids:
    """(n,) local weekdays from 0, DAYS − 1 without a time: columns of PopularityHead.group_sizes."""
    found = (time_features(time, corpus.timezone) for time in corpus.times)
    return np.array([DAYS - 1 if ids is None else ids[1] - HOURS for ids in found], np.int64)


def score_quantiles(scores: Floats, source: Ids, count: int) -> Floats:
    """(count + 1, QUANTILES) of scores (n,) whose sources (n,) are numbered from 1; row 0 over all."""
    grid = np.linspace(0.0, 1.0, QUANTILES)
    overall = np.quantile(scores, grid)
    rows = [overall]
    for number in range(1, count + 1):
        own = source == number
        rows.append(np.quantile(scores[own], grid) if own.sum() >= MIN_SOURCE_ARTICLES else overall)
    # Rising by definition; interpolation between equal scores may fall in the last bit.
    return np.maximum.accumulate(np.array(rows), axis=1)


def group_sizes(corpus: Corpus, judgements: Judgements, sizes: Floats, source: Ids, count: int) -> Floats:
    """(count + 1, DAYS) median sizes of groups that a source has articles in, by weekday: of the newest four weeks, else
    of all times, else on any day, else of any source; sizes (m,) are those of the judgements' groups."""
    day, instants = weekdays(corpus)[judgements.rows], corpus.instants[judgements.rows]
    own = source[judgements.rows]
    # A group counts once for each source that has articles in it.
    _, names = np.unique(judgements.groups, return_inverse=True)
    _, first = np.unique(np.stack([names, own]), axis=1, return_index=True)
    _, each = np.unique(names, return_index=True)
    newest = np.nanmax(corpus.instants, initial=-np.inf) if np.isfinite(corpus.instants).any() else 0.0
    recent = instants >= newest - _RECENT_DAYS * 86400.0
    everywhere = float(np.median(sizes[each])) if len(each) else 1.0
    table = np.full((count + 1, DAYS), everywhere)
    for number in range(count + 1):
        mine = first[own[first] == number] if number else each
        if not len(mine):
            continue
        table[number] = np.median(sizes[mine])
        for weekday in range(DAYS - 1):
            here = mine[day[mine] == weekday]
            now = here[recent[here]]
            kept = now if len(now) >= _LEAST else here
            if len(kept) >= _LEAST:
                table[number, weekday] = np.median(sizes[kept])
    return table

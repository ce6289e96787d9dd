"""The articles on which predicted and real popularity differ most: hits we missed, flops we promised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.metrics.ranking import TOP
from training.report.popularity.content import Floats, Ints, Place, Surprise

Rows = NDArray[np.intp]
Words = Callable[[int, Ints], Sequence[tuple[str, float]]]
MOST_WORDS = 8


class _Candidate(NamedTuple):
    badness: float  # 0 to 1
    other: float  # 0 to 1, how near the top the other order has it
    article: int
    group: str
    true: Place
    predicted: Place


def surprises(
    articles: Ints,
    truth: Floats,
    scores: Floats,
    groups: Mapping[str, Rows],
    headlines: Sequence[str],
    words: Words,
    *,
    flags: bool,
    most: int = 10,
) -> tuple[tuple[Surprise, ...], tuple[Surprise, ...]]:
    """Missed hits: what surely is in the true top five of its group (of flags: the ones), predicted lowest. Promised flops:
    what surely is in the predicted top five, truly lowest. An article is listed once, for its worst group.

    `articles`, `truth` and `scores` (m,) are of the judgements, `groups` rows of these; `headlines` are the articles'.
    `words(article, members)` gives what set an article apart from the articles `members` of its group; it is asked for what
    is listed only.
    """
    missed, promised = [], []
    for name, rows in groups.items():
        for row, true, predicted in _places(rows, truth, scores):
            article, low, high = int(articles[row]), _depth(true), _depth(predicted)
            is_hit = truth[row] == 1 if flags else true.last <= TOP
            if is_hit and predicted.first > TOP:
                missed.append(_Candidate(high, low, article, name, true, predicted))
            # Of flags every zero is as far down as any other: those predicted best come first.
            is_flop = truth[row] == 0 if flags else true.first > TOP
            if is_flop and predicted.last <= TOP:
                promised.append(_Candidate(1.0 if flags else low, high, article, name, true, predicted))

    def listed(found: Iterable[_Candidate], sign: float) -> tuple[Surprise, ...]:
        chosen = _worst(found, headlines, most)
        return tuple(
            Surprise(
                headlines[item.article],
                item.group,
                item.true,
                item.predicted,
                _deciding(words(item.article, articles[groups[item.group]]), sign),
            )
            for item in chosen
        )

    return listed(missed, -1.0), listed(promised, 1.0)


def _places(rows: Rows, truth: Floats, scores: Floats) -> Iterator[tuple[int, Place, Place]]:
    true, predicted = places(truth[rows]), places(scores[rows])
    return zip(rows.tolist(), true, predicted, strict=True)


def places(values: Floats) -> list[Place]:
    """Each value's place among all (n,), the highest first."""
    rising = np.sort(-values)
    first = np.searchsorted(rising, -values, side="left") + 1
    last = np.searchsorted(rising, -values, side="right")
    return [Place(a, b, len(values)) for a, b in zip(first.tolist(), last.tolist(), strict=True)]


def _depth(place: Place) -> float:
    return (place.first - 1) / (place.of - 1)


def _worst(found: Iterable[_Candidate], headlines: Sequence[str], most: int) -> list[_Candidate]:
    chosen: dict[int, _Candidate] = {}
    for item in sorted(
        found, key=lambda item: (-item.badness, item.other, headlines[item.article], item.group)
    ):
        if len(chosen) < most:
            chosen.setdefault(item.article, item)
    return list(chosen.values())


def _deciding(words: Sequence[tuple[str, float]], sign: float) -> tuple[tuple[str, float], ...]:
    own = sorted(words, key=lambda item: (-sign * item[1], item[0]))
    return tuple((word, amount) for word, amount in own[:MOST_WORDS] if sign * amount > 0)

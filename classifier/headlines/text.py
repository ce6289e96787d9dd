"""Ranked headlines as text for an editor."""

from __future__ import annotations

from collections.abc import Iterator

from classifier.headlines.results import HeadlineRanking, RankedHeadline, Word
from classifier.headlines.scoring import LENGTH
from classifier.text.shape import SHAPE_FEATURES, headline_shape

MAX_LINES = 5  # of words below one headline
SHAPE = "headline shape: "
_LEAST = 0.05  # of the largest difference: what is smaller is among everything else


def headlines_text(ranking: HeadlineRanking) -> str:
    """What the ranking says in a sentence, then every headline, best first, with what sets it apart from the first."""
    first = ranking.headlines[0].headline
    lines = [_verdict(ranking)]
    for item in ranking.headlines:
        lines += ["", f"{item.rank:2}  {item.headline}", *(f"    {line}" for line in _below(item, first))]
    return "\n".join(lines) + "\n"


def _verdict(ranking: HeadlineRanking) -> str:
    tied, count = ranking.tied, len(ranking.headlines)
    if ranking.headlines[0].standard_error is None:
        return f"{count} headlines, best first. This version does not know its noise: small differences may mean nothing."
    if len(tied) == 1:
        best = f"of these {count} headlines is the best" if count > 2 else "one is better"
        return f"By this model the first {best}."
    if len(tied) == count:
        return f"The model cannot tell these {count} headlines apart: take the one you like."
    others = [item.rank for item in tied[1:]]
    named = f"{', '.join(map(str, others[:-1]))} and {others[-1]}" if len(others) > 1 else str(others[0])
    return f"Number 1 cannot be told apart from {named}: take the one of them you like."


def _below(item: RankedHeadline, first: str) -> Iterator[str]:
    yield (
        f"{item.top5_probability:.0%} chance of its source's daily top five; "
        f"ahead of {item.popularity_percentile:.0f} % of the training articles"
    )
    if len(item.positions) > 1:
        yield f"given {len(item.positions)} times, listed once"
    if item.rank == 1:
        return
    if item.told_apart:
        chance = round(100 * (item.better_chance or 0.0))
        yield f"{item.behind:.3f} behind: of 100 such pairs of articles, the first is read more in {chance}"
    else:
        yield f"{item.behind:.3f} behind: cannot be told apart from the first"
    yield from _differences(item, first)


def _differences(item: RankedHeadline, first: str) -> Iterator[str]:
    """The words with the largest differences, and the sum of all others."""
    largest = max((abs(word.difference) for word in item.words), default=0.0)
    shown = [word for word in item.words if abs(word.difference) >= _LEAST * largest][:MAX_LINES]
    for word in shown:
        yield f"  {word.difference:+.3f}  {_named(word, item.headline, first)}"
    rest = -item.behind - sum(word.difference for word in shown)
    if shown and abs(rest) >= 0.0005:
        yield f"  {rest:+.3f}  everything else"


def _named(word: Word, headline: str, first: str) -> str:
    if word.spans or word.first_spans:
        how = "" if word.spans and word.first_spans else "with " if word.spans else "without "
        return f"{how}“{word.feature}”{'' if how else ' (in both)'}"
    if word.feature == LENGTH:
        return f"{LENGTH}: {len(headline)} (the first: {len(first)})"
    name = word.feature.removeprefix(SHAPE)
    if name not in SHAPE_FEATURES:
        return word.feature
    mine, other = (headline_shape(text)[SHAPE_FEATURES.index(name)] for text in (headline, first))
    if {mine, other} == {0.0, 1.0}:
        return f"{name}: {'yes' if mine else 'no'} (the first: {'yes' if other else 'no'})"
    return f"{name}: {mine:.3g} (the first: {other:.3g})"

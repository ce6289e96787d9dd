"""Predictions and explanations as text for a terminal."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from classifier.articles import TEXT_FIELDS, Article
from classifier.ranking import title
from classifier.results import Contribution, Prediction

_WORD = re.compile(r"\w+")
_DECISIONS = {"file": "sure enough to file unseen", "review": "for an editor to review"}


def prediction_lines(prediction: Prediction) -> Iterator[str]:
    """What both heads say, in words."""
    if prediction.section is not None:
        decision = _DECISIONS[str(prediction.decision)]
        yield f"section      {prediction.section}, probability {prediction.section_probability:.3f} ({decision})"
        others = [f"{s.name} {s.probability:.3f}" for s in (prediction.section_scores or ())[1:4]]
        if others:
            yield f"then         {', '.join(others)}"
    if prediction.popularity_score is not None:
        yield (
            f"popularity   {prediction.top5_probability:.0%} chance of its source's daily top five; "
            f"ahead of {prediction.popularity_percentile:.0f} % of the training articles"
        )


def word_contributions(article: Article, parts: Sequence[Contribution], head: str) -> list[tuple[str, float]]:
    """One head's contributions gathered by the words of the article they stand on, largest effect first.

    A feature's contribution is shared equally by the words that it covers, wherever it stands; features that cover no
    word (hour, source, shape) keep their own name. The sum stays the same.
    """
    words = {name: list(_WORD.finditer(getattr(article, name))) for name in TEXT_FIELDS}
    starts = {name: [word.start() for word in found] for name, found in words.items()}
    totals: dict[str, float] = {}
    for part in parts:
        if part.head != head:
            continue
        names = [name for span in part.spans for name in _covered(words, starts, span)] or [part.feature]
        for name in names:
            totals[name] = totals.get(name, 0.0) + part.contribution / len(names)
    return sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))


def _covered(
    words: dict[str, list[re.Match[str]]], starts: dict[str, list[int]], span: tuple[str, int, int]
) -> Iterator[str]:
    """The words, lowercased, that a span touches."""
    field, start, end = span
    for word in words[field][max(bisect_right(starts[field], start) - 1, 0) :]:
        if word.start() >= end:
            return
        if word.end() > start:
            yield word.group().lower()


def contribution_lines(
    article: Article, parts: Sequence[Contribution], head: str, limit: int
) -> Iterator[str]:
    """The strongest words of one head: the number, a bar, the word."""
    own = word_contributions(article, parts, head)[:limit]
    largest = max((abs(amount) for _, amount in own), default=0.0)
    for name, amount in own:
        length = round(10 * abs(amount) / largest) if largest else 0
        bar = ("+" if amount >= 0 else "-") * max(length, 1)
        yield f"  {amount:+8.3f} {bar:<10} {name}"


def explanation_text(
    article: Article, prediction: Prediction, parts: Sequence[Contribution], limit: int
) -> str:
    """One article: title, prediction, and the features that decided."""
    lines = [title(article), *prediction_lines(prediction)]
    for head, heading in (
        ("section", f"why {prediction.section}"),
        ("popularity", "what lifts (+) and sinks (-) it"),
    ):
        shown = list(contribution_lines(article, parts, head, limit))
        if shown:
            lines += [heading, *shown]
    return "\n".join(lines) + "\n"

"""Predictions and explanations as text for a terminal."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from classifier.articles import TEXT_FIELDS, Article
from classifier.linear import INTERCEPT
from classifier.ranking import title
from classifier.results import MAX_SECTION_SCORES, Contribution, Prediction

if TYPE_CHECKING:
    from classifier.model import Model

Number = Literal["contribution", "against"]

_COVERAGE = 0.95  # of the prediction sets that are shown, where the model has them
_WORD = re.compile(r"\w+")
_DECISIONS = {"file": "sure enough to file unseen", "review": "for an editor to review"}


class Likely(NamedTuple):
    """An article's prediction set: sections, best first, and in which share of cases the true one is among them."""

    sections: tuple[str, ...]
    coverage: float


def likely_sections(model: Model, article: Article) -> Likely | None:
    """The article's prediction set of a coverage near 95 %; None where the model has none that leave a section out."""
    levels = (
        [item.level for item in model.sections.decisions.sets if not item.everything]
        if model.sections
        else []
    )
    if not levels:
        return None
    coverage = min(levels, key=lambda level: abs(level - _COVERAGE))
    return Likely(model.prediction_sets(article, coverage), coverage)


def prediction_lines(prediction: Prediction, likely: Likely | None = None) -> Iterator[str]:
    """What both heads say, in words."""
    if prediction.section is not None:
        decision = _DECISIONS[str(prediction.decision)]
        yield f"section      {prediction.section}, probability {prediction.section_probability:.3f} ({decision})"
        others = [f"{s.name} {s.probability:.3f}" for s in (prediction.section_scores or ())[1:4]]
        if others:
            yield f"then         {', '.join(others)}"
    # One section alone would read as if its own probability were that coverage.
    if likely is not None and len(likely.sections) > 1:
        names = ", ".join(likely.sections[:MAX_SECTION_SCORES])
        more = len(likely.sections) - MAX_SECTION_SCORES
        yield f"likely one of  {names}{f' and {more} more' if more > 0 else ''} ({100 * likely.coverage:g} %)"
    if prediction.popularity_score is not None:
        yield (
            f"popularity   {prediction.top5_probability:.0%} chance of its source's daily top five; "
            f"ahead of {prediction.popularity_percentile:.0f} % of the training articles"
        )


def word_contributions(
    article: Article, parts: Sequence[Contribution], head: str, number: Number = "contribution"
) -> list[tuple[str, float]]:
    """One head's contributions gathered by the words of the article they stand on, largest effect first.

    A feature's contribution (or what it adds `against` the runner-up) is shared equally by the words that it covers,
    wherever it stands; features that cover no word (hour, source, shape, intercept) keep their own name. The sum stays
    the same. Parts that lack the number are left out.
    """
    words = {name: list(_WORD.finditer(getattr(article, name))) for name in TEXT_FIELDS}
    starts = {name: [word.start() for word in found] for name, found in words.items()}
    totals: dict[str, float] = {}
    for part in parts:
        amount = part.contribution if number == "contribution" else part.against
        if part.head != head or amount is None:
            continue
        names = [name for span in part.spans for name in _covered(words, starts, span)] or [part.feature]
        for name in names:
            totals[name] = totals.get(name, 0.0) + amount / len(names)
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
    article: Article, parts: Sequence[Contribution], head: str, limit: int, number: Number = "contribution"
) -> Iterator[str]:
    """The strongest words of one head: the number, a bar, the word. The intercept, which no article can help, is left
    out."""
    parts = [part for part in parts if part.feature != INTERCEPT]
    own = word_contributions(article, parts, head, number)[:limit]
    largest = max((abs(amount) for _, amount in own), default=0.0)
    for name, amount in own:
        length = round(10 * abs(amount) / largest) if largest else 0
        bar = ("+" if amount >= 0 else "-") * max(length, 1)
        yield f"  {amount:+8.3f} {bar:<10} {name}"


def explanation_text(
    article: Article,
    prediction: Prediction,
    parts: Sequence[Contribution],
    limit: int,
    likely: Likely | None = None,
) -> str:
    """One article: title, prediction, its prediction set where given, and the features that decided."""
    lines = [title(article), *prediction_lines(prediction, likely)]
    for head, number, heading in _explained(prediction):
        shown = list(contribution_lines(article, parts, head, limit, number))
        if shown:
            lines += [heading, *shown]
    return "\n".join(lines) + "\n"


def _explained(prediction: Prediction) -> Iterator[tuple[str, Number, str]]:
    """Each list of words: its head, its number, its heading."""
    yield "section", "contribution", f"why {prediction.section}"
    if prediction.section_scores is not None and len(prediction.section_scores) > 1:
        second = prediction.section_scores[1]
        # With several labels the article may get both.
        yield "section", "against", f"{'more' if second.assigned else 'rather'} than {second.name}"
    yield "popularity", "contribution", "what lifts (+) and sinks (-) it"

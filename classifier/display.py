"""Predictions and explanations as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from classifier.articles import Article
from classifier.ranking import title
from classifier.results import Contribution, Prediction

_DECISIONS = {"file": "sure enough to file unseen", "review": "for an editor to review"}


def prediction_lines(prediction: Prediction) -> Iterator[str]:
    """What both heads say, in words."""
    if prediction.section is not None:
        decision = _DECISIONS[str(prediction.decision)]
        yield f"section      {prediction.section}, probability {prediction.section_probability:.2f} ({decision})"
        others = [f"{s.name} {s.probability:.2f}" for s in (prediction.section_scores or ())[1:4]]
        yield f"then         {', '.join(others)}"
    if prediction.popularity_score is not None:
        yield (
            f"popularity   {prediction.top5_probability:.0%} chance of its source's daily top five; "
            f"ahead of {prediction.popularity_percentile:.0f} % of the training articles"
        )


def contribution_lines(parts: Sequence[Contribution], head: str, limit: int) -> Iterator[str]:
    """The strongest contributions of one head: a bar, the number, the feature."""
    own = [part for part in parts if part.head == head][:limit]
    largest = max((abs(part.contribution) for part in own), default=0.0)
    for part in own:
        length = round(10 * abs(part.contribution) / largest) if largest else 0
        bar = ("+" if part.contribution >= 0 else "-") * max(length, 1)
        yield f"  {part.contribution:+8.3f} {bar:<10} {part.feature}"


def explanation_text(
    article: Article, prediction: Prediction, parts: Sequence[Contribution], limit: int
) -> str:
    """One article: title, prediction, and the features that decided."""
    lines = [title(article), *prediction_lines(prediction)]
    for head, heading in (
        ("section", f"why {prediction.section}"),
        ("popularity", "what lifts (+) and sinks (-) it"),
    ):
        shown = list(contribution_lines(parts, head, limit))
        if shown:
            lines += [heading, *shown]
    return "\n".join(lines) + "\n"

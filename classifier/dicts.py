"""Articles in, scored rows as JSON has them out: column by column, no object a row but what is written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from classifier.model import with_sections
from classifier.results import PREDICTION_FIELDS
from classifier.text.rows import Rows

if TYPE_CHECKING:
    from classifier.articles import Article
    from classifier.model import Model
    from classifier.sections import RankedSections

Row = dict[str, Any]


def score_article(model: Model, article: Article) -> Row:
    """What `Model.predict` answers of one article, as its `to_dict`.

    Raises:
        InputError: the article holds what the model cannot take.
    """
    section, popularity = model.results(article)
    row: Row = dict.fromkeys(PREDICTION_FIELDS)
    row["id"], row["model"], row["version"] = article.id, model.name, model.version
    if section is not None:
        row["section"], row["section_probability"], row["decision"], best = section
        row["section_scores"] = [
            {"name": name, "probability": probability, "assigned": assigned}
            for name, probability, assigned in best
        ]
    if popularity is not None:
        row["popularity_score"], row["popularity_percentile"], row["top5_probability"] = popularity
    return row


def score_articles(model: Model, articles: Sequence[Article]) -> list[Row]:
    """What `Model.predict` answers, each as its `to_dict`, to the same bits.

    Raises:
        InputError: an article holds what the model cannot take.
    """
    if not articles:
        return []
    rows = Rows.from_articles(articles)
    of_sections, of_popularity = model.text_sums(rows)
    nothing = [None] * len(articles)
    columns: dict[str, Sequence[Any]] = {"id": [article.id for article in articles]}
    if model.sections is not None:
        columns |= _sections(model.sections.ranked(rows, of_sections), model.sections.labels)
    if model.popularity is not None:
        if model.popularity.reads("section"):
            rows = with_sections(rows, columns.get("section", nothing))
        names = ("popularity_score", "popularity_percentile", "top5_probability")
        answers = model.popularity.answers(rows, of_popularity)
        columns |= zip(names, [column.tolist() for column in answers], strict=True)
    fixed = {"model": repeat(model.name), "version": repeat(model.version)}
    made = [fixed.get(name) or columns.get(name, nothing) for name in PREDICTION_FIELDS]
    return [dict(zip(PREDICTION_FIELDS, row, strict=True)) for row in zip(*made, strict=False)]


def _sections(ranked: RankedSections, labels: Sequence[str]) -> dict[str, Sequence[Any]]:
    places, probabilities = ranked.places.tolist(), ranked.probabilities.tolist()
    rows = zip(places, probabilities, ranked.assigned.tolist(), strict=True)
    return {
        "section": [labels[own[0]] for own in places],
        "section_probability": [own[0] for own in probabilities],
        "decision": ["file" if filed else "review" for filed in ranked.filed.tolist()],
        "section_scores": [
            [
                {"name": labels[place], "probability": probability, "assigned": assigned}
                for place, probability, assigned in zip(*row, strict=True)
            ]
            for row in rows
        ],
    }

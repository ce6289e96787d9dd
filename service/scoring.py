"""Articles to scored rows, counted, with an error in place of each that cannot be scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from classifier.articles import Article
from classifier.dicts import Row, score_articles
from classifier.errors import InputError
from service.problems import problem_of

if TYPE_CHECKING:
    from classifier.model import Model
    from service.observing import Record

ERROR = "error"


def score_each(model: Model, record: Record, reads: Iterable[Callable[[], Article]]) -> list[Row]:
    """For each of `reads`, which give an article or raise, the scored row, or the problem under `ERROR`; in order, scored
    together."""
    answers: list[Any] = []
    articles: list[Article] = []
    places: list[int] = []
    for number, read in enumerate(reads):
        try:
            articles.append(read())
            places.append(number)
            answers.append(None)
        except InputError as error:
            answers.append(rejected(error))
    for place, answer in zip(places, _score(model, articles), strict=True):
        answers[place] = answer
    decided = [(row["section"], row["decision"]) for row in answers if ERROR not in row]
    record.scored(model, decided, articles.__getitem__, len(answers) - len(decided))
    return answers


def rejected(error: InputError) -> Row:
    """What stands in place of a scored row."""
    return {ERROR: problem_of(error)}


def _score(model: Model, articles: list[Article]) -> list[Row]:
    try:
        return score_articles(model, articles)
    except InputError:
        # A column of its own that the model uses may hold what it cannot take: find out in which article.
        return [_score_one(model, article) for article in articles]


def _score_one(model: Model, article: Article) -> Row:
    try:
        [row] = score_articles(model, [article])
        return row
    except InputError as error:
        return rejected(error)

"""Articles to predictions, counted, with an error in place of each that cannot be scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from classifier.articles import Article
from classifier.errors import InputError
from service.problems import problem_of

if TYPE_CHECKING:
    from classifier.model import Model
    from classifier.results import Prediction
    from service.observing import Record

Answer = dict[str, Any]  # {"error": problem}


def score_each(
    model: Model, record: Record, reads: Iterable[Callable[[], Article]]
) -> list[Prediction | Answer]:
    """For each of `reads`, which give an article or raise, the prediction or the error; in order, scored together."""
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
    scored = [answer for answer in answers if not isinstance(answer, dict)]
    record.scored(model, articles, scored, len(answers) - len(scored))
    return answers


def rejected(error: InputError) -> Answer:
    """What stands in place of a prediction."""
    return {"error": problem_of(error).model_dump(exclude_none=True)}


def _score(model: Model, articles: list[Article]) -> list[Prediction | Answer]:
    try:
        return [*model.predict(articles)]
    except InputError:
        # A column of its own that the model uses may hold what it cannot take: find out in which article.
        return [_score_one(model, article) for article in articles]


def _score_one(model: Model, article: Article) -> Prediction | Answer:
    try:
        return model.predict(article)
    except InputError as error:
        return rejected(error)

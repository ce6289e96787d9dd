"""Scoring: one article or page, or a batch of articles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from classifier.articles import Article
from classifier.errors import InputError
from service.body import read_json
from service.inputs import check_count, read_article, read_article_or_page, read_flags
from service.models import current_model
from service.observing import current_record
from service.problems import problem_of
from service.responses import json_response
from service.schemas import BatchIn, join_path, validate
from service.settings import current_settings

if TYPE_CHECKING:
    from classifier.model import Model

blueprint = Blueprint("predict", __name__, url_prefix="/v1")


@blueprint.post("/predict")
def predict() -> Response:
    """Score one article or page."""
    flags = read_flags(request.args, "explain")
    article = read_article_or_page(read_json(), current_settings())
    model = current_model()
    prediction = model.predict(article)
    current_record().scored(model, [article], [prediction])
    row = prediction.to_dict()
    if flags["explain"]:
        row["explanation"] = [contribution.to_dict() for contribution in model.explain(article)]
    return json_response(row)


@blueprint.post("/predict/batch")
def predict_batch() -> Response:
    """Score articles, each for itself; the answers are in their order."""
    read_flags(request.args)
    settings = current_settings()
    data = read_json()
    validate(BatchIn, data)
    check_count(data["articles"], settings)
    answers: list[dict[str, Any]] = []
    articles: dict[int, Article] = {}
    for index, row in enumerate(data["articles"]):
        try:
            articles[index] = read_article(row, settings, at=join_path("articles", index))
            answers.append({})
        except InputError as error:
            answers.append(_rejected(error))
    for index, answer in zip(articles, _score(current_model(), articles), strict=True):
        answers[index] = answer
    return json_response({"predictions": answers})


def _score(model: Model, articles: dict[int, Article]) -> list[dict[str, Any]]:
    """A prediction or an error for each article, in order."""
    try:
        return [prediction.to_dict() for prediction in model.predict(list(articles.values()))]
    except InputError:
        # A column of its own that the model uses may hold what it cannot take: find out in which article.
        return [_score_one(model, article) for article in articles.values()]


def _score_one(model: Model, article: Article) -> dict[str, Any]:
    try:
        return model.predict(article).to_dict()
    except InputError as error:
        return _rejected(error)


def _rejected(error: InputError) -> dict[str, Any]:
    return {"error": problem_of(error).model_dump(exclude_none=True)}

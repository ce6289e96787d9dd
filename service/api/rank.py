"""Ranking lists, as a newspaper prints them."""

from __future__ import annotations

from flask import Blueprint, Response, request

from classifier.articles import parse_time
from classifier.errors import FieldError
from classifier.ranking import build_rankings
from service.body import read_json
from service.inputs import check_count, read_article, read_flags
from service.models import current_model
from service.responses import json_response
from service.schemas import RankIn, join_path, validate
from service.settings import current_settings

blueprint = Blueprint("rank", __name__, url_prefix="/v1")


@blueprint.post("/rank")
def rank() -> Response:
    """The site-wide list and one list a section; an article that is not valid refuses the call."""
    read_flags(request.args)
    settings = current_settings()
    data = read_json()
    asked = validate(RankIn, data)
    if asked.now is not None and asked.half_life is None:
        raise FieldError("now", "has no effect without half_life", remedy="send both, or neither")
    check_count(data["articles"], settings)
    articles = [
        read_article(row, settings, at=join_path("articles", index))
        for index, row in enumerate(data["articles"])
    ]
    model = current_model()
    rankings = build_rankings(
        articles,
        model.predict(articles),
        top=asked.top,
        half_life=asked.half_life,
        now=parse_time(asked.now),
        spread=model.popularity.spread if model.popularity else 1.0,
        per_source=asked.per_source,
        keep_duplicates=asked.keep_duplicates,
    )
    return json_response(rankings.to_dict())

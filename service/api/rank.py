"""Ranking lists, as a newspaper prints them."""

from __future__ import annotations

from flask import Blueprint, Response, request

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
    check_count(data["articles"], settings)
    articles = [
        read_article(row, settings, at=join_path("articles", index))
        for index, row in enumerate(data["articles"])
    ]
    rankings = build_rankings(articles, current_model().predict(articles), top=asked.top)
    return json_response(rankings.to_dict())

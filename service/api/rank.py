"""Ranking lists, as a newspaper prints them."""

from __future__ import annotations

from flask import Blueprint, Response, request

from service.body import read_json
from service.inputs import read_flags
from service.models import current_model
from service.rankings import read_rankings
from service.responses import json_response
from service.settings import current_settings

blueprint = Blueprint("rank", __name__, url_prefix="/v1")


@blueprint.post("/rank")
def rank() -> Response:
    """The site-wide list and one list a section; an article that is not valid refuses the call."""
    read_flags(request.args)
    return json_response(read_rankings(read_json(), current_settings(), current_model()).to_dict())

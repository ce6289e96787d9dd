"""Headlines for one story, ordered."""

from __future__ import annotations

from flask import Blueprint, Response, request

from classifier.headlines import rank_headlines
from service.body import read_json
from service.inputs import read_flags, read_headlines
from service.models import current_model
from service.responses import json_response
from service.settings import current_settings

blueprint = Blueprint("headlines", __name__, url_prefix="/v1")


@blueprint.post("/headlines")
def headlines() -> Response:
    """Two to twenty headlines, best first, with what sets each apart from the first; a bad one refuses the call."""
    read_flags(request.args)
    given, story = read_headlines(read_json(), current_settings())
    return json_response(rank_headlines(current_model(), given, story).to_dict())

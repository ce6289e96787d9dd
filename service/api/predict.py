"""Scoring: one article or page, or a batch of articles."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from classifier.dicts import score_article
from service import streaming
from service.body import open_blocks, read_json
from service.inputs import check_count, read_article, read_article_or_page, read_flags
from service.models import current_model
from service.observing import current_record
from service.paths import join_path
from service.responses import json_response
from service.scoring import score_each
from service.settings import current_settings

blueprint = Blueprint("predict", __name__, url_prefix="/v1")


@blueprint.post("/predict")
def predict() -> Response:
    """Score one article or page."""
    flags = read_flags(request.args, "explain")
    article = read_article_or_page(read_json(), current_settings())
    model = current_model()
    row = score_article(model, article)
    current_record().scored(model, [(row["section"], row["decision"])], [article].__getitem__)
    if flags["explain"]:
        row["explanation"] = model.explain(article)
    return json_response(row)


@blueprint.post("/predict/batch")
def predict_batch() -> Response:
    """Score articles, each for itself; the answers are in their order. NDJSON is answered by NDJSON as it comes."""
    read_flags(request.args)
    settings, model, record = current_settings(), current_model(), current_record()
    if request.mimetype == streaming.MEDIA_TYPE:
        blocks = open_blocks(streaming.MEDIA_TYPE)
        lines = streaming.predict_lines(blocks, model, settings, record)
        return Response(lines, mimetype=streaming.MEDIA_TYPE)
    data = read_json()
    from service.schemas import BatchIn, validate

    validate(BatchIn, data)
    check_count(data["articles"], settings)
    reads = [
        partial(read_article, row, settings, at=join_path("articles", index))
        for index, row in enumerate(data["articles"])
    ]
    return json_response({"predictions": score_each(model, record, reads)})

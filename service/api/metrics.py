"""Counters for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response

from service.metrics import current_metrics
from service.metrics.exposition import CONTENT_TYPE

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counters of all workers."""
    return Response(current_metrics().text(), content_type=CONTENT_TYPE)

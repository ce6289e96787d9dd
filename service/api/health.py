"""Is the process alive, and can it answer."""

from __future__ import annotations

from flask import Blueprint, Response

from service.access import public
from service.models import current_model
from service.responses import json_response

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process is alive."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """A model is loaded; it says which."""
    model = current_model()
    return json_response({"status": "ready", "model": model.name, "version": model.version})

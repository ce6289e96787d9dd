"""The versions of the model, and which of them is served."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from service.access import needs
from service.inputs import read_flags
from service.models import current_model, slot_of
from service.responses import json_response

blueprint = Blueprint("models", __name__, url_prefix="/v1/models")


@blueprint.get("")
def list_models() -> Response:
    """The versions of the model, oldest first; `current` is the one that answers."""
    read_flags(request.args)
    model, store = current_model(), slot_of(current_app).store
    versions = store.versions() if store else [model.version]
    return json_response(
        {
            "model": model.name,
            "current": model.version,
            "versions": [{"version": name, "current": name == model.version} for name in versions],
        }
    )


@blueprint.post("/<version>/promote")
@needs("admin")
def promote(version: str) -> Response:
    """Make a version the current one; this worker serves it at once, the others within two seconds."""
    read_flags(request.args)
    before = slot_of(current_app).promote(version)
    return json_response({"model": current_model().name, "version": version, "before": before})

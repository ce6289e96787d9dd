"""The model of an application, and of a request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, current_app, g

from service.slot import ModelSlot

if TYPE_CHECKING:
    from classifier.model import Model

_KEY = "newsdesk.model"


def init_app(app: Flask, path: Path, state: Path | None = None) -> ModelSlot:
    """Load the model into the application.

    Raises:
        ArtifactError: as `classifier.load`.
    """
    slot = app.extensions[_KEY] = ModelSlot(path, state)
    return slot


def current_model() -> Model:
    """The model for this request: the same one to its end, whatever is promoted meanwhile."""
    model: Model | None = g.get("model")
    if model is None:
        model = g.model = slot_of(current_app).current
    return model


def slot_of(app: Flask) -> ModelSlot:
    """What holds the model of an application."""
    slot: ModelSlot = app.extensions[_KEY]
    return slot

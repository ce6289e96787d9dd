"""The model that requests use: loaded at start, replaced as a whole, never touched in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, current_app, g

import classifier
from classifier.articles import Article

if TYPE_CHECKING:
    from classifier.model import Model

_KEY = "newsdesk.model"


class ModelSlot:
    """Holds the current model; a request takes it once and keeps that version to its end."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @classmethod
    def load(cls, path: Path) -> ModelSlot:
        """The model at `path`, checked and warm: it has scored an article before the first request comes.

        Raises:
            ArtifactError: as `classifier.load`.
        """
        model = classifier.load(path)
        model.predict(Article(headline="A first article, so that compiled code is in place"))
        return cls(model)

    @property
    def current(self) -> Model:
        return self._model


def init_app(app: Flask, path: Path) -> None:
    """Load the model into the application.

    Raises:
        ArtifactError: as `classifier.load`.
    """
    app.extensions[_KEY] = ModelSlot.load(path)


def current_model() -> Model:
    """The model for this request: the same one to its end, whatever is promoted meanwhile."""
    model: Model | None = g.get("model")
    if model is None:
        slot: ModelSlot = current_app.extensions[_KEY]
        model = g.model = slot.current
    return model

"""The page's blueprints."""

from __future__ import annotations

from flask import Flask

from service.page import model, ranking, reading, session, views

BLUEPRINTS = (
    views.blueprint,
    session.blueprint,
    reading.blueprint,
    ranking.blueprint,
    model.blueprint,
)


def init_app(app: Flask) -> None:
    """Register every blueprint."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)

"""The HTTP interface: one blueprint an area."""

from __future__ import annotations

from flask import Flask

from service.api import docs, headlines, health, metrics, models, predict, rank

BLUEPRINTS = (
    health.blueprint,
    docs.blueprint,
    metrics.blueprint,
    predict.blueprint,
    rank.blueprint,
    headlines.blueprint,
    models.blueprint,
)


def init_app(app: Flask) -> None:
    """Register every blueprint."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)

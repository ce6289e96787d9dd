"""The application factory."""

from __future__ import annotations

import os

from flask import Flask

from service import api, body, models, problems
from service import settings as settings_
from service.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """A WSGI application around one model; without `settings` they come from the environment.

    The model is loaded here, so an application that exists can answer.

    Raises:
        ConfigError: a setting is missing or wrong.
        ArtifactError: the model cannot be loaded.
    """
    settings = settings or Settings.from_env(os.environ)
    app = Flask("service", static_folder=None, template_folder=None)
    # Doubled slashes are a wrong path (404), not a redirect that drops the body.
    app.url_map.merge_slashes = False
    settings_.init_app(app, settings)
    problems.init_app(app)
    body.init_app(app)
    models.init_app(app, settings.model)
    api.init_app(app)
    return app

"""The application factory."""

from __future__ import annotations

import os

from flask import Flask

from service import access, api, body, logs, metrics, models, observing, problems
from service import settings as settings_
from service.page import routes
from service.settings import Settings
from service.state import StateFolder, TemporaryState
from service.watching import Watcher


def create_app(settings: Settings | None = None) -> Flask:
    """A WSGI application around one model; without `settings` they come from the environment.

    The model is loaded here, so an application that exists can answer.

    Raises:
        ConfigError: a setting is missing or wrong, or there are no keys and nobody said that none are needed.
        ArtifactError: the model cannot be loaded.
        OutputError: the state folder cannot be written to.
    """
    settings = settings or Settings.from_env(os.environ)
    app = Flask("service", static_folder=None, template_folder=None)
    # Doubled slashes are a wrong path (404), not a redirect that drops the body.
    app.url_map.merge_slashes = False
    settings_.init_app(app, settings)
    state = _state(app, settings)
    logs.init(settings.log_level)
    counters = metrics.init_app(app, state.metrics)
    observing.init_app(app)
    problems.init_app(app)
    rules = access.init_app(app, settings, state)
    body.init_app(app)
    slot = models.init_app(app, settings.model, settings.state)
    slot.follow(counters.version)
    api.init_app(app)
    routes.init_app(app)
    watcher = app.extensions["newsdesk.watcher"] = Watcher([rules, slot])
    watcher.start()
    return app


def _state(app: Flask, settings: Settings) -> StateFolder:
    if settings.state is None:
        temporary = app.extensions["newsdesk.state"] = TemporaryState()
        return temporary.folder
    state = StateFolder(settings.state)
    state.prepare()
    return state

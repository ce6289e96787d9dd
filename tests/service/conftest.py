"""The application on a tiny model, and the one shape that every error must have.

`tiny_model_path` (a model folder: sections Politics and Economy, a popularity head, a categorical column "desk") comes
from tests/conftest.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

import classifier
from classifier.model import Model
from service import create_app
from service.schemas import Problem
from service.settings import Settings

# Stands in everything bad that the tests send; no answer and no log may repeat it.
SECRET = "Quuxelby"

Check = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def secret() -> str:
    return SECRET


@pytest.fixture(scope="session")
def model(tiny_model_path: Path) -> Model:
    return classifier.load(tiny_model_path)


@pytest.fixture(scope="session")
def settings(tiny_model_path: Path) -> Settings:
    return Settings(model=tiny_model_path, max_body_bytes=20_000, max_articles=20, max_text_length=3_000)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def check_problem() -> Check:
    """Checks (status, content type, parsed body) against the one shape; gives the body."""

    def check(status: int, content_type: str | None, body: Any, *, expected: int) -> dict[str, Any]:
        assert status == expected, body
        assert content_type == "application/problem+json"
        Problem.model_validate(body)
        assert body["status"] == expected
        assert body["type"].startswith("/problems/")
        assert body["title"]
        assert body["detail"]
        assert SECRET not in str(body)
        assert "Traceback" not in str(body)
        return dict(body)

    return check


@pytest.fixture
def refused(
    client: FlaskClient, check_problem: Check, caplog: pytest.LogCaptureFixture
) -> Callable[..., dict[str, Any]]:
    """Sends a request through the test client and checks its refusal."""

    def send(path: str, *, expected: int, method: str = "POST", **request: Any) -> dict[str, Any]:
        if "json" in request:  # the client takes None for no body
            request |= {"data": json.dumps(request.pop("json")), "content_type": "application/json"}
        answer = client.open(path, method=method, **request)
        body = check_problem(answer.status_code, answer.content_type, answer.json, expected=expected)
        assert SECRET not in caplog.text
        return body

    return send

"""The application on a tiny model, and the one shape that every error must have.

`tiny_model_path` (a model folder: sections Politics and Economy, a popularity head) comes from tests/conftest.py.
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
    return Settings(
        model=tiny_model_path, open="always", max_body_bytes=20_000, max_articles=20, max_text_length=3_000
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def desk_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application whose model uses a column of its own ("desk") and local times."""
    from classifier.reading import read_all
    from training.config import parse_config
    from training.fit import train

    rows = [
        {
            "headline": f"{word} report {number}",
            "section": section,
            "desk": desk,
            "published_at": f"2031-05-{number % 5 + 1:02d}T{number % 24:02d}:00:00+09:00",
            "popularity": float(number * 7 % 50),
        }
        for number in range(40)
        for word, section, desk in [(("vote", "Politics", "city"), ("bank", "Economy", "money"))[number % 2]]
    ]
    folder = tmp_path_factory.mktemp("desk")
    (folder / "articles.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    config = parse_config({"data": {"timezone": "Asia/Tokyo"}, "features": {"categorical": ["desk"]}})
    train(read_all([str(folder / "articles.jsonl")]), folder / "model", config)
    return create_app(Settings(model=folder / "model", open="always"))


@pytest.fixture
def desk_client(desk_app: Flask) -> FlaskClient:
    return desk_app.test_client()


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

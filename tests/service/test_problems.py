"""Every error has one shape, the right status, and repeats nothing of what was sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

import classifier.errors
from classifier.errors import (
    ArtifactMissing,
    ConfigError,
    InstallationError,
    NewsdeskError,
    OutputError,
    UsageError,
)
from service import create_app
from service.logs import JsonLines
from service.problems import KINDS
from service.settings import Settings

Refused = Callable[..., dict[str, Any]]
S = "Quuxelby"
JSON = {"Content-Type": "application/json"}
OK = {"headline": "Bank shares"}

# path, body, field at fault
FIELDS: list[tuple[str, Any, str | None]] = [
    ("/v1/predict", [S], None),
    ("/v1/predict", S, None),
    ("/v1/predict", None, None),
    ("/v1/predict", {}, "headline"),
    ("/v1/predict", {"headline": " ", "body": ""}, "headline"),
    ("/v1/predict", {"headline": {"text": S}}, "headline"),
    ("/v1/predict", {"headline": 5}, "headline"),
    ("/v1/predict", {"headline": f"{S}\0"}, "headline"),
    ("/v1/predict", {**OK, "body": [S]}, "body"),
    ("/v1/predict", {**OK, "id": 7}, "id"),
    ("/v1/predict", {**OK, "source": f"{S}\0"}, "source"),
    ("/v1/predict", {**OK, "sections": S}, "sections"),
    ("/v1/predict", {**OK, "sections": ["a", 5]}, "sections[1]"),
    ("/v1/predict", {**OK, "popularity": S}, "popularity"),
    ("/v1/predict", {**OK, "published_at": S}, "published_at"),
    ("/v1/predict", {**OK, "published_at": "2031-04-02T07:40:00"}, "published_at"),
    ("/v1/predict", {**OK, "published_at": 1648800000}, "published_at"),
    ("/v1/predict", {**OK, "published_at": "0001-01-01T00:00:00+23:59"}, "published_at"),
    ("/v1/predict", {**OK, "split": S}, "split"),
    ("/v1/predict", {"page": 5}, "page"),
    ("/v1/predict", {"page": f"{S}\n", "headline": S}, "headline"),
    ("/v1/predict?explain=yes", OK, "explain"),
    ("/v1/predict?explain=", OK, "explain"),
    ("/v1/predict?explain=true&explain=true", OK, "explain"),
    ("/v1/predict?explian=true", OK, "explian"),
    (f"/v1/predict?{S}%20{S}=1", OK, "…"),
    ("/v1/predict/batch?explain=true", {"articles": []}, "explain"),
    ("/v1/predict/batch", [OK], None),
    ("/v1/predict/batch", {}, "articles"),
    ("/v1/predict/batch", {"articles": OK}, "articles"),
    ("/v1/predict/batch", {"articles": [OK], "top": 5}, "top"),
    ("/v1/predict/batch", {"articles": [OK], f"{S} {S}": 5}, "…"),
    ("/v1/rank", {"articles": [OK], "top": 0}, "top"),
    ("/v1/rank", {"articles": [OK], "top": 101}, "top"),
    ("/v1/rank", {"articles": [OK], "top": 2.5}, "top"),
    ("/v1/rank", {"articles": [OK], "top": True}, "top"),
    ("/v1/rank", {"articles": [OK], "top": S}, "top"),
    ("/v1/rank", {"articles": [OK], "top": None}, "top"),
    ("/v1/rank", {"articles": [S]}, "articles[0]"),
]


@pytest.mark.parametrize(("path", "body", "field"), FIELDS)
def test_the_field_at_fault_is_named(refused: Refused, path: str, body: Any, field: str | None) -> None:
    problem = refused(path, json=body, expected=422)
    assert problem.get("field") == field
    assert problem["type"] == ("/problems/invalid-field" if field else "/problems/invalid-input")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", None),
        (b" \n ", None),
        (b"{", 1),
        (b'{"headline":\n "Quuxelby" "Quuxelby"}', 2),
        (b'{"headline": NaN}', 1),
        (b'{"headline": "a", "popularity": Infinity}', 1),
        (b'{"headline": "a", "popularity": 1e999}', 1),
        (b'{"headline": "Quuxelby"} Quuxelby', 1),
        (b'{"headline": "\xff"}', 1),
        (b'{"headline": "\xed\xa0\x80"}', 1),
        (b'{"headline": "a\nb"}', None),
        (b"Quuxelby", 1),
        (b"[" * 15_000, 1),
        (b'{"a":' * 3_000 + b'"\\ud800"' + b"}" * 3_000, 1),
        (b'"\\ud800', 1),
        ('{"headline": "Bank"}'.encode("utf-16"), 1),
    ],
)
def test_a_body_that_is_not_json(refused: Refused, body: bytes, line: int | None) -> None:
    problem = refused("/v1/predict", data=body, headers=JSON, expected=400)
    assert problem["type"] == "/problems/malformed-body"
    if line is not None:
        assert problem["line"] == line


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/predict", rb'{"headline": "Quuxelby \ud800"}', "headline"),
        ("/v1/predict", rb'{"headline": "a", "desk": ["b", {"c": "\udc00"}]}', "desk[1].c"),
        ("/v1/predict", rb'{"page": "\ud83d"}', "page"),
        ("/v1/rank", rb'{"articles": [{"headline": "a"}, {"body": "\ud83dx"}]}', "articles[1].body"),
        ("/v1/rank", rb'{"articles": [{"headline": "a", "\ud83dx": 1}]}', "articles[0]"),
    ],
)
def test_half_of_a_surrogate_pair_is_found(refused: Refused, path: str, body: bytes, field: str) -> None:
    assert refused(path, data=body, headers=JSON, expected=422)["field"] == field


def test_of_a_name_that_occurs_twice_the_last_counts(client: FlaskClient) -> None:
    answer = client.post("/v1/predict", data=b'{"id": "1", "id": "2", "headline": "a"}', headers=JSON)
    assert answer.json["id"] == "2"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/predict/batch", "/v1/rank"])
def test_other_media_types(refused: Refused, path: str, headers: dict[str, str]) -> None:
    problem = refused(path, data=b'{"headline": "Quuxelby"}', headers=headers, expected=415)
    assert problem["type"] == "/problems/unsupported-media-type"


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON", "application/json;charset=UTF-8"]
)
def test_json_by_any_spelling(client: FlaskClient, content_type: str) -> None:
    answer = client.post("/v1/predict", data=b'{"headline": "a"}', headers={"Content-Type": content_type})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", [f"/{S}", "/v1", "/v1/predict/", "/v1//predict", "/v1/predict/one", "/%ff"])
def test_unknown_addresses(refused: Refused, path: str) -> None:
    assert refused(path, json=OK, expected=404)["type"] == "/problems/not-found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/predict", "POST"),
        ("PUT", "/v1/predict/batch", "POST"),
        ("DELETE", "/v1/rank", "POST"),
        ("POST", "/healthz", "GET"),
        ("BREW", "/readyz", "GET"),
    ],
)
def test_other_methods(client: FlaskClient, refused: Refused, method: str, path: str, allowed: str) -> None:
    assert refused(path, method=method, expected=405)["type"] == "/problems/method-not-allowed"
    assert allowed in client.open(path, method=method).headers["Allow"].split(", ")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/predict", {"headline": S * 1000}, "headline"),
        ("/v1/predict", {"headline": S, "body": "x" * 2500, "summary": "y" * 500}, "body"),
        ("/v1/predict", {"page": S * 1000}, "page"),
        ("/v1/predict", {"headline": S * 3000}, None),
        ("/v1/predict/batch", {"articles": [OK] * 21}, "articles"),
        ("/v1/rank", {"articles": [OK] * 21}, "articles"),
        ("/v1/rank", {"articles": [OK, {"body": S * 1000}]}, "articles[1].body"),
    ],
)
def test_limits(refused: Refused, path: str, body: Any, field: str | None) -> None:
    problem = refused(path, json=body, expected=413)
    assert problem["type"] == "/problems/too-large"
    assert problem.get("field") == field


def test_limits_are_what_is_still_taken(client: FlaskClient) -> None:
    assert client.post("/v1/predict", json={"headline": "x" * 3000}).status_code == 200
    assert client.post("/v1/predict/batch", json={"articles": [OK] * 20}).status_code == 200
    padded = b'{"headline": "a"}'.ljust(20_000)
    assert client.post("/v1/predict", data=padded, headers=JSON).status_code == 200


def test_a_body_in_chunks_has_the_same_limit(refused: Refused, client: FlaskClient) -> None:
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    body = b'{"headline": "a"}'
    for size, status in ((20_000, 200), (20_001, 413)):
        answer = client.open(
            "/v1/predict",
            method="POST",
            input_stream=BytesIO(body.ljust(size)),
            headers=JSON,
            environ_overrides=environ,
        )
        assert answer.status_code == status


def test_a_body_that_was_cut_off(refused: Refused) -> None:
    problem = refused(
        "/v1/predict",
        input_stream=BytesIO(b'{"headline": "Quuxelby"}'),
        environ_overrides={"CONTENT_LENGTH": "100"},
        headers=JSON,
        expected=400,
    )
    assert "24 of 100" in problem["detail"]


@pytest.mark.parametrize(
    ("page", "line"),
    [
        ("", 1),
        (f"{S}\n{S}", 1),
        ("Title\n11:36 XYZ, April 2, 2031\nText.", 2),
        ("Title\n11:36 JST, February 30, 2031\nText.", 2),
        (f"{S}\n11:36 JST, April 2, 2031\n{S}\0", 3),
    ],
)
def test_a_page_that_cannot_be_read(refused: Refused, page: str, line: int) -> None:
    problem = refused("/v1/predict", json={"page": page}, expected=422)
    assert problem["type"] == "/problems/unreadable-page"
    assert problem["line"] == line


def _fails_with(settings: Settings, error: Exception) -> FlaskClient:
    app: Flask = create_app(settings)

    @app.get("/fails")
    def fails() -> None:
        raise error

    return app.test_client()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError(S), 500),
        (KeyError(S), 500),
        (RecursionError(S), 500),
        (MemoryError(S), 500),
        (ConfigError(S), 500),
        (OutputError(S, where=S), 500),
        (InstallationError(S, where=S), 500),
        (NewsdeskError(S), 500),
        (ArtifactMissing(S, where=S), 503),
    ],
)
def test_what_happens_inside_stays_inside(
    settings: Settings,
    check_problem: Refused,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = _fails_with(settings, error).get("/fails")
    check_problem(answer.status_code, answer.content_type, answer.json, expected=status)
    assert S not in caplog.text
    [said] = [json.loads(JsonLines().format(r)) for r in caplog.records if r.levelname == "ERROR"]
    assert (said["event"], said["route"], said["error"]) == ("error", "/fails", type(error).__name__)
    assert said["at"][-1].partition(":")[0] not in ("", "?")
    assert said["request_id"] == answer.headers["X-Request-ID"]
    assert S not in json.dumps(said)


def test_what_the_model_cannot_do_is_said(settings: Settings, check_problem: Refused) -> None:
    error = UsageError("the model has no popularity head", remedy="train one")
    answer = _fails_with(settings, error).get("/fails")
    problem = check_problem(answer.status_code, answer.content_type, answer.json, expected=409)
    assert problem["detail"] == "the model has no popularity head; train one"


def test_every_error_class_has_a_kind() -> None:
    classes = [
        item
        for item in vars(classifier.errors).values()
        if isinstance(item, type) and issubclass(item, NewsdeskError)
    ]
    assert all(any(base in KINDS for base in item.__mro__) for item in classes)
    statuses: dict[str, int] = {}
    for kind in KINDS.values():
        assert statuses.setdefault(kind.name, kind.status) == kind.status

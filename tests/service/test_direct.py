"""The way around the framework gives what the framework gives, or nothing."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from service import create_app
from service.cookies import NAME, token_for
from service.direct import Direct
from service.keys import KeyFile
from service.settings import Settings, settings_of
from service.state import StateFolder

ARTICLE = {"headline": "Bank vote", "source": "The Courier", "published_at": "2031-05-01T08:00:00+09:00"}


@pytest.fixture(scope="module")
def keyed(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, str]:
    state = tmp_path_factory.mktemp("direct")
    _, token = KeyFile(StateFolder(state).keys).add("desk", "predict")
    return create_app(Settings(model=tiny_model_path, state=state, open="never")), token


def environ_of(token: str, body: bytes, **changed: Any) -> dict[str, Any]:
    found = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/v1/predict",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "HTTP_X_REQUEST_ID": "one-and-the-same",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }
    return {name: value for name, value in {**found, **changed}.items() if value is not None}


def test_the_answer_is_the_application_s(keyed: tuple[Flask, str]) -> None:
    app, token = keyed
    body = json.dumps(ARTICLE).encode()
    answer = Direct(app, settings_of(app)).answer(environ_of(token, body), body)
    assert answer is not None
    status, headers, data = answer
    theirs: list[Any] = []
    parts = app.wsgi_app(
        environ_of(token, body), lambda status, headers, error=None: theirs.extend((status, headers))
    )
    assert b"".join(parts) == data
    assert theirs[0] == f"{status} OK"
    assert sorted(theirs[1]) == sorted(headers)


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (ARTICLE, {"REQUEST_METHOD": "GET"}),
        (ARTICLE, {"PATH_INFO": "/v1/rank"}),
        (ARTICLE, {"QUERY_STRING": "explain=true"}),
        (ARTICLE, {"CONTENT_TYPE": "text/plain"}),
        (ARTICLE, {"CONTENT_TYPE": None}),
        (ARTICLE, {"HTTP_CONTENT_ENCODING": "gzip"}),
        (ARTICLE, {"HTTP_AUTHORIZATION": None}),
        (ARTICLE, {"HTTP_AUTHORIZATION": "Bearer none"}),
        ({"page": "x"}, {}),
        ({"headline": 5}, {}),
        ({}, {}),
        ([], {}),
        ("x", {}),
    ],
)
def test_what_is_unusual_is_left_to_the_application(
    keyed: tuple[Flask, str], body: Any, changed: dict[str, Any]
) -> None:
    app, token = keyed
    data = json.dumps(body).encode()
    assert Direct(app, settings_of(app)).answer(environ_of(token, data, **changed), data) is None


@pytest.mark.parametrize("body", [b"", b"{", b'{"headline": NaN}', b'{"headline": "\xff"}', b"[" * 5000])
def test_so_is_what_is_no_json(keyed: tuple[Flask, str], body: bytes) -> None:
    app, token = keyed
    assert Direct(app, settings_of(app)).answer(environ_of(token, body), body) is None


def test_a_key_in_a_cookie_is_the_same_to_both(tiny_model_path: Path, tmp_path: Path) -> None:
    _, token = KeyFile(StateFolder(tmp_path).keys).add("desk", "editor")
    app = create_app(Settings(model=tiny_model_path, state=tmp_path, open="never"))
    body = json.dumps(ARTICLE).encode()
    cookie = {"HTTP_AUTHORIZATION": None, "HTTP_COOKIE": f"{NAME}={token}"}
    page = {**cookie, "HTTP_X_NEWSDESK_CSRF": token_for(token)}
    answer = Direct(app, settings_of(app)).answer(environ_of("", body, **page), body)
    assert answer is not None
    parts = app.wsgi_app(environ_of("", body, **page), lambda status, headers, error=None: print)
    assert b"".join(parts) == answer[2]
    # Without the page's token the application is asked, and refuses.
    assert Direct(app, settings_of(app)).answer(environ_of("", body, **cookie), body) is None
    assert b"/problems/cross-site" in b"".join(app.wsgi_app(environ_of("", body, **cookie), lambda *_: print))

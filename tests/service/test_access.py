"""Who may ask for what: keys, roles, limits, host names, headers; and when the service refuses to start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ConfigError
from service import create_app
from service.access import access_of
from service.admission import SIGN_IN, SIGN_IN_BYTES, Access, credential
from service.cookies import NAME
from service.errors import Unauthenticated
from service.keys import KeyFile
from service.settings import Settings
from service.state import StateFolder

ARTICLE = {"headline": "Assembly votes on the budget bill"}
PREDICTIONS = [
    ("POST", "/v1/predict", ARTICLE),
    ("POST", "/v1/predict/batch", {"articles": [ARTICLE]}),
    ("POST", "/v1/rank", {"articles": [ARTICLE]}),
    ("POST", "/v1/headlines", {"headlines": ["One vote", "Two votes"]}),
    ("GET", "/v1/models", None),
    ("GET", "/metrics", None),
]


class Served:
    """An application with a key a role."""

    def __init__(self, model: Path, state: Path, **settings: Any) -> None:
        self.file = KeyFile(StateFolder(state).keys)
        self.tokens = {role: self.file.add(role, role)[1] for role in ("predict", "editor", "admin")}
        self.app = create_app(Settings(model=model, state=state, **settings))
        self.client: FlaskClient = self.app.test_client()

    def ask(self, method: str, path: str, body: Any = None, role: str | None = None, **headers: str) -> Any:
        if role:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return self.client.open(path, method=method, json=body, headers=headers)


@pytest.fixture(scope="module")
def served(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(tiny_model_path, tmp_path_factory.mktemp("served"))


@pytest.mark.parametrize(("method", "path", "body"), PREDICTIONS)
def test_predictions_need_a_key_of_any_role(
    served: Served, check_problem: Callable[..., Any], method: str, path: str, body: Any
) -> None:
    refused = served.ask(method, path, body)
    check_problem(refused.status_code, refused.content_type, refused.json, expected=401)
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="newsdesk"'
    for role in served.tokens:
        assert served.ask(method, path, body, role).status_code == 200


def test_every_route_is_closed_unless_it_says_otherwise(served: Served) -> None:
    opened = set()
    for rule in served.app.url_map.iter_rules():
        path = rule.rule.replace("<version>", "x")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if served.ask(method, path, {} if method == "POST" else None).status_code != 401:
                opened.add(rule.rule)
    page = {"/", "/ranking", "/headlines", "/model", "/page/static/<name>", "/page/session"}
    docs = {"/openapi.json", "/docs", "/docs/docs.css", "/docs/docs.js"}
    assert opened == {"/healthz", "/readyz", *docs, *page}


@pytest.mark.parametrize("role", [None, "predict", "editor"])
def test_changing_models_needs_an_admin(
    served: Served, check_problem: Callable[..., Any], role: str | None
) -> None:
    answer = served.ask("POST", "/v1/models/20310101T000000Z-0123456789ab/promote", role=role)
    check_problem(answer.status_code, answer.content_type, answer.json, expected=403 if role else 401)
    assert served.ask("POST", "/v1/models/x/promote", role="admin").status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer newsdesk",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer x{key}",
        "Bearer {key},{key}",
        "Bearer {key} {key}",
    ],
)
def test_credentials_that_are_none(served: Served, header: str) -> None:
    value = header.format(key=served.tokens["admin"])
    assert served.ask("GET", "/v1/models", Authorization=value).status_code == 401


def test_a_key_in_the_address_is_no_credential(served: Served) -> None:
    assert served.client.get(f"/v1/models?key={served.tokens['admin']}").status_code == 401


def test_the_scheme_is_not_case_sensitive(served: Served) -> None:
    answer = served.ask("GET", "/v1/models", Authorization=f"bEARER  {served.tokens['predict']} ")
    assert answer.status_code == 200


@given(st.text())
def test_any_header_is_a_credential_or_none(header: str) -> None:
    found = credential({"HTTP_AUTHORIZATION": header})
    assert found is None or (found.token in header and not found.in_cookie)


def test_neither_key_nor_token_is_in_an_answer_or_a_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    token = served.tokens["predict"]
    said = [
        served.ask("POST", "/v1/models/x/promote", role="predict").text,
        served.ask("GET", "/v1/models", Authorization=f"Bearer {token}x").text,
        caplog.text,
    ]
    assert token.split("_", 2)[2] not in str(said)


def test_keys_are_taken_up_and_dropped_while_it_runs(tiny_model_path: Path, tmp_path: Path) -> None:
    served = Served(tiny_model_path, tmp_path)
    access = access_of(served.app)
    served.tokens["new"] = served.file.add("new", "predict")[1]
    access.refresh()
    assert served.ask("GET", "/v1/models", role="new").status_code == 200
    served.file.revoke("new")
    access.refresh()
    assert served.ask("GET", "/v1/models", role="new").status_code == 401
    served.file.path.write_text("nonsense")
    with pytest.raises(ConfigError):
        access.refresh()
    access.refresh()  # said once
    assert served.ask("GET", "/v1/models", role="predict").status_code == 200


def test_a_key_that_asks_too_often_is_told_when_to_come_back(
    tiny_model_path: Path, tmp_path: Path, check_problem: Callable[..., Any]
) -> None:
    served = Served(tiny_model_path, tmp_path, rate_limit=3)
    served.tokens["own"] = served.file.add("own", "predict", 1)[1]
    served.tokens["free"] = served.file.add("free", "predict", 0)[1]
    access_of(served.app).refresh()
    answers = [served.ask("GET", "/v1/models", role="predict") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    body = check_problem(429, answers[3].content_type, answers[3].json, expected=429)
    assert "3 times a minute" in body["detail"]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 20
    # Others, and who asks for nothing that counts, go on.
    assert served.ask("GET", "/v1/models", role="editor").status_code == 200
    assert served.ask("GET", "/healthz", role="predict").status_code == 200
    assert [served.ask("GET", "/v1/models", role="own").status_code for _ in "12"] == [200, 429]
    assert {served.ask("GET", "/v1/models", role="free").status_code for _ in range(9)} == {200}


@pytest.mark.parametrize(
    ("hosts", "asked", "status"),
    [
        ("*", "anything.example", 200),
        ("auto", "anything.example", 200),
        ("news.example", "news.example", 200),
        ("news.example", "NEWS.example.:8000", 200),
        ("news.example", "news.example.evil.example", 421),
        ("news.example", "evil.example", 421),
        ("news.example", "", 421),
        ("a.example,::1", "[::1]:8000", 200),
        ("a.example,[::1]", "[::1]", 200),
        ("a.example,127.0.0.1", "127.0.0.1:1", 200),
        ("a.example,127.0.0.1", "127.0.0.1.evil.example", 421),
    ],
)
def test_host_names(
    tiny_model_path: Path, check_problem: Callable[..., Any], hosts: str, asked: str, status: int
) -> None:
    client = create_app(Settings(model=tiny_model_path, open="always", hosts=hosts)).test_client()
    answer = client.get("/v1/models", headers={"Host": asked})
    assert answer.status_code == status
    if status == 421:
        check_problem(answer.status_code, answer.content_type, answer.json, expected=421)
    assert client.get("/healthz", headers={"Host": asked}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/nothing", "/metrics"])
def test_every_answer_has_the_headers_for_browsers_and_none_that_opens_it_to_others(
    served: Served, path: str
) -> None:
    for origin in ({}, {"Origin": "https://evil.example"}):
        headers = served.ask("GET", path, **origin).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert not [name for name in headers.keys() if name.lower().startswith("access-control")]  # noqa: SIM118


def test_a_bare_application_refuses_to_start_without_keys(tiny_model_path: Path, tmp_path: Path) -> None:
    for settings in (
        Settings(model=tiny_model_path),
        Settings(model=tiny_model_path, state=tmp_path),
        Settings(model=tiny_model_path, state=tmp_path, open="never"),
    ):
        with pytest.raises(ConfigError, match="there are no keys") as caught:
            create_app(settings)
        assert "newsdesk keys add" in str(caught.value)
        assert "NEWSDESK_OPEN=always" in str(caught.value)
    file = KeyFile(StateFolder(tmp_path).keys)
    file.add("a", "predict")
    create_app(Settings(model=tiny_model_path, state=tmp_path))
    file.revoke("a")
    with pytest.raises(ConfigError, match="there are no keys"):
        create_app(Settings(model=tiny_model_path, state=tmp_path))


def test_open_as_long_as_there_are_no_keys(tiny_model_path: Path, tmp_path: Path) -> None:
    settings = Settings(model=tiny_model_path, state=tmp_path, open="without-keys")
    app = create_app(settings)
    client, access, file = app.test_client(), access_of(app), KeyFile(StateFolder(tmp_path).keys)
    assert client.post("/v1/predict", json=ARTICLE).status_code == 200
    assert client.post("/v1/models/x/promote").status_code == 401
    file.add("a", "predict")
    access.refresh()
    assert client.post("/v1/predict", json=ARTICLE).status_code == 401
    # It does not open again by itself.
    file.revoke("a")
    access.refresh()
    assert client.post("/v1/predict", json=ARTICLE).status_code == 401
    file.path.unlink()
    access.refresh()
    assert client.post("/v1/predict", json=ARTICLE).status_code == 401


def test_a_damaged_file_of_keys_opens_nothing(tiny_model_path: Path, tmp_path: Path) -> None:
    app = create_app(Settings(model=tiny_model_path, state=tmp_path, open="without-keys"))
    StateFolder(tmp_path).keys.write_text("nonsense")
    with pytest.raises(ConfigError):
        access_of(app).refresh()
    assert app.test_client().post("/v1/predict", json=ARTICLE).status_code == 401


def test_always_open_still_knows_keys(tiny_model_path: Path, tmp_path: Path) -> None:
    served = Served(tiny_model_path, tmp_path, open="always")
    assert served.ask("POST", "/v1/predict", ARTICLE).status_code == 200
    assert served.ask("POST", "/v1/predict", ARTICLE, Authorization="Bearer wrong").status_code == 401
    assert served.ask("POST", "/v1/models/x/promote").status_code == 401
    assert served.ask("POST", "/v1/models/x/promote", role="admin").status_code == 404


def test_whose_body_is_worth_receiving(served: Served) -> None:
    access: Access = access_of(served.app)
    predict = {"PATH_INFO": "/v1/predict"}
    known = served.tokens["editor"]
    assert access.takes({**predict, "HTTP_AUTHORIZATION": f"Bearer {known}"}, 9_999) == 9_999
    assert access.takes({**predict, "HTTP_COOKIE": f"{NAME}={known}"}, 9_999) == 9_999
    for nobody in ({}, {"HTTP_AUTHORIZATION": "Bearer wrong"}, {"HTTP_COOKIE": f"{NAME}=wrong"}):
        assert access.takes({**predict, **nobody}, 9_999) == 0
        assert access.takes({"PATH_INFO": SIGN_IN, **nobody}, 9_999) == SIGN_IN_BYTES
    assert access.takes({"PATH_INFO": SIGN_IN}, 9) == 9


def test_a_key_that_is_revoked_while_a_body_arrives_opens_nothing(
    tiny_model_path: Path, tmp_path: Path
) -> None:
    served = Served(tiny_model_path, tmp_path)
    access: Access = access_of(served.app)
    environ: dict[str, Any] = {
        "PATH_INFO": "/v1/predict",
        "HTTP_AUTHORIZATION": f"Bearer {served.tokens['editor']}",
    }
    assert access.takes(environ, 9) == 9
    assert access.admit(environ, "predict") is not None
    served.file.revoke("editor")
    access.refresh()
    with pytest.raises(Unauthenticated):
        access.admit(environ, "predict")

"""Signing in: who may, what the browser keeps, and what it must show to change anything."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from service.cookies import HEADER, NAME, SECURE_NAME, cookie_of, is_from_page, token_for
from service.keys import KeyFile

ARTICLE = {"headline": "Assembly votes on the budget bill"}
PATH = "/page/session"
SECONDS = 60.0
Running = Callable[..., AbstractContextManager[Any]]
Keyed = tuple[Path, KeyFile, dict[str, str]]


def test_nobody_is_signed_in_at_first(guarded: Any) -> None:
    visitor = guarded.visitor()
    answer = visitor.ask("GET", PATH)
    assert answer.status == 200
    assert answer.json == {"open": False, "key": None, "role": None, "csrf": None}
    assert not answer.cookies
    assert visitor.ask("POST", "/v1/predict", ARTICLE).status == 401


@pytest.mark.parametrize("role", ["editor", "admin"])
def test_a_key_of_the_page_opens_what_it_opens_in_a_header(guarded: Any, role: str) -> None:
    visitor = guarded.visitor()
    answer = visitor.sign_in(guarded.tokens[role])
    assert answer.status == 200
    assert answer.json == {"open": False, "key": role, "role": role, "csrf": token_for(guarded.tokens[role])}
    assert visitor.ask("GET", PATH).json == answer.json
    assert visitor.ask("GET", "/v1/models").status == 200
    assert visitor.ask("GET", "/page/model").status == 200
    assert visitor.ask("POST", "/v1/predict", ARTICLE).json["section"] == "Politics"
    assert visitor.ask("POST", "/v1/predict?explain=true", ARTICLE).status == 200
    assert visitor.ask("POST", "/v1/models/x/promote").status == (404 if role == "admin" else 403)


def test_no_script_can_read_the_cookie_and_no_other_site_use_it(guarded: Any) -> None:
    visitor = guarded.visitor()
    [cookie] = visitor.sign_in(guarded.tokens["editor"]).cookies
    value, *attributes = cookie.split("; ")
    assert value == f"{NAME}={guarded.tokens['editor']}"
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict"]  # kept until the browser is closed


def test_by_tls_it_is_for_tls_alone(guarded: Any) -> None:
    visitor = guarded.visitor()
    origin = {"Origin": f"https://127.0.0.1:{guarded.port}"}  # as a browser says before a proxy that ends TLS
    [cookie] = visitor.sign_in(guarded.tokens["editor"], origin).cookies
    value, *attributes = cookie.split("; ")
    assert value == f"{SECURE_NAME}={guarded.tokens['editor']}"
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]
    assert visitor.ask("POST", "/v1/predict", ARTICLE).status == 200


def test_signing_out(guarded: Any) -> None:
    visitor = guarded.visitor("editor")
    assert visitor.ask("DELETE", PATH, headers={HEADER: "no"}).status == 403
    answer = visitor.ask("DELETE", PATH)
    assert answer.json == {"open": False, "key": None, "role": None, "csrf": None}
    assert "Expires=Thu, 01 Jan 1970" in answer.cookies[0]
    assert not visitor.cookies
    assert visitor.ask("POST", "/v1/predict", ARTICLE).status == 401
    assert visitor.ask("DELETE", PATH).status == 200


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        ({"key": "newsdesk_00000000_" + "x" * 43}, {}, 401, "unauthenticated"),
        ({"key": "a wrong one"}, {}, 401, "unauthenticated"),
        ({"key": " "}, {}, 422, "invalid-field"),
        ({"key": 5}, {}, 422, "invalid-field"),
        ({}, {}, 422, "invalid-field"),
        ([], {}, 422, "invalid-input"),
        (b"nonsense", {"Content-Type": "application/json"}, 400, "malformed-body"),
        (b"key=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
        ({"key": "x" * 1024}, {}, 413, "too-large"),
    ],
)
def test_what_is_no_key(
    guarded: Any,
    check_problem: Callable[..., Any],
    body: Any,
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    visitor = guarded.visitor()
    answer = visitor.ask("POST", PATH, body, headers)
    problem = check_problem(answer.status, answer.headers["Content-Type"], answer.json, expected=status)
    assert problem["type"] == f"/problems/{kind}"
    assert not answer.cookies


def test_a_key_for_predictions_is_told_which_one_it_takes(guarded: Any) -> None:
    visitor = guarded.visitor()
    answer = visitor.sign_in(guarded.tokens["predict"])
    assert answer.status == 403
    assert "the editors' page needs a key of the role editor" in answer.json["detail"]
    assert not answer.cookies
    # Put there by hand it opens no more than it does in a header.
    visitor.cookies[NAME] = guarded.tokens["predict"]
    assert visitor.ask("GET", "/page/model").status == 403
    assert visitor.ask("GET", "/v1/models").status == 200
    assert visitor.ask("GET", PATH).json["key"] is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:PORT"}, 403),
        ({"Origin": "http://127.0.0.1:PORT"}, 200),
        ({"Origin": "http://127.0.0.1"}, 200),
        ({"Origin": "http://localhost:PORT"}, 403),
        ({"Origin": "http://127.0.0.1:PORT.evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_no_other_site_signs_anybody_in(guarded: Any, headers: dict[str, str], status: int) -> None:
    sent = {name: value.replace("PORT", str(guarded.port)) for name, value in headers.items()}
    answer = guarded.visitor().sign_in(guarded.tokens["editor"], sent)
    assert answer.status == status
    assert bool(answer.cookies) == (status == 200)
    if status == 403:
        assert answer.json["type"] == "/problems/cross-site"


def changing(app: Flask) -> list[tuple[str, str]]:
    """Every route and method that may change something, but signing in."""
    return [
        (method, re.sub(r"<\w+>", "x", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"})
        if (rule.rule, method) != (PATH, "POST")
    ]


def test_by_cookie_nothing_changes_without_the_page_s_token(
    guarded: Any, app: Flask, check_problem: Callable[..., Any]
) -> None:
    routes = changing(app)
    assert len(routes) >= 10
    visitor, token = guarded.visitor("admin"), guarded.tokens["admin"]
    for method, path in routes:
        for wrong in (
            None,
            "",
            "x",
            token,
            token_for(guarded.tokens["editor"]),
            visitor.csrf.upper(),
            "\xe9",
        ):
            visitor.csrf = wrong
            answer = visitor.ask(method, path, {})
            problem = check_problem(answer.status, answer.headers["Content-Type"], answer.json, expected=403)
            assert problem["type"] == "/problems/cross-site", (method, path)
            visitor.csrf = token_for(token)
        if method != "DELETE":
            answer = visitor.ask(method, path, {})
            assert answer.status not in (401, 403), (method, path, answer.text)


def test_a_key_in_a_header_needs_no_token_and_goes_before_the_cookie(guarded: Any) -> None:
    visitor = guarded.visitor("editor")
    visitor.csrf = None
    bearer = {"Authorization": f"Bearer {guarded.tokens['admin']}"}
    assert visitor.ask("POST", "/v1/predict", ARTICLE, bearer).status == 200
    assert visitor.ask("POST", "/v1/models/x/promote", None, bearer).status == 404
    assert visitor.ask("POST", "/v1/predict", ARTICLE, {"Authorization": "Bearer wrong"}).status == 401
    # What a proxy's own password looks like is no key of ours.
    visitor.csrf = token_for(guarded.tokens["editor"])
    assert visitor.ask("POST", "/v1/predict", ARTICLE, {"Authorization": "Basic eDp5"}).status == 200


def test_other_cookies_are_left_alone(guarded: Any) -> None:
    visitor = guarded.visitor("editor")
    visitor.cookies = {"other": "a=b", **visitor.cookies, "newsdesk": "c"}
    assert visitor.ask("POST", "/v1/predict", ARTICLE).status == 200
    visitor.cookies = {"other": "a"}
    assert visitor.ask("GET", "/v1/models").status == 401


def test_cookies_may_come_in_several_lines(guarded: Any) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=SECONDS)) as connection:
        connection.putrequest("GET", "/v1/models")
        for cookie in ("other=a", f"{NAME}={guarded.tokens['editor']}", "last=b"):
            connection.putheader("Cookie", cookie)
        connection.endheaders()
        assert connection.getresponse().status == 200


def test_wrong_keys_are_counted_over_all_workers_and_keep_nobody_else_out(
    running: Running, visit: Callable[[int], Any], tiny_model_path: Path, keyed_state: Keyed
) -> None:
    state, _, tokens = keyed_state
    with running(tiny_model_path, "--state", str(state), "--workers", "2") as server:
        answers = [visit(server.port).sign_in(f"wrong-{number}") for number in range(45)]
        statuses = [answer.status for answer in answers]
        assert statuses[:30] == [401] * 30
        # A few more become due while they are asked.
        assert statuses.count(429) >= 10
        assert set(statuses) == {401, 429}
        late = answers[statuses.index(429)]
        assert late.json["type"] == "/problems/rate-limited"
        assert int(late.headers["Retry-After"]) >= 1
        assert visit(server.port).sign_in(tokens["editor"]).status == 200


def test_a_revoked_key_opens_nothing_any_more(guarded: Any) -> None:
    token = guarded.keys.add("leaving", "editor")[1]
    visitor = guarded.visitor()
    end = time.monotonic() + SECONDS
    while visitor.sign_in(token).status != 200:
        assert time.monotonic() < end
    assert visitor.ask("POST", "/page/read", b"x").status == 422
    guarded.keys.revoke("leaving")
    while visitor.ask("POST", "/v1/predict", ARTICLE).status != 401:
        assert time.monotonic() < end
    for method, path in (("GET", "/page/model"), ("POST", "/page/read"), ("GET", "/v1/models")):
        assert visitor.ask(method, path, b"x" if method == "POST" else None).status == 401
    answer = visitor.ask("GET", PATH)
    assert answer.json["key"] is None
    assert not visitor.cookies, "the browser was told to forget it"


def test_where_no_key_is_needed_an_old_cookie_does_no_harm(
    unguarded: Any, visit: Callable[[int], Any]
) -> None:
    visitor = visit(unguarded.port)
    visitor.cookies[NAME] = "newsdesk_00000000_" + "x" * 43
    assert visitor.ask("POST", "/v1/predict", ARTICLE).status == 200
    assert visitor.ask("POST", "/v1/models/x/promote").status == 401
    assert visitor.ask("GET", "/page/model").status == 200
    assert visitor.ask("POST", "/v1/predict", ARTICLE, {"Authorization": "Bearer x"}).status == 401
    assert visitor.ask("GET", PATH).json == {"open": True, "key": None, "role": None, "csrf": None}
    assert not visitor.cookies


def test_where_no_key_is_needed_an_admin_may_sign_in(
    running: Running, visit: Callable[[int], Any], tiny_model_path: Path, keyed_state: Keyed
) -> None:
    state, _, tokens = keyed_state
    with running(tiny_model_path, "--state", str(state), "--open", "always", "--workers", "1") as server:
        visitor = visit(server.port)
        assert visitor.ask("POST", "/v1/models/x/promote").status == 401
        assert visitor.sign_in(tokens["admin"]).json["open"] is True
        assert visitor.ask("POST", "/v1/models/x/promote").status == 404


def test_no_key_is_in_an_answer_or_a_log(
    running: Running, visit: Callable[[int], Any], tiny_model_path: Path, keyed_state: Keyed
) -> None:
    state, _, tokens = keyed_state
    token = tokens["editor"]
    said = []
    with running(tiny_model_path, "--state", str(state), NEWSDESK_LOG_LEVEL="info") as server:
        visitor = visit(server.port)
        said += [visitor.sign_in(f"{token}x").text, visitor.sign_in(token).text]
        said += [visitor.ask("GET", PATH).text, visitor.ask("POST", "/v1/predict", ARTICLE).text]
        csrf = visitor.csrf
        server.stop()
        said.append(server.stderr)
    signed_in = [line for line in server.stderr.splitlines() if '"route":"/page/session"' in line]
    assert ['"key":"editor"' in line for line in signed_in] == [False, True, False]
    assert token.split("_", 2)[2] not in "".join(said)
    assert csrf not in server.stderr


@given(st.text())
def test_any_cookie_header_is_a_key_or_none(header: str) -> None:
    found = cookie_of({"HTTP_COOKIE": header})
    assert found is None or (found in header and NAME in header)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"{NAME}=a", "a"),
        (f"x=y; {NAME}=a;z", "a"),
        (f"{NAME}=a; {NAME}=b", "a"),
        (f"{NAME}=a; {SECURE_NAME}=b", "b"),
        (f"{NAME}=", None),
        (f"x{NAME}=a", None),
        (f"x={NAME}=a", None),
        ("", None),
    ],
)
def test_cookies(header: str, found: str | None) -> None:
    assert cookie_of({"HTTP_COOKIE": header}) == found


@given(st.text(), st.text(), st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]))
def test_only_the_key_s_own_token_will_do(key: str, sent: str, method: str) -> None:
    environ = {"REQUEST_METHOD": method, "HTTP_X_NEWSDESK_CSRF": sent}
    assert is_from_page(environ, key) == (method in ("GET", "HEAD") or sent == token_for(key))
    assert is_from_page({**environ, "HTTP_X_NEWSDESK_CSRF": token_for(key)}, key)

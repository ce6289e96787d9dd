"""The page and the files that it is made of: its policy, its addresses, and that no text can become HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient

from service.page import catalogue
from service.page.views import STATIC, static_files

VIEWS = {"/": "article", "/ranking": "ranking", "/headlines": "headlines", "/model": "model"}
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}{n}"
FIRST_VIEW_BYTES = 100_000


@pytest.mark.parametrize("path", VIEWS)
def test_a_view_is_a_page(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert '<html lang="en"' in answer.text
    assert f'data-view="{VIEWS[path]}"' in answer.text
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", VIEWS)
def test_the_policy_is_strict_and_the_page_keeps_it(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    for name in ("script-src", "style-src", "img-src", "connect-src", "form-action"):
        assert policy[name] == "'self'"
    for name in ("base-uri", "frame-ancestors"):
        assert policy[name] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in str(policy)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert not re.search(r"<style|<[^>]*\s(style|on\w+)\s*=|javascript:", answer.text)
    for script in re.findall(r"<script[^>]*>", answer.text):
        assert " src=" in script or 'type="application/json"' in script
    assert not re.search(
        r"https?://|//\w+\.", re.sub(r'<script type="application/json".*?</script>', "", answer.text)
    )


def linked(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'\s(?:src|href)="([^"]*)"', html)]


@pytest.mark.parametrize("path", VIEWS)
def test_every_address_is_relative_and_leads_somewhere(client: FlaskClient, path: str) -> None:
    targets = linked(client.get(path).text)
    assert len(targets) > 5
    for target in targets:
        assert not target.startswith("/")  # the service may stand behind a proxy under a path
        if not target.startswith("#"):
            assert client.get("/" + target.removeprefix("./")).status_code == 200, target


@pytest.mark.parametrize("path", VIEWS)
def test_the_first_view_is_small(client: FlaskClient, path: str) -> None:
    html = client.get(path)
    names = {target.removeprefix(STATIC) for target in linked(html.text) if target.startswith(STATIC)}
    names |= {f"{VIEWS[path]}.js"} & set(static_files())
    total = len(html.data) + sum(len(static_files()[name].data) for name in imported(names))
    assert total <= FIRST_VIEW_BYTES


def imported(names: set[str]) -> set[str]:
    """These files, and the modules that they import as they load (not those that they load later)."""
    found, todo = set(names), list(names)
    while todo:
        text = static_files()[todo.pop()].data.decode()
        more = set(re.findall(r"""(?:from|import)\s*["']\./([\w.-]+)["']""", text)) - found
        found |= more
        todo += more
    return found


def test_the_files_are_those_of_the_package(client: FlaskClient) -> None:
    there = {item.name for item in files("service.page").joinpath("static").iterdir()}
    assert set(static_files()) == there
    assert {"page.css", "app.js"} <= there
    for name in there:
        answer = client.get(f"/page/static/{name}")
        assert answer.status_code == 200
        assert answer.content_type == KINDS[Path(name).suffix]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/ranking", "/page/static/page.css"])
def test_browsers_keep_what_they_have_and_ask_whether_it_is_still_so(client: FlaskClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    other = client.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.data) == (200, first.data)


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "../views.py",
        "..%2fviews.py",
        "%2e%2e/views.py",
        "..\\views.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "page.css/",
        "page.css%00",
        "",
        ".",
        "__init__.py",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/page/static/{name}").status_code == 404


@pytest.mark.parametrize(
    "asked", [None, "en-GB,en;q=0.8", "de,fr;q=0.5", "*", "", "nonsense;;q=x", "xx" * 500]
)
def test_a_language_that_is_not_there_is_english(client: FlaskClient, asked: str | None) -> None:
    answer = client.get("/", headers={} if asked is None else {"Accept-Language": asked})
    assert '<html lang="en"' in answer.text
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_hostile_text_stays_a_text(app: Flask) -> None:
    texts = {"a": HOSTILE, "b": {"one": HOSTILE, "other": "\u2028<!--"}}
    with app.test_request_context("/"):
        html = render_template(
            "shell.html",
            view="article",
            lang='en" onload="alert(1)',
            text=lambda key, **values: HOSTILE,
            texts=texts,
            asset=lambda name: f'{name}"><script>',
        )
    assert "<img src=x" not in html
    assert "<script>" not in html
    assert "{{7*7}}" in html
    [data] = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.S)
    assert json.loads(data) == texts


def test_the_shell_tells_nothing_of_the_model(guarded: Any) -> None:
    visitor = guarded.visitor()
    for path in VIEWS:
        answer = visitor.ask("GET", path)
        assert answer.status == 200
        assert "tiny" not in answer.text
    for path in ("/page/model", "/page/report", "/page/report/confusion.svg"):
        assert visitor.ask("GET", path).status == 401


def test_no_other_host_name_gets_the_page(
    running: Callable[..., AbstractContextManager[Any]], visit: Callable[[int], Any], tiny_model_path: Path
) -> None:
    """As where a page of another site has made its own name lead here (DNS rebinding)."""
    with running(tiny_model_path, "--workers", "1") as server:
        for method, path in (
            ("GET", "/"),
            ("GET", "/page/session"),
            ("POST", "/page/session"),
            ("POST", "/page/read"),
        ):
            answer = visit(server.port).ask(
                method, path, {} if method == "POST" else None, {"Host": "evil.example"}
            )
            assert answer.status == 421
        assert visit(server.port).ask("GET", "/").status == 200


def test_behind_another_server_it_is_the_same(client: FlaskClient, unguarded: Any) -> None:
    for path in VIEWS:
        answer = unguarded.ask("GET", path)
        theirs = client.get(path)
        assert answer.data == theirs.data
        assert answer.headers["ETag"] == theirs.headers["ETag"]


def test_every_language_has_the_same_texts() -> None:
    ours = catalogue.texts(catalogue.DEFAULT)
    for language in catalogue.languages():
        own = catalogue.texts(language)
        assert own.keys() == ours.keys()
        for key, text in own.items():
            assert placeholders(text) == placeholders(ours[key]), (language, key)


def placeholders(text: Any) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", json.dumps(text)))


def used() -> tuple[set[str], set[str]]:
    """The keys that templates and scripts name, and the beginnings of those that they put together."""
    page = files("service.page")
    sources = [item.read_text("utf-8") for item in page.joinpath("templates").iterdir()]
    names = {name for text in sources for name in re.findall(r"""\btext\(\s*["']([^"']+)["']""", text)}
    for item in page.joinpath("static").iterdir():
        if item.name.endswith(".js"):
            names |= set(re.findall(r"""\b(?:t|count)\(\s*["']([^"']+)["']""", item.read_text("utf-8")))
            for listed in re.findall(r"// keys: (.*)", item.read_text("utf-8")):
                names |= {name.removesuffix("*") for name in re.split(r"[,\s]+", listed.strip())}
    return {name for name in names if not name.endswith(".")}, {name for name in names if name.endswith(".")}


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    there, (keys, beginnings) = set(catalogue.texts(catalogue.DEFAULT)), used()
    assert len(keys) > 50
    assert keys <= there
    assert all(any(key.startswith(start) for key in there) for start in beginnings)
    assert {key for key in there - keys if not key.startswith(tuple(beginnings))} == set()


def test_a_text_with_placeholders() -> None:
    for key, text in catalogue.texts("en").items():
        if isinstance(text, str):
            assert catalogue.text("en", key) == text
            values = dict.fromkeys(placeholders(text), "<b>")
            assert "{" not in catalogue.text("en", key, **values) or not values
    with pytest.raises(KeyError):
        catalogue.text("en", "there is none")

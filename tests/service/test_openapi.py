"""The description is complete and true: every operation is in it, and whatever it allows is answered as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from service import create_app
from service.keys import KeyFile
from service.openapi.document import make_document
from service.openapi.operations import OPERATIONS, Operation
from service.problems import KINDS
from service.settings import Settings
from service.state import StateFolder

# Not among the oldest versions of everything else.
jsonschema_rs = pytest.importorskip("jsonschema_rs")
schemathesis = pytest.importorskip("schemathesis")
GenerationMode = schemathesis.GenerationMode

FILES = {
    "/docs/docs.css",
    "/docs/docs.js",
}  # what the page is made of; the editors' page is no part of the API


@pytest.fixture(scope="module")
def document(settings: Settings) -> dict[str, Any]:
    return make_document(settings)


def test_every_route_is_an_operation(app: Flask) -> None:
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in FILES and not rule.endpoint.startswith("page_")
    }
    assert {(own.path, own.method) for own in OPERATIONS} == routes


def test_the_roles_are_those_of_the_views(app: Flask) -> None:
    views = {
        rule.rule.replace("<", "{").replace(">", "}"): rule.endpoint for rule in app.url_map.iter_rules()
    }
    for operation in OPERATIONS:
        role = getattr(app.view_functions[views[operation.path]], "newsdesk_role", "predict")
        assert (operation.role or "") == role, operation.path


def test_every_kind_of_problem_has_a_described_status(document: dict[str, Any]) -> None:
    assert {str(kind.status) for kind in KINDS.values()} <= set(document["components"]["responses"])


def test_it_is_served(client: FlaskClient, document: dict[str, Any]) -> None:
    answer = client.get("/openapi.json")
    assert answer.content_type == "application/json"
    assert answer.get_json() == document


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            contents = [operation.get("requestBody", {}).get("content", {})]
            contents += [answer.get("content", {}) for answer in operation["responses"].values()]
            for content in (own for group in contents for own in group.values()):
                for name, example in content.get("examples", {}).items():
                    yield f"{path} {name}", content["schema"], example["value"]


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for name, schema, value in bodies(document):
        whole = {**schema, "components": document["components"]}
        assert jsonschema_rs.Draft202012Validator(whole).is_valid(value), name
        checked += 1
    assert checked >= 15


def test_examples_are_accepted(client: FlaskClient, document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for media_type, content in methods.get("post", {}).get("requestBody", {}).get("content", {}).items():
            for example in content["examples"].values():
                answer = client.post(path, data=json.dumps(example["value"]), content_type=media_type)
                assert answer.status_code == 200, answer.text
                assert answer.mimetype == media_type


def test_limits_are_the_settings(document: dict[str, Any], settings: Settings) -> None:
    assert (
        document["components"]["schemas"]["BatchIn"]["properties"]["articles"]["maxItems"]
        == settings.max_articles
    )


def test_the_page_names_every_operation_and_asks_nobody_else(client: FlaskClient) -> None:
    answer = client.get("/docs")
    assert answer.mimetype == "text/html"
    for operation in OPERATIONS:
        assert f"id='{operation.name}'" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|<script>| style=| on\w+=|https?://", answer.text)
    linked = re.findall(r"(?:src|href)='([^#'][^']*)'", answer.text)
    assert set(linked) == {"docs/docs.css", "docs/docs.js", "openapi.json"}
    for target in linked:
        assert client.get(f"/{target}").status_code == 200


def test_the_page_has_no_link_into_nothing(client: FlaskClient) -> None:
    text = client.get("/docs").text
    assert set(re.findall(r"href='#([^']*)'", text)) <= set(re.findall(r"id='([^']*)'", text))


@pytest.fixture(scope="session")
def keyed(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, str]:
    """An application that needs keys, and the key of an administrator."""
    state = tmp_path_factory.mktemp("keyed")
    _, token = KeyFile(StateFolder(state).keys).add("schemathesis", "admin")
    app = create_app(
        Settings(model=tiny_model_path, state=state, open="never", max_articles=20, rate_limit=0)
    )
    return app, token


@pytest.fixture(scope="session")
def described(keyed: tuple[Flask, str]) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", keyed[0], config=_config(keyed[1]))


def _config(token: str) -> Any:
    return schemathesis.config.SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {token}"},
            "checks": {
                # Rules that a schema cannot say (a page's lines, a time's year, sums of lengths) refuse as 422, and a
                # version that is not there is 404.
                "positive_data_acceptance": {"expected-statuses": ["2xx", 404, 409, 422]},
                # Too many articles are 413.
                "negative_data_rejection": {
                    "expected-statuses": [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]
                },
            },
            "operations": [
                # A batch answers what does not fit the schema article by article, by design.
                {
                    "include-path": "/v1/predict/batch",
                    "checks": {"negative_data_rejection": {"enabled": False}},
                },
            ],
        }
    )


@pytest.mark.parametrize("count", [8, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_whatever_comes_is_answered_as_described(
    described: Any, operation: Operation, mode: Any, count: int
) -> None:
    if mode.is_negative and not (operation.takes or operation.parameters):
        pytest.skip("it takes nothing that could be wrong")
    strategy = described[operation.path][operation.method.upper()].as_strategy(generation_mode=mode)

    @examples(max_examples=count, suppress_health_check=list(HealthCheck))
    @given(case=strategy)
    def answered(case: Any) -> None:
        case.call_and_validate()

    answered()

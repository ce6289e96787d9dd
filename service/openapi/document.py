"""Operations and schemas as one OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.openapi import examples
from service.openapi.operations import OPERATIONS, Content, Operation, Parameter
from service.schemas import Problem
from service.settings import Settings

_AT = "#/components/schemas/"
_PROBLEM = "application/problem+json"
_ABOUT = (
    "Says which section a news article belongs to and how popular it will be. Errors are problems of RFC 9457. Nothing "
    "that is sent is written to a log."
)
_HEADERS = {
    "X-Request-ID": {
        "description": "The request's id: the one that was sent, if it was valid, else a new one.",
        "schema": {"type": "string"},
    }
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_REFUSALS = {
    400: "The request or its body cannot be read",
    401: "A key is needed, or the key is not known",
    403: "The key's role does not include this",
    404: "There is nothing at this address",
    405: "Not with this method",
    409: "The model cannot do this",
    413: "The body, the number of articles or a text is over its limit",
    415: "The body is not of a type that is read here",
    421: "The service does not answer to this host name",
    422: "A field is not valid, or a page cannot be read",
    429: "The key has asked too often",
    500: "The service failed",
    503: "The service is busy, or the model's files cannot be read",
    504: "The body did not come in time",
}


def make_document(settings: Settings) -> dict[str, Any]:
    """The whole document, with the limits of these settings."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Newsdesk", "version": version("newsdesk"), "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": _schemas(settings),
            "responses": {str(status): _refusal(status) for status in _REFUSALS},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key that `newsdesk keys add` made. Roles: predict, editor, admin; each includes the "
                    "ones before it. A service that runs open needs none for predictions.",
                }
            },
        },
    }


def _schemas(settings: Settings) -> dict[str, Any]:
    contents = [content for operation in OPERATIONS for content in (*operation.takes, *operation.answers)]
    own = [schema for content in contents for schema in content.schemas]
    models: list[type[BaseModel]] = list(dict.fromkeys([Problem, *own]))
    _, made = models_json_schema([(model, "validation") for model in models], ref_template=f"{_AT}{{model}}")
    found: dict[str, Any] = made["$defs"]
    for name in ("BatchIn", "RankIn"):
        found[name]["properties"]["articles"]["maxItems"] = settings.max_articles
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "responses": {"200": _answer(operation)}
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in operation.refusals},
        "security": [] if operation.role is None else [{"key": []}],
    }
    if operation.role is not None:
        found["description"] += f" Needs a key of the role {operation.role}."
    if operation.parameters:
        found["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.takes:
        found["requestBody"] = {"required": True, "content": _contents(operation.takes)}
    return found


def _answer(operation: Operation) -> dict[str, Any]:
    return {"description": "Done", "headers": _HEADERS, "content": _contents(operation.answers)}


def _contents(contents: Iterable[Content]) -> dict[str, Any]:
    return {content.media_type: _content(content) for content in contents}


def _content(content: Content) -> dict[str, Any]:
    found: dict[str, Any] = {"schema": _any_of(content.schemas)}
    if content.examples:
        found["examples"] = {name: {"value": value} for name, value in content.examples.items()}
    return found


def _any_of(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    refs = [{"$ref": f"{_AT}{model.__name__}"} for model in models]
    if not refs:
        return {"type": "string"}
    return refs[0] if len(refs) == 1 else {"anyOf": refs}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _refusal(status: int) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    return {
        "description": _REFUSALS[status],
        "headers": _HEADERS | (_RETRY if status == 429 else {}),
        "content": {
            _PROBLEM: {
                "schema": {"$ref": f"{_AT}Problem"},
                "examples": {"problem": {"value": _example(status, title)}},
            }
        },
    }


def _example(status: int, title: str) -> dict[str, Any]:
    if status == examples.PROBLEM["status"]:
        return examples.PROBLEM
    name = title.lower().replace(" ", "-")
    return {
        "type": f"/problems/{name}",
        "title": title,
        "status": status,
        "detail": _REFUSALS[status].lower(),
        "instance": examples.PROBLEM["instance"],
    }

"""Errors as answers: `application/problem+json` (RFC 9457), one shape for all of them.

`type` is "/problems/" and the kind's name: stable, to be compared by clients, not to be fetched. Kinds of our
own errors stand in `KINDS`; errors of HTTP itself (404, 405, …) are named after their status.

What a client sent is never quoted, neither in the answer nor in the log. What happened inside the service
stays inside: the answer says only that it did, the log says where in the code.
"""

from __future__ import annotations

import logging
import re
import traceback
from dataclasses import dataclass

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import HTTP_STATUS_CODES

from classifier.errors import (
    ArtifactError,
    ConfigError,
    FieldError,
    InputError,
    NewsdeskError,
    PageError,
    UsageError,
)
from service.errors import BodyError, MediaTypeError, RequestError, TooLarge
from service.responses import json_response
from service.schemas import Problem

PROBLEM_TYPE = "application/problem+json"
logger = logging.getLogger("newsdesk.service")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem; `detail` replaces an error's own text that is about the inside of the service."""

    name: str
    status: int
    title: str
    detail: str | None = None

    @property
    def type(self) -> str:
        return f"/problems/{self.name}"


_FAULT = "this is a fault of the service; its log says more"
INTERNAL = Kind("internal-error", 500, "The service failed", _FAULT)

# The nearest base class of an error decides.
KINDS: dict[type[NewsdeskError], Kind] = {
    MediaTypeError: Kind("unsupported-media-type", 415, "The body is not of a type that is read here"),
    BodyError: Kind("malformed-body", 400, "The body is not JSON"),
    TooLarge: Kind("too-large", 413, "The request is over a limit"),
    RequestError: Kind("malformed-request", 400, "The request cannot be read"),
    FieldError: Kind("invalid-field", 422, "A field is not valid"),
    PageError: Kind("unreadable-page", 422, "The page cannot be read"),
    InputError: Kind("invalid-input", 422, "The input is not valid"),
    UsageError: Kind("unsupported-by-model", 409, "The model cannot do this"),
    ConfigError: INTERNAL,
    ArtifactError: Kind("model-unavailable", 503, "The model is not available", "its files cannot be read"),
    NewsdeskError: INTERNAL,
}


def init_app(app: Flask) -> None:
    """Answer every error of the application with a problem."""
    app.register_error_handler(NewsdeskError, _answer_ours)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def problem_of(error: NewsdeskError) -> Problem:
    """The problem that a client gets for one of our errors."""
    kind = next(KINDS[base] for base in type(error).__mro__ if base in KINDS)
    if kind.detail is not None:
        return Problem(type=kind.type, title=kind.title, status=kind.status, detail=kind.detail)
    field = getattr(error, "field", None)
    text = f"{field}: {error.problem}" if field else error.problem
    return Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=f"{text}; {error.remedy}" if error.remedy else text,
        field=field or None,
        line=getattr(error, "line", None),
    )


def _answer_ours(error: NewsdeskError) -> Response:
    problem = problem_of(error)
    if problem.status >= 500:
        _log(error)
    return _answer(problem)


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 500:
        _log(error)
    title = HTTP_STATUS_CODES.get(status, "Error")
    kind = re.sub(r"[^a-z]+", "-", title.lower())
    answer = _answer(
        Problem(type=f"/problems/{kind}", title=title, status=status, detail=_http_detail(error, title))
    )
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def _http_detail(error: HTTPException, title: str) -> str:
    if error.code == 404:
        return "there is nothing at this address"
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        return f"this address takes {', '.join(sorted(error.valid_methods))}"
    return title.lower()


def _answer_unexpected(error: Exception) -> Response:
    _log(error)
    return _answer(Problem(type=INTERNAL.type, title=INTERNAL.title, status=INTERNAL.status, detail=_FAULT))


def _answer(problem: Problem) -> Response:
    return json_response(problem.model_dump(exclude_none=True), problem.status, mimetype=PROBLEM_TYPE)


def _log(error: Exception) -> None:
    # An exception's message may hold what was sent, so only its class and its places are logged.
    places = [
        f"{frame.f_globals.get('__name__', '?')}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    ours = [p for p in places if p.startswith(("classifier.", "service."))]
    logger.error(
        "%s %s: %s at %s", request.method, request.url_rule, type(error).__name__, " > ".join(ours or places)
    )

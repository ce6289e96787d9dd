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
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import HTTP_STATUS_CODES

from classifier.errors import (
    ArtifactError,
    ConfigError,
    FieldError,
    InputError,
    MissingExtra,
    NewsdeskError,
    PageError,
    UsageError,
)
from service.errors import (
    AccessError,
    BodyError,
    BodyTimeout,
    Busy,
    CrossSite,
    MediaTypeError,
    NoSuchVersion,
    NotAllowed,
    OneVersionOnly,
    RateLimited,
    RequestError,
    TooLarge,
    Unauthenticated,
    VersionError,
    VersionUnusable,
    WrongHost,
)
from service.logs import log
from service.observing import Record, current_record
from service.responses import json_response

PROBLEM_TYPE = "application/problem+json"
Problem = dict[str, Any]


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
    BodyTimeout: Kind("body-timeout", 504, "The body did not come in time"),
    TooLarge: Kind("too-large", 413, "The request is over a limit"),
    RequestError: Kind("malformed-request", 400, "The request cannot be read"),
    FieldError: Kind("invalid-field", 422, "A field is not valid"),
    PageError: Kind("unreadable-page", 422, "The page cannot be read"),
    InputError: Kind("invalid-input", 422, "The input is not valid"),
    Unauthenticated: Kind("unauthenticated", 401, "A key is needed"),
    NotAllowed: Kind("not-allowed", 403, "The key may not do this"),
    CrossSite: Kind("cross-site", 403, "The request may be another site's"),
    RateLimited: Kind("rate-limited", 429, "The key has asked too often"),
    WrongHost: Kind("wrong-host", 421, "This service does not answer to that host name"),
    AccessError: Kind("not-allowed", 403, "This is not allowed"),
    Busy: Kind("busy", 503, "The service is busy"),
    NoSuchVersion: Kind("no-such-version", 404, "There is no such version"),
    VersionUnusable: Kind("version-unusable", 409, "The version cannot be used"),
    OneVersionOnly: Kind("one-version-only", 409, "The service stays with one version"),
    VersionError: Kind("version-unusable", 409, "The version cannot be used"),
    MissingExtra: Kind("missing-extra", 409, "This installation cannot read it"),
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
    """The problem that a client gets for one of our errors, as `service.schemas.Problem` has it."""
    kind = next(KINDS[base] for base in type(error).__mro__ if base in KINDS)
    if kind.detail is not None:
        return _problem(kind, kind.detail)
    field = getattr(error, "field", None)
    text = f"{field}: {error.problem}" if field else error.problem
    problem = _problem(kind, f"{text}; {error.remedy}" if error.remedy else text)
    places = {"field": field or None, "line": getattr(error, "line", None)}
    return problem | {name: value for name, value in places.items() if value is not None}


def _problem(kind: Kind, detail: str) -> Problem:
    return {"type": kind.type, "title": kind.title, "status": kind.status, "detail": detail}


FAULT = _problem(INTERNAL, _FAULT)


def _answer_ours(error: NewsdeskError) -> Response:
    problem = problem_of(error)
    if problem["status"] >= 500 and not isinstance(error, BodyTimeout | Busy):  # which are no fault of ours
        log_fault(error, current_record())
    answer = _answer(problem)
    answer.headers.update(getattr(error, "headers", {}))
    return answer


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 500:
        log_fault(error, current_record())
    title = HTTP_STATUS_CODES.get(status, "Error")
    kind = Kind(re.sub(r"[^a-z]+", "-", title.lower()), status, title)
    answer = _answer(_problem(kind, _http_detail(error, title)))
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
    log_fault(error, current_record())
    return _answer(FAULT)


def _answer(problem: Problem) -> Response:
    named = {**problem, "instance": f"/requests/{current_record().id}"}
    return json_response(named, problem["status"], mimetype=PROBLEM_TYPE)


def log_fault(error: Exception, record: Record) -> None:
    """Log where in the code an error came from."""
    # An exception's message may hold what was sent, so only its class and its places are logged.
    places = [
        f"{frame.f_globals.get('__name__', '?')}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    ours = [p for p in places if p.startswith(("classifier.", "service."))]
    log(
        logging.ERROR,
        "error",
        request_id=record.id,
        route=record.route,
        error=type(error).__name__,
        at=ours or places,
    )

"""What is known of each request while it is served: its id and time, and what the log and the metrics say of it."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from service.access import current_key
from service.logs import log
from service.metrics import current_metrics

if TYPE_CHECKING:
    from classifier.articles import Article
    from classifier.model import Model
    from service.metrics import Decided, Metrics

HEADER = "X-Request-ID"
_VARIABLE = "HTTP_X_REQUEST_ID"
_KEY = "newsdesk.request"
_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")
# Asked every few seconds by machines: they would drown the rest of the log.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(slots=True)
class Record:
    """One request. `key` is the name of the key that it came with."""

    id: str
    started: float
    metrics: Metrics
    method: str | None
    route: str | None
    key: str | None = None
    articles: int = 0
    rejected: int = 0
    model: str | None = None
    version: str | None = None

    def scored(
        self,
        model: Model,
        decided: Sequence[Decided],
        article_at: Callable[[int], Article],
        rejected: int = 0,
    ) -> None:
        """Articles were scored by this model, with these results, and others could not be; `article_at` gives those that
        were, from 0."""
        self.model, self.version = model.name, model.version
        self.articles += len(decided)
        self.rejected += rejected
        self.metrics.scored(decided, rejected)
        self.metrics.words(model, len(decided), article_at)


def init_app(app: Flask) -> None:
    """Observe every request, from before anything else is done to after everything was."""
    app.before_request(_begin)
    app.after_request(_answered)


def current_record() -> Record:
    """That of this request."""
    record: Record = request.environ[_KEY]
    return record


def _begin() -> None:
    rule = request.url_rule
    begin(request.environ, current_metrics(), rule.rule if rule is not None else None)


def begin(environ: dict[str, Any], metrics: Metrics, route: str | None) -> Record:
    """The record of a request, kept with it."""
    asked = environ.get(_VARIABLE)
    # An id that is none is replaced, not refused: it is a proxy's, and the client could do nothing about it.
    own = asked if asked is not None and _ID.fullmatch(asked) else _own_id()
    method = environ["REQUEST_METHOD"]
    record = Record(own, perf_counter(), metrics, method if method in _METHODS else None, route)
    environ[_KEY] = record
    return record


def _own_id() -> str:
    """128 bits that no other request has. They are no secret, so the system need not be asked for them."""
    return f"{random.getrandbits(128):032x}"


def _answered(response: Response) -> Response:
    record = current_record()
    response.headers[HEADER] = record.id
    key = current_key()
    record.key = key.name if key is not None else None
    if response.is_streamed:  # the generator counts on while it is sent
        response.call_on_close(lambda: finish(record, response.status_code))
    else:
        finish(record, response.status_code)
    return response


def finish(record: Record, status: int) -> None:
    """Count and log the request."""
    seconds = perf_counter() - record.started
    record.metrics.request(record.route or _NO_ROUTE, status, seconds)
    log(
        logging.DEBUG if record.route in _QUIET else logging.INFO,
        "request",
        request_id=record.id,
        method=record.method,
        route=record.route,
        status=status,
        ms=round(seconds * 1000, 3),
        articles=record.articles or None,
        rejected=record.rejected or None,
        key=record.key,
        model=record.model,
        version=record.version,
    )

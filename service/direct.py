"""The usual request without the framework: one article, everything about it right. Its answer is the one that the
application would give, to the byte; where anything is unusual there is none, and the application is asked.

Flask's dispatch costs several times what the prediction does; who sends one article after the other notices.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask

from classifier.dicts import score_article
from classifier.errors import NewsdeskError
from service.access import HEADERS, access_of
from service.inputs import read_article
from service.metrics import metrics_of
from service.models import slot_of
from service.observing import HEADER, begin, finish
from service.responses import JSON
from service.settings import Settings

PATH = "/v1/predict"
_TYPES = (JSON, "application/json; charset=utf-8")
_COMMON = [("Content-Type", JSON), *HEADERS.items()]


class Direct:
    """What answers the usual requests of an application."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._settings = settings
        self._access = access_of(app)
        self._metrics = metrics_of(app)
        self._slot = slot_of(app)

    def answer(self, environ: dict[str, Any], body: bytes) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """Status, headers and body of the answer; None where the application is to be asked."""
        if (
            environ["PATH_INFO"] != PATH
            or environ["REQUEST_METHOD"] != "POST"
            or environ["QUERY_STRING"]
            or environ.get("CONTENT_TYPE") not in _TYPES
            or "HTTP_CONTENT_ENCODING" in environ
        ):
            return None
        record = begin(environ, self._metrics, PATH)
        try:
            data = orjson.loads(body)
            if not isinstance(data, dict) or "page" in data:
                return None
            article = read_article(data, self._settings)
            key = self._access.admit(environ, "predict")
            model = self._slot.current
            row = score_article(model, article)
        except (NewsdeskError, ValueError):  # the application finds the same, and says it
            return None
        record.key = None if key is None else key.name
        record.scored(model, [(row["section"], row["decision"])], [article].__getitem__)
        found = orjson.dumps(row)
        headers = [*_COMMON, ("Content-Length", str(len(found))), (HEADER, record.id)]
        finish(record, 200)
        return 200, headers, found

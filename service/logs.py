"""Logs: one JSON object a line on standard error, with what happened to which request, never what it held.

{"time": "2031-05-01T12:00:00.123Z", "level": "info", "event": "request", "request_id": "…", "method": "POST",
 "route": "/v1/predict", "status": 200, "ms": 0.412, "articles": 1, "model": "courier", "version": "…", "worker": 71}
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Any

import orjson

LEVELS = ("debug", "info", "warning", "error")
logger = logging.getLogger("newsdesk.service")


class JsonLines(logging.Formatter):
    """A record as a JSON object; fields that are None are left out."""

    def format(self, record: logging.LogRecord) -> str:
        seconds, milliseconds = divmod(int(record.created * 1000), 1000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        line: dict[str, Any] = {
            "time": f"{stamp}.{milliseconds:03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        fields: dict[str, Any] = getattr(record, "fields", {})
        line.update({name: value for name, value in fields.items() if value is not None})
        line["worker"] = record.process
        return orjson.dumps(line).decode()


def init(level: str) -> None:
    """Log from `level` on to standard error; where somebody else has set up logging, only the level is set."""
    logger.setLevel(level.upper())
    if not logger.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
        logger.propagate = False


def log(level: int, event: str, **fields: Any) -> None:
    """One line; `fields` must not hold what a client sent, but for a request id that was checked."""
    if logger.isEnabledFor(level):
        # Not by way of the logger's own methods: they look for the caller's place, which costs most of a line.
        record = logging.LogRecord(logger.name, level, "", 0, event, None, None)
        record.fields = fields
        record.process = os.getpid()
        logger.handle(record)

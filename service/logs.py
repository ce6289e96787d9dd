"""Logs: one JSON object a line on standard error, with what happened to which request, never what it held.

{"time": "2031-05-01T12:00:00.123456Z", "level": "info", "event": "request", "request_id": "…", "method": "POST",
 "route": "/v1/predict", "status": 200, "ms": 0.412, "articles": 1, "model": "courier", "version": "…", "worker": 71}
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

LEVELS = ("debug", "info", "warning", "error")
logger = logging.getLogger("newsdesk.service")


_NAMES = {getattr(logging, name.upper()): name for name in LEVELS}
_JSON = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


class JsonLines(logging.Formatter):
    """A record as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, Any] = getattr(record, "fields", {})
        return _line(time, record.levelno, record.getMessage(), fields).rstrip("\n")


class _Ours:
    """Whether the log goes to standard error, since nobody else has set it up."""

    def __init__(self) -> None:
        self.level: int | None = None


_ours = _Ours()


def init(level: str) -> None:
    """Log from `level` on to standard error; where somebody else has set up logging, only the level is set."""
    logger.setLevel(level.upper())
    if _ours.level is None and not logger.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)  # for what is not logged by `log`
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
        logger.propagate = False
        _ours.level = logger.level
    elif _ours.level is not None:
        _ours.level = logger.level


def log(level: int, event: str, **fields: Any) -> None:
    """One line; `fields` must not hold what a client sent, but for a request id that was checked. Those that are None
    are left out."""
    if _ours.level is not None:
        # Not by way of the logger: its records cost several times what the line does.
        if level >= _ours.level:
            sys.stderr.write(_line(datetime.now(UTC), level, event, fields))
    elif logger.isEnabledFor(level):
        logger.log(level, event, extra={"fields": fields})


def _line(time: datetime, level: int, event: str, fields: dict[str, Any]) -> str:
    line = {"time": time, "level": _NAMES.get(level) or logging.getLevelName(level).lower(), "event": event}
    for name, value in fields.items():
        if value is not None:
            line[name] = value
    line["worker"] = os.getpid()
    return orjson.dumps(line, option=_JSON).decode()

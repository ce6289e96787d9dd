"""JSON answers."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

JSON = "application/json"


def json_response(data: Any, status: int = 200, *, mimetype: str = JSON) -> Response:
    """`data` as a JSON answer: what JSON has, and dataclasses, field by field."""
    return Response(orjson.dumps(data), status=status, mimetype=mimetype)

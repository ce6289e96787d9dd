"""JSON answers."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response


def json_response(data: Any, status: int = 200, *, mimetype: str = "application/json") -> Response:
    """`data` as a JSON answer."""
    return Response(orjson.dumps(data), status=status, mimetype=mimetype)

"""The API's description, for programs and for people."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import orjson
from flask import Blueprint, Response

from service.access import public
from service.responses import JSON
from service.settings import current_settings

blueprint = Blueprint("docs", __name__)

# Everything that the page needs is the service's own, and nothing stands in the page itself.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """The description as OpenAPI 3.1."""
    from service.openapi.document import make_document  # when it is asked for: workers start sooner without

    return Response(orjson.dumps(make_document(current_settings())), mimetype=JSON)


@blueprint.get("/docs")
@public
def docs() -> Response:
    """The description as a page."""
    from service.openapi.document import make_document
    from service.openapi.page import make_page

    page = make_page(make_document(current_settings()))
    return Response(page, mimetype="text/html", headers={"Content-Security-Policy": _POLICY})


@blueprint.get("/docs/docs.css")
@public
def style() -> Response:
    """How the page looks."""
    return Response(_file("docs.css"), mimetype="text/css")


@blueprint.get("/docs/docs.js")
@public
def script() -> Response:
    """What sends the page's examples."""
    return Response(_file("docs.js"), mimetype="text/javascript")


@cache
def _file(name: str) -> bytes:
    return files("service.openapi").joinpath(name).read_bytes()

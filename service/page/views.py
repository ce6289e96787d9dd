"""The page's HTML and the files that it is made of. They hold nothing of a model or an article: everybody may have them."""

from __future__ import annotations

import hashlib
from functools import cache, partial
from importlib.resources import files
from typing import NamedTuple

from flask import Blueprint, Response, abort, render_template, request

from service.access import anybody
from service.page import catalogue

blueprint = Blueprint("page_views", "service.page", template_folder="templates")

STATIC = "page/static/"
# Everything is the service's own and nothing stands in the page itself; no text can become HTML.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}


class File(NamedTuple):
    """Something that is sent as it is."""

    data: bytes
    content_type: str
    etag: str


@blueprint.get("/", defaults={"view": "article"})
@blueprint.get("/ranking", defaults={"view": "ranking"})
@blueprint.get("/headlines", defaults={"view": "headlines"})
@blueprint.get("/model", defaults={"view": "model"})
@anybody
def shell(view: str) -> Response:
    """The page, in the language that the browser asks for."""
    known = catalogue.languages()
    answer = _send(_shell(view, request.accept_languages.best_match(known, catalogue.DEFAULT)))
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.vary.add("Accept-Language")
    return answer


@blueprint.get("/page/static/<name>")
@anybody
def static(name: str) -> Response:
    """A style sheet, a script or a picture of the page."""
    found = static_files().get(name)
    if found is None:
        abort(404)
    return _send(found)


@cache
def static_files() -> dict[str, File]:
    """The files by name: those that are in the package, and no other."""
    found = {}
    for item in files("service.page").joinpath("static").iterdir():
        kind = _TYPES.get(item.name.rpartition(".")[2])
        if kind is not None:
            found[item.name] = _file(item.read_bytes(), kind)
    return found


@cache
def _shell(view: str, language: str) -> File:
    html = render_template(
        "shell.html",
        view=view,
        lang=language,
        text=partial(catalogue.text, language),
        texts=catalogue.texts(language),
        asset=_asset,
    )
    return _file(html.encode(), "text/html; charset=utf-8")


def _asset(name: str) -> str:
    """The address of a file, relative to the page, so that the service may stand behind a proxy under a path.

    Raises:
        KeyError: there is no such file.
    """
    if name not in static_files():
        raise KeyError(name)
    return STATIC + name


def _file(data: bytes, content_type: str) -> File:
    return File(data, content_type, hashlib.sha256(data).hexdigest()[:32])


def _send(file: File) -> Response:
    """Kept by browsers, and asked for anew each time: a new version of Newsdesk is seen at once."""
    answer = Response(file.data, content_type=file.content_type, headers={"Cache-Control": "no-cache"})
    answer.set_etag(file.etag)
    answer.make_conditional(request)
    return answer

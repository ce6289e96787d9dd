"""Signing in and out: a browser keeps the key in a cookie that no script can read, and that only this service gets."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, g, request

from classifier.errors import FieldError
from service.access import access_of, anybody
from service.admission import SIGN_IN, SIGN_IN_BYTES
from service.body import read_json
from service.cookies import (
    HEADER,
    NAME,
    SECURE_NAME,
    cookie_of,
    is_by_tls,
    is_from_here,
    is_from_page,
    token_for,
)
from service.errors import CrossSite
from service.keys import Key
from service.responses import json_response

blueprint = Blueprint("page_session", __name__)


@blueprint.get(SIGN_IN)
@anybody
def show() -> Response:
    """Who is signed in, and whether anybody needs to be. A cookie that opens nothing any more is taken back."""
    key, token = access_of(current_app).signed_in(request.environ), cookie_of(request.environ)
    if key is None or token is None:
        return _forgotten(_answer())
    return _answer(key, token)


@blueprint.post(SIGN_IN)
@anybody
def sign_in() -> Response:
    """Take a key, and let the browser keep it until it is closed."""
    if not is_from_here(request.environ):
        raise CrossSite(
            "signing in was asked for by another site's page",
            remedy="open the editors' page itself; a proxy must pass the host name on",
        )
    from service.schemas import SignInIn, validate

    token = validate(SignInIn, read_json(SIGN_IN_BYTES)).key.strip()
    if not token:
        raise FieldError("key", "is empty", remedy="paste the key that the operator made")
    g.key = key = access_of(current_app).sign_in(token)  # for the log
    return _kept(_answer(key, token), token)


@blueprint.delete(SIGN_IN)
@anybody
def sign_out() -> Response:
    """Take the key back."""
    token = cookie_of(request.environ)
    if token is not None and not is_from_page(request.environ, token):
        raise CrossSite(
            "signing out was asked for without the page's token",
            remedy=f"send {HEADER} as GET {SIGN_IN} gives it",
        )
    return _forgotten(_answer())


def _answer(key: Key | None = None, token: str = "") -> Response:
    return json_response(
        {
            "open": access_of(current_app).is_open,
            "key": key and key.name,
            "role": key and key.role,
            "csrf": key and token_for(token),
        }
    )


def _kept(answer: Response, token: str) -> Response:
    by_tls = is_by_tls(request.environ)
    name = SECURE_NAME if by_tls else NAME
    answer.set_cookie(name, token, path="/", secure=by_tls, httponly=True, samesite="Strict")
    return answer


def _forgotten(answer: Response) -> Response:
    for name in (NAME, SECURE_NAME):
        if name in request.cookies:
            answer.delete_cookie(name, path="/", secure=name == SECURE_NAME, httponly=True, samesite="Strict")
    return answer

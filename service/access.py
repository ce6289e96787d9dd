"""Who may ask for what: keys and their roles, rate limits, host names; and the headers that keep browsers out of trouble.

A view needs the role "predict" unless `needs`, `anybody` or `public` says otherwise, so a new one is closed until
somebody opens it.
No header lets pages of other origins read answers (CORS is off).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response, current_app, g, request

from service.admission import ANYBODY, Access
from service.keys import Key
from service.settings import Settings
from service.state import StateFolder

View = TypeVar("View", bound=Callable[..., object])
_KEY = "newsdesk.access"
_ROLE = "newsdesk_role"
_PUBLIC = ""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def needs(role: str) -> Callable[[View], View]:
    """Says which role a view needs."""

    def mark(view: View) -> View:
        setattr(view, _ROLE, role)
        return view

    return mark


def anybody(view: View) -> View:
    """Says that no key is needed, but one of the service's host names: for pages, which hold nothing themselves."""
    return needs(ANYBODY)(view)


def public(view: View) -> View:
    """Says that anybody may ask, under any host name: for probes."""
    return needs(_PUBLIC)(view)


def init_app(app: Flask, settings: Settings, state: StateFolder) -> Access:
    """Check every request before its view runs.

    Raises:
        ConfigError, OutputError: as `Access`.
    """
    access = app.extensions[_KEY] = Access(settings, state)
    app.before_request(_check)
    app.after_request(_add_headers)
    return access


def current_key() -> Key | None:
    """The key of this request; None where none was needed."""
    key: Key | None = g.get("key")
    return key


def access_of(app: Flask) -> Access:
    """The rules of an application."""
    access: Access = app.extensions[_KEY]
    return access


def _check() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    role = getattr(view, _ROLE, "predict")
    if view is not None and role != _PUBLIC:
        g.key = access_of(current_app).admit(request.environ, role)


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response

"""Newsdesk's HTTP service: a Flask application around one loaded model.

from service import create_app
app = create_app()          # settings from NEWSDESK_… environment variables
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.app import create_app as create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    # Lazy: the batch scorer and the command line live in this package and do without Flask.
    if name == "create_app":
        from service.app import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The service's settings: one table of name, environment variable, default and help.

The table is the fields of `Settings`; `SETTINGS` lists them for documentation and help texts. A setting comes
from its environment variable, else from its default, so every WSGI server can run the service, and every worker
of a server reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from flask import Flask, current_app

from classifier.errors import ConfigError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; `default` is None where the setting must be given."""

    name: str
    variable: str
    default: str | None
    help: str
    parse: Callable[[str], Any]


def _path(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError("it must be a path")
    return Path(text)


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("it must not be empty")
    return text.strip()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        digits = text.strip()
        # Longer ones are out of every range, and int() refuses thousands of digits with an error of its own.
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 20 and least <= int(digits) <= most):
            raise ValueError(f"it must be a whole number from {least} to {most}")
        return int(digits)

    return parse


def _row(variable: str, help: str, parse: Callable[[str], Any]) -> dict[str, Any]:
    return {"variable": variable, "help": help, "parse": parse}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service obeys; made once at start and never changed."""

    model: Path = field(
        metadata=_row("NEWSDESK_MODEL", "version folder, or model folder (then its current version)", _path)
    )
    host: str = field(
        default="127.0.0.1", metadata=_row("NEWSDESK_HOST", "name or address to listen at", _text)
    )
    port: int = field(
        default=8000,
        metadata=_row("NEWSDESK_PORT", "port to listen at; 0 takes a free one", _whole(0, 65535)),
    )
    workers: int = field(default=2, metadata=_row("NEWSDESK_WORKERS", "worker processes", _whole(1, 1024)))
    max_body_bytes: int = field(
        default=8 * MIB,
        metadata=_row("NEWSDESK_MAX_BODY_BYTES", "largest request body", _whole(1, 1024 * MIB)),
    )
    max_articles: int = field(
        default=1000,
        metadata=_row("NEWSDESK_MAX_ARTICLES", "most articles in one batch or ranking", _whole(1, 1_000_000)),
    )
    max_text_length: int = field(
        default=1_000_000,
        metadata=_row(
            "NEWSDESK_MAX_TEXT_LENGTH",
            "most characters in the headline, summary and body of one article, or in one page",
            _whole(1, 1024 * MIB),
        ),
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **given: Any) -> Self:
        """Settings from the environment; `given` ones that are not None go before it.

        Raises:
            ConfigError: a variable holds what its setting does not take, or one that is needed is missing.
        """
        values = {name: value for name, value in given.items() if value is not None}
        for setting in SETTINGS:
            if setting.name in values:
                continue
            text = environ.get(setting.variable)
            if text is not None:
                values[setting.name] = _parsed(setting, text)
            elif setting.default is None:
                raise ConfigError(
                    f"{setting.variable} is not set", remedy=f"set it to the {setting.name} ({setting.help})"
                )
        return cls(**values)

    def to_env(self) -> dict[str, str]:
        """The environment variables from which `from_env` makes these settings again."""
        return {setting.variable: str(getattr(self, setting.name)) for setting in SETTINGS}


def _parsed(setting: Setting, text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise ConfigError(f'{setting.variable} is "{shown}"', remedy=str(error)) from None


SETTINGS = tuple(
    Setting(
        f.name,
        f.metadata["variable"],
        None if f.default is MISSING else str(f.default),
        f.metadata["help"],
        f.metadata["parse"],
    )
    for f in fields(Settings)
)

_KEY = "newsdesk.settings"


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its settings."""
    app.extensions[_KEY] = settings


def current_settings() -> Settings:
    """The settings of the application that serves this request."""
    settings: Settings = current_app.extensions[_KEY]
    return settings

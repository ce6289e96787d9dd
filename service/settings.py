"""The service's settings: one table of name, environment variable, default and help.

The table is the fields of `Settings`; `SETTINGS` lists them for `newsdesk serve --help` and the documentation. A
setting comes from its option, else its environment variable, else its default, so every WSGI server can run the
service, and every worker of a server reads the same. Importing this module is light: `--help` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from classifier.errors import ConfigError

if TYPE_CHECKING:
    from flask import Flask

MIB = 1024 * 1024
AUTO = "auto"
OPEN = (AUTO, "never", "without-keys", "always")


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; `default` is None where the setting must be given, "" where it may be absent."""

    name: str
    variable: str
    default: str | None
    help: str
    parse: Callable[[str], Any]

    @property
    def option(self) -> str:
        return f"--{self.name.replace('_', '-')}"


def _path(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError("it must be a path")
    return Path(text)


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("it must not be empty")
    return text.strip()


def _optional_path(text: str) -> Path | None:
    return _path(text) if text else None


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return text

    return parse


def _hosts(text: str) -> str:
    names = [name.strip() for name in text.split(",")]
    if not all(names) or any(character in text for character in "/@\0") or len(text.split()) > len(names):
        raise ValueError("it must be host names with commas between them, * or auto")
    return ",".join(names)


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
    state: Path | None = field(
        default=None,
        metadata=_row(
            "NEWSDESK_STATE",
            "folder for all that is written: keys, the version in use, metrics, limits",
            _optional_path,
        ),
    )
    host: str = field(
        default="127.0.0.1", metadata=_row("NEWSDESK_HOST", "name or address to listen at", _text)
    )
    port: int = field(
        default=8000,
        metadata=_row("NEWSDESK_PORT", "port to listen at; 0 takes a free one", _whole(0, 65535)),
    )
    workers: int = field(default=2, metadata=_row("NEWSDESK_WORKERS", "worker processes", _whole(1, 1024)))
    open: str = field(
        default=AUTO,
        metadata=_row(
            "NEWSDESK_OPEN",
            "whether predictions need no key: never, without-keys (as long as none has been made), always; "
            "auto is without-keys for newsdesk serve at the loopback address, else never",
            _one_of(*OPEN),
        ),
    )
    hosts: str = field(
        default=AUTO,
        metadata=_row(
            "NEWSDESK_HOSTS",
            "host names that requests may ask for, with commas between them; * is any; "
            "auto is this machine's own for newsdesk serve at the loopback address, else any",
            _hosts,
        ),
    )
    rate_limit: int = field(
        default=6000,
        metadata=_row(
            "NEWSDESK_RATE_LIMIT",
            "requests a minute that a key may make, in all workers together; 0 is no limit",
            _whole(0, 10_000_000),
        ),
    )
    max_body_bytes: int = field(
        default=8 * MIB,
        metadata=_row("NEWSDESK_MAX_BODY_BYTES", "largest request body", _whole(1, 1024 * MIB)),
    )
    max_articles: int = field(
        default=1000,
        metadata=_row("NEWSDESK_MAX_ARTICLES", "most articles in one batch or ranking", _whole(1, 1_000_000)),
    )
    max_text_length: int = field(
        default=200_000,
        metadata=_row(
            "NEWSDESK_MAX_TEXT_LENGTH",
            "most characters in the headline, summary and body of one article, or in one page",
            _whole(1, 1024 * MIB),
        ),
    )
    chunk_seconds: int = field(
        default=10,
        metadata=_row(
            "NEWSDESK_CHUNK_SECONDS", "longest wait for the next part of a request body", _whole(1, 3600)
        ),
    )
    body_seconds: int = field(
        default=60,
        metadata=_row(
            "NEWSDESK_BODY_SECONDS",
            "longest time for a whole request body; a stream of articles may go on",
            _whole(1, 86_400),
        ),
    )
    idle_seconds: int = field(
        default=75,
        metadata=_row(
            "NEWSDESK_IDLE_SECONDS",
            "how long a connection may wait for a request, or its head may take",
            _whole(1, 86_400),
        ),
    )
    log_level: str = field(
        default="info",
        metadata=_row(
            "NEWSDESK_LOG_LEVEL",
            "what is logged, as JSON lines on standard error: debug, info (a line a request), warning, error",
            _one_of("debug", "info", "warning", "error"),
        ),
    )
    stop_seconds: int = field(
        default=30,
        metadata=_row(
            "NEWSDESK_STOP_SECONDS", "how long requests under way may go on at a stop", _whole(1, 3600)
        ),
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str], options: Mapping[str, str | None] | None = None) -> Self:
        """Settings from the environment; `options` (texts by setting name) that are not None go before it.

        Raises:
            ConfigError: an option or variable holds what its setting does not take, or one that is needed is missing.
        """
        given = {name: text for name, text in (options or {}).items() if text is not None}
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            if setting.name in given:
                values[setting.name] = _parsed(setting, given[setting.name], setting.option)
            elif (text := environ.get(setting.variable)) is not None:
                values[setting.name] = _parsed(setting, text, setting.variable)
            elif setting.default is None:
                raise ConfigError(
                    f"{setting.variable} is not set", remedy=f"set it to the {setting.name} ({setting.help})"
                )
        return cls(**values)

    def to_env(self) -> dict[str, str]:
        """The environment variables from which `from_env` makes these settings again."""
        return {setting.variable: _shown(getattr(self, setting.name)) for setting in SETTINGS}


def _parsed(setting: Setting, text: str, place: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise ConfigError(f'{place} is "{shown}"', remedy=str(error)) from None


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


SETTINGS = tuple(
    Setting(
        f.name,
        f.metadata["variable"],
        None if f.default is MISSING else _shown(f.default),
        f.metadata["help"],
        f.metadata["parse"],
    )
    for f in fields(Settings)
)

_KEY = "newsdesk.settings"


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its settings."""
    app.extensions[_KEY] = settings


def settings_of(app: Flask) -> Settings:
    """The settings of an application."""
    settings: Settings = app.extensions[_KEY]
    return settings


def current_settings() -> Settings:
    """The settings of the application that serves this request."""
    from flask import current_app

    return settings_of(current_app)

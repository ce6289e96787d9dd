"""The rules by which a request is let in: keys and their roles, rate limits, host names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from classifier.errors import ConfigError
from service.errors import NotAllowed, RateLimited, Unauthenticated, WrongHost
from service.keys import Key, KeyFile, KeyRing
from service.limits import Limiter
from service.settings import Settings
from service.state import StateFolder
from service.watching import Watched, signature


class Access(Watched):
    """The keys as they are now, and the rules."""

    def __init__(self, settings: Settings, state: StateFolder) -> None:
        """Raises:
        ConfigError: there are no keys and nobody said that none are needed, or the keys cannot be read.
        OutputError: the state folder cannot be written to.
        """
        self._file = KeyFile(state.keys)
        self._open = settings.open
        self._seen = signature(self._file.path)
        self._ring = KeyRing(self._file.load())
        self._ever = self._file.exists()
        self._hosts = _host_names(settings.hosts)
        self._rate_limit = settings.rate_limit
        self._limiter = Limiter(state.limits)
        if not len(self._ring) and not self.is_open:
            raise ConfigError(
                "there are no keys, so nobody could ask for predictions",
                where=str(state.keys) if settings.state else None,
                remedy="make one (newsdesk keys add NAME --role predict --state FOLDER) and name the folder in "
                "NEWSDESK_STATE; or, where everybody who reaches the service may use it, set NEWSDESK_OPEN=always",
            )

    @property
    def is_open(self) -> bool:
        """Whether predictions need no key."""
        return self._open == "always" or (self._open == "without-keys" and not self._ever)

    def refresh(self) -> None:
        """Take up keys that were made or revoked.

        Raises:
            ConfigError: the file cannot be read; the keys known so far stay.
        """
        found = signature(self._file.path)
        if found != self._seen:
            self._seen = found
            # Also if the file was removed or is damaged: a service that was closed does not open by itself.
            self._ever = True
            self._ring = KeyRing(self._file.load())

    def admit(self, environ: Mapping[str, Any], role: str) -> Key | None:
        """The key that a request is let in with, None where none is needed and none was sent; counts the request.

        Raises:
            WrongHost, Unauthenticated, NotAllowed, RateLimited
        """
        self._check_host(environ.get("HTTP_HOST", ""))
        token = credential(environ)
        if token is None:
            if role == "predict" and self.is_open:
                return None
            raise Unauthenticated("no key was sent", remedy="send the header Authorization: Bearer KEY")
        key = self._ring.find(token)
        if key is None:
            raise Unauthenticated("the key is not known", remedy="ask the operator for a new one")
        if not key.may(role):
            raise NotAllowed(f"this needs a key of the role {role}", remedy="ask the operator for one")
        self._count(key)
        return key

    def knows(self, environ: Mapping[str, Any]) -> bool:
        """Whether it is worth receiving what comes with such a request."""
        token = credential(environ)
        return self.is_open if token is None else self._ring.find(token) is not None

    def _count(self, key: Key) -> None:
        per_minute = self._rate_limit if key.limit is None else key.limit
        if per_minute and (seconds := self._limiter.take(key, per_minute)):
            raise RateLimited(
                f"the key may ask {per_minute} times a minute",
                seconds=seconds,
                remedy="wait as long as Retry-After says, or send several articles in one batch",
            )

    def _check_host(self, host: str) -> None:
        if self._hosts is not None and _bare(host) not in self._hosts:
            raise WrongHost(
                "the host name is not one of this service", remedy="the operator lists them in NEWSDESK_HOSTS"
            )


def credential(environ: Mapping[str, Any]) -> str | None:
    """What a request says it may be let in with: the one place that knows where a credential stands.

    That is the token of an Authorization header (RFC 6750); any other scheme is none.
    """
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _host_names(text: str) -> frozenset[str] | None:
    """The names that are answered to; None for any."""
    names = frozenset(_bare(name) for name in text.split(","))
    return None if names & {"*", "auto"} else names


def _bare(host: str) -> str:
    """A host name without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and not name.endswith(":"):
        host = name
    return host.strip("[]").rstrip(".").lower()

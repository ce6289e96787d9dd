"""The rules by which a request is let in: keys and their roles, rate limits, host names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from classifier.errors import ConfigError
from service.cookies import HEADER, cookie_of, is_from_page
from service.errors import CrossSite, NotAllowed, RateLimited, Unauthenticated, WrongHost
from service.hosts import bare_host
from service.keys import Key, KeyFile, KeyRing
from service.limits import WRONG_KEYS, Limiter
from service.settings import Settings
from service.state import StateFolder
from service.watching import Watched, signature

ANYBODY = "anybody"  # in place of a role: no key is needed, but one of the service's host names
PAGE_ROLE = "editor"
SIGN_IN = "/page/session"
SIGN_IN_BYTES = 1024
_WRONG_A_MINUTE = 30
_FOUND = "newsdesk.credential"  # among which keys it was looked for, what was found, and the key that it is


class Credential(NamedTuple):
    """What a request says it may be let in with, and whether that stood in a cookie."""

    token: str
    in_cookie: bool


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
        """Whether everything but changing the version needs no key."""
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

    def admit(self, environ: dict[str, Any], role: str) -> Key | None:
        """The key that a request is let in with, None where none is needed and none was sent; counts the request.

        Raises:
            WrongHost, Unauthenticated, CrossSite, NotAllowed, RateLimited
        """
        self._check_host(environ.get("HTTP_HOST", ""))
        if role == ANYBODY:
            return None
        asked, key = self._asked(environ)
        if asked is None or key is None:
            if self._may_lack(asked) and role != "admin":
                return None
            if asked is None:
                raise Unauthenticated("no key was sent", remedy="send the header Authorization: Bearer KEY")
            raise Unauthenticated("the key is not known", remedy="ask the operator for a new one")
        if asked.in_cookie and not is_from_page(environ, asked.token):
            raise CrossSite(
                "the key came in a cookie, without the page's token",
                remedy=f"send {HEADER} as GET {SIGN_IN} gives it, or the key in an Authorization header",
            )
        if not key.may(role):
            raise NotAllowed(f"this needs a key of the role {role}", remedy="ask the operator for one")
        self._count(key)
        return key

    def takes(self, environ: dict[str, Any], most: int) -> int:
        """How many bytes it is worth receiving of what comes with such a request: at most `most`."""
        asked, key = self._asked(environ)
        if key is not None or self._may_lack(asked):
            return most
        return min(most, SIGN_IN_BYTES) if environ.get("PATH_INFO") == SIGN_IN else 0

    def sign_in(self, token: str) -> Key:
        """The key with which somebody wants to use the editors' page.

        Wrong ones are counted over all workers and clients together. A right one is never kept out by that: nobody
        guesses 256 bits, but anybody could keep the others out.

        Raises:
            Unauthenticated, RateLimited: it is not known.
            NotAllowed: its role does not include the page.
        """
        key = self._ring.find(token)
        if key is None:
            if seconds := self._limiter.take(WRONG_KEYS, _WRONG_A_MINUTE):
                raise RateLimited(
                    "too many wrong keys were tried",
                    seconds=seconds,
                    remedy="wait as long as Retry-After says",
                )
            raise Unauthenticated(
                "the key is not known", remedy="check that it is whole, or ask the operator for a new one"
            )
        if not key.may(PAGE_ROLE):
            raise NotAllowed(
                f"the editors' page needs a key of the role {PAGE_ROLE}", remedy="ask the operator for one"
            )
        return key

    def signed_in(self, environ: Mapping[str, Any]) -> Key | None:
        """The key in the request's cookie, if it is known and its role includes the editors' page."""
        token = cookie_of(environ)
        key = None if token is None else self._ring.find(token)
        return key if key is not None and key.may(PAGE_ROLE) else None

    def _asked(self, environ: dict[str, Any]) -> tuple[Credential | None, Key | None]:
        """What a request says it may be let in with, and the key that it is; looked for once, as long as the keys stay."""
        ring, asked, key = environ.get(_FOUND) or (None, None, None)
        if ring is not self._ring:
            ring, asked = self._ring, credential(environ)
            key = None if asked is None else ring.find(asked.token)
            environ[_FOUND] = ring, asked, key
        return asked, key

    def _may_lack(self, asked: Credential | None) -> bool:
        """Whether a request may go without a key that is known. A cookie may be left over from another time, or be another
        service's on this machine; who sends a header means it."""
        return self.is_open and (asked is None or asked.in_cookie)

    def _count(self, key: Key) -> None:
        per_minute = self._rate_limit if key.limit is None else key.limit
        if per_minute and (seconds := self._limiter.take(key.slot, per_minute)):
            raise RateLimited(
                f"the key may ask {per_minute} times a minute",
                seconds=seconds,
                remedy="wait as long as Retry-After says, or send several articles in one batch",
            )

    def _check_host(self, host: str) -> None:
        if self._hosts is not None and bare_host(host) not in self._hosts:
            raise WrongHost(
                "the host name is not one of this service", remedy="the operator lists them in NEWSDESK_HOSTS"
            )


def credential(environ: Mapping[str, Any]) -> Credential | None:
    """What a request says it may be let in with: the one place that knows where a credential stands.

    That is the token of an Authorization header (RFC 6750), any other scheme is none; else the editors' page's cookie.
    """
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return Credential(token.strip(), in_cookie=False)
    if "HTTP_COOKIE" in environ and (found := cookie_of(environ)) is not None:
        return Credential(found, in_cookie=True)
    return None


def _host_names(text: str) -> frozenset[str] | None:
    """The names that are answered to; None for any."""
    names = frozenset(bare_host(name) for name in text.split(","))
    return None if names & {"*", "auto"} else names

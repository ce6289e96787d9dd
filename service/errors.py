"""What can be wrong with a request before any article is looked at.

NewsdeskError
├── InputError
│   └── RequestError         the request as a whole
│       ├── MediaTypeError   its content type or coding is not one that is read here
│       ├── BodyError        its body is empty, cut off, or not JSON
│       ├── BodyTimeout      its body, or the next part of it, did not come in time
│       └── TooLarge         it, a list in it, or an article's text is over a limit of the settings
├── AccessError              who asks, and for what
│   ├── Unauthenticated      no key, or one that is not known
│   ├── NotAllowed           the key's role does not include this
│   ├── CrossSite            it may be another site's page that makes a browser ask
│   ├── RateLimited          the key has asked too often, or too many wrong ones were tried
│   └── WrongHost            a host name that this service does not answer to
├── VersionError             versions of the model
│   ├── NoSuchVersion        there is none of this name
│   ├── VersionUnusable      it does not verify, or cannot be loaded
│   └── OneVersionOnly       the service was started with one version
└── Busy                     more is being received than there is room for

Everything else is a class of `classifier.errors`. `service.problems` says which status each becomes; `headers` go with
the answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from classifier.errors import InputError, NewsdeskError


class RequestError(InputError):
    """The request as a whole cannot be served."""


class MediaTypeError(RequestError):
    """The content type or content coding is not one that is read here."""


class BodyError(RequestError):
    """The body is empty, cut off, or not JSON; ``line`` (1-based) says where, if that is known."""

    def __init__(self, problem: str, *, line: int | None = None, remedy: str | None = None) -> None:
        self.line = line
        super().__init__(problem, remedy=remedy)


class TooLarge(RequestError):
    """Something is over a limit; ``field`` names it, None for the body as a whole."""

    def __init__(self, problem: str, *, field: str | None = None, remedy: str | None = None) -> None:
        self.field = field
        super().__init__(problem, remedy=remedy)


class BodyTimeout(RequestError):
    """The body, or the next part of it, did not come in time."""


class AccessError(NewsdeskError):
    """Who asks may not, or not for this."""

    headers: Mapping[str, str] = MappingProxyType({})


class Unauthenticated(AccessError):
    """No key was sent, or one that is not known."""

    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="newsdesk"'})


class NotAllowed(AccessError):
    """The role of the key does not include this."""


class CrossSite(AccessError):
    """A browser may have been made to ask by another site's page."""


class RateLimited(AccessError):
    """A key has asked too often, or too many wrong ones were tried; ``seconds`` from now it may be asked again."""

    def __init__(self, problem: str, *, seconds: float, remedy: str | None = None) -> None:
        self.seconds = seconds
        self.headers = {"Retry-After": str(max(1, math.ceil(seconds)))}
        super().__init__(problem, remedy=remedy)


class WrongHost(AccessError):
    """The request asks for a host name that this service does not answer to."""


class VersionError(NewsdeskError):
    """Something about the versions of the model."""


class NoSuchVersion(VersionError):
    """The model has no version of this name."""


class VersionUnusable(VersionError):
    """A version does not verify, or cannot be loaded."""


class OneVersionOnly(VersionError):
    """The service was started with a version folder, and stays with it."""


class Busy(NewsdeskError):
    """More is being received than there is room for."""

    headers = MappingProxyType({"Retry-After": "1"})

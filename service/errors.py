"""What can be wrong with a request before any article is looked at.

InputError
└── RequestError             the request as a whole
    ├── MediaTypeError       its content type or coding is not one that is read here
    ├── BodyError            its body is empty, cut off, or not JSON
    └── TooLarge             it, a list in it, or an article's text is over a limit of the settings

Everything else is a class of `classifier.errors`. `service.problems` says which status each becomes.
"""

from __future__ import annotations

from classifier.errors import InputError


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

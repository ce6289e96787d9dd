"""The service's errors: one tree, one status each."""

from __future__ import annotations

import inspect

import pytest

from classifier import errors as base
from classifier.errors import NewsdeskError
from service import errors
from service.errors import AccessError, RateLimited, RequestError, VersionError
from service.problems import KINDS, problem_of

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, NewsdeskError) and kind.__module__ == errors.__name__
]
GENERAL = (RequestError, AccessError, VersionError)
STATUS = {
    errors.MediaTypeError: 415,
    errors.BodyError: 400,
    errors.BodyTimeout: 504,
    errors.TooLarge: 413,
    errors.Unauthenticated: 401,
    errors.NotAllowed: 403,
    errors.CrossSite: 403,
    errors.RateLimited: 429,
    errors.WrongHost: 421,
    errors.NoSuchVersion: 404,
    errors.VersionUnusable: 409,
    errors.OneVersionOnly: 409,
    errors.Busy: 503,
}


def made(kind: type[NewsdeskError]) -> NewsdeskError:
    return RateLimited("p", seconds=1.2, remedy="r") if kind is RateLimited else kind("p", remedy="r")


def test_the_table_is_complete() -> None:
    assert {*STATUS, *GENERAL} == set(CLASSES)
    assert set(CLASSES) <= set(KINDS)


@pytest.mark.parametrize("kind", STATUS, ids=lambda kind: kind.__name__)
def test_each_has_its_own_status_and_says_how_to_mend_it(kind: type[NewsdeskError]) -> None:
    problem = problem_of(made(kind))
    assert (problem["status"], problem["detail"]) == (STATUS[kind], "p; r")
    assert kind.__doc__


def test_the_tree_at_the_top_of_the_module_is_the_tree() -> None:
    drawn = [line for line in (errors.__doc__ or "").splitlines() if line.startswith(("├", "│", "└"))]
    names = [line.strip("├─└│ ").split()[0] for line in drawn]
    depths = [next(i for i, character in enumerate(line) if character.isalpha()) // 4 for line in drawn]
    parents = ["NewsdeskError"]
    for name, depth in zip(names, depths, strict=True):
        parents[depth:] = [name]
        kind = getattr(errors, name, None) or getattr(base, name)
        assert kind.__base__.__name__ == parents[depth - 1], name
    assert {*names, "NewsdeskError"} >= {kind.__name__ for kind in CLASSES}


def test_when_to_come_back_is_a_whole_number_of_seconds_and_never_now() -> None:
    for seconds, header in ((0.001, "1"), (1.0, "1"), (1.2, "2"), (59.9, "60")):
        assert RateLimited("p", seconds=seconds).headers["Retry-After"] == header

"""What may be given as headlines, and as the story that they share."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from classifier.articles import Article
from classifier.errors import FieldError

MIN_HEADLINES, MAX_HEADLINES = 2, 20
MAX_LENGTH = 500  # code points of one headline

_REMEDY = f"give {MIN_HEADLINES} to {MAX_HEADLINES} headlines for one story"


def story_of(
    shared: Mapping[str, Any], *, where: str | None = None, timezone: tzinfo | None = None
) -> Article:
    """The article that headlines share, checked as any article; it may be without text.

    Raises:
        FieldError: a field that holds what it must not, or a headline of its own.
    """
    if shared.get("headline") is not None:
        raise FieldError("headline", "does not belong here", where=where, remedy="put it into headlines")
    stand_in = {"headline": "A headline"}
    return replace(Article.from_mapping({**shared, **stand_in}, where=where, timezone=timezone), headline="")


def distinct_headlines(
    values: Sequence[object], where: str | None = None, lines: Sequence[int] | None = None
) -> dict[str, tuple[int, ...]]:
    """The headlines as they will be scored, each with its positions in `values`; `where` and the line of each are for
    errors.

    Raises:
        FieldError: as `rank_headlines`.
    """
    if isinstance(values, str) or not isinstance(values, Sequence):
        problem = f"is a {type(values).__name__}"
        raise FieldError("headlines", problem, where=where, remedy="it must be a list of strings")
    if not MIN_HEADLINES <= len(values) <= MAX_HEADLINES:
        raise FieldError("headlines", f"holds {len(values)}", where=where, remedy=_REMEDY)
    found: dict[str, tuple[int, ...]] = {}
    for position, value in enumerate(values):
        place = f"{where}, line {lines[position]}" if lines else where
        text = _checked(value, f"headlines[{position}]", place)
        found[text] = (*found.get(text, ()), position)
    if len(found) < MIN_HEADLINES:
        problem = f"holds {len(values)} times the same headline"
        raise FieldError("headlines", problem, where=where, remedy=_REMEDY)
    return found


def _checked(value: object, field: str, where: str | None) -> str:
    if not isinstance(value, str):
        raise FieldError(field, f"is a {type(value).__name__}", where=where, remedy="it must be a string")
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if all(unicodedata.category(character) == "Cf" for character in text):  # zero-width space and the like
        raise FieldError(field, "is empty", where=where, remedy="leave it out")
    if len(text) > MAX_LENGTH:
        raise FieldError(
            field, f"is longer than {MAX_LENGTH} characters", where=where, remedy="give the headline alone"
        )
    try:
        Article.from_mapping({"headline": text})
    except FieldError as error:
        raise FieldError(field, error.problem, where=where, remedy=error.remedy) from None
    return text

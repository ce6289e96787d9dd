"""The shape of a headline: what it looks like, whatever it is about."""

from __future__ import annotations

import re
import string

SHAPE_FEATURES = (
    "words",
    "characters",
    "characters a word",
    "starts with a number",
    "holds a number",
    "question",
    "exclamation",
    "quotation",
    "colon",
    "dash",
    "capital letters",
)
_QUESTION, _EXCLAMATION, _COLON = frozenset("?\uff1f"), frozenset("!\uff01"), frozenset(":\uff1a")
_QUOTES = frozenset('"\u201c\u201d\u201e\u00ab\u300c\u300e')
_SINGLE, _OPENING = (
    frozenset("'\u2018"),
    re.compile("(?<!\\w)['\u2018]"),
)  # those within words are apostrophes
_DIGITS, _CAPITALS = string.digits.encode(), string.ascii_uppercase.encode()
_DASHES = frozenset("\u2013\u2014")


def headline_shape(headline: str) -> list[float]:
    """The numbers named by `SHAPE_FEATURES`.

    >>> dict(zip(SHAPE_FEATURES, headline_shape("5 ways to save: who pays?")))["question"]
    1.0
    """
    text = headline.strip()
    words, characters = len(text.split()), len(text)
    own = _of_ascii(text) if text.isascii() else _of_any(text)
    digit, question, exclamation, quoted, colon, dash, capitals = own
    return [
        float(words),
        float(characters),
        characters / max(words, 1),
        float(text[:1].isdigit()),
        float(digit),
        float(question),
        float(exclamation),
        float(quoted),
        float(colon),
        float(dash),
        capitals / max(characters, 1),
    ]


_Marks = tuple[bool, bool, bool, bool, bool, bool, int]


def _of_ascii(text: str) -> _Marks:
    """`_of_any` of ASCII alone, in a fifth of the time."""
    data = text.encode()
    return (
        len(data.translate(None, _DIGITS)) < len(data),
        "?" in text,
        "!" in text,
        '"' in text or ("'" in text and _OPENING.search(text) is not None),
        ":" in text,
        " - " in text,
        len(data) - len(data.translate(None, _CAPITALS)),
    )


def _of_any(text: str) -> _Marks:
    """What stands in it, in the order of `SHAPE_FEATURES`, and how many capitals."""
    there = set(text)
    return (
        any(map(str.isdigit, there)),
        not there.isdisjoint(_QUESTION),
        not there.isdisjoint(_EXCLAMATION),
        not there.isdisjoint(_QUOTES)
        or (not there.isdisjoint(_SINGLE) and _OPENING.search(text) is not None),
        not there.isdisjoint(_COLON),
        not there.isdisjoint(_DASHES) or " - " in text,
        sum(map(str.isupper, text)),
    )

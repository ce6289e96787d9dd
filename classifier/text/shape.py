"""The shape of a headline: what it looks like, whatever it is about."""

from __future__ import annotations

import re

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
_DIGITS = frozenset("0123456789")
_CAPITALS = dict.fromkeys(range(ord("A"), ord("Z") + 1))  # for str.translate, which leaves them out
_DASHES = frozenset("\u2013\u2014")


def headline_shape(headline: str) -> list[float]:
    """The numbers named by `SHAPE_FEATURES`.

    >>> dict(zip(SHAPE_FEATURES, headline_shape("5 ways to save: who pays?")))["question"]
    1.0
    """
    text = headline.strip()
    there, words, characters = set(text), len(text.split()), len(text)
    quoted = not there.isdisjoint(_QUOTES) or (
        not there.isdisjoint(_SINGLE) and _OPENING.search(text) is not None
    )
    if text.isascii():  # a third of the time
        capitals, digit = characters - len(text.translate(_CAPITALS)), not there.isdisjoint(_DIGITS)
    else:
        capitals, digit = sum(map(str.isupper, text)), any(map(str.isdigit, there))
    return [
        float(words),
        float(characters),
        characters / max(words, 1),
        float(text[:1].isdigit()),
        float(digit),
        float(not there.isdisjoint(_QUESTION)),
        float(not there.isdisjoint(_EXCLAMATION)),
        float(quoted),
        float(not there.isdisjoint(_COLON)),
        float(not there.isdisjoint(_DASHES) or " - " in text),
        capitals / max(characters, 1),
    ]

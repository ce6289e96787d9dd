"""The shape of a headline: what it looks like, whatever it is about."""

from __future__ import annotations

import re
from collections.abc import Callable

_QUESTION, _EXCLAMATION = re.compile("[?\uff1f]"), re.compile("[!\uff01]")
_QUOTATION = re.compile("[\"\u201c\u201d\u201e\u00ab\u300c\u300e]|(?<!\\w)['\u2018]")
_COLON, _DASH = re.compile("[:\uff1a]"), re.compile("[\u2013\u2014]| - ")

_FEATURES: dict[str, Callable[[str], float]] = {
    "words": lambda text: float(len(text.split())),
    "characters": lambda text: float(len(text)),
    "characters a word": lambda text: len(text) / max(len(text.split()), 1),
    "starts with a number": lambda text: float(text[:1].isdigit()),
    "holds a number": lambda text: float(any(map(str.isdigit, text))),
    "question": lambda text: float(bool(_QUESTION.search(text))),
    "exclamation": lambda text: float(bool(_EXCLAMATION.search(text))),
    "quotation": lambda text: float(bool(_QUOTATION.search(text))),
    "colon": lambda text: float(bool(_COLON.search(text))),
    "dash": lambda text: float(bool(_DASH.search(text))),
    "capital letters": lambda text: sum(map(str.isupper, text)) / max(len(text), 1),
}
SHAPE_FEATURES = tuple(_FEATURES)


def headline_shape(headline: str) -> list[float]:
    """The numbers named by `SHAPE_FEATURES`.

    >>> dict(zip(SHAPE_FEATURES, headline_shape("5 ways to save: who pays?")))["question"]
    1.0
    """
    text = headline.strip()
    return [measure(text) for measure in _FEATURES.values()]

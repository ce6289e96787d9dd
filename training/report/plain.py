"""Texts from outside, made fit to print: measured, cut, and without what breaks or turns what stands around them."""

from __future__ import annotations

import re
import unicodedata

from classifier.text.rows import TEXT

HEADLINE_WIDTH = 100.0  # em
LABEL_WIDTH = 36.0  # em
# Control characters (XML cannot carry them), halves of surrogate pairs, and what turns the direction of later text.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)


def printable(text: str) -> str:
    """A text in one line; what XML cannot carry or what would turn the direction of the text after it is "�"."""
    return _UNPRINTABLE.sub("\ufffd", " ".join(text.split()))


def feature(name: str) -> str:
    """A feature's name as people read it: without the column where that is the whole text, spaces at its ends visible
    (parts of words end with them)."""
    name = name.removeprefix(f"{TEXT}: ")
    start, end = len(name) - len(name.lstrip(" ")), len(name.rstrip(" "))
    return name if start >= end else "␣" * start + name[start:end] + "␣" * (len(name) - end)


def section_name(name: str) -> str:
    """A section's name, cut to where a table has room for it."""
    return shorten(name, LABEL_WIDTH, 1, keep_end=True)


def text_width(text: str, size: float) -> float:
    """About how wide a text of that font size is, in its unit, whatever its script."""
    return size * sum(map(_em, text))


def shorten(text: str, width: float, size: float, *, keep_end: bool = False) -> str:
    """`printable` text, cut with "…" where it is wider than `width`; `keep_end` cuts in the middle, as names want it that
    differ at their ends only."""
    text = printable(text)
    if text_width(text, size) <= width:
        return text
    room = width / size - _em("…")
    tail = _fitting(text[::-1], room / 3)[::-1].lstrip() if keep_end else ""
    return _fitting(text, room - text_width(tail, 1)).rstrip() + "…" + tail


def _fitting(text: str, room: float) -> str:
    """As much of the start of a text as is no wider than `room` em."""
    for end, character in enumerate(text):
        room -= _em(character)
        if room < 0:
            return text[:end]
    return text


def _em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.6

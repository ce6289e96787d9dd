"""Where CPython keeps the characters of a string, so that the kernel reads them while other threads run.

No header of Python is compiled in: one wheel serves every Python. What lies where is found by looking at known strings, and
is believed only if many others are as it says. Where they are not, as in another Python, strings are encoded by Python.

A string's state has five bits in a row: three say how many bytes a character has, one that the characters follow the
header, one that all are ASCII. They have been so since Python 3.3; how many bits come before has changed.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

from classifier.text import native

_WORD = 8  # bytes
_SOME = 9  # characters: a string of a single one may be shared, and marked so
_LONGEST = 20
_FOLLOWS = 8
_END = sys.byteorder[0] + "e"
# A character for each way of keeping strings, the codec that gives the bytes in memory, the state.
_KINDS = (
    ("z", "ascii", 1 | _FOLLOWS | 16),
    ("\xff", "latin-1", 1 | _FOLLOWS),
    ("\uffff", f"utf-16-{_END}", 2 | _FOLLOWS),
    ("\U0010ffff", f"utf-32-{_END}", 4 | _FOLLOWS),
)


class _Derived(str):
    """Its characters are somewhere else."""

    __slots__ = ()


@cache
def layout(python: str = sys.implementation.name) -> native.Objects | None:
    """For the kernel, which also reads tuples by `items`; None where it is not known."""
    if python != "cpython":
        return None
    narrow, wide = (character * _SOME for character, _, _ in _KINDS[:2])
    head = object.__basicsize__
    found = [
        native.Objects(
            id(None),
            id(str),
            type_at,
            head,
            head + 2 * _WORD,  # behind the length and the hash
            sys.getsizeof(narrow) - _SOME - 1,  # a 0 is behind the last character
            sys.getsizeof(wide) - _SOME - 1,
            shift,
        )
        for type_at in range(0, head, _WORD)
        for shift in range(28)
    ]
    held = [one for one in found if all(_holds(one, kind) for kind in range(len(_KINDS)))]
    return held[0] if len(held) == 1 and _items_hold((narrow, wide, None)) else None


def items(objects: tuple[Any, ...]) -> int:
    """Where the addresses of a tuple's objects lie, if there is a layout."""
    return id(objects) + tuple.__basicsize__


def _items_hold(objects: tuple[Any, ...]) -> bool:
    size = _WORD * len(objects)
    if tuple.__basicsize__ + size > object.__sizeof__(objects):
        return False
    return ctypes.string_at(items(objects), size) == b"".join(
        id(one).to_bytes(_WORD, sys.byteorder) for one in objects
    )


def _holds(one: native.Objects, kind: int) -> bool:
    """Whether strings of a kind are as the layout says, also shared ones and those of a derived type."""
    character, codec, state = _KINDS[kind]
    start = one.wide_at if kind else one.ascii_at
    for count in range(1, _LONGEST):
        text = character * count
        data = text.encode(codec)
        if (
            _state(one, text) != state
            or _state(one, sys.intern(text)) != state
            or _state(one, _Derived(text)) != state - _FOLLOWS
            or _number(text, one.type_at, _WORD) != one.type
            or _number(text, one.length_at, _WORD) != count
            or _bytes(text, start, len(data)) != data
        ):
            return False
    return True


def _state(one: native.Objects, text: str) -> int:
    return _number(text, one.state_at, 4) >> int(one.shift) & 31


def _number(text: str, at: int, size: int) -> int:
    return int.from_bytes(_bytes(text, at, size), sys.byteorder)


def _bytes(text: str, at: int, size: int) -> bytes:
    """Some of the memory of a string; none that is not its own."""
    return ctypes.string_at(id(text) + at, size) if 0 <= at <= sys.getsizeof(text) - size else b""

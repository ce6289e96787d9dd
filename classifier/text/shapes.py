"""The shapes of a column of headlines at once: the numbers of `classifier.text.shape`, to the last bit."""

from __future__ import annotations

import re
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from classifier.text.shape import SHAPE_FEATURES
from classifier.text.sparse import Floats

_SPACE, _DIGIT, _CAPITAL, _WORD, _QUESTION, _EXCLAMATION, _QUOTE, _APOSTROPHE, _COLON, _DASH = (
    1 << bit for bit in range(10)
)
_MARKS = {
    _QUESTION: "?\uff1f",
    _EXCLAMATION: "!\uff01",
    _QUOTE: '"\u201c\u201d\u201e\u00ab\u300c\u300e',
    _APOSTROPHE: "'\u2018",
    _COLON: ":\uff1a",
    _DASH: "\u2013\u2014",
}
_ASKED = 1 << 15  # set where `_kinds` has been filled in
_table = np.zeros(sys.maxunicode + 1, np.uint16)
# What str.strip() takes for white space.
_SPACES = "".join([chr(code) for code in range(0x3001) if chr(code).isspace()])
_word = re.compile(r"\w")


def _kinds(codes: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """What each character is, as `headline_shape` asks of it; Python is asked once for each."""
    found = _table[codes]
    new = np.unique(codes[found == 0])
    if len(new):
        _table[new] = [_kind(chr(code)) for code in new.tolist()]
        found = _table[codes]
    return found


def _kind(character: str) -> int:
    return (
        _ASKED
        | _SPACE * character.isspace()
        | _DIGIT * character.isdigit()
        | _CAPITAL * character.isupper()
        | _WORD * bool(_word.match(character))
        | sum(kind for kind, marks in _MARKS.items() if character in marks)
    )


def column_shapes(column: pa.Array) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, shape features) of strings, null as "", and whether each holds more than white space (n,)."""
    codes, ends = _code_points(pc.utf8_trim(column.fill_null(""), characters=_SPACES).cast(pa.large_string()))
    return _measured(codes, _kinds(codes), ends), np.diff(ends) > 0


def _code_points(column: pa.Array) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All characters end to end, and where those of each string begin (n + 1,)."""
    if not len(column):
        return np.empty(0, np.uint32), np.zeros(1, np.int64)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    text = bytes(memoryview(data)[ends[0] : ends[-1]]).decode("utf-8") if data else ""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    lengths = pc.utf8_length(column).to_numpy(zero_copy_only=False)
    return codes, np.concatenate([[0], np.cumsum(lengths)])


def _measured(codes: NDArray[np.uint32], kinds: NDArray[np.uint16], ends: NDArray[np.int64]) -> Floats:
    """Of stripped strings."""
    starts_text = np.zeros(len(codes) + 1, np.bool_)
    starts_text[ends] = True
    before = ~starts_text[:-1]  # whether another character of the string stands before
    total = np.zeros(len(codes) + 1, np.int32)

    def number(which: NDArray[np.bool_]) -> NDArray[np.int32]:
        np.cumsum(which, out=total[1:])
        return np.diff(total[ends])

    def holds(which: NDArray[np.bool_]) -> Floats:
        return (number(which) > 0).astype(np.float64)

    def of(kind: int) -> NDArray[np.bool_]:
        return np.asarray(kinds & kind != 0)

    space, digit = of(_SPACE), of(_DIGIT)
    starts_word = ~space & (~before | _shifted(space, 1))
    quoting = of(_QUOTE) | of(_APOSTROPHE) & ~(before & _shifted(of(_WORD), 1))
    blank = before & (codes == 0x20)  # a stripped string begins with none
    hyphens = (codes == 0x2D) & before & _shifted(blank, 1) & _shifted(blank, -1)
    lengths, words = np.diff(ends), number(starts_word)
    measured = {
        "words": words.astype(np.float64),
        "characters": lengths.astype(np.float64),
        "characters a word": lengths / np.maximum(words, 1),
        "starts with a number": holds(digit & ~before),
        "holds a number": holds(digit),
        "question": holds(of(_QUESTION)),
        "exclamation": holds(of(_EXCLAMATION)),
        "quotation": holds(quoting),
        "colon": holds(of(_COLON)),
        "dash": holds(of(_DASH) | hyphens),
        "capital letters": number(of(_CAPITAL)) / np.maximum(lengths, 1),
    }
    return np.column_stack([measured[name] for name in SHAPE_FEATURES])


def _shifted(flags: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """What the character before (1) or behind (-1) is; false at the ends."""
    found = np.zeros_like(flags)
    if by > 0:
        found[1:] = flags[:-1]
    else:
        found[:-1] = flags[1:]
    return found

"""The shapes of a column of headlines at once: the numbers of `classifier.text.shape`, to the last bit."""

from __future__ import annotations

import re
import sys
from typing import Any

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
    codes, ends = _code_points(column)
    kinds = _kinds(codes)
    rows = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    inside = _inside(kinds & _SPACE == 0, rows, ends)
    there = np.bincount(rows[inside], minlength=len(ends) - 1) > 0
    return _measured(codes, kinds, inside, rows, ends), there


def _code_points(column: pa.Array) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All characters end to end, and where those of each string begin (n + 1,)."""
    column = column.fill_null("").cast(pa.large_string())
    if not len(column):
        return np.empty(0, np.uint32), np.zeros(1, np.int64)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    raw = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data else np.empty(0, np.uint8)
    text = raw.tobytes().decode("utf-8")
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    lengths = pc.utf8_length(column).to_numpy(zero_copy_only=False)
    return codes, np.concatenate([[0], np.cumsum(lengths)])


def _inside(solid: NDArray[np.bool_], rows: NDArray[Any], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which characters are left when white space is stripped from both ends of each string."""
    at = np.arange(len(solid))
    solid_at, own = at[solid], rows[solid]
    first = np.full(len(ends) - 1, len(solid))
    last = np.full(len(ends) - 1, -1)
    first[own[::-1]] = solid_at[::-1]
    last[own] = solid_at
    return np.asarray((at >= first[rows]) & (at <= last[rows]))


def _measured(
    codes: NDArray[np.uint32],
    kinds: NDArray[np.uint16],
    inside: NDArray[np.bool_],
    rows: NDArray[Any],
    ends: NDArray[np.int64],
) -> Floats:
    count = len(ends) - 1

    def number(which: NDArray[np.bool_]) -> NDArray[Any]:
        return np.bincount(rows[which & inside], minlength=count)

    def holds(which: NDArray[np.bool_]) -> Floats:
        return (number(which) > 0).astype(np.float64)

    def of(kind: int) -> NDArray[np.bool_]:
        return np.asarray(kinds & kind != 0)

    before = np.zeros(len(inside), np.bool_)  # whether the character before is of the same stripped string
    before[1:] = inside[1:] & inside[:-1] & (rows[1:] == rows[:-1])
    space, word = of(_SPACE), of(_WORD)
    starts = ~space & ~(before & ~np.roll(space, 1))
    quoting = of(_QUOTE) | of(_APOSTROPHE) & ~(before & np.roll(word, 1))
    blank = codes == 0x20
    hyphens = (codes == 0x2D) & before & np.roll(blank, 1) & np.roll(before & blank, -1)
    lengths, words = number(inside), number(starts)
    measured = {
        "words": words.astype(np.float64),
        "characters": lengths.astype(np.float64),
        "characters a word": lengths / np.maximum(words, 1),
        "starts with a number": holds(of(_DIGIT) & ~before),
        "holds a number": holds(of(_DIGIT)),
        "question": holds(of(_QUESTION)),
        "exclamation": holds(of(_EXCLAMATION)),
        "quotation": holds(quoting),
        "colon": holds(of(_COLON)),
        "dash": holds(of(_DASH) | hyphens),
        "capital letters": number(of(_CAPITAL)) / np.maximum(lengths, 1),
    }
    return np.column_stack([measured[name] for name in SHAPE_FEATURES])

"""What every character becomes and whether words are made of it, as Python and scikit-learn see it, as tables.

Unicode grows with Python. A version keeps the tables that it was trained with, so that its vocabulary means the same under
any later Python.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, take_array
from classifier.text import native

StripAccents = Literal["ascii", "unicode"] | None

_CODES = 0x110000
_PAGE = 256
_SURROGATES = "surrogatepass"
# kernel.h
_MANY, _WORD, _SPACE, _CASED, _IGNORED, _SIGMA = (np.uint32(1 << bit) for bit in range(21, 27))
_CODE = np.uint32(0x1FFFFF)
_CAPITAL_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C2
# Whoever has case or marks lies there; beyond are ideographs, private use and what is not assigned.
_CASE = [(0, 0x20000), (0xE0000, 0xE1000)]

Codes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Characters:
    """Tables from a code point to what it becomes: `pages` (4352,), `cells` (pages · 256,), `sequences` (see kernel.h)."""

    lowercase: bool
    pages: NDArray[np.uint16]
    cells: Codes
    sequences: Codes
    struct: native.Chars = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        struct = native.Chars(
            self.pages.ctypes.data, self.cells.ctypes.data, self.sequences.ctypes.data, self.lowercase
        )
        object.__setattr__(self, "struct", struct)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.lowercase, self.pages, self.cells, self.sequences)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"pages": self.pages, "cells": self.cells, "sequences": self.sequences}

    @classmethod
    def load(cls, arrays: Arrays, lowercase: bool) -> Characters:
        """The inverse of `arrays`.

        Raises:
            ArtifactDamaged: tables that lead out of one another.
        """
        pages = take_array(arrays, "pages", np.uint16, (_CODES // _PAGE,))
        cells = take_array(arrays, "cells", np.uint32, (None,))
        sequences = take_array(arrays, "sequences", np.uint32, (None,))
        if len(cells) % _PAGE or int(pages.max()) >= len(cells) // _PAGE:
            raise ArtifactDamaged("holds a page that is not there", where=arrays.file("pages"))
        many = (cells & _MANY) != 0
        places = (cells[many] & _CODE).astype(np.int64)
        if len(places):
            inside = places.max() < len(sequences)
            if not inside or (places + sequences[places] >= len(sequences)).any():
                raise ArtifactDamaged("holds a sequence that is not there", where=arrays.file("cells"))
        for name, sound in (
            ("cells", _are_codes(pages.tobytes(), cells.tobytes())),
            ("sequences", not ((sequences & _CODE) >= _CODES).any()),
        ):
            if not sound:
                raise ArtifactDamaged("holds a code point that is not there", where=arrays.file(name))
        return cls(lowercase, pages, cells, sequences)

    def single(self) -> Codes:
        """(code points,) what each becomes; those that become several stay."""
        return _single(self.pages, self.cells)


def _single(pages: NDArray[np.uint16], cells: Codes) -> Codes:
    every = np.arange(_CODES, dtype=np.uint32)
    cells = cells.reshape(-1, _PAGE)[pages].ravel()
    return np.where(cells & _MANY, every, (every + cells) & _CODE)


@lru_cache(4)  # the blocks of a model have the same tables, and the next version has them again
def _are_codes(pages: bytes, cells: bytes) -> bool:
    """Whether all that characters become are code points."""
    return bool((_single(np.frombuffer(pages, np.uint16), np.frombuffer(cells, np.uint32)) < _CODES).all())


@cache
def characters(lowercase: bool = True, strip_accents: StripAccents = None) -> Characters:
    """The tables of this Python."""
    every = _text(_every())
    single, several = _lowered(every) if lowercase else (_every(), {})
    if strip_accents:
        single, several = _stripped(single, several, strip_accents)
    flags = np.zeros(_CODES, np.uint32)
    for pattern, flag in ((r"\w+", _WORD), (r"\s+", _SPACE)):
        for run in re.finditer(pattern, every):
            flags[run.start() : run.end()] |= flag
    cells = (single - _every()) & _CODE | flags[single]  # how far it goes: most pages are then alike
    sequences: list[int] = []
    places: dict[str, int] = {}  # kept once: most of what is not ASCII may become nothing
    for becomes in several.values():
        if becomes not in places:
            places[becomes] = len(sequences)
            codes = _codes(becomes)
            sequences += [len(codes), *(codes | flags[codes]).tolist()]
    cells[list(several)] = _MANY | np.array([places[becomes] for becomes in several.values()], np.uint32)
    if lowercase:
        cased, ignored = _case()
        cells[cased] |= _CASED
        cells[ignored] |= _IGNORED
        if strip_accents != "ascii":  # which drops either small one
            cells[_CAPITAL_SIGMA] |= _SIGMA
    pages, cells = _packed(cells)
    return Characters(lowercase, pages, cells, np.array([*sequences, 0], np.uint32))


def _every() -> Codes:
    return np.arange(_CODES, dtype=np.uint32)


def _text(codes: Codes) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le", _SURROGATES)


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", _SURROGATES), "<u4")


def _pages(text: str) -> Iterator[tuple[int, str]]:
    for start in range(0, len(text), _PAGE):
        yield start, text[start : start + _PAGE]


def _lowered(every: str) -> tuple[Codes, dict[int, str]]:
    """What each code point becomes: (codes,) single ones, and those that become several."""
    single = _every()
    several: dict[int, str] = {}
    for start, page in _pages(every):
        lowered = page.lower()
        if lowered == page:
            continue
        if len(lowered) == len(page):
            single[start : start + _PAGE] = _codes(lowered)
            continue
        for code, character in enumerate(page, start):
            becomes = character.lower()
            single[code] = ord(becomes[0])
            if len(becomes) > 1:
                several[code] = becomes
    single[_CAPITAL_SIGMA] = 0x3C3  # or final, by what stands around it: the kernel sees to that
    return single, several


def _stripped(
    single: Codes, several: dict[int, str], how: Literal["ascii", "unicode"]
) -> tuple[Codes, dict[int, str]]:
    """As scikit-learn's strip_accents_unicode and strip_accents_ascii, one code point at a time: what decomposition puts in
    another order is what they drop."""
    stripped, found = single.copy(), {}
    for start, page in _pages(_text(single)):
        before = list(page)
        for code in several.keys() & range(start, start + _PAGE):
            before[code - start] = several[code]
        if not start:
            before[0] = ""  # which is what stands between them
        parts = unicodedata.normalize("NFKD", "\0".join(before))
        if how == "ascii":
            parts = parts.encode("ascii", "ignore").decode()
        elif any(low <= start < high for low, high in _CASE):
            parts = "".join([one for one in parts if not unicodedata.combining(one)])
        if parts == "\0".join(page):
            continue
        if len(parts) < _PAGE:  # nothing is left of any of them
            found.update(dict.fromkeys(range(start, start + _PAGE), ""))
            continue
        for code, after in enumerate(parts.split("\0"), start):
            if len(after) == 1:
                stripped[code] = ord(after)
            elif code:
                found[code] = after
    return stripped, found


def _case() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(codes,) which have case, and which str.lower looks through: seen in what it makes of a sigma behind them."""
    cased, ignored = np.zeros((2, _CODES), np.bool_)
    for start, stop in _CASE:
        codes = np.arange(start, stop, dtype=np.uint32)
        # The only one that becomes two; it has case.
        cased[codes] = _sigma_is_final(" ", np.where(codes == 0x130, ord("A"), codes))
        ignored[codes] = _sigma_is_final("A", np.where(codes == 0x130, ord("A"), codes))
    return cased, ignored & ~cased


def _sigma_is_final(before: str, codes: Codes) -> NDArray[np.bool_]:
    table = np.full((len(codes), 4), ord(" "), np.uint32)
    table[:, 0], table[:, 1], table[:, 2] = ord(before), codes, _CAPITAL_SIGMA
    lowered = _codes(_text(table.ravel()).lower()).reshape(-1, 4)
    return np.asarray(lowered[:, 2] == _FINAL_SIGMA)


def _packed(cells: Codes) -> tuple[NDArray[np.uint16], Codes]:
    kept: dict[bytes, int] = {}
    pages = [kept.setdefault(page.tobytes(), len(kept)) for page in cells.reshape(-1, _PAGE)]
    return np.array(pages, np.uint16), np.frombuffer(b"".join(kept), np.uint32)

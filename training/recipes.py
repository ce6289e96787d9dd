"""What the section head is made of: a recipe of feature blocks and a regularisation.

A block is written `COLUMN ANALYZER(LOW,HIGH) * WEIGHT`, as `text word(1,2)` or `headline char_wb(2,4) * 0.5`, and a column
of categories `COLUMN * WEIGHT`, as `source * 1`: so in the configuration, the manifest and the report. `text` is headline,
summary and body together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from classifier.errors import ConfigError
from classifier.text.analyzer import AnalyzerName
from classifier.text.rows import TEXT, TEXT_COLUMNS, Rows

Script = Literal["spaced", "syllables", "unspaced"]

# First words of Unicode character names. Hangul is written with spaces but inflects inside words; the others have none.
_SYLLABLES = ("HANGUL",)
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
SAMPLE = 500  # texts, from all over
_SAMPLE_CHARACTERS = 200_000
_LEAST = 1e-6  # a weight below it, or above its inverse, is a slip
_NOTATION = re.compile(
    r"(?P<column>[^\s(*][^(*\r\n]*?)"
    r"(?: (?P<analyzer>word|char_wb)\((?P<low>[1-9]), ?(?P<high>[1-9])\))?"
    r"(?: ?\* ?(?P<weight>[0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?))?"
)


@dataclass(frozen=True, slots=True)
class BlockRecipe:
    """A column, through an analyzer with n-grams of `ngrams` words or characters, or as categories (`analyzer` None)."""

    column: str
    analyzer: AnalyzerName | None = None
    ngrams: tuple[int, int] = (1, 1)
    weight: float = 1.0

    def __str__(self) -> str:
        if self.analyzer is None:
            return f"{self.column} * {write_number(self.weight)}"
        written = f"{self.column} {self.analyzer}({self.ngrams[0]},{self.ngrams[1]})"
        return written if self.weight == 1 else f"{written} * {write_number(self.weight)}"

    @classmethod
    def parse(cls, text: str) -> BlockRecipe:
        """Of what `str` wrote.

        Raises:
            ConfigError: it is no block.
        """
        found = _NOTATION.fullmatch(text.strip())
        remedy = "write blocks like text word(1,2), headline char_wb(2,4) * 0.5 or source * 1"
        if found is None:
            raise ConfigError(f'"{text:.60}" is no feature block', remedy=remedy)
        weight = 1.0 if found["weight"] is None else float(found["weight"])
        if not _LEAST <= weight <= 1 / _LEAST:
            problem = "weighs nothing" if weight < _LEAST else "weighs more than all else"
            raise ConfigError(f'"{text:.60}" {problem}', remedy="give a weight above 0, such as 0.5")
        is_text = found["column"] in TEXT_COLUMNS
        if (found["analyzer"] is not None) != is_text:
            problem = "needs an analyzer" if is_text else f"has an analyzer, and {found['column']} is no text"
            raise ConfigError(
                f'"{text:.60}" {problem}', remedy=f"{remedy}; texts are {', '.join(TEXT_COLUMNS)}"
            )
        if not is_text:
            return cls(found["column"], weight=weight)
        ngrams = (int(found["low"]), int(found["high"]))
        if ngrams[0] > ngrams[1]:
            raise ConfigError(f'"{text:.60}" has n-grams from long to short', remedy=remedy)
        return cls(found["column"], cast(AnalyzerName, found["analyzer"]), ngrams, weight)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The blocks, the inverse regularisation, and the exponent of the class weights (0: none; 0.5: the imbalance's root).

    `c` is LinearSVC's C for articles of length 1. The more blocks, the longer an article's vector (each block has its
    weight as length), and what would be mild regularisation of one block is none of three. In fitting an article counts
    half as much as one that is `half_life` days younger (0: all alike).
    """

    blocks: tuple[BlockRecipe, ...]
    c: float = 1.0
    balance: float = 0.0
    half_life: float = 0.0

    def __str__(self) -> str:
        aging = f", half-life {self.half_life:g} days" if self.half_life else ""
        return f"{' + '.join(map(str, self.blocks))}, C {self.c:g}, balance {self.balance:g}{aging}"

    @property
    def plain_c(self) -> float:
        """LinearSVC's C for the blocks as they are."""
        return self.c / sum(block.weight**2 for block in self.blocks)

    def to_dict(self) -> dict[str, Any]:
        """As settings of the configuration, which would fix it."""
        return {
            "section_blocks": [str(block) for block in self.blocks],
            "section_c": self.c,
            "section_balance": self.balance,
            "section_half_life": self.half_life,
        }

    def adding(self, block: BlockRecipe) -> Recipe:
        return replace(self, blocks=(*self.blocks, block))


def write_number(value: float) -> str:
    """As short as it can be without being another number."""
    return short if float(short := f"{value:g}") == value else repr(value)


def script_of(texts: Sequence[str]) -> Script:
    """The kind of script that most letters of the texts belong to, from a sample spread over them."""
    counts: dict[Script, int] = {"spaced": 0, "syllables": 0, "unspaced": 0}
    seen = 0
    for text in texts[:: max(1, len(texts) // SAMPLE)]:
        for character in text[:400]:
            if character.isalpha():
                counts[_script(character)] += 1
        seen += len(text[:400])
        if seen > _SAMPLE_CHARACTERS:
            break
    # An unspaced language is full of Latin names and digits: a third is enough.
    total = sum(counts.values())
    for script in ("unspaced", "syllables"):
        if counts[script] * 3 > total:
            return script
    return "spaced"


def _script(character: str) -> Script:
    if character.isascii():
        return "spaced"
    name = unicodedata.name(character, "").split(" ")[0]
    if name in _SYLLABLES:
        return "syllables"
    return "unspaced" if name in _UNSPACED else "spaced"


def base_recipes(script: Script) -> tuple[Recipe, ...]:
    """Where the choice starts, and what must clearly be better to take its place.

    Pairs of words come first: on each of many data sets they helped, or did no harm, but on few articles validation often
    cannot tell.
    """
    if script == "spaced":
        return Recipe((BlockRecipe(TEXT, "word", (1, 2)),)), Recipe((BlockRecipe(TEXT, "word"),))
    return (Recipe((BlockRecipe(TEXT, "char_wb", (1, 4) if script == "syllables" else (1, 3)),)),)


def additions(script: Script, rows: Rows, few: bool) -> Iterator[BlockRecipe]:
    """Blocks worth trying beside the base, the cheapest first; `few` articles."""
    if rows.any("source"):
        yield BlockRecipe("source")
    if script != "spaced":
        yield BlockRecipe(TEXT, "word", (1, 3), 0.5)
    elif few:
        yield BlockRecipe(TEXT, "char_wb", (3, 5))
    if rows.any("headline") and (rows.any("summary") or rows.any("body")):
        if script == "spaced":
            yield BlockRecipe("headline", "word", weight=0.5)
        else:
            yield BlockRecipe("headline", "char_wb", (2, 4), 0.5)

"""What the section head is made of: a recipe of feature blocks and a regularisation, and how one is chosen.

A recipe is chosen inside the training part. Dated articles are validated on the newest fifth, others in folds; blocks are
added one by one and kept where they help, then the regularisation is tried. The chosen recipe is stored in the manifest,
so that refitting (folds, a newer month) need not choose again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from classifier.text.analyzer import Analyzer, AnalyzerName
from classifier.text.blocks import Block
from classifier.text.rows import TEXT, Rows
from training.blocks import FittedText, block_matrix, fit_category, fit_text, side_by_side

Script = Literal["spaced", "syllables", "unspaced"]

# First words of Unicode character names. Hangul is written with spaces but inflects inside words; the others have none.
_SYLLABLES = ("HANGUL",)
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_SAMPLE_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class BlockRecipe:
    """A text column through an analyzer (`kind` "text"), or a column as categories (`kind` "category")."""

    kind: Literal["text", "category"]
    column: str
    weight: float = 1.0
    analyzer: AnalyzerName = "word"
    ngrams: tuple[int, int] = (1, 1)
    min_df: int = 2

    def __str__(self) -> str:
        if self.kind == "category":
            return f"{self.column} × {self.weight:g}"
        low, high = self.ngrams
        return f"{self.column}: {self.analyzer} {low}–{high} × {self.weight:g}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The blocks, LinearSVC's C, and the exponent of the class weights (0: none; 0.5: the root of the imbalance)."""

    blocks: tuple[BlockRecipe, ...]
    c: float = 1.0
    balance: float = 0.0

    def __str__(self) -> str:
        return f"{' + '.join(str(block) for block in self.blocks)}, C = {self.c:g}, balance {self.balance:g}"

    def to_dict(self) -> dict[str, Any]:
        """As it is stored in the manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Of `to_dict`, which a manifest has held (and whose digest was checked)."""
        blocks = tuple(BlockRecipe(**{**block, "ngrams": tuple(block["ngrams"])}) for block in data["blocks"])
        return replace(cls((), data["c"], data["balance"]), blocks=blocks)

    def adding(self, block: BlockRecipe) -> Recipe:
        return replace(self, blocks=(*self.blocks, block))


def script_of(texts: Sequence[str]) -> Script:
    """The kind of script that most letters of the texts belong to, from a sample spread over them."""
    counts: dict[Script, int] = {"spaced": 0, "syllables": 0, "unspaced": 0}
    seen = 0
    for text in texts[:: max(1, len(texts) // 500)]:
        for character in text[:400]:
            if character.isalpha():
                counts[_script(character)] += 1
        seen += len(text)
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


def base_recipes(script: Script, articles: int) -> tuple[Recipe, ...]:
    """Where the choice starts, the plainest first."""
    min_df = 2 if articles >= 1000 else 1
    if script == "spaced":
        plain = BlockRecipe("text", TEXT, ngrams=(1, 1), min_df=min_df)
        return Recipe((plain,)), Recipe((replace(plain, ngrams=(1, 2)),))
    lengths = (2, 4) if script == "syllables" else (1, 3)
    return (Recipe((BlockRecipe("text", TEXT, analyzer="char_wb", ngrams=lengths, min_df=min_df),)),)


def additions(script: Script, rows: Rows, articles: int, few: int) -> Iterator[BlockRecipe]:
    """Blocks worth trying beside the base, the cheapest first."""
    if any(rows.values("source")):
        yield BlockRecipe("category", "source")
    if script == "spaced":
        if articles < few:
            yield BlockRecipe("text", TEXT, analyzer="char_wb", ngrams=(3, 5))
    else:
        yield BlockRecipe("text", TEXT, ngrams=(1, 2))
    if any(rows.texts("headline")) and (any(rows.texts("summary")) or any(rows.texts("body"))):
        if script == "spaced":
            yield BlockRecipe("text", "headline", weight=0.5)
        else:
            yield BlockRecipe("text", "headline", analyzer="char_wb", ngrams=(2, 4))


@dataclass(frozen=True, slots=True)
class FittedBlock:
    """A block fitted on some rows, its matrix over them, and for texts the scikit-learn vectorizer it equals."""

    recipe: BlockRecipe
    block: Block
    matrix: Any
    vectorizer: Any

    def transform(self, rows: Rows) -> Any:
        """(m, width) of other rows."""
        if self.vectorizer is None:
            return block_matrix(self.block, rows)
        return self.vectorizer.transform(rows.texts(self.recipe.column)) * self.recipe.weight


def fit_block(recipe: BlockRecipe, rows: Rows) -> FittedBlock | None:
    """None where the rows give the block nothing: no n-gram in enough articles, no category twice."""
    if recipe.kind == "category":
        categories = fit_category(rows, recipe.column, weight=recipe.weight)
        if categories.width < 2:
            return None
        return FittedBlock(recipe, categories, block_matrix(categories, rows), None)
    fitted: FittedText | None = fit_text(
        rows,
        recipe.column,
        Analyzer(recipe.analyzer, recipe.ngrams),
        min_df=recipe.min_df,
        weight=recipe.weight,
    )
    if fitted is None:
        return None
    block, vectorizer, matrix = fitted
    return FittedBlock(recipe, block, matrix, vectorizer)


class BlockCache:
    """Blocks fitted once on one set of rows, however many recipes use them."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._fitted: dict[BlockRecipe, FittedBlock | None] = {}

    def blocks(self, recipe: Recipe) -> list[FittedBlock]:
        """The fitted blocks of a recipe, those that the rows give nothing left out."""
        for wanted in recipe.blocks:
            if wanted not in self._fitted:
                self._fitted[wanted] = fit_block(wanted, self._rows)
        found = [self._fitted[wanted] for wanted in recipe.blocks]
        return [block for block in found if block is not None]

    def matrix(self, recipe: Recipe) -> Any:
        """(n, width), or None without any block."""
        blocks = self.blocks(recipe)
        return side_by_side([block.matrix for block in blocks]) if blocks else None

"""The section head's features: a recipe's blocks over the training articles, fitted on all of them or on some."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Block
from classifier.text.rows import Rows
from training.blocks import Counts, block_matrix, count_text, fit_category, side_by_side, text_block
from training.corpus import Mask
from training.recipes import BlockRecipe, Recipe

LARGE = 1000  # from so many articles on, words of a single article are left out
_KEPT = 1 << 24  # values of matrices that are kept for the next recipe: 200 MB

Parts = tuple[sp.csr_matrix, sp.csr_matrix]


@dataclass(frozen=True, slots=True)
class FittedBlock:
    """A block and its matrix over the rows that it was fitted on."""

    block: Block
    matrix: sp.csr_matrix


class BlockCache:
    """The features of one set of n rows: every block is counted once, however many recipes and folds use it, and so are its
    idf and its categories for a mask of rows. The matrices of the last recipe's blocks are kept."""

    def __init__(self, rows: Rows, max_features: int | None = None, hash_key: int = 0) -> None:
        self._rows = rows
        self._hash_key = hash_key
        self._max_features = max_features
        self._counts: dict[BlockRecipe, Counts | None] = {}
        self._idf: dict[tuple[BlockRecipe, bytes], NDArray[np.float64]] = {}
        self._categories: dict[tuple[BlockRecipe, bytes], sp.csr_matrix | None] = {}
        self._parts: dict[tuple[tuple[BlockRecipe, ...], bytes, bytes], Parts | None] = {}

    def parts(self, recipe: Recipe, train: Mask, asked: Mask) -> Parts | None:
        """The rows of `features` that a fit learns from, and those that it is asked for."""
        key = recipe.blocks, train.tobytes(), asked.tobytes()
        if key not in self._parts:
            if any(blocks != recipe.blocks for blocks, _, _ in self._parts):
                self.forget()
            matrices = self._matrices(recipe, train)
            found = (side_by_side(matrices, train), side_by_side(matrices, asked)) if matrices else None
            if sum(part.nnz for kept in (found, *self._parts.values()) for part in kept or ()) > _KEPT:
                self.forget()
            self._parts[key] = found
        return self._parts[key]

    def forget(self) -> None:
        """Give back the memory of what `parts` keeps."""
        self._parts.clear()

    def features(self, recipe: Recipe, train: Mask | None = None) -> sp.csr_matrix | None:
        """(n, width) as if fitted on the rows of a mask alone (by default on all); None without any feature."""
        matrices = self._matrices(recipe, train)
        return side_by_side(matrices) if matrices else None

    def fitted(self, recipe: Recipe) -> list[FittedBlock]:
        """The recipe's blocks fitted on all rows; those that the rows give nothing are left out."""
        found: list[FittedBlock] = []
        for wanted in recipe.blocks:
            if wanted.analyzer is None:
                block = fit_category(self._rows, wanted.column, weight=wanted.weight)
                if block.width:
                    found.append(FittedBlock(block, block_matrix(block, self._rows)))
            elif (counts := self._counted(wanted)) is not None:
                found.append(FittedBlock(*text_block(counts, wanted.column, wanted.weight)))
        return found

    def _matrices(self, recipe: Recipe, train: Mask | None) -> list[sp.csr_matrix]:
        found = [self._matrix(block, train) for block in recipe.blocks]
        return [matrix for matrix in found if matrix is not None]

    def _matrix(self, wanted: BlockRecipe, train: Mask | None) -> sp.csr_matrix | None:
        if wanted.analyzer is None:
            return self._category(wanted, train)
        counts = self._counted(wanted)
        if counts is None:
            return None
        key = replace(wanted, weight=1.0), _key(train)
        if key not in self._idf:
            self._idf[key] = counts.idf(train)
        return counts.weighted_by(self._idf[key], wanted.weight)

    def _category(self, wanted: BlockRecipe, train: Mask | None) -> sp.csr_matrix | None:
        key = wanted, _key(train)
        if key not in self._categories:
            block = fit_category(self._rows, wanted.column, weight=wanted.weight, train=train)
            self._categories[key] = block_matrix(block, self._rows) if block.width else None
        return self._categories[key]

    def _counted(self, wanted: BlockRecipe) -> Counts | None:
        plain = replace(wanted, weight=1.0)
        if plain not in self._counts and wanted.analyzer is not None:
            # Parts of a word that a single article has are as rare as the word.
            rare = wanted.analyzer == "word" and len(self._rows) < LARGE
            self._counts[plain] = count_text(
                self._rows,
                wanted.column,
                Analyzer(wanted.analyzer, wanted.ngrams, seed=self._hash_key),
                min_df=1 if rare else 2,
                max_features=self._max_features,
            )
        return self._counts[plain]


def _key(train: Mask | None) -> bytes:
    return b"" if train is None else train.tobytes()

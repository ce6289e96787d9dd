"""A linear head: feature blocks side by side, one weight vector an output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks import Block, CrossBlock, FieldSpan, load_block
from classifier.text.rows import Rows
from classifier.text.sparse import Floats, SparseRows

INTERCEPT = "(intercept)"  # a feature that every article has: where scores start


@dataclass(frozen=True, slots=True)
class FeaturePart:
    """One feature of one article: its name, what it adds to every output (k,), and where it stands."""

    name: str
    contributions: Floats
    spans: tuple[FieldSpan, ...]


@dataclass(frozen=True, slots=True)
class Linear:
    """scores = features @ weights + intercept; weights (sum of the blocks' widths, k), intercept (k,)."""

    blocks: Sequence[Block]
    weights: Floats
    intercept: Floats

    def scores(self, rows: Rows) -> Floats:
        """(n, k) scores; a row's scores do not depend on the rows beside it."""
        return self.scores_and_known(rows)[0]

    def scores_and_known(self, rows: Rows) -> tuple[Floats, NDArray[np.int64]]:
        """The scores (n, k), and how many features of the text blocks each row (n,) has."""
        out = np.zeros((len(rows), len(self.intercept)))
        known = np.zeros(len(rows), np.int64)
        at = 0
        for block, features in self._features(rows):
            features.add_product(self.weights[at : at + block.width], out)
            if block.kind == "text":
                known += np.diff(features.indptr)
            at += block.width
        return out + self.intercept, known

    def _features(self, rows: Rows) -> Iterator[tuple[Block, SparseRows]]:
        """Each block's; those that are crossed are made once."""
        crossed = {id(block.inner) for block in self.blocks if isinstance(block, CrossBlock)}
        kept: dict[int, SparseRows] = {}
        for block in self.blocks:
            if isinstance(block, CrossBlock):
                yield block, block.cross(rows, kept[id(block.inner)])
                continue
            features = block.transform(rows)
            if id(block) in crossed:
                kept[id(block)] = features
            yield block, features

    def parts(self, rows: Rows, number: int = 0) -> list[FeaturePart]:
        """Every feature of one row, the intercept among them; their contributions sum to the row's scores."""
        found = []
        at = 0
        for block in self.blocks:
            indices, values = block.transform(rows).row(number)
            spans = block.feature_spans(rows, number)
            for index, value in zip(indices.tolist(), values.tolist(), strict=True):
                contributions = value * self.weights[at + index]
                found.append(
                    FeaturePart(block.feature_name(index), contributions, tuple(spans.get(index, ())))
                )
            at += block.width
        found.append(FeaturePart(INTERCEPT, self.intercept, ()))
        return found

    def spec(self) -> dict[str, Any]:
        places = {id(block): place for place, block in enumerate(self.blocks)}
        return {
            "blocks": [
                {**block.spec(), "inner": places[id(block.inner)]}
                if isinstance(block, CrossBlock)
                else block.spec()
                for block in self.blocks
            ]
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        named = {
            f"{i}.{name}": array
            for i, block in enumerate(self.blocks)
            for name, array in block.arrays().items()
        }
        return {**named, "weights": self.weights, "intercept": self.intercept}

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays, outputs: int) -> Linear:
        blocks: list[Block] = []
        for i, block_spec in enumerate(spec.specs("blocks")):
            blocks.append(load_block(block_spec, arrays.under(f"{i}."), blocks))
        width = sum(block.width for block in blocks)
        weights = take_array(arrays, "weights", np.float64, (width, outputs))
        intercept = take_array(arrays, "intercept", np.float64, (outputs,))
        if not blocks:
            raise ArtifactDamaged("a head without feature blocks", where=spec.place)
        return cls(blocks, weights, intercept)

"""A linear head: feature blocks side by side, one weight vector an output."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add, mul
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks import Block, CrossBlock, FewBlock, FieldSpan, TextBlock, load_block
from classifier.text.characters import Characters
from classifier.text.fused import (
    CrossTable,
    FusedText,
    HeadTables,
    TextSums,
    is_text_cross,
    load_table,
    pack_table,
    table_idf,
    table_weights,
)
from classifier.text.rows import Rows
from classifier.text.single import RowSums
from classifier.text.sparse import Floats, SparseRows, address

_FEW_OUTPUTS = 64  # with more, arrays are quicker than numbers, also for one row
_SMALL = 16_384  # numbers of a table
INTERCEPT = "(intercept)"  # a feature that every article has: where scores start


@dataclass(frozen=True, slots=True)
class FeaturePart:
    """One feature of one article: its name, what it adds to every output (k,), and where it stands."""

    name: str
    contributions: Floats
    spans: tuple[FieldSpan, ...]


class Linear:
    """scores = features @ weights + intercept; weights (sum of the blocks' widths, k), intercept (k,).

    Weights of text blocks and of crosses are kept as float32.
    """

    def __init__(self, blocks: Sequence[Block], weights: NDArray[Any], intercept: Floats) -> None:
        self._take(blocks, _tables_of(blocks, weights), intercept)

    def _take(self, blocks: Sequence[Block], tables: Sequence[Any], intercept: Floats) -> None:
        self.blocks = list(blocks)
        self.tables = list(tables)
        self.intercept = intercept
        self.text = HeadTables(self.blocks, self.tables, len(intercept))
        self._fused = FusedText(self.text)
        crossed = {id(block.inner) for block in self.blocks if isinstance(block, CrossBlock)}
        self._others = [
            (block, table, address(table), id(block) in crossed)
            for block, table in zip(self.blocks, self.tables, strict=True)
            if not isinstance(block, TextBlock) and not is_text_cross(block)
        ]
        lists: Callable[[Floats], Any] = _numbers if len(intercept) == 1 else _row_lists
        few = [(block, lists(table)) for block, table, _, _ in self._others if isinstance(block, FewBlock)]
        self._few = few if len(few) == len(self._others) and len(intercept) <= _FEW_OUTPUTS else None
        self._start: list[float] = intercept.tolist()

    @property
    def width(self) -> int:
        return sum(block.width for block in self.blocks)

    @cached_property
    def weights(self) -> Floats:
        """(width, k), in the order of the blocks."""
        found = [self.weights_at(place, np.arange(block.width)) for place, block in enumerate(self.blocks)]
        return np.concatenate([*found, np.zeros((0, len(self.intercept)))])

    def weights_at(self, place: int, features: NDArray[Any]) -> Floats:
        """(m, k) of some features of the block at `place`."""
        block, table = self.blocks[place], self.tables[place]
        if isinstance(block, TextBlock):
            narrow = table_weights(table, len(self.intercept))
            return np.asarray(narrow[features], np.float64)
        if isinstance(table, CrossTable) and isinstance(block, CrossBlock):
            return table.weights_at(block, features)
        return np.asarray(table[features])

    def scores(self, rows: Rows) -> Floats:
        """(n, k) scores; a row's scores do not depend on the rows beside it."""
        return self.scores_and_known(rows)[0]

    def scores_and_known(self, rows: Rows, text: TextSums | None = None) -> tuple[Floats, NDArray[np.int32]]:
        """The scores (n, k), and how many features of the text blocks each row (n,) has. `text` is what these add, where
        it is known; it is used up.

        Raises:
            FieldError: a text that cannot be read.
        """
        out, known = self._fused.sums(rows)[0] if text is None else text
        self._add_others(rows, out)
        out += self.intercept
        return out, known

    def one(self, rows: Rows, text: RowSums | None = None) -> tuple[list[float], int]:
        """`scores_and_known` of a single row, to the same bits: k scores, and how many features. Where features beside
        the text are few it does without what arrays cost.

        Raises:
            FieldError: the text cannot be read.
        """
        if text is None:
            [text] = self._fused.one(rows)
        sums, known = text
        if self._few is None:
            scores, _ = self.scores_and_known(rows, TextSums.of(text))
            return scores[0].tolist(), known
        for block, table in self._few:
            features, values = block.one(rows)
            if len(sums) == 1:
                # In the order of the features, as arrays are summed up.
                effects = map(mul, values, map(table.__getitem__, features))
                sums[0] = reduce(add, effects, sums[0])
                continue
            for feature, value in zip(features, values, strict=True):
                for k, weight in enumerate(table[feature]):
                    sums[k] += value * weight
        return [total + start for total, start in zip(sums, self._start, strict=True)], known

    def _add_others(self, rows: Rows, out: Floats) -> None:
        made: dict[int, SparseRows] = {}
        for block, table, place, crossed in self._others:
            features = (
                block.cross(rows, made[id(block.inner)])
                if isinstance(block, CrossBlock)
                else block.transform(rows)
            )
            if crossed:
                made[id(block)] = features
            features.add_product(table, out, place)

    def parts(self, rows: Rows, number: int = 0) -> list[FeaturePart]:
        """Every feature of one row, the intercept among them; their contributions sum to the row's scores."""
        found = []
        for place, block in enumerate(self.blocks):
            indices, values = block.transform(rows).row(number)
            spans = block.feature_spans(rows, number)
            effects = values[:, None] * self.weights_at(place, indices)
            for index, contributions in zip(indices.tolist(), effects, strict=True):
                found.append(
                    FeaturePart(block.feature_name(index), contributions, tuple(spans.get(index, ())))
                )
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
        found: dict[str, NDArray[Any]] = {"intercept": self.intercept}
        for i, (block, table) in enumerate(zip(self.blocks, self.tables, strict=True)):
            own = block.arrays()
            if isinstance(block, TextBlock):
                own["rows"] = table
                found.update(_characters_arrays(block))
            elif isinstance(table, CrossTable):
                own.update(table.arrays())
            else:
                own["weights"] = table
            found.update({f"{i}.{name}": array for name, array in own.items()})
        return found

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays, outputs: int) -> Linear:
        """The inverse of `spec` and `arrays`; formats before 4 had one table of weights for all blocks.

        Raises:
            ArtifactDamaged: what is there does not fit together.
        """
        intercept = take_array(arrays, "intercept", np.float64, (outputs,))
        old = "weights" in arrays
        blocks: list[Block] = []
        tables: list[Any] = []
        for i, block_spec in enumerate(spec.specs("blocks")):
            own = arrays.under(f"{i}.")
            table = None if old else _load_text_table(block_spec, own, outputs)
            idf = None if table is None else table_idf(table)
            characters = None if idf is None else _load_characters(block_spec, arrays)
            block = load_block(block_spec, own, blocks, characters, idf)
            blocks.append(block)
            tables.append(table if table is not None or old else _load_other(block, own, outputs))
        if not blocks:
            raise ArtifactDamaged("a head without feature blocks", where=spec.place)
        width = sum(block.width for block in blocks)
        if old:
            return cls(blocks, take_array(arrays, "weights", np.float64, (width, outputs)), intercept)
        found = cls.__new__(cls)
        found._take(blocks, tables, intercept)
        return found


def _tables_of(blocks: Sequence[Block], weights: NDArray[Any]) -> list[Any]:
    """Each block's, of all weights (width, k)."""
    found: list[Any] = []
    at = 0
    for block in blocks:
        own = weights[at : at + block.width]
        at += block.width
        if isinstance(block, TextBlock):
            found.append(pack_table(block.idf, own))
        elif isinstance(block, CrossBlock) and is_text_cross(block):
            found.append(CrossTable.of(block, own))
        else:
            found.append(np.ascontiguousarray(own, np.float64))
    return found


def _load_text_table(spec: Spec, arrays: Arrays, outputs: int) -> NDArray[np.uint8] | None:
    return load_table(arrays, outputs) if spec.data.get("kind") == TextBlock.kind else None


def _numbers(table: Floats) -> Sequence[float]:
    """A table's only column."""
    numbers = array("d", table.tobytes())
    return numbers.tolist() if table.size <= _SMALL else numbers


class _RowLists:
    """A table's rows as lists, when they are asked for."""

    def __init__(self, table: Floats) -> None:
        self._table = table

    def __getitem__(self, feature: int) -> list[float]:
        found: list[float] = self._table[feature].tolist()
        return found


def _row_lists(table: Floats) -> Sequence[list[float]] | _RowLists:
    """A table's rows as lists: of a small one all are made at once, as numbers of Python are quicker to get at."""
    return cast("list[list[float]]", table.tolist()) if table.size <= _SMALL else _RowLists(table)


def _load_other(block: Block, arrays: Arrays, outputs: int) -> Any:
    if isinstance(block, CrossBlock) and is_text_cross(block):
        return CrossTable.load(block, arrays, outputs)
    return take_array(arrays, "weights", np.float64, (block.width, outputs))


def _characters_name(lowercase: object, strip_accents: object) -> str:
    """Blocks that read texts alike share their tables of characters."""
    return f"characters.{'lower' if lowercase else 'cased'}_{strip_accents or 'plain'}."


def _characters_arrays(block: TextBlock) -> dict[str, NDArray[Any]]:
    analyzer = block.analyzer
    name = _characters_name(analyzer.lowercase, analyzer.strip_accents)
    return {f"{name}{part}": array for part, array in analyzer.characters.arrays().items()}


def _load_characters(spec: Spec, arrays: Arrays) -> Characters:
    lowercase = spec.get("lowercase", bool)
    name = _characters_name(lowercase, spec.data.get("strip_accents"))
    return Characters.load(arrays.under(name), lowercase)

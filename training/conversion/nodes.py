"""What the steps before the classifier compute, as blocks: each can fold weights of its outputs back onto them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifier.text.blocks import Block, CategoryBlock, TextBlock

Floats = NDArray[np.float64]
Folded = tuple[list[tuple[Block, Floats]], Floats]


class Node(Protocol):
    """`width` outputs, all linear in the features of some blocks."""

    @property
    def width(self) -> int: ...
    def fold(self, weights: Floats) -> Folded:
        """Weights (width, k) of the outputs as blocks with weights (width of the block, k) of their features, and what is
        to be added to the intercept (k,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TextNode:
    """A text block; `counts`: of a CountVectorizer alone, so that a TfidfTransformer may follow."""

    block: TextBlock
    counts: bool

    @property
    def width(self) -> int:
        return self.block.width

    def fold(self, weights: Floats) -> Folded:
        return [(self.block, weights)], np.zeros(weights.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A column of an encoder: each category's outputs, `table` (categories, own width), and those of any other value,
    `otherwise` (own width,)."""

    block: CategoryBlock
    table: Floats
    otherwise: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CategoryNode:
    """Columns of categories, encoded side by side."""

    columns: tuple[Encoded, ...]

    @property
    def width(self) -> int:
        return sum(len(column.otherwise) for column in self.columns)

    def fold(self, weights: Floats) -> Folded:
        blocks: list[tuple[Block, Floats]] = []
        shift = np.zeros(weights.shape[1])
        at = 0
        for column in self.columns:
            own = weights[at : at + len(column.otherwise)]
            at += len(own)
            # A block says nothing of other values: what they weigh is where all scores start.
            start = column.otherwise @ own
            shift += start
            if column.block.width:
                blocks.append((column.block, column.table @ own - start))
        return blocks, shift


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Nodes side by side, each with the factor that its outputs are multiplied by."""

    parts: tuple[tuple[float, Node], ...]

    @property
    def width(self) -> int:
        return sum(node.width for _, node in self.parts)

    def fold(self, weights: Floats) -> Folded:
        blocks: list[tuple[Block, Floats]] = []
        shift = np.zeros(weights.shape[1])
        at = 0
        for factor, node in self.parts:
            found, more = node.fold(weights[at : at + node.width] * factor)
            at += node.width
            blocks += found
            shift += more
        return blocks, shift


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """Some of a node's outputs, those of a mask `kept` (node.width,)."""

    node: Node
    kept: NDArray[np.bool_]

    @property
    def width(self) -> int:
        return int(self.kept.sum())

    def fold(self, weights: Floats) -> Folded:
        everything = np.zeros((self.node.width, weights.shape[1]))
        everything[self.kept] = weights
        return self.node.fold(everything)


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """A node's outputs, each divided by its `scale` (width,)."""

    node: Node
    scale: Floats

    @property
    def width(self) -> int:
        return self.node.width

    def fold(self, weights: Floats) -> Folded:
        return self.node.fold(weights / self.scale[:, None])


def fold_all(columns: Sequence[tuple[Node, Floats]]) -> Folded:
    """Columns of weights, each (node.width, k) of a node of its own or of one it shares, as blocks with weights of all the
    columns side by side."""
    total = sum(weights.shape[1] for _, weights in columns)
    tables: dict[int, Floats] = {}
    nodes: dict[int, Node] = {}
    at = 0
    for node, weights in columns:
        table = tables.setdefault(id(node), np.zeros((node.width, total)))
        table[:, at : at + weights.shape[1]] = weights
        nodes[id(node)] = node
        at += weights.shape[1]
    blocks: list[tuple[Block, Floats]] = []
    shift = np.zeros(total)
    for key, node in nodes.items():
        found, more = node.fold(tables[key])
        blocks += found
        shift += more
    return blocks, shift

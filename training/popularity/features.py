"""The popularity head's features over the training articles, fitted on all of them or on some; and the blocks that an
artifact holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Block, ClockBlock, CrossBlock, DaypartBlock, TimeBlock
from classifier.text.rows import Rows
from classifier.text.shape import headline_shape
from training.blocks import (
    Counts,
    block_matrix,
    count_text,
    fit_category,
    fit_numeric,
    fit_shape,
    fit_time,
    text_block,
)
from training.corpus import Mask
from training.popularity.design import Columns
from training.popularity.recipes import Feature

Floats = NDArray[np.float64]
SMALL = 1000  # with fewer articles, words of a single article are kept
_CLOCKS: dict[str, type[ClockBlock]] = {"time": TimeBlock, "daypart": DaypartBlock}
_PAIRS = 2  # articles that must have a feature in a category, where there are not few


@dataclass(frozen=True, slots=True)
class FittedFeature:
    """A feature's matrix (n, width) over all articles, and its block where it was fitted on all of them; `columns` is the
    matrix as designs take it."""

    feature: Feature
    block: Block | None
    matrix: sp.csr_matrix
    columns: Columns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", Columns(self.matrix))


class FeatureCache:
    """The features of n articles; texts are counted once, whatever is fitted on which of them.

    `ages` (n,) are days before the newest article, for what fades.
    """

    def __init__(self, rows: Rows, timezone: str, ages: Floats, hash_key: int = 0) -> None:
        self.rows = rows
        self._hash_key = hash_key
        self._timezone = timezone
        self._ages = ages
        self._counts: dict[Feature, Counts | None] = {}
        self._kept: dict[tuple[Feature, bytes], FittedFeature | None] = {}
        self._faded: dict[tuple[Feature, float, float, bytes], Columns] = {}
        self._measured: tuple[Floats, Mask] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def fitted(self, features: tuple[Feature, ...], train: Mask | None = None) -> list[FittedFeature]:
        """Each as if fitted on the articles of a mask alone (by default on all); those that they give nothing are left
        out."""
        found = [self._one(feature, train) for feature in features if not feature.recent]
        return [one for one in found if one is not None]

    def columns(
        self, features: tuple[Feature, ...], train: Mask | None = None
    ) -> list[tuple[Feature, Columns]]:
        """What a design is made of: each feature, and last those that fade, by an article's age before the newest of the
        mask."""
        fitted = {one.feature.plain: one for one in self.fitted(features, train)}
        found = [(one.feature, one.columns) for one in fitted.values()]
        for feature in features:
            if feature.recent and (one := fitted.get(feature.plain)) is not None:
                scale = feature.block.weight / one.feature.block.weight
                found.append((feature, self._fading(one, feature.recent, scale, train)))
        return found

    def prepare(self, features: tuple[Feature, ...]) -> None:
        """Count and measure what these features need of every article, whatever they will be fitted on: the threads that
        then fit them share it."""
        texts = dict.fromkeys(feature.inner for feature in features if feature.is_text)
        with ThreadPoolExecutor(1) as pool:  # the kernel counts while Python measures
            counted = [pool.submit(self._counted, inner) for inner in texts]
            if any(feature.kind == "shape" for feature in features):
                self._shapes()
            for one in counted:
                one.result()
        for feature in features:
            if feature.kind in _CLOCKS and not feature.recent:
                self._one(feature.inner if feature.crossed else feature, None)

    def forget(self) -> None:
        """Let go of all matrices."""
        self._kept.clear()
        self._faded.clear()

    def _fading(self, one: FittedFeature, days: float, scale: float, train: Mask | None) -> Columns:
        key = (one.feature, days, scale, b"" if train is None else train.tobytes())
        if key not in self._faded:
            newest = float(self._ages.min() if train is None else self._ages[train].min())
            fade = scale * 0.5 ** (np.maximum(self._ages - newest, 0.0) / days)
            self._faded[key] = Columns(one.matrix, fade, one.columns)
        return self._faded[key]

    def _one(self, feature: Feature, train: Mask | None) -> FittedFeature | None:
        key = (feature, b"" if train is None else train.tobytes())
        if key not in self._kept:
            make = self._cross if feature.crossed else self._single
            self._kept[key] = make(feature, train)
        return self._kept[key]

    def _single(self, feature: Feature, train: Mask | None) -> FittedFeature | None:
        wanted = feature.block
        if wanted.analyzer is not None:
            return self._text(feature, train)
        block: Any
        if feature.kind in _CLOCKS:
            if train is not None and all(time is not None for time in self.rows.times()):
                return self._one(feature, None)  # the average for those without a time is all that is fitted
            kind = _CLOCKS[feature.kind]
            block = fit_time(self.rows, self._timezone, kind, weight=wanted.weight, train=train)
        elif feature.kind == "shape":
            return self._shape(feature, train)
        elif feature.kind == "numeric":
            block = fit_numeric(self.rows, wanted.column, weight=wanted.weight, train=train)
        else:
            block = fit_category(self.rows, wanted.column, weight=wanted.weight, train=train)
        if block is None or not block.width:
            return None
        return FittedFeature(feature, block, block_matrix(block, self.rows))

    def _shape(self, feature: Feature, train: Mask | None) -> FittedFeature:
        """As ShapeBlock.transform, of shapes that were measured once."""
        shapes, there = self._shapes()
        seen = there if train is None else there & train
        block = fit_shape(shapes[seen], weight=feature.block.weight)
        table = np.where(there[:, None], (shapes - block.mean) / block.scale * feature.block.weight, 0.0)
        return FittedFeature(feature, block, sp.csr_matrix(table))

    def _shapes(self) -> tuple[Floats, Mask]:
        """(n, shape features) of the headlines, and whether there is one (n,)."""
        if self._measured is None:
            headlines = self.rows.texts("headline")
            there = np.array([bool(text.strip()) for text in headlines], np.bool_)
            self._measured = np.array([headline_shape(text) for text in headlines]), there
        return self._measured

    def _counted(self, plain: Feature) -> Counts | None:
        wanted = plain.block
        if plain not in self._counts and wanted.analyzer is not None:
            rare = wanted.analyzer == "word" and len(self.rows) < SMALL
            analyzer = Analyzer(wanted.analyzer, wanted.ngrams, seed=self._hash_key)
            self._counts[plain] = count_text(self.rows, wanted.column, analyzer, min_df=1 if rare else 2)
        return self._counts[plain]

    def _text(self, feature: Feature, train: Mask | None) -> FittedFeature | None:
        wanted = feature.block
        counts = self._counted(feature.plain)
        if counts is None:
            return None
        if train is not None:
            return FittedFeature(feature, None, counts.weighted(train, wanted.weight))
        block, matrix = text_block(counts, wanted.column, wanted.weight)
        return FittedFeature(feature, block, matrix)

    def _cross(self, feature: Feature, train: Mask | None) -> FittedFeature | None:
        inner = self._one(feature.inner, train)
        categories = fit_category(self.rows, feature.crossed, train=train)
        if inner is None or not categories.width:
            return None
        least = 1 if len(self.rows) < SMALL else _PAIRS
        ids = {name: i for i, name in enumerate(categories.categories)}
        of_row = [-1 if v is None else ids.get(str(v), -1) for v in self.rows.values(feature.crossed)]
        pairs, matrix = crossed(inner.matrix, np.array(of_row, np.int64), train, least)
        if not len(pairs):
            return None
        weight = feature.block.weight
        block = None
        if inner.block is not None:
            block = CrossBlock(feature.crossed, weight, categories.categories, inner.block, pairs)
        return FittedFeature(feature, block, sp.csr_matrix(matrix * weight))


def crossed(
    inner: sp.csr_matrix, category: NDArray[np.int64], train: Mask | None, least: int
) -> tuple[NDArray[np.int64], sp.csr_matrix]:
    """`CrossBlock.pairs` that at least `least` articles (of a mask) have, and the (n, width) matrix over them, of a block's
    matrix (n, m) and category positions (n,), −1 for none."""
    row = np.repeat(np.arange(inner.shape[0]), np.diff(inner.indptr))
    keys = category[row] * inner.shape[1] + inner.indices
    known = category[row] >= 0
    seen = known if train is None else known & train[row]
    pairs, counts = np.unique(keys[seen], return_counts=True)
    pairs = pairs[counts >= least]
    if not len(pairs):
        return pairs, sp.csr_matrix((inner.shape[0], 0))
    at = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
    known &= pairs[at] == keys
    values = (inner.data[known], (row[known], at[known]))
    return pairs.astype(np.int64), sp.csr_matrix(values, shape=(inner.shape[0], len(pairs)))


def to_blocks(fitted: list[FittedFeature]) -> list[Block]:
    """The blocks of a head, of features fitted on all articles. What is crossed is the head's own block, weight and all."""
    alone = {one.feature.inner: one.block for one in fitted if not one.feature.crossed}
    found: list[Any] = []
    for one in fitted:
        block: Any = one.block
        if isinstance(block, CrossBlock):
            inner: Any = alone[one.feature.inner]
            block = replace(block, inner=inner, weight=block.weight / inner.weight)
        found.append(block)
    return found

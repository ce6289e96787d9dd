"""What trees see of the articles: 150 dimensions of their text, or the very features of the popularity head."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.boosting.parts import SEED, Part
from classifier.text.blocks import Block, TextBlock
from classifier.text.rows import LENGTHS
from classifier.text.shape import headline_shape
from training.blocks import block_matrix, side_by_side
from training.corpus import Corpus, Mask
from training.labels import Judgements

DIMENSIONS = 150
SVD_COLUMNS = 50_000  # of the text, the most frequent: rarer ones only cost time
# A word that fewer articles have cannot split off a leaf of the size that LightGBM asks for.
LEAST_ARTICLES = 20
SPARSE_COLUMNS = 10_000
_CATEGORIES = ("source", "section")


@dataclass(frozen=True, slots=True)
class Side:
    """n articles of the training or the test part: the head's features (n, width), those of its text blocks alone
    (n, words), and the columns without text (n, c): codes of source and section, hour, weekday, shape of the headline,
    lengths of the texts."""

    judgements: Judgements
    days: NDArray[np.str_]
    features: sp.csr_matrix
    texts: sp.csr_matrix
    columns: NDArray[np.float32]


# Features (n, width) of a side, made as learnt from some articles.
Make = Callable[[Side], Any]


@dataclass(frozen=True, slots=True)
class View:
    """`fit` learns from the training articles of a mask (n,) alone how features are made; `categories` are their columns
    that hold codes."""

    name: str
    fit: Callable[[Side, Mask], Make] = field(repr=False)
    categories: tuple[int, ...] = ()

    def part(self, make: Make, side: Side, mask: Mask | None = None) -> Part:
        """The articles of a mask, as a ranker takes them."""
        features, judgements = make(side), side.judgements
        if mask is None:
            return Part.judged(features, judgements, self.categories)
        return Part.judged(features[mask], judgements.within(mask), self.categories)


def make_sides(
    blocks: Sequence[Block], train: tuple[Corpus, Judgements], test: tuple[Corpus, Judgements]
) -> tuple[Side, Side]:
    """Both parts through the blocks of a head; codes are those of the values that the training part has."""
    known = {
        name: {value: code for code, value in enumerate(sorted(set(train[0].rows.values(name)) - {None}))}
        for name in _CATEGORIES
    }

    def side(corpus: Corpus, judgements: Judgements) -> Side:
        matrices = [block_matrix(block, corpus.rows).astype(np.float32) for block in blocks]
        texts = [matrix for block, matrix in zip(blocks, matrices, strict=True) if block.kind == "text"]
        days = np.array([day or "" for day in corpus.days], np.str_)
        columns = _columns(corpus, known)
        return Side(judgements, days, side_by_side(matrices), side_by_side(texts), columns)

    return side(*train), side(*test)


def seconds_of_text(blocks: Sequence[Block], corpus: Corpus) -> float:
    """How long scikit-learn takes for the TF-IDF of the head's text blocks: what their user would wait for."""
    started = time.perf_counter()
    for block in blocks:
        if isinstance(block, TextBlock):
            TfidfVectorizer(
                analyzer=block.analyzer.kind,
                ngram_range=block.analyzer.ngrams,
                min_df=2,
                sublinear_tf=block.weighting.sublinear_tf,
                norm=block.weighting.norm,
            ).fit_transform(corpus.rows.texts(block.column))
    return time.perf_counter() - started


def _columns(corpus: Corpus, known: dict[str, dict[str, int]]) -> NDArray[np.float32]:
    codes = [[known[name].get(value, np.nan) for value in corpus.rows.values(name)] for name in _CATEGORIES]
    hours = [np.nan if hour is None else hour for hour in corpus.hours]
    weekdays = [np.nan if day is None else date.fromisoformat(day).weekday() for day in corpus.days]
    shapes = [headline_shape(text) for text in corpus.rows.texts("headline")]
    lengths = [corpus.rows.values(name) for name in LENGTHS]
    return np.column_stack([*codes, hours, weekdays, np.array(shapes), *lengths]).astype(np.float32)


def _by_svd(train: Side, learnt: Mask) -> Make:
    texts = train.texts[learnt]
    columns = _frequent(texts, 1, SVD_COLUMNS)
    svd = TruncatedSVD(
        min(DIMENSIONS, *(size - 1 for size in (len(columns), texts.shape[0]))), random_state=SEED
    )
    svd.fit(texts[:, columns])
    return lambda side: np.hstack([side.columns, svd.transform(side.texts[:, columns])]).astype(np.float32)


def _as_they_are(train: Side, learnt: Mask) -> Make:
    columns = _frequent(train.features[learnt], LEAST_ARTICLES, SPARSE_COLUMNS)
    return lambda side: side.features[:, columns]


def _frequent(matrix: sp.csr_matrix, least: int, most: int) -> NDArray[np.int64]:
    """The columns that at least `least` rows have, the most frequent `most` of them, in their order."""
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
    found = np.argsort(-counts, kind="stable")[:most]
    return np.sort(found[counts[found] >= least])


VIEWS = (
    View(f"{DIMENSIONS} SVD dimensions", _by_svd, tuple(range(len(_CATEGORIES)))),
    View("the same sparse features", _as_they_are),
)

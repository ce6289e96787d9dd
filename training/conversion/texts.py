"""scikit-learn's fitted vectorizers as text blocks, and what may stand directly behind one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import UsageError
from classifier.text.blocks import TextBlock
from classifier.text.blocks.text import NORMS
from classifier.text.vocabulary import Vocabulary
from training.conversion.place import Place, is_sklearn
from training.vectorizer import NgramTfidf
from training.vectorizer_conversion import read_sklearn

Floats = NDArray[np.float64]

_COUNTS = ("int32", "int64", "float32", "float64")


def is_vectorizer(estimator: object) -> bool:
    """Whether `text_block` knows its class."""
    return type(estimator) is NgramTfidf or any(
        is_sklearn(estimator, name) for name in ("TfidfVectorizer", "CountVectorizer")
    )


def text_block(vectorizer: Any, column: str, seed: int, place: Place) -> TextBlock:
    """The block of a fitted vectorizer that reads `column`; `seed` keys the hashes.

    Raises:
        PipelineError: it is not fitted, or has an option that the block lacks.
    """
    kind = np.dtype(vectorizer.dtype).name
    if kind not in _COUNTS:
        raise place.refuse(f"counts in {kind}, which overflows", f"fit it with dtype {', '.join(_COUNTS)}")
    place.take(vectorizer, "vocabulary_")
    try:
        if isinstance(vectorizer, NgramTfidf):
            vectorizer = vectorizer.to_sklearn()
        return read_sklearn(vectorizer, seed=seed).block(column)
    except UsageError as error:
        option = f"{error.where}: " if error.where else ""
        raise place.refuse(f"{option}{error.problem}", error.remedy or "fit it again") from error


def weighted(block: TextBlock, transformer: Any, place: Place) -> TextBlock:
    """Counts with a fitted TfidfTransformer behind them.

    Raises:
        PipelineError: it is not fitted, or was fitted on something else.
    """
    # As scikit-learn has it: an idf counts even where `use_idf` was taken back after fitting.
    known = hasattr(transformer, "idf_") or transformer.use_idf
    idf = place.take(transformer, "idf_") if known else np.ones(block.width)
    weighting = replace(
        block.weighting, sublinear_tf=bool(transformer.sublinear_tf), norm=_norm(transformer.norm, place)
    )
    found = np.asarray(idf, np.float64).ravel()
    if len(found) != block.width:
        raise place.refuse(
            f"has {len(found)} idf values for {block.width} terms", "fit the pipeline again, as a whole"
        )
    if unseen := int((~np.isfinite(found)).sum()):
        raise place.refuse(
            f"has an infinite idf for {unseen} terms, which no training text holds",
            "fit it with smooth_idf=True, or with a vocabulary of terms that are there",
        )
    return TextBlock(block.column, block.vocabulary, weighting, 1.0, found)


def normalised(block: TextBlock, normalizer: Any, place: Place) -> TextBlock:
    """With a Normalizer behind it: whatever the length was, it is then 1.

    Raises:
        PipelineError: it is of the largest value.
    """
    weighting = replace(block.weighting, norm=_norm(normalizer.norm, place))
    return TextBlock(block.column, block.vocabulary, weighting, 1.0, block.idf)


def picked(block: TextBlock, kept: NDArray[np.bool_]) -> TextBlock:
    """Only some of the terms (width,) of a block without a norm."""
    vocabulary = Vocabulary.of(block.analyzer, block.terms.take(np.flatnonzero(kept)))
    return TextBlock(block.column, vocabulary, block.weighting, 1.0, block.idf[kept])


def _norm(norm: Any, place: Place) -> Any:
    if norm not in NORMS:
        raise place.refuse(f"has the norm {norm!r}", 'fit it with "l1", "l2" or None')
    return norm

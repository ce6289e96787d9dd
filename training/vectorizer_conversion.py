"""Between scikit-learn's vectorizers and ours: what a fitted one knows, and one that knows it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer

from classifier.errors import UsageError
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock, Weighting
from classifier.text.vocabulary import Terms, Vocabulary
from training.vectorizer_options import analyzer_of, fixed_terms, weighting_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FittedTfidf:
    """What a fitted vectorizer knows: how texts are cut and counts weighed, its `terms` (width) by column, and their `idf`
    (width,), ones unless it `has_idf`."""

    analyzer: Analyzer
    weighting: Weighting
    terms: Terms
    idf: Floats
    has_idf: bool

    def block(self, column: str, weight: float = 1.0) -> TextBlock:
        """The same as features of a text column."""
        vocabulary = Vocabulary.of(self.analyzer, self.terms)
        return TextBlock(column, vocabulary, self.weighting, weight, self.idf)


def read_sklearn(vectorizer: Any, transformer: Any = None, *, seed: int = 0) -> FittedTfidf:
    """What a fitted TfidfVectorizer, or CountVectorizer with or without a fitted TfidfTransformer behind it, knows; `seed`
    keys the hashes.

    Raises:
        UsageError: another class (also one derived from these), not fitted, or with an option that is not supported.
    """
    transformer = _transformer_of(vectorizer, transformer)
    try:
        names = vectorizer.get_feature_names_out().tolist()
    except NotFittedError:
        raise UsageError(f"the {type(vectorizer).__name__} is not fitted", remedy="fit it first") from None
    terms = Terms.of(fixed_terms(names))
    # An idf counts even if `use_idf` was taken back after fitting.
    has_idf = transformer is not None and (transformer.use_idf or hasattr(transformer, "idf_"))
    idf = _idf_of(transformer, len(terms)) if has_idf else np.ones(len(terms))
    weighting = weighting_of(vectorizer, transformer)
    return FittedTfidf(analyzer_of(vectorizer, seed), weighting, terms, idf, has_idf)


def _idf_of(transformer: Any, width: int) -> Floats:
    idf: Any = getattr(transformer, "idf_", None)
    if np.shape(idf) != (width,) or not np.isfinite(idf).all():
        raise UsageError(
            "the vectorizer has no idf, or not a finite one for each term",
            remedy="fit it with smooth_idf=True and the scikit-learn that is installed",
        )
    return np.array(idf, np.float64)


def _transformer_of(vectorizer: Any, transformer: Any) -> Any:
    """What weighs the counts, or None. A fitted TfidfVectorizer weighs by what its options were when it was fitted."""
    for one, kinds in ((vectorizer, (TfidfVectorizer, CountVectorizer)), (transformer, (TfidfTransformer,))):
        if one is not None and type(one) not in kinds:
            raise UsageError(
                f"{type(one).__name__} is not supported",
                remedy=f"use scikit-learn's own {' or '.join(kind.__name__ for kind in kinds)}",
            )
    if type(vectorizer) is not TfidfVectorizer:
        return transformer
    if transformer is not None:
        raise UsageError(
            "a TfidfTransformer behind a TfidfVectorizer weighs a second time", remedy="leave one of them out"
        )
    return vars(vectorizer).get("_tfidf", vectorizer)


def write_sklearn(
    options: Mapping[str, Any], columns: Mapping[str, int], idf: NDArray[Any] | None
) -> TfidfVectorizer:
    """A fitted TfidfVectorizer with these options, terms by column, and their idf (terms,)."""
    stop_words, given = options["stop_words"], options["vocabulary"] is not None
    made = TfidfVectorizer(
        **{
            **options,
            "vocabulary": dict(columns),
            "dtype": np.dtype(options["dtype"]).type,
            "ngram_range": tuple(options["ngram_range"]),
            "stop_words": stop_words if stop_words in (None, "english") else sorted(stop_words),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of terms and stop words that no text can have, and of the idf of no texts
        made.fit([""])
    if idf is not None:
        made.idf_ = idf
    if not given:
        made.set_params(vocabulary=None).fixed_vocabulary_ = False
    return made

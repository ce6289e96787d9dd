"""scikit-learn's TfidfVectorizer in the kernel: the same options, vocabulary and matrix, many times faster.

>>> NgramTfidf(ngram_range=(1, 2)).fit(["The Assembly votes"]).get_feature_names_out().tolist()
['assembly', 'assembly votes', 'the', 'the assembly', 'votes']

Where it differs:

- Of terms that are equally frequent `max_features` keeps the first in code-point order. scikit-learn sorts them unstably:
  which it keeps depends on NumPy and the processor.
- With `smooth_idf=False`, a given vocabulary with terms that are in none of the texts is an error: their idf is infinite.
  scikit-learn goes on, and may return values that are no numbers.
- No texts are transformed into a matrix without rows.
- With `dtype=float32` values are computed as float64, from an idf rounded to float32, and rounded last.
- `ngram_range` ends at 64.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils import metadata_routing

from classifier.errors import UsageError
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock, Weighting
from classifier.text.strings import Texts
from classifier.text.vocabulary import Terms, Vocabulary
from training.counting import TermCounter, batches_of, inverse_frequency, stacked, text_batches, weigh
from training.vectorizer_conversion import FittedTfidf, read_sklearn, write_sklearn
from training.vectorizer_options import (
    TOKEN_PATTERN,
    analyzer_of,
    check_options,
    document_limits,
    dtype_of,
    fixed_terms,
    weighting_of,
)

__all__ = ["FittedTfidf", "NgramTfidf", "read_sklearn"]

Floats = NDArray[np.float64]


class NgramTfidf(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc, call-arg]
    """TF-IDF of the n-grams of texts: an estimator with the options and attributes of TfidfVectorizer.

    Texts are strings in any iterable, or an Arrow column of strings (null is empty). `preprocessor`, `tokenizer` and
    `token_pattern` are there to say that they must be left alone. Every method raises UsageError for wrong options,
    texts that are none, and use before `fit`; FieldError for a text that cannot be read.
    """

    __metadata_request__fit = {"raw_documents": metadata_routing.UNUSED}  # noqa: RUF012
    __metadata_request__transform = {"raw_documents": metadata_routing.UNUSED}  # noqa: RUF012
    _block: TextBlock
    _columns: dict[str, int]

    def __init__(
        self,
        *,
        strip_accents: Any = None,
        lowercase: bool = True,
        preprocessor: None = None,
        tokenizer: None = None,
        analyzer: Any = "word",
        stop_words: Any = None,
        token_pattern: str = TOKEN_PATTERN,
        ngram_range: tuple[int, int] = (1, 1),
        max_df: float = 1.0,
        min_df: float = 1,
        max_features: int | None = None,
        vocabulary: Any = None,
        binary: bool = False,
        dtype: Any = np.float64,
        norm: Any = "l2",
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
    ) -> None:
        self.strip_accents = strip_accents
        self.lowercase = lowercase
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.analyzer = analyzer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.ngram_range = ngram_range
        self.max_df = max_df
        self.min_df = min_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.binary = binary
        self.dtype = dtype
        self.norm = norm
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf

    def fit(self, raw_documents: Any, y: object = None) -> Self:
        """Learn the terms and their idf; an iterator is read once, some millions of characters at a time."""
        self._learn(text_batches(raw_documents))
        return self

    def fit_batches(self, batches: Iterable[Any]) -> Self:
        """`fit` of texts that come batch by batch, each of them what `fit` takes."""
        self._learn(batches_of(batches))
        return self

    def fit_transform(self, raw_documents: Any, y: object = None) -> sp.csr_matrix:
        """`fit`, and the TF-IDF (texts, terms) of the same texts, to the bit what `transform` makes of them."""
        counts = self._learn(text_batches(raw_documents))
        block = self._block
        return weigh(counts, block.idf, block.weighting).astype(dtype_of(self), copy=False)

    def transform(self, raw_documents: Any) -> sp.csr_matrix:
        """TF-IDF (texts, terms). Other threads run meanwhile."""
        block = self._fitted()
        parts = [block.transform_texts(texts) for texts in text_batches(raw_documents)]
        return stacked(parts, block.width).astype(dtype_of(self), copy=False)

    def inverse_transform(self, X: Any) -> list[NDArray[np.object_]]:
        """The terms of each row of a matrix that are not 0."""
        names = self.get_feature_names_out()
        matrix = sp.csr_matrix(X, copy=True)
        if matrix.shape[1] != len(names):
            raise UsageError(
                f"a matrix with {matrix.shape[1]} columns, where there are {len(names)} terms",
                remedy="give one that this vectorizer made",
            )
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return [names[matrix.indices[start:end]] for start, end in pairwise(matrix.indptr)]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """(terms,) by column."""
        return np.array(list(self._fitted().terms), object)

    @property
    def vocabulary_(self) -> dict[str, int]:
        """From terms to columns, made when it is first asked for."""
        if self._after_fit("vocabulary_") and not self._columns:
            self._columns = {term: column for column, term in enumerate(self._block.terms)}
        return self._columns

    @property
    def idf_(self) -> NDArray[Any]:
        """(terms,); only with `use_idf`."""
        if not self._after_fit("idf_") or not self.use_idf:
            raise AttributeError("idf_ is there only with use_idf=True")
        return self._block.idf.astype(dtype_of(self))

    def to_sklearn(self) -> TfidfVectorizer:
        """A fitted TfidfVectorizer that equals this one."""
        self._fitted()
        return write_sklearn(self.get_params(), self.vocabulary_, self.idf_ if self.use_idf else None)

    @classmethod
    def from_sklearn(cls, vectorizer: Any, transformer: Any = None) -> Self:
        """What equals a fitted TfidfVectorizer, or CountVectorizer with or without a fitted TfidfTransformer behind it (see
        `read_sklearn`)."""
        known = read_sklearn(vectorizer, transformer, seed=_secret())
        given = {**vectorizer.get_params(), **(transformer.get_params() if transformer else {})}
        given |= {"binary": known.weighting.binary, "norm": known.weighting.norm, "use_idf": known.has_idf}
        given["sublinear_tf"] = known.weighting.sublinear_tf
        if np.dtype(vectorizer.dtype) != np.float32:  # CountVectorizer's whole numbers, too
            given["dtype"] = np.float64
        made = cls(**{name: given[name] for name in cls().get_params() if name in given})
        made._take(known.block("text"), fixed=vectorizer.vocabulary is not None)
        return made

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {**state, "_columns": {}} if "_columns" in state else state

    def _fitted(self) -> TextBlock:
        if "_block" not in self.__dict__:
            raise UsageError("the NgramTfidf is not fitted", remedy="fit it first")
        return self._block

    def _after_fit(self, name: str) -> bool:
        if "_block" not in self.__dict__:  # what hasattr expects
            raise AttributeError(f"{name} is there only after fit")
        return True

    def _take(self, block: TextBlock, *, fixed: bool) -> None:
        self._block = block
        self._columns = {}
        self.fixed_vocabulary_ = fixed

    def _learn(self, batches: Iterator[Texts]) -> sp.csr_matrix:
        """Counts (texts, terms); what was learned is kept."""
        check_options(self)
        analyzer, weighting = analyzer_of(self, _secret()), weighting_of(self, self)
        fixed = self.vocabulary is not None
        vocabulary, counts = (self._count_given if fixed else self._count)(analyzer, batches)
        self._take(TextBlock("text", vocabulary, weighting, 1.0, self._idf(counts)), fixed=fixed)
        return counts

    def _count(self, analyzer: Analyzer, batches: Iterator[Texts]) -> tuple[Vocabulary, sp.csr_matrix]:
        with TermCounter(analyzer) as counter:
            for texts in batches:
                counter.add(texts)
            count, different = counter.sizes[:2]
            if not different:
                raise UsageError(
                    f"none of {count} texts has an n-gram",
                    remedy="give texts of more than stop words and signs",
                )
            low, high = document_limits(self, count)
            terms, counts = counter.finish(low, high, self.max_features, binary=bool(self.binary))
        if not len(terms):
            raise UsageError(
                f"min_df ({self.min_df!r}) and max_df ({self.max_df!r}) leave none of {different} terms",
                remedy="lower min_df or raise max_df",
            )
        return Vocabulary.of(analyzer, terms), counts

    def _count_given(self, analyzer: Analyzer, batches: Iterator[Texts]) -> tuple[Vocabulary, sp.csr_matrix]:
        vocabulary = Vocabulary.of(analyzer, Terms.of(fixed_terms(self.vocabulary)))
        block = TextBlock("text", vocabulary, Weighting(norm=None), 1.0, np.ones(len(vocabulary)))
        counts = stacked([block.transform_texts(texts) for texts in batches], block.width)
        if not counts.shape[0]:
            raise UsageError("no texts were given", remedy="give some to learn from")
        return vocabulary, counts

    def _idf(self, counts: sp.csr_matrix) -> Floats:
        """(terms,)"""
        texts, width = counts.shape
        if not self.use_idf:
            return np.ones(width)
        frequencies = np.bincount(counts.indices, minlength=width)
        idf = inverse_frequency(frequencies, texts, smooth=bool(self.smooth_idf))
        unseen = frequencies == 0
        if unseen.any() and not self.smooth_idf:
            raise UsageError(
                f"{unseen.sum()} of {width} given terms are in none of the texts, so their idf is infinite",
                remedy="give smooth_idf=True, or a vocabulary without them",
            )
        idf[unseen] = np.log(texts + 1.0) + 1.0
        return idf.astype(dtype_of(self)).astype(np.float64)


def _secret() -> int:
    """A key of hashes that nobody who writes a text can know: so none can be written to be slow."""
    return secrets.randbits(64)

"""scikit-learn's fitted vectorizers as ours: what they know, and which have no equal."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import (
    ENGLISH_STOP_WORDS,
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import RidgeClassifier

from classifier.errors import UsageError
from training.vectorizer import FittedTfidf, NgramTfidf, read_sklearn

TEXTS = ["The bank and the vote", "A vote of the Assembly", "", "bank, bank; ΟΔΟΣ"]


@pytest.mark.parametrize("options", [{}, {"binary": True}, {"analyzer": "char_wb", "ngram_range": (2, 3)}])
@pytest.mark.parametrize(
    "weigh", [None, {}, {"use_idf": False, "norm": "l1"}, {"sublinear_tf": True, "norm": None}]
)
def test_counts_with_and_without_weights_behind(
    options: dict[str, Any], weigh: dict[str, Any] | None
) -> None:
    counts = CountVectorizer(**options)
    wanted = counts.fit_transform(TEXTS).astype(float)
    transformer = None
    if weigh is not None:
        transformer = TfidfTransformer(**weigh)
        wanted = transformer.fit_transform(wanted)
    mine = NgramTfidf.from_sklearn(counts, transformer)
    np.testing.assert_allclose(mine.transform(TEXTS).toarray(), wanted.toarray(), rtol=1e-12)
    again = mine.to_sklearn().transform(TEXTS)
    np.testing.assert_allclose(again.toarray(), wanted.toarray(), rtol=1e-12)
    assert clone(mine).fit_transform(TEXTS).toarray() == pytest.approx(wanted.toarray(), rel=1e-12)


def test_what_a_fitted_vectorizer_knows() -> None:
    theirs = TfidfVectorizer(ngram_range=(1, 2), stop_words="english", binary=True, sublinear_tf=True).fit(
        TEXTS
    )
    known = read_sklearn(theirs, seed=7)
    assert isinstance(known, FittedTfidf)
    assert list(known.terms) == theirs.get_feature_names_out().tolist()
    assert known.idf.tolist() == theirs.idf_.tolist()
    assert known.analyzer.stop_words == tuple(sorted(ENGLISH_STOP_WORDS))
    assert (known.analyzer.ngrams, known.analyzer.seed) == ((1, 2), 7)
    assert (known.weighting.binary, known.weighting.sublinear_tf, known.weighting.norm) == (True, True, "l2")
    # What was set after fitting: the counts are made with it, and weighed without.
    later = copy.deepcopy(theirs).set_params(norm=None, use_idf=False, sublinear_tf=False, binary=False)
    np.testing.assert_allclose(
        NgramTfidf.from_sklearn(later).transform(TEXTS).toarray(),
        later.transform(TEXTS).toarray(),
        rtol=1e-12,
    )


def test_a_given_vocabulary_need_not_be_fitted() -> None:
    assert list(read_sklearn(CountVectorizer(vocabulary={"bb": 0, "aa": 1})).terms) == ["bb", "aa"]
    given_idf = TfidfVectorizer(vocabulary=["bb", "aa"])
    given_idf.idf_ = np.array([2.0, 0.0])
    mine = NgramTfidf.from_sklearn(given_idf)
    assert mine.transform(["aa bb"]).toarray().tolist() == given_idf.transform(["aa bb"]).toarray().tolist()
    assert mine.to_sklearn().idf_.tolist() == [2.0, 0.0]


class OfOnesOwn(TfidfVectorizer):
    def build_analyzer(self) -> Any:
        return str.split


def not_finite() -> TfidfVectorizer:
    with warnings.catch_warnings(action="ignore"):
        return TfidfVectorizer(vocabulary=["bank", "storm"], smooth_idf=False).fit(["bank"])


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: [TfidfVectorizer()], "the TfidfVectorizer is not fitted; fit it first"),
        (lambda: [TfidfVectorizer(vocabulary=["bank"])], "the vectorizer has no idf"),
        (lambda: [CountVectorizer().fit(TEXTS), TfidfTransformer()], "the vectorizer has no idf"),
        (lambda: [CountVectorizer()], "the CountVectorizer is not fitted"),
        (
            lambda: [not_finite()],
            "the vectorizer has no idf, or not a finite one for each term; fit it with smooth",
        ),
        (
            lambda: [HashingVectorizer()],
            "HashingVectorizer is not supported; use scikit-learn's own TfidfVectorizer or",
        ),
        (lambda: [OfOnesOwn().fit(TEXTS)], "OfOnesOwn is not supported"),
        (lambda: [NgramTfidf().fit(TEXTS)], "NgramTfidf is not supported"),
        (
            lambda: [CountVectorizer().fit(TEXTS), RidgeClassifier()],
            "RidgeClassifier is not supported; use scikit-",
        ),
        (
            lambda: [TfidfVectorizer().fit(TEXTS), TfidfTransformer()],
            "a TfidfTransformer behind a TfidfVectorizer weighs a second time; leave one of them out",
        ),
        (
            lambda: [TfidfVectorizer(token_pattern=r"\w+").fit(TEXTS)],
            "token_pattern: '\\\\w+' is not supported",
        ),
        (
            lambda: [TfidfVectorizer(preprocessor=str.lower).fit(TEXTS)],
            "preprocessor: functions of one's own",
        ),
        (lambda: [TfidfVectorizer(analyzer=str.split).fit(TEXTS)], "analyzer: <method 'split'"),
        (lambda: [TfidfVectorizer(strip_accents=str.lower).fit(TEXTS)], "strip_accents: <method 'lower'"),
        (
            lambda: [TfidfVectorizer(input="file").fit(map(io.StringIO, TEXTS))],
            "input: 'file' is not supported; give \"content\"",
        ),
        (
            lambda: [TfidfVectorizer(vocabulary={5: 0}, lowercase=False).fit(TEXTS)],
            "vocabulary: 5 is not supported",
        ),
    ],
)
def test_vectorizers_that_have_no_equal(made: Callable[[], list[Any]], says: str) -> None:
    for read in (read_sklearn, NgramTfidf.from_sklearn):
        with pytest.raises(UsageError) as caught:
            read(*made())
        assert str(caught.value).startswith(says)

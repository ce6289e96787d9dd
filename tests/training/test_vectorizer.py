"""The vectorizer is scikit-learn's: vocabulary, matrix and errors, for any text and any options."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfVectorizer,
)
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from classifier.errors import UsageError
from training.vectorizer import NgramTfidf

pytestmark = pytest.mark.filterwarnings(
    "ignore:Your stop_words may be inconsistent",
    "ignore:The parameter 'stop_words' will not be used",
    "ignore:Upper case characters found in vocabulary",
    "ignore:divide by zero:RuntimeWarning",
    "ignore:invalid value:RuntimeWarning",
)

HARD = "İıΣςσßẞﬁǅ'’-_.:1 \t\n\r\x1c\x85\xa0\u2028\u3000\u0307\u0345\xadaAbB日本\0각é¨½\ud800\udfff😀"
ANY = st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from(HARD)), max_size=30)
WORDS = st.sampled_from(
    ["the", "The", "of", "bank", "Bank", "vote", "élan", "e\u0301lan", "ΟΔΟΣ", "日本", "x", "a\0b"]
)
CORPORA = st.lists(st.one_of(ANY, st.lists(WORDS, max_size=8).map(" ".join)), min_size=1, max_size=8)
NGRAMS = st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda pair: (min(pair), max(pair)))
LIMITS = st.one_of(st.integers(1, 5), st.sampled_from([0.0, 0.2, 0.25, 1 / 3, 0.5, 0.7, 1.0]))
TERMS = st.lists(st.one_of(WORDS, ANY), unique=True, max_size=6)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "analyzer": st.sampled_from(["word", "char", "char_wb"]),
        "ngram_range": NGRAMS,
        "lowercase": st.booleans(),
        "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
        "stop_words": st.one_of(st.none(), st.just("english"), st.lists(WORDS, max_size=3)),
        "min_df": LIMITS,
        "max_df": LIMITS,
        "max_features": st.none() | st.integers(1, 12),
        "binary": st.booleans(),
        "norm": st.sampled_from(["l1", "l2", None]),
        "use_idf": st.booleans(),
        "smooth_idf": st.booleans(),
        "sublinear_tf": st.booleans(),
        "vocabulary": st.one_of(
            st.none(),
            TERMS,
            TERMS.map(set),
            TERMS.flatmap(st.permutations).map(lambda terms: {term: i for i, term in enumerate(terms)}),
        ),
        "dtype": st.sampled_from([np.float64, np.float32]),
    },
)


def fitted(
    make: Callable[..., Any], options: dict[str, Any], texts: list[str]
) -> tuple[Any, sp.csr_matrix] | None:
    """The vectorizer and the matrix, or None for an error that says why."""
    vectorizer = make(**options)
    try:
        return vectorizer, vectorizer.fit_transform(texts)
    except (ValueError, UsageError) as error:
        event(f"{type(error).__name__}: {str(error)[:30]}")
        return None


def breaks_ties(options: dict[str, Any], texts: list[str]) -> bool:
    """Whether `max_features` cuts through terms that are equally frequent."""
    most = options.get("max_features")
    if most is None or options.get("vocabulary") is not None:
        return False
    found = fitted(CountVectorizer, count_options({**options, "max_features": None}), texts)
    if found is None:
        return False
    totals = np.sort(np.asarray(found[1].sum(axis=0)).ravel())[::-1]
    return len(totals) > most and totals[most - 1] == totals[most]


def count_options(options: dict[str, Any]) -> dict[str, Any]:
    left_out = {"norm", "use_idf", "smooth_idf", "sublinear_tf", "dtype"}
    return {name: value for name, value in options.items() if name not in left_out}


def unseen(vectorizer: Any) -> bool:
    """Whether scikit-learn gave terms an infinite idf."""
    return vectorizer.use_idf and not np.isfinite(vectorizer.idf_).all()


def tolerance(matrix: sp.csr_matrix) -> dict[str, float]:
    if matrix.dtype == np.float32:
        return {"rtol": 1e-5, "atol": 1e-6}
    return {"rtol": 1e-12, "atol": 1e-12}


@given(CORPORA, st.just([]) | CORPORA, OPTIONS)
@example([], ["the"], {})
@example([], ["the"], {"vocabulary": ["the"]})
@example([""], ["the"], {})
@example(["the of"], [], {"stop_words": "english"})
@example(["a b", "c"], ["d"], {"analyzer": "char_wb", "ngram_range": (1, 1)})
@example(["bank", "vote"], ["bank"], {"min_df": 2})
@example(["bank", "vote"], ["bank"], {"min_df": 2, "max_df": 0.5})
@example(["bank vote"], ["bank"], {"vocabulary": ["bank", "storm"], "smooth_idf": False})
@settings(max_examples=300)
def test_vocabulary_matrix_and_errors_are_those_of_scikit_learn(
    texts: list[str], others: list[str], options: dict[str, Any]
) -> None:
    theirs, ours = fitted(TfidfVectorizer, options, texts), fitted(NgramTfidf, options, texts)
    if theirs is not None and unseen(theirs[0]):
        assert ours is None
        return
    assert (ours is None) == (theirs is None)
    if ours is None or theirs is None:
        return
    (mine, found), (known, wanted) = ours, theirs
    if breaks_ties(options, texts):
        assert found.shape == wanted.shape
        return
    assert mine.vocabulary_ == known.vocabulary_
    assert mine.get_feature_names_out().tolist() == known.get_feature_names_out().tolist()
    assert mine.fixed_vocabulary_ is known.fixed_vocabulary_
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    found.check_format()
    np.testing.assert_allclose(found.toarray(), wanted.toarray(), **tolerance(found))
    assert (mine.transform(texts) != found).nnz == 0
    if others:
        np.testing.assert_allclose(
            mine.transform(others).toarray(), known.transform(others).toarray(), **tolerance(found)
        )
    if mine.use_idf:
        np.testing.assert_allclose(mine.idf_, known.idf_, **tolerance(found))
        assert mine.idf_.dtype == known.idf_.dtype


@given(CORPORA, OPTIONS, st.integers(1, 12))
@settings(max_examples=60)
def test_of_equally_frequent_terms_the_first_in_order_are_kept(
    texts: list[str], options: dict[str, Any], most: int
) -> None:
    options = {**options, "vocabulary": None, "max_features": most}
    ours = fitted(NgramTfidf, options, texts)
    every = fitted(CountVectorizer, count_options({**options, "max_features": None}), texts)
    assume(ours is not None and every is not None)
    totals = np.asarray(every[1].sum(axis=0)).ravel()
    names = every[0].get_feature_names_out()
    kept = sorted(range(len(names)), key=lambda i: (-totals[i], i))[:most]
    assert ours[0].get_feature_names_out().tolist() == names[sorted(kept)].tolist()
    # scikit-learn keeps as many, with the same counts.
    theirs = fitted(CountVectorizer, count_options(options), texts)
    assert sorted(np.asarray(theirs[1].sum(axis=0)).ravel()) == sorted(totals[kept])


@given(CORPORA, OPTIONS)
@settings(max_examples=60)
def test_there_and_back(texts: list[str], options: dict[str, Any]) -> None:
    ours = fitted(NgramTfidf, options, texts)
    assume(ours is not None)
    mine, matrix = ours
    theirs = mine.to_sklearn()
    assert type(theirs) is TfidfVectorizer
    assert theirs.fixed_vocabulary_ is mine.fixed_vocabulary_
    np.testing.assert_allclose(theirs.transform(texts).toarray(), matrix.toarray(), **tolerance(matrix))
    back = NgramTfidf.from_sklearn(theirs)
    assert (back.transform(texts) != matrix).nnz == 0
    assert back.vocabulary_ == mine.vocabulary_ == theirs.vocabulary_
    same = set(mine.get_params()) - {"vocabulary", "stop_words"}
    for name in same:
        assert getattr(back, name) == getattr(mine, name), name
    assert back.fixed_vocabulary_ is mine.fixed_vocabulary_


TEXTS = ["The bank and the vote", "A vote of the Assembly", "", "bank, bank; ΟΔΟΣ"]


@pytest.mark.parametrize(
    "copied",
    [
        copy.deepcopy,
        lambda one: pickle.loads(pickle.dumps(one)),  # noqa: S301
        lambda one: through_joblib(one),
        lambda one: clone(one).fit(TEXTS),
    ],
)
@pytest.mark.parametrize("options", [{}, {"strip_accents": "ascii", "stop_words": ["the"], "use_idf": False}])
def test_copies_are_equal(copied: Callable[[Any], Any], options: dict[str, Any]) -> None:
    mine = NgramTfidf(ngram_range=(1, 2), **options)
    matrix = mine.fit_transform(TEXTS)
    assert mine.vocabulary_  # made, and not in the copy
    made = copied(mine)
    assert made is not mine
    assert made.get_params() == mine.get_params()
    assert made.vocabulary_ == mine.vocabulary_
    assert (made.transform(TEXTS) != matrix).nnz == 0


def through_joblib(one: Any) -> Any:
    file = io.BytesIO()
    joblib.dump(one, file)
    file.seek(0)
    return joblib.load(file)


def test_what_was_looked_up_is_not_kept_in_a_copy() -> None:
    mine = NgramTfidf().fit([" ".join(f"w{number}" for number in range(2000))])
    before = len(pickle.dumps(mine))
    assert len(mine.vocabulary_) == 2000
    assert len(pickle.dumps(mine)) == before


def test_refitting_forgets() -> None:
    mine = NgramTfidf().fit(["bank vote"])
    assert mine.vocabulary_ == {"bank": 0, "vote": 1}
    assert mine.fit(["storm"]).vocabulary_ == {"storm": 0}
    assert mine.set_params(vocabulary=["vote"]).fit(["storm"]).fixed_vocabulary_
    with pytest.raises(UsageError):
        mine.set_params(vocabulary=None).fit([""])
    assert mine.vocabulary_ == {"vote": 0}  # as it was


def test_it_is_an_estimator_like_others() -> None:
    texts = ["bank market bank", "vote senate", "market shares", "senate vote mayor"] * 5
    labels = ["Economy", "Politics"] * 10
    steps = [make_pipeline(made, RidgeClassifier()) for made in (NgramTfidf(), TfidfVectorizer())]
    ours, theirs = (cross_val_score(step, texts, labels, cv=4).tolist() for step in steps)
    assert ours == theirs
    params = {"ngramtfidf__ngram_range": (1, 2), "ngramtfidf__sublinear_tf": True}
    made = steps[0].set_params(**params).fit(texts, labels)
    assert made[:-1].get_feature_names_out().tolist()[:2] == ["bank", "bank market"]
    assert repr(NgramTfidf(min_df=2)) == "NgramTfidf(min_df=2)"
    with pytest.raises(NotFittedError):
        check_is_fitted(NgramTfidf())
    check_is_fitted(made[0])
    ours_params, theirs_params = NgramTfidf().get_params(), TfidfVectorizer().get_params()
    for name in ("input", "encoding", "decode_error"):  # of bytes and files, which are not read
        del theirs_params[name]
    assert ours_params == theirs_params
    with config_context(enable_metadata_routing=True):
        assert "raw_documents" not in str(NgramTfidf().get_metadata_routing())


def test_nothing_is_there_before_fitting() -> None:
    mine = NgramTfidf(vocabulary=["bank"])
    for name in ("vocabulary_", "idf_", "fixed_vocabulary_"):
        assert not hasattr(mine, name)
    uses = [mine.get_feature_names_out, mine.to_sklearn, lambda: mine.transform([""])]
    for use in [*uses, lambda: mine.inverse_transform([[1.0]])]:
        with pytest.raises(UsageError, match="the NgramTfidf is not fitted; fit it first"):
            use()
    assert hasattr(mine.fit(["bank"]), "idf_")
    assert not hasattr(NgramTfidf(use_idf=False).fit(["bank"]), "idf_")


ROWS = st.lists(st.lists(WORDS, max_size=4).map(" ".join), min_size=1, max_size=12)


@given(ROWS, st.lists(st.integers(0, 12), max_size=4))
@settings(max_examples=50)
def test_texts_in_anything(texts: list[str], cuts: list[int]) -> None:
    texts = [*texts, "bank"]
    mine = NgramTfidf(min_df=1, ngram_range=(1, 2), sublinear_tf=True)
    wanted = mine.fit_transform(texts)
    names = mine.get_feature_names_out().tolist()
    cuts = [0, *sorted(min(cut, len(texts)) for cut in cuts), len(texts)]
    parts = [texts[start:stop] for start, stop in pairwise(cuts)]
    nulls = [text or None for text in texts]
    columns: list[Callable[[], Any]] = [
        lambda: tuple(texts),
        lambda: iter(texts),
        lambda: np.array(texts, object),
        lambda: pa.array(nulls, pa.string()),
        lambda: pa.array(nulls, pa.large_string()),
        lambda: pa.array(nulls, pa.string()).dictionary_encode(),
        lambda: pa.array(["", None, *nulls, "x"])[2:-1],
        lambda: pa.chunked_array(parts, pa.string()),
    ]
    for column in columns:
        for found in (clone(mine).fit_transform(column()), mine.transform(column())):
            assert (found != wanted).nnz == 0
    streams: list[Callable[[], Any]] = [
        lambda: parts,
        lambda: (iter(part) for part in parts),
        lambda: (pa.array(part, pa.string()) for part in parts),
        lambda: pa.chunked_array(parts, pa.string()).chunks,
    ]
    for stream in streams:
        made = clone(mine).fit_batches(stream())
        assert made.get_feature_names_out().tolist() == names
        assert made.idf_.tolist() == mine.idf_.tolist()


def test_rows_without_terms() -> None:
    mine = NgramTfidf().fit(TEXTS)
    assert mine.transform([]).shape == (0, len(mine.vocabulary_))
    assert mine.transform(pa.array([], pa.string())).shape == (0, len(mine.vocabulary_))
    assert mine.transform(pa.chunked_array([], pa.string())).dtype == np.float64
    found = mine.transform(["", "!?…—", "\0", "\ud800", "unknown", "  \n "])
    assert (found.shape, found.nnz) == ((6, len(mine.vocabulary_)), 0)


@given(CORPORA, st.booleans())
@settings(max_examples=50)
def test_terms_of_rows(texts: list[str], dense: bool) -> None:
    mine, theirs = NgramTfidf(), TfidfVectorizer()
    matrix, wanted = mine.fit_transform([*texts, "bank"]), theirs.fit_transform([*texts, "bank"])
    found = mine.inverse_transform(matrix.toarray() if dense else matrix)
    assert [own.tolist() for own in found] == [sorted(own) for own in theirs.inverse_transform(wanted)]


def test_entries_that_are_0_are_no_terms() -> None:
    mine = NgramTfidf().fit(["aa bb cc"])
    matrix = sp.csr_matrix(
        (np.array([1.0, 0.0, 2.0, -2.0]), np.array([2, 1, 0, 0]), np.array([0, 2, 4])), (2, 3)
    )
    assert [own.tolist() for own in mine.inverse_transform(matrix)] == [["cc"], []]
    assert matrix.nnz == 4  # as it was
    with pytest.raises(UsageError, match="a matrix with 4 columns, where there are 3 terms"):
        mine.inverse_transform(np.ones((1, 4)))

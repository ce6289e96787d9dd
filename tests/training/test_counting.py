"""Counting in the kernel is counting in Python, however texts are divided; counts are weighed as scikit-learn does."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfTransformer

from classifier.errors import FieldError, UsageError
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock, Weighting
from classifier.text.strings import Texts
from classifier.text.vocabulary import Terms, Vocabulary
from training.counting import (
    TermCounter,
    batches_of,
    document_frequencies,
    inverse_frequency,
    stacked,
    text_batches,
    weigh,
)

WORDS = ["bank", "vote", "votes", "日本", "x" * 40, "aa", "ab", "b1"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), min_size=1, max_size=12)
SEEDS = st.integers(0, 2**64 - 1)


def count(
    texts: list[str], analyzer: Analyzer, cuts: list[int], **options: Any
) -> tuple[Terms, sp.csr_matrix]:
    with TermCounter(analyzer) as counter:
        for start, stop in pairwise([0, *sorted(cuts), len(texts)]):
            counter.add(Texts.of(texts[start:stop]))
        return counter.finish(**options)


def in_python(texts: list[str]) -> list[Counter[str]]:
    return [Counter(word for word in text.split() if len(word) > 1) for text in texts]


@given(TEXTS, st.data(), SEEDS)
def test_counts_are_those_of_python(texts: list[str], data: st.DataObject, seed: int) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(texts)), max_size=4))
    terms, table = count(texts, Analyzer(seed=seed), cuts)
    wanted = in_python(texts)
    assert list(terms) == sorted(set().union(*wanted))
    assert (table.dtype, table.indices.dtype, table.indptr.dtype) == (np.int32, np.int32, np.int32)
    assert table.has_sorted_indices
    table.check_format()
    assert table.toarray().tolist() == [[own[term] for term in terms] for own in wanted]


@given(
    TEXTS,
    st.integers(0, 5),
    st.integers(0, 8),
    st.none() | st.integers(1, 9),
    st.booleans(),
    st.booleans(),
)
@example(["bank bank bank vote", "vote aa aa", "ab"], 1, 8, 2, True, False)
def test_terms_are_pruned_by_texts_and_then_by_occurrences(
    texts: list[str], low: int, high: int, most: int | None, binary: bool, by_frequency: bool
) -> None:
    terms, table = count(
        texts,
        Analyzer(),
        [],
        min_df=low,
        max_df=high,
        max_features=most,
        binary=binary,
        by_frequency=by_frequency,
    )
    counts = in_python(texts)
    frequency = Counter(term for own in counts for term in own)
    occurrences = frequency if binary else sum(counts, Counter())
    kept = sorted(term for term, number in frequency.items() if low <= number <= high)
    kept = sorted(sorted(kept, key=lambda term: -occurrences[term])[:most])
    if by_frequency:
        kept.sort(key=lambda term: -frequency[term])
    assert list(terms) == kept
    assert table.toarray().tolist() == [[own[term] for term in kept] for own in counts]


@given(
    st.lists(
        st.text(st.sampled_from("ab\0\ud800\udfffé日😀"), min_size=1, max_size=12), min_size=1, max_size=60
    )
)
def test_terms_are_in_the_order_of_their_code_points(texts: list[str]) -> None:
    terms, _ = count(texts, Analyzer("char", (1, 12)), [])
    assert list(terms) == sorted(terms)


def test_many_terms_in_order() -> None:
    random = np.random.default_rng(0)
    numbers = random.permutation(40_000)
    texts = [" ".join(f"same{number:06}" for number in part) for part in np.array_split(numbers, 300)]
    terms, table = count(texts, Analyzer(seed=3), [100, 101])
    assert list(terms) == [f"same{number:06}" for number in range(40_000)]
    assert table.indices[table.indptr[7] : table.indptr[8]].tolist() == sorted(
        np.array_split(numbers, 300)[7]
    )
    assert (table.data == 1).all()


@pytest.mark.parametrize(
    ("kind", "ngrams"), [("word", (1, 1)), ("char_wb", (1, 1)), ("char_wb", (1, 2)), ("char", (1, 3))]
)
def test_texts_that_grow(kind: Any, ngrams: tuple[int, int]) -> None:
    # Every word as short as can be: nowhere are there more n-grams for the length of a text.
    lengths = range(1, 1200, 7)
    texts = [" ".join("abcdefghij"[i % 10] for i in range(length)) for length in lengths]
    terms, table = count(texts, Analyzer(kind, ngrams), [])
    if ngrams == (1, 1) and kind == "char_wb":
        assert table[:, list(terms).index(" ")].toarray().ravel().tolist() == [
            2 * length for length in lengths
        ]
    sizes = {
        ("word", (1, 1)): lambda length: 0,
        ("char_wb", (1, 1)): lambda length: 3 * length,
        ("char_wb", (1, 2)): lambda length: 5 * length,
        ("char", (1, 3)): lambda length: max(6 * length - 6, 1),
    }
    assert table.sum(axis=1).ravel().tolist() == [[sizes[kind, ngrams](length) for length in lengths]]


def test_a_term_more_often_than_logarithms_are_kept() -> None:
    texts = ["aa " * number for number in (1, 2, 255, 256, 257, 5000)]
    _, table = count(texts, Analyzer(), [])
    assert table.toarray().ravel().tolist() == [1, 2, 255, 256, 257, 5000]
    tf = weigh(table, np.ones(1), Weighting(sublinear_tf=True, norm=None)).toarray().ravel()
    np.testing.assert_allclose(tf, 1 + np.log([1, 2, 255, 256, 257, 5000]), rtol=1e-15)


WEIGHTINGS = st.builds(Weighting, st.booleans(), st.booleans(), st.sampled_from([None, "l1", "l2"]))


@given(TEXTS, WEIGHTINGS, st.booleans(), st.sampled_from([1.0, 0.5, 3.0]))
def test_weights_are_those_of_scikit_learn(
    texts: list[str], weighting: Weighting, smooth: bool, weight: float
) -> None:
    terms, counts = count(texts, Analyzer(), [])
    if not len(terms):
        return
    seen = (counts > 0).astype(np.float64) if weighting.binary else counts.astype(np.float64)
    theirs = TfidfTransformer(norm=weighting.norm, smooth_idf=smooth, sublinear_tf=weighting.sublinear_tf)
    wanted = theirs.fit_transform(seen)
    idf = inverse_frequency(np.bincount(counts.indices, minlength=len(terms)), len(texts), smooth=smooth)
    assert idf.tolist() == theirs.idf_.tolist()
    found = weigh(counts, idf, weighting, weight)
    np.testing.assert_allclose(found.toarray(), weight * wanted.toarray(), rtol=0, atol=1e-12)
    block = TextBlock("body", Vocabulary.of(Analyzer(), terms), weighting, weight, idf)
    again = stacked([block.transform_texts(Texts.of(texts))], len(terms))
    assert again.data.tobytes() == found.data.tobytes()  # to the bit
    assert again.indices.tolist() == found.indices.tolist()


def test_terms_without_idf_are_left_out() -> None:
    _, counts = count(["aa bb", "bb cc"], Analyzer(), [])
    strided = np.array([1.0, 9.0, 0.0, 9.0, 2.0, 9.0])[::2]
    found = weigh(counts, strided, Weighting(norm=None))
    assert found.toarray().tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]]
    assert found.nnz == 2
    assert inverse_frequency(np.array([0, 2]), 2).tolist() == [0.0, 1.0]


def test_no_texts() -> None:
    for cuts in ([], [0, 0]):
        terms, table = count([], Analyzer(), cuts)
        assert (len(terms), table.shape) == (0, (0, 0))
    assert weigh(table, np.empty(0), Weighting()).shape == (0, 0)


def test_a_counter_counts_once() -> None:
    counter = TermCounter(Analyzer())
    counter.add(Texts.of(["aa", "bb aa"]))
    assert counter.sizes[:3] == [2, 2, 3]
    counter.finish()
    for use in (counter.finish, lambda: counter.add(Texts.of(["aa"]))):
        with pytest.raises(UsageError, match="is closed, or has finished; count anew with another one"):
            use()
    counter.close()
    counter.close()
    with pytest.raises(UsageError, match="the counter is closed; count anew"):
        _ = counter.sizes


def test_a_counter_that_failed_is_closed() -> None:
    counter = TermCounter(Analyzer())
    with pytest.raises(FieldError, match="text 8 holds bytes that are no UTF-8"):
        counter.add(Texts.of(pa.array([b"aa", b"\xff"], pa.binary()).view(pa.string()), first=7))
    with pytest.raises(UsageError, match="is closed"):
        counter.add(Texts.of(["aa"]))


def strings(batches: Any) -> list[int]:
    return [len(texts) for texts in batches]


def test_texts_come_in_batches() -> None:
    million = "a" * 2**20
    assert strings(text_batches([million] * 9)) == [4, 4, 1]
    assert strings(text_batches("" for _ in range(2**16 + 1))) == [2**16, 1]
    assert strings(text_batches([])) == []
    assert strings(text_batches(pa.chunked_array([["a", "b"], [], ["c"]]))) == [2, 0, 1]
    assert strings(text_batches(pa.chunked_array([], pa.string()))) == [0]
    assert strings(batches_of([["a", "b"], pa.array(["c"]), (x for x in "de")])) == [2, 1, 2]


def test_errors_number_the_texts_of_all_batches() -> None:
    good = ["a" * 2**22, "b"]
    for texts in ([*good, 3], iter([*good, 3])):
        with pytest.raises(UsageError, match="text 2 is a int"):
            list(text_batches(texts))
    with pytest.raises(UsageError, match="text 4 is a float"):
        list(batches_of([good, pa.array(["c"]), ["d", 0.5]]))
    bad = pa.array([b"a", b"\xff"], pa.binary()).view(pa.string())
    parts = [pa.chunked_array([["a"], ["b", "c"]]), pa.chunked_array([["d"], bad])]
    with TermCounter(Analyzer()) as counter:
        *fine, last = batches_of(parts)
        for batch in fine:
            counter.add(batch)
        with pytest.raises(FieldError, match="text 5 holds"):
            counter.add(last)
    with pytest.raises(UsageError, match="one text was given"):
        list(batches_of(["a", "b"]))
    with pytest.raises(UsageError, match="a column of int64 holds no texts"):
        list(text_batches(pa.array([], pa.int64())))


@pytest.mark.parametrize("chosen", [0.0, 0.5, 1.0, None])
def test_in_how_many_texts_a_term_is(chosen: float | None) -> None:
    generator = np.random.default_rng(0)
    counts = sp.csr_matrix(sp.random_array((50, 30), density=0.2, format="csr", rng=generator))
    mask = None if chosen is None else generator.random(50) < chosen
    among = counts.toarray() if mask is None else counts.toarray()[mask]
    assert document_frequencies(counts, mask).tolist() == (among > 0).sum(axis=0).tolist()

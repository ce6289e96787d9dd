"""N-grams are scikit-learn's, and so is how often they stand there; every span points at the text that one was made of."""

from __future__ import annotations

import copy
import pickle
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.text.analyzer import ANALYZERS, Analyzer, AnalyzerName, FieldLayout
from classifier.text.blocks import TextBlock
from classifier.text.rows import Rows
from classifier.text.strings import Texts
from training.counting import TermCounter

KINDS = st.sampled_from(ANALYZERS)
NGRAMS = st.tuples(st.integers(1, 6), st.integers(1, 6)).map(lambda pair: (min(pair), max(pair)))
STRIPS = st.sampled_from([None, "ascii", "unicode"])
SEEDS = st.integers(0, 2**64 - 1)
# Any character, and more often those that are hard: they lengthen, depend on their neighbours, separate, combine.
HARD = "İıΣςσßẞﬁǅ'’-_.:1 \t\n\r\x1c\x85\xa0\u2028\u3000\u0307\u0345\xadaAbB日本\0각é¨½\ud800\udfff😀"
TEXTS = st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from(HARD)), max_size=60)


def counted(analyzer: Analyzer, text: str) -> Counter[str]:
    with TermCounter(analyzer) as counter:
        counter.add(Texts.of([text]))
        terms, table = counter.finish()
    return Counter(dict(zip(terms, table.toarray()[0].tolist(), strict=True)))


def theirs(analyzer: Analyzer) -> Callable[[str], list[str]]:
    made: Callable[[str], list[str]] = TfidfVectorizer(
        analyzer=analyzer.kind,
        ngram_range=analyzer.ngrams,
        lowercase=analyzer.lowercase,
        strip_accents=analyzer.strip_accents,
        stop_words=list(analyzer.stop_words) if analyzer.kind == "word" else None,
    ).build_analyzer()
    return made


@given(TEXTS, KINDS, NGRAMS, st.booleans(), STRIPS, SEEDS)
@example("İstanbul aİbc ΟΔΟΣ", "word", (1, 2), True, None, 0)
@example("a\n\n b", "char", (1, 3), True, None, 0)
@example("ab c", "char_wb", (2, 5), True, None, 0)
@example("aΣb ΣΑΣ", "word", (1, 1), True, "ascii", 0)
@example("ΑΣ\u0301 x", "char", (1, 2), True, "unicode", 0)
@example("a¨b c", "char_wb", (1, 3), False, "unicode", 0)
def test_ngrams_are_those_of_scikit_learn(
    text: str, kind: AnalyzerName, ngrams: tuple[int, int], lowercase: bool, strip: Any, seed: int
) -> None:
    analyzer = Analyzer(kind, ngrams, lowercase, strip, seed=seed)
    assert counted(analyzer, text) == Counter(theirs(analyzer)(text))


@pytest.mark.parametrize("kind", ANALYZERS)
@pytest.mark.parametrize("strip", [None, "ascii", "unicode"])
@pytest.mark.parametrize(
    "text", ["ﷺ" * 400, "a" * 900 + "ﷺ" * 300 + "\u3000" + "b" * 900, "İ" * 900 + "Σ" * 90]
)
def test_texts_that_become_longer(kind: AnalyzerName, strip: Any, text: str) -> None:
    analyzer = Analyzer(kind, (1, 2), strip_accents=strip)
    for own in (text, text * 2, text[:100]):
        assert counted(analyzer, own) == Counter(theirs(analyzer)(own))


WORDS = st.lists(st.sampled_from(["the", "of", "The", "bank", "bank's", "x", "of of"]), max_size=8)


@given(WORDS.map(" ".join), WORDS, NGRAMS, SEEDS)
@pytest.mark.filterwarnings("ignore:Your stop_words may be inconsistent")
def test_stop_words_are_left_out_before_words_are_joined(
    text: str, stop: list[str], ngrams: tuple[int, int], seed: int
) -> None:
    analyzer = Analyzer("word", ngrams, stop_words=(*stop, ""), seed=seed)
    assert counted(analyzer, text) == Counter(theirs(analyzer)(text))


@pytest.mark.parametrize("kind", ["char", "char_wb"])
def test_stop_words_are_of_words_alone(kind: AnalyzerName) -> None:
    analyzer = Analyzer(kind, (2, 2), stop_words=("th", "the"))
    assert counted(analyzer, "the the") == Counter(theirs(analyzer)("the the"))


@pytest.mark.parametrize("length", [7, 8, 9, 15, 16, 17, 24, 25, 32, 33])
def test_ngrams_that_differ_in_a_nul_alone(length: int) -> None:
    # Bytes behind an n-gram are read as 0: only its length tells them apart.
    grams = [f"{'x' * (length - 1)}{chr(ord('@') + i)}" for i in range(16)]
    analyzer = Analyzer("char", (length, length + 1), seed=length)
    text = "".join(gram + "\0" * (i % 2 + 1) for i, gram in enumerate(grams))
    assert counted(analyzer, text) == Counter(theirs(analyzer)(text))


def test_a_copy_cuts_alike() -> None:
    analyzer = Analyzer("word", (1, 2), False, "unicode", ("the",), 7)
    for made in (pickle.loads(pickle.dumps(analyzer)), copy.deepcopy(analyzer)):  # noqa: S301
        assert made == analyzer
        assert made.characters is not analyzer.characters
        assert counted(made, "the Élan, the élan") == {"Elan": 1, "elan": 1, "Elan elan": 1}


def spans(text: str, analyzer: Analyzer) -> list[tuple[str, tuple[int, int]]]:
    """Every n-gram that stands somewhere in the text with where that is."""
    terms = sorted(counted(analyzer, text))
    block = TextBlock.of("body", analyzer, terms, np.ones(len(terms)))
    places = block.feature_spans(Rows({"body": [text]}, 1), 0)
    return [(terms[feature], (start, end)) for feature, own in places.items() for _, start, end in own]


@given(TEXTS, KINDS, NGRAMS, st.booleans(), STRIPS)
@example("İstanbul aİbc ΟΔΟΣ", "word", (1, 2), True, None)
@example("x İ  y", "char", (1, 4), True, None)
@example("aİ ΣΣ", "char_wb", (1, 3), True, None)
def test_every_span_yields_its_ngram(
    text: str, kind: AnalyzerName, ngrams: tuple[int, int], lowercase: bool, strip: Any
) -> None:
    analyzer = Analyzer(kind, ngrams, lowercase, strip)
    prepared = TfidfVectorizer(lowercase=lowercase, strip_accents=strip).build_preprocessor()
    found = spans(text, analyzer)
    wanted = counted(analyzer, text)
    nowhere = {gram for gram in wanted if kind == "char_wb" and not gram.strip(" ")}  # between words
    assert Counter(gram for gram, _ in found) == {
        gram: count for gram, count in wanted.items() if gram not in nowhere
    }
    for gram, (start, end) in found:
        assert 0 <= start < end <= len(text)
        piece = folded(prepared(text[start:end]))
        if kind == "word":
            assert " ".join(re.findall(r"\b\w\w+\b", piece)) == folded(gram)
            continue
        # A character that becomes several is one place for several n-grams.
        assert folded(gram.strip(" ") if kind == "char_wb" else gram) in piece


def folded(text: str) -> str:
    """One space for white space, one small sigma: which one is written depends on the neighbours."""
    return re.sub(r"\s+", " ", text).replace("ς", "σ")


@pytest.mark.parametrize(
    ("text", "feature", "span"),
    [
        ("The Assembly votes", "assembly votes", (4, 18)),
        ("İİ abc", "abc", (3, 6)),
        ("İABC", "abc", (1, 4)),
        ("ﬁnance", "ﬁnance", (0, 6)),
        ("ΟΔΟΣ", "οδος", (0, 4)),
        ("ΟΔΟΣ'Α", "οδοσ", (0, 4)),
    ],
)
def test_places_of_words(text: str, feature: str, span: tuple[int, int]) -> None:
    assert (feature, span) in spans(text, Analyzer("word", (1, 2)))


def test_a_run_of_white_space_is_one_character() -> None:
    assert ("a b", (0, 5)) in spans("a \n b", Analyzer("char", (3, 3)))


def test_padding_stands_nowhere() -> None:
    found = dict(spans("x ab", Analyzer("char_wb", (1, 2))))
    assert found[" a"] == (2, 3)
    assert found["b "] == (3, 4)
    assert " " not in found


@given(st.lists(TEXTS, max_size=4), st.data())
@settings(max_examples=50)
def test_field_spans_cover_the_join_without_its_line_breaks(texts: list[str], data: st.DataObject) -> None:
    parts = [(f"field{i}", text) for i, text in enumerate(texts)]
    joined = "\n".join(text for text in texts if text)
    start = data.draw(st.integers(0, len(joined)))
    end = data.draw(st.integers(start, len(joined)))
    places = [(name, i) for name, text in parts if text for i in (*range(len(text)), -1)]
    wanted = [place for place in places[start:end] if place[1] >= 0]
    found = [(name, i) for name, low, high in FieldLayout(parts).spans(start, end) for i in range(low, high)]
    assert found == wanted
    assert all(low < high for _, low, high in FieldLayout(parts).spans(start, end))

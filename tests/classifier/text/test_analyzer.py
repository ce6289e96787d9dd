"""Features are scikit-learn's; every span points at the text that the feature was made of."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.text.analyzer import ANALYZERS, Analyzer, AnalyzerName, field_spans

KINDS = st.sampled_from(ANALYZERS)
NGRAMS = st.tuples(st.integers(1, 6), st.integers(1, 6)).map(lambda pair: (min(pair), max(pair)))
# Any character, and more often those that are hard: they lengthen, depend on their neighbours, separate, combine.
HARD = "İıΣςσßẞﬁǅ'’-_.:1 \t\n\r\x1c\x85\xa0\u2028\u3000\u0307\u0345\xadaAbB日本"
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(HARD)), max_size=60)


@given(TEXTS, KINDS, NGRAMS)
@example("İstanbul aİbc ΟΔΟΣ", "word", (1, 2))
@example("a\n\n b", "char", (1, 3))
@example("ab c", "char_wb", (2, 5))
def test_features_are_those_of_scikit_learn(text: str, kind: AnalyzerName, ngrams: tuple[int, int]) -> None:
    theirs = TfidfVectorizer(analyzer=kind, ngram_range=ngrams).build_analyzer()
    assert Analyzer(kind, ngrams).features(text) == theirs(text)


@given(TEXTS, KINDS, NGRAMS)
@example("İstanbul aİbc ΟΔΟΣ", "word", (1, 2))
@example("x İ  y", "char", (1, 4))
@example("aİ ΣΣ", "char_wb", (1, 3))
def test_every_span_yields_its_feature(text: str, kind: AnalyzerName, ngrams: tuple[int, int]) -> None:
    analyzer = Analyzer(kind, ngrams)
    found = list(analyzer.spans(text))
    assert [feature for feature, _ in found] == analyzer.features(text)
    for feature, (start, end) in found:
        assert 0 <= start <= end <= len(text)
        piece = folded(text[start:end])
        if kind == "word":
            assert " ".join(re.findall(r"\b\w\w+\b", piece)) == folded(feature)
            continue
        wanted = folded(feature.strip(" ") if kind == "char_wb" else feature)
        # A character that lower() lengthens is one place for several features.
        assert wanted in piece
        assert wanted == piece or "İ" in text[start:end]


def folded(text: str) -> str:
    """Lower case, one space for white space, one small sigma: which one is written depends on the neighbours."""
    return re.sub(r"\s+", " ", text.lower()).replace("ς", "σ")


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
    assert (feature, span) in list(Analyzer("word", (1, 2)).spans(text))


def test_a_run_of_white_space_is_one_character() -> None:
    assert ("a b", (0, 5)) in list(Analyzer("char", (3, 3)).spans("a \n b"))


def test_padding_stands_nowhere() -> None:
    spans = dict(Analyzer("char_wb", (1, 2)).spans("x ab"))
    assert spans[" a"] == (2, 3)
    assert spans["b "] == (3, 4)
    assert spans[" "][0] == spans[" "][1]


@given(st.lists(TEXTS, max_size=4), st.data())
def test_field_spans_cover_the_join_without_its_line_breaks(texts: list[str], data: st.DataObject) -> None:
    parts = [(f"field{i}", text) for i, text in enumerate(texts)]
    joined = "\n".join(text for text in texts if text)
    start = data.draw(st.integers(0, len(joined)))
    end = data.draw(st.integers(start, len(joined)))
    places = [(name, i) for name, text in parts if text for i in (*range(len(text)), -1)]
    wanted = [place for place in places[start:end] if place[1] >= 0]
    found = [(name, i) for name, low, high in field_spans(parts, start, end) for i in range(low, high)]
    assert found == wanted
    assert all(low < high for _, low, high in field_spans(parts, start, end))

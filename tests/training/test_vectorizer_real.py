"""The vectorizer on real articles (NEWSDESK_DATA) and on articles that are longer than any."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.articles import TEXT_FIELDS
from training.vectorizer import NgramTfidf

LONG, SAME = 50_000_000, 5_000_000


def long_article(*pieces: str) -> str:
    """Pieces in turn, with numbers between, so that many words are new."""
    rounds = LONG // (sum(map(len, pieces)) + 8)
    return "".join([f"{piece}{number} " for number in range(rounds) for piece in pieces])[:LONG]


@pytest.mark.slow
def test_an_article_of_50_mb() -> None:
    text = long_article("The Assembly votes on item ", "İzmir ΟΔΟΣ, ")
    words = Counter(re.findall(r"\b\w\w+\b", text.lower()))
    mine = NgramTfidf(norm=None, use_idf=False)
    found = mine.fit_transform(["", text, "the"])
    assert mine.get_feature_names_out().tolist() == sorted(words)
    assert found[1].toarray().ravel().tolist() == [words[term] for term in sorted(words)]
    assert (mine.transform([text]) != found[1]).nnz == 0
    pairs = NgramTfidf(ngram_range=(2, 2), norm=None, use_idf=False).fit_transform([text])
    assert pairs.sum() == words.total() - 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a" * SAME,
        "\0" * SAME,
        "Σ" * (SAME // 2),
        ("Σ" + "'" * 99) * (SAME // 100),
        "İ" * (SAME // 2),
        "a " * (SAME // 2),
        " " * SAME,
        "\u0301" * (SAME // 2),
    ],
    ids=["one word", "NUL", "sigma", "looked through", "lengthening", "short words", "white space", "marks"],
)
def test_megabytes_of_the_same(text: str) -> None:
    lowered = text.lower()
    for analyzer, wanted in (
        ("word", re.findall(r"\b\w\w+\b", lowered)),
        ("char", re.sub(r"\s\s+", " ", lowered)),
    ):
        counts = Counter(wanted)
        mine = NgramTfidf(analyzer=analyzer, norm=None, use_idf=False, vocabulary=["?", *counts])
        assert mine.fit_transform([text]).toarray()[0].tolist() == [0, *counts.values()]


@pytest.mark.slow
def test_a_million_different_words_in_an_article() -> None:
    words = [f"w{number:x}" for number in range(1_000_000)]
    text = " ".join(words)
    mine = NgramTfidf()
    found = mine.fit_transform([text])
    assert mine.get_feature_names_out().tolist() == sorted(words)
    np.testing.assert_allclose(found.data, 1e-3, rtol=1e-12)
    assert (mine.transform([text]) != found).nnz == 0


FILES = [
    "bbc",
    "reuters90",
    "headlines_in",
    "outlets_reactions",
    "outlets_ranking_boxes",
    "naver_most_viewed",
    "nyt_popular",
]


def real_texts(path: Path, most: int) -> list[str]:
    """Headline, summary and body of some articles, evenly from all of a file, some `most` characters."""
    table = pq.read_table(path)
    columns = [table[name].to_pylist() for name in TEXT_FIELDS if name in table.column_names]
    texts = ["\n".join(part for part in parts if part) for parts in zip(*columns, strict=True)]
    return texts[:: -(-sum(map(len, texts)) // most)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"ngram_range": (1, 2), "min_df": 2, "sublinear_tf": True},
        {"analyzer": "char_wb", "ngram_range": (2, 4)},
    ],
    ids=["words", "parts of words"],
)
@pytest.mark.parametrize("name", FILES)
def test_real_articles(real_data: Path, name: str, options: dict[str, Any]) -> None:
    texts = real_texts(real_data / f"{name}.parquet", 1_500_000 if "analyzer" in options else 4_000_000)
    assert len(texts) > 200
    mine, theirs = NgramTfidf(**options), TfidfVectorizer(**options)
    found, wanted = mine.fit_transform(pa.array(texts)), theirs.fit_transform(texts)
    assert mine.vocabulary_ == theirs.vocabulary_
    wanted.sort_indices()
    assert (found.indptr == wanted.indptr).all()
    assert (found.indices == wanted.indices).all()
    np.testing.assert_allclose(found.data, wanted.data, rtol=0, atol=1e-12)
    assert (mine.transform(texts) != found).nnz == 0


@pytest.mark.slow
def test_every_file_of_real_articles_is_compared(real_data: Path) -> None:
    assert sorted(path.stem for path in real_data.glob("*.parquet")) == sorted(FILES)

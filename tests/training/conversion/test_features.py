"""The steps before the classifier: vectorizers with any option, side by side, by column, selected and scaled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import (
    GenericUnivariateSelect,
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
    chi2,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import MaxAbsScaler, Normalizer, OneHotEncoder
from sklearn.svm import LinearSVC

from classifier.articles import Article
from classifier.text.rows import Rows
from training.conversion.features import Reader
from training.conversion.heads import compile_estimator
from training.conversion.place import Place
from training.conversion.sources import Columns
from training.vectorizer import NgramTfidf

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

WORDS = st.sampled_from(
    ["a", "The", "vote", "VOTES", "Żółw", "naïve", "ΣΑΣ", "東京都", "it's", "x2", "  ", "\n"]
)
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join), min_size=8, max_size=8)


def near(pipeline: Any, head: Any, given_texts: Any, rows: Any) -> None:
    decided = pipeline.decision_function(given_texts)
    decided = np.stack([-decided, decided], axis=1) if decided.ndim == 1 else decided
    assert np.abs(head.linear.scores(rows) - decided).max() <= 1e-5 * max(np.abs(decided).max(), 1e-3)


@st.composite
def vectorizers(draw: st.DrawFn) -> Any:
    low = draw(st.integers(1, 2))
    shared = {
        "analyzer": draw(st.sampled_from(["word", "char", "char_wb"])),
        "ngram_range": (low, low + draw(st.integers(0, 2))),
        "lowercase": draw(st.booleans()),
        "strip_accents": draw(st.sampled_from([None, "ascii", "unicode"])),
        "stop_words": draw(st.sampled_from([None, "english", ["vote"]])),
        "binary": draw(st.booleans()),
        "max_features": draw(st.sampled_from([None, 5])),
    }
    weights = {
        "norm": draw(st.sampled_from(["l1", "l2", None])),
        "use_idf": draw(st.booleans()),
        "smooth_idf": draw(st.booleans()),
        "sublinear_tf": draw(st.booleans()),
    }
    kind = draw(st.sampled_from(["tfidf", "counts", "both", "float32"]))
    if kind == "counts":
        return CountVectorizer(**shared)
    if kind == "both":
        return make_pipeline(CountVectorizer(**shared), TfidfTransformer(**weights))
    return TfidfVectorizer(**shared, **weights, dtype=np.float32 if kind == "float32" else np.float64)


@given(TEXTS, TEXTS, vectorizers())
def test_any_option_of_any_vectorizer(train: list[str], test: list[str], vectorizer: Any) -> None:
    pipeline = make_pipeline(vectorizer, LogisticRegression(C=10.0, max_iter=20))
    pipeline.fit([*train, "the vote of the 東京都 naïve people"], [0, 1, 2] * 3)
    head = compile_estimator(pipeline, Reader(Columns({}), 3), Place("a.joblib")).head
    near(pipeline, head, test, Rows.from_articles([Article(body=text) for text in test]))


STEPS = {
    "union": make_union(TfidfVectorizer(), CountVectorizer(analyzer="char", ngram_range=(2, 3))),
    "weighted union": FeatureUnion(
        [("a", TfidfVectorizer()), ("none", "drop"), ("b", TfidfVectorizer(analyzer="char_wb"))],
        transformer_weights={"a": 0.25, "b": -3.0},
    ),
    "union of pipelines": make_union(
        make_pipeline(CountVectorizer(), TfidfTransformer(sublinear_tf=True)),
        make_union(CountVectorizer(binary=True), TfidfVectorizer(use_idf=False)),
    ),
    "scaled": make_pipeline(CountVectorizer(), MaxAbsScaler()),
    "normalised": make_pipeline(CountVectorizer(), Normalizer("l1")),
    "normalised again": make_pipeline(TfidfVectorizer(norm="l1"), Normalizer()),
    "selected": make_pipeline(TfidfVectorizer(), SelectKBest(chi2, k=20)),
    "selected of counts": make_pipeline(CountVectorizer(), SelectKBest(chi2, k=20), TfidfTransformer()),
    "selected by a model": make_pipeline(TfidfVectorizer(), SelectFromModel(LinearSVC())),
    "selected and scaled": make_pipeline(
        TfidfVectorizer(), VarianceThreshold(1e-3), MaxAbsScaler(), SelectPercentile(chi2), "passthrough"
    ),
    "selected of a union": make_pipeline(
        make_union(TfidfVectorizer(), CountVectorizer(ngram_range=(2, 2))), GenericUnivariateSelect(chi2)
    ),
    "scaled in a union": FeatureUnion(
        [("a", make_pipeline(TfidfVectorizer(), MaxAbsScaler())), ("b", CountVectorizer())],
        transformer_weights={"a": 2},
    ),
    "ours": NgramTfidf(ngram_range=(1, 2), sublinear_tf=True),
    "ours in a union": make_union(NgramTfidf(use_idf=False), TfidfVectorizer()),
    "given terms": CountVectorizer(
        vocabulary=["word3", "WORD4", "word1 word2", "x", "word1"], ngram_range=(1, 2)
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_steps(texts: Any, compiled: Callable[..., Any], rows_of: Any, name: str) -> None:
    pipeline = make_pipeline(STEPS[name], LogisticRegression()).fit(texts.train, texts.sections)
    near(pipeline, compiled(pipeline).head, texts.test, rows_of(texts.test))


def test_terms_of_many_texts_come_first(texts: Any, compiled: Callable[..., Any]) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    (block,) = compiled(pipeline).head.linear.blocks
    assert (np.diff(block.idf) >= 0).all()
    assert sorted(block.terms) == sorted(pipeline[0].vocabulary_)
    assert block.analyzer.seed == 5


def test_a_single_text_is_the_joined_article_or_a_named_column(
    texts: Any, compiled: Callable[..., Any]
) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    article = Article(headline="word1 word2", body="word3 word5")
    for column, text in (("text", "word1 word2\nword3 word5"), ("headline", "word1 word2"), ("summary", "")):
        head = compiled(pipeline, None, column).head
        assert [block.column for block in head.linear.blocks] == [column]
        near(pipeline, head, [text], Rows.from_articles([article]))


# Columns

NAMES = ["headline", "body", "desk", "source", "views"]


def table(texts: list[str], seed: int = 0) -> Any:
    """(n, 5) headline, body, desk, source, a number."""
    random = np.random.default_rng(seed)
    found = np.empty((len(texts), 5), dtype=object)
    for row, text in enumerate(texts):
        words = text.split()
        found[row] = [" ".join(words[:3]), " ".join(words[3:]), "", "", int(random.integers(9))]
    found[:, 2] = random.choice(["city", "world", "arts"], len(texts))
    found[:, 3] = random.choice(["Gazette", "Herald"], len(texts))
    return found


def rows_of_table(found: Any) -> Rows:
    return Rows.from_articles(
        [
            Article(headline=row[0], body=row[1], source=row[3], extra={"desk": row[2], "views": row[4]})
            for row in found.tolist()
        ]
    )


def by_number(**options: Any) -> Any:
    return ColumnTransformer(
        [
            ("head", TfidfVectorizer(), 0),
            ("chars", make_pipeline(CountVectorizer(analyzer="char"), TfidfTransformer()), 1),
            ("unused", "drop", [4]),
            ("nothing", OneHotEncoder(), []),
            ("body", FeatureUnion([("a", CountVectorizer()), ("b", TfidfVectorizer())]), 1),
            ("categories", OneHotEncoder(handle_unknown="ignore"), [2, 3]),
        ],
        **options,
    )


def named(transformer: Any) -> Any:
    """As a ColumnTransformer is after being fitted on a table with names."""
    transformer.feature_names_in_ = np.array(NAMES, dtype=object)
    transformer.transformers_ = [
        (name, part, NAMES[given] if isinstance(given, int) else [NAMES[one] for one in given])
        for name, part, given in transformer.transformers_
    ]
    return transformer


OURS = {str(number): name for number, name in enumerate(NAMES) if name != "views"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sparse_threshold": 1.0},
        {"sparse_threshold": 0.0},
        {"transformer_weights": {"head": 3.0, "categories": 0.5, "unused": 9.0}},
    ],
    ids=["plain", "sparse", "dense", "weights"],
)
def test_columns(texts: Any, compiled: Callable[..., Any], options: Any) -> None:
    train, test = table(texts.train), table(texts.test, 1)
    pipeline = make_pipeline(by_number(**options), LogisticRegression()).fit(train, texts.sections)
    decided = pipeline.decision_function(test)
    head = compiled(pipeline, OURS).head
    names = [block.column for block in head.linear.blocks]
    assert names == ["headline", "body", "body", "body", "desk", "source"]
    scores = head.linear.scores(rows_of_table(test))
    assert np.abs(scores - decided).max() <= 1e-5 * np.abs(decided).max()
    # By name it is the same.
    named(pipeline.steps[0][1])
    again = compiled(pipeline).head
    assert again.linear.scores(rows_of_table(test)).tolist() == scores.tolist()


@pytest.mark.parametrize(
    "given",
    [
        ["desk", "source"],
        slice("desk", "source"),
        slice(2, 4),
        [False, False, True, True, False],
        np.array([2, 3]),
    ],
    ids=str,
)
def test_columns_by_any_name(texts: Any, compiled: Callable[..., Any], given: Any) -> None:
    transformer = ColumnTransformer([("text", TfidfVectorizer(), 0), ("more", OneHotEncoder(), [2, 3])])
    pipeline = make_pipeline(transformer, LogisticRegression()).fit(table(texts.train), texts.sections)
    named(transformer)
    transformer.transformers_[1] = ("more", transformer.transformers_[1][1], given)
    assert [block.column for block in compiled(pipeline).head.linear.blocks] == ["headline", "desk", "source"]


def test_a_column_named_text_is_the_single_text(texts: Any, compiled: Callable[..., Any]) -> None:
    transformer = ColumnTransformer([("all", TfidfVectorizer(), 0)])
    pipeline = make_pipeline(transformer, LinearSVC()).fit(table(texts.train), texts.sections)
    for text in ("text", "summary"):
        head = compiled(pipeline, {"0": "text"}, text).head
        assert [block.column for block in head.linear.blocks] == [text]


def test_selection_over_columns(texts: Any, compiled: Callable[..., Any]) -> None:
    train, test = table(texts.train), table(texts.test, 1)
    steps = (by_number(), SelectKBest(chi2, k=30), MaxAbsScaler(), LogisticRegression())
    pipeline = make_pipeline(*steps).fit(train, texts.sections)
    near(pipeline, compiled(pipeline, OURS).head, test, rows_of_table(test))

"""Contenders in `fit_transform`: texts in, vocabulary and TF-IDF matrix out; they answer how many terms were kept."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from benchmarks.speed.models import MIN_DF, Cut, analyzer, vectorizer
from benchmarks.speed.texts import read_column, read_strings
from benchmarks.speed.workers import Contender
from training.counting import TermCounter, text_batches
from training.vectorizer import NgramTfidf


def own_vectorizer(cut: Cut) -> NgramTfidf:
    """Newsdesk's, with the options of the one beside it."""
    return NgramTfidf(analyzer=cut[0], ngram_range=cut[1], min_df=MIN_DF, sublinear_tf=True)


def sklearn_fit(cut: Cut, texts: Path, count: int | None = None) -> Contender:
    """TfidfVectorizer's, of the first `count` texts as Python's strings."""
    strings = read_strings(texts, count)
    return lambda: vectorizer(cut).fit_transform(strings).shape[1]


def newsdesk_fit(cut: Cut, texts: Path) -> Contender:
    """NgramTfidf's, of Python's strings."""
    strings = read_strings(texts)
    return lambda: own_vectorizer(cut).fit_transform(strings).shape[1]


def newsdesk_growth(cut: Cut, texts: Path, count: int) -> Contender:
    """The same of the first `count` texts of an Arrow column."""
    column = pa.chunked_array([batch.column(0) for batch in read_column(texts, count)])
    return lambda: own_vectorizer(cut).fit_transform(column).shape[1]


def different(cut: Cut, texts: Path, count: int) -> Contender:
    """No contender: how many different n-grams the first `count` texts have."""
    batches = read_column(texts, count)

    def run() -> int:
        with TermCounter(analyzer(cut)) as counter:
            for batch in batches:
                for part in text_batches(batch.column(0)):
                    counter.add(part)
            return counter.sizes[1]

    return run

"""The models that are compared: a scikit-learn pipeline, the same weights as a head of Newsdesk's, and fastText's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from benchmarks.speed.texts import COLUMN, Articles, one_line
from benchmarks.speed.workers import Absent, Diverged
from classifier.linear import Linear
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock, Weighting
from classifier.text.vocabulary import Terms, Vocabulary

Cut = tuple[str, tuple[int, int]]  # an analyzer and its n-grams
WORDS: Cut = ("word", (1, 2))
CHARACTERS: Cut = ("char_wb", (2, 4))
MIN_DF = 2
SEED = 5  # of the hashes
WEIGHTING = Weighting(sublinear_tf=True)
LABEL = "__label__"
_PUNCTUATION = re.compile(r"([.!?,'/()])")


def vectorizer(cut: Cut) -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=cut[0], ngram_range=cut[1], min_df=MIN_DF, sublinear_tf=True)


def analyzer(cut: Cut) -> Analyzer:
    return Analyzer(cut[0], cut[1], seed=SEED)


def fit_pipeline(cut: Cut, articles: Articles, path: Path) -> None:
    """What the documentation of scikit-learn suggests, fitted on the training part, as a file."""
    pipeline = make_pipeline(vectorizer(cut), LinearSVC())
    joblib.dump(pipeline.fit(articles.train, articles.train_labels), path)


def load_pipeline(path: Path) -> Pipeline:
    return joblib.load(path)  # one that this run wrote


def same_model(pipeline: Pipeline, column: str = COLUMN) -> Linear:
    """The pipeline's vocabulary, idf and weights as a head that reads `column`; frequent terms first, as training leaves
    them (an order of rows, not another model)."""
    text, machine = pipeline[0], pipeline[-1]
    order = np.argsort(text.idf_, kind="stable")
    terms = text.get_feature_names_out()[order].tolist()
    cut: Any = (text.analyzer, text.ngram_range)
    vocabulary = Vocabulary.of(analyzer(cut), Terms.of(terms))
    block = TextBlock(column, vocabulary, WEIGHTING, 1.0, text.idf_[order])
    weights, intercept = np.atleast_2d(machine.coef_).T, np.atleast_1d(machine.intercept_)
    return Linear([block], weights[order], intercept)


def prepared(text: str) -> str:
    """For fastText, as its tutorial prepares texts: one line, lower case, punctuation set apart. Its own time is not
    counted anywhere."""
    return _PUNCTUATION.sub(r" \1 ", one_line(text).lower())


def fasttext_label(label: str) -> str:
    return LABEL + label.replace(" ", "-")


def write_fasttext(path: Path, texts: Sequence[str], labels: Sequence[str]) -> None:
    """The file that fastText learns from."""
    lines = (f"{fasttext_label(own)} {prepared(text)}\n" for text, own in zip(texts, labels, strict=True))
    path.write_text("".join(lines), "utf-8")


def import_fasttext() -> Any:
    """Its module.

    Raises:
        Absent: it is not installed.
    """
    try:
        import fasttext
    except ImportError as error:
        raise Absent(f"fastText is not installed ({error}): pip install -e '.[bench]'") from error
    return fasttext


def fit_fasttext(path: Path, dimensions: int, threads: int) -> Any:
    """5 epochs, bigrams; the learning rate is the best of 0.1, 0.25 and 0.5 on the newest fifth of headlines_in's training
    part (0.963, 0.966, 0.968 accuracy). 10 dimensions are those of fastText's own examples of classification, 100 its
    default: as right there, and several times slower.

    Raises:
        Diverged: its numbers ran away.
    """
    settings = {"epoch": 5, "wordNgrams": 2, "lr": 0.5, "dim": dimensions, "thread": threads, "verbose": 0}
    try:
        return import_fasttext().train_supervised(input=str(path), **settings)
    except RuntimeError as error:
        if "NaN" in str(error):
            raise Diverged(str(error)) from error
        raise

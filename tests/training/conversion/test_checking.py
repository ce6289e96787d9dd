"""A compiled head is compared with its pipeline before it is written: what differs is not written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder
from sklearn.svm import LinearSVC

from classifier.errors import PipelineError
from classifier.text.rows import TEXT
from training.conversion.checking import ARTICLES, check_head, made_up
from training.conversion.features import Reader
from training.conversion.heads import compile_estimator
from training.conversion.place import Place
from training.conversion.sources import Columns

PLACE = Place("a.joblib")


def both(pipeline: Any, ours: dict[str, str] | None = None) -> tuple[Any, Columns]:
    columns = Columns(ours or {}, TEXT)
    return compile_estimator(pipeline, Reader(columns, 1), PLACE).head, columns


@pytest.mark.parametrize(
    "machine",
    [
        LinearSVC(),
        LogisticRegression(),
        CalibratedClassifierCV(LinearSVC(), cv=3),
        CalibratedClassifierCV(LinearSVC(), cv=3, method="isotonic"),
    ],
    ids=["svc", "logistic", "sigmoid", "isotonic"],
)
@pytest.mark.parametrize("target", ["sections", "flags"])
def test_what_is_the_same_passes(texts: Any, machine: Any, target: str) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, getattr(texts, target))
    head, columns = both(pipeline)
    found = check_head(head, pipeline, columns, PLACE)
    assert found is not None
    assert found.articles == ARTICLES
    assert (found.decision_values is not None) == hasattr(pipeline, "decision_function")
    assert (found.probabilities is not None) == hasattr(pipeline, "predict_proba")
    assert (found.decision_values or 0.0) < 1e-6


def test_several_labels_pass(texts: Any) -> None:
    truth = texts.several.copy()
    truth[:, 1] = 0
    pipeline = make_pipeline(TfidfVectorizer(), OneVsRestClassifier(LogisticRegression()))
    with pytest.warns(UserWarning, match="present in all"):
        pipeline.fit(texts.train, truth)
    head, columns = both(pipeline)
    assert check_head(head, pipeline, columns, PLACE) is not None


def test_columns_pass_and_are_really_asked(texts: Any) -> None:
    table = np.array([[text, text[:5], len(text) % 3, "unused"] for text in texts.train], dtype=object)
    encoder = OneHotEncoder(handle_unknown="ignore")
    transformer = ColumnTransformer(
        [("a", TfidfVectorizer(), 0), ("b", make_pipeline(encoder), [1, 2]), ("c", "drop", [3])],
        transformer_weights={"a": 2.0},
    )
    pipeline = make_pipeline(make_pipeline(transformer, MaxAbsScaler()), LogisticRegression())
    pipeline.fit(table, texts.sections)
    head, columns = both(pipeline, {"0": "text", "1": "source", "2": "desk"})
    found = check_head(head, pipeline, columns, PLACE)
    assert found is not None
    assert found.decision_values is not None
    transformer.transformer_weights = {"a": 1.0}
    with pytest.raises(PipelineError, match="computes something else"):
        check_head(head, pipeline, columns, PLACE)


def test_columns_elsewhere_are_not_compared(texts: Any) -> None:
    table = np.array([[text] for text in texts.train], dtype=object)
    transformer = ColumnTransformer([("a", TfidfVectorizer(), 0)])
    for pipeline in (
        make_pipeline(make_union(transformer), LinearSVC()).fit(table, texts.sections),
        CalibratedClassifierCV(make_pipeline(transformer, LinearSVC()), cv=2).fit(table, texts.sections),
    ):
        head, columns = both(pipeline, {"0": "headline"})
        assert check_head(head, pipeline, columns, PLACE) is None


def test_what_differs_is_refused(texts: Any) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts.train, texts.sections)
    head, columns = both(pipeline)
    machine, intercept = pipeline.steps[-1][1], pipeline.steps[-1][1].intercept_
    for change, says in (
        (np.array([5.0, 0.0, 0.0]), "computes something else .*: [1-9][0-9]* of 200"),
        (1e-3, ": 0 of 200"),
    ):
        machine.intercept_ = intercept + change  # a shift of all alone changes no label
        with pytest.raises(PipelineError, match=says):
            check_head(head, pipeline, columns, PLACE)
    machine.intercept_ = intercept
    other = replace(head, calibration=replace(head.calibration, slope=head.calibration.slope * 1.01))
    with pytest.raises(PipelineError, match=": 0 of 200"):
        check_head(other, pipeline, columns, PLACE)


def test_labels_that_are_assigned_must_be_the_same(texts: Any) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), OneVsRestClassifier(LinearSVC())).fit(
        texts.train, texts.several
    )
    head, columns = both(pipeline)
    with pytest.raises(PipelineError, match=r": [1-9][0-9]* of 200"):
        check_head(replace(head, assignment=np.full(4, 0.5)), pipeline, columns, PLACE)
    with pytest.raises(PipelineError, match=r": [1-9][0-9]* of 200"):
        check_head(replace(head, assigns_none=False), pipeline, columns, PLACE)


def test_what_scikit_learn_cannot_use_is_refused(texts: Any) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    head, columns = both(pipeline)
    del pipeline.steps[-1][1].classes_  # as one of another version may lack what this one looks for
    with pytest.raises(
        PipelineError, match=r"scikit-learn itself cannot use it \(.*compile with the scikit-learn that wrote"
    ):
        check_head(head, pipeline, columns, PLACE)


def test_made_up_articles_hold_what_the_head_knows(texts: Any, compiled: Callable[..., Any]) -> None:
    pipeline = make_pipeline(CountVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    head = compiled(pipeline).head
    articles = made_up(head, 50)
    assert [article.text for article in articles] == [article.text for article in made_up(head, 50)]
    assert all(set(article.text.split()) <= set(pipeline[0].vocabulary_) for article in articles)
    assert all(
        any(getattr(article, name) for article in articles) for name in ("headline", "summary", "body")
    )

"""Every classifier that is supported: labels, decision values and probabilities are scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from classifier.errors import PipelineError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

PROBABLE = {
    "logistic": LogisticRegression(C=100.0),
    "logistic without intercept": LogisticRegression(fit_intercept=False),
    "logistic cv": LogisticRegressionCV(Cs=2, cv=2),
    "sgd log": SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0),
    "sgd huber": SGDClassifier(loss="modified_huber", alpha=1e-4, random_state=0),
    "averaged sgd": SGDClassifier(loss="log_loss", average=True, random_state=0),
    "rest of logistic": OneVsRestClassifier(LogisticRegression(C=10.0)),
    "rest of sgd": OneVsRestClassifier(SGDClassifier(loss="log_loss", random_state=0)),
}
BARE = {
    "svc": LinearSVC(),
    "svc without intercept": LinearSVC(fit_intercept=False),
    "crammer": LinearSVC(multi_class="crammer_singer"),
    "ridge": RidgeClassifier(),
    "ridge cv": RidgeClassifierCV(),
    "hinge": SGDClassifier(random_state=0),
    "perceptron": Perceptron(random_state=0),
    "rest of svc": OneVsRestClassifier(LinearSVC()),
    "rest of ridge": OneVsRestClassifier(RidgeClassifier()),
}
ALL = {**PROBABLE, **BARE}


def two_columns(decided: Any) -> Any:
    return np.stack([-decided, decided], axis=1) if decided.ndim == 1 else decided


def agree(compiled: Any, pipeline: Any, given: list[str], rows: Any) -> None:
    """The same labels where they are not a toss-up, decision values and probabilities as near as float32 weights are."""
    decided = two_columns(pipeline.decision_function(given))
    near = 1e-5 * np.abs(decided).max()
    scores = compiled.head.linear.scores(rows)
    assert np.abs(scores - decided).max() <= near
    judged = compiled.head.judge(rows)
    ranked = np.sort(decided, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > near
    assert clear.sum() > len(given) / 2
    found = np.array(compiled.head.labels)[judged.probabilities.argmax(axis=1)]
    assert (found == pipeline.predict(given).astype(str))[clear].all()
    named = [result.section for result in compiled.head.results(rows)]
    assert named == found.tolist()
    if compiled.probable:
        wanted = np.nan_to_num(pipeline.predict_proba(given), nan=1 / 3)  # until scikit-learn 1.8 0 by 0
        assert np.abs(judged.probabilities - wanted).max() < 2e-6


@pytest.mark.parametrize(
    "vectorizer", [TfidfVectorizer(ngram_range=(1, 2)), CountVectorizer()], ids=["tfidf", "counts"]
)
@pytest.mark.parametrize("target", ["sections", "flags"])
@pytest.mark.parametrize("name", ALL)
def test_it_answers_as_the_pipeline(
    texts: Any, compiled: Callable[..., Any], rows_of: Any, name: str, target: str, vectorizer: Any
) -> None:
    pipeline = make_pipeline(vectorizer, ALL[name]).fit(texts.train, getattr(texts, target))
    found = compiled(pipeline)
    assert found.probable == (name in PROBABLE)
    assert found.probable == hasattr(pipeline, "predict_proba")
    agree(found, pipeline, texts.test, rows_of(texts.test))


def test_labels_of_every_type_become_text(texts: Any, compiled: Callable[..., Any], rows_of: Any) -> None:
    numbers = np.array([len(text) % 3 + 10 for text in texts.train])
    assert compiled(make_pipeline(CountVectorizer(), LinearSVC()).fit(texts.train, numbers)).head.labels == (
        "10",
        "11",
        "12",
    )
    truth = make_pipeline(CountVectorizer(), LinearSVC()).fit(texts.train, texts.flags == 1)
    assert compiled(truth).head.labels == ("False", "True")
    agree(compiled(truth), truth, texts.test, rows_of(texts.test))


def test_sparse_weights_and_pipelines_in_pipelines(
    texts: Any, compiled: Callable[..., Any], rows_of: Any
) -> None:
    inner = make_pipeline("passthrough", SGDClassifier(penalty="l1", random_state=0))
    pipeline = Pipeline([("all", make_pipeline(TfidfVectorizer())), ("none", None), ("end", inner)])
    pipeline.fit(texts.train, texts.sections)
    pipeline.steps[-1][1].steps[-1][1].sparsify()
    agree(compiled(pipeline), pipeline, texts.test, rows_of(texts.test))


def test_labels_do_not_tie_where_the_curve_is_level(
    texts: Any, compiled: Callable[..., Any], rows_of: Any
) -> None:
    # Weights so large that several labels have the probability 1, and then a half each.
    for loss in ("log_loss", "modified_huber"):
        machine = SGDClassifier(loss=loss, alpha=1e-9, random_state=0)
        pipeline = make_pipeline(CountVectorizer(), machine).fit(texts.train, texts.sections)
        pipeline.steps[-1][1].coef_ *= 50.0
        best = np.sort(pipeline.predict_proba(texts.test), axis=1)[:, -2:]
        assert (best[:, 0] == best[:, 1]).any()
        agree(compiled(pipeline), pipeline, texts.test, rows_of(texts.test))


def test_probabilities_next_to_0_keep_their_ratio(
    texts: Any, compiled: Callable[..., Any], rows_of: Any
) -> None:
    pipeline = make_pipeline(CountVectorizer(), SGDClassifier(loss="log_loss", random_state=0))
    pipeline.fit(texts.train, texts.sections)
    pipeline.steps[-1][1].intercept_ = np.array([-50.0, -51.0, -52.0])
    pipeline.steps[-1][1].coef_ *= 0.01
    assert pipeline.predict_proba([""])[0] == pytest.approx([0.665, 0.245, 0.09], abs=0.001)
    assert compiled(pipeline).head.probabilities(rows_of([""]))[0] == pytest.approx(
        pipeline.predict_proba([""])[0]
    )


@pytest.mark.parametrize("name", ["logistic", "sgd huber", "svc", "ridge"])
@pytest.mark.parametrize("gone", [None, 0, 3], ids=["all", "without the first", "without the last"])
def test_several_labels(
    texts: Any, compiled: Callable[..., Any], rows_of: Any, name: str, gone: int | None
) -> None:
    truth = texts.several.copy()
    if gone is not None:
        truth[:, gone] = 0  # scikit-learn has a constant for it
    machine = ALL[name] if name == "ridge" else OneVsRestClassifier(ALL[name])
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, truth)
    found, rows = compiled(pipeline), rows_of(texts.test)
    assert found.head.several
    assert found.head.labels == ("0", "1", "2", "3")
    decided, scores = pipeline.decision_function(texts.test), found.head.linear.scores(rows)
    near = 1e-5 * np.abs(decided).max()
    assert np.abs(scores - decided).max() <= near
    judged = found.head.judge(rows)
    wanted = pipeline.predict(texts.test) == 1
    over = 0.5 if gone == 0 and name != "ridge" else 0.0
    clear = np.abs(decided - over) > near
    assert (judged.assigned == wanted)[clear].all()
    assert not wanted.any(axis=1).all()  # articles without any label are among them
    if gone is not None:
        assert not judged.assigned[:, gone].any()  # a decision value of 0 is not over it
    if found.probable and not (gone is not None and name == "svc"):
        assert np.abs(judged.probabilities - pipeline.predict_proba(texts.test)).max() < 2e-6


@pytest.mark.parametrize("name", ["logistic", "svc"])
def test_what_nobody_has_is_not_likely(
    texts: Any, compiled: Callable[..., Any], rows_of: Any, name: str
) -> None:
    truth = texts.several.copy()
    truth[:, 2] = 0
    pipeline = make_pipeline(TfidfVectorizer(), OneVsRestClassifier(ALL[name])).fit(texts.train, truth)
    assert (compiled(pipeline).head.probabilities(rows_of(texts.test))[:, 2] == 0).all()


def test_the_order_stands_in_for_probabilities(
    texts: Any, compiled: Callable[..., Any], rows_of: Any
) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    decided = pipeline.decision_function(texts.test)
    powers = np.exp(decided)
    found = compiled(pipeline).head.probabilities(rows_of(texts.test))
    assert found == pytest.approx(powers / powers.sum(axis=1, keepdims=True), abs=1e-6)
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.flags)
    found = compiled(pipeline).head.probabilities(rows_of(texts.test))
    assert found[:, 1] == pytest.approx(1 / (1 + np.exp(-pipeline.decision_function(texts.test))), abs=1e-6)


@pytest.mark.parametrize("target", ["sections", "flags"])
def test_explanations_sum_to_the_score_and_the_lead(
    texts: Any, compiled: Callable[..., Any], rows_of: Any, target: str
) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts.train, getattr(texts, target))
    head = compiled(pipeline).head
    for text in texts.test[:10]:
        scores = np.sort(head.linear.scores(rows_of([text]))[0])
        parts = head.explain(rows_of([text]))
        assert sum(part.contribution for part in parts) == pytest.approx(scores[-1])
        assert sum(part.against or 0.0 for part in parts) == pytest.approx(scores[-1] - scores[-2])


def test_nothing_is_filed(texts: Any, compiled: Callable[..., Any], rows_of: Any) -> None:
    for machine in (LogisticRegression(C=1e6), LinearSVC(), CalibratedClassifierCV(LinearSVC())):
        pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.sections)
        results = compiled(pipeline).head.results(rows_of(texts.train))
        assert {result.decision for result in results} == {"review"}


def test_weights_that_float32_cannot_hold_are_refused(texts: Any, compiled: Callable[..., Any]) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    pipeline.steps[-1][1].coef_ *= 1e40
    with pytest.raises(PipelineError, match="float32"):
        compiled(pipeline)
    pipeline.steps[-1][1].coef_[0, 0] = np.nan
    with pytest.raises(PipelineError, match="not finite"):
        compiled(pipeline)

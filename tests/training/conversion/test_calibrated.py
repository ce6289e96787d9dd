"""CalibratedClassifierCV: probabilities are scikit-learn's, also those that are the mean of several models'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from classifier.artifact import write_version
from classifier.errors import PipelineError
from classifier.model import load_version
from classifier.sections import SectionHead

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::FutureWarning", "ignore::RuntimeWarning"
)

NEWEST = tuple(map(int, sklearn.__version__.split(".")[:2]))
METHODS = ["sigmoid", "isotonic", *(["temperature"] if NEWEST >= (1, 8) else [])]
INNER = {
    "svc": LinearSVC(),
    "logistic": LogisticRegression(),
    "sgd": SGDClassifier(random_state=0),
    "ridge": RidgeClassifier(),
    "rest": OneVsRestClassifier(LinearSVC()),
}


def agree(head: SectionHead, pipeline: Any, given: list[str], rows: Any) -> None:
    wanted = pipeline.predict_proba(given)
    found = head.probabilities(rows)
    # An isotonic curve may be nearly upright: there the rounding of a weight shows.
    smooth = head.calibration.steps is None
    near = np.abs(found - wanted).max(axis=1) < (1e-6 if smooth else 1e-5)
    assert near.mean() >= (1.0 if smooth else 0.9)
    ranked = np.sort(wanted, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 1e-5
    labels = np.array(head.labels)[found.argmax(axis=1)]
    assert (labels == pipeline.predict(given).astype(str))[clear].mean() >= (1.0 if smooth else 0.99)


@pytest.mark.parametrize("ensemble", [True, False], ids=["ensemble", "one"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", ["sections", "flags"])
@pytest.mark.parametrize("inner", INNER)
def test_probabilities_are_the_pipelines(
    texts: Any,
    compiled: Callable[..., Any],
    rows_of: Any,
    inner: str,
    target: str,
    method: Any,
    ensemble: bool,
) -> None:
    machine = CalibratedClassifierCV(INNER[inner], method=method, cv=3, ensemble=ensemble)
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, getattr(texts, target))
    found = compiled(pipeline)
    assert found.probable
    assert found.head.calibration.members == (3 if ensemble else 1)
    agree(found.head, pipeline, texts.test, rows_of(texts.test))


@pytest.mark.parametrize("ensemble", [True, False], ids=["ensemble", "one"])
@pytest.mark.parametrize("method", METHODS)
def test_of_pipelines_each_with_a_vocabulary_of_its_own(
    texts: Any, compiled: Callable[..., Any], rows_of: Any, method: Any, ensemble: bool
) -> None:
    inner = make_pipeline(TfidfVectorizer(min_df=12), LinearSVC())
    pipeline = CalibratedClassifierCV(inner, method=method, cv=3, ensemble=ensemble)
    pipeline.fit(texts.train, texts.sections)
    head = compiled(pipeline).head
    assert len(head.linear.blocks) == (3 if ensemble else 1)
    agree(head, pipeline, texts.test, rows_of(texts.test))


def test_of_a_model_that_was_fitted_before(texts: Any, compiled: Callable[..., Any], rows_of: Any) -> None:
    frozen = pytest.importorskip("sklearn.frozen")  # since scikit-learn 1.6
    inner = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train[:120], texts.sections[:120])
    pipeline = CalibratedClassifierCV(frozen.FrozenEstimator(inner)).fit(
        texts.train[120:], texts.sections[120:]
    )
    head = compiled(pipeline).head
    assert head.calibration.members == 1
    agree(head, pipeline, texts.test, rows_of(texts.test))


def test_a_slope_may_fall(texts: Any, compiled: Callable[..., Any], rows_of: Any) -> None:
    for target in (texts.sections, texts.flags):
        machine = CalibratedClassifierCV(LinearSVC(), cv=3)
        pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, target)
        for pair in machine.calibrated_classifiers_:
            pair.calibrators[0].a_ = 1.5  # the higher the score, the less likely
        agree(compiled(pipeline).head, pipeline, texts.test, rows_of(texts.test))


@pytest.mark.parametrize("method", METHODS)
def test_explanations_are_of_the_mean_of_the_models(
    texts: Any, compiled: Callable[..., Any], rows_of: Any, method: Any
) -> None:
    machine = CalibratedClassifierCV(LinearSVC(), method=method, cv=3)
    head = compiled(make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.sections)).head
    rows = rows_of(texts.test[:1])
    scores = head.calibration.label_scores(head.linear.scores(rows))[0]
    assert scores.shape == (3,)
    best = head.probabilities(rows)[0].argsort()[::-1]
    parts = head.explain(rows)
    assert sum(part.contribution for part in parts) == pytest.approx(scores[best[0]])
    assert sum(part.against or 0.0 for part in parts) == pytest.approx(scores[best[0]] - scores[best[1]])


@pytest.mark.parametrize("method", METHODS)
def test_a_version_holds_all_of_it(
    texts: Any, compiled: Callable[..., Any], rows_of: Any, method: Any, tmp_path: Any
) -> None:
    from datetime import UTC, datetime

    machine = CalibratedClassifierCV(LinearSVC(), method=method, cv=3)
    head = compiled(make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.flags)).head
    folder = write_version(
        tmp_path / "model",
        heads={"sections": head.spec()},
        arrays={f"sections.{name}": array for name, array in head.arrays().items()},
        facts={},
        documents={},
        created=datetime(2031, 6, 1, tzinfo=UTC),
    )
    again = load_version(folder).sections
    assert again is not None
    rows = rows_of(texts.test)
    assert again.probabilities(rows).tolist() == head.probabilities(rows).tolist()
    assert again.spec() == head.spec()


def test_a_fold_without_a_class_is_refused(texts: Any, compiled: Callable[..., Any]) -> None:
    labels = np.array(texts.sections)
    labels[:80] = "Economy"
    labels[80:] = np.where(labels[80:] == "Economy", "Sports", labels[80:])
    machine = CalibratedClassifierCV(LinearSVC(), cv=KFold(3))
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, labels)
    with pytest.raises(
        PipelineError, match=r"member 1 .*: knows 2 of the 3 classes; fit it with fewer folds"
    ):
        compiled(pipeline)


def test_a_method_that_is_not_known_is_refused(texts: Any, compiled: Callable[..., Any]) -> None:
    machine = CalibratedClassifierCV(LinearSVC(), cv=3, ensemble=False)
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.sections)
    machine.calibrated_classifiers_[0].method = "venn"
    with pytest.raises(PipelineError, match="calibrates by 'venn'; use \"sigmoid\""):
        compiled(pipeline)


def test_a_curve_that_goes_back_is_refused(texts: Any, compiled: Callable[..., Any]) -> None:
    machine = CalibratedClassifierCV(LinearSVC(), cv=3, ensemble=False, method="isotonic")
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.sections)
    curve = machine.calibrated_classifiers_[0].calibrators[0]
    curve.X_thresholds_ = curve.X_thresholds_[::-1]
    with pytest.raises(PipelineError, match="goes back"):
        compiled(pipeline)


def test_of_one_against_the_rest_it_must_be_around(texts: Any, compiled: Callable[..., Any]) -> None:
    machine = OneVsRestClassifier(CalibratedClassifierCV(LinearSVC(), cv=3))
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.sections)
    with pytest.raises(PipelineError, match="put it around"):
        compiled(pipeline)

"""scikit-learn's linear classifiers as columns of weights, and what their decision values say about probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from training.conversion.features import Reader
from training.conversion.nodes import Node
from training.conversion.place import Place, class_name, is_sklearn
from training.conversion.sources import OneColumn, Source, Table, WholeArticle

Floats = NDArray[np.float64]

# What predict_proba makes of decision values; None where there is no predict_proba.
Curve = Literal["softmax", "logistic", "clipped"] | None

_LOGISTIC = ("LogisticRegression", "LogisticRegressionCV")
_PLAIN = ("LinearSVC", "RidgeClassifier", "RidgeClassifierCV", "Perceptron")
_KNOWN = (
    "known are LogisticRegression, LinearSVC, SGDClassifier, RidgeClassifier, Perceptron, OneVsRestClassifier of these and "
    "CalibratedClassifierCV of these"
)
_INSTEAD = {
    "MultinomialNB": "fit LogisticRegression instead",
    "ComplementNB": "fit LinearSVC instead",
    "BernoulliNB": "fit LogisticRegression instead",
    "SVC": 'fit LinearSVC instead: it is linear, one class against the rest, where SVC(kernel="linear") is one against one',
    "GridSearchCV": "save its best_estimator_ instead: joblib.dump(search.best_estimator_, …)",
    "RandomizedSearchCV": "save its best_estimator_ instead: joblib.dump(search.best_estimator_, …)",
    "MultiOutputClassifier": "fit OneVsRestClassifier on the indicator matrix instead",
}


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Decision values: `node`'s outputs × `weights` (width, c) + `intercept` (c,); c is 1 for two classes. `kind` is the
    classifier's.

    `several`: a label is assigned where its decision value is over `over`. `constant` labels, by number, have the same
    answer, 0 or 1, always.
    """

    node: Node
    weights: Floats
    intercept: Floats
    classes: tuple[Any, ...]
    curve: Curve
    kind: str
    several: bool = False
    over: float = 0.0
    constant: tuple[tuple[int, float], ...] = ()


Given = Source | Node


def open_pipeline(estimator: Any, given: Given, reader: Reader, place: Place) -> tuple[Any, Given, Place]:
    """The classifier at the end of Pipelines (and FrozenEstimators), what it is given, and where it is.

    Raises:
        PipelineError: a step before it cannot be compiled.
    """
    place = place.at(estimator)
    while True:
        if is_sklearn(estimator, "Pipeline") and estimator.steps:
            *before, (name, last) = estimator.steps
            given = reader.steps(before, given, place)
            estimator, place = last, place.inside(name, last)
        elif is_sklearn(estimator, "FrozenEstimator"):
            estimator = estimator.estimator
            place = place.at(estimator)
        else:
            return estimator, given, place


def read_lines(estimator: Any, given: Given, reader: Reader, place: Place) -> Lines:
    """The decision values of a fitted linear classifier, or of a Pipeline that ends in one.

    Raises:
        PipelineError: it is none that is known, or is not fitted.
    """
    estimator, given, place = open_pipeline(estimator, given, reader, place)
    if is_sklearn(estimator, "OneVsRestClassifier"):
        return _one_vs_rest(estimator, _features(given, place), reader, place)
    curve = _curve(estimator, place)
    weights, intercept = _coefficients(estimator, place)
    node = _features(given, place)
    classes = tuple(np.asarray(place.take(estimator, "classes_")).tolist())
    if len(weights) != node.width:
        raise place.refuse(
            f"has weights of {len(weights)} features, is given {node.width}",
            "fit the pipeline again, as a whole",
        )
    several = _is_indicator(getattr(estimator, "_label_binarizer", None))
    if weights.shape[1] != (1 if len(classes) == 2 and not several else len(classes)):
        raise place.refuse(
            f"has {weights.shape[1]} rows of weights for {len(classes)} classes", "fit it again"
        )
    return Lines(node, weights, intercept, classes, curve, type(estimator).__name__, several)


def _curve(estimator: Any, place: Place) -> Curve:
    if any(is_sklearn(estimator, name) for name in _LOGISTIC):
        return _logistic_curve(estimator, len(place.take(estimator, "classes_")))
    if is_sklearn(estimator, "SGDClassifier"):
        curves: dict[str, Curve] = {"log_loss": "logistic", "modified_huber": "clipped"}
        return curves.get(estimator.loss)
    if any(is_sklearn(estimator, name) for name in _PLAIN):
        return None
    name = class_name(estimator)
    raise place.refuse(f"{name} cannot be compiled", _INSTEAD.get(name, _KNOWN))


def _logistic_curve(machine: Any, classes: int) -> Curve:
    """As the installed scikit-learn decides it; until 1.7 one could ask for it by `multi_class`."""
    if "multi_class" not in type(machine)().get_params():
        return "logistic" if classes <= 2 else "softmax"
    asked = getattr(machine, "multi_class", "auto")
    default = asked in ("auto", "deprecated", "warn")
    one_by_one = asked == "ovr" or (default and (classes <= 2 or machine.solver == "liblinear"))
    return "logistic" if one_by_one else "softmax"


def _coefficients(estimator: Any, place: Place) -> tuple[Floats, Floats]:
    """Weights (width, c) and intercept (c,)."""
    found = place.take(estimator, "coef_")
    weights = np.atleast_2d(found.toarray() if hasattr(found, "toarray") else found).T.astype(np.float64)
    intercept = np.atleast_1d(np.asarray(place.take(estimator, "intercept_"), np.float64))
    if not (np.isfinite(weights).all() and np.isfinite(intercept).all()):
        raise place.refuse("has a weight that is not finite", "fit it again: it has not converged")
    return weights, np.broadcast_to(intercept, weights.shape[1:]).copy()


def _features(given: Given, place: Place) -> Node:
    if isinstance(given, WholeArticle | OneColumn | Table):
        raise place.refuse(
            "is not given features of a text",
            "save the whole Pipeline, vectorizer first: make_pipeline(TfidfVectorizer(), LinearSVC())",
        )
    return given


def _is_indicator(binarizer: Any) -> bool:
    """Whether a classifier that made its targets by this LabelBinarizer was fitted on an indicator matrix."""
    return str(getattr(binarizer, "y_type_", "")).startswith("multilabel")


def _one_vs_rest(outer: Any, node: Node, reader: Reader, place: Place) -> Lines:
    machines = list(place.take(outer, "estimators_"))
    classes = tuple(np.asarray(place.take(outer, "classes_")).tolist())
    several = _is_indicator(outer.label_binarizer_)
    inner = [machine for machine in machines if not is_sklearn(machine, "_ConstantPredictor")]
    if len(classes) < 2 or not inner:
        raise place.refuse("knows one answer only", "fit it on articles of two sections or more")
    weights, intercept = np.zeros((node.width, len(machines))), np.zeros(len(machines))
    constant = []
    curve: Curve = None
    kind = ""
    for number, machine in enumerate(machines):
        if is_sklearn(machine, "_ConstantPredictor"):
            answer = float(machine.y_[0])
            intercept[number] = answer
            constant.append((number, answer))
            continue
        own = _binary(machine, node, reader, place.inside(classes[number], machine))
        weights[:, number], intercept[number] = own.weights[:, 0], own.intercept[0]
        curve, kind = own.curve, f"OneVsRestClassifier of {own.kind}"
    # As scikit-learn has it: that of a constant is taken for a probability.
    over = 0.0 if is_classifier(machines[0]) else 0.5
    return Lines(node, weights, intercept, classes, curve, kind, several, over, tuple(constant))


def _binary(machine: Any, node: Node, reader: Reader, place: Place) -> Lines:
    if is_sklearn(machine, "CalibratedClassifierCV"):
        raise place.refuse(
            "stands within a OneVsRestClassifier",
            "put it around: CalibratedClassifierCV(OneVsRestClassifier(…))",
        )
    found = read_lines(machine, node, reader, place)
    if found.weights.shape[1] != 1:
        raise place.refuse(
            "tells more than two classes apart", "give OneVsRestClassifier a linear classifier"
        )
    return found

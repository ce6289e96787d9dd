"""A pipeline as a section head: labels, weights and calibration put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Calibration, Method
from classifier.decisions import Decisions
from classifier.linear import Linear
from classifier.sections import SectionHead
from classifier.text.blocks import Block, TextBlock
from classifier.text.vocabulary import Vocabulary
from training.config import DecisionConfig
from training.conversion.calibrated import Curves, Scored, mirrored, read_calibrated, steps_of
from training.conversion.features import Reader
from training.conversion.linear import Lines, open_pipeline, read_lines
from training.conversion.nodes import fold_all
from training.conversion.place import Place, is_sklearn
from training.conversion.sources import WholeArticle

Floats = NDArray[np.float64]

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Compiled:
    """The head; the class of its `classifier`; `probable`: whether its probabilities are scikit-learn's, else they are
    only the order of its decision values."""

    head: SectionHead
    classifier: str
    probable: bool


def compile_estimator(estimator: Any, reader: Reader, place: Place) -> Compiled:
    """A fitted pipeline that ends in a linear classifier, as a head that never files: nothing says how good it is.

    Raises:
        PipelineError: naming the step that cannot be compiled, and why.
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise place.refuse(
            f"holds a {type(estimator).__name__}, no scikit-learn pipeline", "save the fitted Pipeline itself"
        )
    last, given, at = open_pipeline(estimator, WholeArticle(), reader, place)
    assignment = None
    several = False
    if is_sklearn(last, "CalibratedClassifierCV"):
        scored, classes, kind = read_calibrated(last, given, reader, at)
        kind, probable = f"CalibratedClassifierCV of {kind}", True
    else:
        lines = read_lines(last, given, reader, at)
        scored, classes, several = _scored(lines), lines.classes, lines.several
        kind, probable = lines.kind, lines.curve is not None
        if several:  # scikit-learn assigns what is over it, we what reaches it
            assignment = np.full(len(classes), np.nextafter(lines.over, np.inf))
    folded, shift = fold_all(scored.columns)
    blocks = [_frequent_first(block, own) for block, own in folded]
    weights = np.concatenate([own for _, own in blocks])
    if np.abs(weights).max(initial=0.0) > _LARGEST:
        raise at.refuse("has a weight that a float32 cannot hold", "scale its features before fitting")
    head = SectionHead(
        Linear([block for block, _ in blocks], weights, scored.intercept + shift),
        label_names(classes, at),
        several,
        replace(scored.calibration, several=several),
        Decisions(DecisionConfig().target, ()),
        None,
        assignment,
        assigns_none=several,
    )
    return Compiled(head, kind, probable)


def _frequent_first(block: Block, weights: Floats) -> tuple[Block, Floats]:
    """Terms of many texts, whose idf is low, first: what is looked up most then lies together in memory."""
    if not isinstance(block, TextBlock) or (np.diff(block.idf) >= 0).all():
        return block, weights
    order = np.argsort(block.idf, kind="stable")
    vocabulary = Vocabulary.of(block.analyzer, block.terms.take(order))
    ordered = TextBlock(block.column, vocabulary, block.weighting, block.weight, block.idf[order])
    return ordered, weights[order]


def label_names(classes: Sequence[Any], place: Place) -> tuple[str, ...]:
    """Classes as text; numbers as they are written.

    Raises:
        PipelineError: two are written alike, or one cannot be.
    """
    names = tuple(str(one) for one in classes)
    if len(set(names)) < len(names):
        raise place.refuse("has two classes that are written alike", "give each a name of its own")
    bad = [
        name
        for name in names
        if not name.strip() or any("\ud800" <= character <= "\udfff" for character in name)
    ]
    if bad:
        raise place.refuse(f"has the class {bad[0]!r}, which is no name", "give each a name")
    return names


def _scored(lines: Lines) -> Scored:
    """Decision values as they are, two classes as one and its mirror image.

    Without predict_proba the rule is that of the logistic models: the order is that of the decision values, and nothing
    more is known.
    """
    weights, intercept = lines.weights, lines.intercept
    clipped = lines.curve == "clipped"
    method: Method = "clipped" if clipped else "temperature"
    slope = 1.0
    if len(lines.classes) == 2 and not lines.several:
        weights, intercept = mirrored(weights), mirrored(intercept)
        if lines.curve in ("logistic", None):
            slope = 0.5  # they are twice as far apart as the decision value says
    elif lines.curve == "logistic" and not lines.several:
        method = "sigmoid"
    width = len(lines.classes)
    calibration = Calibration(method, lines.several, np.full(width, slope), np.zeros(width), plain=True)
    if lines.constant:
        calibration = replace(calibration, method="isotonic", steps=steps_of(_constant_curves(lines)))
    return Scored(((lines.node, weights),), intercept, calibration)


def _constant_curves(lines: Lines) -> Curves:
    """A level curve of each label whose answer is always the same; the others' where no method of their own is left."""
    none = np.zeros(0)
    clip = (np.array([-1.0, 1.0]), np.array([0.0, 1.0]))
    curves = [clip if lines.curve == "clipped" else (none, none) for _ in lines.classes]
    for number, answer in lines.constant:
        curves[number] = (np.array([answer]), np.array([answer]))
    return curves

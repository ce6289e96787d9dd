"""A compiled head beside the pipeline that it was made of, on articles made up of the terms and categories they know."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from classifier.articles import TEXT_FIELDS, Article
from classifier.sections import SectionHead
from classifier.text.blocks import CategoryBlock, TextBlock
from classifier.text.rows import TEXT, Rows
from training.config import CATEGORICAL
from training.conversion.features import column_names, source_of
from training.conversion.place import Place, is_sklearn
from training.conversion.sources import Columns, Table

Floats = NDArray[np.float64]

ARTICLES = 200
NEAR = 1e-5  # of the largest absolute decision value: what float32 weights may change, with room
_SURE = 1e-6  # of probabilities
_MOST_TERMS = 40


@dataclass(frozen=True, slots=True)
class Check:
    """Of how many made-up `articles` both answers are the same; by how much decision values (of the largest one) and
    probabilities differ at most, None where the pipeline has none."""

    articles: int
    decision_values: float | None
    probabilities: float | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "articles": self.articles,
            "decision_values": self.decision_values,
            "probabilities": self.probabilities,
        }


def check_head(head: SectionHead, estimator: Any, columns: Columns, place: Place) -> Check | None:
    """Compare them; None where that is not possible (`_opened`).

    Raises:
        PipelineError: they differ, or scikit-learn itself cannot use the pipeline.
    """
    rows = Rows.from_articles(made_up(head, ARTICLES))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            opened = _opened(estimator, rows, columns)
            if opened is None:
                return None
            labels = np.asarray(opened[0].predict(opened[1]))
            decided = _asked(opened[0], "decision_function", opened[1])
            probable = _asked(opened[0], "predict_proba", opened[1])
        except Exception as error:  # whatever an object of another version fails with
            raise place.refuse(
                f"scikit-learn itself cannot use it ({type(error).__name__}: {' '.join(str(error).split())[:120]})",
                "compile with the scikit-learn that wrote the file",
            ) from error
    scores = head.calibration.label_scores(head.linear.scores(rows))
    judged = head.judge(rows)
    difference, bound = _difference(scores, decided)
    doubt = None if probable is None else _doubt(judged.probabilities, probable)
    margin = _margin(probable if decided is None else scores, head)
    same = _same(head, labels, judged.assigned)
    wrong = int((~same & (margin > bound)).sum())
    most = _SURE + (bound if decided is not None else NEAR)
    if wrong or (difference or 0.0) > NEAR or (doubt is not None and _much(doubt, head) > most):
        raise place.refuse(
            f"computes something else than its parts say: {wrong} of {len(rows)} made-up articles get other labels",
            "compile with the scikit-learn that wrote the file; if that is this one, please report it",
        )
    return Check(len(rows), difference, None if doubt is None else float(doubt.max()))


def made_up(head: SectionHead, count: int) -> list[Article]:
    """Articles of random terms and categories that the head knows, always the same."""
    random = np.random.default_rng(0)
    articles = []
    for _ in range(count):
        texts: dict[str, list[str]] = {name: [] for name in TEXT_FIELDS}
        extra: dict[str, Any] = {}
        for block in head.linear.blocks:
            if isinstance(block, TextBlock) and block.width:
                chosen = random.integers(block.width, size=random.integers(1, _MOST_TERMS)).tolist()
                name = str(random.choice(TEXT_FIELDS)) if block.column == TEXT else block.column
                texts[name] += [block.terms[number] for number in chosen]
            elif isinstance(block, CategoryBlock):
                names = [name for at, name in enumerate(block.categories) if at != block.null]
                extra[block.column] = str(random.choice(names)) if names else None
        own: dict[str, Any] = {name: " ".join(words) for name, words in texts.items()}
        own |= {name: extra.pop(name) for name in CATEGORICAL if name in extra}
        articles.append(Article(**own, extra=extra))
    return articles


def _opened(estimator: Any, rows: Rows, columns: Columns) -> tuple[Any, Any] | None:
    """What to ask, and the articles as it takes them. Of a ColumnTransformer the parts are asked one by one, so that no
    library of tables with names is needed; None where it does not stand first in a Pipeline."""
    if not columns.asked:
        return estimator, rows.texts(columns.text)
    if not is_sklearn(estimator, "Pipeline") or len(estimator.steps) < 2:
        return None
    features = _features(estimator.steps[0][1], rows, columns)
    return None if features is None else (estimator[1:], features)


def _features(transformer: Any, rows: Rows, columns: Columns) -> Any:
    """The matrix that it makes of the articles; None of another transformer."""
    if is_sklearn(transformer, "Pipeline"):
        found = _features(transformer.steps[0][1], rows, columns)
        return found if found is None or len(transformer.steps) < 2 else transformer[1:].transform(found)
    if not is_sklearn(transformer, "ColumnTransformer"):
        return None
    names, factors = column_names(transformer), transformer.transformer_weights or {}
    parts = []
    for name, part, given in transformer.transformers_:
        source = source_of(given, names)
        if isinstance(part, str) or source == Table(()):
            continue
        if isinstance(source, Table):
            values: Any = np.array([_values(rows, one, columns) for one in source.names], dtype=object).T
        else:
            values = _values(rows, source.name, columns)
        parts.append(sp.csr_matrix(part.transform(values)) * factors.get(name, 1.0))
    return sp.hstack(parts, "csr")


def _values(rows: Rows, theirs: str, columns: Columns) -> Sequence[Any]:
    ours = columns.ours.get(theirs, theirs)
    if ours == TEXT:
        return rows.texts(columns.text)
    return rows.texts(ours) if ours in TEXT_FIELDS else columns.as_given(theirs, rows.values(ours))


def _asked(estimator: Any, method: str, given: Any) -> Floats | None:
    if not hasattr(estimator, method):
        return None
    found = np.asarray(getattr(estimator, method)(given), np.float64)
    return np.stack([-found, found], axis=1) if found.ndim == 1 else found


def _difference(scores: Floats, decided: Floats | None) -> tuple[float | None, float]:
    """By how much of the largest they differ, and how much that may be."""
    if decided is None:
        return None, NEAR
    largest = float(np.abs(decided).max())
    return float(np.abs(scores - decided).max()) / (largest or 1.0), NEAR * largest


def _doubt(own: Floats, theirs: Floats) -> Floats:
    """(n,) by how much the probabilities of each article differ. Where scikit-learn's are all 0, or 0 by 0, which is no
    number, ours are even."""
    differ = np.abs(own - theirs).max(axis=1)
    return np.asarray(np.where(theirs.any(axis=1) & np.isfinite(differ), differ, 0.0))


def _much(doubt: Floats, head: SectionHead) -> float:
    """What counts of them: isotonic curves are as steep as they please, so nearly all of them there."""
    return float(np.quantile(doubt, 0.9) if head.calibration.steps is not None else doubt.max())


def _margin(values: Floats | None, head: SectionHead) -> Floats:
    """(n,) how far each article is from other labels."""
    if values is None:
        return np.zeros(0)
    if head.assignment is not None:
        return np.asarray(np.abs(values - head.assignment).min(axis=1))
    ranked = np.sort(values, axis=1)
    return np.asarray(ranked[:, -1] - ranked[:, -2])


def _same(head: SectionHead, labels: NDArray[Any], assigned: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if head.several:
        return np.asarray((assigned == (labels > 0)).all(axis=1))
    names = np.array(head.labels, dtype=object)[assigned.argmax(axis=1)]
    return np.array(
        [name == str(label) for name, label in zip(names, labels.tolist(), strict=True)], np.bool_
    )

"""Articles whose labels are likely wrong, by confident learning (Northcutt, Jiang & Chuang 2021, "Confident learning:
estimating uncertainty in dataset labels").

A label's threshold is the mean probability that articles with it get for it, from fits that did not see them; an article
that reaches the threshold of a label it does not have, and not that of its own, is suspected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.hygiene._checks import CELLS, Floats, Truth, check

_Found = list[tuple[float, int, int, int]]  # margin, article, own label or -1, other label or -1


@dataclass(frozen=True, slots=True)
class Suspect:
    """An article whose labels are likely wrong.

    "wrong": `predicted` should stand for `label`. With several labels an article also "missing": `predicted` should be
    added (`label` is None), and "extra": `label` should go (`predicted` is None). `probability` is that of `predicted`,
    `label_probability` that of `label`; None where there is none. `margin` is by how much the evidence for the change
    outweighs that against it, in 0–1.
    """

    kind: Literal["wrong", "missing", "extra"]
    id: str
    headline: str
    label: str | None
    predicted: str | None
    probability: float | None
    label_probability: float | None
    margin: float


def suspected_labels(
    held_probability: Floats,
    truth: Truth,
    ids: Sequence[str],
    headlines: Sequence[str],
    labels: Sequence[str],
    *,
    several: bool = False,
    most: int = 200,
) -> list[Suspect]:
    """The articles that are most likely mislabelled, at most `most`, the largest margin first (equal ones by id).

    With several labels each is a question of its own: has the article it or not. Articles without any of `labels` are left
    out unless `several`.

    Args:
        held_probability: (n, k) calibrated out-of-fold probabilities.
        truth: (n, k) which labels each article has; at most one unless `several`.
        ids, headlines: (n,)
        labels: (k,)

    Raises:
        UsageError: shapes that do not fit, or something that is no probability.
    """
    check(held_probability, truth, labels, ids, headlines)
    positives = truth.sum(axis=0)
    total = np.where(truth, held_probability, 0.0).sum(axis=0)
    # A label without articles has no threshold, and so is never suggested.
    threshold = np.divide(total, positives, out=np.full(len(labels), np.inf), where=positives > 0)
    find = _suspects_of_several if several else _suspects
    found = find(held_probability, truth, threshold)
    found.sort(key=lambda item: (-item[0], ids[item[1]], item[2], item[3]))
    result = []
    for margin, row, own, other in found[: max(most, 0)]:
        result.append(
            Suspect(
                "wrong" if own >= 0 and other >= 0 else "missing" if own < 0 else "extra",
                ids[row],
                headlines[row],
                labels[own] if own >= 0 else None,
                labels[other] if other >= 0 else None,
                float(held_probability[row, other]) if other >= 0 else None,
                float(held_probability[row, own]) if own >= 0 else None,
                margin,
            )
        )
    return result


def _suspects(probability: Floats, truth: Truth, threshold: Floats) -> _Found:
    own = truth.argmax(axis=1)
    labelled = np.flatnonzero(truth.any(axis=1))
    found: _Found = []
    step = max(1, CELLS // probability.shape[1])
    for start in range(0, len(labelled), step):
        rows = labelled[start : start + step]
        p = probability[rows]
        mine = p[np.arange(len(rows)), own[rows]]
        reached = np.where((p >= threshold) & ~truth[rows], p, -1.0)
        other = reached.argmax(axis=1)
        theirs = reached[np.arange(len(rows)), other]
        hit = np.flatnonzero((theirs > mine) & (mine < threshold[own[rows]]))
        for i in hit.tolist():
            found.append((float(theirs[i] - mine[i]), int(rows[i]), int(own[rows[i]]), int(other[i])))
    return found


def _suspects_of_several(probability: Floats, truth: Truth, threshold: Floats) -> _Found:
    """Having and not having a label are its two classes; both thresholds are as in `suspected_labels`."""
    negatives = len(truth) - truth.sum(axis=0)
    total = np.where(truth, 0.0, 1.0 - probability).sum(axis=0)
    without = np.divide(total, negatives, out=np.full(len(negatives), np.inf), where=negatives > 0)
    found: _Found = []
    step = max(1, CELLS // max(len(truth), 1))
    for start in range(0, truth.shape[1], step):
        part = slice(start, start + step)
        p, has = probability[:, part], truth[:, part]
        away = 1.0 - p
        missing = ~has & (p >= threshold[part]) & (away < without[part]) & (p > 0.5)
        extra = has & (away >= without[part]) & (p < threshold[part]) & (p < 0.5)
        for row, label in np.argwhere(missing).tolist():
            found.append((float(2.0 * p[row, label] - 1.0), row, -1, start + label))
        for row, label in np.argwhere(extra).tolist():
            found.append((float(1.0 - 2.0 * p[row, label]), row, start + label, -1))
    return found

"""From plain arrays to what a report shows; every function is pure, and none depends on the order of the articles."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from training.metrics import wilson
from training.report.content import (
    Confusion,
    CoverageCurve,
    Floats,
    Ints,
    LabelScore,
    Mistake,
    Reliability,
    SliceRow,
    TargetPoint,
)

UNKNOWN = "(unknown)"
MOST_POINTS = 500
# Upper ends of the length slices, in characters: a measure that every script has.
_LENGTHS = (50, 100, 200, 500, 1000, 2000, 5000)
_CHUNK = 1 << 20  # counts drawn at a time


def confusion(truth: ArrayLike, predicted: ArrayLike, labels: Sequence[str], *, most: int = 25) -> Confusion:
    """Articles by true and predicted label, for the `most` labels with the most mistakes.

    `truth`, `predicted` (n,) are positions in `labels`. Of labels with equally many mistakes the more frequent come
    first; those shown stand in the order of `labels`. No (k, k) array is made, so k may be in the tens of thousands.
    """
    counts = _table(np.asarray(truth, np.int64), np.asarray(predicted, np.int64), len(labels))
    support, answers = _sums(counts, axis=1), _sums(counts, axis=0)
    return _most_confused(
        counts, support, support + answers - 2 * np.asarray(counts.diagonal()), labels, most
    )


def confusion_several(
    truth: ArrayLike, assigned: ArrayLike, labels: Sequence[str], *, most: int = 25
) -> Confusion:
    """`confusion` where articles have several labels; `truth`, `assigned` (n, k) are 0 or 1, dense or sparse.

    The diagonal counts labels rightly assigned, the rest each pair of a missed label (row) and a wrong one (column) in
    the same article.
    """
    true, own = sp.csr_array(truth, dtype=np.int64), sp.csr_array(assigned, dtype=np.int64)
    hits = true.multiply(own).tocsr()
    missed, false = true - hits, own - hits
    right = sp.diags_array(_sums(hits, axis=0), dtype=np.int64)
    counts = (missed.T @ false + right).tocsr()
    wrong = _sums(missed, axis=0) + _sums(false, axis=0)
    return _most_confused(counts, _sums(true, axis=0), wrong, labels, most)


def _sums(table: sp.csr_array, axis: int) -> Ints:
    return np.asarray(table.sum(axis=axis), np.int64).ravel()


def _table(truth: Ints, predicted: Ints, k: int) -> sp.csr_array:
    ones = np.ones(len(truth), np.int64)
    return sp.coo_array((ones, (truth, predicted)), shape=(k, k)).tocsr()


def _most_confused(
    counts: sp.csr_array, support: Ints, wrong: Ints, labels: Sequence[str], most: int
) -> Confusion:
    occurs = np.flatnonzero(support + wrong > 0)
    order = occurs[np.lexsort((occurs, -support[occurs], -wrong[occurs]))]
    shown = np.sort(order[:most])
    part = np.asarray(counts[shown][:, shown].toarray(), np.int64)
    return Confusion(tuple(labels[i] for i in shown.tolist()), part, support[shown], len(labels))


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> Reliability:
    """Mean confidence and share right in bins of equal mass, as the ECE of `training.metrics` cuts them.

    `confidence`, `correct` (n,). Articles of equal confidence each count with their common share right.
    """
    p, c = _sorted(confidence, correct)
    if not len(p):
        return Reliability(np.empty(0), np.empty(0), np.empty(0, np.int64))
    starts = np.flatnonzero(np.r_[True, p[1:] != p[:-1]])
    sizes = np.diff(np.r_[starts, len(p)])
    c = np.repeat(np.add.reduceat(c, starts) / sizes, sizes)
    parts = np.array_split(np.arange(len(p)), min(bins, len(p)))
    return Reliability(
        np.array([p[part].mean() for part in parts]),
        np.array([c[part].mean() for part in parts]),
        np.array([len(part) for part in parts], np.int64),
    )


def precision_coverage(
    confidence: ArrayLike,
    correct: ArrayLike,
    thresholds: Sequence[tuple[float, float | None]] = (),
    *,
    most: int = MOST_POINTS,
) -> CoverageCurve:
    """The precision that filing the most confident articles would have, for every share of them, thinned to `most`.

    `confidence`, `correct` (n,); `thresholds` are (target, probability or None), each of which becomes a point.
    Articles of equal confidence are filed together.
    """
    p, c = _sorted(confidence, correct)
    n = len(p)
    falling, hits = p[::-1], np.cumsum(c[::-1])
    last = np.flatnonzero(np.append(falling[1:] < falling[:-1], True)) if n else np.empty(0, np.int64)
    if len(last) > most:
        last = last[np.unique(np.linspace(0, len(last) - 1, most).round().astype(np.int64))]
    points = []
    for target, threshold in sorted(thresholds, key=lambda item: item[0]):
        filed = c[p >= threshold] if threshold is not None else c[:0]
        precision = float(filed.mean()) if len(filed) else None
        points.append(TargetPoint(target, threshold, len(filed) / n if n else 0.0, precision))
    return CoverageCurve((last + 1) / max(n, 1), hits[last] / (last + 1), tuple(points), n)


def f1_intervals(
    truth: ArrayLike,
    predicted: ArrayLike,
    labels: Sequence[str],
    *,
    samples: int = 1000,
    seed: int = 0,
) -> tuple[LabelScore, ...]:
    """Each label's F1 with its 95 % bootstrap interval over articles, in the order of `labels`.

    `truth`, `predicted` are positions (n,) in `labels`, or (n, k) indicators of several labels. Of articles drawn with
    replacement only three counts matter to a label (hit, mistaken, neither), so those are drawn: a multinomial, whose
    distribution is exactly that of drawing articles, at a cost that does not grow with n.
    """
    k = len(labels)
    t, p = np.asarray(truth), np.asarray(predicted)
    if t.ndim == 2:
        n, hits, support = len(t), (t & p).sum(axis=0), t.sum(axis=0)
        wrong = (t ^ p).sum(axis=0)
    else:
        n, hits, support = len(t), np.bincount(t[t == p], minlength=k), np.bincount(t, minlength=k)
        wrong = support + np.bincount(p, minlength=k) - 2 * hits
    low, high = _bootstrap_f1(hits, wrong, n, samples, seed)
    with np.errstate(invalid="ignore"):
        f1 = 2 * hits / (2 * hits + wrong)
    return tuple(
        LabelScore(labels[i], float(f1[i]), float(low[i]), float(high[i]), int(support[i])) for i in range(k)
    )


def _bootstrap_f1(hits: Ints, wrong: Ints, n: int, samples: int, seed: int) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    low, high = np.full(len(hits), np.nan), np.full(len(hits), np.nan)
    known = np.flatnonzero(hits + wrong > 0)
    step = max(1, _CHUNK // (3 * samples))
    for start in range(0, len(known), step):
        at = known[start : start + step]
        shares = np.stack([hits[at], wrong[at], n - hits[at] - wrong[at]], axis=1) / n
        drawn = random.multinomial(n, shares, size=(samples, len(at)))
        with np.errstate(invalid="ignore"):
            f1 = 2 * drawn[..., 0] / (2 * drawn[..., 0] + drawn[..., 1])
        # A sample that holds no article of the label says nothing about it; one without any at all cannot be ruled out.
        f1[:, np.isnan(f1).all(axis=0)] = 0.0
        low[at], high[at] = np.nanquantile(f1, [0.025, 0.975], axis=0)
    return low, high


def slice_accuracy(
    values: Sequence[str | None], correct: ArrayLike, *, most: int = 12, by_value: bool = False
) -> tuple[SliceRow, ...]:
    """Accuracy for each value with its interval (Wilson, 95 %): the `most` frequent values, most frequent first.

    `values` (n), None or "" where unknown; `correct` (n,). `by_value` puts those chosen in the order of their values,
    as months want it.
    """
    right, all_ = Counter[str](), Counter[str]()
    for value, own in zip(values, np.asarray(correct, np.bool_).tolist(), strict=True):
        all_[value or UNKNOWN] += 1
        right[value or UNKNOWN] += own
    chosen = sorted(all_, key=lambda value: (-all_[value], value))[:most]
    if by_value:
        chosen.sort()
    low, high = wilson([right[value] for value in chosen], [all_[value] for value in chosen])
    return tuple(
        SliceRow(value, all_[value], right[value] / all_[value], float(low[i]), float(high[i]))
        for i, value in enumerate(chosen)
    )


def month_slices(days: Sequence[str | None], correct: ArrayLike) -> tuple[SliceRow, ...]:
    """`slice_accuracy` by month; `days` (n) are local ISO days ("2031-04-21"). The months stand in order."""
    return slice_accuracy([day[:7] if day else None for day in days], correct, by_value=True)


def length_slices(lengths: ArrayLike, correct: ArrayLike) -> tuple[SliceRow, ...]:
    """`slice_accuracy` by length; `lengths` (n,) in characters. The bins stand in order."""
    bins = np.searchsorted(_LENGTHS, np.asarray(lengths), side="right")
    names = [f"under {_LENGTHS[0]} characters"]
    names += [f"{low:,}–{high - 1:,} characters" for low, high in itertools.pairwise(_LENGTHS)]
    names.append(f"{_LENGTHS[-1]:,} characters and more")
    rows = slice_accuracy([names[i] for i in bins.tolist()], correct)
    return tuple(sorted(rows, key=lambda row: names.index(row.value)))


def top_words(
    names: Sequence[str], weights: ArrayLike, labels: Sequence[str], *, most: int = 10
) -> dict[str, tuple[tuple[str, float], ...]]:
    """The features that speak most for each label, heaviest first, positive ones only.

    `weights` (f, k) of the f features called `names`; equal weights stand in the order of the names.
    """
    table = np.asarray(weights, np.float64)
    found = {}
    for j, label in enumerate(labels):
        column = table[:, j]
        best = np.argpartition(-column, most - 1)[:most] if len(column) > most else np.arange(len(column))
        # Whatever ties with the last place takes part, so that the cut does not depend on the order of the features.
        ties = np.flatnonzero(column == column[best].min()) if len(best) else best
        pool = np.union1d(best, ties[:1000]).tolist()
        ordered = sorted(pool, key=lambda i: (-column[i], names[i]))[:most]
        found[label] = tuple((names[i], float(column[i])) for i in ordered if column[i] > 0)
    return found


def worst_mistakes(
    truth: Sequence[str],
    predicted: Sequence[str],
    probability: ArrayLike,
    headlines: Sequence[str],
    words: Callable[[int], Sequence[tuple[str, float]]],
    *,
    most: int = 15,
    most_words: int = 8,
) -> tuple[Mistake, ...]:
    """The mistakes that the model was surest of; all arguments are (n), `probability` that of the predicted label.

    `words(i)` gives the contributions to article i's predicted label; it is asked for the mistakes shown only, and the
    `most_words` of largest effect are kept.
    """
    p = np.asarray(probability, np.float64)
    wrong = [i for i in range(len(p)) if truth[i] != predicted[i]]
    wrong.sort(key=lambda i: (-p[i], headlines[i], truth[i]))
    found = []
    for i in wrong[:most]:
        deciding = sorted(words(i), key=lambda item: (-abs(item[1]), item[0]))[:most_words]
        found.append(Mistake(headlines[i], truth[i], predicted[i], float(p[i]), tuple(deciding)))
    return tuple(found)


def _sorted(confidence: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats]:
    """By rising confidence, mistakes first among equals, so that the order of the rows has no influence."""
    p, c = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    order = np.lexsort((c, p))
    return p[order], c[order]

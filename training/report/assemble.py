"""A section head's answers on the held-out articles, as plain arrays, become the content of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from training.report.compute import (
    confusion,
    confusion_several,
    f1_intervals,
    length_slices,
    month_slices,
    precision_coverage,
    reliability,
    slice_accuracy,
    worst_mistakes,
)
from training.report.content import Floats, LabelCount, SectionContent, SliceRow

Bools = NDArray[np.bool_]
Labels = Sequence[tuple[str, ...]]
Words = Callable[[int], Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """n labelled articles that training never saw, and the answers to them.

    `labels` are the model's k; `truth` (n) each article's, which may hold others; `probability` (n, k). `assigned` (n, k)
    says which labels an article gets where it may get several; None where it gets the likeliest one. `lengths` (n) are in
    characters, `days` (n) local ISO days.
    """

    labels: tuple[str, ...]
    truth: Labels
    probability: Floats
    headlines: Sequence[str]
    lengths: Sequence[int]
    days: Sequence[str | None]
    sources: Sequence[str | None]
    languages: Sequence[str | None]
    assigned: Bools | None = None
    other_slices: Mapping[str, Sequence[str | None]] = field(default_factory=lambda: MappingProxyType({}))


def section_content(
    held_out: HeldOut,
    *,
    thresholds: Sequence[tuple[float, float | None]] = (),
    words: Words | None = None,
    train_labels: Iterable[tuple[str, ...]] = (),
) -> SectionContent:
    """Everything that follows from held-out answers; `dataclasses.replace` adds the learning curve, top words, sets and
    label hygiene.

    `thresholds` are (target, probability or None); `words(i)` gives (word, contribution) to article i's likeliest label,
    and is asked for the worst mistakes only; `train_labels` are the training articles', for their counts.
    """
    names = _names(held_out)
    best = held_out.probability.argmax(axis=1)
    confidence = held_out.probability[np.arange(len(best)), best]
    predicted = [held_out.labels[i] for i in best.tolist()]
    right_best = np.array(
        [name in own for name, own in zip(predicted, held_out.truth, strict=True)], np.bool_
    )
    if held_out.assigned is None:
        at = {name: i for i, name in enumerate(names)}
        truth = np.array([at[own[0]] for own in held_out.truth], np.int64)
        matrix = confusion(truth, best, names)
        scores, correct = f1_intervals(truth, best, names), right_best
    else:
        true, own = _indicators(held_out.truth, held_out.assigned, names)
        matrix = confusion_several(true, own, names)
        scores, correct = f1_intervals(true, own, names), (true == own).all(axis=1)
    # A mistake shows what the likeliest label should have been; of several, being among them is right.
    shown = [
        name if right else "; ".join(own)
        for name, right, own in zip(predicted, right_best, held_out.truth, strict=True)
    ]
    return SectionContent(
        labels=held_out.labels,
        several=held_out.assigned is not None,
        confusion=matrix,
        reliability=reliability(confidence, right_best),
        precision_coverage=precision_coverage(confidence, right_best, thresholds),
        f1=scores,
        counts=_counts(names, train_labels, held_out.truth),
        slices=_slices(held_out, correct),
        mistakes=worst_mistakes(shown, predicted, confidence, held_out.headlines, words or (lambda i: ())),
    )


def _names(held_out: HeldOut) -> list[str]:
    """The model's labels, then those that only held-out articles have."""
    known = set(held_out.labels)
    return [*held_out.labels, *sorted({name for own in held_out.truth for name in own} - known)]


def _indicators(truth: Labels, assigned: Bools, names: Sequence[str]) -> tuple[Bools, Bools]:
    at = {name: i for i, name in enumerate(names)}
    true = np.zeros((len(truth), len(names)), np.bool_)
    for row, own in enumerate(truth):
        true[row, [at[name] for name in own]] = True
    full = np.zeros_like(true)
    full[:, : assigned.shape[1]] = assigned
    return true, full


def _counts(names: Sequence[str], train: Iterable[tuple[str, ...]], test: Labels) -> tuple[LabelCount, ...]:
    before, after = (
        Counter(name for own in train for name in own),
        Counter(name for own in test for name in own),
    )
    if not before:
        return ()
    return tuple(
        LabelCount(name, before[name], after[name]) for name in dict.fromkeys([*names, *sorted(before)])
    )


def _slices(held_out: HeldOut, correct: Bools) -> dict[str, tuple[SliceRow, ...]]:
    found = {
        "source": slice_accuracy(held_out.sources, correct),
        "month": month_slices(held_out.days, correct),
        "length": length_slices(held_out.lengths, correct),
        "language": slice_accuracy(held_out.languages, correct),
        **{name: slice_accuracy(values, correct) for name, values in held_out.other_slices.items()},
    }
    # One slice is everything: nothing to compare.
    return {name: rows for name, rows in found.items() if len(rows) > 1}

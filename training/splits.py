"""What is held out, and the folds inside the training part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.errors import LabelError
from training.corpus import Corpus, Ids, Mask


@dataclass(frozen=True, slots=True)
class Split:
    """`train` and `test` (n,) masks, how they came about, and which test articles have near-duplicates in training."""

    train: Mask
    test: Mask
    how: str
    leaked: Mask


def split_corpus(corpus: Corpus, clusters: Ids, *, test_share: float, seed: int = 0) -> Split:
    """Hold out test articles; `clusters` (n,) are near-duplicate clusters.

    A given split is respected (articles without one are left out of both, except those made from boxes). Else the
    newest `test_share` by time; else, where fewer than half have a time, a stratified one by seed. Then
    near-duplicates stay on one side: the side of the cluster's first member.

    Raises:
        LabelError: one side would be empty.
    """
    given = np.array([value or "" for value in corpus.rows.values("split")])
    usable = ~corpus.from_box
    if (given[usable] != "").any():
        train, test, how = given == "train", given == "test", "as given by the split column"
    elif np.isfinite(corpus.instants[usable]).mean() >= 0.5:
        test = _newest(corpus, usable, clusters, test_share)
        train, how = ~test, f"the newest {test_share:.0%} by publication time held out"
    else:
        test = _stratified(corpus, usable, clusters, test_share, seed)
        train, how = ~test, f"a stratified {test_share:.0%} held out, seed {seed}"
    for name, side in (("training", train & usable), ("test", test)):
        if not side.any():
            raise LabelError(
                f"no article is left for the {name} part ({how})",
                remedy="give more articles, or a split column with both train and test",
            )
    # Those made from boxes do not count: where they are like a test article they do not train.
    leaked = test & np.isin(clusters, clusters[train & usable])
    return Split(train, test, how, leaked)


def _newest(corpus: Corpus, usable: Mask, clusters: Ids, share: float) -> Mask:
    times = corpus.instants
    dated = usable & np.isfinite(times)
    ordered = np.sort(times[dated])
    first = int(np.ceil(round(len(ordered) * (1 - share), 9)))  # rounded: 50 · (1 − 0.42) is a little over 29
    cut = ordered[min(first, len(ordered) - 1)]
    if cut == ordered[0]:
        # Nothing is older than the cut: leave the first instant for training.
        later = ordered[ordered > cut]
        cut = later[0] if len(later) else np.inf
    test = dated & (times >= cut)  # all of one instant on one side
    before = np.unique(clusters[~test & usable])
    return np.asarray(test & ~np.isin(clusters, before))


def _stratified(corpus: Corpus, usable: Mask, clusters: Ids, share: float, seed: int) -> Mask:
    """Whole clusters, drawn label by label."""
    generator = np.random.default_rng(seed)
    first: dict[int, tuple[str, ...]] = {}
    strata = _strata(corpus.labels)
    for i in np.flatnonzero(usable):
        first.setdefault(int(clusters[i]), strata[i])
    by_label: dict[tuple[str, ...], list[int]] = {}
    for cluster, labels in first.items():
        by_label.setdefault(labels, []).append(cluster)
    chosen: list[int] = []
    debt = 1e-9  # labels too rare to give a whole cluster add up, so that the share holds in all
    for labels in sorted(by_label):
        members = by_label[labels]
        debt += len(members) * share
        count = min(int(debt), len(members) - 1) if len(members) > 1 else 0
        debt -= count
        chosen.extend(np.array(members)[generator.permutation(len(members))[:count]].tolist())
    return usable & np.isin(clusters, chosen)


def _strata(labels: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What each article is drawn by: of several labels the most frequent, as few articles have the same ones."""
    counts = Counter(label for own in labels for label in own)
    return [(max(own, key=lambda label: (counts[label], label)),) if own else () for own in labels]


def folds(clusters: Ids, count: int, seed: int = 0) -> NDArray[np.int64]:
    """(n,) fold numbers 0 … count − 1, near-duplicates in the same fold, sizes as equal as clusters allow."""
    unique, inverse = np.unique(clusters, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(unique))
    number = np.empty(len(unique), np.int64)
    number[order] = np.arange(len(unique)) % count
    return number[inverse]


def stratified_folds(
    clusters: Ids, labels: Sequence[tuple[str, ...]], count: int, seed: int = 0
) -> NDArray[np.int64]:
    """(n,) fold numbers 0 … count − 1, shuffled, near-duplicates in the same fold: each label's clusters (by their first
    member) are dealt to the folds in turn, so that folds differ by at most one cluster of a label, and in all."""
    unique, first, inverse = np.unique(clusters, return_index=True, return_inverse=True)
    by_label: dict[tuple[str, ...], list[int]] = {}
    strata = _strata(labels)
    for cluster, row in enumerate(first.tolist()):
        by_label.setdefault(strata[row], []).append(cluster)
    generator = np.random.default_rng(seed)
    order = np.concatenate([generator.permutation(by_label[label]) for label in sorted(by_label)])
    number = np.empty(len(unique), np.int64)
    number[order] = np.arange(len(unique)) % count
    return number[inverse]


def day_folds(days: NDArray[np.str_], count: int) -> NDArray[np.int64]:
    """(n,) fold numbers: consecutive days together, so that a fold is predicted from other times."""
    unique, inverse = np.unique(days, return_inverse=True)
    return np.asarray(np.arange(len(unique)) * count // max(len(unique), 1), np.int64)[inverse]

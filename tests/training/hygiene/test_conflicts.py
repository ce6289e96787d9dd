"""Near-duplicates whose labels differ."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.errors import UsageError
from training.hygiene import conflicting_duplicates


def test_clusters_of_different_labels_conflict_the_largest_first() -> None:
    clusters = np.array([0, 1, 0, 2, 1, 1, 3, 3, 4, 4])
    labels = [("x",), ("x",), ("y",), ("x",), ("x", "y"), ("y", "x"), ("x",), (), ("y", "x"), ("x", "y")]
    ids = [f"i{9 - i}" for i in range(10)]
    heads = [f"headline {i}" for i in range(10)]
    found = conflicting_duplicates(clusters, labels, ids, heads)
    assert [conflict.ids for conflict in found] == [("i4", "i5", "i8"), ("i7", "i9")]
    assert found[0].labels == (("y", "x"), ("x", "y"), ("x",))
    assert found[1].headlines == ("headline 2", "headline 0")


def test_nothing_conflicts_in_nothing() -> None:
    assert conflicting_duplicates(np.empty(0, np.int64), [], [], []) == []


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(UsageError):
        conflicting_duplicates(np.zeros(2, np.int64), [("x",)], ["a"], [""])

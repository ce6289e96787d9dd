"""Near-duplicates whose labels differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.errors import UsageError

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Near-duplicates with different labels: `ids`, `headlines` and `labels` of the same articles, ids rising."""

    ids: tuple[str, ...]
    headlines: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]


def conflicting_duplicates(
    clusters: Ids, labels: Sequence[Sequence[str]], ids: Sequence[str], headlines: Sequence[str]
) -> list[Conflict]:
    """Clusters whose labelled articles have not all the same labels, the largest first (equal ones by id).

    Args:
        clusters: (n,) near-duplicate clusters.
        labels: (n,) the labels of each article; those without any do not count.
        ids, headlines: (n,)

    Raises:
        UsageError: the lengths differ.
    """
    lengths = {len(clusters), len(labels), len(ids), len(headlines)}
    if len(lengths) > 1:
        raise UsageError(f"the lengths differ: {sorted(lengths)}", remedy="give one value an article in each")
    members: dict[int, list[int]] = {}
    for row, cluster in enumerate(clusters.tolist()):
        if labels[row]:
            members.setdefault(cluster, []).append(row)
    found = []
    for rows in members.values():
        if len({frozenset(labels[row]) for row in rows}) > 1:
            rows.sort(key=lambda row: ids[row])
            found.append(
                Conflict(
                    tuple(ids[row] for row in rows),
                    tuple(headlines[row] for row in rows),
                    tuple(tuple(labels[row]) for row in rows),
                )
            )
    return sorted(found, key=lambda conflict: (-len(conflict.ids), conflict.ids))

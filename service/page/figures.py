"""A version's figures on held-out articles, as its manifest has them, in one list that a page can word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_NAMES = {
    "sections": ("n", "accuracy", "macro_f1", "micro_f1", "ece", "log_loss"),
    "popularity": (
        "n",
        "groups",
        "ndcg_at_10",
        "top5_overlap",
        "pairwise_accuracy",
        "auc",
        "top5_brier",
        "top5_ece",
    ),
}
Figure = dict[str, Any]


def read_figures(manifest: Mapping[str, Any]) -> list[Figure]:
    """`name` ("sections.accuracy"), `value`, `low` and `high` (its interval at 95 %, or null); of filing `target`,
    `precision` and `coverage` in place of these. Figures that are not known are left out."""
    metrics = manifest.get("metrics") or {}
    found: list[Figure] = []
    for head, names in _NAMES.items():
        own = metrics.get(head) or {}
        found += _of_head(head, names, own)
        found += [{"name": f"{head}.file", **_filing(item)} for item in own.get("file") or ()]
    return found


def _of_head(head: str, names: tuple[str, ...], metrics: Mapping[str, Any]) -> Iterator[Figure]:
    intervals = metrics.get("intervals") or {}
    for name in names:
        if metrics.get(name) is not None:
            low, high = intervals.get(name) or (None, None)
            yield {"name": f"{head}.{name}", "value": metrics[name], "low": low, "high": high}


def _filing(item: Mapping[str, Any]) -> Figure:
    return {name: item.get(name) for name in ("target", "precision", "coverage")}

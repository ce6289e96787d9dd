"""Metrics as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.evaluation import Evaluation
from training.report import comparison_rows, data_lines, popularity_rows, section_rows


def data_text(data: Mapping[str, Any]) -> str:
    """What was trained on and what was held out."""
    return "\n".join(data_lines(data)) + "\n"


def metrics_text(evaluation: Evaluation, where: str = "on held-out articles") -> str:
    """Both heads' metrics, with the baselines; `where` says on which articles."""
    parts = []
    if evaluation.sections:
        parts.append(f"SECTIONS, {where}\n" + _columns([*section_rows(evaluation.sections)]))
    if evaluation.popularity:
        table = _columns([*popularity_rows(evaluation.popularity)])
        if not evaluation.popularity["groups"]:
            table = "  no group of articles has the ten articles that the metrics need\n"
        ahead = _columns([*comparison_rows(evaluation.popularity)])
        parts.append(f"POPULARITY, {where}\n{table}{ahead}")
    return "\n".join(parts) or "nothing could be evaluated: no held-out article has a label\n"


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"

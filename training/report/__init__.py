"""What people read about a version: a model card and an HTML report.

`content` holds what they show beyond the manifest's figures, `compute` and `assemble` fill it from plain arrays, `figures`
and `bars` draw it. matplotlib is imported when a report with pictures is written, not before.
"""

from __future__ import annotations

from training.report.card import write_card
from training.report.page import write_report
from training.report.rows import comparison_rows, data_lines, number, popularity_rows, section_rows

__all__ = [
    "comparison_rows",
    "data_lines",
    "number",
    "popularity_rows",
    "section_rows",
    "write_card",
    "write_report",
]

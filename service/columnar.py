"""Lines of NDJSON scored as columns, where nothing about them is unusual: no object an article, and other threads run
meanwhile. The answers are those that `service.scoring` would give; where anything is unusual there are none, and it is
asked.

It costs what importing PyArrow does, so a service that never sees many lines at once does without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from classifier.articles import TEXT_FIELDS
from classifier.batches import score_checked
from classifier.errors import InputError
from classifier.reading.base import ReadOptions
from classifier.reading.checks import check_batch
from classifier.reading.iso_times import iso_times
from classifier.reading.json_cells import LINE_ROW, Block, Cut, Kinds, Scanner
from classifier.reading.json_lines import json_lines
from classifier.reading.rows import Where, to_articles

if TYPE_CHECKING:
    from classifier.model import Model
    from service.observing import Record
    from service.settings import Settings

_TIME = "published_at"
_STRINGS = frozenset({"id", *TEXT_FIELDS, "section", "source", "url", "language", _TIME})
_OPTIONS, _WHERE = ReadOptions(), Where("")


def score_lines(model: Model, lines: Sequence[bytes], settings: Settings, record: Record) -> bytes | None:
    """The answers to lines that are not blank, a line each, counted; None where objects must be looked at."""
    articles = _articles(lines, settings)
    if articles is None:
        return None
    try:
        scored = score_checked(model, articles)
    except InputError:
        return None
    decided = zip(scored.column("section").to_pylist(), scored.column("decision").to_pylist(), strict=True)
    record.scored(model, list(decided), lambda number: to_articles(articles.slice(number, 1))[0])
    answers: bytes = json_lines(scored, gap="").to_pybytes()
    return answers


def _articles(lines: Sequence[bytes], settings: Settings) -> pa.RecordBatch | None:
    """The article table of the lines."""
    scanner, block = Scanner(len(_STRINGS)), Block(b"\n".join(lines))
    cut = scanner.cut(block, 0, len(lines), ended=True)
    if not _is_plain(cut, len(lines), settings.max_text_length):
        return None
    columns = {name: scanner.strings(cut, column) for name, column in (cut.columns or {}).items()}
    if _TIME in columns:
        times = iso_times(columns[_TIME], None)
        if times is None:
            return None
        columns[_TIME] = times
    batch, rejected = check_batch(pa.RecordBatch.from_pydict(columns), _OPTIONS, _WHERE)
    return None if rejected else batch


def _is_plain(cut: Cut, count: int, longest: int) -> bool:
    """Whether every line is an object of strings and nulls under known names, and no text can be too long."""
    return (
        cut.rows == count
        and bool((cut.lines[:, 2] == LINE_ROW).all())
        # No line has more characters than bytes, and none is written in fewer.
        and int(cut.lines[:, 1].max()) <= longest
        and bool(cut.columns)
        and _STRINGS.issuperset(cut.columns or ())
        and not any(column.kinds & ~(Kinds.STRING | Kinds.NULL) for column in (cut.columns or {}).values())
    )

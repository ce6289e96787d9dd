"""Ranking boxes: from lines to boxes, and headline-only articles for their unknown titles.

A box gives one group of judgements: its listed articles with `rank_values`, and with 0 every other article known to the
list's scope around that time (the listed ones are above them; they are in no order among themselves).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifier.reading.base import SITE_WIDE
from classifier.similar import normalise_title
from training.corpus import Corpus
from training.labels.judgements import Floats

Line = tuple[int, str, str | None]


@dataclass(frozen=True, slots=True)
class Box:
    """One printed list: `name` (a section's or outlet's, SITE_WIDE), when it was taken, (rank, title, article id or
    None) lines in order of rank, the file it stood in, and the lines that had a rank of another (`surplus`)."""

    name: str
    taken_at: datetime | None
    lines: tuple[Line, ...]
    file: str | None
    surplus: tuple[Line, ...] = ()


@dataclass(slots=True)
class BoxReport:
    """What joining did. `unprinted` boxes were taken before any article that they list was published; `surplus` lines had a
    rank that another line of their box has, and were left out."""

    boxes: int = 0
    lines: int = 0
    matched: int = 0
    headline_only: int = 0
    left_out: int = 0
    unprinted: int = 0
    surplus: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {
            name: getattr(self, name) for name in ("boxes", "lines", "matched", "headline_only", "left_out")
        }


def rank_values(ranks: npt.ArrayLike) -> Floats:
    """What places in a box are worth, (n,), from ranks (n,; 1 is the top): 1 / log2(1 + rank), the discount of nDCG
    (Järvelin & Kekäläinen, ACM TOIS 2002). Articles that are not listed have 0. Metrics see these values; targets see only
    their order (`normal_scores`)."""
    return np.asarray(1.0 / np.log2(1.0 + np.asarray(ranks, np.float64)))


def group_boxes(table: pa.Table) -> list[Box]:
    """Box table rows to boxes, each once: pages of one crawl print the same box again and again.

    Rows of one list and one time are a box; without a time, those of one list and file. Of two titles with one rank in
    a box the first stays; a box printed in several files belongs to the first.
    """
    found: dict[tuple[str, datetime | None, str | None], Box] = {}
    lines: dict[tuple[str, datetime | None, str | None], dict[int, Line]] = {}
    surplus: dict[tuple[str, datetime | None, str | None], dict[Line, None]] = {}
    for row in table.to_pylist():
        file = row.get("file")
        key = (row["list"], row["taken_at"], file if row["taken_at"] is None else None)
        found.setdefault(key, Box(row["list"], row["taken_at"], (), file))
        line = (row["rank"], row["headline"] or "", row["article_id"])
        first = lines.setdefault(key, {}).setdefault(row["rank"], line)
        if normalise_title(first[1]) != normalise_title(line[1]):
            surplus.setdefault(key, {})[line] = None
    boxes: dict[tuple[str, datetime | None, tuple[Line, ...]], Box] = {}
    for key, box in found.items():
        in_order = tuple(lines[key][rank] for rank in sorted(lines[key]))
        whole = replace(box, lines=in_order, surplus=tuple(surplus.get(key, ())))
        boxes.setdefault((box.name, box.taken_at, in_order), whole)
    return list(boxes.values())


def add_box_articles(corpus: Corpus, boxes: Sequence[Box], teaching: Sequence[bool] | None = None) -> Corpus:
    """The corpus with a headline-only article for every box title that matches none, labelled with its list's section.

    A list whose name is a source of the corpus gives the article that source instead; the site-wide list gives neither.
    Of lists that disagree the first decides. Where `teaching` is given, only boxes with a true one give labels: what a
    held-out box says about a title must not come into training.
    """
    known = ArticleIndex(corpus)
    fresh: dict[str, dict[str, Any]] = {}
    for box, teaches in zip(boxes, teaching or [True] * len(boxes), strict=True):
        for _, title, article_id in box.lines:
            key = normalise_title(title)
            if not key or known.find(title, article_id) is not None:
                continue
            row = fresh.setdefault(
                key,
                {"id": f"box:{key}", "headline": title, "summary": "", "body": "", "file": box.file},
            )
            if not teaches or box.name == SITE_WIDE:
                continue
            row.setdefault("source" if box.name in known.sources else "section", box.name)
    if not fresh:
        return corpus
    schema = corpus.table.schema
    rows = [{name: row.get(name) for name in schema.names} for row in fresh.values()]
    table = pa.concat_tables([corpus.table, pa.Table.from_pylist(rows, schema)])
    return replace(corpus, table=table, from_box=np.append(corpus.from_box, np.ones(len(rows), np.bool_)))


class ArticleIndex:
    """Finds articles by id or normalised headline."""

    def __init__(self, corpus: Corpus) -> None:
        self.ids = {value: i for i, value in enumerate(corpus.rows.values("id"))}
        self.titles: dict[str, int] = {}
        for i, headline in enumerate(corpus.rows.texts("headline")):
            if key := normalise_title(headline):
                self.titles.setdefault(key, i)
        self.sources = {value for value in corpus.rows.values("source") if value}

    def find(self, title: str, article_id: str | None) -> int | None:
        """The article's position, None where there is none."""
        if article_id is not None and article_id in self.ids:
            return self.ids[article_id]
        return self.titles.get(normalise_title(title))

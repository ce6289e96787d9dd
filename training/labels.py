"""Popularity labels: counts, flags and ranking boxes, all brought to one form, judgements.

A judgement says: in this group, this article has this value. Counts and flags give one judgement an article, in its own
group. A ranking box gives one group: its listed articles with 1 / log2(1 + rank), and with 0 every other article
known to the list's scope around that time (the listed ones are above them; they are in no order among themselves).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from classifier.reading.base import SITE_WIDE
from classifier.text.times import zone
from training.corpus import Corpus, Mask

Floats = NDArray[np.float64]
_Line = tuple[int, str, str | None]


@dataclass(frozen=True, slots=True)
class Judgements:
    """m judgements: article positions `rows` (m,), `values` (m,), group names `groups` (m,), and whether they are flags."""

    rows: NDArray[np.int64]
    values: Floats
    groups: NDArray[np.str_]
    flags: bool

    def __len__(self) -> int:
        return len(self.rows)

    def within(self, mask: Mask) -> Judgements:
        """Those about the articles of a mask, with positions counted inside it."""
        position = np.cumsum(mask) - 1
        keep = mask[self.rows]
        return Judgements(position[self.rows[keep]], self.values[keep], self.groups[keep], self.flags)


NO_JUDGEMENTS = Judgements(np.empty(0, np.int64), np.empty(0), np.empty(0, np.str_), False)


@dataclass(frozen=True, slots=True)
class Box:
    """One printed list: `name` (a section's or outlet's, SITE_WIDE), when it was taken, (rank, title, article id or
    None) lines in order of rank, and the file it stood in."""

    name: str
    taken_at: datetime | None
    lines: tuple[_Line, ...]
    file: str | None


@dataclass(slots=True)
class BoxReport:
    """What joining did."""

    boxes: int = 0
    lines: int = 0
    matched: int = 0
    headline_only: int = 0
    left_out: int = 0
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {
            name: getattr(self, name) for name in ("boxes", "lines", "matched", "headline_only", "left_out")
        }


def group_boxes(table: pa.Table) -> list[Box]:
    """Box table rows to boxes, each once: pages of one crawl print the same box again and again.

    Rows of one list and one time are a box; without a time, those of one list and file. Of two titles with one rank in
    a box the first stays; a box printed in several files belongs to the first.
    """
    found: dict[tuple[str, datetime | None, str | None], tuple[str | None, dict[int, _Line]]] = {}
    for row in table.to_pylist():
        file = row.get("file")
        key = (row["list"], row["taken_at"], file if row["taken_at"] is None else None)
        _, lines = found.setdefault(key, (file, {}))
        lines.setdefault(row["rank"], (row["rank"], row["headline"] or "", row["article_id"]))
    boxes: dict[tuple[str, datetime | None, tuple[_Line, ...]], Box] = {}
    for (name, taken_at, _), (file, by_rank) in found.items():
        in_order = tuple(by_rank[rank] for rank in sorted(by_rank))
        boxes.setdefault((name, taken_at, in_order), Box(name, taken_at, in_order, file))
    return list(boxes.values())


def normalise_title(title: str) -> str:
    """How titles are compared: NFKC, case folded, quotes straightened, white space squeezed."""
    text = unicodedata.normalize("NFKC", title).casefold()
    for curly, straight in (("\u2018", "'"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"')):
        text = text.replace(curly, straight)
    return " ".join(text.split())


def add_box_articles(corpus: Corpus, boxes: Sequence[Box], teaching: Sequence[bool] | None = None) -> Corpus:
    """The corpus with a headline-only article for every box title that matches none, labelled with its list's section.

    A list whose name is a source of the corpus gives the article that source instead; the site-wide list gives neither.
    Of lists that disagree the first decides. Where `teaching` is given, only boxes with a true one give labels: what a
    held-out box says about a title must not come into training.
    """
    known = _Index(corpus)
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
    return Corpus(table, corpus.timezone, np.append(corpus.from_box, np.ones(len(rows), np.bool_)))


class _Index:
    """Finds articles by id or normalised headline."""

    def __init__(self, corpus: Corpus) -> None:
        self.ids = {value: i for i, value in enumerate(corpus.rows.values("id"))}
        self.titles: dict[str, int] = {}
        for i, headline in enumerate(corpus.rows.texts("headline")):
            if key := normalise_title(headline):
                self.titles.setdefault(key, i)
        self.sources = {value for value in corpus.rows.values("source") if value}

    def find(self, title: str, article_id: str | None) -> int | None:
        if article_id is not None and article_id in self.ids:
            return self.ids[article_id]
        return self.titles.get(normalise_title(title))


def count_judgements(corpus: Corpus) -> Judgements:
    """Of the popularity column, for articles with a group."""
    grouped = np.array([group is not None for group in corpus.groups], np.bool_)
    known = np.flatnonzero(np.isfinite(corpus.popularity) & grouped)
    values = corpus.popularity[known]
    groups = np.array([corpus.groups[i] for i in known], dtype=np.str_)
    return Judgements(known, values, groups, bool(len(values)) and bool(np.isin(values, (0.0, 1.0)).all()))


def box_judgements(corpus: Corpus, boxes: Sequence[Box], *, window_days: int) -> tuple[Judgements, BoxReport]:
    """Join boxes with articles by id or exact normalised title.

    The unlisted articles of a box are those of its scope (its source, its section, or all) published between the day of
    its earliest listed article (at most `window_days` back) and the time it was taken; of a box without a time, those
    published on the days of its listed articles.
    """
    index = _Index(corpus)
    scopes = _scopes(corpus, index.sources)
    rows: list[int] = []
    values: list[float] = []
    groups: list[str] = []
    report = BoxReport(boxes=len(boxes))
    for number, box in enumerate(boxes):
        listed: dict[int, float] = {}
        for rank, title, article_id in box.lines:
            report.lines += 1
            if (at := index.find(title, article_id)) is None:
                continue
            report.matched += 1
            report.headline_only += int(corpus.from_box[at])
            listed.setdefault(at, 1.0 / float(np.log2(1.0 + rank)))
        unlisted = [] if not listed else _unlisted(corpus, box, listed, scopes, window_days)
        if len(listed) + len(unlisted) < 2:
            report.left_out += 1
            continue
        rows += [*listed, *unlisted]
        values += [*listed.values(), *([0.0] * len(unlisted))]
        groups += [f"{number} {box.name} {box.taken_at or ''}"] * (len(listed) + len(unlisted))
    judgements = Judgements(
        np.array(rows, np.int64), np.array(values, np.float64), np.array(groups, dtype=np.str_), False
    )
    return judgements, report


def _scopes(corpus: Corpus, sources: set[str]) -> dict[str, NDArray[np.int64]]:
    """Positions of dated articles by list name, oldest first."""
    order = np.argsort(corpus.instants, kind="stable")
    dated = order[np.isfinite(corpus.instants[order])]
    scopes: dict[str, list[int]] = {SITE_WIDE: dated.tolist()}
    article_sources = corpus.rows.values("source")
    for i in dated.tolist():
        if article_sources[i]:
            scopes.setdefault(article_sources[i], []).append(i)
        for label in corpus.labels[i]:
            if label not in sources:
                scopes.setdefault(label, []).append(i)
    return {name: np.array(members, np.int64) for name, members in scopes.items()}


def _unlisted(
    corpus: Corpus,
    box: Box,
    listed: dict[int, float],
    scopes: dict[str, NDArray[np.int64]],
    window_days: int,
) -> list[int]:
    members = scopes.get(box.name, np.empty(0, np.int64))
    times = corpus.instants[members]
    own = np.array([corpus.instants[i] for i in listed if np.isfinite(corpus.instants[i])])
    if box.taken_at is None:
        days = {corpus.days[i] for i in listed} - {None}
        return [i for i in members.tolist() if corpus.days[i] in days and i not in listed]
    end = box.taken_at.timestamp()
    own = own[own < end]
    first = _day_start(float(own.min()), corpus.timezone) if len(own) else end - 86400.0
    first = max(first, (box.taken_at - timedelta(days=window_days)).timestamp())
    low, high = np.searchsorted(times, [first, end], side="left")
    return [i for i in members[low:high].tolist() if i not in listed]


def _day_start(instant: float, timezone: str) -> float:
    local = datetime.fromtimestamp(instant, zone(timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def training_targets(judgements: Judgements, others: Judgements, count: int) -> Floats:
    """(count,) standardised targets, from `others` where `judgements` know nothing."""
    targets = standardised_targets(judgements, count)
    return np.where(np.isfinite(targets), targets, standardised_targets(others, count))


def standardised_targets(judgements: Judgements, count: int) -> Floats:
    """(count,) regression targets, NaN where nothing is known.

    Within each group the values (but of flags their log(1 + x), mirrored below 0) are centred and scaled to unit
    deviation; groups whose values are all equal say nothing. An article with several judgements takes their mean.
    """
    total, seen = np.zeros(count), np.zeros(count)
    names, group = np.unique(judgements.groups, return_inverse=True)
    values = judgements.values
    if not judgements.flags:
        values = np.sign(values) * np.log1p(np.abs(values))
    sizes = np.bincount(group)
    mean = np.bincount(group, values) / np.maximum(sizes, 1)
    centred = values - mean[group]
    deviation = np.sqrt(np.bincount(group, centred**2) / np.maximum(sizes, 1))
    # Compared exactly: in a large group of equal values rounding alone gives a deviation.
    least, most = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    np.minimum.at(least, group, values)
    np.maximum.at(most, group, values)
    told = (most > least)[group] & (deviation[group] > 0)
    np.add.at(total, judgements.rows[told], centred[told] / deviation[group][told])
    np.add.at(seen, judgements.rows[told], 1.0)
    return np.where(seen > 0, total / np.maximum(seen, 1.0), np.nan)

"""From ranking boxes and the articles around them to judgements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from classifier.reading.base import SITE_WIDE
from classifier.text.times import zone
from training.corpus import Corpus
from training.labels.boxes import ArticleIndex, Box, BoxReport, rank_values
from training.labels.judgements import Judgements

Ints = NDArray[np.int64]


def box_judgements(corpus: Corpus, boxes: Sequence[Box], *, window_days: int) -> tuple[Judgements, BoxReport]:
    """Join boxes with articles by id or exact normalised title. An article twice in a box has the better rank.

    The unlisted articles of a box are those of its scope (its source, its section, or all) published between the day of
    its earliest listed article (at most `window_days` back) and the time it was taken; of a box without a time, those
    published on the days of its listed articles. An article whose rank another line holds is neither listed nor unlisted.
    """
    index = ArticleIndex(corpus)
    scopes = _scopes(corpus, index.sources)
    rows: list[int] = []
    values: list[float] = []
    groups: list[str] = []
    report = BoxReport(boxes=len(boxes))
    for number, box in enumerate(boxes):
        listed: dict[int, int] = {}
        for rank, title, article_id in box.lines:
            report.lines += 1
            if (at := index.find(title, article_id)) is None:
                continue
            report.matched += 1
            report.headline_only += int(corpus.from_box[at])
            listed.setdefault(at, rank)
        report.unprinted += int(_is_unprinted(corpus, box, listed))
        report.surplus += len(box.surplus)
        surplus = {index.find(title, article_id) for _, title, article_id in box.surplus}
        around = [] if not listed else _around(corpus, box, listed, scopes, window_days)
        unlisted = [i for i in around if i not in listed and i not in surplus]
        if len(listed) + len(unlisted) < 2:
            report.left_out += 1
            continue
        rows += [*listed, *unlisted]
        values += [*rank_values(list(listed.values())).tolist(), *([0.0] * len(unlisted))]
        groups += [f"{number} {box.name} {box.taken_at or ''}"] * (len(listed) + len(unlisted))
    judgements = Judgements(
        np.array(rows, np.int64),
        np.array(values, np.float64),
        np.array(groups, dtype=np.str_),
        False,
        places=True,
    )
    return judgements, report


def _scopes(corpus: Corpus, sources: set[str]) -> dict[str, Ints]:
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


def _is_unprinted(corpus: Corpus, box: Box, listed: Collection[int]) -> bool:
    times = corpus.instants[list(listed)]
    times = times[np.isfinite(times)]
    return bool(box.taken_at is not None and len(times) and (times > box.taken_at.timestamp()).all())


def _around(
    corpus: Corpus, box: Box, listed: Collection[int], scopes: dict[str, Ints], window_days: int
) -> list[int]:
    """The articles that a box chose from, listed ones among them."""
    members = scopes.get(box.name, np.empty(0, np.int64))
    times = corpus.instants[members]
    own = np.array([corpus.instants[i] for i in listed if np.isfinite(corpus.instants[i])])
    if box.taken_at is None:
        days = {corpus.days[i] for i in listed} - {None}
        return [i for i in members.tolist() if corpus.days[i] in days]
    end = box.taken_at.timestamp()
    own = own[own < end]
    first = _day_start(float(own.min()), corpus.timezone) if len(own) else end - 86400.0
    first = max(first, end - timedelta(days=window_days).total_seconds())
    low, high = np.searchsorted(times, [first, end], side="left")
    found: list[int] = members[low:high].tolist()
    return found


def _day_start(instant: float, timezone: str) -> float:
    try:
        local = datetime.fromtimestamp(instant, zone(timezone))
        return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    except (OverflowError, ValueError):  # the first day of the calendar does not begin everywhere
        return instant

"""What a user should know about popularity labels, as sentences: what could not be used, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from training.corpus import Corpus
from training.labels.boxes import BoxReport
from training.labels.clicks import MAX_LISTS, telling_lists
from training.labels.judgements import Judgements, count_judgements, differing
from training.labels.shown import ClickReport

_MANY = 0.2  # share of the articles from which on groups that say nothing are worth a word
_GROUP = 10


def label_notes(corpus: Corpus, boxes: BoxReport | None = None, *, now: datetime | None = None) -> list[str]:
    """About the labels of `corpus`, its clicks, and its boxes as `box_judgements` reports on them.

    Times after `now` (the present) are suspect where most are before it.
    """
    notes = [*_counts(corpus), *_times(corpus, now or datetime.now(UTC))]
    if boxes is not None:
        notes += _boxes(boxes)
    if corpus.clicks is not None:
        notes += _clicks(corpus.clicks.report, telling_lists(corpus.clicks))
    return notes


def _counts(corpus: Corpus) -> Iterator[str]:
    given = np.array([np.nan if v is None else v for v in corpus.rows.values("popularity")], np.float64)
    if below := int((given < 0).sum()):
        yield (
            f"popularity is below 0 in {_some(below, 'article')}, which is no count: taken as unknown; leave such values "
            "out, or shift a balance (likes less dislikes) up to 0"
        )
    if not np.isfinite(corpus.popularity).any():
        return
    ungrouped = np.array([group is None for group in corpus.groups], np.bool_)
    if lost := int((np.isfinite(corpus.popularity) & ungrouped).sum()):
        yield (
            f"the popularity of {_some(lost, 'article')} cannot be compared with any other: give published_at or a "
            "popularity_group"
        )
    judgements = count_judgements(corpus)
    if len(judgements):
        yield from _groups(judgements)


def _groups(judgements: Judgements) -> Iterator[str]:
    _, group, sizes = np.unique(judgements.groups, return_inverse=True, return_counts=True)
    silent = ~differing(group, judgements.values)[0]
    if sizes[silent].sum() >= _MANY * sizes.sum():
        yield (
            f"{int(silent.sum())} of {_some(len(sizes), 'popularity group')} have one article or equal counts only: they "
            "do not say what is popular; check published_at, source and popularity_group, which make the groups"
        )
    # Groups that hold nothing but 0 and 1 look like flags; larger counts elsewhere make them counts.
    flags = np.isin(judgements.values, (0.0, 1.0))
    flagged = (np.bincount(group, flags) == sizes) & ~silent & (sizes >= _GROUP)
    if flagged.any() and not judgements.flags:
        yield (
            f"popularity is only 0 or 1 in {int(flagged.sum())} of {_some(len(sizes), 'group')} and a count in others: all "
            "are read as counts; train on flags apart from counts"
        )


def _times(corpus: Corpus, now: datetime) -> Iterator[str]:
    known = corpus.instants[np.isfinite(corpus.instants)]
    late = known > now.timestamp() + 86400.0
    if 0 < late.sum() < 0.5 * len(known):
        yield (
            f"{_some(int(late.sum()), 'article')} {'is' if late.sum() == 1 else 'are'} dated in the future, the last on "
            f"{_day(float(known.max()))}: they count as the newest; mend published_at or its time zone"
        )


def _day(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).date().isoformat()


def _boxes(report: BoxReport) -> Iterator[str]:
    yield (
        f"ranking boxes: {report.boxes} with {report.lines} lines, {report.matched} joined with articles "
        f"({report.headline_only} of them headline-only), {report.left_out} boxes left out"
    )
    if report.lines and report.matched == report.headline_only:
        yield (
            "no title of the ranking boxes is the headline of an article, so that headline-only articles stand for all of "
            "them; are the articles of the same site and days, and is their headline the one that boxes print?"
        )
    if report.surplus:
        yield (
            f"{_some(report.surplus, 'line')} of ranking boxes left out: another line of the same list and time has the "
            "same rank; give each box its own taken_at (or file)"
        )
    if report.unprinted:
        yield (
            f"{_some(report.unprinted, 'ranking box', 'ranking boxes')} taken before any article listed there was "
            "published: check taken_at (--taken-at) and the time zones"
        )


def _clicks(report: ClickReport, telling: int) -> Iterator[str]:
    yield (
        f"clicks: {report.lines} lines, {_some(report.lists, 'list')} that showed known articles, {telling} of them with "
        "clicked and other articles"
        + (f", of which {MAX_LISTS} are drawn where lists are judged" if telling > MAX_LISTS else "")
    )
    if report.unknown:
        yield (
            f'{_some(report.unknown, "line")} of clicks left out: no article has the id, such as "{report.example}"; '
            "article_id must hold the articles' id"
        )
    if report.repeated:
        yield (
            f"{_some(report.repeated, 'line')} of clicks left out: the list has the article already, which counts as "
            "clicked where one of its lines says so; give every list that was shown a name of its own"
        )


def _some(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"

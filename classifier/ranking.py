"""Scored articles to ranking lists, as a newspaper prints them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from classifier.articles import Article
from classifier.errors import UsageError
from classifier.freshness import ages_in_hours, check_half_life, loss_of_age
from classifier.results import Prediction
from classifier.similar import NearDuplicates

MAX_TITLE = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list.

    `ranking_score` is what decided its place: the popularity score less what the article's age costs, and the popularity
    score itself without a half-life. `duplicates` articles of this list are left out as near-duplicates of this one.
    """

    rank: int
    id: str
    headline: str
    section: str | None
    popularity_score: float
    popularity_percentile: float
    top5_probability: float
    ranking_score: float
    duplicates: int


@dataclass(frozen=True, slots=True)
class Rankings:
    """The site-wide list and one list a section, best first."""

    site: tuple[Entry, ...]
    by_section: dict[str, tuple[Entry, ...]]

    def to_dict(self) -> dict[str, Any]:
        return {
            "site": [asdict(entry) for entry in self.site],
            "by_section": {name: [asdict(entry) for entry in e] for name, e in self.by_section.items()},
        }

    def to_text(self, prefix: str = "") -> str:
        """The lists in the page's own form, which `classifier.reading.pages` reads back as the page's boxes.

        `prefix` is the site's short name before ACCESS RANKING.

        Raises:
            UsageError: the page's form cannot hold the prefix or a section's name.
        """
        from classifier.reading.base import SITE_WIDE

        site = f"{' '.join(prefix.split())} ACCESS RANKING".strip()
        if _read_as_heading(site) != SITE_WIDE:
            raise UsageError(
                f'"{prefix}" cannot stand before ACCESS RANKING', remedy="give a short name, such as JN"
            )
        lines = []
        for name, entries in self.by_section.items():
            name = " ".join(name.split())
            heading = f'"{name}" POPULAR ARTICLE'
            if _read_as_heading(heading) != name:
                raise UsageError(
                    f'the form of pages cannot hold a section\'s name such as "{name[:40]}"',
                    remedy="rename it, or ask for --json",
                )
            lines.extend([heading, *_items(entries)])
        return "\n".join([*lines, site, *_items(self.site)]) + "\n"


class _Candidate(NamedTuple):
    article: Article
    prediction: Prediction
    age: float
    score: float


def build_rankings(
    articles: Sequence[Article],
    predictions: Sequence[Prediction],
    *,
    top: int = 5,
    half_life: float | None = None,
    now: datetime | None = None,
    spread: float = 1.0,
    per_source: int | None = None,
    keep_duplicates: bool = False,
) -> Rankings:
    """Rank articles by popularity score, site-wide and within their section.

    An article stands in its own section, or in the predicted one where it has none. Equal scores are ordered by a hash of
    the id, so that neither input order nor the id itself decides.

    With `half_life` (hours) an article's expected readers halve every so many hours between its `published_at` and `now`,
    by default the newest `published_at` of all: its score loses ln 2 · age / half_life / `spread`, where `spread` is the
    model's `popularity.spread`. Articles later than `now` have the age 0, those without a time the median age of the
    others. Of equal scores the newer goes first, then the hash decides.

    Each list is filled from its best article down, and an article is passed over if a near-duplicate of it
    (`classifier.similar.NearDuplicates`) is listed above it (unless `keep_duplicates`), or `per_source` articles of its
    source are. Articles without a source are not limited.

    Raises:
        UsageError: the predictions hold no popularity; `top`, `per_source`, `half_life` or `spread` is not above 0 and
            finite; `now` has no zone, or is given without a half-life.
    """
    _check_counts(top=top, per_source=per_source)
    check_half_life(half_life, now, spread)
    if any(prediction.popularity_score is None for prediction in predictions):
        raise UsageError(
            "the model has no popularity head",
            remedy="train one from articles with popularity counts or ranking boxes",
        )
    ages = [0.0] * len(articles)
    if half_life is not None:
        ages = ages_in_hours([article.published_at for article in articles], now)
    ordered = []
    for article, prediction, age in zip(articles, predictions, ages, strict=True):
        lost = 0.0 if half_life is None else loss_of_age(age, half_life, spread)
        ordered.append(_Candidate(article, prediction, age, (prediction.popularity_score or 0.0) - lost))
    ordered.sort(key=_order)
    by_section: dict[str, list[int]] = {}
    for row, (article, prediction, *_) in enumerate(ordered):
        for name in _sections(article, prediction):
            by_section.setdefault(name, []).append(row)
    near = _no_duplicates if keep_duplicates else _near_duplicates([c.article for c in ordered])

    def listed(rows: Sequence[int]) -> tuple[Entry, ...]:
        chosen = _choose(rows, [ordered[row].article.source for row in rows], top, per_source, near)
        return tuple(_entry(rank, ordered[row], left_out) for rank, (row, left_out) in enumerate(chosen, 1))

    return Rankings(
        listed(range(len(ordered))), {name: listed(by_section[name]) for name in sorted(by_section)}
    )


def title(article: Article) -> str:
    """What a list prints: the headline, or the beginning of the text where there is none (a mere dash is none)."""
    texts = [" ".join(text.split()) for text in (article.headline, article.summary, article.body)]
    said = [text for text in texts if any(map(str.isalnum, text))] or [*filter(None, texts), ""]
    text = said[0]
    if text == texts[0] or len(text) <= MAX_TITLE:
        return text
    return text[: MAX_TITLE - 1].rsplit(" ", 1)[0] + "…"


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < 1:
            raise UsageError(f"{name} is {count}", remedy="ask for at least 1")


def _order(candidate: _Candidate) -> tuple[Any, ...]:
    article, prediction, age, score = candidate
    tie = hashlib.blake2b(prediction.id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    # Ids should be unique; where they are not, all that can be seen of an article keeps the input's order out of it.
    return (
        -score,
        age,
        tie,
        article.id,
        article.headline,
        article.summary,
        article.body,
        article.labels,
        article.source or "",
        prediction.section or "",
        prediction.popularity_percentile or 0.0,
        prediction.top5_probability or 0.0,
    )


_Near = Callable[[int], frozenset[int]]


def _near_duplicates(articles: Sequence[Article]) -> _Near:
    index = NearDuplicates([article.headline for article in articles], [article.text for article in articles])
    return cache(index.of)


def _no_duplicates(row: int) -> frozenset[int]:
    return frozenset((row,))


def _sections(article: Article, prediction: Prediction) -> tuple[str, ...]:
    own = tuple(dict.fromkeys(name for name in article.labels if name.strip()))
    return own or ((prediction.section,) if prediction.section else ())


def _choose(
    rows: Sequence[int], sources: Sequence[str | None], top: int, per_source: int | None, near: _Near
) -> list[tuple[int, int]]:
    """Which of `rows`, best first, a list holds, and how many others of them are near-duplicates of each (and of none
    above it)."""
    chosen: list[int] = []
    passed_over: set[int] = set()
    taken: Counter[str] = Counter()
    for row, source in zip(rows, sources, strict=True):
        if len(chosen) == top:
            break
        if row in passed_over or (source and taken[source] == per_source):
            continue
        chosen.append(row)
        passed_over |= near(row)
        taken[source or ""] += 1
    uncounted = set(rows).difference(chosen)
    left_out = []
    for row in chosen:
        own = near(row) & uncounted
        uncounted -= own
        left_out.append((row, len(own)))
    return left_out


def _entry(rank: int, candidate: _Candidate, duplicates: int) -> Entry:
    article, prediction, _, score = candidate
    return Entry(
        rank,
        article.id,
        title(article),
        next(iter(_sections(article, prediction)), None),
        float(prediction.popularity_score or 0.0),
        float(prediction.popularity_percentile or 0.0),
        float(prediction.top5_probability or 0.0),
        float(score),
        duplicates,
    )


def _items(entries: Sequence[Entry]) -> list[str]:
    """A list's lines: a mark, then the title, on two lines where it would read as a heading on one."""
    lines = []
    for entry in entries:
        is_heading = _read_as_heading(entry.headline) is not None
        lines.extend(["-", *(entry.headline.rsplit(" ", 1) if is_heading else [entry.headline])])
    return lines


def _read_as_heading(line: str) -> str | None:
    """The list that the page reader takes a line for the heading of."""
    from classifier.reading.page_boxes import find_headings
    from classifier.reading.page_text import Line

    headings = find_headings([Line(1, line)], 0) if line else []
    return headings[0].list if headings else None

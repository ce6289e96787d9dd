"""Scored articles to ranking lists, as a newspaper prints them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from classifier.articles import Article
from classifier.errors import UsageError
from classifier.results import Prediction

MAX_TITLE = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list."""

    rank: int
    id: str
    headline: str
    section: str | None
    popularity_score: float
    popularity_percentile: float
    top5_probability: float


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
        """The lists in the page's own form; `prefix` is the site's short name before ACCESS RANKING."""
        blocks = [
            (f'"{" ".join(name.split())}" POPULAR ARTICLE', entries)
            for name, entries in self.by_section.items()
        ]
        blocks.append((f"{prefix} ACCESS RANKING".strip(), self.site))
        lines = []
        for heading, entries in blocks:
            lines.append(heading)
            for entry in entries:
                lines.extend(["-", entry.headline])
        return "\n".join(lines) + "\n"


def build_rankings(
    articles: Sequence[Article], predictions: Sequence[Prediction], *, top: int = 5
) -> Rankings:
    """Rank articles by popularity score, site-wide and within their section.

    An article stands in its own section, or in the predicted one where it has none. Equal scores are ordered by a hash of
    the id, so that neither input order nor the id itself decides.

    Raises:
        UsageError: the predictions hold no popularity, or `top` is under 1.
    """
    if top < 1:
        raise UsageError(f"top is {top}", remedy="ask for at least 1")
    if any(prediction.popularity_score is None for prediction in predictions):
        raise UsageError(
            "the model has no popularity head",
            remedy="train one from articles with popularity counts or ranking boxes",
        )
    ordered = sorted(zip(articles, predictions, strict=True), key=_order)
    by_section: dict[str, list[tuple[Article, Prediction]]] = {}
    for article, prediction in ordered:
        for name in article.labels or ((prediction.section,) if prediction.section else ()):
            by_section.setdefault(name, []).append((article, prediction))
    return Rankings(
        _entries(ordered[:top]), {name: _entries(by_section[name][:top]) for name in sorted(by_section)}
    )


def title(article: Article) -> str:
    """What a list prints: the headline, or the beginning of the text where there is none."""
    headline = " ".join(article.headline.split())
    text = headline or " ".join(article.summary.split()) or " ".join(article.body.split())
    if headline or len(text) <= MAX_TITLE:
        return text
    return text[: MAX_TITLE - 1].rsplit(" ", 1)[0] + "…"


def _order(pair: tuple[Article, Prediction]) -> tuple[float, bytes, str]:
    article, prediction = pair
    tie = hashlib.blake2b(prediction.id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    # Ids should be unique; where they are not, the content still keeps the input's order out of it.
    return -(prediction.popularity_score or 0.0), tie, article.content_id()


def _entries(pairs: Sequence[tuple[Article, Prediction]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            rank,
            article.id,
            title(article),
            article.labels[0] if article.labels else prediction.section,
            float(prediction.popularity_score or 0.0),
            float(prediction.popularity_percentile or 0.0),
            float(prediction.top5_probability or 0.0),
        )
        for rank, (article, prediction) in enumerate(pairs, 1)
    )

"""Writing a page in its form, and refusing what the form cannot carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from classifier.articles import ARTICLE_FIELDS, Article
from classifier.errors import OutputError, PageError
from classifier.reading.base import SITE_WIDE
from classifier.reading.pages import Page, parse_page
from classifier.reading.zones import printed_zone

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


def write_page(page: Page, *, site: str = "JN") -> str:
    """The page as text that `parse_page` reads back as an equal page. `site` stands before ACCESS RANKING.

    Of a zone the form carries the offset at that time; a zone whose abbreviation it does not know is printed as one.

    Raises:
        OutputError: naming the first field that would be lost or changed: `summary`, seconds, `taken_at`, line breaks in
            a title, text that reads as another part of the form, a `section` without its popular box, …
    """
    if page.article.published_at is None:
        raise _refused("published_at", "is missing", page)
    text = "\n".join(_lines(page, page.article.published_at, site)) + "\n"
    try:
        back = parse_page(text)
    except PageError as error:
        raise _refused("text", f"could not be read back ({error.problem})", page) from error
    if lost := _first_difference(page, back):
        raise _refused(lost, "would be lost or changed", page)
    return text


def _lines(page: Page, time: datetime, site: str) -> Iterator[str]:
    article = page.article
    if article.headline:
        yield article.headline
    yield f"{time:%H:%M} {printed_zone(time)}, {_MONTHS[time.month - 1]} {time.day}, {time.year:04d}"
    if body := _dateline(article) + article.body:
        yield body
    for box in page.boxes:
        yield f"{site} ACCESS RANKING".strip() if box.list == SITE_WIDE else f'"{box.list}" POPULAR ARTICLE'
        for title in box.items:
            yield "-"
            yield title


def _dateline(article: Article) -> str:
    city, agency = article.extra.get("city"), article.extra.get("agency")
    parts = [str(city)] if city else []
    parts += [f"({agency})"] if agency else []
    return " ".join([*parts, "— "]) if parts else ""


def _first_difference(page: Page, back: Page) -> str | None:
    """The name of the first field in which the two differ."""
    wanted, got = page.article, back.article
    # The clock's zone may have another name after reading: an equal instant at an equal offset is the same printed time.
    if _clock(wanted.published_at) != _clock(got.published_at):
        return "published_at"
    got = replace(got, published_at=wanted.published_at)
    for name, value in wanted.extra.items():
        if value is not None and value != got.extra.get(name):
            return str(name)
    for name in (*ARTICLE_FIELDS[1:], "id"):
        if getattr(wanted, name) != getattr(got, name):
            return name
    if unasked := [name for name in got.extra if wanted.extra.get(name) is None]:
        return unasked[0]
    if len(page.boxes) != len(back.boxes):
        return "boxes"
    for box, box_back in zip(page.boxes, back.boxes, strict=True):
        for name in ("list", "taken_at", "items"):
            if getattr(box, name) != getattr(box_back, name):
                return f"boxes.{name}"
    return None


def _clock(time: datetime | None) -> Any:
    return time and (time.astimezone(UTC), time.utcoffset())


def _refused(field: str, why: str, page: Page) -> OutputError:
    return OutputError(
        f"the page form cannot carry this article: {field} {why}",
        where=f"article {page.article.id}",
        remedy="write a table (.jsonl, .parquet) instead, or leave that out",
    )

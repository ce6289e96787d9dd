"""Pages: the plain text of an article page, as crawled.

    Ministers Agree on Ferry Fares                      headline lines, or none
    11:36 JST, February 2, 2022                         the time line (required)
    TOKYO (Jiji Press) — The two ministers …            a dateline, or none, and paragraphs, one a line
    "Politics" POPULAR ARTICLE                          boxes, or none: a heading,
    -                                                   then items: a mark,
    Assembly Passes Budget                              and a title, on one line or several
    JN ACCESS RANKING

- Headline: the lines before the time line, else the title-like lines between it and a later dateline.
- Section: the name of the popular box, if the page has one name only.
- A box's text is never part of the article; with and without its boxes a page gives the same article but for `section`.
- A list without a heading cannot be told from a list in the article and is part of the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from classifier.articles import Article
from classifier.errors import FieldError, PageError
from classifier.reading.base import SITE_WIDE, Chunk, ReadOptions, Rejection, Source
from classifier.reading.datelines import Dateline, split_dateline
from classifier.reading.page_boxes import Box, find_headings, read_boxes
from classifier.reading.page_text import MAX_PAGE_BYTES, Line, decode_page, page_lines
from classifier.reading.taken import box_time, check_pattern
from classifier.reading.timelines import EXPECTED, parse_time_line

__all__ = ["Box", "Page", "decode_page", "parse_page", "read"]

_TIME_LINE_WITHIN = 10
_TITLE_LINES = 5
_LONGEST_TITLE = 200
_SENTENCE_END = re.compile(r"[.。．]['\"”’」』)]*$")
# "July-Sept.", "the U.S.", "Toyota Motor Corp." end titles, not sentences.
_ABBREVIATED = re.compile(
    r"(?:\b[A-Z](?:\.[A-Z])+|\b(?:Jan|Feb|Mar|Apr|Aug|Sept|Oct|Nov|Dec|Inc|Co|Ltd|Corp|Jr|Sr|St|No|[ap]\.m))\.$"
)
_DEFAULT = ReadOptions()


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its article (`extra` holds `agency` and `city` where the dateline gives them) and its boxes."""

    article: Article
    boxes: tuple[Box, ...] = ()

    def box_rows(self) -> list[dict[str, Any]]:
        """The boxes as rows of `box_schema()`, rank 1 the top."""
        return [
            {
                "list": box.list,
                "taken_at": box.taken_at,
                "rank": rank,
                "headline": title,
                "article_id": box.ids[rank - 1] if box.ids else None,
            }
            for box in self.boxes
            for rank, title in enumerate(box.items, 1)
        ]


def parse_page(text: str, *, name: str = "page", options: ReadOptions = _DEFAULT) -> Page:
    """Read one page; `name` is the file for errors and for a file-name pattern in `options.taken_at`.

    Raises:
        PageError: naming the line and what was expected there.
        ConfigError: `options.taken_at` is no pattern, or needs a zone.
    """
    lines = page_lines(text, name)
    if not lines:
        raise PageError("the page is empty", file=name, line=1, expected=EXPECTED)
    at, published_at = _find_time(lines, name, options)
    headings = find_headings(lines, at + 1)
    end = headings[0].at if headings else len(lines)
    headline = " ".join(line.text for line in lines[:at])
    headline, dateline, paragraphs = split_article(headline, [line.text for line in lines[at + 1 : end]])
    if not headline and not paragraphs:
        raise PageError(
            "the page has neither a headline nor a paragraph",
            file=name,
            line=headings[0].line if headings else lines[at].number + 1,
            expected="the article's text after the time line",
        )
    printed = read_boxes(lines, headings, name=name)
    taken_at = box_time(name, options, published_at.tzinfo)
    sections = [listed for listed, _ in printed if listed != SITE_WIDE]
    article = Article(
        headline=headline,
        body="\n".join(paragraphs),
        section=sections[0] if len(sections) == 1 and options.printed_sections else None,
        published_at=published_at,
        extra={key: value for key in ("agency", "city") if (value := getattr(dateline, key, None))},
    )
    return Page(article, tuple(Box(listed, taken_at, items) for listed, items in printed))


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Read a file that holds one page; a page that cannot be read is one rejection.

    Raises:
        ConfigError: `options.taken_at` is no pattern, or needs a zone.
    """
    from classifier.reading.rows import to_batch, to_box_batch

    if isinstance(options.taken_at, str):
        check_pattern(options.taken_at)
    try:
        page = parse_page(decode_page(_bytes(source), source.name), name=source.name, options=options)
    except (PageError, FieldError) as error:
        yield Chunk(rejected=(Rejection(source.name, getattr(error, "line", None), str(error)),))
        return
    rows = [{**row, "file": source.name} for row in page.box_rows()]
    yield Chunk(
        articles=to_batch([page.article], file=[source.name]),
        boxes=to_box_batch(rows) if rows else None,
    )


def _bytes(source: Source) -> bytes:
    """The bytes of a source, one more than a page may have at the most: `decode_page` says so."""
    parts: list[bytes] = []
    missing = MAX_PAGE_BYTES + 1
    with source.open() as stream:
        while missing and (part := stream.read(missing)):
            parts.append(part)
            missing -= len(part)
    return b"".join(parts)


def _find_time(lines: Sequence[Line], name: str, options: ReadOptions) -> tuple[int, datetime]:
    """The index of the time line, and its time."""
    for index, line in enumerate(lines[:_TIME_LINE_WITHIN]):
        time = parse_time_line(line, name=name, timezone=options.timezone, dates=options.dates)
        if time is not None:
            return index, time
    raise PageError(
        f"there is no time line among the first {_TIME_LINE_WITHIN} lines of text",
        file=name,
        line=lines[0].number,
        expected=EXPECTED,
    )


def split_article(headline: str, paragraphs: list[str]) -> tuple[str, Dateline | None, list[str]]:
    """The headline, the dateline and the body's paragraphs, from the lines between the time line and the boxes.

    The dateline begins the first paragraph; only title-like lines may stand before it. They are the headline where there
    was none before the time line, else paragraphs.
    """
    for index, paragraph in enumerate(paragraphs[: _TITLE_LINES + 1]):
        if dateline := split_dateline(paragraph):
            before, after = paragraphs[:index], paragraphs[index + 1 :]
            if not headline:
                headline, before = " ".join(before), []
            return headline, dateline, [*before, *([dateline.text] if dateline.text else []), *after]
        if not _title_like(paragraph):
            break
    return headline, None, paragraphs


def _title_like(text: str) -> bool:
    if len(text) > _LONGEST_TITLE:
        return False
    return _SENTENCE_END.search(text) is None or _ABBREVIATED.search(text) is not None

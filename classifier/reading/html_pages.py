"""HTML pages: trafilatura's text, what the page says about itself, and its ranking boxes.

A page in HTML gives the same article as its plain-text form (`classifier.reading.pages`): the dateline is split off, the
printed time line is no paragraph, the text of boxes is never part of the article. What the page says about itself goes
before what is printed: its section is `articleSection` before the name of its popular box.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from classifier.errors import FieldError
from classifier.reading.base import SITE_WIDE, Chunk, Note, ReadOptions, Source
from classifier.reading.document_times import notes_of, written_time
from classifier.reading.documents import Item, article_of, read_document, refusals, section_fields
from classifier.reading.html_boxes import take_boxes
from classifier.reading.html_metadata import Metadata, metadata_of
from classifier.reading.html_text import extracted
from classifier.reading.html_tree import (
    MAX_HTML_BYTES,
    decode_html,
    parse_tree,
    refused,
    short_texts,
)
from classifier.reading.looking import HTML, look
from classifier.reading.pages import Box, Page, parse_page, split_article
from classifier.reading.taken import box_time, check_pattern
from classifier.reading.time_rules import Time, TimeRules
from classifier.reading.written_times import find_time

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_DEFAULT = ReadOptions()
_FIRST_LINES = 6  # among which a headline, a byline and a time line may be repeated
_LOOK = 1 << 14  # characters
_SHORT = 320  # characters, white space included, of what may be a heading or a time
_LONGEST_TIME = 120
_DATED = re.compile(r"(?=.*\d{4})(?:\D*+\d++){3}", re.DOTALL)  # a year, a day, an hour
_NO_ARTICLE = "pages say that they are no article (og:type)"
_REPLACED = "pages hold bytes that are not of their encoding"


class _Printed(NamedTuple):
    """The time of a printed line, what is in doubt about it ("" is nothing), and the line."""

    time: datetime
    doubt: str
    text: str


class ReadPage(NamedTuple):
    """What is on a page, and notes on doubt."""

    name: str
    page: Page
    notes: list[Note]


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Read a file that holds one HTML page; a page that cannot be read is one rejection.

    Raises:
        ConfigError: `options.taken_at` is no pattern, or needs a zone.
        MissingExtra: the "formats" extra is not installed.
    """
    if isinstance(options.taken_at, str):
        check_pattern(options.taken_at)
    chunks: list[Chunk] = []
    with refusals(source.name, chunks):
        data = read_document(source, MAX_HTML_BYTES)
        chunks.append(pages_chunk([read_page(data, source.name, options)]))
    yield from chunks


def read_page(data: bytes, name: str, options: ReadOptions) -> ReadPage:
    """The article and the boxes of one page as it is stored.

    Raises:
        PageError, FieldError: the page cannot be read.
    """
    text, replaced = decode_html(data, name)
    page, notes = _page(parse_tree(text, name), name, options)
    return ReadPage(name, page, [*notes, *([Note(name, _REPLACED)] if replaced else [])])


def pages_chunk(found: Sequence[ReadPage]) -> Chunk:
    """One chunk of several pages.

    Raises:
        FieldError: a string is not Unicode text.
    """
    from classifier.reading.rows import to_batch, to_box_batch

    rows = [{**row, "file": one.name} for one in found for row in one.page.box_rows()]
    return Chunk(
        articles=to_batch([one.page.article for one in found], file=[one.name for one in found]),
        boxes=to_box_batch(rows) if rows else None,
        notes=tuple(note for one in found for note in one.notes),
    )


def parse_any_page(text: str, *, name: str = "page", options: ReadOptions = _DEFAULT) -> Page:
    """Read a page of which nobody says whether it is HTML or plain text.

    Raises:
        PageError: it cannot be read.
        FieldError: a field of its article holds what it must not.
        MissingExtra: it is HTML, and the "formats" extra is not installed.
    """
    start = text[:_LOOK].encode(errors="replace")
    parse = parse_html if look(start) == HTML else parse_page
    return parse(text, name=name, options=options)


def parse_html(text: str, *, name: str = "page", options: ReadOptions = _DEFAULT) -> Page:
    """Read one HTML page; `name` is the file for errors and for a file-name pattern in `options.taken_at`.

    Raises:
        PageError: there is no article in it, or it is over a limit.
        FieldError: a field of its article holds what it must not.
        ConfigError: `options.taken_at` is no pattern, or needs a zone.
        MissingExtra: the "formats" extra is not installed.
    """
    return parse_noted_html(text, name=name, options=options)[0]


def parse_noted_html(
    text: str, *, name: str = "page", options: ReadOptions = _DEFAULT
) -> tuple[Page, list[Note]]:
    """`parse_html`, with what was read otherwise than its author may have meant."""
    return _page(parse_tree(text, name), name, options)


def _page(tree: HtmlElement, name: str, options: ReadOptions) -> tuple[Page, list[Note]]:
    metadata = metadata_of(tree)
    texts = short_texts(tree, _SHORT)
    printed = _printed_time(texts, options)
    printed_boxes = take_boxes(tree, texts, metadata, options)
    lines, time_line = _article_lines(extracted(tree, name), metadata, options)
    published_at, notes = _published(metadata, printed or time_line, name, options)
    headline, dateline, paragraphs = split_article(metadata.headline, lines)
    body = "\n".join(paragraphs)
    if not headline and not body:
        raise refused(name, "the page has neither a headline nor a paragraph")
    fields: dict[str, Any] = {
        "headline": headline,
        "summary": "" if _begins_with(body, metadata.summary) else metadata.summary,
        "body": body,
        "published_at": published_at,
        "source": metadata.source,
        "url": metadata.url,
        "language": metadata.language,
        **section_fields(metadata.sections),
        **{key: getattr(dateline, key, None) for key in ("agency", "city")},
        "author": metadata.author,
        "updated_at": _modified(metadata, options),
    }
    names = [box.list for box in printed_boxes if box.list != SITE_WIDE]
    if not fields.get("section") and len(names) == 1 and options.printed_sections:
        fields["section"] = names[0]
    taken_at = box_time(name, options, published_at.tzinfo if published_at else None)
    boxes = tuple(Box(box.list, taken_at, box.items, box.ids) for box in printed_boxes)
    notes += [Note(name, _NO_ARTICLE)] if metadata.is_article is False else []
    return Page(article_of(Item(fields), name, options), boxes), notes


def _article_lines(
    lines: Sequence[str], metadata: Metadata, options: ReadOptions
) -> tuple[list[str], _Printed | None]:
    """The paragraphs without what only repeats headline, summary, byline and time at their beginning; the printed time."""
    repeated = {_plain(metadata.headline), _plain(metadata.summary), _plain(metadata.author)}
    found: _Printed | None = None
    kept = []
    for number, line in enumerate(lines):
        if number < _FIRST_LINES:
            plain = _plain(line)
            if plain in repeated or plain.removeprefix("by ") in repeated:
                continue
            if (time := _time_line(line, options)) is not None:
                found = found or time
                continue
        kept.append(line)
    return kept, found


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _begins_with(body: str, summary: str) -> bool:
    """Whether a summary is the body's own beginning, perhaps cut off."""
    start = _plain(summary).rstrip(".… ")
    return bool(start) and _plain(body[: 2 * len(summary) + 200]).startswith(start)


def _time_line(text: str, options: ReadOptions) -> _Printed | None:
    """The time of a line that is a time line; where the user does not say how to read it, it is doubtful."""
    try:
        written = find_time(text)
    except (ValueError, OverflowError):
        return None
    if written is None or not written.has_time:
        return None
    times, _ = TimeRules(options.timezone, options.dates).read([text], "published_at", "")
    time, doubt = times[0]
    return _Printed(time, doubt, text) if time is not None else None


def _printed_time(texts: Sequence[str], options: ReadOptions) -> _Printed | None:
    """The first printed line that is a time line."""
    for text in texts:
        if (
            len(text) < _LONGEST_TIME
            and _DATED.match(text)
            and (time := _time_line(text.strip(), options)) is not None
        ):
            return time
    return None


def _published(
    metadata: Metadata, printed: _Printed | None, name: str, options: ReadOptions
) -> tuple[datetime | None, list[Note]]:
    """The time that the page states, in the zone that it prints where both are the same minute; notes on doubt.

    Raises:
        FieldError: what it states has no zone and `options.timezone` is None, or does not exist, or what it states or
            prints is in doubt and `options.strict`.
    """
    missing: FieldError | None = None
    for text in metadata.published:
        try:
            found = written_time(text, options)
        except FieldError as error:
            missing = missing or error
            continue
        time = found.time
        if time is not None and printed is not None and abs(time - printed.time) < timedelta(minutes=1):
            time = time.astimezone(printed.time.tzinfo)
        return time, notes_of(found, text, name)
    if printed is not None:
        _, failures = TimeRules.of(options).read([printed.text], "published_at", "")
        missing = failures.get(0)
    if missing is not None and "is not a time" not in missing.problem:
        raise FieldError("published_at", missing.problem, where=name, remedy=missing.remedy)
    if printed is None:
        return None, []
    return printed.time, notes_of(Time(printed.time, printed.doubt), printed.text, name)


def _modified(metadata: Metadata, options: ReadOptions) -> datetime | None:
    for text in metadata.modified:
        try:
            return written_time(text, options).time
        except FieldError:
            continue
    return None

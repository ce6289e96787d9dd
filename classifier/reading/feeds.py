"""RSS and Atom, by feedparser: an article an entry. Only what was given is read; nothing is fetched.

Categories become sections, the feed's title the source, an entry's own source before it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from classifier.errors import FieldError, FormatError, PageError
from classifier.reading.base import Chunk, ReadOptions, Source
from classifier.reading.datelines import split_dateline
from classifier.reading.document_times import notes_of, written_time
from classifier.reading.documents import (
    MAX_ITEMS,
    Item,
    Refused,
    chunk_of,
    library,
    read_document,
    refusals,
    section_fields,
)
from classifier.reading.markup import text_of_html
from classifier.reading.time_rules import Time

MAX_FEED_BYTES = 16 * 2**20
_MOST_OPEN = 1000
_NO_TAGS = re.compile(rb"<!\[CDATA\[(?>.*?(?:\]\]>|\Z))|<!--(?>.*?(?:-->|\Z))", re.DOTALL)
_TAG = re.compile(rb"<(/?)[A-Za-z][^<>]*?(/?)>")
_PUBLISHED = ("published", "created", "updated")


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """The entries of one feed; a feed that cannot be read is one rejection.

    Raises:
        MissingExtra: the "formats" extra is not installed.
    """
    chunks: list[Chunk] = []
    with refusals(source.name, chunks):
        data = read_document(source, MAX_FEED_BYTES)
        chunks.append(chunk_of(parse_feed(data, source.name, options), source.name, options))
    yield from chunks


def parse_feed(data: bytes | str, name: str, options: ReadOptions) -> list[Item | Refused]:
    """The entries of a feed, in order.

    Raises:
        FormatError: it is no feed.
        MissingExtra: the "formats" extra is not installed.
    """
    feedparser = library("feedparser")
    data = data.encode("utf-8", "replace") if isinstance(data, str) else data
    if _left_open(data) > _MOST_OPEN:
        raise _no_feed(name, f"has more than {_MOST_OPEN:,} elements that are not closed")
    stream = io.BytesIO(data)
    try:
        # Of a stream only: a string might be taken for an address or the name of a file.
        parsed = feedparser.parse(stream, sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # whatever a feed makes of a library's code, the other files are to be read
        raise _no_feed(name, f"cannot be read ({type(error).__name__})") from error
    if not parsed.get("version") and not parsed.entries:
        problem = parsed.get("bozo_exception")
        raise _no_feed(name, f"is neither RSS nor Atom{f' ({problem})' if problem else ''}"[:200])
    if len(parsed.entries) > MAX_ITEMS:
        raise _no_feed(name, f"has more than {MAX_ITEMS:,} entries")
    return [
        _item(entry, parsed.feed, number, name, options) for number, entry in enumerate(parsed.entries, 1)
    ]


def _left_open(data: bytes) -> int:
    """How many elements are open at once at the most. feedparser's time grows with the square of it."""
    most = balance = 0
    for tag in _TAG.finditer(_NO_TAGS.sub(b"", data.replace(b"\0", b""))):
        if not tag[2]:
            balance += -1 if tag[1] else 1
            most = max(most, balance)
    return most


def _no_feed(name: str, problem: str) -> FormatError:
    return FormatError(problem, where=name, remedy="give a whole feed in RSS or Atom")


def _item(
    entry: Mapping[str, Any], feed: Mapping[str, Any], number: int, name: str, options: ReadOptions
) -> Item | Refused:
    element = f"entry {number}"
    try:
        fields = _fields(entry, feed, f"{name}, {element}", options)
        published = next((value for key in _PUBLISHED if (value := _own(entry, key))), "")
        time = written_time(published, options) if published else Time(None)
    except (PageError, FieldError) as error:
        return Refused(element, f"{error.problem}; {error.remedy}" if error.remedy else error.problem)
    updated = _updated(entry, published, options)
    fields = {**fields, "published_at": time.time, "updated_at": updated}
    return Item(fields, element, tuple(notes_of(time, published, name)))


def _fields(
    entry: Mapping[str, Any], feed: Mapping[str, Any], where: str, options: ReadOptions
) -> dict[str, Any]:
    contents = [
        text_of_html(str(part.get("value") or ""), where) for part in entry.get("content") or () if part
    ]
    body = max(contents, key=len, default="")
    summary = text_of_html(str(entry.get("summary") or ""), where)
    dateline = split_dateline(body.partition("\n")[0])
    if dateline is not None:
        body = "\n".join(part for part in (dateline.text, body.partition("\n")[2]) if part)
    return {
        "id": str(entry.get("id") or ""),
        "headline": text_of_html(str(entry.get("title") or ""), where).replace("\n", " "),
        "summary": "" if summary == body else summary.replace("\n", " "),
        "body": body,
        "url": str(entry.get("link") or ""),
        "source": _source(entry, feed),
        "language": _language(entry, feed),
        "author": str(entry.get("author") or ""),
        **section_fields(_categories(entry)),
        **{key: getattr(dateline, key, None) for key in ("agency", "city")},
    }


def _own(entry: Mapping[str, Any], key: str) -> str:
    """What the entry says under that name: feedparser itself would answer with something else where it is silent."""
    return str(dict(entry).get(key) or "")


def _categories(entry: Mapping[str, Any]) -> Iterator[str]:
    for tag in entry.get("tags") or ():
        label = tag.get("label") or tag.get("term")
        if label:
            yield text_of_html(str(label), "category").replace("\n", " ")


def _updated(entry: Mapping[str, Any], published: str, options: ReadOptions) -> datetime | None:
    updated = _own(entry, "updated")
    if not updated or updated == published:
        return None
    try:
        return written_time(updated, options).time
    except FieldError:
        return None


def _source(entry: Mapping[str, Any], feed: Mapping[str, Any]) -> str:
    own = entry.get("source")
    names = [own.get("title") if isinstance(own, Mapping) else None, feed.get("publisher"), feed.get("title")]
    return next((" ".join(str(name).split()) for name in names if name), "")


def _language(entry: Mapping[str, Any], feed: Mapping[str, Any]) -> str:
    detail = entry.get("title_detail")
    own = detail.get("language") if isinstance(detail, Mapping) else None
    return str(own or feed.get("language") or "")

"""From the bytes of what was pasted or dropped to articles as the API takes them, within limits.

PyArrow is imported by what needs it: one page does not, and a worker of the service seldom does.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from classifier.articles import Article
from classifier.errors import FieldError, InputError, NewsdeskError
from classifier.reading import read_source
from classifier.reading.base import Chunk, Note, ReadOptions, Source
from classifier.reading.page_text import decode_page
from classifier.reading.pages import Page, parse_page
from service.page.kinds import compression_of, is_html, is_plain, reader_name, unknown

# In scoring: where it stood, and what only training asks.
_OF_NO_USE = frozenset(("file", "line", "element", "popularity", "popularity_group", "split"))
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes once decompressed, articles, characters of one article's text."""

    bytes: int
    articles: int
    length: int


@dataclass(frozen=True, slots=True)
class Read:
    """What was found: articles as the API takes them, notes on what was read otherwise than may have been meant, what was
    left out (`line`, `reason`), and how many rows were repeated, earlier versions of others, or lines of ranking boxes."""

    articles: list[dict[str, Any]]
    notes: list[str]
    rejected: list[dict[str, Any]]
    duplicates: int = 0
    superseded: int = 0
    boxes: int = 0


class OverLimit(NewsdeskError):
    """It is more than may be read at once."""


def read_upload(name: str, data: bytes, options: ReadOptions, limits: Limits) -> Read:
    """What a file of this name holds; what has no name, or one that says little, is known by its content.

    Raises:
        OverLimit: it is over a limit.
        InputError: there is no article in it, or nothing says what it is.
        MissingExtra: its format needs packages that are not installed.
    """
    from classifier.reading.collecting import collect
    from classifier.reading.rows import to_articles

    if suffix := compression_of(name):
        data, name = _decompressed(name, data, suffix, limits), PurePosixPath(name).stem
    if is_plain(name, data, options) or is_html(name, data):
        return read_page(name, data, options, limits)
    source = Source(reader_name(name, data), lambda: io.BytesIO(data))
    found = collect([(source.name, _counted(read_source(source, options), limits))])
    articles: list[dict[str, Any]] = []
    rejected = [{"line": one.line, "reason": str(one)} for one in found.rejected]
    for article in (article for batch in found.articles.to_batches() for article in to_articles(batch)):
        if len(article.text) > limits.length:
            reason = f'"{article.headline[:60]}" is longer than {limits.length} characters; shorten it'
            rejected.append({"line": article.extra.get("line"), "reason": reason})
        else:
            articles.append(as_sent(article))
    if not articles:
        raise InputError(
            str(rejected[0]["reason"]) if rejected else "there are no articles in it",
            remedy=None if rejected else "ranking boxes, clicks and labels alone say nothing to score",
        )
    notes = [_said(note) for note in found.notes]
    return Read(articles, notes, rejected, found.duplicates, found.superseded, len(found.boxes))


def read_page(name: str, data: bytes, options: ReadOptions, limits: Limits) -> Read:
    """The article of one page, HTML or plain text.

    Raises:
        OverLimit: its text is over a limit.
        PageError: it cannot be read; of plain text: it is not in the form of pages.
        InputError: it is no text at all, or says something that cannot be.
        MissingExtra: it is HTML, and the package's extra for that is not installed.
    """
    parse = _parse_html if is_html(name, data) else _parse_plain
    try:
        page, notes = parse(name or "the page", data, options, limits)
    except FieldError as error:
        raise InputError(str(error)) from None
    if len(page.article.text) > limits.length:
        raise _too_long(limits)
    article = as_sent(page.article)
    if options.sections and "section" in article:
        _rename_sections(article, options)
    return Read([article], notes, [], boxes=sum(len(box.items) for box in page.boxes))


def _parse_plain(name: str, data: bytes, options: ReadOptions, limits: Limits) -> tuple[Page, list[str]]:
    try:
        text = decode_page(data, name)
    except InputError as error:
        raise unknown(name) from error
    if len(text) > limits.length:
        raise _too_long(limits)
    return parse_page(text, name=name, options=options), []


def _parse_html(name: str, data: bytes, options: ReadOptions, limits: Limits) -> tuple[Page, list[str]]:
    from classifier.reading.html_pages import parse_noted_html
    from classifier.reading.html_tree import decode_html

    page, notes = parse_noted_html(decode_html(data, name)[0], name=name, options=options)
    return page, [_said(note) for note in notes]


def _rename_sections(article: dict[str, Any], options: ReadOptions) -> None:
    """Sections by the names that the model's training gave them; one that it dropped goes."""
    from classifier.reading.sections import section_key

    ours = {section_key(their): our for their, our in options.sections.items()}
    named = [ours.get(section_key(name), name) for name in article.pop("sections", [article["section"]])]
    kept = list(dict.fromkeys(filter(None, named)))
    article.pop("section")
    article |= ({"section": kept[0]} if kept else {}) | ({"sections": kept} if len(kept) > 1 else {})


def _too_long(limits: Limits) -> OverLimit:
    return OverLimit(f"the text is longer than {limits.length} characters", remedy="shorten it")


def as_sent(article: Article) -> dict[str, Any]:
    """An article as a request to the API holds it, without what is unknown or of no use in scoring."""
    found = {}
    for name, value in article.to_dict().items():
        plain = None if name in _OF_NO_USE or value == "" else _plain(value)
        if plain is not None:
            found[name] = plain
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return list(value)
    from classifier.reading.columns import json_text

    return json_text(value)  # as in a table


def _decompressed(name: str, data: bytes, suffix: str, limits: Limits) -> bytes:
    from classifier.reading.compressed import decompressed

    parts: list[bytes] = []
    left = limits.bytes
    with decompressed(Source(name, lambda: io.BytesIO(data)), suffix).open() as stream:
        while part := stream.read(_BLOCK):
            left -= len(part)
            if left < 0:
                raise OverLimit(
                    f"becomes more than {limits.bytes} bytes by decompression", remedy="give a part of it"
                )
            parts.append(part)
    return b"".join(parts)


def _counted(chunks: Iterator[Chunk], limits: Limits) -> Iterator[Chunk]:
    """The chunks, as long as they hold no more articles than may be."""
    left = limits.articles
    for chunk in chunks:
        left -= 0 if chunk.articles is None else len(chunk.articles)
        if left < 0:
            raise OverLimit(f"holds more than {limits.articles} articles", remedy="give a part of it")
        yield chunk


def _said(note: Note) -> str:
    many = f"{note.count:,} × " if note.count > 1 else ""
    about = ", ".join(filter(None, (note.value, f"line {note.line}" if note.line else "")))
    return f"{many}{note.what}{f': {about}' if about else ''}"


def told(error: NewsdeskError) -> dict[str, Any]:
    """An error as plain values, for another process."""
    where = f"{error.where}: " if error.where else ""
    field = getattr(error, "field", None)
    return {
        "kind": type(error).__name__,
        "problem": f"{where}{f'{field}: ' if field else ''}{error.problem}",
        "remedy": error.remedy,
        "module": getattr(error, "module", None),
    }

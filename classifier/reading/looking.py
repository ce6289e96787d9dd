"""What a file holds, by a look at its beginning, where its name does not say: .json, .xml, none, standard input."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

from classifier.errors import FormatError, InputError, NoArticles
from classifier.reading.base import Chunk, Note, ReadOptions, Source
from classifier.reading.finding import STDIN_NAME
from classifier.reading.json_beginnings import is_listing

HTML = "text/html"
FEED = "application/rss+xml"
NEWSML = "application/vnd.iptc.g2.newsitem+xml"
NINJS = "application/ninjs+json"
JSON = "application/json"
JSON_LINES = "application/jsonl"

_LOOK = 1 << 16  # bytes
_FOREIGN = "files in folders have no articles in them and were passed over"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What may stand before the first element; atomic, so that no input makes it try again.
_PROLOG = re.compile(
    r"\s*(?>(?>(?P<html><!doctype\s+html\b[^>]*>)|<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*+(?>\[.*?\]\s*+)?+>)\s*+)*+",
    re.DOTALL | re.IGNORECASE,
)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_ROOTS = {
    **dict.fromkeys(("rss", "rdf", "feed"), FEED),
    **dict.fromkeys(("newsitem", "packageitem", "newsmessage"), NEWSML),
    **dict.fromkeys(
        ("html", "head", "body", "meta", "title", "link", "script", "style", "div", "main", "article"), HTML
    ),
    **dict.fromkeys(("section", "header", "h1", "p", "table"), HTML),
}
# Names that items of ninjs have and rows of a table have not, and those of its texts.
_NINJS = re.compile(
    r'"(?:\$?standard|version_?created|first_?created|content_?created|pub_?status|representation_?type|body_x?html'
    r'|body_text|bodies|headlines|usage_?terms|copyright_?(?:holder|notice))"\s*:',
    re.IGNORECASE,
)
_NINJS_ENOUGH = 2


def look(beginning: bytes) -> str | None:
    """The media type of what begins so; None where it is none of those that can be told."""
    text = _decoded(beginning)
    start = text.lstrip()[:1]
    if start == "<":
        return _markup(text)
    if start in ("{", "["):
        if len({match.lower() for match in _NINJS.findall(text)}) >= _NINJS_ENOUGH:
            return NINJS
        return JSON_LINES if start == "{" and _is_line(text) else JSON
    return None


def look_at(source: Source) -> str | None:
    """`look` at a source; None, too, where it cannot be read."""
    try:
        with source.open() as stream:
            return _look_into(stream)[1]
    except (OSError, InputError):
        return None


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Read a source by the reader of what it holds; on standard input that is JSON Lines if nothing else. A file that only
    lies in a folder and has no articles, as a package.json, is passed over.

    Raises:
        FormatError: it is nothing that can be told.
        NoArticles: it has none, and was named itself.
    """
    from classifier.reading import reader_for

    with source.open() as stream:
        head, kind = _look_into(stream)
        if kind is None and source.name != STDIN_NAME:
            raise unknown(source.name)
        rejoined = replace(source, open=_rejoined(head, stream))
        try:
            yield from reader_for(kind or JSON_LINES)(rejoined, options)
        except NoArticles:
            if source.named:
                raise
            yield Chunk(notes=(Note(source.name, _FOREIGN),))


def unknown(name: str) -> FormatError:
    """The error for a file of which neither name nor content says what it is."""
    return FormatError(
        "neither its name nor its beginning says what it is",
        where=name,
        remedy="HTML pages, RSS, Atom, NewsML-G2, ninjs and JSON are known by their content; "
        "give other formats their suffix (.csv, .txt, .jsonl, …)",
    )


def _look_into(stream: BinaryIO) -> tuple[bytes, str | None]:
    """As much as it takes to tell what a stream holds: what comes through a pipe may come slowly."""
    head, kind = b"", None
    take = getattr(stream, "read1", stream.read)
    while len(head) < _LOOK and kind in (None, JSON) and (part := take(_LOOK - len(head))):
        head += part
        kind = look(head)
    return head, kind


def _rejoined(head: bytes, rest: BinaryIO) -> Any:
    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with io.BufferedReader(Joined(head, rest)) as stream:
            yield stream

    return opened


class Joined(io.RawIOBase):
    """The bytes that were read already, then the rest of a stream."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._head:
            take = getattr(self._rest, "read1", self._rest.read)
            data = take(len(buffer))
            buffer[: len(data)] = data
            return len(data)
        part, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _decoded(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def _markup(text: str) -> str | None:
    prolog = _PROLOG.match(text)
    if prolog is not None and prolog["html"]:
        return HTML
    found = _ROOT.match(text, prolog.end() if prolog else 0)
    return _ROOTS.get(found[1].lower()) if found else None


def _is_line(text: str) -> bool:
    """Whether the first line that holds something is a JSON object, be it a bad one (or too long to tell), and no list of
    articles that stands alone."""
    line, end, rest = text.lstrip().partition("\n")
    if not rest.strip() and is_listing(line):
        return False
    if line.rstrip().endswith("}") and not line.startswith("{}"):
        return True
    if not end and len(line) >= _LOOK // 4:
        return True
    try:
        return isinstance(json.loads(line), Mapping)
    except (ValueError, RecursionError):
        return False

"""ninjs, the IPTC's news in JSON, versions 1.0 to 3.x: one item, a list of items, or an item a line.

The versions differ in how names are written and whether texts are properties (`body_xhtml`) or lists (`bodies`); names are
compared without case and underscores, and both forms are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any, BinaryIO

from classifier.errors import FormatError, PageError
from classifier.reading.base import BATCH_ROWS, Chunk, Note, ReadOptions, Source
from classifier.reading.documents import (
    MAX_DOCUMENT_BYTES,
    MAX_ITEMS,
    Item,
    Refused,
    chunk_of,
    read_document,
    refusals,
    too_large,
)
from classifier.reading.html_metadata import is_address
from classifier.reading.markup import text_of_html, tidy_lines
from classifier.reading.topics import Subject
from classifier.reading.wire import WireItem, item_of, not_text

Object = Mapping[str, Any]
_TEXTS = ("text", "", "composite", "component")
_HEADLINE_ROLES = ("main", "headline", "", "title")
_SUMMARY_ROLES = ("summary", "abstract", "short", "description", "main", "text", "")
_BODY_ROLES = ("richtext", "main", "body", "full", "")
_MARKED_UP = ("xhtml", "html")
_NOT_LISTED = frozenset(("uri", "guid", "type", "headline", "headlines", "associations"))  # names of an item
_Part = Item | Refused | Note


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """The text items of a file; a file that is no JSON is one rejection.

    Raises:
        ConfigError: `options.topics` is no topic file.
    """
    chunks: list[Chunk] = []
    with refusals(source.name, chunks):
        parts = _parts(source, options)
        while batch := list(islice(parts, BATCH_ROWS // 8)):
            yield _chunk(batch, source.name, options)
    yield from chunks


def _chunk(parts: list[_Part], file: str, options: ReadOptions) -> Chunk:
    made = chunk_of([part for part in parts if not isinstance(part, Note)], file, options)
    notes = (*made.notes, *(part for part in parts if isinstance(part, Note)))
    return Chunk(articles=made.articles, rejected=made.rejected, notes=notes)


def _parts(source: Source, options: ReadOptions) -> Iterator[_Part]:
    with source.open() as stream:
        first, at = _first_line(stream, source.name)
        item = _parsed(first)
        if isinstance(item, Mapping) and _listed(item) is None:
            yield from _of_lines(item, at, stream, source.name, options)
            return
        rest = read_document(Source(source.name, lambda: _Open(stream)), MAX_DOCUMENT_BYTES - len(first))
    document = _parsed(first + rest)
    if document is None:
        raise FormatError("is not JSON, or nested too deeply", where=source.name, remedy="give a whole file")
    items = document if isinstance(document, list) else _listed(document)
    items = [document] if items is None else items
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        raise FormatError(
            f"holds no list of up to {MAX_ITEMS:,} items", where=source.name, remedy="give ninjs items"
        )
    for number, one in enumerate(items, 1):
        yield from items_of(one, f"item {number}" if len(items) > 1 else None, source.name, options)


def _listed(document: Object) -> Any:
    """What an object lists that is no item itself, as programs answer: `{"items": […]}`, `{"_items": […], "total": 2}`."""
    if "items" in document or not _NOT_LISTED.isdisjoint(map(_folded, document)):
        return document.get("items")
    lists = (value for value in document.values() if isinstance(value, list))
    return next((value for value in lists if value and isinstance(value[0], Mapping)), None)


class _Open:
    """A stream that somebody else closes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __enter__(self) -> BinaryIO:
        return self._stream

    def __exit__(self, *_: object) -> None:
        pass


def _first_line(stream: BinaryIO, name: str) -> tuple[bytes, int]:
    """The first line that holds something, with those before it, and its number."""
    lines: list[bytes] = []
    size = 0
    while line := stream.readline(MAX_DOCUMENT_BYTES):
        lines.append(line)
        size += len(line)
        if size >= MAX_DOCUMENT_BYTES:
            raise too_large(name, MAX_DOCUMENT_BYTES)
        if line.strip(b" \t\r\n\xef\xbb\xbf"):
            break
    return b"".join(lines), len(lines)


def _of_lines(first: Object, at: int, stream: BinaryIO, name: str, options: ReadOptions) -> Iterator[_Part]:
    lines = _numbered(stream, at)
    second = next(lines, None)
    yield from items_of(first, f"line {at}" if second else None, name, options)
    for number, line in chain([second] if second else [], lines):
        item = _parsed(line)
        if isinstance(item, Mapping):
            yield from items_of(item, f"line {number}", name, options)
        else:
            yield Refused(f"line {number}", "is not one JSON object")


def _numbered(stream: BinaryIO, number: int) -> Iterator[tuple[int, bytes]]:
    """The lines behind line `number` that hold something."""
    while line := stream.readline(MAX_DOCUMENT_BYTES):
        number += 1
        if line.strip():
            yield number, line


def _parsed(data: bytes) -> Any:
    """The object or list that is written there; None where it is none, or nested too deeply."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping | list) else None


def items_of(item: Any, element: str | None, name: str, options: ReadOptions) -> Iterator[_Part]:
    """The text item, or those that a package holds."""
    if not isinstance(item, Mapping):
        yield Refused(element, "is no JSON object")
        return
    fields = {_folded(key): value for key, value in item.items()}
    kind = _string(fields.get("type")).lower()
    where = f"{name}, {element}" if element else name
    try:
        wire = _wire_item(fields, where)
    except PageError as error:
        yield Refused(element, error.problem)
        return
    inner = list(_associated(fields.get("associations"))) if not wire.body else []
    if kind in _TEXTS and (wire.body or not inner):
        yield item_of(wire, element, name, options)
        return
    texts = [(key, one) for key, one in inner if _is_text(one)]
    if not texts:
        yield not_text(name, kind or "nothing")
    for key, one in texts:
        yield from items_of(
            {**one, "associations": None}, f"{element}, {key}" if element else key, name, options
        )


def _associated(value: Any) -> Iterator[tuple[str, Object]]:
    if isinstance(value, Mapping):
        pairs = [(str(key), one) for key, one in value.items()]
    else:
        pairs = [
            (f"association {at}", one) for at, one in enumerate(value if isinstance(value, list) else [], 1)
        ]
    yield from ((key, one) for key, one in pairs if isinstance(one, Mapping))


def _is_text(item: Object) -> bool:
    return _string(item.get("type")).lower() == "text" and any(_folded(key).startswith("bod") for key in item)


def _wire_item(fields: Object, where: str) -> WireItem:
    uri = _string(fields.get("uri")) or _string(fields.get("guid"))
    link = next(
        (url for key in ("canonicalurl", "url", "uri") if is_address(url := _string(fields.get(key)))), ""
    )
    return WireItem(
        id=uri,
        headline=_text(fields, "headline", "headlines", _HEADLINE_ROLES, where).replace("\n", " "),
        summary=_text(fields, "description", "descriptions", _SUMMARY_ROLES, where).replace("\n", " "),
        body=_text(fields, "body", "bodies", _BODY_ROLES, where),
        subjects=tuple(_subjects(fields)),
        first_created=_string(fields.get("firstcreated")) or _string(fields.get("contentcreated")),
        created=_string(fields.get("versioncreated")),
        version=_string(fields.get("version")),
        source=_names(fields.get("infosources") or fields.get("infosource"))
        or _string(fields.get("source"))
        or _string(fields.get("copyrightholder")),
        language=_string(fields.get("language")),
        url=link,
        author=_string(fields.get("byline")) or _string(fields.get("by")),
        located=_string(fields.get("located")),
        status=_string(fields.get("pubstatus")),
        urgency=_string(fields.get("urgency")),
        genre=_names(fields.get("genres") or fields.get("genre")),
        slugline=_string(fields.get("slugline")),
        embargoed=_string(fields.get("embargoed")) or _string(fields.get("embargoeduntil")),
    )


def _text(fields: Object, single: str, several: str, roles: tuple[str, ...], where: str) -> str:
    """The best text among `body_xhtml`, `body_text`, … and `bodies`: by role, then marked up before plain."""
    found: list[tuple[int, int, str]] = []
    for value in _list(fields.get(several)):
        if isinstance(value, Mapping) and (text := _string(_get(value, "value"))):
            role = _string(_get(value, "role")).lower()
            place = roles.index(role) if role in roles else len(roles)
            kind = _string(_get(value, "contenttype")).lower()
            found.append((place, _plainness(kind), text))
    for key, value in fields.items():
        if key.startswith(single) and key != several and (text := _string(value)):
            found.append((0, _plainness(key), text))
    if not found:
        return ""
    _, plainness, text = min(found, key=lambda one: one[:2])
    return text_of_html(text, where) if plainness == 0 or "</" in text else tidy_lines(text)


def _plainness(kind: str) -> int:
    return 0 if kind.endswith(_MARKED_UP) or any(word in kind for word in _MARKED_UP) else 1


def _subjects(fields: Object) -> Iterator[Subject]:
    for value in _list(fields.get("subjects") or fields.get("subject")):
        if not isinstance(value, Mapping):
            continue
        scheme, code = _string(_get(value, "scheme")), _string(_get(value, "code"))
        code = code or _string(_get(value, "uri")) or _string(_get(value, "literal"))
        name = _string(_get(value, "name"))
        if scheme and ":" not in code and "/" not in code:
            code = f"{scheme}{'' if scheme.endswith(('/', ':', '#')) else ':'}{code}"
        if code or name:
            yield Subject("" if code == name else code, name)


def _names(value: Any) -> str:
    names = [_string(_get(one, "name")) if isinstance(one, Mapping) else _string(one) for one in _list(value)]
    return ", ".join(dict.fromkeys(name for name in names if name))


def _get(value: Object, name: str) -> Any:
    """A property whatever the case of its name."""
    return next((item for key, item in value.items() if _folded(key) == name), None)


def _folded(key: str) -> str:
    return key.replace("_", "").replace("$", "").lower()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _string(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return value.strip() if isinstance(value, str) else str(value) if abs(value) < 10**18 else ""

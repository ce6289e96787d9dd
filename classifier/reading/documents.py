"""What the readers of documents share: HTML pages, feeds and wire items, whose articles are not rows of a table.

A document is read whole, so its size is limited; one that cannot be read is one rejection, and so is an item of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from classifier.articles import Article
from classifier.errors import FieldError, FormatError, MissingExtra, PageError
from classifier.reading.base import Chunk, Note, ReadOptions, Rejection, Source

MAX_DOCUMENT_BYTES = 64 * 2**20
MAX_DEPTH = 200  # elements or JSON values within each other
MAX_ITEMS = 100_000
# The column that says where in a file with several articles one stands.
ELEMENT = "element"
_SILENT = logging.NullHandler()


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a document: its fields by our names, where it stands, and what is to be noted."""

    fields: Mapping[str, Any]
    element: str | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that is no article for us, with the reason."""

    element: str | None
    reason: str


@cache
def library(name: str) -> ModuleType:
    """A module of the "formats" extra.

    Raises:
        MissingExtra: it is not installed.
    """
    # What a library logs about a page is not for our user; without a handler it would be printed.
    logging.getLogger(name.partition(".")[0]).addHandler(_SILENT)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtra("formats", module=name.partition(".")[0]) from error


def read_document(source: Source, limit: int = MAX_DOCUMENT_BYTES) -> bytes:
    """All bytes of a source.

    Raises:
        FormatError: there are more than `limit`.
    """
    parts: list[bytes] = []
    missing = limit + 1
    with source.open() as stream:
        while missing and (part := stream.read(min(missing, 1 << 20))):
            parts.append(part)
            missing -= len(part)
    if not missing:
        raise too_large(source.name, limit)
    return b"".join(parts)


def too_large(name: str, limit: int) -> FormatError:
    """The error for a document over its limit."""
    return FormatError(
        f"is larger than {limit // 2**20} MiB", where=name, remedy="split it, or give a table (.jsonl, .csv)"
    )


@contextmanager
def refusals(name: str, chunks: list[Chunk]) -> Iterator[None]:
    """Within it an unreadable document becomes a rejection, added to `chunks`."""
    try:
        yield
    except (FormatError, PageError, FieldError) as error:
        chunks.append(Chunk(rejected=(Rejection(name, getattr(error, "line", None), str(error)),)))


def section_fields(labels: Iterable[str | None]) -> dict[str, Any]:
    """`section` is the first label; `sections` are all of them where there are several."""
    found = list(dict.fromkeys([" ".join(label.split()) for label in labels if label and label.strip()]))
    fields: dict[str, Any] = {"section": found[0]} if found else {}
    return {**fields, "sections": found} if len(found) > 1 else fields


def chunk_of(items: Sequence[Item | Refused], file: str, options: ReadOptions) -> Chunk:
    """The articles of a document's items, each field checked; what is not an article is rejected."""
    from classifier.reading.rows import to_batch

    articles: list[Article] = []
    rejected: list[Rejection] = []
    notes: list[Note] = []
    for item in items:
        where = f"{file}, {item.element}" if item.element else file
        if isinstance(item, Refused):
            rejected.append(Rejection(file, None, f"{where}: {item.reason}"))
            continue
        try:
            articles.append(article_of(item, where, options))
        except FieldError as error:
            rejected.append(Rejection(file, None, str(error)))
        else:
            notes += item.notes
    batch = to_batch(articles, file=[file] * len(articles)) if articles else None
    return Chunk(articles=batch, rejected=tuple(rejected), notes=tuple(notes))


def article_of(item: Item, where: str | None, options: ReadOptions) -> Article:
    """The article of one item, without the columns that are to be ignored.

    Raises:
        FieldError: a field holds what it must not, or there is no text.
    """
    row = {name: value for name, value in item.fields.items() if value not in (None, "", [])}
    if item.element:
        row[ELEMENT] = item.element
    kept = {name: value for name, value in row.items() if name not in options.ignore}
    article = Article.from_mapping(kept, where=where, timezone=options.timezone)
    for name, value in article.extra.items():
        if isinstance(value, str):
            check_text(name, value, where)
    return article


def check_text(name: str, value: str, where: str | None) -> None:
    """Raise a FieldError where `value` holds what UTF-8 or C strings cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FieldError(
            name,
            "holds half of a surrogate pair, which is no character",
            where=where,
            remedy="remove it or fix the encoding of the source",
        ) from None
    if "\0" in value:
        raise FieldError(
            name,
            "holds a NUL character",
            where=where,
            remedy="remove it or fix the encoding of the source",
        )

"""What every reader shares: the source it reads, the options it obeys, the chunks it yields, the schemas of boxes and
clicks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

SITE_WIDE = "*"
BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read.

    `columns` maps our column names to the names in the source; `usual` does so, too, but only where a table has them (what
    a model was trained from); `ignore` drops columns (our names). `timezone` is the zone
    of times that have none. `taken_at` is when ranking boxes without a time of their own were printed: a time, or a
    file-name pattern with strptime fields ("%Y-%m-%d") looked for anywhere in the path. `printed_sections`: a page's
    section is what its popular box says; scoring leaves that out: a page gets the same prediction without its boxes.
    `ranking_headings` are further words that name a ranking box of an HTML page ("Reader favourites"). `topics` is a file
    that names subject codes, see `classifier.reading.topics`. `dates` says whether 03/04/2022 is of April or of March;
    `strict` makes times that are in doubt errors. `sections` are the sections by the names in the source, see
    `classifier.reading.sections`.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ignore: frozenset[str] = frozenset()
    timezone: tzinfo | None = None
    taken_at: datetime | str | None = None
    printed_sections: bool = True
    ranking_headings: tuple[str, ...] = ()
    topics: str | None = None
    dates: Literal["day-first", "month-first"] | None = None
    strict: bool = False
    sections: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    usual: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Source:
    """One input: `name` is what errors and the `file` column say (relative to the folder that was given). What is not
    `named` itself lies in a folder that was."""

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    named: bool = True


@dataclass(frozen=True, slots=True)
class Rejection:
    """One row (or page) that was not read: `line` is 1-based, None where the file as a whole was refused."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was read, but not as its author may have meant it.

    `what` is the same sentence for all of a kind (they are counted by it), `value` what it is about here, `count` how
    many there are, `line` where the first of them is.
    """

    file: str
    what: str
    value: str = ""
    count: int = 1
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one step of a reader yields.

    `articles` have the article table's columns, others behind them, and `file`; `boxes` have `box_schema()` and `file`,
    `clicks` `click_schema()` and `file`; `labels` are rows without text that complete articles by `id`, `url` or `file`.
    `form` says how the file is written ("values separated by semicolons, UTF-8"), once a file, where there are several
    ways.
    """

    articles: pa.RecordBatch | None = None
    boxes: pa.RecordBatch | None = None
    labels: pa.RecordBatch | None = None
    clicks: pa.RecordBatch | None = None
    rejected: tuple[Rejection, ...] = ()
    notes: tuple[Note, ...] = ()
    form: str = ""


def read_block(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes; fewer only at the end.

    Piece by piece, as they come: in one call that waits for all of them Ctrl-C would not be heard.
    """
    take = getattr(stream, "read1", stream.read)
    parts: list[bytes] = []
    while size and (part := take(size)):
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Reader(Protocol):
    """The one function of a format's module."""

    def __call__(self, source: Source, options: ReadOptions) -> Iterator[Chunk]: ...


@cache
def box_schema() -> pa.Schema:
    """The ranking boxes' Arrow schema; times in UTC unless the source's times share a zone."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("list", pa.string()),
            pa.field("taken_at", pa.timestamp("us", tz="UTC")),
            pa.field("rank", pa.int64()),
            pa.field("headline", pa.string()),
            pa.field("article_id", pa.string()),
        ]
    )


@cache
def click_schema() -> pa.Schema:
    """The Arrow schema of clicks: one line an article of a shown list. Text is stored once a batch (dictionaries)."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("shown", pa.dictionary(pa.int32(), pa.string())),
            pa.field("article_id", pa.dictionary(pa.int32(), pa.string())),
            pa.field("clicked", pa.bool_()),
            pa.field("position", pa.int32()),
        ]
    )


@cache
def own_columns() -> frozenset[str]:
    """The names that only tables of boxes or clicks have: mapping one of them says nothing about other tables."""
    return frozenset((*box_schema().names, *click_schema().names)).difference(("headline",))

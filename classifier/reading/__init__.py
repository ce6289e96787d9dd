"""Reading articles, ranking boxes, clicks and labels from whatever a newsroom has.

`read` streams; `read_all` makes one table of articles, one of boxes and one of clicks, labels joined. To add a format: one
module with a function that is a `classifier.reading.base.Reader`, and one line in `FORMATS`. Its module is imported when it
is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, cast

from classifier.errors import FormatError
from classifier.reading.base import Chunk, Note, Reader, ReadOptions, Rejection, Source
from classifier.reading.finding import STDIN_NAME, Found, find

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Reading", "find_sources", "read", "read_all", "reader_for", "sources"]


class _Format(NamedTuple):
    reader: str
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...] = ()
    is_text: bool = True  # then it may also be compressed


# Its reader asks the content, through `classifier.reading.looking`, for what the name leaves open.
_LOOK = "classifier.reading.looking:read"
_HTML = "classifier.reading.html_pages:read"

FORMATS = (
    _Format("classifier.reading.pages:read", (".txt",), ("text/plain",)),
    _Format("classifier.reading.delimited:read_csv", (".csv",), ("text/csv",)),
    _Format("classifier.reading.delimited:read_tsv", (".tsv", ".tab"), ("text/tab-separated-values",)),
    _Format(
        "classifier.reading.jsonl:read", (".jsonl", ".ndjson"), ("application/x-ndjson", "application/jsonl")
    ),
    _Format(
        "classifier.reading.columnar:read_parquet",
        (".parquet", ".pq"),
        ("application/vnd.apache.parquet",),
        is_text=False,
    ),
    _Format(
        "classifier.reading.columnar:read_arrow",
        (".arrow", ".feather", ".arrows", ".ipc"),
        ("application/vnd.apache.arrow.file", "application/vnd.apache.arrow.stream"),
        is_text=False,
    ),
    _Format(
        _HTML,
        (".html", ".htm", ".xhtml"),
        ("text/html", "application/xhtml+xml"),
    ),
    _Format(
        "classifier.reading.feeds:read", (".rss", ".atom"), ("application/rss+xml", "application/atom+xml")
    ),
    _Format("classifier.reading.ninjs:read", (".ninjs",), ("application/ninjs+json",)),
    _Format(
        "classifier.reading.newsml:read",
        (".newsml",),
        (
            "application/vnd.iptc.g2.newsitem+xml",
            "application/vnd.iptc.g2.newsmessage+xml",
            "application/vnd.iptc.g2.packageitem+xml",
        ),
    ),
    _Format("classifier.reading.json_arrays:read", (), ("application/json",)),
    _Format(_LOOK, (".xml", ".json"), ("application/xml", "text/xml")),
)
COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz", ".lz4")  # as in `classifier.reading.compressed`
# "module:function" by suffix and by media type.
READERS = {key: form.reader for form in FORMATS for key in (*form.suffixes, *form.media_types)}
READERS[""] = _LOOK
_COMPRESSIBLE = {suffix for form in FORMATS if form.is_text for suffix in form.suffixes}
# Web addresses that were saved as they are ("article", "index.php", "index.html?id=3") say nothing of their content.
_WEB_SUFFIX = re.compile(r"|\.(?:php|aspx?|jspx?|cgi|shtml|do|[^.]*[^a-z.][^.]*)")


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read: tables of articles with the labels joined, of ranking boxes and of clicks, and what was left out.

    `rejected` are rows and pages that were not read, `duplicates` counts rows that were there twice in every column,
    `unmatched_labels` the label rows that no article has the key of, `sources` the files read, `skipped` names those in
    folders that are of no known format, `notes` say what was read otherwise than its author may have meant. `superseded`
    counts earlier versions of articles, `forms` says how files are written that can be written in several ways.
    """

    articles: pa.Table
    boxes: pa.Table
    clicks: pa.Table
    rejected: list[Rejection]
    sources: int
    duplicates: int = 0
    unmatched_labels: int = 0
    skipped: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    superseded: int = 0
    forms: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Rows of all tables, the rejected ones among them."""
        return sum(len(part) for part in (self.articles, self.boxes, self.clicks, self.rejected))


def find_sources(inputs: Sequence[str]) -> Found:
    """The sources behind files, folders (recursive, sorted), globs and "-" (stdin), and what was skipped.

    Raises:
        InputError: a path or pattern that leads nowhere.
        FormatError: a file of unknown suffix that was named itself.
    """
    found = find(inputs, _is_known)
    for source in found.sources:
        _reader(source)
    return found


def sources(inputs: Sequence[str]) -> list[Source]:
    """The sources of `find_sources`."""
    return find_sources(inputs).sources


def reader_for(kind: str) -> Reader:
    """The reader of a suffix (".csv") or media type ("text/csv").

    Raises:
        FormatError: there is none.
    """
    kind = kind.partition(";")[0].strip().lower()
    if kind not in READERS:
        known = ", ".join(key for key in READERS if key.startswith(".") == kind.startswith("."))
        raise FormatError(f'"{kind}" is no known format', remedy=f"known are {known}")
    module, _, function = READERS[kind].partition(":")
    return cast(Reader, getattr(import_module(module), function))


def read(inputs: Sequence[str], options: ReadOptions | None = None) -> Iterator[Chunk]:
    """What is in the inputs, chunk by chunk; labels are not joined, ids not compared.

    Raises:
        InputError: an input cannot be found or read.
    """
    for _, chunks in _all_chunks(sources(inputs), options or ReadOptions()):
        yield from chunks


def read_all(inputs: Sequence[str], options: ReadOptions | None = None) -> Reading:
    """What is in the inputs, as tables.

    Label tables are joined by `id`, else `url`, else `file`; what they hold goes before what the articles hold. Of rows
    that are equal in every column one stays; of versions of an article the latest, with the first time of publication;
    a different row with an id that is taken is rejected.

    Raises:
        InputError: an input cannot be found or read, or there is nothing in them.
        FormatError: a file is not what its name says, or labels contradict each other.
    """
    from classifier.reading.collecting import collect

    found = find_sources(inputs)
    options = options or ReadOptions()
    reading = collect(_all_chunks(found.sources, options))
    return Reading(
        reading.articles,
        reading.boxes,
        reading.clicks,
        reading.rejected,
        len(found.sources),
        reading.duplicates,
        reading.unmatched_labels,
        tuple(found.skipped),
        reading.notes,
        reading.superseded,
        reading.forms,
        tuple(source.name for source in found.sources),
    )


def read_source(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """The chunks of one source, by the reader that its name's suffix asks for.

    Raises:
        FormatError: an unknown suffix, or not what its name says.
    """
    suffix, compression = _reader(source)
    return _tidied(reader_for(suffix)(_opened(source, compression), options), options)


def _tidied(chunks: Iterator[Chunk], options: ReadOptions) -> Iterator[Chunk]:
    """With sections by the names that they shall have."""
    from classifier.reading.sections import tidied

    return tidied(chunks, options.sections)


def _all_chunks(found: Sequence[Source], options: ReadOptions) -> Iterator[tuple[str, Iterator[Chunk]]]:
    """Each source's name and chunks; HTML pages in a row come together, many are read by several processes."""
    for is_html, group in groupby(found, lambda source: READERS[_reader(source)[0]] == _HTML):
        run = list(group)
        if is_html and len(run) > 1:
            from classifier.reading.parallel import FEWEST_PAGES, cores, read_here, read_pages

            opened = [_opened(source, _reader(source)[1]) for source in run]
            many = len(run) >= FEWEST_PAGES and (processes := cores()) > 1
            chunks = read_pages(opened, options, processes) if many else read_here(opened, options)
            yield run[0].name, _tidied(chunks, options)
            continue
        yield from ((source.name, read_source(source, options)) for source in run)


def _is_known(path: Path) -> bool:
    """Whether a file in a folder is read: its suffix is known and, where that leaves the format open, its content."""
    suffixes = _suffixes(path.name)
    if suffixes is None:
        return False
    suffix, compression = suffixes
    if READERS[suffix] != _LOOK:
        return True
    from classifier.reading.looking import look_at

    return look_at(_opened(Source(path.name, lambda: path.open("rb")), compression)) is not None


def _opened(source: Source, compression: str) -> Source:
    if not compression:
        return source
    from classifier.reading.compressed import decompressed

    return decompressed(source, compression)


def _reader(source: Source) -> tuple[str, str]:
    if source.name == STDIN_NAME:
        return "", ""
    found = _suffixes(source.name)
    if found is None:
        known = ", ".join(key for key in READERS if key.startswith("."))
        raise FormatError(
            f'"{PurePosixPath(source.name).suffix}" is no known suffix',
            where=source.name,
            remedy=f"known are {known} (text formats also with {' or '.join(COMPRESSIONS)} behind)",
        )
    return found


def _suffixes(name: str) -> tuple[str, str] | None:
    """A name's format and compression suffix; None where no reader knows it."""
    *_, last, end = ["", "", *[suffix.lower() for suffix in PurePosixPath(name).suffixes]]
    if end in COMPRESSIONS and last in _COMPRESSIBLE:
        return last, end
    if end in READERS:
        return end, ""
    return ("", "") if _WEB_SUFFIX.fullmatch(end) else None

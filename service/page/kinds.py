"""What was pasted or dropped: by its name where that says it, else by its content."""

from __future__ import annotations

import csv
from pathlib import PurePosixPath

from classifier.articles import TEXT_FIELDS
from classifier.errors import FormatError
from classifier.reading import COMPRESSIONS, READERS
from classifier.reading.base import ReadOptions
from classifier.reading.dialects import SAMPLE, find_dialect
from classifier.reading.looking import HTML, look

_MOST_SHOWN = 80  # characters of a name
# These say nothing that the content would not say better.
_VAGUE = frozenset(("", ".txt", ".xml", ".json"))
_LOOK = 1 << 16  # bytes


def shown_name(name: str) -> str:
    """A file's name as answers may repeat it: without folders, not long, in one line."""
    last = PurePosixPath(name.replace("\\", "/")).name[-_MOST_SHOWN:]
    return "".join(character if character.isprintable() else "_" for character in last)


def compression_of(name: str) -> str:
    """The suffix that says how a file is compressed; "" where none does."""
    suffix = _suffix(name)
    return suffix if suffix in COMPRESSIONS else ""


def is_plain(name: str, data: bytes, options: ReadOptions) -> bool:
    """Whether these (decompressed) bytes are a page's plain text, or something that nothing tells: neither name nor
    content speaks for another format."""
    return not (_is_known(name) or look(data[:_LOOK]) is not None or _is_table(data, options))


def is_html(name: str, data: bytes) -> bool:
    """Whether they are an HTML page."""
    if _is_known(name):
        return READERS[_suffix(name)] == READERS[".html"]
    return look(data[:_LOOK]) == HTML


def reader_name(name: str, data: bytes) -> str:
    """A name by which `classifier.reading` finds the reader of what is not plain."""
    if _is_known(name):
        return name
    stem = name.replace(".", "_") or "the text"
    return (
        stem if look(data[:_LOOK]) is not None else f"{stem}.csv"
    )  # without a suffix the reader looks itself


def unknown(name: str) -> FormatError:
    """The error for what is no text, and has no name that says what else it is."""
    known = ", ".join(key for key in READERS if key.startswith("."))
    return FormatError(
        "this is no text, and its name says nothing else", where=name or None, remedy=f"known are {known}"
    )


def _is_known(name: str) -> bool:
    suffix = _suffix(name)
    return suffix in READERS and suffix not in _VAGUE


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _is_table(data: bytes, options: ReadOptions) -> bool:
    """Whether the first line holds names of columns, one of them that of a text."""
    head = data[:SAMPLE]
    dialect = find_dialect(head, complete=len(data) <= SAMPLE)
    lines = head[dialect.skip :].decode(dialect.encoding, "replace").splitlines()
    try:
        first = next(csv.reader(lines[:1], **dialect.of_csv()), [])
    except csv.Error:
        return False
    theirs = {their for our, their in options.usual.items() if our in TEXT_FIELDS}
    return not theirs.union(TEXT_FIELDS).isdisjoint(name.strip() for name in first)

"""The text of a crawled page: bytes to text, text to numbered lines, and the width-folding that its patterns use."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from classifier.errors import PageError

# More than any article: what is larger is not one page, and would only cost memory.
MAX_PAGE_BYTES = 4 * 2**20
MAX_PAGE_LINES = 100_000

NBSP = "\u00a0"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")

# Full-width forms of ASCII and the wide spaces, one character for one, so that places in the folded text are places in
# the text.
_FOLD = {0xFF01 + i: chr(0x21 + i) for i in range(94)} | {0x3000: " ", 0x00A0: " "}


class Line(NamedTuple):
    """A line that is not blank: its number in the page (from 1) and its text without outer white space."""

    number: int
    text: str


def decode_page(data: bytes, name: str = "page") -> str:
    """The text of a page that is stored as UTF-8 (with or without a byte order mark) or UTF-16 with one.

    Raises:
        PageError: it is larger than `MAX_PAGE_BYTES`, is in another encoding, or holds a NUL.
    """
    if len(data) > MAX_PAGE_BYTES:
        raise _too_large(name)
    bom, encoding = next((mark for mark in _BOMS if data.startswith(mark[0])), (b"", "utf-8"))
    content = data[len(bom) :]
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "ignore")
        raise PageError(
            f"is not valid {encoding.upper()} (byte {len(bom) + error.start + 1} of the file)",
            file=name,
            line=_breaks(before) + 1,
            expected="text in UTF-8: convert the file to UTF-8",
        ) from None
    _check_characters(text, name)
    return text


def page_lines(text: str, name: str) -> list[Line]:
    """The lines of a page that are not blank, NBSP as a space. Only LF, CR LF and CR end a line.

    Raises:
        PageError: the text is too large or holds what is no text.
    """
    if len(text) > MAX_PAGE_BYTES:
        raise _too_large(name)
    _check_characters(text, name)
    text = _unix_breaks(text.removeprefix("\ufeff")).replace(NBSP, " ")
    if text.count("\n") >= MAX_PAGE_LINES:
        raise PageError(
            f"has more than {MAX_PAGE_LINES:,} lines",
            file=name,
            line=MAX_PAGE_LINES + 1,
            expected="one article page a file",
        )
    # Not str.splitlines: U+2028, U+0085 or a form feed inside a paragraph would split it.
    return [
        Line(number, stripped) for number, raw in enumerate(text.split("\n"), 1) if (stripped := raw.strip())
    ]


def fold(text: str) -> str:
    """`text` with full-width ASCII and wide spaces as ASCII, of the same length."""
    return text.translate(_FOLD)


def _check_characters(text: str, name: str) -> None:
    found = _FORBIDDEN.search(text)
    if found is None:
        return
    nul = found.group() == "\x00"
    raise PageError(
        "holds a NUL character" if nul else "holds half of a surrogate pair, which is no character",
        file=name,
        line=_breaks(text[: found.start()]) + 1,
        expected="plain text in UTF-8: "
        + ("is this a text file?" if nul else "fix how the text was decoded"),
    )


def _too_large(name: str) -> PageError:
    return PageError(
        f"is larger than {MAX_PAGE_BYTES // 2**20} MiB",
        file=name,
        line=1,
        expected="one article page a file",
    )


def _unix_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _breaks(text: str) -> int:
    return _unix_breaks(text).count("\n")

"""HTML from bytes to a tree, within limits and without a network."""

from __future__ import annotations

import codecs
import re
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from classifier.errors import PageError
from classifier.reading.documents import MAX_DEPTH, library

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_HTML_BYTES = 16 * 2**20
MAX_ELEMENTS = 50_000
# What XML cannot hold, by itself or by number: a tree with it in cannot be changed. Most pages hold nothing of it, which
# their bytes show sooner than the pattern.
_CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_SUSPECTS = (b"&#", b"\xef\xbf")
_FORBIDDEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#0*(?:[0-8]|1[124-9]|2[0-9]|3[01]);?(?![0-9])"
    "|&#[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[fF]{3}[eEfF]);?(?![0-9a-fA-F])"
)
EXPECTED = "one HTML page of an article"
_UNSEEN = ("script", "style", "template", "noscript")
_LOCAL = threading.local()

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,30})|^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_:.-]{2,30})""",
    re.IGNORECASE,
)
_DECLARED_WITHIN = 8192
# What a page calls by these names is what browsers take it for.
_ALIASES = {
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii"), "cp1252"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601", "windows-949"), "cp949"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk"), "gb18030"),
    **dict.fromkeys(("utf8", "unicode-1-1-utf-8", "utf-16", "utf-16le", "utf-16be"), "utf-8"),
    "iso-8859-9": "cp1254",
    "big5": "big5hkscs",
    "tis-620": "cp874",
}


def decode_html(data: bytes, name: str) -> tuple[str, bool]:
    """The text of an HTML page, and whether characters had to be replaced.

    The encoding is that of its byte order mark, else UTF-8 if it is that, else the declared one, else a guess.

    Raises:
        PageError: it is too large, or nothing says what its encoding is.
    """
    if len(data) > MAX_HTML_BYTES:
        raise refused(name, f"is larger than {MAX_HTML_BYTES // 2**20} MiB")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _replaced(data[len(bom) :], encoding)
    try:
        return data.decode(), False
    except UnicodeDecodeError:
        pass
    if found := _DECLARED.search(data[:_DECLARED_WITHIN]):
        label = (found[1] or found[2]).decode("ascii").lower()
        try:
            return _replaced(data, _ALIASES.get(label, label))
        except (LookupError, UnicodeError):  # no encoding of text
            pass
    best = library("charset_normalizer").from_bytes(data[: 1 << 18]).best()
    if best is None:
        raise refused(name, "is not UTF-8 and does not declare its encoding")
    return _replaced(data, str(best.encoding))


def _replaced(data: bytes, encoding: str) -> tuple[str, bool]:
    text = data.decode(encoding, "replace")
    return text, "\ufffd" in text


def parse_tree(text: str, name: str) -> HtmlElement:
    """The tree of an HTML page, without comments. Nothing that the page refers to is fetched.

    Raises:
        PageError: there are no elements, too many, or one within another too deeply; or half of a surrogate pair.
        MissingExtra: lxml is not installed.
    """
    html: Any = library("lxml.html")
    etree: Any = library("lxml.etree")
    if len(text) > MAX_HTML_BYTES:
        raise refused(name, f"is larger than {MAX_HTML_BYTES // 2**20} MiB")
    try:
        data = text.encode()
        if any(suspect in data for suspect in _SUSPECTS) or len(data.translate(None, _CONTROLS)) < len(data):
            data = _FORBIDDEN.sub(" ", text).encode()
    except UnicodeEncodeError:
        raise refused(name, "holds half of a surrogate pair, which is no character") from None
    try:
        tree = html.document_fromstring(data, parser=_parser())
    except (etree.LxmlError, AssertionError, ValueError, TypeError) as error:
        raise refused(name, "holds no HTML element that can be read") from error
    _check_size(tree, name)
    return tree


def _parser() -> Any:
    """This thread's parser: making one takes long beside a short page.

    Every element is a plain `HtmlElement`: lxml's own parser asks Python code for the class of each, though only parts of
    forms have another.
    """
    if not hasattr(_LOCAL, "parser"):
        html, etree = library("lxml.html"), library("lxml.etree")
        parser = etree.HTMLParser(
            encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False
        )
        parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=html.HtmlElement))
        _LOCAL.parser = parser
    return _LOCAL.parser


def _check_size(tree: HtmlElement, name: str) -> None:
    too_deep, count = _measures()
    if too_deep(tree):
        raise refused(name, f"has more than {MAX_DEPTH} elements within each other")
    if count(tree) > MAX_ELEMENTS:
        raise refused(name, f"has more than {MAX_ELEMENTS:,} elements")


@cache
def _measures() -> tuple[Any, Any]:
    """Whether elements stand too deeply within each other, and how many there are; without Python code an element."""
    path = library("lxml.etree").XPath
    return path(f"boolean({'/*' * (MAX_DEPTH + 1)})"), path("count(//*)")


def refused(name: str, problem: str) -> PageError:
    """The error for an HTML page that cannot be read."""
    return PageError(problem, file=name, line=1, expected=EXPECTED)


def text_of(element: HtmlElement, limit: int | None = None) -> str:
    """The element's text, white space as single spaces; of more than `limit` characters the beginning."""
    if not len(element):
        return " ".join((element.text or "").split())
    parts: list[str] = []
    length = 0
    for part in element.itertext():
        parts.append(part)
        length += len(part.strip())
        if limit is not None and length > limit:
            break
    return " ".join("".join(parts).split())


def short_texts(tree: HtmlElement, limit: int) -> list[Any]:
    """The pieces of text in the body of fewer than `limit` characters, in order; `around` gives their element."""
    texts: list[Any] = _short()(tree, limit=limit)
    return texts


@cache
def _short() -> Any:
    unseen = " or ".join(f"parent::{tag}" for tag in _UNSEEN)
    return library("lxml.etree").XPath(
        f"//body//text()[string-length() < $limit and normalize-space() and not({unseen})]"
    )


def around(text: Any) -> HtmlElement:
    """The element that a piece of text stands in."""
    parent = text.getparent()
    return parent.getparent() if text.is_tail else parent

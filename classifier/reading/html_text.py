"""The text of an HTML page, by trafilatura, no slower than it has to be.

trafilatura compares what it finds with what Readability finds, which takes longer than all the rest, and takes the latter
where its own text is less than half as long, or odd. Where its own text is half of all there is on the page that cannot be:
the result without the comparison is the same (`_stands`), and so it is read.
"""

from __future__ import annotations

import unicodedata
from copy import copy
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from classifier.reading.documents import library
from classifier.reading.html_tree import refused

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MANY_TEXTS = 1000
# What trafilatura's own text is made of, as a rule; of anything else it may want to compare.
_USUAL = frozenset(
    (
        "body",
        "p",
        "head",
        "list",
        "item",
        "quote",
        "code",
        "hi",
        "lb",
        "del",
        "table",
        "row",
        "cell",
        "ref",
        "graphic",
    )
)
_KNOWN = ("2.3.",)
_VIDEO = 5  # characters that Readability may put in place of a frame


def extracted(tree: HtmlElement, name: str) -> list[str]:
    """The paragraphs of a page's text; none where there are none. The tree may be changed by it.

    Raises:
        PageError: the library failed on this page.
    """
    try:
        text = _text(tree)
    except Exception as error:  # whatever a page makes of a library's code, the other pages are to be read
        raise refused(name, f"its text cannot be extracted ({type(error).__name__})") from error
    return [line.strip() for line in unicodedata.normalize("NFC", text).split("\n") if line.strip()]


def _text(tree: HtmlElement) -> str:
    paths = _paths()
    size, in_paragraphs = _size(paths.texts(tree)), _size(paths.in_paragraphs(tree))
    # Links do not count, between which justext ends its search.
    many = paths.count(tree) > _MANY_TEXTS and paths.outside_links(tree) > _MANY_TEXTS
    if many or (2 * in_paragraphs >= size and _is_known()):
        options = _alone()
        document = _document(tree, options)
        if many or (document is not None and not options.second_look and _stands(document.body, tree, size)):
            return _plain(document)
    return _plain(_document(tree, _compared()))


def _plain(document: Any) -> str:
    return (document.text or "") if document is not None else ""


def _size(texts: list[str]) -> int:
    """Characters, white space as single spaces."""
    return len(" ".join("".join(texts).split()))


def _document(tree: HtmlElement, options: Any) -> Any:
    return library("trafilatura").bare_extraction(tree, options=options)


@cache
def _is_known() -> bool:
    """Whether what `_stands` says was looked up in this version of trafilatura; of others it is not taken for granted."""
    return version("trafilatura").startswith(_KNOWN)


@cache
def _compared() -> Any:
    """trafilatura's options: it would make them anew for every page, and changes copies of them only."""
    return library("trafilatura.settings").Extractor(output_format="python", comments=False)


@cache
def _prototype() -> Any:
    class Alone(library("trafilatura.settings").Extractor):  # type: ignore[misc]
        """trafilatura asks once whether it is to compare, and once more where its text is short and it looks again,
        otherwise than if it compares: that is a `second_look`."""

        __slots__ = ("asked",)

        @property
        def fast(self) -> bool:
            self.asked += 1
            return True

        @fast.setter
        def fast(self, _: bool) -> None:
            """It is always."""

        @property
        def second_look(self) -> bool:
            return bool(self.asked > 1)

    found = Alone(output_format="python", comments=False)
    found.asked = 0
    return found


def _alone() -> Any:
    """Options without comparing trafilatura's text with what Readability and justext find. The time of the latter grows
    with the square of short paragraphs."""
    found = copy(_prototype())
    found.asked = 0
    return found


def _stands(body: Any, tree: HtmlElement, size: int) -> bool:
    """Whether a body that was found without comparing would have been taken after comparing, too, on a page with texts of
    so many characters (`trafilatura.external.compare_extraction`)."""
    found = len(" ".join(body.itertext()).strip())
    if found < _compared().min_extracted_size:
        return False
    if 2 * found < size + _VIDEO * len(tree.findall(".//iframe")):
        return False
    if any(element.tag not in _USUAL for element in body.iter()):
        return False
    paragraphs = body.findall(".//p")
    if not any(text for one in paragraphs for text in one.itertext()):
        return False
    return len(body.findall(".//table")) <= len(paragraphs)


class _Paths(NamedTuple):
    """What is asked of a page."""

    texts: Any
    in_paragraphs: Any
    count: Any
    outside_links: Any


@cache
def _paths() -> _Paths:
    path, texts = library("lxml.etree").XPath, "//text()[normalize-space()]"
    return _Paths(
        path("//body//text()[not(parent::script or parent::style)]", smart_strings=False),
        path("//p//text()", smart_strings=False),
        path(f"count({texts})"),
        path(f"count({texts}[not(ancestor::a)])"),
    )

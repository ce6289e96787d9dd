"""The text of marked-up passages, a paragraph a line: HTML in feeds, XHTML and NITF in wire items."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from classifier.errors import PageError
from classifier.reading.html_tree import parse_tree

# Elements that begin and end a line.
_BLOCKS = re.compile(
    r"address|article|aside|blockquote|body|br|caption|center|dd|div|dl|dt|fieldset|"
    r"footer|form|h1|h2|h3|h4|h5|h6|header|hl1|hl2|hr|li|main|nav|ol|p|pre|"
    r"section|table|tbody|td|tfoot|th|thead|tr|ul|block|body\.content|body\.head|"
    r"note"
)
# Elements whose text is no part of what is read.
_SILENT = re.compile(
    r"script|style|template|noscript|iframe|object|svg|math|audio|video|figure|"
    r"figcaption|media|head|select|button"
)
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&(?:#|[a-zA-Z])")


def text_of_html(fragment: str, name: str) -> str:
    """The text of a passage of HTML, or of plain text.

    Raises:
        PageError: it is over a limit of HTML pages.
    """
    if not _MARKUP.search(fragment):
        return tidy_lines(fragment)
    try:
        tree = parse_tree(f"<div>{fragment}</div>", name)
    except PageError as error:
        raise PageError(
            f"HTML in it {error.problem}", file=name, line=1, expected="the text of an article"
        ) from error
    return text_of_tree(tree)


def text_of_tree(tree: Any) -> str:
    """The text of an element tree of lxml or ElementTree, in any namespace."""
    return tidy_lines("".join(_pieces(tree)))


def tidy_lines(text: str) -> str:
    """The lines that are not blank, their white space single."""
    lines = (" ".join(line.split()) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return "\n".join(line for line in lines if line)


def local_name(element: Any) -> str:
    """An element's name without its namespace; "" for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _pieces(tree: Any) -> Iterator[str]:
    """The pieces of text, in order, a line break around blocks; breaks in the source are spaces. Not recursive."""
    stack: list[Any] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        name = local_name(item)
        block = _BLOCKS.fullmatch(name) is not None
        stack.append(_inline(item.tail) if item is not tree else "")
        if not name or _SILENT.fullmatch(name):
            continue
        if block:
            yield "\n"
            stack.append("\n")
        stack += reversed([_inline(item.text, preserved=name == "pre"), *item])


def _inline(text: str | None, *, preserved: bool = False) -> str:
    return (text or "") if preserved else (text or "").replace("\n", " ").replace("\r", " ")

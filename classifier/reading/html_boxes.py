"""Ranking boxes on HTML pages: a heading that names one, and the list behind it. Both are taken out of the tree.

Where the words of a heading may mean other things ("Most popular"), only a list of links is a box.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin

from classifier.articles import content_hash
from classifier.reading.base import ReadOptions
from classifier.reading.box_headings import LONGEST_HEADING, Named, likely_names, named_list
from classifier.reading.html_metadata import Metadata, resolved
from classifier.reading.html_tree import around, text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST_ITEMS = 100
_MOST_HEADINGS = 300  # texts of a page that are looked at, so that none costs more than its length
_NEAR = 10  # elements behind a heading among which its list is
_LEVELS = 5  # how far up from a heading its list is looked for
_ENDS = frozenset(("body", "html", "main", "article", "aside"))
_LISTS = ("ol", "ul", "dl", "table")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TITLE = 1000
_RANK = re.compile(r"\d{1,3}[.):．、位위]?")
_NUMBERED = re.compile(
    r"(?:#|No\.? ?|第)?(\d{1,3})(?:[.):．、]|位|위)?\s+|(\d{1,3})(?:[.):．、]|位|위)\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class HtmlBox:
    """One ranking on a page: titles, best first, and the id of the article that each links to, where that is known."""

    list: str
    items: tuple[str, ...]
    ids: tuple[str | None, ...]


class _Block(NamedTuple):
    """A list on the page, with the title and the link of each item."""

    element: HtmlElement
    items: list[tuple[str, str | None]]


def take_boxes(
    tree: HtmlElement, texts: Sequence[Any], metadata: Metadata, options: ReadOptions
) -> tuple[HtmlBox, ...]:
    """The page's ranking boxes in order, a list's first only; the tree is left without any of them.

    `texts` are its `short_texts`.
    """
    found: dict[str, HtmlBox] = {}
    for heading, named in list(_headings(texts, metadata, options)):
        if heading.getroottree().getroot() is not tree:
            continue  # it stood in a box that is taken out
        block = _block(heading)
        if block is None:
            continue
        linked = sum(link is not None for _, link in block.items)
        if not named.certain and linked * 2 < len(block.items):
            continue
        box = HtmlBox(
            named.list,
            tuple(title for title, _ in block.items),
            _ids([link for _, link in block.items], metadata.url),
        )
        found.setdefault(named.list.casefold(), box)
        _take_out(block.element, tree)
        _take_out(heading, tree)
    return tuple(found.values())


def _headings(
    texts: Sequence[Any], metadata: Metadata, options: ReadOptions
) -> Iterator[tuple[HtmlElement, Named]]:
    """The largest elements whose whole text is a heading."""
    last: HtmlElement | None = None
    for text in likely_names(texts, options.ranking_headings)[:_MOST_HEADINGS]:
        if len(text) > LONGEST_HEADING and len(" ".join(text.split())) > LONGEST_HEADING:
            continue
        best = _grown(around(text), metadata, options.ranking_headings)
        if best is not None and best[0] is not last:
            last = best[0]
            yield best


def _grown(
    element: HtmlElement, metadata: Metadata, more: tuple[str, ...]
) -> tuple[HtmlElement, Named] | None:
    best: tuple[HtmlElement, Named] | None = None
    named: Named | None = None
    within: HtmlElement | None = None
    at: HtmlElement | None = element
    while at is not None and at.tag not in _ENDS:
        if not _only_wraps(at, within):
            text = text_of(at, LONGEST_HEADING)
            if len(text) > LONGEST_HEADING or _holds_items(at):
                break
            named = named_list(text, sites=metadata.sites, more=more)
        if named is not None:
            best = at, named
        at, within = at.getparent(), at
    return best


def _only_wraps(element: HtmlElement, child: HtmlElement | None) -> bool:
    """Whether nothing is in the element but that child, which holds no items: then all is as it was for the child."""
    return (
        child is not None
        and len(element) == 1
        and not (element.text or "").strip()
        and not (child.tail or "").strip()
        and element.tag != "a"
        and child.tag not in _LISTS
    )


def _holds_items(element: HtmlElement) -> bool:
    links = 0
    for found in element.iter("a", *_LISTS) if len(element) else ():
        if found.tag == "a":
            links += 1
        if links > 1 or (found.tag != "a" and found is not element):
            return True
    return False


def _block(heading: HtmlElement) -> _Block | None:
    """The list that belongs to a heading: the one it controls, else the next behind it."""
    if (target := _target(heading)) is not None:
        return _block_in(target)
    at = heading
    for _ in range(_LEVELS):
        if at.tag == "li" and next(_siblings(at), None) is not None:
            return None  # one of several tabs or menu entries: what follows may belong to another
        for sibling in islice(at.itersiblings(), _NEAR):
            if (block := _block_in(sibling)) is not None:
                return block
            if _ends_search(sibling):
                return None
        parent = at.getparent()
        if parent is None or at.tag in _ENDS or parent.tag in ("body", "html"):
            return None
        at = parent
    return None


def _ends_search(element: HtmlElement) -> bool:
    """Whether another heading or a paragraph of the article stands between a heading and its list."""
    if element.tag in _HEADINGS or next(element.iter(*_HEADINGS), None) is not None:
        return True
    return element.tag == "p" and len(text_of(element, LONGEST_HEADING)) > LONGEST_HEADING


def _target(heading: HtmlElement) -> HtmlElement | None:
    """What a tab shows: the element that the heading, or the link or button around or in it, controls by its id."""
    near = [heading, *islice(heading.iterancestors(), 2), *islice(heading.iter("a", "button"), 2)]
    for element in near:
        link = element.get("href") or ""
        name = element.get("aria-controls") or (link[1:] if link.startswith("#") else "")
        if name:
            return next(iter(heading.getroottree().getroot().xpath("//*[@id=$name]", name=name)), None)
    return None


def _siblings(element: HtmlElement) -> Iterator[HtmlElement]:
    yield from element.itersiblings()
    yield from element.itersiblings(preceding=True)


def _block_in(element: HtmlElement) -> _Block | None:
    """The first list at or in an element, else the element itself if it holds several links."""
    for found in element.iter(*_LISTS):
        if items := _items(found):
            return _Block(found, items)
    if element.tag in ("div", "section", "nav") and len(items := _items(element)) > 1:
        return _Block(element, items)
    return None


def _items(block: HtmlElement) -> list[tuple[str, str | None]]:
    """(title, link) of each item."""
    rows: Sequence[HtmlElement]
    if block.tag in ("ol", "ul"):
        rows = [child for child in block if child.tag == "li"]
    elif block.tag in ("dl", "table"):
        rows = list(block.iter("dd" if block.tag == "dl" else "tr"))
    else:
        rows = _linked_parts(block)
    items = [item for row in rows[:_MOST_ITEMS] if (item := _item(row))[0]]
    numbers = [_NUMBERED.match(title) for title, _ in items]
    if all(found and int(found[1] or found[2]) == at for at, found in enumerate(numbers, 1)):
        items = [
            (title[found.end() :], link) for (title, link), found in zip(items, numbers, strict=True) if found
        ]
    return [(title, link) for title, link in items if title]


def _linked_parts(block: HtmlElement) -> list[HtmlElement]:
    """One link for each address in a block: that with the most text, since pictures link, too."""
    parts: dict[str, HtmlElement] = {}
    for link in [link for link in block.iter("a") if link.get("href")][: 4 * _MOST_ITEMS]:
        known = parts.get(link.get("href"))
        if known is None or len(text_of(known, _TITLE)) < len(text_of(link, _TITLE)):
            parts[link.get("href")] = link
    return list(parts.values())


def _item(row: HtmlElement) -> tuple[str, str | None]:
    links: list[HtmlElement] = []
    title = ""
    for element in row.iter("a", *_HEADINGS):
        if element.tag != "a":
            title = title or _title(element)
        elif (element.get("href") or "").strip():
            links.append(element)
    texts = [(_title(link), link.get("href")) for link in links[:10]]
    best = max(texts, key=lambda text: len(text[0]), default=("", None))
    return title or best[0] or _title(row), best[1]


def _title(element: HtmlElement) -> str:
    """The text of an item, a rank before it set off by a space."""
    if not len(element):
        return " ".join((element.text or "").split())[:_TITLE]
    parts = [part for part in element.itertext() if part.strip()]
    if len(parts) > 1 and _RANK.fullmatch(parts[0].strip()):
        parts[0] += " "
    return " ".join("".join(parts).split())[:_TITLE]


def _ids(links: Sequence[str | None], base: str) -> tuple[str | None, ...]:
    """The ids that the articles behind links have where they give no others: hashes of their addresses."""
    site = urljoin(base, "/")
    return tuple(linked_id(link, site if link.startswith("/") else base) if link else None for link in links)


@lru_cache(1 << 12)  # the same box stands on every page of a site
def linked_id(link: str, base: str) -> str | None:
    """The id of the article behind a link on the page `base`; None where it has no address."""
    url = resolved(base, link)
    return content_hash(url.encode("utf-8", "surrogatepass"), b"", b"", b"") if url else None


def _take_out(element: HtmlElement, tree: HtmlElement) -> None:
    """Remove an element, and those around it that nothing else is in, so that no trace of a box remains."""
    parent = element.getparent()
    while parent is not None and element is not tree:
        tail = element.tail
        element.drop_tree()
        if (
            len(parent)
            or (parent.text or "").strip()
            or (tail or "").strip()
            or parent.tag in _ENDS - {"aside"}
        ):
            return
        element, parent = parent, parent.getparent()

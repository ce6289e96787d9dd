"""NewsML-G2: news items alone, or in a news message. Bodies are XHTML, NITF or plain text.

DTDs with entities and everything external are refused; nothing is fetched, catalogues neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from classifier.errors import FormatError, PageError
from classifier.reading.base import Chunk, Note, ReadOptions, Source
from classifier.reading.documents import (
    MAX_DEPTH,
    MAX_ITEMS,
    Item,
    Refused,
    chunk_of,
    library,
    read_document,
    refusals,
)
from classifier.reading.markup import local_name, text_of_html, text_of_tree
from classifier.reading.topics import Subject
from classifier.reading.wire import WireItem, item_of, not_text

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_ITEMS = ("newsitem", "packageitem", "conceptitem", "knowledgeitem", "planningitem")
# Subjects of these types are persons and things, not topics.
_ENTITIES = ("person", "organisation", "organization", "geoarea", "place", "poi", "event", "object")
_Part = Item | Refused | Note


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """The text items of one file; a file that cannot be read is one rejection.

    Raises:
        ConfigError: `options.topics` is no topic file.
        MissingExtra: the "formats" extra is not installed.
    """
    chunks: list[Chunk] = []
    with refusals(source.name, chunks):
        parts = list(parse_newsml(read_document(source), source.name, options))
        made = chunk_of([part for part in parts if not isinstance(part, Note)], source.name, options)
        notes = (*made.notes, *(part for part in parts if isinstance(part, Note)))
        chunks.append(Chunk(articles=made.articles, rejected=made.rejected, notes=notes))
    yield from chunks


def parse_newsml(data: bytes, name: str, options: ReadOptions) -> Iterator[_Part]:
    """The items of a document: texts, those that are refused, and notes on what is no text.

    Raises:
        FormatError: it is not well-formed, is over a limit, asks for entities, or holds no item.
    """
    root = _tree(data, name)
    items = [element for element in root.iter() if local_name(element) in _ITEMS]
    if not items or len(items) > MAX_ITEMS:
        raise _unreadable(name, "holds no NewsML-G2 item" if not items else f"more than {MAX_ITEMS:,} items")
    for number, element in enumerate(items, 1):
        yield _part(element, f"newsItem {number}" if len(items) > 1 else None, name, options)


def _tree(data: bytes, name: str) -> Any:
    element_tree = library("defusedxml.ElementTree")
    common = library("defusedxml.common")
    try:
        root = element_tree.fromstring(data)
    except common.DefusedXmlException as error:
        raise _unreadable(name, f"asks for what is not read for safety ({type(error).__name__})") from error
    except (element_tree.ParseError, ValueError, LookupError) as error:
        raise _unreadable(name, f"is not well-formed: {error}"[:200]) from error
    depth, level = 0, [root]
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _unreadable(name, f"has more than {MAX_DEPTH} elements within each other")
        level = [child for element in level for child in element]
    return root


def _unreadable(name: str, problem: str) -> FormatError:
    return FormatError(problem, where=name, remedy="give a whole NewsML-G2 document without entities")


def _part(item: Any, element: str | None, name: str, options: ReadOptions) -> _Part:
    kind = _code(_child(item, "itemMeta", "itemClass")).rpartition(":")[2].lower()
    try:
        wire = _wire_item(item, f"{name}, {element}" if element else name)
    except PageError as error:
        return Refused(element, error.problem)
    if local_name(item) != "newsitem" or kind not in ("text", "") or not (wire.body or wire.headline):
        return not_text(name, kind or local_name(item))
    return item_of(wire, element, name, options)


def _wire_item(item: Any, where: str) -> WireItem:
    about, content = _child(item, "itemMeta"), _child(item, "contentMeta")
    headline = _best(content, "headline", ("main", ""))
    body, nitf = _body(item, where)
    return WireItem(
        id=(item.get("guid") or "").strip(),
        headline=headline or nitf.get("hl1", "") or _line(_child(about, "title")),
        summary=_best(content, "description", ("summary", "abstract", "")) or nitf.get("abstract", ""),
        body=body.removeprefix(f"{headline}\n") if headline else body,
        subjects=tuple(_subjects(content)),
        first_created=_line(_child(about, "firstCreated")) or _line(_child(content, "contentCreated")),
        created=_line(_child(about, "versionCreated")),
        version=(item.get("version") or "").strip(),
        source=_name(_child(content, "infoSource")) or _name(_child(about, "provider")),
        language=_language(item, content),
        author=_line(_child(content, "by")) or _name(_child(content, "creator")) or nitf.get("byline", ""),
        located=_name(_child(content, "located")),
        dateline=_line(_child(content, "dateline")) or nitf.get("dateline", ""),
        status=_code(_child(about, "pubStatus")),
        urgency=_line(_child(content, "urgency")),
        genre=_name(_child(content, "genre")),
        slugline=_line(_child(content, "slugline")),
        embargoed=_line(_child(about, "embargoed")),
    )


def _body(item: Any, where: str) -> tuple[str, dict[str, str]]:
    """The longest of the bodies, and what NITF says at the head of it."""
    found: list[tuple[str, dict[str, str]]] = [("", {})]
    for content in _children(_child(item, "contentSet")):
        if local_name(content) == "inlinedata":
            found.append((text_of_html("".join(content.itertext()), where), {}))
        elif local_name(content) == "inlinexml":
            nitf = next(
                (element for element in content.iter() if local_name(element) == "body.content"), None
            )
            found.append((text_of_tree(content if nitf is None else nitf), _nitf_head(content)))
    return max(found, key=lambda one: len(one[0]))


def _nitf_head(content: Any) -> dict[str, str]:
    names = ("hl1", "byline", "dateline", "abstract")
    found: dict[str, str] = {}
    for element in content.iter():
        if local_name(element) in names:
            found.setdefault(local_name(element), _line(element))
    return found


def _subjects(content: Any) -> Iterator[Subject]:
    """The topics in order of their rank."""
    found = [element for element in _children(content) if local_name(element) == "subject"]
    for element in sorted(found, key=_rank):
        if (element.get("type") or "").rpartition(":")[2].lower() in _ENTITIES:
            continue
        broader = [_code(child) for child in element if local_name(child) == "broader"]
        code, name = _code(element), _name(element, with_code=False)
        if code or name:
            yield Subject(code, name, tuple(code for code in broader if code))


def _rank(element: Any) -> int:
    rank = element.get("rank") or ""
    return int(rank) if rank.isdecimal() and len(rank) < 6 else 10**6


def _best(content: Any, name: str, roles: tuple[str, ...]) -> str:
    """The text of the element of that name whose role comes first among `roles`."""
    found = [element for element in _children(content) if local_name(element) == name]
    place = {role: at for at, role in enumerate(roles)}
    found.sort(key=lambda one: place.get((one.get("role") or "").rpartition(":")[2].lower(), len(place)))
    return next((text for element in found if (text := _line(element))), "")


def _language(item: Any, content: Any) -> str:
    language = _child(content, "language")
    tag = language.get("tag") if language is not None else None
    return (tag or item.get(_LANGUAGE) or "").strip()


def _children(element: Any) -> list[Any]:
    return [] if element is None else list(element)


def _child(element: Any, *path: str) -> Any:
    """The first child of that name, and so on; None where there is none."""
    for name in path:
        element = next((child for child in _children(element) if local_name(child) == name.lower()), None)
    return element


def _line(element: Any) -> str:
    return "" if element is None else text_of_tree(element).replace("\n", " ")


def _code(element: Any) -> str:
    """What a concept is called by: its qualified code, address or literal."""
    if element is None:
        return ""
    return next((value.strip() for key in ("qcode", "uri", "literal") if (value := element.get(key))), "")


def _name(element: Any, *, with_code: bool = True) -> str:
    """A concept's first name, else its literal, else the last part of its code."""
    named = _line(_child(element, "name"))
    if named or not with_code or element is None:
        return named
    return (element.get("literal") or _code(element).rpartition(":")[2] or _line(element)).strip()

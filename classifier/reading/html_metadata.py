"""What an HTML page says about its article: schema.org in JSON-LD, OpenGraph, meta elements, links."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from classifier.reading.html_tree import text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MAX_JSON = 1 << 20
_TAGS = ("script", "meta", "link", "title", "h1", "time")
_JSON = json.JSONDecoder(strict=False)  # many pages hold line breaks within strings
_Elements = Mapping[str, list["HtmlElement"]]
_MAX_NODES = 5000
# Types of schema.org whose objects are articles, the likeliest first.
_ARTICLES = ("newsarticle", "article", "liveblogposting", "blogposting", "socialmediaposting")
_PUBLISHED = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "parsely-pub-date",
    "pubdate",
    "publishdate",
    "publish-date",
    "dcterms.created",
    "dcterms.date",
    "dc.date.issued",
    "dc.date",
    "date",
)
_MODIFIED = ("article:modified_time", "og:updated_time", "datemodified", "lastmod", "last-modified")
_SECTION = ("article:section", "og:article:section", "parsely-section", "section")
_AUTHOR = ("article:author_name", "parsely-author", "author", "dc.creator", "byl")
# Parts of an address that say where a reader came from.
_TRACKING = re.compile(r"(?:utm_\w+|at_\w+|ref|ref_src|cid|ocid|icid|fbclid|gclid)=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What was said, "" or empty where nothing was. Times are as written, the most trustworthy first.

    `is_article` is None where the page does not say what it is.
    """

    headline: str = ""
    summary: str = ""
    sections: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    author: str = ""
    source: str = ""
    url: str = ""
    language: str = ""
    is_article: bool | None = None
    sites: frozenset[str] = field(default_factory=frozenset)


def metadata_of(tree: HtmlElement) -> Metadata:
    """All of it; JSON-LD goes before OpenGraph, that before other meta elements, those before the text of the page."""
    elements: dict[str, list[HtmlElement]] = {tag: [] for tag in _TAGS}
    for element in tree.iter(*_TAGS):
        elements[element.tag].append(element)
    data = _json_ld(elements)
    metas = _metas(elements)
    sites = [name for name in (_name(data.get("publisher")), metas.get("og:site_name", "")) if name]
    base = next(iter(_urls(data, elements, metas)), "")
    return Metadata(
        headline=_headline(data, elements, metas, sites),
        summary=_text(data.get("description")) or metas.get("og:description", ""),
        sections=_texts(data.get("articleSection")) or _first(metas, _SECTION),
        published=(*_texts(data.get("datePublished")), *_all(metas, _PUBLISHED), *_times(elements)),
        modified=(*_texts(data.get("dateModified")), *_all(metas, _MODIFIED)),
        author=_author(data.get("author")) or _plain_author(metas),
        source=sites[0] if sites else "",
        url=base,
        language=_text(data.get("inLanguage")) or tree.get("lang", "").strip() or _locale(metas),
        is_article=_is_article(data, metas),
        sites=frozenset([*sites, *_host_names(base)]),
    )


def _json_ld(elements: _Elements) -> Mapping[str, Any]:
    """The page's article object; empty where there is none."""
    found: dict[int, Mapping[str, Any]] = {}
    for script in elements["script"]:
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        for node in _nodes(_parsed(script.text or "")):
            if (place := _place(node)) is not None:
                found.setdefault(place, node)
    return found[min(found)] if found else {}


def _parsed(text: str) -> Any:
    text = text.strip().removeprefix("<!--").removesuffix("-->")
    text = text.strip().removeprefix("//<![CDATA[").removeprefix("<![CDATA[").removesuffix("//]]>")
    if len(text) > _MAX_JSON:
        return None
    try:
        return _JSON.decode(text.removesuffix("]]>").strip().rstrip(";"))
    except (ValueError, RecursionError):
        return None


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in the JSON, outer ones first, breadth before depth."""
    level, seen = [value], 0
    while level and seen < _MAX_NODES:
        deeper: list[Any] = []
        for item in level:
            seen += 1
            if isinstance(item, Mapping):
                yield item
                deeper += item.values()
            elif isinstance(item, list):
                deeper += item
        level = [item for item in deeper if isinstance(item, Mapping | list)]


def _place(node: Mapping[str, Any]) -> int | None:
    """How likely the object is the page's article, 0 the most; None where it is none."""
    for kind in _texts(node.get("@type")):
        name = kind.rpartition("/")[2].rpartition(":")[2].lower()
        if name.endswith("newsarticle"):  # also Reportage-, Opinion-, Analysis-, …
            return 0
        if name in _ARTICLES:
            return _ARTICLES.index(name)
    return None


def _metas(elements: _Elements) -> dict[str, str]:
    """The content of meta elements, by name or property in lower case; the first of each counts."""
    found: dict[str, str] = {}
    for meta in elements["meta"]:
        content = " ".join((meta.get("content") or "").split())
        for key in ("property", "name", "itemprop"):
            name = (meta.get(key) or "").strip().lower()
            if name and content:
                found.setdefault(name, content)
    return found


def _headline(
    data: Mapping[str, Any], elements: _Elements, metas: Mapping[str, str], sites: list[str]
) -> str:
    if headline := _text(data.get("headline")) or _text(data.get("name")):
        return headline
    headings = [text for heading in elements["h1"] if (text := text_of(heading, 400))]
    title = next((text_of(title, 400) for title in elements["title"]), "")
    if given := metas.get("og:title", ""):
        return _without_site(given, sites)
    return headings[0] if len(headings) == 1 else _without_site(title, sites) or "".join(headings[:1])


def _without_site(title: str, sites: list[str]) -> str:
    """A title without the site's name at its end."""
    for mark in (" | ", " - ", " – ", " — ", " :: ", "｜", " : "):
        before, found, after = title.rpartition(mark)
        if found and before and after.strip().casefold() in {site.casefold() for site in sites}:
            return before.strip()
    return title


def _urls(data: Mapping[str, Any], elements: _Elements, metas: Mapping[str, str]) -> Iterator[str]:
    links = [
        link.get("href", "")
        for link in elements["link"]
        if "canonical" in (link.get("rel") or "").lower().split()
    ]
    main = data.get("mainEntityOfPage")
    main = main.get("@id") if isinstance(main, Mapping) else main
    for url in (*links, metas.get("og:url", ""), _text(data.get("url")), _text(main)):
        if is_address(url):
            yield url.strip()


def is_address(url: str) -> bool:
    """Whether that is an absolute address of a page."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.netloc)


def resolved(base: str, link: str) -> str | None:
    """The absolute address of a link on the page `base`, without fragment and tracking; None where it has none."""
    try:
        parts = urlsplit(urljoin(base, link.strip()))
        kept = [pair for pair in parts.query.split("&") if not _TRACKING.match(pair)]
        url = parts._replace(fragment="", query="&".join(kept)).geturl()
    except ValueError:
        return None
    return url if is_address(url) else None


def _host_names(url: str) -> list[str]:
    """Names by which a page may call its own site: the host, with and without www. and ending."""
    host = urlsplit(url).hostname or "" if url else ""
    bare = host.removeprefix("www.")
    return [name for name in (host, bare, bare.partition(".")[0]) if name]


def _times(elements: _Elements) -> tuple[str, ...]:
    """The times of time elements that say they are of publication, or of the first one at all."""
    times = elements["time"]
    marked = [
        time
        for time in times
        if time.get("pubdate") is not None or "datePublished" in (time.get("itemprop") or "")
    ]
    return tuple(value for time in (marked or times[:1]) if (value := (time.get("datetime") or "").strip()))


def _author(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    names = [name for item in values[:20] if (name := _name(item))]
    return ", ".join(dict.fromkeys(names))


def _plain_author(metas: Mapping[str, str]) -> str:
    found = _first(metas, _AUTHOR)
    return "" if not found or is_address(found[0]) else found[0]


def _name(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    return _text(value.get("name")) if isinstance(value, Mapping) else _text(value)


def _text(value: Any) -> str:
    """The string, its entities and white space resolved; "" for anything else. Of a list, the first."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("@value", value.get("name"))
    return " ".join(html.unescape(value).split()) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for item in values if (text := _text(item)))


def _first(metas: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, ...]:
    return _all(metas, names)[:1]


def _all(metas: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(metas[name] for name in names if name in metas)


def _locale(metas: Mapping[str, str]) -> str:
    return metas.get("og:locale", "").replace("_", "-")


def _is_article(data: Mapping[str, Any], metas: Mapping[str, str]) -> bool | None:
    kind = metas.get("og:type", "").lower()
    return True if data or kind == "article" else False if kind else None

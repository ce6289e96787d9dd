"""The ranking boxes below an article: headings, items, cut-off and repeated boxes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from classifier.errors import PageError
from classifier.reading.base import SITE_WIDE
from classifier.reading.page_text import Line, fold


@dataclass(frozen=True, slots=True)
class Box:
    """One printed ranking: `list` is the section's name, or `SITE_WIDE`; `items` are titles, best first.

    `ids` are those of the articles that the titles link to (None where it is not known), or empty.
    """

    list: str
    taken_at: datetime | None
    items: tuple[str, ...]
    ids: tuple[str | None, ...] = ()


class Heading(NamedTuple):
    """A heading's place among the page's lines, its number in the file, and the list it names."""

    at: int
    line: int
    list: str


_LONGEST_HEADING = 200
OPENING_QUOTES = "\"'“”„‟‘’‚‛«‹「『〝《〈″"
CLOSING_QUOTES = "\"'”“‟’‘»›」』〟〞》〉″"
_POPULAR = re.compile(rf"[{OPENING_QUOTES}](.*)[{CLOSING_QUOTES}]\s*POPULAR\s+ARTICLES?", re.IGNORECASE)
_RANKING = re.compile(r"(?:(.*\S)\s+)?ACCESS\s+RANKING", re.IGNORECASE)
# The last line of a page that was cut off inside a heading.
_POPULAR_CUT = re.compile(
    rf"[{OPENING_QUOTES}](.*)[{CLOSING_QUOTES}]\s*(P[OPULAR]+(?:\s+[ARTICLES]*)?)", re.IGNORECASE
)
_RANKING_CUT = re.compile(r"(?:(.*\S)\s+)?ACCESS\s+(R[ANKI]*N?)", re.IGNORECASE)
SMALL_WORDS = frozenset(("a", "and", "by", "for", "in", "of", "on", "the"))

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043*"
_BULLETS = "\u2022\u25cf\u25aa\u00b7\u30fb\uff65"


def find_headings(lines: Sequence[Line], start: int) -> list[Heading]:
    """The headings in `lines[start:]`, in order.

    A heading stands alone on its line, and nothing, an item or another heading follows: the same words in an article's
    text start no box.
    """
    names = {
        index: name for index in range(start, len(lines)) if (name := _named(lines[index].text)) is not None
    }
    last = len(lines) - 1
    if lines and last >= start and last not in names and (cut := _named_cut(lines[last].text)) is not None:
        names[last] = cut
    headings: list[Heading] = []
    for index in sorted(names, reverse=True):
        follows_heading = bool(headings) and headings[-1].at == index + 1
        if index == last or follows_heading or _marked(lines[index + 1].text) is not None:
            headings.append(Heading(index, lines[index].number, names[index]))
    return headings[::-1]


def read_boxes(
    lines: Sequence[Line], headings: Sequence[Heading], *, name: str
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The list and the titles of each box, in the page's order, a list once.

    A box that is repeated, whole or cut off, is taken once, in its fullest form. Of two boxes that differ under one name
    the first counts: ranks of two printings cannot be mixed. Names of lists are compared without regard to case.

    Raises:
        PageError: a heading without a section's name.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    ends = [heading.at for heading in headings[1:]] + [len(lines)]
    for heading, end in zip(headings, ends, strict=False):  # without a heading there is no box
        items = _items(line.text for line in lines[heading.at + 1 : end])
        if not heading.list:
            raise PageError(
                "a popular box names no section",
                file=name,
                line=heading.line,
                expected='a heading such as "Politics" POPULAR ARTICLE',
            )
        key = heading.list.casefold()
        if key not in found:
            found[key] = (heading.list, items)
        elif _is_cut_of(found[key][1], items):
            found[key] = (found[key][0], items)
    return tuple(found.values())


def _items(texts: Iterable[str]) -> tuple[str, ...]:
    """The titles of a box. A mark without a title (a box cut off behind it) is no item.

    The first item decides between marks on lines of their own and marks before titles, since a title's own second line
    may begin with a dash.
    """
    items: list[list[str]] = []
    alone: bool | None = None
    for text in texts:
        title = _marked(text)
        if title == "":
            alone = True if alone is None else alone
            items.append([])
        elif title is not None and alone is not True:
            alone = False
            items.append([title])
        elif items:
            items[-1].append(text)
    return tuple(" ".join(item) for item in items if item)


def _marked(text: str) -> str | None:
    """What follows an item's mark: "" behind a mark alone on its line; None where the line begins with no mark.

    A dash marks an item only if white space follows it; a bullet always does.
    """
    mark = fold(text[0])
    if mark not in _BULLETS and (mark not in _DASHES or not (len(text) == 1 or text[1].isspace())):
        return None
    return text[1:].lstrip()


def _is_cut_of(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether `short` is the start of `long`, its last title possibly cut inside."""
    if len(short) > len(long):
        return False
    return not short or (short[:-1] == long[: len(short) - 1] and long[len(short) - 1].startswith(short[-1]))


def _named(text: str) -> str | None:
    """The list that a line names, if it has the form of a heading."""
    if len(text) > _LONGEST_HEADING or fold(text[-1]) not in "eEsSgG":
        return None
    folded = fold(text)
    if found := _POPULAR.fullmatch(folded):
        return _section(text[found.start(1) : found.end(1)])
    found = _RANKING.fullmatch(folded)
    return SITE_WIDE if found and _is_site(found[1] or "") else None


def _named_cut(text: str) -> str | None:
    """The list that the beginning of a heading names."""
    if len(text) > _LONGEST_HEADING:
        return None
    folded = fold(text)
    if (
        (found := _POPULAR_CUT.fullmatch(folded))
        and _begins("POPULAR ARTICLES", found[2])
        and len(found[2]) > 1
    ):
        return _section(text[found.start(1) : found.end(1)])
    found = _RANKING_CUT.fullmatch(folded)
    return SITE_WIDE if found and _begins("RANKING", found[2]) and _is_site(found[1] or "") else None


def _begins(whole: str, start: str) -> bool:
    return whole.startswith(" ".join(start.upper().split()))


def _section(name: str) -> str:
    """A section's name as printed, "" where it is none: "*" means the whole site."""
    name = " ".join(name.split())
    return "" if name == SITE_WIDE else name


def _is_site(prefix: str) -> bool:
    """Whether the words before ACCESS RANKING may be a site's name rather than the start of a sentence."""
    words = prefix.split()
    sentence = any(word.isalpha() and word.islower() and word not in SMALL_WORDS for word in words)
    return len(words) <= 6 and (len(words) <= 2 or not sentence)

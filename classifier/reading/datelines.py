"""Datelines: "TOKYO (Jiji Press) — …", "WASHINGTON/TOKYO (Reuters) - …", "PARIS, Feb. 2 (AP) –", "OSAKA — …".

A sentence that happens to hold a dash must stay whole, so a dateline needs one of three things at the start of its
paragraph: a city in capitals and an agency in parentheses; a known agency in parentheses, behind anything that looks
like a city or behind nothing; a city in capitals before a dash and a new sentence.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from classifier.reading.page_text import fold

_LONGEST = 200
# fmt: off
_KNOWN_AGENCIES = frozenset((
    "ap", "associated press", "the associated press", "reuters", "thomson reuters", "afp", "afp-jiji", "upi", "jiji",
    "jiji press", "kyodo", "kyodo news", "bloomberg", "bloomberg news", "dpa", "ansa", "efe", "tass", "interfax", "pti",
    "ani", "ians", "xinhua", "yonhap", "cna", "bernama", "antara", "anadolu", "cnn", "nhk", "the japan news",
    "the yomiuri shimbun", "時事", "時事通信", "共同", "共同通信", "ロイター", "新华社", "연합뉴스",
))
# What begins a line like a dateline, in parentheses or capitals, and is a note.
_NOTES = frozenset((
    "update", "updated", "correction", "corrected", "photo", "photos", "video", "opinion", "editorial", "exclusive",
    "breaking", "latest", "analysis", "repeats", "recasts", "note", "advertisement", "watch", "read", "live", "by",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
))
_SMALL_WORDS = frozenset((
    "a", "al", "am", "an", "and", "da", "das", "de", "del", "den", "der", "di", "do", "dos", "e", "el", "en", "la",
    "las", "le", "les", "of", "on", "sur", "the", "und", "upon", "y",
))
# fmt: on
_LONGEST_CITY = 5  # words

_WITH_AGENCY = re.compile(
    r"([^()]{0,100})\(([^()]{1,60})\)\s*(--|[\u2014\u2015\u2013\u2500\u2212]|[-_\u2010-\u2012](?=\s|$))"
)
_CITY_ONLY = re.compile(
    r"([^()\u2013-\u2015]{2,80}?)"
    r"(?:\s*[\u2014\u2015](?:\s*[\u2014\u2015])?\s*|\s+(?:--|[-\u2013\u2212])(?:\s+|$))"
)
_NAME = re.compile(r"(?:[^\W\d_]|[ ,./'’\u3000\uff0c-])+")
_DATE = re.compile(
    r"(?:,\s*|\s+)(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?\s*\d{1,2}(?:,\s*\d{4})?,?$"
    r"|(?:,\s*|\s+)\d{1,2}\s*(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?,?$",
    re.IGNORECASE,
)


class Dateline(NamedTuple):
    """A dateline and what follows it; `city` and `agency` as printed, None where they are not there."""

    city: str | None
    agency: str | None
    text: str


def split_dateline(paragraph: str) -> Dateline | None:
    """The dateline at the start of a paragraph, and the rest; None where it has none."""
    head = fold(paragraph[:_LONGEST])
    if found := _WITH_AGENCY.match(head):
        city, agency = _city(paragraph[: found.end(1)]), paragraph[found.start(2) : found.end(2)].strip()
        if _is_dateline(city, agency):
            return Dateline(city or None, agency, paragraph[found.end() :].strip())
    if found := _CITY_ONLY.match(head):
        city, text = _city(paragraph[: found.end(1)]), paragraph[found.end() :].strip()
        if _NAME.fullmatch(city) and _in_capitals(city, cased=True) and _starts_sentence(text):
            return None if _explains(text, city) else Dateline(city, None, text)
    return None


def _is_dateline(city: str, agency: str) -> bool:
    known = " ".join(fold(agency).lower().split()) in _KNOWN_AGENCIES
    if not city:
        return known or _looks_like_agency(agency)
    if known:
        return _in_capitals(city) or _looks_like_city(city)
    # A script without capitals has nothing that tells a city from a sentence.
    return _looks_like_agency(agency) and _in_capitals(city, cased=True) and not _explains(agency, city)


def _explains(text: str, name: str) -> bool:
    """Whether `text` spells out an abbreviation: "NATO (North Atlantic Treaty Organization) — …"."""
    initials = "".join(word[0] for word in text[:_LONGEST].split() if word[0].isupper())
    return initials.startswith(name.replace(".", ""))


def _city(text: str) -> str:
    """The city part without a date ("PARIS, Feb. 2" is Paris)."""
    text = text.strip()
    found = _DATE.search(fold(text))
    return text[: found.start()].strip() if found and found.start() else text


def _in_capitals(city: str, *, cased: bool = False) -> bool:
    """Whether the part before the first comma is capitals, "McALLEN" and "RIO de JANEIRO" included.

    What follows a comma may be mixed ("KYIV, Ukraine") but must be a name. With `cased`, letters of a script without
    capitals do not count.
    """
    first, *others = re.split(r"[,/]", fold(city))
    words = [re.sub(r"^(?:Mc|Mac|St\.|d['’]|l['’])", "", word) for word in first.split()]
    words = [word for word in words if word not in _SMALL_WORDS]
    letters = [letter for letter in "".join(words) if letter.isalpha()]
    if len(letters) < 2 or not first[0].isalpha() or len(words) > _LONGEST_CITY or _is_note(words):
        return False
    if any(letter.islower() or (cased and not letter.isupper()) for letter in letters):
        return False
    return len(others) <= 4 and all(not other.strip() or _looks_like_city(other) for other in others)


def _looks_like_city(text: str) -> bool:
    """A few words (or a list of such names) that each begin with a capital or are of a script without."""
    for part in re.split(r"[,/]", fold(text)):
        words = [word for word in part.split() if word not in _SMALL_WORDS]
        if len(words) > _LONGEST_CITY or not _begin_with_capitals(words):
            return False
    return True


def _looks_like_agency(agency: str) -> bool:
    words = [word for word in agency.split() if word not in _SMALL_WORDS]
    return len(words) <= 6 and _begin_with_capitals(words)


def _begin_with_capitals(words: list[str]) -> bool:
    if not words or _is_note(words):
        return False
    return all(word[0].isalpha() and not word[0].islower() for word in words)


def _is_note(words: list[str]) -> bool:
    return bool(words) and words[0].strip(".,:!").lower() in _NOTES


def _starts_sentence(text: str) -> bool:
    """Whether a sentence begins here (or nothing does), and not the rest of a line that is all capitals."""
    first = text.lstrip("\"'“‘«(「『$€£¥￥")[:1]
    return not text or (first.isalnum() and not first.islower() and not text.isupper())

"""The headings of ranking boxes on HTML pages, in several languages: which list does a heading name?

A heading is a phrase ("Most read", "人気記事"), with a section's name before or behind it as its language has it ("Most
read in Politics", "政治の人気記事"), and words of time ("today", "週間") that say nothing here. Anything else is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

from classifier.reading.base import SITE_WIDE
from classifier.reading.page_boxes import CLOSING_QUOTES, OPENING_QUOTES, SMALL_WORDS

LONGEST_HEADING = 80
_LONGEST_NAME = 40
_MOST_WORDS = 5


class Named(NamedTuple):
    """The list that a heading names; `certain` where the words are used for nothing but ranking boxes."""

    list: str
    certain: bool


class _Language(NamedTuple):
    """Regular expressions over folded text: phrases, those that are certain, words of time, what joins phrase and name.

    `behind` joins phrase and a name behind it ("in"), `before` a name and a phrase behind it ("の").
    """

    phrases: str
    certain: str
    time: str
    behind: str = ""
    before: str = ""


_NOUN_EN = r"(?: (?:articles?|stories|news|posts|headlines|reads))?"
_NOUN_DE = r"(?: (?:artikel|beiträge|meldungen|nachrichten|texte))?"
_NOUN_FR = r"(?:(?:les )?(?:articles|actualités|infos) )?"
_NOUN_ES = r"(?:(?:las |los )?(?:noticias|artículos|notas) )?"
_LANGUAGES = (
    _Language(
        phrases=rf"(?:the )?most[ -](?:read|popular|viewed|clicked|visited|shared){_NOUN_EN}"
        rf"|(?:popular|trending)(?: (?:articles?|stories|news|posts|headlines|now))|what(?:'s| is) popular"
        r"|article rankings?|news rankings?",
        certain=r"popular articles?|access rankings?",
        time=r"today(?:'s)?|this (?:week|month)|(?:right )?now|daily|weekly|monthly"
        r"|(?:in|of|over) the (?:last|past) (?:\d+ )?(?:hours?|days?|week|month)|of the (?:day|week|month)|\d+ ?h(?:ours)?",
        behind=r"(?: (?:in|on|from|at)| ?[:|–-])",
    ),
    _Language(
        phrases=r"(?:人気|注目)(?:の)?(?:記事|ニュース)(?:ランキング)?|(?:よく|最も)?読まれ(?:た|ている)(?:記事|ニュース)(?:ランキング)?"
        r"|(?:記事|ニュース|人気|閲覧数?)ランキング|ランキング",
        certain=r"アクセス(?:数)?ランキング",
        time=r"(?:今日|本日|昨日|今週|今月|現在|最近)の?|(?:週間|月間|日間|年間|デイリー|ウィークリー|マンスリー|最新|リアルタイム)"
        r"|\d+(?:時間|日間)(?:の)?|総合|全体|全体の",
        before="の|で|別",
    ),
    _Language(
        phrases=r"(?:가장 ?)?많이 (?:본|읽은|찾은)(?: (?:뉴스|기사|글))?|(?:인기|랭킹|베스트) ?(?:뉴스|기사)"
        r"|(?:조회수|기사|뉴스) ?(?:순위|랭킹)",
        certain=r"(?:가장 ?)?많이 본 (?:뉴스|기사)",
        time=r"오늘의?|실시간|주간|일간|월간|최근|지금|종합|전체|이번 주|\d+시간",
        before=r" ?(?:분야|섹션|부문)(?:에서|의)?|에서|의",
    ),
    _Language(
        phrases=rf"(?:die )?meist ?(?:gelesen|geklickt)(?:e[ns]?)?{_NOUN_DE}"
        rf"|am meisten gelesen|(?:die )?beliebt(?:este)?n?{_NOUN_DE}",
        certain=r"(?:die )?meistgelesenen? artikel",
        time=r"heute|gestern|aktuell|jetzt|der woche|des (?:tages|monats)|diese woche",
        behind=r"(?: (?:in(?: der)?|im(?: ressort)?|aus|auf|bei)| ?[:|–-])",
    ),
    _Language(
        phrases=rf"{_NOUN_FR}(?:les? )?plus (?:lue?s?|consultée?s?|vue?s?|populaires?)|(?:les )?articles populaires",
        certain=r"(?:les )?articles les plus lus",
        time=r"aujourd'hui|du (?:jour|mois|moment)|de la semaine|cette semaine|en ce moment",
        behind=r"(?: (?:en|dans(?: la rubrique)?|de la rubrique|sur|rubrique)| ?[:|–-])",
    ),
    _Language(
        phrases=rf"{_NOUN_ES}(?:lo |las |los )?(?:más|mas|\+) (?:leíd|leid|vist|popular|visitad|consultad)(?:[oa]s?|es)?"
        r"|(?:noticias|artículos) populares",
        certain=r"(?:las )?noticias más leídas",
        time=r"hoy|de hoy|ahora|del (?:día|mes)|de la semana|esta semana",
        behind=r"(?: (?:en(?: la sección)?|sobre|de la sección|sección)| ?[:|–-])",
    ),
)
# Any phrase of any language: most texts with a likely word in them hold none.
_PHRASES = re.compile("|".join(part for own in _LANGUAGES for part in (own.phrases, own.certain)))
# Before these words stands the site's name, as on plain-text pages.
_SITE_RANKING = re.compile(r"(?:(?P<name>.+) )?access rankings?")
_QUOTED = rf"[{OPENING_QUOTES}](?P<quoted>[^{OPENING_QUOTES}{CLOSING_QUOTES}]+)[{CLOSING_QUOTES}]"
_STEMS = re.compile(
    r"read|popul|trend|most|rank|view"
    r"|ランキング|人気|読まれ|많이|인기|랭킹|순위|베스트|meist|gelesen|beliebt|plus|lus|más|mas |leíd|\+",
)
_WIDE = re.compile("[！-～]")
_BETWEEN = "\0"  # in no text of a tree
_SENTENCE = re.compile(r"[.!?。！？…]$|[,;。]")


@lru_cache(1 << 12)  # the same headings stand on every page of a site
def named_list(text: str, *, sites: Collection[str] = (), more: tuple[str, ...] = ()) -> Named | None:
    """The list that `text` names as a heading; None where it is none.

    `sites` are names of the page's own site (hashable): a list of that name is the site-wide one. `more` are further
    headings, in which "*" stands for a section's name.
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text or len(text) > LONGEST_HEADING:
        return None
    folded = fold_heading(text)
    if len(folded) != len(text):
        return None
    for pattern in _further(more):
        if found := pattern.fullmatch(folded):
            return _named(text, found, sites, certain=True)
    if not _STEMS.search(folded):
        return None
    if found := _SITE_RANKING.fullmatch(folded):
        return Named(SITE_WIDE, True) if _is_name(found["name"] or "") else None
    if _PHRASES.search(folded) is None:
        return None
    for certain, language in product((True, False), _LANGUAGES):
        phrases = language.certain if certain else language.phrases
        if re.search(phrases, folded) is None:
            continue
        for form in _forms(language, phrases):
            if (found := form.fullmatch(folded)) and (named := _named(text, found, sites, certain=certain)):
                return named
    return None


def likely_names(texts: Sequence[str], more: tuple[str, ...] = ()) -> list[str]:
    """Those of the texts that hold a word which a heading could be made of: one quick look at all of them."""
    whole = _BETWEEN.join(texts)
    # What has no wide letters is folded by lower case, as far as the words go.
    folded = fold_heading(whole) if more or _WIDE.search(whole) else whole.lower()
    found: dict[int, str] = {}
    number = at = 0
    for word in _words(more).finditer(folded):
        number += folded.count(_BETWEEN, at, word.start())
        at = word.start()
        found[number] = texts[number]
    return list(found.values())


@cache
def _words(more: tuple[str, ...]) -> re.Pattern[str]:
    words = [word.strip() for phrase in more for word in fold_heading(phrase).split("*") if word.strip()]
    return re.compile("|".join([_STEMS.pattern, *map(re.escape, words)]))


def fold_heading(text: str) -> str:
    """Lower case, plain apostrophes and full-width ASCII narrowed, a character for each."""
    if text.isascii():
        return text.lower().replace("`", "'")
    return "".join([_fold_one(character) for character in text])


@cache
def _fold_one(character: str) -> str:
    if character in "’ʼ`´":
        return "'"
    narrow = unicodedata.normalize("NFKC", character) if "！" <= character <= "～" else character
    lower = narrow.lower()
    return lower if len(lower) == 1 else character


def _named(text: str, found: re.Match[str], sites: Collection[str], *, certain: bool) -> Named | None:
    groups = [group for group in ("quoted", "name", "after") if found.groupdict().get(group)]
    if not groups:
        return Named(SITE_WIDE, certain)
    start, end = found.span(groups[0])
    name = text[start:end].strip(" :|-–—・/")
    if not name:
        return Named(SITE_WIDE, certain)
    if not _is_name(name) or (groups[0] == "name" and _goes_on(name)):
        return None
    known = {fold_heading(site) for site in sites}
    return Named(SITE_WIDE if fold_heading(name) in known or name == SITE_WIDE else name, certain)


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and len(text.split()) <= _MOST_WORDS and not _SENTENCE.search(text)


def _goes_on(name: str) -> bool:
    """Whether the words before a phrase begin a sentence rather than name a section."""
    words = name.split()
    return any(word.isalpha() and word.islower() and word not in SMALL_WORDS for word in words[1:])


@cache
def _forms(language: _Language, phrases: str) -> list[re.Pattern[str]]:
    # Words of time on both sides; between two words of Japanese there is no space.
    phrase = rf"(?:(?:{language.time})[ :・]*)*(?:{phrases})(?:[ :・(（]*(?:{language.time})[)）]?)*"
    forms = [
        phrase,
        rf"{_QUOTED} ?(?:(?:{language.before}) ?)?{phrase}" if language.before else rf"{_QUOTED} ?{phrase}",
    ]
    if language.behind:
        forms.append(rf"{phrase}{language.behind} (?:{_QUOTED}|(?P<after>.+?))(?: (?:{language.time}))?")
    joint = rf"(?:{language.before})?[ :|・/–—-]*" if language.before else "[ :|/–—-]+"
    forms.append(rf"(?P<name>.+?){joint}{phrase}")
    return [re.compile(form) for form in forms]


@cache
def _further(more: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    found = []
    for phrase in more:
        before, star, after = (re.escape(" ".join(part.split())) for part in _parted(phrase))
        gap = (" ?" if before else "", " ?" if after else "")
        name = rf"{gap[0]}(?:{_QUOTED}|(?P<name>.+?)){gap[1]}" if star else ""
        found.append(re.compile(f"{before}{name}{after}"))
    return tuple(found)


def _parted(phrase: str) -> tuple[str, str, str]:
    return fold_heading(unicodedata.normalize("NFC", phrase)).partition("*")

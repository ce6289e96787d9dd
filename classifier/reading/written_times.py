"""Dates and times as people write them: "February 2, 2022", "2. Februar 2022, 11.36 Uhr", "2 février 2022 à 11h36",
"2 de febrero de 2022", "2022年2月2日 11時36分", "2022. 2. 2. 오전 11:36", "02/02/2022 11:36 AM".

A text is a time when it holds one date, at most one time of day, a zone, weekdays and small words, in any order, and
nothing else. "03/04/2022" may be of March or of April: which, is the reader's to say (`Order`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from classifier.reading.page_text import fold

Order = Literal["day-first", "month-first"]

_LONGEST = 120
_MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner janvier janv enero ene",
            "february feb februar février fevrier févr fevr fév febrero",
            "march mar märz maerz mrz mär mars marzo",
            "april apr avril avr abril abr",
            "may mai mayo",
            "june jun juni juin junio",
            "july jul juli juillet juil julio",
            "august aug août aout agosto ago",
            "september sept sep septembre septiembre setiembre set",
            "october oct oktober okt octobre octubre",
            "november nov novembre noviembre",
            "december dec dezember dez décembre decembre déc diciembre dic",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = rf"(?P<name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})(?![^\W\d_])"
_DAY = r"(?P<day>\d{1,2})"
_YEAR = r"(?P<year>\d{4})(?!\d)"
_ERAS = {"平成": 1988, "令和": 2018}
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\w){_MONTH}\.? ?{_DAY}(?:st|nd|rd|th)?,? ?{_YEAR}",
        rf"(?<!\w){_DAY}(?:st|nd|rd|th|er|º|\.)? ?(?:of |de |del )?{_MONTH}\.?,?(?: ?|-)(?:de |del )?{_YEAR}",
        rf"(?<!\w){_DAY}-{_MONTH}-{_YEAR}",
        r"(?<!\w)(?P<year>\d{4})([-/.]) ?(?P<month>\d{1,2})\2 ?(?P<day>\d{1,2})(?!\d)\.?",
        r"(?<!\w)(?P<year>\d{4})[年년] ?(?P<month>\d{1,2})[月월] ?(?P<day>\d{1,2})[日일]",
        r"(?P<era>平成|令和)(?P<year>\d{1,2}|元)年 ?(?P<month>\d{1,2})月 ?(?P<day>\d{1,2})日",
        rf"(?<!\w){_DAY}\. ?(?P<month>\d{{1,2}})\. ?{_YEAR}",
        rf"(?<!\w)(?P<one>\d{{1,2}})([-/])(?P<other>\d{{1,2}})\2{_YEAR}",
    )
)
_ZONE = r"(?: ?(?P<zone>(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]{1,5}))?"
_MINUTE = r"(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?"
_UNIT = r"(?P<unit> ?(?:Uhr|hrs?|h|horas?|heures?))(?![a-z])"
_TIMES = tuple(
    re.compile(pattern + _ZONE, re.IGNORECASE)
    for pattern in (
        rf"T?(?P<hour>\d{{1,2}})(?:[:.]{_MINUTE})?(?:(?P<half> ?[ap]\.? ?m\.?)(?![a-z])|{_UNIT})?",
        r"(?P<hour>\d{1,2}) ?h ?(?P<minute>\d{2})(?: ?min)?",
        r"(?P<half>午前|午後|오전|오후)? ?(?P<hour>\d{1,2})(?P<unit>[時시]) ?(?:(?P<minute>\d{1,2})[分分분])?",
        rf"(?P<half>午前|午後|오전|오후|[ap]\.?m\.?) ?(?P<hour>\d{{1,2}}):{_MINUTE}",
    )
)
_AFTERNOON = ("p", "午後", "오후")
_LABEL = re.compile(
    r"(?:last |first )?(?:updated|published|posted|modified)|aktualisiert|veröffentlicht|stand"
    r"|mis à jour|publié|actualizado|publicado|更新日時?|更新|公開|配信|입력|수정|등록",
    re.IGNORECASE,
)
_SMALL = frozenset(["at", "on", "um", "am", "den", "der", "le", "la", "les", "à", "las", "el", "a", "los"])
_WEEKDAY = re.compile(
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?"
    r"|(?:mo|di|mi|do|fr|sa|so)\.?|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend"
    r"|(?:lun|mar|mer|jeu|ven|sam|dim)\.?|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche"
    r"|(?:lun|mi[ée]|jue|vie|s[áa]b|dom)\.?|lunes|martes|mi[ée]rcoles|jueves|viernes|s[áa]bado|domingo"
    r"|[月火水木金土日](?:曜日?)?|[월화수목금토일](?:요일)?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[,()\[\]|·、]")


@dataclass(frozen=True, slots=True)
class Written:
    """A local time as it was written: without a time of day it is midnight. `zone` is what is printed, or "".

    `other` is the time that it would be if the first of two numbers were the month, where both could be; `order` what a
    date of two numbers shows of which stands first.
    """

    local: datetime
    zone: str
    has_time: bool
    other: datetime | None = None
    order: Order | None = None

    def by(self, order: Order) -> datetime:
        """The local time if days stand first, or months."""
        return self.other if order == "month-first" and self.other is not None else self.local


def find_time(text: str) -> Written | None:
    """The time that a text says; None where it says none, or anything else.

    Raises:
        ValueError, OverflowError: it looks like one that does not exist.
    """
    if len(text) > _LONGEST:
        return None
    text = " ".join(fold(text).replace("\u2212", "-").split())
    date = next((found for pattern in _DATES if (found := pattern.search(text))), None)
    if date is None:
        return None
    rest = _rest(f"{text[: date.start()]} , {text[date.end() :]}")
    time = None if not rest else _time_of_day(rest)
    if time is None and rest and not re.fullmatch(r"[A-Z]{2,5}|(?:UTC|GMT)?[+-]\d{1,2}:?\d{2}|Z", rest):
        return None
    zone = (time["zone"] or "") if time else rest
    day, other = _days(date)
    hours = (0, 0, 0) if time is None else _hours(time)
    local = datetime(*day, *hours)  # noqa: DTZ001 — zoned by the caller
    reversed_ = other and datetime(*other, *hours)  # noqa: DTZ001
    return Written(local, zone, time is not None, reversed_ or None, _shown_order(date))


def _rest(text: str) -> str:
    """What a text holds beside its date, without labels, weekdays and small words."""
    text = " ".join(_BETWEEN.sub(" ", text).split())
    if label := _LABEL.match(text):
        text = text[label.end() :].lstrip(": ")
    words = [word for word in text.split() if word.lower() not in _SMALL and not _WEEKDAY.fullmatch(word)]
    return " ".join(words)


def _time_of_day(rest: str) -> re.Match[str] | None:
    for pattern in _TIMES:
        # A bare hour is a time only with "a.m.", "Uhr" or 時.
        if (found := pattern.fullmatch(rest)) and (
            found["minute"] or found.groupdict().get("half") or found.groupdict().get("unit")
        ):
            return found
    return None


def _shown_order(date: re.Match[str]) -> Order | None:
    parts = date.groupdict()
    if int(parts.get("one") or 0) > 12:
        return "day-first"
    return "month-first" if int(parts.get("other") or 0) > 12 else None


Day = tuple[int, int, int]


def _days(date: re.Match[str]) -> tuple[Day, Day | None]:
    """The day, and what it is with the month first, where that is another that exists."""
    parts = date.groupdict()
    if "one" in parts:
        year, one, other = (int(parts[name]) for name in ("year", "one", "other"))
        if one > 12 or other > 12:
            return ((year, other, one) if one > 12 else (year, one, other)), None
        return (year, other, one), None if one == other else (year, one, other)
    if "era" in parts:
        year = _ERAS[parts["era"]] + (1 if parts["year"] == "元" else int(parts["year"]))
        return (year, int(parts["month"]), int(parts["day"])), None
    month = int(parts["month"]) if "month" in parts else _MONTHS[parts["name"].lower()]
    return (int(parts["year"]), month, int(parts["day"])), None


def _hours(time: re.Match[str]) -> Day:
    hour = int(time["hour"])
    parts = time.groupdict()
    if half := (parts.get("half") or "").strip().lower():
        if hour > 12:
            raise ValueError("an hour past 12 with a.m. or p.m.")
        hour = hour % 12 + 12 * half.startswith(_AFTERNOON)
    return hour, int(time["minute"] or 0), int(parts.get("second") or 0)

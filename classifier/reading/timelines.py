"""The time line of a page: "11:36 JST, February 2, 2022" and its many relatives.

A line is a time line when it holds one date, one time of day and at most a zone, a weekday and a word such as
"Updated", in any order, and nothing else. What looks like one and is impossible (30 February) is an error.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from classifier.errors import PageError
from classifier.reading.page_text import Line, fold
from classifier.reading.zones import ZoneUnknown, zoned

EXPECTED = 'a time line such as "11:36 JST, February 2, 2022"'

_LONGEST = 120
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})(?!\d)"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\w){_MONTH}\.? ?{_DAY},? ?{_YEAR}",
        rf"(?<!\w){_DAY} ?(?:of )?{_MONTH}\.?,? ?{_YEAR}",
        r"(?<!\w)(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)",
        r"(?<!\w)(?P<year>\d{4})[年년] ?(?P<month>\d{1,2})[月월] ?(?P<day>\d{1,2})[日일]",
    )
)
_ZONE = r"(?: ?(?P<zone>(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]{1,5}))?"
_TIMES = tuple(
    re.compile(pattern + _ZONE, re.IGNORECASE)
    for pattern in (
        r"T?(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?)?"
        r"(?: ?(?P<half>[ap])\.? ?m\.?(?![a-z]))?",
        r"(?P<half>午前|午後|오전|오후)? ?(?P<hour>\d{1,2})[時시] ?(?:(?P<minute>\d{1,2})[分분])?",
    )
)
_AFTERNOON = ("p", "午後", "오후")
_LABEL = re.compile(
    r"(?:last |first )?(?:updated|published|posted|modified)|更新|公開|配信|입력|수정", re.IGNORECASE
)
_WEEKDAY = re.compile(
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?|[月火水木金土日](?:曜日?)?|[월화수목금토일](?:요일)?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[,()\[\]|·、]")


def parse_time_line(line: Line, *, name: str, timezone: tzinfo | None) -> datetime | None:
    """The time of a time line; None where the line is none. `timezone` is read where no certain zone is printed.

    Raises:
        PageError: it is a time line, but the time is impossible, or its zone unknown and `timezone` is None.
    """
    if len(line.text) > _LONGEST:
        return None
    text = " ".join(fold(line.text).replace("\u2212", "-").split())
    for pattern in _DATES:
        if date := pattern.search(text):
            break
    else:
        return None
    time = _time_of_day(f"{text[: date.start()]} , {text[date.end() :]}")
    if time is None:
        return None
    zone = time["zone"] or ""
    try:
        return zoned(_local(date, time), zone, timezone)
    except ZoneUnknown:
        raise PageError(
            f"the time zone {zone} is not known or stands for several" if zone else "the time has no zone",
            file=name,
            line=line.number,
            expected=f"{EXPECTED}, or the zone of the source (--timezone Asia/Kolkata, [data] timezone)",
        ) from None
    except (ValueError, OverflowError):
        raise PageError(
            f'"{line.text}" is not a time that exists', file=name, line=line.number, expected=EXPECTED
        ) from None


def _time_of_day(rest: str) -> re.Match[str] | None:
    """The time in what a line holds beside its date; None where it holds anything else."""
    rest = " ".join(_BETWEEN.sub(" ", rest).split())
    if label := _LABEL.match(rest):
        rest = rest[label.end() :].lstrip(": ")
    words = [
        word for word in rest.split() if word.lower() not in ("at", "on") and not _WEEKDAY.fullmatch(word)
    ]
    rest = " ".join(words)
    for pattern in _TIMES:
        # A bare hour is a time only with "a.m." or 時.
        if (found := pattern.fullmatch(rest)) and (found["minute"] or found["half"] or pattern is _TIMES[1]):
            return found
    return None


def _local(date: re.Match[str], time: re.Match[str]) -> datetime:
    """The local time without a zone.

    Raises:
        ValueError: there is no such day or hour.
    """
    parts = date.groupdict()
    month = int(parts["month"]) if "month" in parts else _MONTHS.index(parts["name"][:3].lower()) + 1
    hour = int(time["hour"])
    if time["half"]:
        if hour > 12:
            raise ValueError("an hour past 12 with a.m. or p.m.")
        hour = hour % 12 + 12 * (time["half"].lower() in _AFTERNOON)
    seconds = time.groupdict().get("second")
    return datetime(  # noqa: DTZ001 — zoned by the caller
        int(parts["year"]), month, int(parts["day"]), hour, int(time["minute"] or 0), int(seconds or 0)
    )

"""Times as documents write them: ISO 8601, RFC 822 as in feeds and mail, and as people write them."""

from __future__ import annotations

import re

from classifier.errors import FieldError
from classifier.reading.base import Note, ReadOptions
from classifier.reading.time_rules import Time, TimeRules

# "Wed, 02 Feb 22 11:36:60 UT": the weekday goes, years of two digits get their century, leap seconds are the one before.
_RFC_822 = re.compile(
    r"(?:[a-z]{3,9}\.?,? +)?(\d{1,2})[ -]+([a-z]{3})[a-z]{0,6}\.?,?[ -]+(\d{4}|\d{2})"
    r"(?:,? +(\d{1,2}:\d{2})(:\d{2})?)?(?: *([+-]\d{2}:?\d{2}|[a-z]{1,5}))?",
    re.IGNORECASE,
)
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}\S*) (?:(Z|UTC)|([+-]\d{2}:?\d{2}))")
_UNKNOWN_OFFSET = {"-0000": "+0000", "-00:00": "+0000", "UT": "+0000"}


def written_time(text: str, options: ReadOptions) -> Time:
    """The time with its zone, and what is in doubt about it.

    Raises:
        FieldError: it is no time, has no zone and `options.timezone` is None, or is in doubt and `options.strict`.
    """
    text = " ".join(text.split())
    if found := _RFC_822.fullmatch(text):
        text = _spelled_out(found)
    elif found := _ISO.fullmatch(text):
        text = f"{found[1]}{'Z' if found[2] else found[3]}"
    times, failures = TimeRules.of(options).read([text], "published_at", "")
    if failures:
        raise failures[0]
    if times[0].time is None:
        raise FieldError("published_at", "is empty", remedy="write it like 2022-02-02T11:36:00+09:00")
    return times[0]


def notes_of(time: Time, text: str, file: str) -> list[Note]:
    """The note on a time that is in doubt."""
    return [Note(file, time.doubt, text)] if time.doubt else []


def _spelled_out(found: re.Match[str]) -> str:
    day, month, year, clock, second, zone = found.groups()
    if len(year) == 2:
        year = f"{20 if int(year) < 70 else 19}{year}"
    second = ":59" if second == ":60" else second or ""
    zone = _UNKNOWN_OFFSET.get(str(zone).upper(), zone)
    return " ".join(part for part in (day, month, year, f"{clock}{second}" if clock else "", zone) if part)

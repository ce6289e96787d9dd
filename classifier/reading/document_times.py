"""Times as documents write them: ISO 8601, or RFC 822 as in feeds and mail."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from classifier.articles import parse_time
from classifier.errors import FieldError
from classifier.reading.zones import ZoneUnknown, zoned

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RFC_822 = re.compile(
    r"(?:[a-z]{3,9}\.?,? +)?(\d{1,2})[ -]+([a-z]{3,9})\.?,?[ -]+(\d{4}|\d{2})"
    r"(?:,? +(\d{1,2}):(\d{2})(?::(\d{2}))?)?(?: *([+-]\d{2}:?\d{2}|[a-z]{1,5}))?",
    re.IGNORECASE,
)
_BASIC_OFFSET = re.compile(r"([+-]\d{2})$")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# RFC 822 gives the one letter, RFC 2822 the offset that says "unknown" a meaning; UT is UTC.
_ZONES = {"ut": "UTC", "z": "UTC", "-0000": "UTC"}


def written_time(text: str, timezone: tzinfo | None) -> datetime:
    """The time, with its zone; `timezone` is that of times without one.

    Raises:
        FieldError: it is no time, or has no zone and `timezone` is None.
    """
    text = " ".join(text.split())
    if found := _RFC_822.fullmatch(text):
        return _rfc_822(text, found, timezone)
    if _ISO_DAY.match(text):
        text = text.replace(" +", "+").replace(" Z", "Z").removesuffix(" UTC")
    time = parse_time(text, timezone=timezone)
    if time is None:
        raise _no_time(text)
    return time


def _rfc_822(text: str, found: re.Match[str], timezone: tzinfo | None) -> datetime:
    day, month, year, hour, minute, second, zone = found.groups()
    if month[:3].lower() not in _MONTHS:
        raise _no_time(text)
    number = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 70 else 1900)
    try:
        local = datetime(  # noqa: DTZ001 — zoned below
            number,
            _MONTHS.index(month[:3].lower()) + 1,
            int(day),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),  # a leap second
        )
        zone = zone or ""
        return zoned(local, _ZONES.get(zone.lower(), zone), timezone)
    except ZoneUnknown:
        problem = f'"{text}" has no time zone' if not zone else f'"{text}": its zone {zone} is not known'
        raise FieldError(
            "published_at", problem, remedy='set [data] timezone = "Asia/Tokyo" (--timezone)'
        ) from None
    except (ValueError, OverflowError):
        raise _no_time(text) from None


def _no_time(text: str) -> FieldError:
    shown = f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'
    return FieldError(
        "published_at", f"{shown} is not a time", remedy="write it like 2022-02-02T11:36:00+09:00"
    )

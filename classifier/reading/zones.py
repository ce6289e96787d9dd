"""Time-zone abbreviations and numeric offsets, as newspapers print them behind a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

# Abbreviation -> (fixed offset from UTC in minutes, IANA zone). The offset decides the instant. Abbreviations that stand
# for several offsets in the news (IST, CST, AST, GST, SST, …) are left out on purpose.
ABBREVIATIONS: dict[str, tuple[int, str]] = {
    "UTC": (0, "UTC"),
    "Z": (0, "UTC"),
    "GMT": (0, "Europe/London"),
    "BST": (60, "Europe/London"),
    "WET": (0, "Europe/Lisbon"),
    "WEST": (60, "Europe/Lisbon"),
    "CET": (60, "Europe/Paris"),
    "CEST": (120, "Europe/Paris"),
    "EET": (120, "Europe/Athens"),
    "EEST": (180, "Europe/Athens"),
    "MSK": (180, "Europe/Moscow"),
    "TRT": (180, "Europe/Istanbul"),
    "IDT": (180, "Asia/Jerusalem"),
    "WAT": (60, "Africa/Lagos"),
    "CAT": (120, "Africa/Harare"),
    "SAST": (120, "Africa/Johannesburg"),
    "EAT": (180, "Africa/Nairobi"),
    "PKT": (300, "Asia/Karachi"),
    "NPT": (345, "Asia/Kathmandu"),
    "ICT": (420, "Asia/Bangkok"),
    "WIB": (420, "Asia/Jakarta"),
    "WITA": (480, "Asia/Makassar"),
    "WIT": (540, "Asia/Jayapura"),
    "HKT": (480, "Asia/Hong_Kong"),
    "SGT": (480, "Asia/Singapore"),
    "MYT": (480, "Asia/Kuala_Lumpur"),
    "PHT": (480, "Asia/Manila"),
    "JST": (540, "Asia/Tokyo"),
    "KST": (540, "Asia/Seoul"),
    "AWST": (480, "Australia/Perth"),
    "ACST": (570, "Australia/Adelaide"),
    "ACDT": (630, "Australia/Adelaide"),
    "AEST": (600, "Australia/Sydney"),
    "AEDT": (660, "Australia/Sydney"),
    "NZST": (720, "Pacific/Auckland"),
    "NZDT": (780, "Pacific/Auckland"),
    "NST": (-210, "America/St_Johns"),
    "NDT": (-150, "America/St_Johns"),
    "EST": (-300, "America/New_York"),
    "EDT": (-240, "America/New_York"),
    "CDT": (-300, "America/Chicago"),
    "MST": (-420, "America/Denver"),
    "MDT": (-360, "America/Denver"),
    "PST": (-480, "America/Los_Angeles"),
    "PDT": (-420, "America/Los_Angeles"),
    "AKST": (-540, "America/Anchorage"),
    "AKDT": (-480, "America/Anchorage"),
    "HST": (-600, "Pacific/Honolulu"),
    "BRT": (-180, "America/Sao_Paulo"),
    "ART": (-180, "America/Argentina/Buenos_Aires"),
}
# "ET" means the clock of the place, summer time or not.
CLOCKS = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
}

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)


class ZoneUnknown(ValueError):
    """The printed zone stands for several offsets, for none that is known, or is missing."""


def zoned(local: datetime, zone: str, default: tzinfo | None) -> datetime:
    """`local` (without zone) in the zone printed as `zone`, or in `default` where that does not say.

    Raises:
        ZoneUnknown: `zone` is empty, ambiguous or unknown, and there is no `default`.
        ValueError: an offset of a day or more.
        OverflowError: the instant lies outside the calendar.
    """
    name = zone.upper()
    if name in ABBREVIATIONS:
        minutes, place = ABBREVIATIONS[name]
        return _placed(local.replace(tzinfo=_fixed(minutes)), place)
    if found := _OFFSET.fullmatch(zone):
        sign, hours, rest = found.groups()
        if int(rest or 0) > 59:
            raise ValueError(f"{zone} is not an offset")
        minutes = int(hours) * 60 + int(rest or 0)
        aware = local.replace(tzinfo=_fixed(-minutes if sign == "-" else minutes))
        aware.astimezone(UTC)
        return aware
    clock = _place(CLOCKS[name]) if name in CLOCKS else None
    if clock is None and default is None:
        raise ZoneUnknown(zone)
    # Through UTC, so that a time that the clocks skipped becomes the one they showed.
    return local.replace(tzinfo=clock or default).astimezone(UTC).astimezone(clock or default)


def printed_zone(time: datetime) -> str:
    """The abbreviation of an aware time's zone where it is one that reads back, else its offset ("+05:30")."""
    offset = time.utcoffset() or timedelta()
    name = time.tzname()
    if (
        name is not None
        and name in ABBREVIATIONS
        and _fixed(ABBREVIATIONS[name][0]).utcoffset(None) == offset
    ):
        return name
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def _placed(time: datetime, place: str) -> datetime:
    """The same instant in the IANA zone `place` if its clock showed the same time, else as it is."""
    instant = time.astimezone(UTC)
    zone = _place(place)
    if zone is None:
        return time
    there = instant.astimezone(zone)
    return there if there.utcoffset() == time.utcoffset() else time


def _fixed(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


@cache
def _place(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no zone data on this system: the fixed offset remains
        return None

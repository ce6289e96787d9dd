"""Hour and weekday of publication as features."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache

from classifier.articles import parse_timezone

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALMOST_AN_HOUR = timedelta(hours=1, microseconds=-1)
TIME_FEATURES = tuple(
    [f"hour: {hour:02d}" for hour in range(HOURS)] + [f"weekday: {day}" for day in WEEKDAYS]
)
_PART, _SATURDAY = 3, 5  # hours of a part of the day; the first day of the weekend
_PARTS = HOURS // _PART
DAYPART_FEATURES = (
    *[f"daypart: {start:02d} to {start + _PART:02d}" for start in range(0, HOURS, _PART)],
    "daypart: Monday to Friday",
    "daypart: weekend",
)
# The place in them of each of `TIME_FEATURES`.
DAYPARTS = (
    *[hour // _PART for hour in range(HOURS)],
    *[_PARTS + (day >= _SATURDAY) for day in range(len(WEEKDAYS))],
)


@cache
def zone(name: str) -> tzinfo:
    """The zone of that name, looked up once."""
    return parse_timezone(name)


def time_features(time: datetime | None, timezone: str) -> tuple[int, int] | None:
    """Positions in `TIME_FEATURES` of a time's local hour and weekday; None without a time."""
    if time is None:
        return None
    try:
        local = time.astimezone(zone(timezone))
    except OverflowError:  # the first and last day of the calendar have no local time everywhere
        return None
    return local.hour, HOURS + local.weekday()


@lru_cache(1 << 14)
def hour_offset(hour: int, timezone: str) -> int | None:
    """Microseconds that local time is ahead of UTC all through the hour `hour` since 1970 (UTC); None where it changes in
    it, or where there is no local time."""
    try:
        start = _EPOCH + timedelta(hours=hour)
        ends = [time.astimezone(zone(timezone)).utcoffset() for time in (start, start + _ALMOST_AN_HOUR)]
    except OverflowError:
        return None
    if ends[0] != ends[1] or ends[0] is None:
        return None
    return ends[0] // timedelta(microseconds=1)

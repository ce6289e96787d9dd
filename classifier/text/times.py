"""Hour and weekday of publication as features."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import cache

from classifier.articles import parse_timezone

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = 24
TIME_FEATURES = tuple(
    [f"hour: {hour:02d}" for hour in range(HOURS)] + [f"weekday: {day}" for day in WEEKDAYS]
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

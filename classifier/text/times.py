"""The time of publication as features of its hour and weekday."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from classifier.articles import parse_timezone

T = TypeVar("T", int, NDArray[Any])

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS, _WEEK = 24, 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALMOST_AN_HOUR = timedelta(hours=1, microseconds=-1)
TIME_FEATURES = tuple(
    [f"hour: {hour:02d}" for hour in range(HOURS)] + [f"weekday: {day}" for day in WEEKDAYS]
)
_SATURDAY = 5  # the first day of the weekend
_DAYS = ("Monday to Friday", "weekend")


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Features of the local hour and weekday: of `names` (width,) those at `places` (168, k) hold by `shares` (168, k) in
    each hour of each weekday, which stand one hour after the other."""

    names: tuple[str, ...]
    places: NDArray[np.int64]
    shares: NDArray[np.float64]
    one: tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]  # the same, for a single time

    @classmethod
    def of(cls, names: Sequence[str], found: Callable[[int, int], Mapping[int, float]]) -> Clock:
        """`found` gives the shares of places, as many for each hour and weekday."""
        all_of_them = [sorted(found(hour, day).items()) for hour in range(HOURS) for day in range(_WEEK)]
        one = tuple((tuple(p for p, _ in own), tuple(s for _, s in own)) for own in all_of_them)
        return cls(
            tuple(names),
            np.array([places for places, _ in one]),
            np.array([shares for _, shares in one]),
            one,
        )

    @staticmethod
    def moment(hour: T, weekday: T) -> T:
        """Where a position of an hour and one of a weekday in `TIME_FEATURES`, or arrays of them, stand in `places`."""
        found: T = hour * _WEEK + weekday - HOURS
        return found


def _two_points(hour: int, weekday: int) -> dict[int, float]:
    """Those before and after the middle of the hour, and how near each is."""
    before, after = divmod((hour + 0.5) / _POINT, 1.0)
    first = _POINTS * (weekday >= _SATURDAY)
    return {first + int(before): 1.0 - after, first + (int(before) + 1) % _POINTS: after}


_POINT = 3  # hours from one to the next
_POINTS = HOURS // _POINT
HOURS_AND_WEEKDAYS = Clock.of(TIME_FEATURES, lambda hour, day: {hour: 1.0, HOURS + day: 1.0})
# Eight points of the day, apart for working days and weekends; an hour between two has a share of both.
DAYPARTS = Clock.of(
    [f"daypart: around {hour:02d}, {days}" for days in _DAYS for hour in range(0, HOURS, _POINT)], _two_points
)
# Those of format 5: parts that end at once, and the kind of day for itself.
HARD_DAYPARTS = Clock.of(
    [f"daypart: {start:02d} to {start + _POINT:02d}" for start in range(0, HOURS, _POINT)]
    + [f"daypart: {days}" for days in _DAYS],
    lambda hour, day: {hour // _POINT: 1.0, _POINTS + (day >= _SATURDAY): 1.0},
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

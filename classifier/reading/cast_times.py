"""Columns of times of any kind become timestamps in microseconds with a zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from classifier.errors import FieldError, FormatError
from classifier.reading.casting import Cast, cast_text, is_bytes, is_text, plain, wrong_type
from classifier.reading.iso_times import iso_times
from classifier.reading.time_rules import TimeRules

# In microseconds since 1970: what Python's calendar (years 1 to 9999) holds.
_FIRST = -62_135_596_800 * 10**6
_LAST = 253_402_300_800 * 10**6 - 1
_DAY = 86_400 * 10**6
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def cast_time(column: pa.Array, name: str, file: str, rules: TimeRules) -> Cast:
    """Timestamps in microseconds, zone kept, from timestamps of any unit, dates and text.

    Those without a zone are read in that of the `rules`; without one they fail.

    Raises:
        FormatError: any other type, an unknown zone, or dates that contradict each other.
    """
    column = plain(column)
    kind = column.type
    if types.is_null(kind):
        return Cast(pa.nulls(len(column), pa.timestamp("us", tz="UTC")))
    if is_text(kind) or is_bytes(kind):
        text = cast_text(column, name, file)
        if (times := iso_times(text.values, rules.zone)) is not None:
            return Cast(times, text.failures)
        cast = _zoned(text.values, name, file, rules)
        return Cast(cast.values, {**cast.failures, **text.failures}, cast.doubts)
    if types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
    elif not types.is_timestamp(kind):
        raise wrong_type(name, kind, file, "a timestamp, or text like 2022-02-02T11:36:00+09:00")
    tz = column.type.tz
    if tz is not None and not _is_zone(tz):
        raise FormatError(
            f'the column "{name}" has times in "{tz}", which is no time zone known here',
            where=file,
            remedy="store them in UTC or in an IANA zone",
        )
    cast = _microseconds(column, name)
    if tz is not None:
        return cast
    zoned = _zoned(cast.values, name, file, rules)
    return Cast(zoned.values, {**zoned.failures, **cast.failures}, zoned.doubts)


def _is_zone(name: str) -> bool:
    try:
        pa.scalar(0, pa.timestamp("us", tz=name)).as_py()
    except (pa.ArrowException, ValueError, KeyError, OSError):
        return False
    return True


def _microseconds(column: pa.Array, name: str) -> Cast:
    """The same times in microseconds; those outside the calendar fail, also where only their local time is."""
    unit, tz = _UNITS[column.type.unit], column.type.tz
    target = pa.timestamp("us", tz=tz)
    ticks = column.cast(pa.int64())
    failures: dict[int, FieldError] = {}
    ends = pc.min_max(ticks).as_py()
    if ends["min"] is None or (
        ends["min"] * 10**6 // unit > _FIRST + _DAY and ends["max"] * 10**6 // unit < _LAST - _DAY
    ):
        return Cast(column if unit == 10**6 else column.cast(target, safe=False))
    if unit <= 10**6:
        scale = 10**6 // unit
        first, last = -(-_FIRST // scale), _LAST // scale
        inside = pc.and_(pc.greater_equal(ticks, first), pc.less_equal(ticks, last))
        if pc.all(inside).as_py() is False:
            failures = dict.fromkeys(pc.indices_nonzero(pc.invert(inside)).to_pylist(), _outside(name))
            column = pc.if_else(inside, column, pa.scalar(None, column.type))
    values = column.cast(target, safe=False)
    ticks = values.cast(pa.int64())
    edge = pc.or_(pc.less(ticks, _FIRST + _DAY), pc.greater(ticks, _LAST - _DAY))
    if pc.any(edge).as_py():
        lost = [row for row in pc.indices_nonzero(edge).to_pylist() if not _in_calendar(values[row])]
        failures |= dict.fromkeys(lost, _outside(name))
        values = pa.array([None if i in failures else v for i, v in enumerate(ticks.to_pylist())], pa.int64())
        values = values.cast(target)
    return Cast(values, failures)


def _in_calendar(value: pa.Scalar) -> bool:
    try:
        time = value.as_py()
        if time is not None and time.tzinfo is not None:
            time.astimezone(UTC)
    except (OverflowError, ValueError):
        return False
    return True


def _outside(name: str) -> FieldError:
    return FieldError(name, "lies outside the calendar")


def _zoned(column: pa.Array, name: str, file: str, rules: TimeRules) -> Cast:
    """Times with a zone from text or from naive timestamps."""
    times, failures = rules.read(column.to_pylist(), name, file)
    doubts = {row: time.doubt for row, time in enumerate(times) if time.doubt}
    return Cast(time_array([time.time for time in times]), failures, doubts)


def time_array(times: Sequence[datetime | None]) -> pa.Array:
    """Aware times in the zone that all of them share, else in UTC."""
    zones = {_zone_name(zone) for zone in {time.tzinfo for time in times if time is not None}}
    name = zones.pop() if len(zones) == 1 else None
    return pa.array(times, pa.timestamp("us", tz=name or "UTC"))


def _zone_name(zone: tzinfo | None) -> str | None:
    """How Arrow calls a zone; None where it cannot."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    if isinstance(zone, timezone):
        offset = zone.utcoffset(None)
        if not offset:
            return "UTC"
        minutes, rest = divmod(abs(offset), timedelta(minutes=1))
        sign = "-" if offset < timedelta() else "+"
        return None if rest else f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    name = getattr(zone, "zone", None)  # pytz, which Arrow may hand out
    return name if isinstance(name, str) else None

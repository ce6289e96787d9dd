"""Whole columns of ISO 8601 times at once, where they are written plainly; the rest is for `parse_time`, one by one."""

from __future__ import annotations

import re
from datetime import tzinfo
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

_LOCAL = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_OFFSET = re.compile(r"[+-](?:0[0-9]|1[0-4]):[0-5][0-9]")
_LAST_YEAR = 2037  # for which Arrow knows when clocks change
_UTC = ("Z", "+00:00", "-00:00")


def iso_times(column: pa.Array, zone: tzinfo | None) -> pa.Array | None:
    """Timestamps in microseconds from text, in the offset that all of them share, else in UTC, those without an offset
    in `zone`; None where one of them has to be looked at. As `parse_time` and `time_array` give them."""
    texts = column.filter(pc.not_equal(column, ""))
    texts = texts.drop_null()
    if not len(texts):
        return None
    first = texts[0].as_py()
    try:
        if first.endswith("Z") or _OFFSET.fullmatch(first[-6:]):
            return _with_offsets(column, texts, "Z" if first.endswith("Z") else first[-6:])
        if isinstance(zone, ZoneInfo) and _all(texts, ""):
            local = _parsed(column, pa.timestamp("us"))
            if pc.max(pc.year(local)).as_py() > _LAST_YEAR:
                return None
            # Hours that the clocks skip or show twice are `parse_time`'s to read.
            return pc.assume_timezone(local, zone.key, ambiguous="raise", nonexistent="raise")
    except pa.ArrowException:  # such as the 30th of February
        pass
    return None


def _with_offsets(column: pa.Array, texts: pa.Array, offset: str) -> pa.Array | None:
    if offset not in _UTC and _all(texts, re.escape(offset)):
        return _parsed(column, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", offset))
    if _all(texts, r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"):
        return _parsed(column, pa.timestamp("us", "UTC"))
    return None


def _all(texts: pa.Array, end: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, f"{_LOCAL}{end}$")).as_py())


def _parsed(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column).cast(kind)

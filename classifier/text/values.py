"""A column's n values as arrays: places among known names, numbers, local hours and weekdays, shapes of headlines.

Of an Arrow batch they are made column by column, of objects one by one; both give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifier.text.rows import Rows
from classifier.text.shape import SHAPE_FEATURES, headline_shape
from classifier.text.sparse import Floats, Integers
from classifier.text.times import HOURS, hour_offset, time_features

if TYPE_CHECKING:
    import pyarrow as pa

_HOUR = 3600 * 10**6  # microseconds
_DAY = 24 * _HOUR
_THURSDAY = 3  # 1 January 1970, of weekdays from Monday on


def positions(rows: Rows, column: str, names: Sequence[str], places: Mapping[str, int]) -> Integers:
    """(n,) the place of each value, as text, among `names` (`places` by name); −1 of others and null."""
    found = rows.arrow(column)
    if found is not None and _is_text(found):
        import pyarrow.compute as pc

        at = pc.index_in(found, value_set=_names(tuple(names), str(found.type)))
        return np.asarray(at.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64))
    values = rows.values(column)
    return np.array([-1 if value is None else places.get(str(value), -1) for value in values], np.int64)


@lru_cache(256)
def _names(names: tuple[str, ...], kind: str) -> pa.Array:
    import pyarrow as pa

    return pa.array(names, kind)


def is_null(rows: Rows, column: str) -> NDArray[np.bool_]:
    """(n,) whether there is no value."""
    found = rows.arrow(column)
    if found is not None:
        return np.asarray(found.is_null().to_numpy(zero_copy_only=False))
    return np.array([value is None for value in rows.values(column)], np.bool_)


def numbers(rows: Rows, column: str) -> Floats:
    """(n,) finite numbers, also of text that is one; NaN for all else (a truth value is a category)."""
    column_of = rows.arrow(column)
    if column_of is not None and _is_number(column_of):
        import pyarrow as pa

        made = column_of.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return np.where(np.isfinite(made), made, np.nan)
    found = [as_number(value) for value in rows.values(column)]
    return np.array([math.nan if number is None else number for number in found], np.float64)


def as_number(value: object) -> float | None:
    """A finite number, or a string that is one; None for all else (a truth value is a category)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def local_times(rows: Rows, timezone: str) -> Integers:
    """(n, 2) positions in `TIME_FEATURES` of the local hour and weekday of publication; −1 without a time."""
    found = rows.arrow("published_at")
    if found is None:
        known = [time_features(time, timezone) or (-1, -1) for time in rows.times()]
        return np.array(known, np.int64).reshape(-1, 2)
    import pyarrow as pa

    there = found.is_valid().to_numpy(zero_copy_only=False)
    times = found.cast(pa.timestamp("us", tz=found.type.tz), safe=False)
    ticks = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    hours, of_row = np.unique(ticks // _HOUR, return_inverse=True)
    offsets = [hour_offset(hour, timezone) for hour in hours.tolist()]
    odd = np.array([offset is None for offset in offsets], np.bool_)[of_row] & there
    local = ticks + np.array([offset or 0 for offset in offsets], np.int64)[of_row]
    places = np.column_stack([local // _HOUR % HOURS, HOURS + (local // _DAY + _THURSDAY) % 7])
    for row in np.flatnonzero(odd).tolist():  # clocks change within the hour, or the calendar ends
        places[row] = time_features(times[row].as_py(), timezone) or (-1, -1)
    places[~there] = -1
    return np.asarray(places, np.int64)


def shapes(rows: Rows) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, shape features) of the headlines, and whether there is one (n,)."""
    column = rows.arrow("headline")
    if column is not None and _is_text(column):
        from classifier.text.shapes import column_shapes

        return column_shapes(column)
    texts = rows.texts("headline")
    there = np.array([bool(text.strip()) for text in texts], np.bool_)
    found = np.array([headline_shape(text) for text in texts], np.float64)
    return found.reshape(len(texts), len(SHAPE_FEATURES)), there


def _is_text(column: pa.Array) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _is_number(column: pa.Array) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(column.type) or pa.types.is_floating(column.type))

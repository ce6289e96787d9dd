"""What its age costs an article in a ranking list."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import datetime

from classifier.errors import UsageError

_MOST_LOST = 1e300  # keeps scores finite, whatever the half-life


def check_half_life(half_life: float | None, now: datetime | None, spread: float) -> None:
    """Refuse what no age can be weighed with.

    Raises:
        UsageError: `half_life` or `spread` is not above 0 and finite; `now` has no zone, or comes without a half-life.
    """
    for name, value in (("half_life", half_life), ("spread", spread)):
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"{name} is {value}", remedy="give a finite number above 0")
    if now is not None and half_life is None:
        raise UsageError("now has no effect without a half-life", remedy="give both, or neither")
    if now is not None and now.utcoffset() is None:
        raise UsageError("now has no time zone", remedy="add one")


def ages_in_hours(times: Sequence[datetime | None], now: datetime | None) -> list[float]:
    """The ages at `now` (the newest of `times` if None): 0 for a later time, the median of the known ages for None."""
    now = now or max((time for time in times if time is not None), default=None)
    if now is None:
        return [0.0] * len(times)
    ages = [None if time is None else max((now - time).total_seconds() / 3600, 0.0) for time in times]
    known = [age for age in ages if age is not None]
    middle = statistics.median(known) if known else 0.0
    return [middle if age is None else age for age in ages]


def loss_of_age(age: float, half_life: float, spread: float) -> float:
    """How much lower a score stands for readers that halve every `half_life`, `age` (both in hours) later."""
    # One division after the other: their product could be 0.
    return min(math.log(2) * age / half_life / spread, _MOST_LOST)

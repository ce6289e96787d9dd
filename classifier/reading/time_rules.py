"""Times of one file as text: which day is meant where that is open, and what is in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from classifier.articles import parse_time
from classifier.errors import FieldError, FormatError
from classifier.reading.base import ReadOptions
from classifier.reading.written_times import Order, Written, find_time
from classifier.reading.zones import ABBREVIATIONS, ZoneUnknown, zoned

NAME = "published_at"
SHOWN_TWICE = "local times that the clocks showed twice, read as the first"
SKIPPED = "local times that the clocks skipped"
_EXAMPLE = "write it like 2022-02-02T11:36:00+09:00"
# Where months stand first; everywhere else days do.
_MONTH_FIRST = frozenset(
    (
        *(f"America/{city}" for city in ("New_York", "Detroit", "Chicago", "Denver", "Boise", "Phoenix")),
        *("America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu"),
    )
)


class Time(NamedTuple):
    """A time with its zone, and what is in doubt about it ("" is nothing)."""

    time: datetime | None
    doubt: str = ""


@dataclass(slots=True)
class TimeRules:
    """How the times of one file are read.

    `order` is what was asked for; `seen` what a date of the file that leaves nothing open has shown, `taken` what was taken
    without that. `strict`: doubt is an error.
    """

    zone: tzinfo | None = None
    order: Order | None = None
    strict: bool = False
    seen: Order | None = None
    taken: Order | None = None

    @classmethod
    def of(cls, options: ReadOptions) -> TimeRules:
        return cls(options.timezone, options.dates, options.strict)

    def read(self, values: Sequence[Any], name: str, file: str) -> tuple[list[Time], dict[int, FieldError]]:
        """Every value's time, and why some have none.

        Raises:
            FormatError: these dates show that others of the file were misread.
        """
        times: list[Time] = []
        failures: dict[int, FieldError] = {}
        written: dict[int, Written] = {}
        for row, value in enumerate(values):
            try:
                found = self._plain(value)
                if isinstance(found, Written):
                    written[row] = found
                    found = Time(None)
            except FieldError as error:
                found = Time(None)
                failures[row] = FieldError(name, error.problem, remedy=error.remedy)
            times.append(found)
        self._learn(written.values(), name, file)
        for row, one in written.items():
            try:
                times[row] = self._placed(one, str(values[row]))
            except FieldError as error:
                failures[row] = FieldError(name, error.problem, remedy=error.remedy)
        return times, failures

    def _plain(self, value: Any) -> Time | Written:
        """Of a datetime or ISO 8601; other text as it is written."""
        try:
            time = parse_time(value, timezone=self.zone)
        except FieldError as error:
            if not isinstance(value, str) or "is not a time" not in error.problem:
                raise
            try:
                found = find_time(value)
            except (ValueError, OverflowError):
                raise FieldError(NAME, f'"{value[:60]}" is not a time that exists', remedy=_EXAMPLE) from None
            if found is None:
                raise
            return found
        local = time is not None and time.tzinfo is self.zone
        return self._doubted(time, value, _clock_doubt(time) if local and time else "")

    def _learn(self, written: Iterable[Written], name: str, file: str) -> None:
        orders = {one.order for one in written if one.order}
        if self.order or not orders:
            return
        before = self.seen or self.taken
        if len(orders) > 1 or before not in (None, *orders):
            raise FormatError(
                f"{name} has dates with the day first and others with the month first",
                where=file,
                remedy="say how to read them: --dates day-first or --dates month-first",
            )
        self.seen = orders.pop()

    def _placed(self, written: Written, text: str) -> Time:
        order, doubt = self.order or self.seen, ""
        if written.other is not None and order is None:
            order = self.taken = _usual(self.zone)
            doubt = f"dates of which day and month could be the other way round, read as {order}"
        try:
            time = zoned(written.by(order or "day-first"), written.zone, self.zone)
        except ZoneUnknown:
            zone = written.zone
            problem = (
                f"has the zone {zone}, which stands for several or is unknown" if zone else "has no time zone"
            )
            remedy = 'add one (+09:00, Z) or set [data] timezone = "Asia/Tokyo" (--timezone)'
            raise FieldError(NAME, f'"{text[:60]}" {problem}', remedy=remedy) from None
        except (ValueError, OverflowError):
            raise FieldError(NAME, f'"{text[:60]}" is not a time that exists', remedy=_EXAMPLE) from None
        certain = written.zone.upper() in ABBREVIATIONS
        if not doubt and written.zone and not certain and time.tzinfo is self.zone:
            doubt = f"times in {written.zone}, which stands for several zones or is unknown"
        elif not doubt and not certain and time.tzinfo is self.zone:
            doubt = _clock_doubt(written.by(order or "day-first").replace(tzinfo=self.zone))
        return self._doubted(time, text, doubt)

    def _doubted(self, time: datetime | None, value: Any, doubt: str) -> Time:
        if doubt and self.strict:
            raise FieldError(
                NAME,
                f'"{value}" is in doubt ({doubt})',
                remedy="write it with its offset, like 2022-02-02T11:36:00+09:00, "
                "or say how to read it (--dates day-first, --timezone)",
            )
        return Time(time, doubt)


def _usual(zone: tzinfo | None) -> Order:
    name = str(getattr(zone, "key", ""))
    there = name in _MONTH_FIRST or name.startswith(("America/Indiana/", "America/Kentucky/", "US/"))
    return "month-first" if there else "day-first"


def _clock_doubt(time: datetime) -> str:
    """Whether the clocks of its zone showed a local time once."""
    first, second = time.replace(fold=0).utcoffset(), time.replace(fold=1).utcoffset()
    if first == second or first is None or second is None:
        return ""
    return SHOWN_TWICE if first > second else SKIPPED

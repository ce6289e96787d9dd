"""The time line of a page: "11:36 JST, February 2, 2022" and its many relatives (`written_times` has them).

What looks like one and is impossible (30 February) is an error.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from classifier.errors import PageError
from classifier.reading.page_text import Line
from classifier.reading.written_times import Order, find_time
from classifier.reading.zones import ZoneUnknown, zoned

EXPECTED = 'a time line such as "11:36 JST, February 2, 2022"'


def parse_time_line(
    line: Line, *, name: str, timezone: tzinfo | None, dates: Order | None = None
) -> datetime | None:
    """The time of a time line; None where the line is none. `timezone` is read where no certain zone is printed, `dates`
    says what 03/04/2031 is.

    Raises:
        PageError: it is a time line, but the time is impossible, its zone unknown and `timezone` is None, or day and
            month could be the other way round and `dates` is None.
    """
    zone = ""
    try:
        found = find_time(line.text)
        if found is None or not found.has_time:
            return None
        if found.other is not None and dates is None:
            raise PageError(
                f'day and month of "{line.text}" could be the other way round',
                file=name,
                line=line.number,
                expected=f"{EXPECTED}, or to be told (command line: --dates day-first or month-first)",
            )
        zone = found.zone
        return zoned(found.by(dates or "day-first"), zone, timezone)
    except ZoneUnknown:
        raise PageError(
            f"the time zone {zone} is not known or stands for several" if zone else "the time has no zone",
            file=name,
            line=line.number,
            expected=f"{EXPECTED}, or to be told the zone of the source (command line: --timezone Asia/Kolkata)",
        ) from None
    except (ValueError, OverflowError):
        raise PageError(
            f'"{line.text}" is not a time that exists', file=name, line=line.number, expected=EXPECTED
        ) from None

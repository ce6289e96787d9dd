"""When ranking boxes were taken: a given time, or one found in the file's name."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from functools import cache
from typing import NamedTuple

from classifier.errors import ConfigError
from classifier.reading.base import ReadOptions

# strptime fields and what they may look like in a name.
_FIELDS = {
    "Y": r"[12]\d{3}",
    "y": r"\d{2}",
    "m": r"\d{1,2}",
    "d": r"\d{1,2}",
    "j": r"\d{1,3}",
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
    "p": r"[AaPp][Mm]",
    "b": r"[^\W\d_]{3,4}",
    "B": r"[^\W\d_]{3,12}",
    "z": r"(?:Z|[+-]\d{2}:?\d{2})",
}
_DAY = ({"m", "d"}, {"b", "d"}, {"B", "d"}, {"j"})


class _Pattern(NamedTuple):
    regex: re.Pattern[str]
    has_time: bool


def box_time(name: str, options: ReadOptions, zone: tzinfo | None) -> datetime | None:
    """When the boxes in the file `name` were taken, by `options.taken_at`; None where nothing says so.

    A pattern's time is in its own %z, else `options.timezone`, else `zone` (the article's); a day without an hour means
    its end. The first place in the name that the pattern fits and that is a real time counts.

    Raises:
        ConfigError: the pattern is not one.
    """
    taken = options.taken_at
    if taken is None:
        return None
    zone = options.timezone or zone
    if isinstance(taken, str):
        found = _find(taken, name)
        return found if found is None or found.tzinfo is not None else _in(found, zone)
    return taken if taken.tzinfo is not None else _in(taken, zone)


def check_pattern(pattern: str) -> None:
    """Raise a ConfigError unless `pattern` is a file-name pattern with a whole date."""
    _compiled(pattern)


def _find(pattern: str, name: str) -> datetime | None:
    compiled = _compiled(pattern)
    for match in compiled.regex.finditer(name):
        try:
            time = datetime.strptime(match.group(), pattern)  # noqa: DTZ007 — zoned by the caller
            return time if compiled.has_time else time + timedelta(days=1)
        except (ValueError, OverflowError):
            continue
    return None


def _in(time: datetime, zone: tzinfo | None) -> datetime:
    if zone is None:
        raise ConfigError(
            "the time of the ranking boxes has no zone",
            remedy='set [data] timezone = "Asia/Tokyo" (--timezone)',
        )
    return time.replace(tzinfo=zone)


@cache
def _compiled(pattern: str) -> _Pattern:
    """The regular expression of a file-name pattern.

    Raises:
        ConfigError: an unknown or repeated field, or no whole date.
    """
    regex: list[str] = []
    names: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character != "%":
            regex.append(re.escape(character))
            continue
        field = next(characters, "")
        if field == "%":
            regex.append("%")
        elif field in _FIELDS and field not in names:
            names.append(field)
            regex.append(_FIELDS[field])
        else:
            raise _invalid(pattern, f"%{field} is not a field, or stands there twice")
    if not {"Y", "y"} & set(names) or not any(day <= set(names) for day in _DAY):
        raise _invalid(pattern, "it does not give year, month and day")
    # Not from the middle of a number: an article's number must not be taken for a date.
    whole = re.compile(r"(?<!\d)" + "".join(regex))
    return _Pattern(whole, has_time=bool({"H", "I"} & set(names)))


def _invalid(pattern: str, why: str) -> ConfigError:
    return ConfigError(
        f'taken_at "{pattern}" is not a file-name pattern: {why}',
        remedy='write it with strptime fields, such as "%Y-%m-%d" or "%Y%m%d-%H%M", or give a time',
    )

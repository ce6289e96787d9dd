"""The article: its fields, what each may hold, and the Arrow schema of the article table.

An `Article` is one row. Tables of them travel as Arrow record batches with `article_schema()`; PyArrow is imported only
when a table is really touched, so that scoring one article never pays for it.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as fixed_zone
from functools import cache
from struct import Struct
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from classifier.errors import ConfigError, FieldError

if TYPE_CHECKING:
    import pyarrow as pa

TEXT_FIELDS = ("headline", "summary", "body")
STRING_FIELDS = (
    "id",
    *TEXT_FIELDS,
    "section",
    "source",
    "url",
    "language",
    "popularity_group",
    "split",
)
SPLITS = ("train", "test")
_HASHED = ("url", *TEXT_FIELDS)  # what an id is made of

# What UTF-8 cannot carry (lone surrogates) or C strings cannot (NUL): never part of a real article.
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article, as in the article table.

    `headline`, `summary`, `body` may be empty, but not all of them. `published_at` always has a zone. `popularity` is any
    count or 0/1 flag, higher is more. `extra` holds every other column by name. `id` is a hash of the url or the text
    where none was given.
    """

    id: str = ""
    headline: str = ""
    summary: str = ""
    body: str = ""
    section: str | None = None
    sections: tuple[str, ...] | None = None
    published_at: datetime | None = None
    source: str | None = None
    url: str | None = None
    language: str | None = None
    popularity: float | None = None
    popularity_group: str | None = None
    split: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", self.content_id())

    @property
    def text(self) -> str:
        """The non-empty of headline, summary and body, joined by line breaks."""
        return join_text(self.headline, self.summary, self.body)

    @property
    def labels(self) -> tuple[str, ...]:
        """The section labels: `sections`, else the one `section`, else none."""
        if self.sections is not None:
            return self.sections
        return (self.section,) if self.section else ()

    def content_id(self) -> str:
        """A stable 128-bit hash of the url, or of the text where there is no url."""
        # "surrogatepass" only keeps hashing total; `from_mapping` has refused lone surrogates before.
        parts = [(getattr(self, name) or "").encode("utf-8", "surrogatepass") for name in _HASHED]
        return content_hash(*parts)

    def to_dict(self) -> dict[str, Any]:
        """Every field by name, `extra` merged in, nulls kept."""
        row: dict[str, Any] = {name: getattr(self, name) for name in ARTICLE_FIELDS}
        if self.sections is not None:
            row["sections"] = list(self.sections)
        row.update(self.extra)
        return row

    @classmethod
    def from_mapping(
        cls, row: Mapping[str, Any], *, where: str | None = None, timezone: tzinfo | None = None
    ) -> Article:
        """Check every field of `row` and make an article of it.

        `where` (file and line) goes into errors. A `published_at` without a zone is read in `timezone`; without one it is
        an error. Unknown names are kept in `extra`.

        Raises:
            FieldError: naming the field, what it holds and what belongs there.
        """
        values: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        data = dict.fromkeys(_HASHED, b"")
        for name, value in row.items():
            if name in STRING_FIELDS:
                values[name] = value
                if value is not None:
                    data[name] = _checked(name, value, where)
            elif name in _PARSERS:
                parse = _PARSERS[name]
                values[name] = parse(value, where, timezone)
            elif value is not None:
                extra[name] = value
        for name in TEXT_FIELDS:
            values[name] = values.get(name) or ""
        if not any(values[name].strip() for name in TEXT_FIELDS):
            raise FieldError(
                "headline",
                "headline, summary and body are all empty",
                where=where,
                remedy="give at least one of them, or map your column names (headline = …)",
            )
        if values.get("split") not in (None, *SPLITS):
            raise FieldError(
                "split",
                f"is {_shown(values['split'])}",
                where=where,
                remedy='use "train", "test" or nothing',
            )
        if not values.get("id"):
            values["id"] = content_hash(*[data[name] for name in _HASHED])
        return cls(**values, extra=extra)


def content_hash(url: bytes, headline: bytes, summary: bytes, body: bytes) -> str:
    """The id of an article without one: a 128-bit hash of its url, or of its texts where there is none; all in UTF-8."""
    if url:
        data = _length(len(url)) + url
    else:
        texts = (_length(len(headline)), headline, _length(len(summary)), summary, _length(len(body)), body)
        data = _NO_URL + b"".join(texts)
    return hashlib.blake2b(data, digest_size=16).hexdigest()


_length = Struct("<Q").pack
_NO_URL = _length(0)


ARTICLE_FIELDS = tuple(f.name for f in fields(Article) if f.name != "extra")


def join_text(*parts: str) -> str:
    """The non-empty parts, joined by line breaks."""
    return "\n".join([part for part in parts if part])


@cache
def article_schema() -> pa.Schema:
    """The Arrow schema of the article table, times in UTC.

    A table read from a source whose times have one zone keeps that zone in the type of `published_at`.
    """
    import pyarrow as pa

    types: dict[str, pa.DataType] = {
        "sections": pa.list_(pa.string()),
        "published_at": pa.timestamp("us", tz="UTC"),
        "popularity": pa.float64(),
    }
    return pa.schema([pa.field(name, types.get(name, pa.string())) for name in ARTICLE_FIELDS])


def parse_timezone(name: str) -> tzinfo:
    """The zone of that IANA name, or at a fixed offset ("+09:00", as Arrow tables may have it).

    Raises:
        ConfigError: there is no such zone.
    """
    if offset := _OFFSET.fullmatch(name):
        minutes = int(offset[2]) * 60 + int(offset[3])
        return fixed_zone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f'"{name}" is not a known time zone',
            remedy='use an IANA name such as "Asia/Tokyo" or "UTC", or an offset such as "+09:00"',
        ) from error


def parse_time(value: object, where: str | None = None, timezone: tzinfo | None = None) -> datetime | None:
    """A time with its zone, from a datetime or an ISO 8601 string; None and "" are None.

    Raises:
        FieldError: it is no time, or has no zone and `timezone` is None.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise FieldError(
                "published_at",
                f"{_shown(value)} is not a time",
                where=where,
                remedy="write it like 2022-02-02T11:36:00+09:00",
            ) from None
    if not isinstance(value, datetime):
        raise FieldError(
            "published_at",
            f"is a {type(value).__name__}",
            where=where,
            remedy="write it like 2022-02-02T11:36:00+09:00",
        )
    if value.tzinfo is None:
        if timezone is None:
            raise FieldError(
                "published_at",
                f"{value.isoformat()} has no time zone",
                where=where,
                remedy='add one (+09:00, Z) or set [data] timezone = "Asia/Tokyo" (--timezone)',
            )
        value = value.replace(tzinfo=timezone)
    try:
        value.astimezone(UTC)
    except (OverflowError, ValueError):
        raise FieldError("published_at", "lies outside the calendar", where=where) from None
    return value


def _checked(name: str, value: Any, where: str | None) -> bytes:
    """A string in UTF-8, unless it holds what no field may."""
    if not isinstance(value, str):
        raise FieldError(name, f"is a {type(value).__name__}", where=where, remedy="it must be a string")
    try:
        data = value.encode()
        if b"\0" not in data:
            return data
    except UnicodeEncodeError:
        pass
    found = _FORBIDDEN.search(value)
    assert found is not None
    what = "a NUL character" if found.group() == "\0" else "half of a surrogate pair, which is no character"
    raise FieldError(
        name,
        f"holds {what} at position {found.start()}",
        where=where,
        remedy="remove it or fix the encoding of the source",
    )


def _sections(value: Any, where: str | None, timezone: tzinfo | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise FieldError(
            "sections", f"is a {type(value).__name__}", where=where, remedy="it must be a list of strings"
        )
    for item in value:
        if item is not None:
            _checked("sections", item, where)
    return tuple(dict.fromkeys(name for name in value if name))


def _popularity(value: Any, where: str | None, timezone: tzinfo | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool):
        value = float(value)
    if not isinstance(value, int | float):
        raise FieldError(
            "popularity", f"is a {type(value).__name__}", where=where, remedy="it must be a number"
        )
    try:
        number = float(value)
    except OverflowError:
        raise FieldError("popularity", "is too large", where=where, remedy="it must be a number") from None
    if not math.isfinite(number):
        raise FieldError(
            "popularity", f"is {number}", where=where, remedy="leave it out where the count is unknown"
        )
    return number


def _shown(value: Any) -> str:
    """A short quotation of a wrong value for an error message."""
    text = str(value)
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'


_PARSERS: dict[str, Callable[[Any, str | None, tzinfo | None], Any]] = {
    "sections": _sections,
    "published_at": parse_time,
    "popularity": _popularity,
}

"""Labelled articles in memory, as fitting and evaluation want them: columns, labels, groups, splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from classifier.text.rows import TEXT, Rows
from classifier.text.times import zone

if TYPE_CHECKING:
    from training.labels import Clicks

Mask = NDArray[np.bool_]
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Corpus:
    """n articles of a checked article table; `timezone` decides local days; `from_box` (n,) marks headline-only
    articles that were made from the titles of ranking boxes: they teach, but are never evaluated on. `clicks` are about
    the articles by their positions."""

    table: pa.Table
    timezone: str
    from_box: Mask
    clicks: Clicks | None = None
    hash_key: int = 0  # of the n-grams' hashes

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def rows(self) -> Rows:
        return Rows.from_batch(self.table)

    @cached_property
    def texts(self) -> list[str]:
        return self.rows.texts(TEXT)

    @cached_property
    def labels(self) -> list[tuple[str, ...]]:
        """Each article's section labels; () where it has none. An empty or blank name is no label."""
        singles, several = self.rows.values("section"), self.rows.values("sections")
        return [
            tuple(name for name in many if name.strip())
            if many is not None
            else (one,)
            if one and one.strip()
            else ()
            for one, many in zip(singles, several, strict=True)
        ]

    @cached_property
    def several(self) -> bool:
        """Whether articles may have several labels: decided by the data."""
        return any(many is not None for many in self.rows.values("sections"))

    @cached_property
    def popularity(self) -> NDArray[np.float64]:
        """(n,) counts or flags, NaN where unknown: also below 0, where nothing was counted (−1 often stands for that)."""
        given = np.array([np.nan if v is None else v for v in self.rows.values("popularity")], np.float64)
        return np.where(given >= 0, given, np.nan)

    @cached_property
    def times(self) -> Sequence[datetime | None]:
        return self.rows.times()

    @cached_property
    def instants(self) -> NDArray[np.float64]:
        """(n,) seconds since 1970, NaN without a time."""
        column = self.table.column("published_at")
        ticks = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64()).combine_chunks()
        known = ticks.is_valid().to_numpy(zero_copy_only=False)
        return np.where(known, ticks.fill_null(0).to_numpy() / 1e6, np.nan)

    @cached_property
    def _local(self) -> list[datetime | None]:
        return [None if time is None else _there(time, zone(self.timezone)) for time in self.times]

    @cached_property
    def days(self) -> list[str | None]:
        """Local days of publication, as ISO dates."""
        return [None if there is None else there.date().isoformat() for there in self._local]

    @cached_property
    def hours(self) -> list[int | None]:
        """Local hours of publication."""
        return [None if there is None else there.hour for there in self._local]

    @cached_property
    def groups(self) -> list[str | None]:
        """Where popularity is comparable: the given group, else source and local day, None without either."""
        return [
            given or (None if day is None else f"{source or ''} {day}".strip())
            for given, source, day in zip(
                self.rows.values("popularity_group"), self.rows.values("source"), self.days, strict=True
            )
        ]

    def take(self, which: Mask | Ids) -> Corpus:
        """The articles of a mask or of positions, without their clicks: those are asked of the whole corpus."""
        if which.dtype == np.bool_:
            which = np.flatnonzero(which)
        found = Corpus(
            self.table.take(pa.array(which)), self.timezone, self.from_box[which], hash_key=self.hash_key
        )
        if "labels" in self.__dict__:  # they are there already
            found.__dict__["labels"] = [self.labels[i] for i in which.tolist()]
        return found

    def spread(self, count: int) -> Corpus:
        """At least `count` of the articles, if there are so many, and less than twice as many, evenly spread."""
        return self.take(np.arange(0, len(self), max(1, len(self) // count)))

    def with_column(self, name: str, values: Sequence[Any]) -> Corpus:
        """A copy with one column replaced."""
        kind = self.table.schema.field(name).type
        at = self.table.schema.get_field_index(name)
        return replace(self, table=self.table.set_column(at, name, pa.array(values, kind)))


def _there(time: datetime, local: tzinfo) -> datetime | None:
    try:
        return time.astimezone(local)
    except OverflowError:  # the first and last day of the calendar have no local time everywhere
        return None


def table_timezone(table: pa.Table, configured: str) -> str:
    """The zone of local days and hours: the configured one, else that of the column."""
    return configured or str(table.schema.field("published_at").type.tz or UTC)


def make_corpus(table: pa.Table, timezone: str = "") -> Corpus:
    """A corpus of a checked article table."""
    return Corpus(table, table_timezone(table, timezone), np.zeros(table.num_rows, np.bool_))

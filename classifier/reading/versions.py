"""Updated articles: of rows with one id, the latest version counts, with the time at which the first was published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from classifier.articles import parse_time
from classifier.errors import FieldError
from classifier.reading.base import Rejection
from classifier.reading.columns import FILE, LINE, PLACES, json_text, to_values
from classifier.reading.joining import repeated

# What says which version is later: a number, else a time of change, else the time of publication.
VERSION = "version"
CHANGED = ("updated_at", "modified_at", "version_created", "last_modified")
# A later version that does not say these has them from the one before.
_KEPT = ("section", "sections", "popularity", "popularity_group", "split")

Row = dict[str, Any]
Stamp = tuple[tuple[int, ...], float, float]


def unique_articles(articles: pa.Table) -> tuple[pa.Table, int, int, list[Rejection]]:
    """The articles, each id once; how many rows were repeated, how many were earlier versions; and rejections of other
    rows whose id is taken.

    Rows are repeated when they are equal in every column but their places; the first stays. Rows that differ in
    version or time are versions of one article; the latest stays, its `published_at` the earliest of all.
    """
    ids = repeated(articles["id"])
    if not len(ids):
        return articles, 0, 0, []
    numbers = pc.indices_nonzero(pc.is_in(articles["id"], value_set=ids)).to_pylist()
    groups: dict[str, list[tuple[int, Row]]] = {}
    names = articles.schema.names
    columns = [_values(articles[name].take(pa.array(numbers, pa.int64()))) for name in names]
    for number, values in zip(numbers, zip(*columns, strict=True), strict=True):
        row = dict(zip(names, values, strict=True))
        groups.setdefault(row["id"], []).append((number, row))
    dropped: set[int] = set()
    changed: dict[int, Row] = {}
    rejected: list[Rejection] = []
    repeats = 0
    for group in groups.values():
        different = _different(group)
        repeats += len(group) - len(different)
        versions, taken = _versions(different)
        rejected += taken
        number, row = max(versions, key=lambda item: _stamp(item[1]))
        dropped.update({other for other, _ in group} - {number})
        if len(versions) > 1:
            changed[number] = _merged(row, [other for _, other in versions])
    earlier = len(dropped) - repeats - len(rejected)
    table = _changed(articles, changed)
    left = pa.array([number for number in range(len(articles)) if number not in dropped], pa.int64())
    return table.take(left), repeats, earlier, rejected


def _values(column: pa.ChunkedArray) -> list[Any]:
    return to_values(column.combine_chunks() if column.num_chunks != 1 else column.chunk(0))


def _different(group: Sequence[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """The first of each of the rows that are equal."""
    seen: dict[str, tuple[int, Row]] = {}
    for number, row in group:
        content = json_text({name: value for name, value in row.items() if name not in PLACES})
        seen.setdefault(content, (number, row))
    return list(seen.values())


def _versions(rows: Sequence[tuple[int, Row]]) -> tuple[list[tuple[int, Row]], list[Rejection]]:
    """Those that are versions of one article, and rejections of the others, which only have its id."""
    by_stamp: dict[Stamp, tuple[int, Row]] = {}
    rejected = []
    for number, row in rows:
        known = by_stamp.setdefault(_stamp(row), (number, row))
        if known[0] == number and _other_url(row, rows[0][1]):
            known = rows[0]
            del by_stamp[_stamp(row)]
        if known[0] != number:
            rejected.append(_taken(row, known[1]))
    return list(by_stamp.values()), rejected


def _other_url(row: Row, first: Row) -> bool:
    return bool(row.get("url") and first.get("url") and row["url"] != first["url"])


def _stamp(row: Mapping[str, Any]) -> Stamp:
    version = tuple(map(int, re.findall(r"\d{1,18}", str(row.get(VERSION) or ""))))
    changed = next((row[name] for name in CHANGED if row.get(name) is not None), None)
    return version, _instant(changed), _instant(row.get("published_at"))


def _instant(value: Any) -> float:
    try:
        time = parse_time(value, timezone=UTC)
    except FieldError:
        time = None
    return float("-inf") if time is None else time.timestamp()


def _merged(row: Row, versions: Sequence[Row]) -> Row:
    """What changes in the latest version."""
    times = [one["published_at"] for one in versions if isinstance(one["published_at"], datetime)]
    changes: Row = {"published_at": min(times)} if times else {}
    for name in _KEPT:
        if row.get(name) is None:
            before = [one.get(name) for one in sorted(versions, key=_stamp)]
            changes[name] = next((value for value in reversed(before) if value is not None), None)
    return changes


def _changed(table: pa.Table, changed: Mapping[int, Row]) -> pa.Table:
    if not changed:
        return table
    for name in ("published_at", *_KEPT):
        if name not in table.schema.names:
            continue
        rows = {number: row[name] for number, row in changed.items() if row.get(name) is not None}
        if not rows:
            continue
        kind = table.schema.field(name).type
        numbers = pa.array(sorted(rows), pa.int64())
        new = pa.array([rows[number] for number in sorted(rows)], kind)
        at = pc.index_in(pa.array(range(len(table)), pa.int64()), value_set=numbers)
        values = pc.coalesce(new.take(at), table[name].combine_chunks())
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table


def _taken(row: Row, other: Row) -> Rejection:
    names = [name for name in row if name not in PLACES]
    name = next(name for name in names if json_text(row[name]) != json_text(other[name]))
    values = " and ".join(f'"{str(one[name])[:60]}"' for one in (other, row))
    file, line = str(row.get(FILE) or ""), row.get(LINE)
    line = line if isinstance(line, int) else None
    where = f"{file}, line {line}" if line is not None else file
    known = str(other.get(FILE) or "")
    before = f" of {known}" if known != file else ""
    return Rejection(
        file,
        line,
        f'{where}: id: "{row["id"]}" is the id of another article{before} (different {name}: {values}); '
        "give every article its own id, or leave them out (--ignore id)",
    )

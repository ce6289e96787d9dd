"""What was read, as a table for people and as JSON: found, missing, renamed, dropped, duplicate, rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from classifier.articles import ARTICLE_FIELDS, TEXT_FIELDS
from classifier.reading import COMPRESSIONS, Reading
from classifier.reading.columns import FILE, LINE

_SHOWN = 20


def describe(reading: Reading) -> dict[str, Any]:
    """The report as one JSON object; every rejected row is in it."""
    articles = reading.articles
    return {
        "files": {
            "read": reading.sources,
            "by_suffix": dict(Counter(map(_suffix, reading.names))),
            "forms": dict(reading.forms),
            "skipped": list(reading.skipped),
        },
        "articles": len(articles),
        "boxes": len(reading.boxes),
        "clicks": len(reading.clicks),
        "fields": {name: _filled(articles, name) for name in ARTICLE_FIELDS},
        "other_columns": {
            name: _filled(articles, name)
            for name in articles.schema.names
            if name not in (*ARTICLE_FIELDS, FILE, LINE)
        },
        "published_at": _window(articles["published_at"]),
        "sections": _sections(articles),
        "duplicates": reading.duplicates,
        "superseded": reading.superseded,
        "unmatched_labels": reading.unmatched_labels,
        "notes": _notes(reading),
        "rejected": [{"file": one.file, "line": one.line, "reason": one.reason} for one in reading.rejected],
    }


def report_text(found: Mapping[str, Any]) -> str:
    """The report of `describe` for a terminal."""
    total = found["articles"]
    files = found["files"]
    kinds = ", ".join(
        f"{count} {suffix or 'without a suffix'}" for suffix, count in files["by_suffix"].items()
    )
    counts = [(name, found[name], "") for name in ("articles", "boxes", "clicks")]
    parts = [_table("FOUND", [("files", files["read"], kinds), *counts])]
    if total:
        filled = found["fields"] | found["other_columns"]
        parts.append(
            _table("FIELDS OF ARTICLES", [(name, own, _share(own, total)) for name, own in filled.items()])
        )
    if window := found["published_at"]:
        parts.append(f"PUBLISHED from {window[0]} to {window[1]}")
    parts += [_table("SECTIONS", _first(found["sections"].items()))] if found["sections"] else []
    forms = Counter(files["forms"].values())
    parts += (
        [_table("HOW FILES ARE WRITTEN", [(form, count, "files") for form, count in forms.items()])]
        if forms
        else []
    )
    left_out = [
        ("repeated rows", found["duplicates"], "the first stays"),
        ("earlier versions", found["superseded"], "the latest stays, with the first time of publication"),
        ("rejected rows", len(found["rejected"]), "see above"),
        ("label rows without an article", found["unmatched_labels"], ""),
        ("files that no reader knows", len(files["skipped"]), ", ".join(files["skipped"][:3])),
    ]
    parts.append(_table("LEFT OUT", left_out))
    if found["notes"]:
        rows = [(note["what"], note["count"], f"such as {note['example']}") for note in found["notes"]]
        parts.append(_table("NOTES", _first(rows)))
    return "\n\n".join(parts) + "\n"


def _suffix(name: str) -> str:
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    return "".join(suffixes[-2:] if suffixes and suffixes[-1] in COMPRESSIONS else suffixes[-1:])


def _filled(table: pa.Table, name: str) -> int:
    """How many rows hold something."""
    column = table[name]
    filled: int = len(column) - column.null_count
    if name in TEXT_FIELDS:
        filled -= pc.sum(pc.equal(column, "")).as_py() or 0
    return filled


def _window(times: pa.ChunkedArray) -> list[str] | None:
    found = pc.min_max(times).as_py()
    return [time.isoformat() for time in found.values()] if found["min"] is not None else None


def _sections(table: pa.Table) -> dict[str, int]:
    """How many articles each section has, most first."""
    found: Counter[str] = Counter()
    for column in (table["section"], pc.list_flatten(table["sections"])):
        found.update(
            {one["values"]: one["counts"] for one in pc.value_counts(column).to_pylist() if one["values"]}
        )
    return dict(found.most_common())


def _notes(reading: Reading) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for note in reading.notes:
        place = note.file if note.line is None else f"{note.file}, line {note.line}"
        example = f"{note.value} in {place}" if note.value else place
        one = found.setdefault(note.what, {"what": note.what, "count": 0, "example": example})
        one["count"] += note.count
    return list(found.values())


def _share(count: int, total: int) -> str:
    if not total or count == total:
        return ""
    return f"{100 * count / total:.1f} %, missing {total - count:,}" if count else "none"


def _first(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """The first of many rows, and how many more."""
    every = list(rows)
    more = [("and more", len(every) - _SHOWN, "")] if len(every) > _SHOWN else []
    return [*every[:_SHOWN], *more]


def _table(title: str, rows: Sequence[Sequence[Any]]) -> str:
    """Rows of a name, a number and a remark, aligned."""
    wide = max((len(str(row[0])) for row in rows), default=0)
    lines = [f"  {row[0]!s:<{wide}}  {row[1]:>9,}  {row[2] if len(row) > 2 else ''}".rstrip() for row in rows]
    return "\n".join([title, *lines])

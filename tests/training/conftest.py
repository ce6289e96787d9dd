"""Corpora of invented articles, small enough to check by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from classifier.articles import article_schema
from classifier.reading import Reading, read_all
from training.corpus import Corpus, make_corpus

Make = Callable[..., Corpus]

WORDS = {
    "Politics": [
        "minister",
        "assembly",
        "vote",
        "coalition",
        "ballot",
        "mayor",
        "senate",
        "treaty",
        "decree",
    ],
    "Economy": ["bank", "market", "shares", "exports", "prices", "factory", "currency", "tariff", "bond"],
    "Sports": ["match", "goal", "league", "striker", "coach", "medal", "sprint", "stadium", "referee"],
}


@pytest.fixture(scope="session")
def corpus_of() -> Make:
    """A corpus of rows (dicts; times as ISO strings), its time column in `column_zone`."""

    def make(rows: list[dict[str, Any]], *, timezone: str = "", column_zone: str = "UTC") -> Corpus:
        return make_corpus(table_of(rows, column_zone), timezone)

    return make


def table_of(rows: list[dict[str, Any]], column_zone: str = "UTC") -> pa.Table:
    schema = article_schema()
    at = schema.get_field_index("published_at")
    schema = schema.set(at, pa.field("published_at", pa.timestamp("us", tz=column_zone)))
    schema = schema.append(pa.field("file", pa.string()))
    known = set(schema.names)
    for name in sorted({name for row in rows for name in row} - known):
        numbers = all(isinstance(row.get(name), float | int | None) for row in rows)
        schema = schema.append(pa.field(name, pa.float64() if numbers else pa.string()))
    filled = []
    for number, row in enumerate(rows):
        own: dict[str, Any] = {"id": f"a{number}", "headline": "", "summary": "", "body": "", **row}
        if isinstance(own.get("published_at"), str):
            own["published_at"] = datetime.fromisoformat(own["published_at"])
        filled.append({name: own.get(name) for name in schema.names})
    return pa.Table.from_pylist(filled, schema)


@pytest.fixture(scope="session")
def stories() -> Callable[..., list[dict[str, Any]]]:
    """Rows of `days` days with `daily` articles each: sections in turn, every third lifted by a storm."""

    def make(days: int = 8, daily: int = 12, sections: int = 2) -> list[dict[str, Any]]:
        rows = []
        for i in range(days * daily):
            section = list(WORDS)[i % sections]
            own = WORDS[section]
            day, place = divmod(i, daily)
            lifted = (i * 7 + day) % 3 == 0
            theme = "with a storm warning for every school" if lifted else "after a long quiet meeting"
            rows.append(
                {
                    "id": f"s{i}",
                    "headline": f"{own[i % 9].title()} and {own[(i + 4) % 9]} in case {i}",
                    "body": f"The {own[(i + 1) % 9]} met the {own[(i + 2) % 9]} on item {i * 37 % 101} {theme}.",
                    "section": section,
                    "source": "Tiny Gazette",
                    "published_at": f"2031-05-{day + 1:02d}T{6 + place:02d}:15:00+09:00",
                    "popularity": float(1000 - 10 * place + (5000 if lifted else 0)),
                }
            )
        return rows

    return make


@pytest.fixture
def reading_of(tmp_path: Path) -> Callable[..., Reading]:
    """Reads rows (and ranking-box lines) as if they stood in files."""

    def read(rows: list[dict[str, Any]], boxes: list[dict[str, Any]] | None = None) -> Reading:
        folder = tmp_path / "given"
        folder.mkdir(exist_ok=True)
        inputs = []
        for name, lines in (("articles.jsonl", rows), ("boxes.jsonl", boxes or [])):
            if lines:
                (folder / name).write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
                inputs.append(str(folder / name))
        return read_all(inputs)

    return read

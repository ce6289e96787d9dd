"""The benchmark of reading: contenders read the same articles, and it runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

Speed = Callable[[str], ModuleType]
needs_linux = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is Linux's")


def test_contenders_read_the_same_articles(speed: Speed, tmp_path: Path) -> None:
    readers = speed("speed.readers")
    table = readers.articles_of(
        pa.table({"id": ["1", "2"], "headline": ["a, b", "c"], "summary": ["", ""], "body": ["x\ny", "é"]}),
        2000,
    )
    readers.write_files(table, tmp_path)
    count = len(table)
    assert count > 10
    assert len(set(table["id"].to_pylist())) == count
    for suffix in readers.FORMATS:
        path = tmp_path / f"articles.{suffix}"
        assert readers.newsdesk(path)() == readers.newsdesk_streamed(path)() == count
    lines = tmp_path / "articles.jsonl"
    assert readers.newsdesk(tmp_path / "without_ids.jsonl")() == count
    for make in (readers.json_lines, readers.orjson_lines, readers.arrow_lines):
        assert make(lines)() == count
    assert readers.arrow_csv(tmp_path / "articles.csv")() == count
    assert readers.arrow_parquet(tmp_path / "articles.parquet")() == count
    assert readers.arrow_ipc(tmp_path / "articles.arrow")() == count
    assert readers.decompressed(tmp_path / "articles.jsonl.gz", "gzip")() == lines.stat().st_size
    readers.write_pages(table.append_column("published_at", pa.nulls(count)), tmp_path / "pages", 3)
    pages = tmp_path / "pages"
    assert readers.newsdesk(pages)() == readers.extracted(pages)() == readers.described(pages)() == 3


@needs_linux
@pytest.mark.slow
def test_the_quick_run_compares_everything(quick: Callable[..., dict[str, Any]]) -> None:
    found = quick("reading")
    beside = {(row["what"], row["beside"]) for row in found["rows"]}
    assert ("JSON Lines to an article table", "json, line by line") in beside
    assert ("HTML pages, one core", "trafilatura alone") in beside
    assert {row["what"].split()[0] for row in found["rows"]} == {"JSON", "Parquet", "Arrow", "CSV", "HTML"}

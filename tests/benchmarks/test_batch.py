"""The benchmark of batch scoring: its quick form runs, and its tables are made of what it keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.mark.slow
def test_the_quick_form_runs(quick: Callable[..., dict[str, Any]]) -> None:
    pytest.importorskip("distributed")
    found = quick("batch")
    assert {"parquet", "jsonl", "core", "dask"} <= found["rates"].keys()
    assert all(rate > 0 for rate in found["rates"].values())
    asked = [row["asked"] for row in found["rows"]]
    assert {"≥ 0.5", "≥ 0.35", "≤ 1", "≤ 1.1", "≤ 10.5", "≥ 0.7"} <= set(asked)
    assert "≥ 15" in asked or any("pandas is not installed" in note for note in found["notes"])


def test_the_cost_of_a_billion(
    speed: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = speed("tables")
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    kept = {"rates": {"parquet": 200_000.0, "dask": 150_000.0}, "rows": []}
    (tmp_path / "benchmarks" / "results" / "batch.json").write_text(json.dumps(kept))
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    _, _, first, *others = tables.batch_cost().splitlines()
    assert first == "| Parquet, here | 200,000 | 2 | 1.39 | 2.78 |"
    assert len(others) == 5
    (tmp_path / "benchmarks" / "results" / "batch.json").unlink()
    assert len(tables.batch_cost().splitlines()) == 2


def test_parts_are_compared_row_by_row(speed: Callable[[str], ModuleType], tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    batch = speed("batch")
    table = pa.table({"id": [str(n) for n in range(100)]})
    pq.write_table(table, tmp_path / "whole.parquet")
    (tmp_path / "parts").mkdir()
    for number, (start, length) in enumerate(((0, 60), (60, 40))):
        pq.write_table(table.slice(start, length), tmp_path / "parts" / f"part-{number}.parquet")
    assert batch._same(tmp_path / "parts", tmp_path / "whole.parquet")
    pq.write_table(table.slice(61, 39), tmp_path / "parts" / "part-1.parquet")
    assert not batch._same(tmp_path / "parts", tmp_path / "whole.parquet")

"""Scoring Arrow batches from other tools: in order, the same answers, in three lines."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import classifier
from classifier.articles import parse_timezone
from classifier.errors import FieldError, FormatError, UsageError
from classifier.model import Model
from classifier.reading.base import Rejection
from classifier.results import PREDICTION_FIELDS

ROOT = Path(__file__).parent.parent.parent
ROWS = [{"id": f"a{n}", "title": f"Minister and bank {n}", "desk": n, "body": None} for n in range(40)]


@pytest.fixture(scope="module")
def model(tiny_model_path: Path) -> Model:
    return classifier.load(tiny_model_path)


@pytest.fixture(scope="module")
def wanted(model: Model) -> list[dict[str, Any]]:
    return [model.predict({"id": row["id"], "headline": row["title"]}).to_dict() for row in ROWS]


def table() -> pa.Table:
    return pa.Table.from_pylist(ROWS)


def as_iterator() -> Iterator[pa.RecordBatch]:
    yield from table().to_batches(7)


@pytest.mark.parametrize(
    "reader",
    [
        lambda: table(),
        lambda: table().to_batches()[0],
        lambda: table().to_reader(9),
        as_iterator,
        lambda: [table().slice(0, 5), table().slice(5)],
    ],
)
def test_whatever_gives_batches(model: Model, wanted: list[dict[str, Any]], reader: Any) -> None:
    scored = list(model.score_batches(reader(), columns={"headline": "title"}, keep=["desk"]))
    found = pa.Table.from_batches(scored).to_pylist()
    assert [{name: row[name] for name in PREDICTION_FIELDS} for row in found] == wanted
    assert [row["desk"] for row in found] == [str(row["desk"]) for row in ROWS]


def test_batches_come_as_they_are_asked_for(model: Model) -> None:
    asked = []

    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            asked.append(1)
            yield table().to_batches()[0]

    scored = model.score_batches(endless(), columns={"headline": "title"})
    next(scored)
    assert len(asked) == 1


def test_bad_rows_end_it_or_are_handed_over(model: Model) -> None:
    rows = pa.table({"id": ["a", "b", "c"], "headline": ["x", "", "z"], "published_at": ["2031-01-01"] * 3})
    with pytest.raises(FormatError, match=r"the table, row 1: .*give on_rejected to leave such rows out"):
        list(model.score_batches(rows))
    rejected: list[Rejection] = []
    zone = parse_timezone("Asia/Tokyo")
    (scored,) = model.score_batches(rows, timezone=zone, on_rejected=rejected.append)
    assert scored.column("id").to_pylist() == ["a", "c"]
    assert [item.line for item in rejected] == [2]
    assert not list(model.score_batches(rows.slice(1, 1), timezone=zone, on_rejected=rejected.append))


def test_what_cannot_be_scored(model: Model) -> None:
    for reader in (5, "a.parquet", {"headline": "a"}, [{"headline": "a"}]):
        with pytest.raises(UsageError, match="record batch"):
            list(model.score_batches(reader))
    with pytest.raises(FormatError, match="no column headline, summary or body"):
        list(model.score_batches(pa.table({"title": ["a"]})))
    with pytest.raises(FormatError, match="these are labels"):
        list(model.score_batches(pa.table({"id": ["a"]})))
    with pytest.raises(UsageError, match='"id" is a column of the prediction'):
        list(model.score_batches(table(), keep=["id"]))


def test_a_batch_of_articles_is_checked(model: Model) -> None:
    with pytest.raises(FieldError, match="row 2: headline: "):
        model.predict(pa.record_batch({"headline": ["a", "b\0"]}))
    wide = pa.record_batch({"headline": pa.array(["Minister", None], pa.large_string()), "body": ["x", "y"]})
    assert model.predict(wide).column("id").to_pylist() == [model.predict(row).id for row in wide.to_pylist()]


def test_long_rows_are_scored_in_small_batches(model: Model) -> None:
    many = pa.table({"headline": ["Minister"] * 20_000})
    assert [len(batch) for batch in model.score_batches(many)] == [16_384, 3_616]


@pytest.mark.parametrize("tool", ["polars", "duckdb"])
def test_the_examples_of_the_docs_run(tool: str, tiny_model_path: Path, tmp_path: Path) -> None:
    pytest.importorskip(tool)
    text = (ROOT / "docs" / "BATCH.md").read_text("utf-8")
    code = re.search(rf"<!-- example: {tool} -->\n```python\n(.*?)```", text, re.S)
    assert code is not None
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "courier").symlink_to(tiny_model_path)
    rows = [{"id": row["id"], "headline": row["title"], "url": "http://a"} for row in ROWS]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "articles.parquet")
    ran = subprocess.run([sys.executable, "-c", code[1]], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = pq.read_table(tmp_path / "scored.parquet")
    assert found.column("id").to_pylist() == [row["id"] for row in ROWS]
    assert set(PREDICTION_FIELDS) <= set(found.schema.names)

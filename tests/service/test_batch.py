"""Batch scoring: every format out, columns kept, bad rows named, nothing half-written."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

import classifier
from classifier.errors import InputError, OutputError, UsageError
from classifier.reading.base import ReadOptions
from classifier.results import PREDICTION_FIELDS, prediction_schema
from service.batch import Summary, score_files

PAGE = "{headline}11:36 JST, February 2, 2022\nTOKYO (Jiji Press) — The {words}.\n"
ROWS: list[dict[str, Any]] = [
    {"id": "1", "headline": "Minister and vote", "url": "http://a/1", "desk": "city", "popularity": 5},
    {"id": "2", "headline": "Bank, “shares”", "url": None, "desk": 7},
    {"id": "3", "body": "日本\nexports", "url": "http://a/3"},
]
Score = Callable[..., tuple[int, str, str]]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.fixture
def score(tiny_model_path: Path, here: Callable[..., Any]) -> Score:
    """`newsdesk score` in this process: exit code, stdout, stderr."""
    return partial(here, "score", tiny_model_path)


def expected(tiny_model_path: Path) -> list[dict[str, Any]]:
    return [prediction.to_dict() for prediction in classifier.load(tiny_model_path).predict(ROWS)]


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".csv", ".parquet", ".arrow"])
def test_every_format_holds_the_same_predictions(
    score: Score, rows: Path, tmp_path: Path, tiny_model_path: Path, suffix: str
) -> None:
    out = tmp_path / f"out{suffix}"
    code, stdout, stderr = score(rows, "-o", out)
    assert (code, stdout) == (0, "")
    assert stderr.startswith(f"3 articles scored to {out} in ")
    wanted = expected(tiny_model_path)
    if suffix == ".csv":
        with out.open(newline="", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        assert list(found[0]) == list(PREDICTION_FIELDS)
        assert [json.loads(row["section_scores"]) for row in found] == [
            row["section_scores"] for row in wanted
        ]
        for name in ("popularity_score", "section_probability", "top5_probability"):
            assert [float(row[name]) for row in found] == [row[name] for row in wanted]
        assert [row["section"] for row in found] == [row["section"] for row in wanted]
    elif ".jsonl" in suffix:
        text = gzip.decompress(out.read_bytes()) if suffix.endswith(".gz") else out.read_bytes()
        found = [json.loads(line) for line in text.decode().splitlines()]
        assert found == wanted
        assert list(found[0]) == list(PREDICTION_FIELDS)
    else:
        table = pq.read_table(out) if suffix == ".parquet" else feather.read_table(out)
        assert table.schema == prediction_schema()
        assert table.to_pylist() == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", out.name]


def test_standard_output_carries_rows_and_nothing_else(
    score: Score, rows: Path, tiny_model_path: Path
) -> None:
    code, stdout, stderr = score(rows, "-o", "-", "--quiet")
    assert (code, stderr) == (0, "")
    assert [json.loads(line) for line in stdout.splitlines()] == expected(tiny_model_path)


def test_kept_columns_stand_behind_as_text(score: Score, rows: Path) -> None:
    code, stdout, _ = score(rows, "-o", "-", "--quiet", "--keep", "url, desk,nothing,url,body")
    assert code == 0
    found = [json.loads(line) for line in stdout.splitlines()]
    assert list(found[0]) == [*PREDICTION_FIELDS, "url", "desk", "nothing", "body"]
    assert [row["url"] for row in found] == ["http://a/1", None, "http://a/3"]
    assert [row["desk"] for row in found] == ["city", "7", None]
    assert [row["nothing"] for row in found] == [None] * 3
    assert found[2]["body"] == "日本\nexports"


@pytest.mark.parametrize("name", ["id", "section", "model"])
def test_a_column_of_the_prediction_cannot_be_kept(
    score: Score, rows: Path, tmp_path: Path, name: str
) -> None:
    code, _, stderr = score(rows, "-o", tmp_path / "out.csv", "--keep", f"url,{name}")
    assert code == 2
    assert stderr == f'error: "{name}" is a column of the prediction; keep other columns\n'
    assert not (tmp_path / "out.csv").exists()


def test_an_existing_target_stays_unless_forced(score: Score, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("mine")
    code, _, stderr = score(rows, "-o", out)
    assert code == 2
    assert "is there already; give another name, or --force to replace it" in stderr
    assert out.read_text() == "mine"
    assert score(rows, "-o", out, "--force")[0] == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 3


def test_a_folder_with_one_bad_page_scores_the_others(score: Score, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    for name, words in (("a", "minister met the senate"), ("c", "market sold its shares")):
        (pages / f"{name}.txt").write_text(PAGE.format(headline="", words=words), encoding="utf-8")
    (pages / "b.txt").write_text("no time line\nat all\n")
    out = tmp_path / "out.jsonl"
    code, stdout, stderr = score(pages, "-o", out, "--keep", "file", "--quiet")
    assert (code, stdout) == (1, "")
    rejected, error = stderr.splitlines()
    assert rejected.startswith("rejected: b.txt, line ")
    assert "expected" in rejected
    assert error == "error: 1 of 3 rows were rejected; see above, and newsdesk read --report --json"
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["file"] for row in found] == ["a.txt", "c.txt"]
    assert [row["section"] for row in found] == ["Politics", "Economy"]


def test_boxes_never_change_a_prediction(score: Score, tmp_path: Path) -> None:
    page = PAGE.format(headline="A minister\n", words="minister met the senate")
    boxes = '"Economy" POPULAR ARTICLE\n-\nBank and shares\nJN ACCESS RANKING\n-\nMarket prices\n'
    found = []
    for name, text in (("with", page + boxes), ("without", page)):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
        code, stdout, _ = score(tmp_path / f"{name}.txt", "-o", "-")
        assert code == 0
        found.append(json.loads(stdout))
    assert found[0] == found[1]


@pytest.mark.parametrize("content", ["", "[1]\n", '{"headline": ""}\n'])
def test_nothing_to_score(score: Score, tmp_path: Path, content: str) -> None:
    (tmp_path / "in.jsonl").write_text(content)
    code, stdout, stderr = score(tmp_path / "in.jsonl", "-o", tmp_path / "out.csv")
    assert (code, stdout) == (1 if content else 2, "")
    assert "error: " in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("second", ["broken.parquet", "missing.jsonl", "unknown.exe"])
def test_a_failure_on_the_way_leaves_nothing(score: Score, rows: Path, tmp_path: Path, second: str) -> None:
    if second != "missing.jsonl":
        (tmp_path / second).write_bytes(b"PAR1 but no more")
    before = sorted(tmp_path.iterdir())
    code, stdout, stderr = score(rows, tmp_path / second, "-o", tmp_path / "out.parquet")
    assert (code, stdout) == (2, "")
    assert second in stderr
    assert len(stderr.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_failure_keeps_what_was_there(score: Score, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 but no more")
    (tmp_path / "out.csv").write_text("mine")
    code, _, _ = score(rows, tmp_path / "broken.parquet", "-o", tmp_path / "out.csv", "--force")
    assert code == 2
    assert (tmp_path / "out.csv").read_text() == "mine"


def test_chunks_do_not_show(tiny_model_path: Path, tmp_path: Path) -> None:
    many = [
        {"id": str(i), "headline": f"Minister and bank {i % 7}"} for i in range(5000)
    ]  # more than one batch
    lines = [json.dumps(row) + "\n" for row in many]
    (tmp_path / "one.jsonl").write_text("".join(lines))
    (tmp_path / "a.jsonl").write_text("".join(lines[:4999]))
    (tmp_path / "b.jsonl").write_text(lines[4999])
    model = classifier.load(tiny_model_path)
    for name, inputs in (("one", ["one"]), ("two", ["a", "b"])):
        paths = [str(tmp_path / f"{file}.jsonl") for file in inputs]
        summary = score_files(model, paths, str(tmp_path / f"{name}.arrow"), ReadOptions())
        assert summary == Summary(5000, 0)
    assert (tmp_path / "one.arrow").read_bytes() == (tmp_path / "two.arrow").read_bytes()
    table: pa.Table = feather.read_table(tmp_path / "one.arrow")
    assert table.column("id").to_pylist() == [row["id"] for row in many]


def test_as_a_function(tiny_model_path: Path, rows: Path, tmp_path: Path) -> None:
    model = classifier.load(tiny_model_path)
    with rows.open("a") as file:
        file.write("{}\n")
    rejected: list[Any] = []
    out = str(tmp_path / "out.csv")
    summary = score_files(model, [str(rows)], out, ReadOptions(), on_rejected=rejected.append)
    assert summary == Summary(3, 1)
    assert [item.line for item in rejected] == [4]
    with pytest.raises(OutputError, match="is there already"):
        score_files(model, [str(rows)], out, ReadOptions())
    with pytest.raises(UsageError):
        score_files(model, [str(rows)], out, ReadOptions(), keep=["id"])
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError):
        score_files(model, [str(tmp_path / "empty.csv")], str(tmp_path / "none.csv"), ReadOptions())
    assert not (tmp_path / "none.csv").exists()

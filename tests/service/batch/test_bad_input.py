"""What archives hold, and what happens to those who read them."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import classifier
from classifier.errors import FormatError, InputError, OutputError
from classifier.model import Model
from service.batch import Listener, Progress, Scoring, score_files


@pytest.fixture(scope="module")
def model(tiny_model_path: Path) -> Model:
    return classifier.load(tiny_model_path)


def article(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"a{number}", "headline": f"Minister and bank {number}", **more}


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_truncated_gzip_keeps_what_was_durable(model: Model, tmp_path: Path) -> None:
    rows = [article(number, body=str(hash(number)) * 20) for number in range(3000)]
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    (tmp_path / "in.jsonl.gz").write_bytes(whole[:-100])
    safe: list[int] = []
    scoring = Scoring(pace=0.0, block_rows=100)
    with pytest.raises(FormatError, match=r"in\.jsonl\.gz: cannot be decompressed"):
        score_files(
            model,
            [str(tmp_path / "in.jsonl.gz")],
            str(tmp_path / "o.csv"),
            scoring,
            Listener(on_stop=safe.append),
        )
    assert not (tmp_path / "o.csv").exists()


def test_a_corrupt_page_is_named(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    table = pa.Table.from_pylist([article(number) for number in range(500)])
    pq.write_table(table, path, row_group_size=100, compression="gzip", write_page_checksum=True)
    damaged = bytearray(path.read_bytes())
    at = pq.ParquetFile(path).metadata.row_group(3).column(1).data_page_offset
    damaged[at + 60 : at + 90] = bytes(30)
    path.write_bytes(damaged)
    with pytest.raises(FormatError, match=r"in\.parquet: not a Parquet file that can be read"):
        score_files(model, [str(path)], str(tmp_path / "o.parquet"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in.parquet"]


def test_mixed_schemas_in_a_folder(model: Model, tmp_path: Path) -> None:
    """A column may be a number here, text there and missing elsewhere."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_lines(folder / "a.jsonl", [article(1, desk=7), article(2)])
    (folder / "b.csv").write_text("id,headline,desk\nb1,Vote,city\n")
    pq.write_table(pa.table({"id": ["c1"], "headline": ["Bank"], "desk": [1.5]}), folder / "c.parquet")
    write_lines(folder / "d.jsonl", [article(3, summary=None)])
    output = tmp_path / "o.jsonl"
    summary = score_files(model, [str(folder)], str(output), Scoring(keep=["desk", "file"]))
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["desk"], row["file"]) for row in rows] == [
        ("a1", "7", "a.jsonl"),
        ("a2", None, "a.jsonl"),
        ("b1", "city", "b.csv"),
        ("c1", "1.5", "c.parquet"),
        ("a3", None, "d.jsonl"),
    ]
    assert summary.missing == ()


def test_a_line_of_a_hundred_megabytes_is_rejected_alone(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    with path.open("w") as file:
        file.write(json.dumps(article(1)) + '\n{"headline": "')
        for _ in range(100):
            file.write("x" * 1_000_000)
        file.write('"}\n' + json.dumps(article(2)) + "\n")
    summary = score_files(model, [str(path)], str(tmp_path / "o.csv"))
    assert (summary.articles, summary.rejected) == (2, 1)
    (line,) = (tmp_path / "o.csv.rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["line"] == 2
    assert len(line) < 1000


def test_many_rejected_rows_do_not_pile_up(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("no json\n" * 25_000 + json.dumps(article(1)) + "\n")
    told: list[Progress] = []
    summary = score_files(
        model, [str(path)], str(tmp_path / "o.jsonl"), None, Listener(on_progress=told.append)
    )
    assert (summary.articles, summary.rejected) == (1, 25_000)
    assert told[0].rejected < 20_000
    assert len((tmp_path / "o.jsonl.rejected.jsonl").read_bytes().splitlines()) == 25_000


def test_a_file_that_changes_while_it_is_read(model: Model, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [article(number) for number in range(20_000)])

    def touch(progress: Progress) -> None:
        with path.open("a") as file:
            file.write(json.dumps(article(0)) + "\n")

    scoring = Scoring(block_rows=100)
    with pytest.raises(InputError, match=r"in\.jsonl: changed while it was read; score it again"):
        score_files(model, [str(path)], str(tmp_path / "o.csv"), scoring, Listener(on_progress=touch))
    assert not (tmp_path / "o.csv").exists()


def test_a_target_that_cannot_be_written(model: Model, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [article(1)])
    for target, said in (
        ("nowhere/o.csv", "does not exist; create it first"),
        ("in.jsonl/o.csv", "does not exist; create it first"),
        (f"{'o' * 250}.csv", "File name too long"),
    ):
        with pytest.raises(OutputError, match=said):
            score_files(model, [str(path)], str(tmp_path / target))
    (tmp_path / "o.csv").mkdir()
    with pytest.raises(OutputError, match="is there and is no file"):
        score_files(model, [str(path)], str(tmp_path / "o.csv"), Scoring(force=True))


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_rights(model: Model, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [article(1)])
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        score_files(model, [str(path)], str(tmp_path / "locked" / "o.csv"))


def test_old_rejections_do_not_stay_beside_a_new_output(model: Model, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [article(1), {}])
    output = tmp_path / "o.csv"
    score_files(model, [str(path)], str(output))
    assert (tmp_path / "o.csv.rejected.jsonl").exists()
    write_lines(path, [article(1)])
    score_files(model, [str(path)], str(output), Scoring(force=True))
    assert not (tmp_path / "o.csv.rejected.jsonl").exists()


def start(command: str, *arguments: Any, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [command, *map(str, arguments)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_stops_cleanly_and_can_go_on(
    newsdesk_command: str,
    newsdesk: Callable[..., Any],
    tiny_model_path: Path,
    tmp_path: Path,
    until: Any,
    number: int,
    code: int,
) -> None:
    """The second input is a pipe that nobody writes to: the run is there, and waits."""
    path = write_lines(tmp_path / "a.jsonl", [article(n) for n in range(40_000)])
    second = tmp_path / "b.jsonl"
    os.mkfifo(second)
    output = tmp_path / "o.jsonl"
    process = start(newsdesk_command, "score", tiny_model_path, path, second, "-o", output)
    journal = tmp_path / ".o.jsonl.parts" / "journal"
    assert until(process, lambda: journal.exists() and journal.stat().st_size > 0)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert "articles are safe; the same command with --resume goes on from there" in said
    assert not output.exists()
    second.unlink()
    write_lines(second, [article(n) for n in range(10)])
    ended = newsdesk("score", tiny_model_path, path, second, "-o", output, "--resume")
    assert ended.code == 0, ended.err
    assert ended.err.startswith("40,010 articles scored to ")
    assert "ids: about 10 (± 0) articles have an id that one before has" in ended.err
    assert len(output.read_bytes().splitlines()) == 40_010


def test_standard_streams_cannot_be_resumed(
    here: Callable[..., Any], tiny_model_path: Path, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "in.jsonl", [article(1)])
    for inputs, output in (("-", tmp_path / "o.csv"), (path, "-")):
        ended = here("score", tiny_model_path, inputs, "-o", output, "--resume")
        assert ended.code == 2
        assert "cannot be taken up again" in ended.err

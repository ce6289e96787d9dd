"""The Dask engine: the same rows as here, whatever happens to its workers."""

from __future__ import annotations

import json
import os
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from distributed import Client, LocalCluster

import classifier
from classifier.errors import FieldError, FormatError, InputError, NotResumable, OutputError, UsageError
from service.batch import Progress, Scoring, Summary, score_files
from service.cluster import score_on_cluster
from service.cluster.partitions import find_files, partitions
from service.cluster.storage import Folder
from service.cluster.task import load_once

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL"
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large Parquet file of ten row groups, and small files of other formats, one with bad rows."""
    folder = tmp_path_factory.mktemp("archive")
    rows = [{"id": f"p{n % 900}", "headline": f"Minister and bank {n}", "desk": "city"} for n in range(1000)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "b.parquet", row_group_size=100)
    lines = [json.dumps({"id": f"j{n}", "headline": f"Vote {n}", "url": f"http://a/{n}"}) for n in range(50)]
    (folder / "a.jsonl").write_text("\n".join([*lines, "no json", "{}"]) + "\n")
    (folder / "c.csv").write_text("id,headline\nc1,Shares\nc2,\n")
    (folder / "notes.md").write_text("no articles")
    return folder


@pytest.fixture(scope="module")
def local(
    tiny_model_path: Path, archive: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Summary]:
    """Rows and summary of the local engine."""
    output = tmp_path_factory.mktemp("here") / "out.parquet"
    scoring = Scoring(keep=["desk", "file"])
    summary = score_files(classifier.load(tiny_model_path), [str(archive)], str(output), scoring)
    return pq.read_table(output), summary


def scored(
    model: Path | str, inputs: list[Any], output: Any, cluster: LocalCluster, *told: Any, **more: Any
) -> Summary:
    return score_on_cluster(
        str(model),
        [str(one) for one in inputs],
        str(output),
        Scoring(keep=["desk", "file"], **more),
        cluster.scheduler_address,
        *told,
        part_rows=200,
    )


def rows_of(output: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in sorted(output.glob("part-*.parquet"))])


def test_the_rows_are_those_of_the_local_engine(
    cluster: LocalCluster, tiny_model_path: Path, archive: Path, tmp_path: Path, local: tuple[Any, Summary]
) -> None:
    output = tmp_path / "out.parquet"
    told: list[Progress] = []
    summary = scored(tiny_model_path, [archive], output, cluster, told.append)
    assert rows_of(output).to_pylist() == local[0].to_pylist()
    assert (summary.articles, summary.rejected, summary.sections, summary.decisions) == (
        local[1].articles,
        local[1].rejected,
        local[1].sections,
        local[1].decisions,
    )
    names = sorted(path.name for path in output.iterdir())
    assert names[:2] == ["_SUCCESS", "manifest.json"]
    assert len([name for name in names if name.endswith(".parquet")]) == 7
    rejected = [
        json.loads(line)
        for path in sorted(output.glob("*.rejected.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert [(one["file"], one["line"]) for one in rejected] == [
        ("a.jsonl", 51),
        ("a.jsonl", 52),
        ("c.csv", 3),
    ]
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["articles"] == sum(part["articles"] for part in manifest["parts"]) == 1051
    assert told[-1].articles == 1051
    assert told[-1].read == told[-1].size
    assert ds.dataset(output, format="parquet", exclude_invalid_files=True).count_rows() == 1051


def test_workers_that_die_lose_nothing_and_double_nothing(
    cluster: LocalCluster, tiny_model_path: Path, archive: Path, tmp_path: Path, local: tuple[Any, Summary]
) -> None:
    output = tmp_path / "out.parquet"
    with Client(cluster) as client:
        victims = list(client.run(os.getpid).values())[:1]

    def kill(progress: Progress) -> None:
        if victims:
            os.kill(victims.pop(), signal.SIGKILL)

    scored(tiny_model_path, [archive], output, cluster, kill)
    assert not victims
    assert rows_of(output).to_pylist() == local[0].to_pylist()
    assert not list(output.glob(".*"))


def test_an_interrupted_run_is_gone_on_with(
    cluster: LocalCluster, tiny_model_path: Path, archive: Path, tmp_path: Path, local: tuple[Any, Summary]
) -> None:
    output = tmp_path / "out.parquet"

    def stop(progress: Progress) -> None:
        if progress.articles >= 600:
            raise KeyboardInterrupt

    safe: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        scored(tiny_model_path, [archive], output, cluster, stop, safe.append)
    assert 600 <= safe[0] < 1051
    assert not (output / "_SUCCESS").exists()
    with pytest.raises(OutputError, match="an interrupted run is in it; --resume goes on"):
        scored(tiny_model_path, [archive], output, cluster)
    with pytest.raises(NotResumable, match="its inputs was another"):
        scored(tiny_model_path, [archive / "a.jsonl"], output, cluster, resume=True)
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}
    scored(tiny_model_path, [archive], output, cluster, resume=True)
    kept = [name for name, time in before.items() if (output / name).stat().st_mtime_ns == time]
    assert len(kept) >= 2
    assert rows_of(output).to_pylist() == local[0].to_pylist()
    with pytest.raises(OutputError, match="is there already"):
        scored(tiny_model_path, [archive], output, cluster, resume=True)
    scored(tiny_model_path, [archive], output, cluster, force=True)
    assert rows_of(output).to_pylist() == local[0].to_pylist()


def test_json_lines_and_a_damaged_file(
    cluster: LocalCluster, tiny_model_path: Path, archive: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    scored(tiny_model_path, [archive / "a.jsonl", archive / "c.csv"], output, cluster)
    lines = [line for path in sorted(output.glob("part-*0.jsonl")) for line in path.read_bytes().splitlines()]
    assert [json.loads(line)["file"] for line in lines] == ["a.jsonl"] * 50 + ["c.csv"]
    (tmp_path / "bad.csv.gz").write_bytes(b"\x1f\x8b no more")
    with pytest.raises(FormatError, match=r"bad\.csv\.gz"):
        scored(tiny_model_path, [tmp_path / "bad.csv.gz"], tmp_path / "bad.jsonl", cluster)
    (tmp_path / "empty.csv").write_text("headline\n")
    with pytest.raises(InputError, match="no articles"):
        scored(tiny_model_path, [tmp_path / "empty.csv"], tmp_path / "none.jsonl", cluster)
    assert Folder(str(tmp_path / "none.jsonl")).names() == []


def test_what_cannot_be_done_on_a_cluster(
    cluster: LocalCluster, tiny_model_path: Path, archive: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").touch()
    (tmp_path / "other.csv").write_text("mine")
    (tmp_path / "full.csv").mkdir()
    (tmp_path / "full.csv" / "mine").touch()
    for inputs, output, kind, said in (
        (["-"], "out.csv", UsageError, "cannot read standard input"),
        ([archive], "-", UsageError, "writes a folder"),
        ([archive], tmp_path / "other.csv", OutputError, "is no folder"),
        ([archive], tmp_path / "full.csv", OutputError, "holds other files"),
        ([tmp_path / "nothing"], "out.csv", InputError, "no such file"),
        (["nowhere://a/b"], "out.csv", InputError, "cannot be read"),
        (["memory://no/such.jsonl"], "out.csv", InputError, "no such file"),
    ):
        with pytest.raises(kind, match=said):
            scored(tiny_model_path, inputs, output, cluster, force=True)


def test_no_scheduler_is_one_line(here: Any, tiny_model_path: Path, archive: Path, tmp_path: Path) -> None:
    ended = here(
        "score",
        tiny_model_path,
        archive,
        "-o",
        tmp_path / "o.csv",
        "--engine",
        "dask",
        "--scheduler",
        "nowhere",
    )
    assert ended.code == 2
    assert "nowhere: no Dask scheduler answers" in ended.err
    assert len(ended.err.splitlines()) == 1
    ended = here("score", tiny_model_path, archive, "-o", "-", "--scheduler", "tcp://127.0.0.1:1")
    assert ended.code == 2


def test_remote_files_are_found_as_local_ones_are(archive: Path) -> None:
    system = fsspec.filesystem("memory")
    for path in archive.iterdir():
        system.pipe(f"/in/deep/{path.name}", path.read_bytes())
    system.pipe("/in/.hidden.jsonl", b"{}")
    system.pipe("/in/_SUCCESS", b"")
    names = [name for name, _ in find_files([str(archive)])]
    assert names == ["a.jsonl", "b.parquet", "c.csv"]
    found = find_files(["memory://in"])
    assert [name for name, _ in found] == [f"deep/{name}" for name in names]
    assert [name for name, _ in find_files(["memory://in/deep/*.csv"])] == ["c.csv"]
    parts = list(partitions(found, 200))
    assert [[piece.groups for piece in part] for part in parts] == [
        [None],
        *[[(first, first + 1)] for first in range(0, 10, 2)],
        [None],
    ]
    assert system.size("/in/deep/b.parquet") - 20 < sum(part[0].size for part in parts[1:6])


def test_a_folder_in_memory_holds_whole_files_only() -> None:
    folder = Folder("memory://out/x")
    folder.make()

    def fail() -> None:
        with folder.writing("a") as file:
            file.write(b"1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert folder.names() == []
    folder.write("a", {"é": 1})
    folder.write("b", None)
    assert folder.names() == ["a", "b"]
    assert folder.read("a") == {"é": 1}
    assert folder.read("b") is folder.read("c") is None
    folder.remove("a")
    assert not folder.has("a")


def test_a_remote_model_is_fetched_once(tiny_model_path: Path) -> None:
    system = fsspec.filesystem("memory")
    system.put(str(tiny_model_path), "/models/tiny", recursive=True)
    model = load_once("memory://models/tiny")
    assert model.version == classifier.load(tiny_model_path).version
    assert load_once("memory://models/tiny") is model


def test_errors_travel_whole() -> None:
    error = FieldError("id", "is 5", where="a.csv, row 3", remedy="mend it")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), str(again), again.field, again.where) == (FieldError, str(error), "id", error.where)

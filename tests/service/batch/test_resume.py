"""A run that was broken off and gone on with gives, byte for byte, what an unbroken one gives."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import classifier
from classifier.errors import InputError, NotResumable, OutputError
from classifier.model import Model
from classifier.reading import read_all
from classifier.reading.base import ReadOptions
from service.batch import Listener, Scoring, Summary, parts, score_files, target
from service.batch import journal as journals

SUFFIXES = (".jsonl", ".jsonl.gz", ".csv.zst", ".parquet", ".arrow")
BLOCK = 100
Until = Callable[[BaseProcess, Callable[[], bool]], bool]


@pytest.fixture(scope="module")
def model(tiny_model_path: Path) -> Model:
    return classifier.load(tiny_model_path)


def scoring(**more: Any) -> Scoring:
    return Scoring(**{"keep": ["url", "desk"], "pace": 0.0, "block_rows": BLOCK, **more})


def parts_of(output: Path) -> Path:
    return output.with_name(f".{output.name}.parts")


def lines(output: Path) -> int:
    journal = parts_of(output) / "journal"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def both(output: Path) -> tuple[bytes, bytes]:
    return output.read_bytes(), Path(f"{output}.rejected.jsonl").read_bytes()


class Stop(Exception):
    """What breaks a run off within this process."""


def broken_off(model: Model, inputs: list[str], output: Path, after: int, **more: Any) -> list[int]:
    """A run that ends after so many articles; how many it said were safe."""
    safe: list[int] = []

    def look(progress: Any) -> None:
        if progress.articles >= after:
            raise Stop

    with pytest.raises(Stop):
        score_files(
            model, inputs, str(output), scoring(**more), Listener(on_progress=look, on_stop=safe.append)
        )
    return safe


@pytest.fixture(scope="module")
def unbroken(model: Model, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """(output, rejected) by suffix, and the summary."""
    folder = tmp_path_factory.mktemp("unbroken")
    found: dict[str, Any] = {}
    for suffix in SUFFIXES:
        output = folder / f"out{suffix}"
        found["summary"] = score_files(model, [str(archive)], str(output), scoring())
        found[suffix] = both(output)
    return found


def test_the_unbroken_run_itself(unbroken: dict[str, Any], archive: Path) -> None:
    summary: Summary = unbroken["summary"]
    assert (summary.articles, summary.rejected, summary.missing) == (3000, 31, ())
    assert summary.duplicates == (100, 0)
    ids = [json.loads(line)["id"] for line in unbroken[".jsonl"][0].splitlines()]
    assert ids == [f"a{number % 1900 if number < 2000 else number}" for number in range(3000)]
    rejected = [json.loads(line) for line in unbroken[".jsonl"][1].splitlines()]
    assert [(item["file"], item["line"]) for item in rejected[:2]] == [("a.jsonl", 2), ("a.jsonl", 53)]
    assert {item["file"] for item in rejected} == {"a.jsonl", "b.parquet", "c.csv.gz"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_killed_at_random_moments(
    runs: Any, until: Until, archive: Path, tmp_path: Path, unbroken: dict[str, Any], suffix: str
) -> None:
    chance = random.Random(suffix)
    output = tmp_path / f"out{suffix}"
    kills = 0
    for _ in range(40):
        process = runs.start([str(archive)], output, resume=True)
        wanted = lines(output) + chance.randrange(9)
        size = chance.randrange(50_000)

        def seen(wanted: int = wanted, size: int = size) -> bool:
            written = parts_of(output) / "output"
            return lines(output) > wanted or (
                lines(output) == wanted and written.exists() and written.stat().st_size % 50_000 > size
            )

        if until(process, seen):
            process.kill()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        assert not output.exists() or not (parts_of(output) / "output").exists()
        if output.exists() and not lines(output):  # killed as it tidied up, or after
            with pytest.raises(OutputError, match="exists"):
                score_files(model, [str(archive)], str(output), scoring(resume=True))
            break
    assert kills >= 2
    assert both(output) == unbroken[suffix]
    assert sorted(path.name for path in tmp_path.iterdir()) == [output.name, f"{output.name}.rejected.jsonl"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("after", [BLOCK, 1000, 1050, 2900])
def test_broken_off_anywhere(
    model: Model, archive: Path, tmp_path: Path, unbroken: dict[str, Any], suffix: str, after: int
) -> None:
    output = tmp_path / f"out{suffix}"
    (safe,) = broken_off(model, [str(archive)], output, after)
    assert after <= safe < after + BLOCK
    assert not output.exists()
    told: list[Any] = []
    summary = score_files(
        model, [str(archive)], str(output), scoring(resume=True), Listener(on_progress=told.append)
    )
    assert told[0].articles > safe
    assert summary == unbroken["summary"]
    assert both(output) == unbroken[suffix]


def test_a_torn_journal_line_is_not_believed(
    model: Model, archive: Path, tmp_path: Path, unbroken: dict[str, Any]
) -> None:
    output = tmp_path / "out.parquet"
    broken_off(model, [str(archive)], output, 1500)
    journal = parts_of(output) / "journal"
    whole = journal.read_bytes()
    assert len(journals.read(journal)) == whole.count(b"\n") > 10
    journal.write_bytes(whole[:-20])
    assert len(journals.read(journal)) == whole.count(b"\n") - 1
    with (parts_of(output) / "output").open("ab") as file:
        file.write(b"torn")
    score_files(model, [str(archive)], str(output), scoring(resume=True))
    assert both(output) == unbroken[".parquet"]


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_broken_off_while_names_are_changed(
    model: Model, archive: Path, tmp_path: Path, unbroken: dict[str, Any], moved: int
) -> None:
    """Everything was written; of the two renames none, one or both were done."""
    output = tmp_path / "out.jsonl"
    broken_off(model, [str(archive)], output, 2950)
    folder = parts_of(output)
    left = journals.read(folder / "journal")[-1]
    shutil.copytree(folder, tmp_path / "kept")
    score_files(model, [str(archive)], str(output), scoring(resume=True))
    found = both(output)
    for path in (output, Path(f"{output}.rejected.jsonl")):
        path.unlink()
    (tmp_path / "kept").rename(folder)
    done = journals.Durable(left.place, left.lengths, left.blocks, left.tally, left.sources, done=True)
    journals.append(folder / "journal", done)
    (folder / "output").write_bytes(found[0])
    (folder / "rejected").write_bytes(found[1])
    if moved:
        (folder / "rejected").rename(f"{output}.rejected.jsonl")
    if moved == 2:
        (folder / "output").rename(output)
    score_files(model, [str(archive)], str(output), scoring(resume=True))
    assert both(output) == found
    assert not folder.exists()


def test_an_interrupted_run_is_not_thrown_away_unasked(model: Model, archive: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    broken_off(model, [str(archive)], output, 500)
    with pytest.raises(OutputError, match="an interrupted run has 500 articles of it") as caught:
        score_files(model, [str(archive)], str(output), scoring())
    assert "--resume goes on with it, --force begins again" in str(caught.value)
    told: list[Any] = []
    score_files(model, [str(archive)], str(output), scoring(force=True), Listener(on_progress=told.append))
    assert told[0].articles == BLOCK


def test_resume_where_there_is_nothing_begins(model: Model, archive: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    assert score_files(model, [str(archive)], str(output), scoring(resume=True)).articles == 3000
    with pytest.raises(OutputError, match="is there already"):
        score_files(model, [str(archive)], str(output), scoring(resume=True))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keep": ["url"]}, "--keep"),
        ({"block_rows": 99}, "block"),
        ({"options": ReadOptions(columns={"headline": "url"})}, "columns"),
        ({"options": ReadOptions(timezone=UTC)}, "timezone"),
        ({}, None),
    ],
)
def test_only_the_same_run_is_gone_on_with(
    model: Model, archive: Path, tmp_path: Path, change: dict[str, Any], said: str | None
) -> None:
    output = tmp_path / "out.jsonl"
    broken_off(model, [str(archive)], output, 500)
    if said is None:
        (parts_of(output) / "run.json").write_text("{")
        said = "what it was is not known any more"
    with pytest.raises(NotResumable, match=said):
        score_files(model, [str(archive)], str(output), scoring(resume=True, **change))
    assert lines(output)  # still there


def test_a_source_that_was_mended_is_read_again(model: Model, archive: Path, tmp_path: Path) -> None:
    """What is durable of it is dropped, what was read before it stays."""
    folder = tmp_path / "in"
    shutil.copytree(archive, folder)
    damaged = (folder / "c.csv.gz").read_bytes()
    (folder / "c.csv.gz").write_bytes(damaged[:-50])
    output = tmp_path / "out.jsonl"
    safe: list[int] = []
    with pytest.raises(InputError, match=r"c\.csv\.gz"):
        score_files(model, [str(folder)], str(output), scoring(), Listener(on_stop=safe.append))
    assert safe[0] >= 1900
    (folder / "c.csv.gz").write_bytes(damaged)
    told: list[Any] = []
    listener = Listener(on_progress=told.append)
    summary = score_files(model, [str(folder)], str(output), scoring(resume=True), listener)
    assert 1000 < told[0].articles <= 2100
    assert summary.articles == 3000


def test_a_source_that_was_changed_before_is_refused(model: Model, archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(archive, folder)
    output = tmp_path / "out.jsonl"
    broken_off(model, [str(folder)], output, 1500)
    os.utime(folder / "a.jsonl", (1, 1))
    with pytest.raises(NotResumable, match=r"changed, renamed or removed"):
        score_files(model, [str(folder)], str(output), scoring(resume=True))


def test_two_runs_cannot_write_the_same(
    runs: Any, until: Until, model: Model, archive: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    os.mkfifo(tmp_path / "slow.jsonl")
    process = runs.start([str(archive), str(tmp_path / "slow.jsonl")], output)  # waits for the second
    try:
        assert until(process, lambda: lines(output) > 0)
        with pytest.raises(OutputError, match="another run writes it now"):
            score_files(model, [str(archive)], str(output), scoring(force=True))
        assert lines(output)
    finally:
        process.kill()
        process.join()


def test_a_full_disk_leaves_what_was_durable(
    model: Model, archive: Path, tmp_path: Path, unbroken: dict[str, Any]
) -> None:
    """A limit on the size of files stands for it: writing fails in the middle of a block."""
    output = tmp_path / "out.jsonl"
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    safe: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, old[1]))
        with pytest.raises(OutputError, match="cannot be written") as caught:
            score_files(model, [str(archive)], str(output), scoring(), Listener(on_stop=safe.append))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert "check the folder, its rights and its space" in str(caught.value)
    assert 0 < safe[0] < 3000
    score_files(model, [str(archive)], str(output), scoring(resume=True))
    assert both(output) == unbroken[".jsonl"]


def test_what_is_durable_reads_back(model: Model, archive: Path, tmp_path: Path) -> None:
    """Text formats: a user may look at what is there of an interrupted run."""
    output = tmp_path / "out.jsonl"
    broken_off(model, [str(archive)], output, 700)
    looked = tmp_path / "look.jsonl"
    shutil.copy(parts_of(output) / "output", looked)
    assert len(looked.read_bytes().splitlines()) == 700
    assert read_all([str(archive)]).articles.num_rows


def test_without_a_durable_part_nothing_stays(model: Model, archive: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    (tmp_path / "in.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(InputError):
        score_files(model, [str(tmp_path / "in.parquet")], str(output), scoring())
    assert not parts_of(output).exists()


class Interrupted(BaseException):
    """As a signal raises, between any two lines."""


def interrupted_before_line(number: int, begin: Callable[[], object]) -> bool:
    """Call `begin`, interrupted before the given line of what holds the parts; False where it has fewer."""
    left = number

    def lines_of(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                sys.settrace(None)
                raise Interrupted
        return lines_of

    def calls(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_name == "stop":  # it is over: a second signal is another matter
            sys.settrace(None)
            return None
        return lines_of if frame.f_code.co_filename in (parts.__file__, target.__file__) else None

    before = sys.gettrace()
    sys.settrace(calls)
    try:
        begin()
    except Interrupted:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # files are closed as they are dropped
def test_wherever_a_run_is_interrupted_as_it_begins_nothing_is_left(
    model: Model, archive: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"

    class Began(Exception):
        pass

    def begin() -> None:
        def reached(*_: object) -> None:
            raise Began

        # Before the first row is written.
        listener = Listener(on_note=reached, on_rejected=reached)
        with suppress(Began):
            score_files(model, [str(archive)], str(output), scoring(), listener)

    tried = 0
    while interrupted_before_line(tried + 1, begin):
        tried += 1
        assert list(tmp_path.iterdir()) == [], tried
    assert tried > 30

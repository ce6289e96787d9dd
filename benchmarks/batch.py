"""How fast an archive is scored from file to file, beside the text core alone and a script with pandas and scikit-learn.

    NEWSDESK_DATA=/path/to/data python -m benchmarks.batch     a quarter of an hour on two cores that do nothing else
    python -m benchmarks.batch --quick                         does it run? The bundled newspaper; nothing is kept

Needs the `bench` and `cluster` extras. The archive is the test part of headlines_in again and again, five million articles;
both heads are fitted by scikit-learn (sections on headlines_in, popularity on outlets_reactions) and scored with the same
weights by both. Every run is in a process of its own on two cores. The figures are kept in benchmarks/results/batch.json,
from which `python -m benchmarks.tables` makes the tables. Log runs without --quick in docs/TEST_RUNS.md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.speed import archives
from benchmarks.speed.command import run
from benchmarks.speed.rows import Asked, machine, row, say, written
from benchmarks.speed.texts import load, load_sample
from benchmarks.speed.workers import Absent, Alone, alone
from service.batch import Scoring
from service.cluster import score_on_cluster

NAME = "batch"
_CORES = 2
_CORE, _HAND = "the text core on two threads", "pandas and scikit-learn by hand"
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Size:
    """Articles of the archive, of the smaller one for growth, and of the part that the others are measured on."""

    articles: int = 5_000_000
    fewer: int = 500_000
    part: int = 100_000


QUICK = Size(3_000, 300, 300)


@dataclass(slots=True)
class Found:
    """Rows so far, rates in articles a second, and what was left out."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, *figures: Any, **options: Any) -> None:
        self.rows.append(row(*figures, **options))
        say(written(self.rows[-1]))

    def note(self, text: str) -> None:
        self.notes.append(text)
        say(text)


def local(folder: Path, size: Size, found: Found) -> None:
    """The local engine beside the others; memory; growth."""
    runs = {
        name: alone(archives.newsdesk_batch, folder, folder / source, f"out{suffix}", count=_CORES)
        for name, source, suffix in (
            ("fewer", "fewer.parquet", ".parquet"),
            ("parquet", "archive.parquet", ".parquet"),
            ("jsonl", "archive.jsonl", ".jsonl"),
        )
    }
    core = alone(archives.text_core, folder, folder / "archive.parquet", size.part, count=_CORES)
    ours, lines = _rate(runs["parquet"]), _rate(runs["jsonl"])
    found.rates |= {"parquet": ours, "jsonl": lines, "core": _rate(core)}
    try:
        hand = _rate(alone(archives.by_hand, folder, folder / "archive.parquet", size.part, count=_CORES))
        found.rates["hand"] = hand
        found.add("Parquet to Parquet", ours, _HAND, hand, "articles/s", asked=Asked(15))
    except Absent as error:
        found.note(f"{_HAND}: left out; {error}")
    found.add("Parquet to Parquet", ours, _CORE, _rate(core), "articles/s", asked=Asked(0.5))
    found.add("JSON Lines to JSON Lines", lines, _CORE, _rate(core), "articles/s", asked=Asked(0.35))
    _memory_and_growth(runs["parquet"], runs["fewer"], size, found)


def _rate(run: Alone) -> float:
    return float(run.value) / run.seconds


def _memory_and_growth(many: Alone, few: Alone, size: Size, found: Found) -> None:
    what = f"{size.articles:,} articles"
    peak = many.memory / _MB
    found.add(
        f"{what}, peak memory", peak, "allowed", 600, "MB", ratio=peak / 600, asked=Asked(1.0, at_most=True)
    )
    few_memory = few.memory / _MB
    found.add(
        f"{what}, peak memory",
        peak,
        f"{size.fewer:,} articles",
        few_memory,
        "MB",
        asked=Asked(1.1, at_most=True),
    )
    times = size.articles / size.fewer
    asked = Asked(1.05 * times, at_most=True)
    found.add(f"{what}, time", many.seconds, f"{size.fewer:,} articles", few.seconds, "s", asked=asked)


def cluster(folder: Path, found: Found) -> None:
    """Two Dask workers on this machine; the rows must be the local engine's."""
    from distributed import Client, LocalCluster

    model, target = (folder / "version").read_text("utf-8"), folder / "cluster.parquet"
    with LocalCluster(n_workers=_CORES, threads_per_worker=1, dashboard_address=":0") as workers:
        address = workers.scheduler_address
        with Client(address) as client:
            client.wait_for_workers(_CORES)
        warm = str(folder / "warm.parquet")
        score_on_cluster(model, [str(folder / "fewer.parquet")], warm, Scoring(), address)
        started = time.perf_counter()
        summary = score_on_cluster(model, [str(folder / "archive.parquet")], str(target), Scoring(), address)
        seconds = time.perf_counter() - started
    found.rates["dask"] = summary.articles / seconds
    found.add(
        "two Dask workers",
        found.rates["dask"],
        "the local engine",
        found.rates["parquet"],
        "articles/s",
        asked=Asked(0.7),
    )
    if not _same(target, folder / "out.parquet"):
        raise SystemExit("the cluster's rows are not those of the local engine")


def _same(parts: Path, whole: Path) -> bool:
    """Compared part by part: neither is read as a whole."""
    file = pq.ParquetFile(whole)
    rows = file.iter_batches(50_000)
    waiting = pa.Table.from_batches([], file.schema_arrow)
    for path in sorted(parts.glob("part-*.parquet")):
        part = pq.read_table(path)
        while len(waiting) < len(part):
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([next(rows)])])
        if not part.equals(waiting.slice(0, len(part))):
            return False
        waiting = waiting.slice(len(part))
    return len(waiting) == 0 and next(rows, None) is None


def prepare(folder: Path, size: Size, *, quick: bool) -> None:
    """Models and archives."""
    say("fitting the models, writing the archive")
    articles = load_sample() if quick else load("headlines_in")
    archives.fit_models(articles, archives.load_counts(None if quick else "outlets_reactions"), folder)
    table = archives.load_articles(None if quick else "headlines_in")
    for name, count in (
        ("archive.parquet", size.articles),
        ("archive.jsonl", size.articles),
        ("fewer.parquet", size.fewer),
    ):
        archives.write_archive(folder / name, table, count)


def measure(size: Size, *, quick: bool) -> dict[str, Any]:
    """Everything, as it is kept."""
    found = Found()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, size, quick=quick)
        local(folder, size, found)
        cluster(folder, found)
    rates = {name: round(rate, 1) for name, rate in found.rates.items()}
    return {"machine": machine(), "rows": found.rows, "rates": rates, "notes": found.notes}


def main(arguments: Sequence[str]) -> None:
    """Run, say what is found, keep it."""
    run(NAME, arguments, lambda asked: measure(QUICK if asked.quick else Size(), quick=asked.quick))


if __name__ == "__main__":
    main(sys.argv[1:])

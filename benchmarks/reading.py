"""How fast articles are read, beside the readers of others.

    NEWSDESK_DATA=/path/to/data python -m benchmarks.reading    some minutes on two cores that do nothing else
    python -m benchmarks.reading --quick                        does it run? The bundled newspaper; nothing is kept

Newsdesk's figure is always that to a whole, checked article table (ids, times, types); what stands beside it makes
dictionaries, data frames or unchecked tables, or only decompresses. Every figure is the median of several rounds in which
all contenders run in turn, each in a process on one core (pages on all of them, too). Megabytes are those of the JSON
Lines. The figures are kept in benchmarks/results/reading.json, from which `python -m benchmarks.tables` makes the tables.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.speed import readers
from benchmarks.speed.bench import MB
from benchmarks.speed.command import run
from benchmarks.speed.rows import Asked, machine, row, say, written
from benchmarks.speed.texts import PAGES, data_folder
from benchmarks.speed.workers import Absent, Lane, Worker, cores, race
from classifier.reading import read_all

NAME = "reading"
_OURS = "Newsdesk"


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of JSON Lines, rounds, HTML pages."""

    read: float = 100 * MB
    rounds: int = 5
    pages: int = 8000  # it takes half a second to start a process


QUICK = Size(0.3 * MB, 1, 8)


@dataclass(slots=True)
class Bench:
    """A folder of files, their size as JSON Lines in bytes, and what was found."""

    folder: Path
    size: Size
    bytes: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def race(self, contenders: dict[str, tuple[Any, ...]], count: int = 1) -> dict[str, float]:
        """The seconds of each; what is not installed is noted and left out."""
        with Worker(count) as worker:
            lanes: list[Lane] = []
            for name, making in contenders.items():
                try:
                    worker.add(name, *making)
                except Absent as error:
                    self.notes.append(f"{name}: left out; {error}")
                    say(self.notes[-1])
                else:
                    lanes.append((worker, name))
            medians = race(lanes, self.size.rounds)
        return {name: own for (_, name), own in zip(lanes, medians, strict=True)}

    def compare(
        self,
        what: str,
        contenders: dict[str, tuple[Any, ...]],
        asked: dict[str, Asked] | None = None,
        amount: float = 0.0,
        unit: str = "MB/s",
    ) -> float:
        """A row for each of the others; Newsdesk's own speed."""
        seconds = self.race(contenders)
        amount = amount or self.bytes / MB
        ours = amount / seconds.pop(_OURS)
        for name, own in seconds.items():
            self.add(what, ours, name, amount / own, unit, (asked or {}).get(name))
        return ours

    def add(self, what: str, ours: float, beside: str, theirs: float, unit: str, asked: Asked | None) -> None:
        self.rows.append(row(what, ours, beside, theirs, unit, asked=asked))
        say(written(self.rows[-1]))


def tables(bench: Bench) -> None:
    """Every format of tables."""
    path = {suffix: bench.folder / f"articles.{suffix}" for suffix in readers.FORMATS}
    lines = path["jsonl"]
    ours = bench.compare(
        "JSON Lines to an article table",
        {
            _OURS: (readers.newsdesk, lines),
            "json, line by line": (readers.json_lines, lines),
            "orjson, line by line": (readers.orjson_lines, lines),
            "pandas.read_json": (readers.pandas_lines, lines),
            "pyarrow.json": (readers.arrow_lines, lines),
        },
    )
    bench.add("JSON Lines to an article table", ours, "what was asked", 100, "MB/s", Asked(1))
    bare = bench.folder / "without_ids.jsonl"
    bench.compare(
        "JSON Lines without ids, which are made",
        {_OURS: (readers.newsdesk, bare), "orjson, line by line": (readers.orjson_lines, bare)},
        amount=bare.stat().st_size / MB,
    )
    for suffix, codec in (("jsonl.gz", "gzip"), ("jsonl.zst", "zstd")):
        bench.compare(
            f"JSON Lines in {codec}",
            {
                _OURS: (readers.newsdesk, path[suffix]),
                "decompression alone": (readers.decompressed, path[suffix], codec),
            },
        )
    alone = {"decompression alone": Asked(0.5)}
    for what, suffix, theirs in (
        ("Parquet", "parquet", readers.arrow_parquet),
        ("Arrow", "arrow", readers.arrow_ipc),
    ):
        contenders = {
            _OURS: (readers.newsdesk_streamed, path[suffix]),
            "decompression alone": (theirs, path[suffix]),
        }
        bench.compare(f"{what} to checked articles", contenders, alone)
    bench.compare(
        "CSV to an article table",
        {_OURS: (readers.newsdesk, path["csv"]), "pyarrow.csv": (readers.arrow_csv, path["csv"])},
    )


def pages(bench: Bench) -> None:
    """HTML pages, on one core and on all of them."""
    folder, count = bench.folder / "pages", bench.size.pages
    ours = bench.compare(
        "HTML pages, one core",
        {
            _OURS: (readers.newsdesk, folder),
            "trafilatura alone": (readers.extracted, folder),
            "trafilatura with metadata": (readers.described, folder),
        },
        {"trafilatura alone": Asked(1), "trafilatura with metadata": Asked(1)},
        count,
        "pages/s",
    )
    if cores() > 1:
        every = bench.race({_OURS: (readers.newsdesk, folder)}, cores())
        asked = Asked(0.8 * cores())
        bench.add(f"HTML pages, {cores()} cores", count / every[_OURS], "one core", ours, "pages/s", asked)
    else:
        bench.notes.append("HTML pages on several cores: left out; there is one core")


def measure(size: Size, *, quick: bool) -> dict[str, Any]:
    """Everything, as it is kept."""
    source = PAGES if quick else data_folder() / "headlines_in.parquet"
    table: pa.Table = readers.articles_of(read_all([str(source)]).articles, size.read)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), size)
        say("writing what is read")
        readers.write_files(table, bench.folder)
        readers.write_pages(table, bench.folder / "pages", size.pages)
        bench.bytes = (bench.folder / "articles.jsonl").stat().st_size
        tables(bench)
        pages(bench)
        return {"machine": machine(), "rows": bench.rows, "notes": bench.notes}


def main(arguments: Sequence[str]) -> None:
    """Run, say what is found, keep it."""
    run(NAME, arguments, lambda asked: measure(QUICK if asked.quick else Size(), quick=asked.quick))


if __name__ == "__main__":
    main(sys.argv[1:])

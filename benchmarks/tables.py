"""Writes the tables in README.md and docs/BENCHMARKS.md from benchmarks/results/*.json, between their markers.

python -m benchmarks.tables            writes
python -m benchmarks.tables --check    exits 1 where a page differs from the figures
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "BENCHMARKS.md", ROOT / "docs" / "BATCH.md")


def quality() -> str:
    """A row a predictor, grouped by data set and metric."""
    found: dict[str, list[dict[str, Any]]] = json.loads(
        (ROOT / "benchmarks/results/quality.json").read_text("utf-8")
    )
    rows = [row for part in found.values() for row in part]
    lines = ["| data | what | who | figure | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        interval = f"{row['interval'][0]:.3f}–{row['interval'][1]:.3f}" if row["interval"] else ""
        lines.append(f"| {row['data']} | {row['metric']} | {row['who']} | {row['value']:.3f} | {interval} |")
    return "\n".join(lines)


def popularity() -> str:
    """A row a ranker and what it sees, beside Newsdesk; none of data that were not run yet."""
    results = ROOT / "benchmarks/results/popularity.json"
    found: dict[str, dict[str, Any]] = json.loads(results.read_text("utf-8")) if results.exists() else {}
    names = (
        "data",
        "who",
        "nDCG@10",
        "Newsdesk ahead by",
        "top-5 overlap",
        "pairs in order",
        "one fit",
        "choice and fit",
    )
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    for row in (row for part in found.values() for row in part["rows"]):
        cells = [
            row["data"],
            row["who"],
            f"{row['ndcg_at_10']:.3f} ({row['interval'][0]:.3f}–{row['interval'][1]:.3f})",
            "{:.3f} ({:.3f} to {:.3f})".format(*row["ahead"]["ndcg_at_10"]) if row["ahead"] else "",
            f"{row['top5_overlap']:.3f}",
            f"{row['pairwise_accuracy']:.3f}",
            *(
                f"{row[f'seconds_{what}']:.0f} s"
                + (f", × {row[f'times_{what}']:.1f}" if row["ahead"] else "")
                for what in ("fit", "all")
            ),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def speed(name: str) -> str:
    """A row a comparison of benchmarks.text_core, training or reading, with what was asked; none before the first run."""
    names = ("what", "Newsdesk", "beside", "", "ratio", "asked", "")
    lines = [_line(names), _line(["---"] * len(names))]
    for row in _results(name).get("rows", []):
        unit = f" {row['unit']}" if row["unit"] else ""
        figures = [f"{_number(row[who])}{unit}" for who in ("newsdesk", "other")]
        asked = (f"**{_number(row['ratio'])}**", row["asked"], row["verdict"])
        lines.append(_line([row["what"], figures[0], row["beside"], figures[1], *asked]))
    return "\n".join(lines)


def batch_cost() -> str:
    """Hours that a billion articles take at the measured rates, on so many cores that are all kept busy."""
    names = ("measured", "articles a second, two cores", "cores", "hours", "core hours")
    lines = [_line(names), _line(["---"] * len(names))]
    rates = _results("batch").get("rates", {})
    for name, key in (("Parquet, here", "parquet"), ("Parquet, Dask", "dask")):
        for cores in (2, 64, 1000) if key in rates else ():
            hours = 1e9 / (rates[key] / 2 * cores) / 3600
            figures = (f"{rates[key]:,.0f}", f"{cores:,}", _number(hours), _number(hours * cores))
            lines.append(_line([name, *figures]))
    return "\n".join(lines)


def linearity() -> str:
    """A row a multiple of the text that is scored."""
    lines = [
        _line(("text", "seconds", "MB/s", "memory, in one call", "memory, in batches")),
        _line(["---"] * 5),
    ]
    for row in _results("text_core").get("linearity", []):
        memory = [f"{row[f'memory_{how}_mb']:.1f} MB" for how in ("at_once", "in_batches")]
        lines.append(
            _line([f"{row['mb']:g} MB", f"{row['seconds']:.3f}", f"{row['mb_per_second']:.0f}", *memory])
        )
    return "\n".join(lines)


def growth() -> str:
    """A row a number of articles that are fitted; scikit-learn's figures for the real ones."""
    names = (
        "articles",
        "text",
        "different n-grams",
        "terms",
        "seconds",
        "peak memory",
        "scikit-learn",
        "its memory",
    )
    lines = [_line(names), _line(["---"] * len(names))]
    for row in _results("text_core").get("growth", []):
        sizes = [f"{row['mb']:,.0f} MB", f"{row['different']:,}", f"{row['kept']:,}"]
        theirs = ["", ""]
        if row["sklearn_seconds"] is not None:
            theirs = [f"{row['sklearn_seconds']:.2f}", f"{row['sklearn_memory_mb']:,.0f} MB"]
        ours = [f"{row['seconds']:.2f}", f"{row['memory_mb']:,.0f} MB"]
        lines.append(_line([f"{row['articles']:,} {row['kind']}", *sizes, *ours, *theirs]))
    return "\n".join(lines)


def _results(name: str) -> dict[str, Any]:
    """What a benchmark kept; nothing before its first run."""
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    """Three digits, never as a power of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


TABLES = {
    "quality": quality,
    "popularity": popularity,
    "text_core": partial(speed, "text_core"),
    "linearity": linearity,
    "growth": growth,
    "training": partial(speed, "training"),
    "serving": partial(speed, "serving"),
    "page": partial(speed, "page"),
    "reading": partial(speed, "reading"),
    "batch": partial(speed, "batch"),
    "batch_cost": batch_cost,
}


def filled(text: str) -> str:
    """The page with every marked table made anew; one without a row says so."""
    for name, make in TABLES.items():
        rows = made if len((made := make()).splitlines()) > 2 else "Not measured yet."
        table = f"<!-- table: {name} -->\n{rows}\n<!-- end -->".replace("\\", "\\\\")
        text = re.sub(f"<!-- table: {name} -->.*?<!-- end -->", table, text, flags=re.DOTALL)
    return text


def main(arguments: list[str]) -> int:
    """Write or check; the exit code."""
    stale = []
    for page in PAGES:
        old = page.read_text("utf-8")
        if (new := filled(old)) != old:
            stale.append(page.name)
            if "--check" not in arguments:
                page.write_text(new, "utf-8")
    sys.stdout.write(f"{', '.join(stale) or 'nothing'} changed\n")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

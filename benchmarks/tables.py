"""Writes the tables in README.md and docs/BENCHMARKS.md from benchmarks/results/*.json, between their markers.

python -m benchmarks.tables            writes
python -m benchmarks.tables --check    exits 1 where a page differs from the figures
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "BENCHMARKS.md")


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


TABLES = {"quality": quality}


def filled(text: str) -> str:
    """The page with every marked table made anew."""
    for name, make in TABLES.items():
        table = f"<!-- table: {name} -->\n{make()}\n<!-- end -->".replace("\\", "\\\\")
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

"""Rows of speed: Newsdesk beside a peer, their ratio, and what was asked of it."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results"
_LIBRARIES = (
    "newsdesk",
    "numpy",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "fasttext-numpy2",
    "orjson",
    "pandas",
    "trafilatura",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A ratio's floor and goal, or the most it may be."""

    floor: float
    goal: float | None = None
    at_most: bool = False

    def verdict(self, ratio: float) -> str:
        """Whether it holds; figures are not rounded first."""
        if self.at_most:
            return "holds" if ratio <= self.floor else "short of it"
        if ratio < self.floor:
            return "short of it"
        if self.goal is None:
            return "holds"
        return "goal reached" if ratio >= self.goal else "holds, short of the goal"

    def __str__(self) -> str:
        goal = "" if self.goal is None else f", goal {self.goal:g}"
        return f"{'≤' if self.at_most else '≥'} {self.floor:g}{goal}"


def row(
    what: str,
    ours: float,
    beside: str,
    theirs: float,
    unit: str,
    *,
    ratio: float | None = None,
    asked: Asked | None = None,
) -> dict[str, Any]:
    """Figures of both in one unit; their ratio is Newsdesk's over the other's, unless it is given."""
    ratio = ours / theirs if ratio is None else ratio
    return {
        "what": what,
        "newsdesk": _rounded(ours),
        "beside": beside,
        "other": _rounded(theirs),
        "unit": unit,
        "ratio": _rounded(ratio),
        "asked": str(asked) if asked else "",
        "verdict": asked.verdict(ratio) if asked else "",
    }


def written(found: dict[str, Any]) -> str:
    """A row for a terminal."""
    unit = f" {found['unit']}" if found["unit"] else ""
    line = f"{found['what']}: {found['newsdesk']:g}{unit}, {found['beside']} {found['other']:g}{unit}"
    asked = f" (asked: {found['asked']}: {found['verdict']})" if found["asked"] else ""
    return f"{line}; ratio {found['ratio']:g}{asked}"


def _rounded(value: float) -> float:
    """To four digits."""
    return float(f"{value:.4g}")


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    found = {"cores": os.cpu_count(), "processor": _processor(), "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text("utf-8").splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def keep(name: str, found: dict[str, Any]) -> None:
    """Write a benchmark's figures where `python -m benchmarks.tables` finds them."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")

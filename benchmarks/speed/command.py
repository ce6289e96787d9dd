"""The command line that the speed benchmarks share."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.speed.rows import keep
from benchmarks.speed.workers import can_measure

Found = dict[str, Any]


def parser_of(name: str) -> argparse.ArgumentParser:
    """The options of `python -m benchmarks.NAME`."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument(
        "--quick", action="store_true", help="little of the bundled newspaper; nothing is kept"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as one object")
    return parser


def run(
    name: str,
    arguments: Sequence[str],
    measure: Callable[[argparse.Namespace], Found],
    parser: argparse.ArgumentParser | None = None,
) -> None:
    """Measure as asked and say what is found; without --quick it is kept."""
    parser = parser or parser_of(name)
    asked = parser.parse_args(arguments)
    if not can_measure():
        parser.error("this needs Linux: cores are limited by processor affinity, memory is read from /proc")
    if not asked.quick and "NEWSDESK_DATA" not in os.environ:
        parser.error("NEWSDESK_DATA must name the folder of the real articles; see docs/BENCHMARKS.md")
    found = measure(asked)
    if not asked.quick:
        keep(name, found)
    if asked.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")

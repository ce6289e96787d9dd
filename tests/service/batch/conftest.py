"""Inputs of several formats with bad rows in them, and runs in processes that can be killed."""

from __future__ import annotations

import gzip
import json
import multiprocessing.connection
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BLOCK = 100
_WORDS = ("minister", "bank", "vote", "market", "assembly", "shares", "mayor", "prices")
_RUN = """
import classifier
from service.batch import Scoring, score_files
score_files(classifier.load(model), inputs, output, Scoring(**scoring))
"""


def row(number: int) -> dict[str, Any]:
    words = [_WORDS[number * step % len(_WORDS)] for step in (1, 3, 5)]
    return {
        "id": f"a{number % 1900}",  # some of them twice
        "headline": f"{words[0].title()} “{words[1]}” {number}",
        "body": f"The {words[2]} met\nthe {words[0]}.",
        "url": f"http://a/{number}" if number % 3 else None,
    }


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 articles in a folder of JSON Lines, Parquet and CSV, with 31 rows that are rejected."""
    folder = tmp_path_factory.mktemp("archive")
    lines = [json.dumps(row(number)) for number in range(1000)]
    for number in range(0, 1000, 50):
        lines[number] += "\nno json"
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
    schema = pa.schema([(name, pa.string()) for name in row(0)])
    made = [row(number) for number in range(1000, 2000)] + [{"id": "empty"}] * 10
    pq.write_table(pa.Table.from_pylist(made, schema), folder / "b.parquet", row_group_size=300)
    csv = [
        "id,headline,desk",
        *(f'a{number},"Vote, bank {number}",city' for number in range(2000, 3000)),
        "x,,",
    ]
    (folder / "c.csv.gz").write_bytes(gzip.compress("\n".join(csv).encode()))
    return folder


@dataclass(frozen=True)
class Runs:
    """Starts runs of `score_files` in processes of their own."""

    model: Path

    def start(self, inputs: list[str], output: Path, **scoring: Any) -> BaseProcess:
        context = get_context("forkserver")
        context.set_forkserver_preload(["classifier.model", "service.batch"])
        names = {
            "model": str(self.model),
            "inputs": inputs,
            "output": str(output),
            "scoring": {"keep": ["url", "desk"], "pace": 0.0, "block_rows": BLOCK, **scoring},
        }
        process = context.Process(target=exec, args=(_RUN, names))
        process.start()
        return process


@pytest.fixture
def runs(tiny_model_path: Path) -> Runs:
    return Runs(tiny_model_path)


@pytest.fixture
def until() -> Callable[[Any, Callable[[], bool]], bool]:
    """Waits until something can be seen of a process; false where it ended before."""

    def wait(process: Any, seen: Callable[[], bool]) -> bool:
        end = process.sentinel if hasattr(process, "sentinel") else os.pidfd_open(process.pid)
        while not seen():
            if multiprocessing.connection.wait([end], 0.001):
                return False
        return True

    return wait

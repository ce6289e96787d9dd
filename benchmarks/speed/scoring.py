"""Contenders in scoring: texts in, scores or labels out. What they load and prepare is not timed."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.speed.models import import_fasttext, load_pipeline, prepared, same_model
from benchmarks.speed.texts import COLUMN, read_column, read_strings
from benchmarks.speed.workers import Absent, Contender
from classifier.text.rows import Rows

_BATCH = 10_000  # rows that a batch scorer has in hand


def sklearn_strings(model: Path, texts: Path) -> Contender:
    """Labels by the pipeline's `predict`."""
    pipeline, strings = load_pipeline(model), read_strings(texts)
    return lambda: pipeline.predict(strings)


def newsdesk_strings(model: Path, texts: Path) -> Contender:
    """Scores (n, labels) of Python's strings."""
    head, strings = same_model(load_pipeline(model)), read_strings(texts)
    return lambda: head.scores(Rows({COLUMN: strings}, len(strings)))


def newsdesk_arrow(model: Path, texts: Path) -> Contender:
    """Scores of an Arrow column."""
    head, (batch,) = same_model(load_pipeline(model)), read_column(texts)
    return lambda: head.scores(Rows.from_batch(batch))


def newsdesk_batches(model: Path, texts: Path) -> Contender:
    """Scores of slices of an Arrow column, forgotten when the next one comes; how many in the end."""
    head, (batch,) = same_model(load_pipeline(model)), read_column(texts)
    starts = range(0, batch.num_rows, _BATCH)
    return lambda: sum(len(head.scores(Rows.from_batch(batch.slice(start, _BATCH)))) for start in starts)


def fasttext_strings(model: Path, texts: Path) -> Contender:
    """Labels by `predict` of a list, whose strings were made fit for it before."""
    machine = import_fasttext().load_model(str(model))
    lines = [prepared(text) for text in read_strings(texts)]
    return lambda: machine.predict(lines)[0]


def fasttext_command(model: Path, lines: Path) -> Contender:
    """Its command line, whose answers nobody reads.

    Raises:
        Absent: there is none.
    """
    command = shutil.which("fasttext")
    if command is None:
        raise Absent("there is no command fasttext (Debian has a package of this name)")
    return _command([command, "predict", str(model), str(lines)])


def word_count(lines: Path) -> Contender:
    """`wc -w`, which knows the characters of UTF-8.

    Raises:
        Absent: there is none.
    """
    command = shutil.which("wc")
    if command is None:
        raise Absent("there is no command wc")
    return _command([command, "-w", str(lines)])


def _command(arguments: list[str]) -> Contender:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return lambda: (
        subprocess.run(arguments, stdout=subprocess.DEVNULL, env=environment, check=True).returncode
    )


def sklearn_each(model: Path, texts: Path, calls: int) -> Contender:
    """The median seconds of `predict` of a list of one string."""
    pipeline = load_pipeline(model)
    return _each(lambda text: pipeline.predict([text]), texts, calls)


def newsdesk_each(model: Path, texts: Path, calls: int) -> Contender:
    """The median seconds of the scores of one string."""
    head = same_model(load_pipeline(model))
    return _each(lambda text: head.one(Rows({COLUMN: [text]}, 1)), texts, calls)


def fasttext_each(model: Path, texts: Path, calls: int) -> Contender:
    """The median seconds of `predict` of one string, its text made fit for it before."""
    machine = import_fasttext().load_model(str(model))
    return _each(machine.predict, texts, calls, prepared)


def _each(
    score: Callable[[str], Any], texts: Path, calls: int, prepare: Callable[[str], str] = str
) -> Contender:
    """Article after article, from the first again after the last."""
    strings = [prepare(text) for text in read_strings(texts)]

    def run() -> float:
        seconds = []
        for number in range(calls):
            text = strings[number % len(strings)]
            started = time.perf_counter()
            score(text)
            seconds.append(time.perf_counter() - started)
        return statistics.median(seconds)

    return run

"""How long training takes, beside scikit-learn doing the same steps, and fastText.

    NEWSDESK_DATA=/path/to/data python -m benchmarks.training    twelve minutes on two cores that do nothing else
    python -m benchmarks.training --quick                        does it run? The bundled newspaper; nothing is kept

Needs the `bench` extra; fastText is left out where it is not installed. Seconds are from the training articles in memory
to the fitted head: reading and splitting are in nobody's. The figures are kept in benchmarks/results/training.json, from
which `python -m benchmarks.tables` makes the tables; `--json` prints them, too. Accuracy is that on the test part of
headlines_in: log runs without --quick in docs/TEST_RUNS.md.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.speed import learning
from benchmarks.speed.command import run
from benchmarks.speed.rows import Asked, machine, row, say, written
from benchmarks.speed.workers import Absent, Lane, Worker, cores, race

NAME = "training"
DATA = "headlines_in"
ROUNDS = 3
_OURS, _SKLEARN = "Newsdesk", "the same steps by scikit-learn"
_VECTORIZER = "the same steps, vectorised by scikit-learn"
_CALIBRATED, _WEIGHTS = "Newsdesk, fixed recipe", "Newsdesk, fixed recipe, not calibrated"
_FASTTEXT = {10: "fastText, 10 dimensions", 100: "fastText, its default of 100 dimensions"}


def choosing(worker: Worker, name: str | None, rounds: int) -> list[dict[str, Any]]:
    """The whole procedure. scikit-learn takes minutes and runs once, between runs of ours."""
    worker.add(_OURS, learning.newsdesk_chosen, name)
    worker.add(_SKLEARN, learning.sklearn_chosen, name, False)
    worker.add(_VECTORIZER, learning.sklearn_chosen, name, True)
    ours, theirs = [_run(worker, _OURS)], {}
    for other in (_SKLEARN, _VECTORIZER):
        theirs[other] = _run(worker, other)
        if len(ours) < rounds:
            ours.append(_run(worker, _OURS))
    seconds = statistics.median(ours)
    asked = Asked(5)
    what = "training with default settings"
    return [
        row(what, seconds, other, own, "s", ratio=own / seconds, asked=asked) for other, own in theirs.items()
    ]


def _run(worker: Worker, name: str) -> float:
    seconds = worker.run(name)
    say(f"{name}: {seconds:.1f} s")
    return seconds


def fixed(
    worker: Worker, name: str | None, folder: str, rounds: int, notes: list[str]
) -> list[dict[str, Any]]:
    """One configuration, from texts to model, beside fastText's training."""
    worker.add(_CALIBRATED, learning.newsdesk_calibrated, name)
    worker.add(_WEIGHTS, learning.newsdesk_weights, name)
    lanes: list[Lane] = [(worker, _CALIBRATED), (worker, _WEIGHTS)]
    for dimensions, other in _FASTTEXT.items():
        try:
            worker.add(other, learning.fasttext_trained, name, folder, dimensions)
            lanes.append((worker, other))
        except Absent as error:
            notes.append(f"{other}: left out; {error}")
            say(notes[-1])
    seconds = {lane[1]: own for lane, own in zip(lanes, race(lanes, rounds), strict=True)}
    rows = []
    for who, what in ((_CALIBRATED, "fixed recipe, calibrated"), (_WEIGHTS, "fixed recipe, weights alone")):
        for other in _FASTTEXT.values():
            if other in seconds:
                asked = Asked(1.5, at_most=True)
                rows.append(row(what, seconds[who], other, seconds[other], "s", asked=asked))
    return rows


def measure(name: str | None, rounds: int) -> dict[str, Any]:
    """Everything, as it is kept; None: the bundled newspaper."""
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder, Worker(2) as worker:
        if cores() < 2:
            notes.append("there is one core, and all threads share it")
        rows = fixed(worker, name, folder, rounds, notes)
        names = [_CALIBRATED, _WEIGHTS, *(own["beside"] for own in rows[: len(rows) // 2])]
        found = {one: worker.ask(one, partial(learning.facts, name=name)) for one in names}
        ours = found[_CALIBRATED]["accuracy"]
        for other in names[2:]:
            asked = Asked(1.0)
            theirs = found[other]["accuracy"]
            rows.append(row("fixed recipe, accuracy", ours, other, theirs, "", asked=asked))
        for own in rows:
            say(written(own))
        chosen = choosing(worker, name, rounds)
        for own in chosen:
            say(written(own))
        for one in (_OURS, _SKLEARN, _VECTORIZER):
            found[one] = worker.ask(one, partial(learning.facts, name=name))
            say(f"{one}: {json.dumps(found[one])}")
    return {"machine": machine(), "rows": [*chosen, *rows], "models": found, "notes": notes}


def main(arguments: Sequence[str]) -> None:
    """Run, say what is found, keep it."""
    run(NAME, arguments, lambda asked: measure(None, 1) if asked.quick else measure(DATA, ROUNDS))


if __name__ == "__main__":
    main(sys.argv[1:])

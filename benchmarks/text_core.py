"""How fast texts become TF-IDF and scores, beside scikit-learn, fastText and `wc -w`.

    NEWSDESK_DATA=/path/to/data python -m benchmarks.text_core    ten minutes on two cores that do nothing else
    python -m benchmarks.text_core --quick                        does it run? The bundled newspaper; nothing is kept

Needs the `bench` extra; what is not installed is said and left out. Every figure is the median of several rounds in which
all contenders run in turn, in a process on one core (on two where that is said). The figures are kept in
benchmarks/results/text_core.json, from which `python -m benchmarks.tables` makes the tables; `--json` prints them, too.
What is scored is the test part of headlines_in: log runs without --quick in docs/TEST_RUNS.md.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.speed import fitting, scoring
from benchmarks.speed.bench import MB, QUICK, Bench, Size
from benchmarks.speed.command import run
from benchmarks.speed.models import CHARACTERS, WORDS, fasttext_label
from benchmarks.speed.rows import Asked, machine, say
from benchmarks.speed.texts import (
    load,
    load_sample,
    read_strings,
    recombined,
    shuffled,
    size_of,
    write_column,
)
from benchmarks.speed.workers import SideBySide, Worker, alone, cores, race

NAME = "text_core"
_SEED = 0
_SKLEARN, _FASTTEXT = "scikit-learn's predict", "fastText's predict"
_COMMAND, _NOTHING = "fastText's command line", "fastText's command line, no text"


def scoring_words(bench: Bench) -> None:
    """Texts to scores by the same weights, on one core."""
    model, scored, theirs = bench.path("words.joblib"), bench.path("scored"), bench.path("fasttext.bin")
    with Worker(1) as one:
        lanes = [
            *bench.lanes(one, _SKLEARN, scoring.sklearn_strings, model, scored),
            *bench.lanes(one, "strings", scoring.newsdesk_strings, model, scored),
            *bench.lanes(one, "column", scoring.newsdesk_arrow, model, scored),
            *bench.lanes(one, "wc -w", scoring.word_count, bench.path("scored.txt")),
        ]
        if bench.has_fasttext:
            lanes += bench.lanes(one, _FASTTEXT, scoring.fasttext_strings, theirs, scored)
            lanes += bench.lanes(one, _COMMAND, scoring.fasttext_command, theirs, bench.path("prepared.txt"))
            lanes += bench.lanes(one, _NOTHING, scoring.fasttext_command, theirs, bench.path("nothing.txt"))
        say("scoring")
        medians = race(lanes, bench.size.rounds)
        seconds = {name: own for (_, name), own in zip(lanes, medians, strict=True)}
        _agreement(bench, one)
    if _COMMAND in seconds:  # it loads its model each time
        seconds[_COMMAND] = max(seconds[_COMMAND] - seconds.pop(_NOTHING), 1e-9)
    _scoring_rows(bench, {name: bench.scored / MB / own for name, own in seconds.items()})


def _scoring_rows(bench: Bench, speeds: dict[str, float]) -> None:
    for what, who, beside, asked in (
        ("scoring strings, one thread", "strings", _SKLEARN, Asked(12, 25)),
        ("scoring strings, one thread", "strings", _FASTTEXT, Asked(2.5)),
        ("scoring strings, one thread", "strings", _COMMAND, Asked(2.5)),
        ("scoring an Arrow column, one thread", "column", "wc -w", Asked(0.36, 0.6)),
    ):
        if who in speeds and beside in speeds:
            bench.found(what, speeds[who], beside, speeds[beside], "MB/s", asked=asked)


def scoring_in_threads(bench: Bench) -> None:
    """The same on two cores, beside one; and beside two processes, which share nothing: the cores of a machine that is
    shared with others do not always give twice what one gives."""
    if cores() < 2:
        bench.note("two threads: left out; there is one core")
        return
    say("scoring in threads")
    model, scored = bench.path("words.joblib"), bench.path("scored")
    with Worker(1) as one, Worker(1, 1) as other, Worker(2) as two:
        makers = {"strings": scoring.newsdesk_strings, "an Arrow column": scoring.newsdesk_arrow}
        for name, make in makers.items():
            for worker in (one, other, two):
                worker.add(name, make, model, scored)
        runners = one, two, SideBySide([one, other])
        medians = iter(race([(runner, name) for name in makers for runner in runners], bench.size.rounds * 3))
    size = bench.scored / MB
    for name in makers:
        single, threads, processes = (next(medians) for _ in runners)
        what = f"scoring {name}, two threads"
        bench.found(what, size / threads, "one thread", size / single, "MB/s", asked=Asked(1.8))
        bench.found(what, size / threads, "two processes", 2 * size / processes, "MB/s")


def _agreement(bench: Bench, worker: Worker) -> None:
    """How often both answer the same, and how often that and fastText's answer are right."""
    first, truth = itemgetter(slice(len(bench.articles.test))), np.array(bench.articles.test_labels)
    labels = np.array(worker.ask(_SKLEARN, first))
    names = np.unique(bench.articles.train_labels)
    ours = names[np.asarray(worker.ask("strings", first)).argmax(axis=1)]
    bench.shares["labels equal to scikit-learn's"] = float((labels == ours).mean())
    bench.shares["accuracy, Newsdesk"] = float((ours == truth).mean())
    if bench.has_fasttext:
        right = [fasttext_label(label) for label in truth]
        found = [own[0] for own in worker.ask(_FASTTEXT, first)]
        bench.shares["accuracy, fastText"] = float(
            np.mean([a == b for a, b in zip(found, right, strict=True)])
        )


def fitting_words(bench: Bench) -> None:
    """`fit_transform` of the training part: seconds, and memory each in a process of its own."""
    _fitting(bench, "fit_transform of words (1,2)", WORDS, bench.path("words.train"), Asked(8, 12))
    say("memory")
    found = [
        alone(make, WORDS, bench.path("words.train")) for make in (fitting.newsdesk_fit, fitting.sklearn_fit)
    ]
    ours, theirs = (own.memory / MB for own in found)
    asked = Asked(1, at_most=True)
    bench.found("fit_transform, peak memory", ours, "TfidfVectorizer", theirs, "MB", asked=asked)


def _fitting(bench: Bench, what: str, cut: Any, texts: Path, asked: Asked) -> None:
    say(f"fitting {what}")
    with Worker(1) as one:
        lanes = [
            *bench.lanes(one, "Newsdesk", fitting.newsdesk_fit, cut, texts),
            *bench.lanes(one, "TfidfVectorizer", fitting.sklearn_fit, cut, texts),
        ]
        ours, theirs = race(lanes, bench.size.fits)
        if one.ask("Newsdesk", int) != one.ask("TfidfVectorizer", int):
            raise SystemExit(f"{what}: the vocabularies differ")
    bench.found(what, ours, "TfidfVectorizer", theirs, "s", ratio=theirs / ours, asked=asked)


def one_article(bench: Bench) -> None:
    """The latency of one article of 200 words, from a string to its scores."""
    say("one article")
    model, long, calls = bench.path("words.joblib"), bench.path("long"), bench.size.calls
    with Worker(1) as one:
        lanes = [
            *bench.lanes(one, "Newsdesk", scoring.newsdesk_each, model, long, calls),
            *bench.lanes(one, _SKLEARN, scoring.sklearn_each, model, long, calls),
        ]
        if bench.has_fasttext:
            lanes += bench.lanes(
                one, _FASTTEXT, scoring.fasttext_each, bench.path("fasttext.bin"), long, calls
            )
        found: dict[str, list[float]] = {name: [] for _, name in lanes}
        for _ in range(bench.size.rounds):
            race(lanes, 1)
            for worker, name in lanes:
                found[name].append(worker.ask(name, float) * 1e6)
    ours, *others = ((name, statistics.median(own)) for name, own in found.items())
    for name, theirs in others:
        asked = Asked(30) if name == _SKLEARN else None
        bench.found("one article", ours[1], name, theirs, "µs", ratio=theirs / ours[1], asked=asked)


def characters(bench: Bench) -> None:
    """Korean headlines cut into parts of words: fit and score."""
    _fitting(bench, "fit_transform of char_wb (2,4)", CHARACTERS, bench.path("characters.train"), Asked(8))
    with Worker(1) as one:
        model, texts = bench.path("characters.joblib"), bench.path("characters.test")
        lanes = [
            *bench.lanes(one, "Newsdesk", scoring.newsdesk_strings, model, texts),
            *bench.lanes(one, _SKLEARN, scoring.sklearn_strings, model, texts),
        ]
        seconds = race(lanes, bench.size.rounds)
    size = size_of(bench.titles.test) / MB
    ours, theirs = (size / own for own in seconds)
    bench.found("scoring char_wb (2,4)", ours, _SKLEARN, theirs, "MB/s", asked=Asked(8))


def linearity(bench: Bench) -> list[dict[str, Any]]:
    """Scoring 1, 4, 16 times the text: time, and memory beyond the text."""
    say("more text")
    model, paths = bench.path("words.joblib"), []
    for times in bench.size.multiples:
        paths.append(bench.path(f"scored{times}"))
        write_column(paths[-1], [pa.array(bench.articles.test * times)])
    with Worker(1) as one:
        lanes = [
            lane
            for path in paths
            for lane in bench.lanes(one, path.name, scoring.newsdesk_arrow, model, path)
        ]
        seconds = race(lanes, bench.size.rounds)
    size, found = size_of(bench.articles.test) / MB, []
    for times, path, own in zip(bench.size.multiples, paths, seconds, strict=True):
        memory = [
            alone(make, model, path).memory / MB
            for make in (scoring.newsdesk_arrow, scoring.newsdesk_batches)
        ]
        found.append(
            {
                "times": times,
                "mb": round(size * times, 1),
                "seconds": round(own, 4),
                "mb_per_second": round(size * times / own, 1),
                "memory_at_once_mb": round(memory[0], 1),
                "memory_in_batches_mb": round(memory[1], 1),
            }
        )
        say(json.dumps(found[-1]))
    return found


def growth(bench: Bench) -> list[dict[str, Any]]:
    """Fitting more and more articles, in random order: real ones as far as they go, then some made of pieces of these."""
    say("making articles")
    train, counts = bench.articles.train, bench.size.growth
    write_column(bench.path("real"), [pa.array(shuffled(train, _SEED))])
    write_column(bench.path("made"), recombined(train, max(counts), _SEED))
    real = [*(count for count in counts if count < len(train)), len(train)]
    asked = [*(("real", count) for count in real), *(("made", count) for count in counts)]
    found = []
    for kind, count in asked:
        found.append(_grown(bench.path(kind), kind, count))
        say(json.dumps(found[-1]))
    return found


def _grown(path: Path, kind: str, count: int) -> dict[str, Any]:
    """Of the first `count` articles; scikit-learn is given the real ones, too."""
    ours = alone(fitting.newsdesk_growth, WORDS, path, count)
    theirs = alone(fitting.sklearn_fit, WORDS, path, count) if kind == "real" else None
    return {
        "articles": count,
        "kind": kind,
        "mb": round(size_of(read_strings(path, count)) / MB, 1),
        "different": alone(fitting.different, WORDS, path, count).value,
        "kept": ours.value,
        "seconds": round(ours.seconds, 2),
        "memory_mb": round(ours.memory / MB, 1),
        "sklearn_seconds": theirs and round(theirs.seconds, 2),
        "sklearn_memory_mb": theirs and round(theirs.memory / MB, 1),
    }


def measure(size: Size, *, quick: bool) -> dict[str, Any]:
    """Everything, as it is kept."""
    with tempfile.TemporaryDirectory() as folder:
        if quick:
            bench = Bench(Path(folder), size, load_sample(), load_sample(("headline",)))
        else:
            articles, titles = load("headlines_in"), load("naver_most_viewed", ("headline",))
            bench = Bench(Path(folder), size, articles, titles)
        bench.prepare()
        for part in (scoring_words, scoring_in_threads, fitting_words, one_article, characters):
            part(bench)
        return {
            "machine": machine(),
            "rows": bench.rows,
            "shares": {name: round(own, 4) for name, own in bench.shares.items()},
            "linearity": linearity(bench),
            "growth": growth(bench),
            "notes": bench.notes,
        }


def main(arguments: Sequence[str]) -> None:
    """Run, say what is found, keep it."""
    run(NAME, arguments, lambda asked: measure(QUICK if asked.quick else Size(), quick=asked.quick))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Scores in one pass are those of the matrix, the same bits whatever holds the texts and however the rows are divided."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.errors import FieldError
from classifier.linear import Linear
from classifier.text import fused
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Block, CategoryBlock, CrossBlock, TextBlock, Weighting
from classifier.text.fused import FusedText, in_threads
from classifier.text.native import kernel
from classifier.text.rows import Rows
from classifier.text.vocabulary import Terms, Vocabulary

WORDS = [
    "bank",
    "Vote",
    "storm",
    "market",
    "İstanbul",
    "ΟΔΟΣ",
    "日本の市場",
    "élan",
    "\0nul",
    "x",
    "rain's",
    "  ",
]
SOURCES = ["north", "south", "west", None]
COLUMNS = ["headline", "summary", "body"]
COUNT = 1500  # rows: enough for several threads


def column(seed: int, longest: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, random.integers(0, longest))) for _ in range(COUNT)]


TEXTS = {
    name: column(seed, longest) for seed, (name, longest) in enumerate(zip(COLUMNS, (8, 20, 60), strict=True))
}
VALUES = {**TEXTS, "source": [SOURCES[i * 7 % 4] for i in range(COUNT)]}


def text_block(
    name: str, analyzer: Analyzer, terms: list[str], weighting: Weighting, weight: float
) -> TextBlock:
    idf = 1.0 + np.arange(len(terms)) % 7 / 3
    return TextBlock(name, Vocabulary.of(analyzer, Terms.of(terms)), weighting, weight, idf)


def head(outputs: int) -> Linear:
    """Blocks that share a column, its characters or its n-grams with others, or nothing; a cross of one; a category."""
    words = [
        "bank",
        "vote",
        "storm",
        "istanbul",
        "οδος",
        "bank vote",
        "vote storm",
        "rain bank",
        "日本の市場",
    ]
    words.append("i̇stanbul")
    shared = Analyzer("word", (1, 2), seed=1)
    parts = ["an", " b", "st", "の市場", "k ", "οδ", "\0n", "i̇", " x "]
    first = text_block("text", shared, words, Weighting(True), 1.0)
    blocks: list[Block] = [
        first,
        text_block("text", shared, words[:4], Weighting(False, True, "l1"), 0.25),
        text_block("text", Analyzer("char_wb", (2, 3), seed=2), parts, Weighting(), 0.5),
        text_block(
            "headline",
            Analyzer("char", (1, 2), False),
            ["V", "Ο", "é", " "],
            Weighting(True, False, None),
            2.0,
        ),
        text_block(
            "body", Analyzer("word", (1, 1), True, "unicode"), ["elan", "storm"], Weighting(True), 1.0
        ),
        text_block("body", Analyzer("word", (1, 2), stop_words=("vote",)), ["bank storm"], Weighting(), 1.0),
        CategoryBlock("source", 1.5, ("north", "south")),
        CrossBlock("source", 0.75, ("north", "west"), first, np.arange(0, 2 * len(words), 3)),
    ]
    width = sum(block.width for block in blocks)
    random = np.random.default_rng(outputs)
    weights = random.normal(size=(width, outputs)).astype(np.float32).astype(np.float64)
    return Linear(blocks, weights, random.normal(size=outputs))


def rows_of(start: int, stop: int) -> Rows:
    return Rows({name: values[start:stop] for name, values in VALUES.items()}, stop - start)


@pytest.fixture
def processors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Sets how many of them this machine seems to have."""

    def have(number: int) -> None:
        monkeypatch.setattr(fused, "_processors", lambda: number)
        fused._pool.cache_clear()

    yield have
    fused._pool.cache_clear()


@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 5, 6, 7, 8, 9, 40])
def test_scores_are_those_of_the_matrix(outputs: int) -> None:
    linear = head(outputs)
    rows = rows_of(0, 400)
    wanted = np.zeros((400, outputs)) + linear.intercept
    known = np.zeros(400, np.int64)
    at = 0
    for block in linear.blocks:
        features = block.transform(rows)
        features.add_product(linear.weights[at : at + block.width], wanted)
        at += block.width
        known += np.diff(features.indptr) if isinstance(block, TextBlock) else 0
    scores, found = linear.scores_and_known(rows)
    np.testing.assert_allclose(scores, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())
    assert found.tolist() == known.tolist()
    assert known.max() > 10


BITS = head(3).scores(rows_of(0, COUNT)).tobytes()


@pytest.mark.parametrize("number", [1, 2, 3, 8])
def test_the_same_bits_on_any_number_of_threads(processors: Callable[[int], None], number: int) -> None:
    processors(number)
    assert head(3).scores(rows_of(0, COUNT)).tobytes() == BITS


def test_the_same_bits_for_a_row_alone() -> None:
    linear = head(3)
    assert b"".join(linear.scores(rows_of(i, i + 1)).tobytes() for i in range(200)) == BITS[: 200 * 24]


@given(st.lists(st.integers(0, COUNT), max_size=5), st.integers(1, 4))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_bits_in_any_batches(
    processors: Callable[[int], None], cuts: list[int], number: int
) -> None:
    processors(number)
    linear = head(3)
    cuts = [0, *sorted(cuts), COUNT]
    parts = [linear.scores(rows_of(start, stop)) for start, stop in pairwise(cuts)]
    assert np.concatenate(parts).tobytes() == BITS


def arrow(cast: Callable[[pa.Array], Any]) -> pa.Table:
    columns = {
        name: cast(pa.array([text or None for text in texts], pa.string())) for name, texts in TEXTS.items()
    }
    return pa.table({**columns, "source": VALUES["source"]})


@pytest.mark.parametrize(
    "cast",
    [
        lambda array: array,
        lambda array: array.cast(pa.large_string()),
        lambda array: array.cast(pa.string_view()),
        lambda array: array.dictionary_encode(),
        lambda array: pa.chunked_array([array[:1], array[1:1], array[1:900], array[900:]]),
    ],
    ids=["string", "large_string", "string_view", "dictionary", "chunked"],
)
@pytest.mark.parametrize("number", [1, 2])
def test_the_same_bits_from_arrow(processors: Callable[[int], None], cast: Any, number: int) -> None:
    processors(number)
    table = arrow(cast)
    linear = head(3)
    assert linear.scores(Rows.from_batch(table)).tobytes() == BITS
    assert linear.scores(Rows.from_batch(table.slice(250, 1000))).tobytes() == BITS[250 * 24 : 1250 * 24]
    assert linear.scores(Rows.from_batch(table.slice(7, 0))).shape == (0, 3)


def test_the_same_bits_to_several_callers_at_once(processors: Callable[[int], None]) -> None:
    processors(2)
    linear = head(3)
    start = threading.Barrier(6)

    def score(caller: int) -> bool:
        start.wait()
        return all(linear.scores(rows_of(0, COUNT)).tobytes() == BITS for _ in range(4))

    with ThreadPoolExecutor(6) as callers:
        assert all(callers.map(score, range(6)))


@pytest.mark.parametrize("number", [1, 3])
def test_a_text_that_cannot_be_read_is_named(processors: Callable[[int], None], number: int) -> None:
    processors(number)
    data = [text.encode() for text in TEXTS["body"]]
    data[1234] = b"\xff"
    table = pa.table({"body": pa.array(data, pa.binary()).view(pa.string())})
    with pytest.raises(FieldError, match="text 1234 holds bytes that are no UTF-8"):
        head(3).scores(Rows.from_batch(table))


def test_heads_together_have_the_bits_of_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever blocks the others have, and in whichever order; a text that both read is read once."""
    one, other = head(3), head(1)
    turned = Linear(
        other.blocks[::-1][1:], np.ones((sum(b.width for b in other.blocks[:-1]), 1)), other.intercept
    )
    rows = rows_of(0, 300)
    read: list[int] = []
    score = kernel.nd_score

    def counted(*arguments: Any) -> int:
        read.append(len(arguments[6]))  # the targets
        return int(score(*arguments))

    monkeypatch.setattr(fused, "_processors", lambda: 1)
    monkeypatch.setattr("classifier.text.fused.kernel", SimpleNamespace(nd_score=counted))
    alone = [FusedText(own.text).sums(rows)[0] for own in (one, turned)]
    calls, targets = len(read), sum(read)
    read.clear()
    together = FusedText(one.text, turned.text).sums(rows)
    assert (2 * len(read), sum(read)) == (calls, targets)
    for own, among in zip(alone, together, strict=True):
        assert own.scores.any()
        assert own.scores.tobytes() == among.scores.tobytes()
        assert own.known.tolist() == among.known.tolist()
    joint = FusedText(one.text, turned.text)
    for number in range(50):
        for own, (scores, known) in zip(alone, joint.one(rows_of(number, number + 1)), strict=True):
            assert np.array(scores).tobytes() == own.scores[number].tobytes()
            assert known == own.known[number]


def test_every_row_is_given_out_once(processors: Callable[[int], None]) -> None:
    for number in (1, 2, 5):
        processors(number)
        for count in (0, 1, 255, 256, 511, 512, 513, 5000):
            parts: list[range] = []
            in_threads(lambda start, stop, parts=parts: parts.append(range(start, stop)), count)
            assert sorted(row for part in parts for row in part) == list(range(count))


def test_an_error_is_raised_when_all_have_ended(processors: Callable[[int], None]) -> None:
    # They read and write what the caller may let go then.
    processors(2)
    another = threading.Event()
    begun, ended = [], []

    def run(start: int, stop: int) -> None:
        begun.append(start)
        if start == 0:
            another.wait()
            raise RuntimeError("the first part")
        another.set()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000)  # some work, meanwhile the first one fails
        ended.append(start)

    with pytest.raises(RuntimeError, match="the first part"):
        in_threads(run, 4096)
    assert sorted([0, *ended]) == sorted(begun)


FORKED = """
import os, signal
from classifier.text import fused
fused._processors = lambda: 2
fused.in_threads(lambda start, stop: None, 2048)
if os.fork() == 0:
    signal.alarm(20)
    rows = []
    fused.in_threads(lambda start, stop: rows.append(stop - start), 2048)
    os._exit(sum(rows) != 2048)
raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], timeout=60, check=False)
    assert done.returncode == 0

"""The pieces of a run, each on its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.batch.display import Rejections, bar, clock, notes, progress_line, summary_lines
from service.batch.duplicates import Distinct, SeenIds, hash_ids
from service.batch.journal import Durable, Place
from service.batch.pipeline import in_order, read_ahead
from service.batch.summary import Progress, Summary

# Reading ahead and work in order


def test_results_come_in_order_whoever_is_first() -> None:
    gates = [threading.Event() for _ in range(4)]

    def work(number: int) -> int:
        if number == 1:  # the second opens the first
            gates[0].set()
        if number == 0:
            assert gates[0].wait(60)
        return number * 10

    found = list(in_order(iter(range(20)), work, 3))
    assert found == [(number, number * 10) for number in range(20)]


def test_no_more_is_read_than_is_asked_for() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in count():
            made.append(number)
            yield number

    with read_ahead(items()) as ahead:
        there = (item for item in ahead if item is not None)
        assert [next(there) for _ in range(3)] == [0, 1, 2]
    seen = len(made)
    assert seen <= 3 + 2 + 2  # in the queue, and one in hand
    assert not [thread for thread in threading.enumerate() if thread.name == "newsdesk-reading"]
    assert len(made) == seen


def test_what_was_read_before_an_error_still_comes() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise KeyError("five")

    found = []

    def read() -> None:
        with read_ahead(items()) as ahead:
            found.extend(item for item, _ in in_order(ahead, str, 2))

    with pytest.raises(KeyError):
        read()
    assert found == list(range(5))


def test_what_is_ready_is_not_held_back_by_a_slow_reader() -> None:
    answered = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert answered.wait(60)  # the first is answered while the second is not there
        yield 2

    with read_ahead(items()) as ahead:
        found = []
        for item, _ in in_order(ahead, str, 4):
            answered.set()
            found.append(item)
    assert found == [1, 2]


def test_an_error_of_the_work_ends_it() -> None:
    with read_ahead(count()) as ahead, pytest.raises(ZeroDivisionError):
        list(in_order(ahead, lambda number: 1 // (3 - number), 2))


# Ids


def test_hashes_look_at_every_byte_and_only_at_those() -> None:
    ids = ["", "a", "b", "aa", "a\0", "a" * 8, "a" * 9, "é", "a" * 7 + "b", "b" * 8]
    found = hash_ids(pa.array(ids))
    assert len(set(found.tolist())) == len(ids)
    assert hash_ids(pa.array(["x", *ids, "y"]).slice(1, len(ids))).tolist() == found.tolist()
    assert hash_ids(pa.array([], pa.string())).tolist() == []
    _, offsets, data = pa.array(["a", "b"]).buffers()
    odd = pa.StringArray.from_buffers(2, pa.py_buffer(bytes(offsets)[:12] + b"x"), data)
    assert hash_ids(odd).tolist() == found[1:3].tolist()


@given(st.lists(st.lists(st.integers(0, 50).map(str), max_size=30), max_size=6))
def test_few_ids_are_counted_exactly(batches: list[list[str]]) -> None:
    seen, distinct = SeenIds(), Distinct()
    for batch in batches:
        seen.add(hash_ids(pa.array(batch, pa.string())))
        distinct.add(hash_ids(pa.array(batch, pa.string())))
    every = [one for batch in batches for one in batch]
    assert seen.estimate() == (len(every) - len(set(every)), 0)
    assert abs(distinct.count() - len(set(every))) < 1


def test_many_ids_are_counted_within_what_is_said() -> None:
    seen, first, second = SeenIds(), Distinct(), Distinct()
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**64, 2_000_000, np.uint64)
    hashes[1_500_000:1_510_000] = hashes[:10_000]
    for start in range(0, len(hashes), 100_000):
        seen.add(hashes[start : start + 100_000])
    found = seen.estimate()
    assert found is not None
    assert abs(found[0] - 10_000) <= max(4 * found[1], 3)
    assert found[1] < 50
    first.add(hashes[:900_000])
    second.add(hashes[900_000:])
    first.merge(second.packed())
    count, error = first.duplicates(len(hashes))
    assert abs(count - 10_000) <= 4 * error
    assert error == round(1.04 / 128 * 2_000_000)


def test_a_full_filter_says_that_it_does_not_know() -> None:
    seen = SeenIds()
    seen._distinct = 3e9
    seen.add(np.arange(10, dtype=np.uint64))
    assert seen.estimate() is None


# The journal


def test_a_journal_line_reads_back_or_is_seen_to_be_torn() -> None:
    part = Durable(Place(1, 2, 3), {"output": 4}, 5, {"articles": 6}, "ab")
    line = part.line()
    assert Durable.read(line) == part
    for torn in (line[:-1], line[:20], b"", b"\n", line.replace(b"6", b"7")):
        assert Durable.read(torn) is None


# What is shown


def test_the_line_of_progress() -> None:
    line = progress_line(Progress(1_234_567, 0, 50_000_000, 100_000_000), 10.0)
    assert line == "1,234,567 articles, 5.0 MB/s, 0:10 left"
    assert progress_line(Progress(5, 2, 0, None), 0.0) == "5 articles, 0.0 MB/s, 2 rejected"
    assert bar(Progress(5, 0, 25, 100)) == f"[{'#' * 6}{' ' * 18}]  25%  "
    assert bar(Progress(5, 0, 25, None)) == ""
    assert [clock(seconds) for seconds in (5, 65, 3_725)] == ["0:05", "1:05", "1:02:05"]


def test_the_summary() -> None:
    sections = {f"S{number}": 10 - number for number in range(10)}
    summary = Summary(55, 2, sections, {"file": 50, "review": 5}, (7, 1), ("desk",))
    lines = summary_lines(summary, "o.csv", 5_000_000, 5.0)
    assert lines[0] == "55 articles scored to o.csv in 5.0 s (11 a second, 1.0 MB/s)"
    assert lines[1].startswith("sections: S0 10, S1 9")
    assert lines[1].endswith("S7 3 and 2 more")
    assert lines[2:] == [
        "decisions: file 50, review 5",
        "ids: about 7 (± 2) articles have an id that one before has",
        "rejected: 2 rows",
    ]
    assert notes(summary) == ['note: no input has a column "desk"; it is null in every row']
    unknown = summary_lines(Summary(5, 0, duplicates=None), "-", 0, 1.0)
    assert unknown[-1] == "ids: too many articles to say how many repeat"
    assert summary_lines(Summary(5, 0, duplicates=(3, 2)), "-", 0, 1.0) == [
        "5 articles scored to - in 1.0 s (5 a second)"
    ]


def test_where_rejected_rows_are_named() -> None:
    assert Rejections("-").named(1) == "above"
    assert Rejections("o.csv").named(1) == "in o.csv.rejected.jsonl"
    assert Rejections("o.csv", parts=True).named(1) == "in o.csv/part-*.rejected.jsonl"

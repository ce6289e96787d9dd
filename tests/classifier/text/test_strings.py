"""Texts reach the kernel as they are, whatever holds them."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.errors import FieldError, UsageError
from classifier.text import native
from classifier.text.analyzer import Analyzer
from classifier.text.objects import layout
from classifier.text.strings import Texts, check
from training.counting import TermCounter

TEXT = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("ab é日\0😀")), max_size=20)
COLUMN = st.lists(st.none() | TEXT, max_size=12)

Seen = tuple[list[str], list[list[int]]]


def seen(texts: Texts) -> Seen:
    """What the kernel sees: n-grams, and how often each text has them."""
    with TermCounter(Analyzer("char", (1, 3), lowercase=False)) as counter:
        counter.add(texts)
        terms, table = counter.finish()
    return list(terms), table.toarray().tolist()


def of_strings(texts: list[str | None]) -> Seen:
    return seen(Texts.from_strings([text or "" for text in texts]))


def views(texts: list[str | None]) -> pa.Array:
    return pa.array(texts, pa.string()).cast(pa.string_view())


def dictionary(texts: list[str | None], kind: pa.DataType | None = None) -> pa.Array:
    return pa.array(texts, kind or pa.string()).dictionary_encode()


def with_null_values(texts: list[str | None]) -> pa.Array:
    """Null as a value of the dictionary, not as an index."""
    values = list(dict.fromkeys(texts))
    indices = pa.array([values.index(text) for text in texts], pa.int8())
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))


def over_text(texts: list[str | None]) -> pa.Array:
    """Nulls that have bytes behind them."""
    array = pa.array(["hidden" if text is None else text for text in texts], pa.string())
    valid = pa.array([text is not None for text in texts], pa.bool_()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), len(texts), [valid, *array.buffers()[1:]])


ARRAYS: list[Callable[[list[str | None]], Any]] = [
    lambda texts: pa.array(texts, pa.string()),
    lambda texts: pa.array(texts, pa.large_string()),
    views,
    dictionary,
    lambda texts: dictionary(texts, pa.large_string()),
    lambda texts: pa.DictionaryArray.from_arrays(
        dictionary(texts).indices, dictionary(texts).dictionary.cast(pa.string_view())
    ),
    with_null_values,
    over_text,
    lambda texts: pa.chunked_array([pa.array(texts, pa.string())]),
]


@pytest.mark.parametrize("make", ARRAYS)
@settings(max_examples=40)
@given(texts=COLUMN, cut=st.tuples(st.integers(0, 12), st.integers(0, 12)))
@example(texts=[None, "", "aé", None], cut=(1, 2))
@example(texts=[], cut=(0, 0))
def test_arrow_columns_whole_and_sliced(
    make: Callable[[list[str | None]], Any], texts: list[str | None], cut: tuple[int, int]
) -> None:
    column = make(texts)
    assert seen(Texts.of(column)) == of_strings(texts)
    start, length = cut
    assert seen(Texts.of(column.slice(start, length))) == of_strings(texts[start : start + length])


@given(st.lists(COLUMN, max_size=4), st.sampled_from([0, 2, 3]))
@example([], 0)
@example([["a"], [], [None, "a"]], 3)
def test_chunks_are_one_column(parts: list[list[str | None]], make: int) -> None:
    kind = ARRAYS[make]([]).type
    column = pa.chunked_array([ARRAYS[make](part) for part in parts], kind)
    assert seen(Texts.of(column)) == of_strings([text for part in parts for text in part])


def test_a_column_of_nothing_is_empty_texts() -> None:
    assert seen(Texts.of(pa.nulls(2))) == ([], [[], []])
    assert seen(Texts.of(pa.chunked_array([pa.nulls(1), pa.nulls(2)]))) == ([], [[], [], []])


@given(st.lists(st.tuples(st.none() | TEXT, st.none() | TEXT, st.none() | TEXT), max_size=6))
def test_columns_beside_each_other_are_joined_by_line_breaks(rows: list[tuple[str | None, ...]]) -> None:
    joined: list[str | None] = ["\n".join(text for text in row if text) for row in rows]
    columns = [[row[i] for row in rows] for i in range(3)]
    strings = Texts.from_strings(*[[text or "" for text in column] for column in columns])
    kinds = (pa.string(), pa.large_string(), pa.string_view())
    arrays = [pa.array(column, pa.string()).cast(kind) for column, kind in zip(columns, kinds, strict=True)]
    assert seen(strings) == seen(Texts.from_arrow(*arrays)) == of_strings(joined)


@pytest.mark.parametrize(
    "texts",
    [
        ("ab", "c"),
        iter(["ab", "c"]),
        np.array(["ab", "c"]),
        np.array(["ab", "c"], object),
        {"ab": 1, "c": 2}.keys(),
    ],
)
def test_strings_in_anything(texts: Any) -> None:
    assert seen(Texts.of(texts)) == of_strings(["ab", "c"])


class Derived(str):
    """Strings that keep their characters elsewhere, which Python encodes."""

    __slots__ = ()


# Runs of characters of each width, so that some fill what is encoded together and some do not.
CHARACTERS = st.sampled_from(
    ["a", "Z ", "b" * 15, "c" * 16, "\x7f", "\x80", "é", "ÿ" * 17, "Σ", "\u07ff", "\u0800"]
)
WIDER = st.sampled_from(["\ud83d", "\ude00", "\uffff", "日" * 16, "\U00010000", "😀", "\U0010ffff", "\0"])
LONGER = st.lists(st.one_of(CHARACTERS, WIDER), max_size=9).map("".join)


@given(
    texts=st.lists(st.one_of(LONGER, st.lists(CHARACTERS, max_size=9).map("".join)), min_size=2, max_size=6)
)
def test_strings_are_read_as_python_encodes_them(texts: list[str]) -> None:
    found = Texts.from_strings(texts)
    encoded = Texts.from_strings(list(map(Derived, texts)))
    assert found.columns[0].objects
    assert not encoded.columns[0].objects
    assert seen(found) == seen(encoded)


@pytest.mark.parametrize("texts", [["a", None], [None, None], ["", None, "é"], [None, Derived("b"), "a"]])
def test_none_among_values_is_empty(texts: list[str | None]) -> None:
    found = Texts.from_values(texts)
    assert bool(found.columns[0].objects) == (Derived not in map(type, texts))
    assert seen(found) == of_strings(texts)


def test_what_becomes_of_a_list_does_not_matter() -> None:
    given = ["".join(["number ", str(i)]) for i in range(2000)]  # nobody else has them
    wanted = of_strings(list(given))
    texts = Texts.from_strings(given)
    given.clear()
    others = ["".join(["another ", str(i)]) for i in range(2000)]
    assert seen(texts) == wanted
    assert len(others) == len(texts)


def test_columns_of_unequal_length() -> None:
    with pytest.raises(UsageError, match="columns of 2 and 3 texts lie side by side; give columns of equal"):
        Texts.from_strings(["a", "b"], ["a", "b", "c"])


def test_another_python_is_not_guessed_at() -> None:
    assert layout() is not None
    assert layout("pypy") is None


def test_halves_of_surrogate_pairs_are_characters() -> None:
    assert seen(Texts.of(["\ud83d", "a\ude00"])) == (
        ["a", "a\ude00", "\ud83d", "\ude00"],
        [[0, 0, 1, 0], [1, 1, 0, 1]],
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("text", "one text was given; give a list of texts"),
        (b"text", "one text was given; give a list of texts"),
        (None, "a NoneType was given; give a list of texts"),
        (5, "a int was given; give a list of texts"),
        (pa.table({"a": ["b"]}), "a Table was given; give one column of it"),
        (["a", None], "text 1 is a NoneType, not a string; give strings; an empty one for none"),
        (["a", b"b"], "text 1 is a bytes"),
        ([float("nan")], "text 0 is a float"),
        (np.array([["a", "b"]]), "text 0 is a ndarray"),
        ([["a"]], "text 0 is a list"),
        (pa.array([b"a"]), "a column of binary holds no texts; give a column of strings"),
        (pa.array([1]), "a column of int64 holds no texts"),
        (pa.array([1]).dictionary_encode(), "a column of dictionary<values=int64"),
        (pa.chunked_array([], pa.int8()), "a column of int8 holds no texts"),
        (pa.chunked_array([[1], [2]]), "a column of int64 holds no texts"),
        (pa.array([["a"]]), "a column of list<"),
    ],
)
def test_what_holds_no_texts(given: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        Texts.of(given)
    assert str(caught.value).startswith(says)


def test_errors_count_from_the_first_text() -> None:
    with pytest.raises(UsageError, match="text 12 is a int"):
        Texts.of(["a", "b", 3], first=10)  # type: ignore[list-item]
    with pytest.raises(UsageError, match="text 10 is a int"):
        Texts.of([3], first=10)  # type: ignore[list-item]


BAD = [
    b"\xff",
    b"\xc3",
    b"\x80",
    b"\xc0\xaf",
    b"\xe0\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf4\x90\x80\x80",
    b"\xed\xa0",
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("before", ["", "a", "0123456789abcdef", "Σ"])
def test_bytes_that_are_no_utf8(bad: bytes, before: str) -> None:
    data = [b"fine", before.encode() + bad, "éé".encode()]
    column = pa.array(data, pa.binary()).view(pa.string())
    with TermCounter(Analyzer()) as counter, pytest.raises(FieldError) as caught:
        counter.add(Texts.of(column))
    assert str(caught.value) == (
        "text: text 1 holds bytes that are no UTF-8; decode it with the encoding it has"
    )


@given(st.binary(max_size=12))
@example(b"\xed\xa0\x80")
def test_bytes_are_utf8_where_python_says_so(data: bytes) -> None:
    column = pa.array([data], pa.binary()).view(pa.string())
    try:
        wanted = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        with pytest.raises(FieldError, match="text 0 holds bytes that are no UTF-8"):
            seen(Texts.of(column))
    else:
        assert seen(Texts.of(column)) == of_strings([wanted])


@pytest.mark.parametrize(
    ("result", "error", "says"),
    [
        (native.ERROR_UTF8, FieldError, "text: text 3 holds bytes that are no UTF-8"),
        (
            native.ERROR_LENGTH,
            FieldError,
            "text: text 3 is too long, or there are too many; give texts of less",
        ),
        (native.ERROR_MEMORY, MemoryError, "no memory was left at text 3"),
    ],
)
def test_what_the_kernel_returns(result: int, error: type[Exception], says: str) -> None:
    assert check(7, 3) == 7
    with pytest.raises(error) as caught:
        check(result, 3)
    assert str(caught.value).startswith(says)


def long_column(size: int, chunks: int) -> pa.ChunkedArray:
    """Texts of `size` NULs, all of them the same memory."""
    data = pa.py_buffer(mmap.mmap(-1, size))
    offsets = pa.py_buffer(np.array([0, size], np.int32))
    array = pa.Array.from_buffers(pa.string(), 1, [None, offsets, data])
    return pa.chunked_array([array] * chunks)


@pytest.mark.slow
def test_chunks_that_are_too_large_together_for_offsets_of_32_bits() -> None:
    column = long_column(1 << 30, 3)
    texts = Texts.of(column)
    assert len(texts) == 3
    assert texts.columns[0].wide
    repeated = pa.DictionaryArray.from_arrays(pa.array([0, 0, 0], pa.int8()), column.chunk(0))
    assert len(Texts.of(repeated)) == 3


@pytest.mark.slow
def test_a_text_of_2_gib() -> None:
    with TermCounter(Analyzer()) as counter, pytest.raises(FieldError, match="text 0 is too long"):
        counter.add(Texts.of(long_column(2**31 - 1, 1)))

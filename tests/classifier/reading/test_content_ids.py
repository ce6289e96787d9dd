"""Ids of whole columns: those that `content_hash` gives each row, to the bit."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article, content_hash
from classifier.reading.content_ids import content_ids

# Around the blocks of 128 bytes that are hashed, the length before a text being 8 of them.
EDGES = [
    edge + more
    for edge in (0, 104, 112, 120, 128, 240, 248, 256, 384)
    for more in (-1, 0, 1)
    if edge + more >= 0
]
TEXTS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.builds(str.__mul__, st.sampled_from("aé語\U0001f600"), st.sampled_from(EDGES)),
)


def one_by_one(rows: list[tuple[str | None, ...]]) -> list[str]:
    return [content_hash(*[(text or "").encode() for text in row]) for row in rows]


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), max_size=12), st.integers(0, 4), st.booleans())
def test_the_ids_of_columns_are_those_of_their_rows(
    rows: list[tuple[str | None, ...]], start: int, large: bool
) -> None:
    kind = pa.large_string() if large else pa.string()
    columns = [pa.array([row[at] for row in rows], kind).slice(start) for at in range(4)]
    made = content_ids(*columns)
    made.validate(full=True)
    assert made.to_pylist() == one_by_one(rows[start:])


@pytest.mark.parametrize("length", EDGES)
def test_texts_of_any_length(length: int) -> None:
    rows: list[tuple[str | None, ...]] = [("x" * length, "a", "b", "c"), (None, "h", "", "y" * length)]
    assert content_ids(
        *(pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    ).to_pylist() == one_by_one(rows)


def test_what_is_null_has_no_bytes_even_where_some_lie_there() -> None:
    valid = pa.py_buffer(b"\x00")
    offsets = pa.array([0, 3], pa.int32()).buffers()[1]
    null = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(b"abc"), valid)
    headline = pa.array(["Fares fall"])
    assert content_ids(null, headline, null, null).to_pylist() == [Article(headline="Fares fall").id]


def test_ids_stay_what_they_were() -> None:
    """They are stored by whoever has read articles: no version may give others."""
    columns = (
        ["https://courier.example/a", ""],
        ["Fares fall", "Fares fall"],
        ["", "Soon"],
        ["", "From May on."],
    )
    assert content_ids(*(pa.array(column) for column in columns)).to_pylist() == [
        "61962b563bace6486084fdb88a7a0958",
        "ff98caa653ceedd919be69fa820bf6cc",
    ]

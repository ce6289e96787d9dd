"""JSON Lines cut by the kernel: exactly what reading object by object gives."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import article_schema
from classifier.errors import NewsdeskError
from classifier.reading import read_source
from classifier.reading.base import Chunk, ReadOptions, Source
from classifier.reading.json_cells import LINE_DOUBTFUL, LINE_ROW, Block, Kinds, Scanner
from classifier.reading.jsonl import MAX_LINE
from classifier.reading.rows import concat

# A name twice: only Python can judge the line, and so reads every line of its batch.
OPENING = b'{"headline": "open", "headline": "open"}\n'

names = st.sampled_from(
    ("headline", "body", "section", "sections", "published_at", "popularity", "id", "file", "제목", "x", "y")
)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12)
times = st.sampled_from(("2031-04-01T12:00:00Z", "2031-04-01 12:00:00+09:00", "2031-02-30T12:00Z", "soon"))
values = st.recursive(
    scalars | times,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
likely = st.fixed_dictionaries(
    {"headline": st.text(max_size=5)},
    optional={
        "popularity": st.none() | st.integers(-5, 500) | st.floats(),
        "published_at": times | st.none(),
        "x": st.integers() | st.floats(),
        "sections": st.lists(st.text(max_size=3), max_size=2),
        "id": st.integers(0, 99) | st.text(max_size=3),
    },
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    rows = draw(st.lists(likely | st.dictionaries(names, values, max_size=5), min_size=1, max_size=6))
    ascii_ = draw(st.booleans())
    space = draw(st.sampled_from(("", " ", " \t")))
    lines = [
        json.dumps(row, ensure_ascii=ascii_, separators=("," + space, ":" + space)).encode(
            "utf-8", "surrogatepass"
        )
        for row in rows
    ]
    data = bytearray(draw(st.sampled_from((b"\n", b"\r\n", b"\n\n", b" \n"))).join(lines) + b"\n")
    for _ in range(draw(st.integers(0, 2))):
        data[draw(st.integers(0, len(data) - 1))] = draw(
            st.sampled_from(b'"\\{}[]:,0e.\n\xe9 u') | st.integers(0, 255)
        )
    return bytes(data) + b"\n"


def chunks(data: bytes) -> list[Chunk] | str:
    source = Source("a.jsonl", lambda: nullcontext(io.BytesIO(data)))
    try:
        return list(read_source(source, ReadOptions()))
    except NewsdeskError as error:
        return type(error).__name__


def rows(found: list[Chunk]) -> tuple[list[dict[str, str]], dict[str, pa.DataType], list[tuple[Any, str]]]:
    """The articles, the types of columns that hold anything, the rejections."""
    table = concat([chunk.articles for chunk in found if chunk.articles is not None])
    kinds = {
        name: table.schema.field(name).type
        for name in table.schema.names
        if table[name].null_count < len(table)
    }
    listed = [{key: repr(value) for key, value in row.items()} for row in table.to_pylist()]
    return listed, kinds, [(one.line, one.reason) for chunk in found for one in chunk.rejected]


@given(documents())
def test_cells_and_objects_give_the_same(data: bytes) -> None:
    # The first line makes it a table of articles either way.
    first = b'{"headline": "first"}\n'
    cells, objects = chunks(first + data), chunks(first + data + OPENING)
    if isinstance(cells, str) or isinstance(objects, str):
        assert cells == objects
        return
    listed, kinds, rejected = rows(cells)
    expected, other_kinds, other_rejected = rows(objects)
    assert expected.pop()["headline"] == "'open'"
    # Of a row that is wrong in two ways either may be said.
    assert [line for line, _ in rejected] == [line for line, _ in other_rejected]
    # Whether a rejected row has a say in the type of other columns depends on when it was rejected.
    own = [*article_schema().names, "file"] if rejected else [*expected[0]]
    assert [[row[name] for name in own] for row in listed] == [
        [row[name] for name in own] for row in expected
    ]
    assert [kinds.get(name) for name in own] == [other_kinds.get(name) for name in own]


@given(st.lists(likely, min_size=1, max_size=5))
def test_plain_objects_stay_cells(objects: list[dict[str, Any]]) -> None:
    data = "".join(json.dumps(row) + "\n" for row in objects).encode()
    cut = Scanner(100).cut(Block(data), 0, 100, ended=True)
    doubtful = {
        number for number, row in enumerate(objects) if "\\ud" in json.dumps(row) or "NaN" in json.dumps(row)
    }
    doubtful |= {number for number, row in enumerate(objects) if "Infinity" in json.dumps(row)}
    states = cut.lines[:, 2].tolist()
    assert {number for number, state in enumerate(states) if state == LINE_DOUBTFUL} <= doubtful
    assert cut.used == len(data)


def test_a_cut_knows_kinds_lines_and_what_is_left() -> None:
    data = b'{"a": "x\\n\\ud83d\\ude00", "b": [1, {"c": null}]}\n\n{"b": -1.5e3, "a": null} \r\n{"a": tru'
    scanner = Scanner(10)
    cut = scanner.cut(Block(data), 0, 10, ended=False)
    assert cut.used == len(data) - len(b'{"a": tru')
    assert cut.lines[:, 2].tolist() == [LINE_ROW, 1, LINE_ROW]
    assert cut.line(2) == b'{"b": -1.5e3, "a": null} \r'
    assert cut.columns is not None
    assert {name: column.kinds for name, column in cut.columns.items()} == {
        "a": Kinds.STRING | Kinds.NULL,
        "b": Kinds.NESTED | Kinds.FLOAT,
    }
    assert scanner.strings(cut, cut.columns["a"]).to_pylist() == ["x\n\U0001f600", None]
    assert scanner.strings(cut, cut.columns["b"]).to_pylist() == ['[1, {"c": null}]', "-1.5e3"]
    assert scanner.strings(cut, cut.columns["a"], raw=True).to_pylist() == ['"x\\n\\ud83d\\ude00"', None]


def test_two_spellings_of_one_name_are_not_columns() -> None:
    cut = Scanner(10).cut(Block(b'{"a": 1}\n{"\\u0061": 2}\n'), 0, 10, ended=True)
    assert cut.columns is None
    found = chunks(b'{"headline": "a"}\n{"\\u0068eadline": "b"}\n')
    assert not isinstance(found, str)
    assert [row["headline"] for row in rows(found)[0]] == ["'a'", "'b'"]


@pytest.mark.parametrize("depth", [60, 64, 65, 5000])
def test_deep_values_are_read_or_refused_alike(depth: int) -> None:
    line = b'{"headline": "a", "x": ' + b"[" * depth + b"]" * depth + b"}\n"
    found = chunks(line + b'{"headline": "b"}\n')
    assert not isinstance(found, str)
    listed, _, rejected = rows(found)
    assert len(listed) + len(rejected) == 2
    assert (len(rejected) == 1) == (depth == 5000)


def test_lines_are_joined_across_blocks() -> None:
    texts = [str(number) * 1000 for number in range(9000)]
    found = chunks("".join(json.dumps({"headline": text}) + "\n" for text in texts).encode().rstrip(b"\n"))
    assert not isinstance(found, str)
    assert [row["headline"] for row in rows(found)[0]] == [repr(text) for text in texts]


def test_a_line_without_an_end_is_rejected_and_the_next_one_read() -> None:
    found = chunks(b'{"headline": "' + b"x" * (MAX_LINE + (1 << 22)) + b'"}\n{"headline": "b"}\n')
    assert not isinstance(found, str)
    listed, _, rejected = rows(found)
    assert [(row["headline"]) for row in listed] == ["'b'"]
    assert rejected == [(1, f"a.jsonl, line 1: longer than {MAX_LINE} bytes; write one object a line")]

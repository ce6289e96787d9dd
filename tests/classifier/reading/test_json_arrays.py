"""JSON arrays of articles, alone or inside of an object."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import FormatError, NewsdeskError
from classifier.reading.base import BATCH_ROWS, Chunk, ReadOptions, Source
from classifier.reading.json_arrays import read
from classifier.reading.rows import concat


def chunks(data: bytes | str, **options: Any) -> list[Chunk]:
    content = data.encode() if isinstance(data, str) else data
    return list(read(Source("a.json", lambda: nullcontext(io.BytesIO(content))), ReadOptions(**options)))


def headlines(found: list[Chunk]) -> list[str]:
    batches = [chunk.articles for chunk in found if chunk.articles is not None]
    return concat(batches)["headline"].to_pylist()


def reasons(found: list[Chunk]) -> list[str]:
    return [one.reason for chunk in found for one in chunk.rejected]


@pytest.mark.parametrize(
    "data",
    [
        '[{"headline": "a"}, {"headline": "b"}]',
        '\ufeff[\n  {\n    "headline": "a"\n  },\n  {"headline": "b"}\n]\n',
        '{"total": 2, "page": {"size": 10}, "articles": [{"headline": "a"}, {"headline": "b"}], "next": null}',
        '{"status": "OK", "response": {"docs": [{"headline": "a"}, {"headline": "b"}]}}',
    ],
)
def test_an_array_wherever_it_stands(data: str) -> None:
    assert headlines(chunks(data)) == ["a", "b"]


def test_one_object_is_one_article() -> None:
    assert headlines(chunks('{\n "headline": "a",\n "tags": ["x"]\n}')) == ["a"]


def test_a_bad_element_is_named_by_its_line() -> None:
    found = chunks(
        '[\n{"headline": "a"},\n5,\n{\n"headline": "b", "split": "dev"}\n,{"headline": ["c"]}, {"headline": "d"}]'
    )
    assert headlines(found) == ["a", "d"]
    assert reasons(found) == [
        "a.json, line 3: a int; each element must be one JSON object",
        'a.json, line 4: split: is "dev"; use "train", "test" or nothing',
        "a.json, line 6: headline: is a list; it must be a string",
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "line 1: neither an array nor an object"),
        ("5", "line 1: neither an array nor an object"),
        ("{}", "line 1: an object without anything in it"),
        ('[{"headline": "a"}\n{"headline": "b"}]', 'line 2: not JSON: "{" where "," belongs'),
        ('[{"headline": "a"},\n{"headline": \n oops}]', "line 3: not JSON: Expecting value"),
        ('[{"headline": "a"}', 'line 1: not JSON: the end where "," belongs'),
        ('[{"headline": "a"}] [', "line 1: more behind the end of the first value"),
        ('{"headline": "a"}\n{"headline": "b"}', "line 2: more behind the end of the first value"),
        ('{"articles": [{"headline": "a"}]\n', 'line 2: not JSON: the end where "," belongs'),
        ('{"articles": [{"headline": "a"}], "next": oops}', "line 1: not JSON: Expecting value"),
        ('[{"headline": "a", "x": NaN}]', "line 1: not JSON: NaN is no number in JSON; write null"),
        ("[" * 100_000, "line 1: nested too deeply"),
        (b'[{"headline": "caf\xe9"}]', "is not UTF-8"),
    ],
)
def test_what_is_not_json_is_an_error_with_its_line(data: bytes | str, problem: str) -> None:
    with pytest.raises(FormatError) as caught:
        chunks(data)
    assert problem in str(caught.value)
    assert str(caught.value).startswith("a.json")


def test_long_files_come_in_batches_with_their_lines() -> None:
    rows = [{"headline": f"{number}", "body": "x" * 400} for number in range(BATCH_ROWS + 5)]
    rows[-1]["split"] = "dev"
    found = chunks(json.dumps(rows, indent=1))
    assert headlines(found) == [row["headline"] for row in rows[:-1]]
    assert [one.line for chunk in found for one in chunk.rejected] == [2 + 4 * (BATCH_ROWS + 4)]


@given(st.binary(max_size=200), st.integers(0, 60))
def test_no_input_crashes(data: bytes, at: int) -> None:
    good = b'[{"headline": "a", "x": [1, {"y": null}]}, {"headline": "b\\u00e9"}]'
    for content in (data, good[:at] + data[:3] + good[at:], good[:at]):
        try:
            chunks(content)
        except NewsdeskError as error:
            assert str(error).startswith("a.json")  # noqa: PT017

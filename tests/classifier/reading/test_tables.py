"""CSV, TSV, JSON Lines, Parquet and Arrow: what is read, and how bad input is named."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import tracemalloc
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article, article_schema
from classifier.errors import FormatError, NewsdeskError
from classifier.reading import COMPRESSIONS, read_source
from classifier.reading.base import BATCH_ROWS, Chunk, ReadOptions, Source, box_schema
from classifier.reading.columnar import read_parquet
from classifier.reading.compressed import DECOMPRESSORS
from classifier.reading.rows import concat

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".arrows")
KNOWN_NULLS = dict.fromkeys(article_schema().names)


def chunks(data: bytes | str, name: str, **options: Any) -> list[Chunk]:
    content = data.encode() if isinstance(data, str) else data
    source = Source(name, lambda: nullcontext(io.BytesIO(content)))
    return list(read_source(source, ReadOptions(**options)))


def articles(data: bytes | str, name: str, **options: Any) -> list[dict[str, Any]]:
    """The rows of the articles, without nulls and lines."""
    found: list[pa.RecordBatch] = [
        chunk.articles for chunk in chunks(data, name, **options) if chunk.articles is not None
    ]
    rows = concat(found).to_pylist()
    return [{key: value for key, value in row.items() if value is not None and key != "line"} for row in rows]


def reasons(data: bytes | str, name: str, **options: Any) -> list[str]:
    return [str(one) for chunk in chunks(data, name, **options) for one in chunk.rejected]


def columnar(table: pa.Table, name: str) -> bytes:
    sink = io.BytesIO()
    if name.endswith(".parquet"):
        pq.write_table(table, sink)
    else:
        new = pa.ipc.new_stream if name.endswith(".arrows") else pa.ipc.new_file
        with new(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def encoded(columns: dict[str, list[Any]], name: str) -> bytes:
    """A small table in the format of the name's suffix."""
    if name.endswith((".csv", ".tsv")):
        separator = "," if name.endswith(".csv") else "\t"
        rows = [list(columns), *zip(*columns.values(), strict=True)]
        lines = [separator.join("" if value is None else str(value) for value in row) for row in rows]
        return "\n".join(lines).encode()
    if name.endswith(".jsonl"):
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return "\n".join(json.dumps(row) for row in rows).encode()
    return columnar(pa.table(columns), name)


every_format = pytest.mark.parametrize("suffix", SUFFIXES)


# All formats


@every_format
def test_articles_with_their_file_and_other_columns(suffix: str) -> None:
    data = encoded(
        {
            "headline": ["Storm", "Calm"],
            "popularity": [3, None],
            "published_at": ["2031-04-01T12:00:00+09:00", None],
            "words": [120, 80],
            "desk": ["Metro", "World"],
        },
        "a" + suffix,
    )
    rows = articles(data, "a" + suffix)
    assert rows[0] == {
        "id": Article(headline="Storm").id,
        "headline": "Storm",
        "summary": "",
        "body": "",
        "popularity": 3.0,
        "published_at": datetime(2031, 4, 1, 3, tzinfo=UTC),
        "file": "a" + suffix,
        "words": 120,
        "desk": "Metro",
    }
    assert rows[1]["desk"] == "World"
    assert "popularity" not in rows[1]


@every_format
def test_a_column_that_names_files_is_kept(suffix: str) -> None:
    data = encoded({"headline": ["a", "b"], "file": ["pages/01.txt", None]}, "a" + suffix)
    assert [row["file"] for row in articles(data, "a" + suffix)] == ["pages/01.txt", "a" + suffix]


@every_format
def test_every_article_knows_its_line_or_row(suffix: str) -> None:
    data = encoded({"headline": ["a", " ", "c"], "file": [None, None, "pages/01.txt"]}, "a" + suffix)
    (chunk,) = [one for one in chunks(data, "a" + suffix) if one.articles]
    first = 2 if suffix in (".csv", ".tsv") else 1
    assert chunk.articles is not None
    assert chunk.articles["line"].to_pylist() == [first, None]
    (chunk,) = [one for one in chunks(data, "a" + suffix, ignore=frozenset({"line"})) if one.articles]
    assert chunk.articles is not None
    assert "line" not in chunk.articles.schema.names
    own = encoded({"headline": ["a"], "line": ["Metro"]}, "a" + suffix)
    (chunk,) = [one for one in chunks(own, "a" + suffix) if one.articles]
    assert chunk.articles is not None
    assert chunk.articles["line"].to_pylist() == ["Metro"]


@every_format
def test_columns_are_mapped_and_dropped(suffix: str) -> None:
    data = encoded({"title": ["a"], "headline": ["other"], "views": [7], "split": ["train"]}, "a" + suffix)
    options = {"columns": {"headline": "title", "popularity": "views"}, "ignore": frozenset({"split"})}
    (row,) = articles(data, "a" + suffix, **options)
    assert (row["headline"], row["popularity"]) == ("a", 7.0)
    assert not {"title", "views", "split"} & row.keys()


@every_format
def test_a_mapped_column_that_is_not_there_is_an_error_with_the_closest(suffix: str) -> None:
    data = encoded({"body": ["a"], "Title": ["b"]}, "a" + suffix)
    with pytest.raises(FormatError) as caught:
        chunks(data, "a" + suffix, columns={"headline": "titel"})
    assert str(caught.value) == (
        f'a{suffix}: no column "titel" to take headline from; found "body", "Title"; did you mean "Title"?'
    )


@every_format
def test_a_table_without_text_and_key_lists_its_columns_and_how_to_map(suffix: str) -> None:
    data = encoded({"views": [5], "title": ["b"]}, "a" + suffix)
    with pytest.raises(FormatError) as caught:
        chunks(data, "a" + suffix)
    assert str(caught.value) == (
        f'a{suffix}: no column headline, summary or body; found "views", "title"; '
        'say which column holds what, such as --column "headline=title"'
    )


@every_format
def test_a_bad_row_is_named_and_the_others_stay(suffix: str) -> None:
    data = encoded({"headline": ["a", "b", "c"], "split": ["train", "dev", None]}, "a" + suffix)
    assert [row["headline"] for row in articles(data, "a" + suffix)] == ["a", "c"]
    place = {".csv": "line 3", ".tsv": "line 3", ".jsonl": "line 2"}.get(suffix, "row 2")
    assert reasons(data, "a" + suffix) == [
        f'a{suffix}, {place}: split: is "dev"; use "train", "test" or nothing'
    ]


@every_format
def test_many_rows_come_in_batches_and_are_numbered_throughout(suffix: str) -> None:
    count = BATCH_ROWS + 10
    data = encoded({"headline": ["a"] * (count - 1) + [" "], "n": list(range(count))}, "a" + suffix)
    found = chunks(data, "a" + suffix)
    batches = [chunk.articles for chunk in found if chunk.articles is not None]
    assert max(map(len, batches)) == BATCH_ROWS
    assert sum(map(len, batches)) == count - 1
    (rejected,) = [one for chunk in found for one in chunk.rejected]
    assert rejected.line == count + (suffix in (".csv", ".tsv"))


@every_format
def test_ranking_boxes_are_checked(suffix: str) -> None:
    data = encoded(
        {
            "list": ["World", None, "*", "*", "*", "*"],
            "rank": [1, 2, 0, 1, 1, 2],
            "headline": ["a", "b", "c", None, "e", "f"],
            "taken_at": ["2031-04-01T12:00:00Z"] * 4 + ["soon", None],
            "other": ["x"] * 6,
        },
        "a" + suffix,
    )
    (chunk,) = [chunk for chunk in chunks(data, "a" + suffix) if chunk.boxes is not None]
    assert chunk.articles is None
    assert chunk.boxes.schema.names == [*box_schema().names, "file"]
    assert chunk.boxes.drop_columns(["file"]).schema == box_schema()
    assert chunk.boxes.select(["list", "rank", "headline", "file"]).to_pylist() == [
        {"list": "World", "rank": 1, "headline": "a", "file": "a" + suffix},
        {"list": "*", "rank": 2, "headline": "f", "file": "a" + suffix},
    ]
    texts = [str(one).split(": ", 1)[1] for one in chunk.rejected]
    assert texts == [
        'list: is empty; name the section or outlet, or "*" for the whole site',
        "rank: is 0; it must be a whole number, 1 for the top",
        "headline: is empty; a ranking box needs the title that it lists",
        'taken_at: "soon" is not a time; write it like 2022-02-02T11:36:00+09:00',
    ]


@every_format
def test_boxes_without_a_time_get_the_one_that_is_given(suffix: str) -> None:
    data = encoded({"list": ["*"], "rank": [1], "headline": ["a"]}, "a" + suffix)
    noon = datetime(2031, 4, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    (chunk,) = [one for one in chunks(data, "a" + suffix, taken_at=noon) if one.boxes]
    assert chunk.boxes is not None
    assert chunk.boxes["taken_at"].to_pylist() == [noon]
    (chunk,) = [one for one in chunks(data, "a" + suffix) if one.boxes]
    assert chunk.boxes is not None
    assert chunk.boxes["taken_at"].to_pylist() == [None]


@every_format
def test_boxes_without_titles_are_an_error(suffix: str) -> None:
    data = encoded({"list": ["*"], "rank": [1], "title": ["a"]}, "a" + suffix)
    with pytest.raises(FormatError, match=r'without "headline".*--column headline=title'):
        chunks(data, "a" + suffix)


@every_format
def test_labels_are_typed_and_checked(suffix: str) -> None:
    data = encoded(
        {
            "url": ["u1", None, "u3", "u4"],
            "popularity": [5, 6, 7, 8],
            "split": ["train", None, "dev", None],
            "section": [1, 2, 3, 4],
            "words": [10, 20, 30, 40],
        },
        "a" + suffix,
    )
    # A mapping that only another file needs is no error here.
    (chunk,) = [one for one in chunks(data, "a" + suffix, columns={"headline": "title"}) if one.labels]
    assert chunk.articles is None
    assert chunk.labels is not None
    assert chunk.labels.to_pylist() == [
        {"url": "u1", "popularity": 5.0, "split": "train", "section": "1", "words": 10},
        {"url": "u4", "popularity": 8.0, "split": None, "section": "4", "words": 40},
    ]
    assert [str(one).split(": ", 1)[1] for one in chunk.rejected] == [
        "url: is missing; the rows of a label table are joined by url",
        'split: is "dev"; use "train", "test" or nothing',
    ]


@given(st.binary(max_size=300), st.sampled_from((*SUFFIXES, ".jsonl.gz", ".csv.zst")))
def test_arbitrary_bytes_never_crash(data: bytes, suffix: str) -> None:
    with_header = data if suffix in (".parquet", ".arrow", ".arrows") else b"headline,desk\n" + data
    for content in (data, with_header):
        try:
            chunks(content, "a" + suffix)
        except NewsdeskError as error:
            assert str(error).startswith("a" + suffix)  # noqa: PT017


_SAMPLES = {
    suffix: encoded(
        {"headline": ["Storm", "Calm"] * 20, "n": [1, 2] * 20, "id": ["a", None] * 20}, "a" + suffix
    )
    for suffix in SUFFIXES
}


@given(st.sampled_from(SUFFIXES), st.data())
def test_damaged_files_never_crash(suffix: str, data: st.DataObject) -> None:
    content = bytearray(_SAMPLES[suffix])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    try:
        chunks(bytes(content[:cut]), "a" + suffix)
    except NewsdeskError as error:
        assert str(error).startswith("a" + suffix)  # noqa: PT017


# CSV and TSV


def test_empty_values_are_null_but_in_texts() -> None:
    (row,) = articles("headline,body,section,desk\na,,,\n", "a.csv")
    assert row["body"] == ""
    assert not {"section", "desk"} & row.keys()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_header_tells_the_separator(separator: str) -> None:
    data = f'\ufeffheadline{separator}desk\r\n"a{separator} ""b""\nc"{separator}x\r\n'
    (row,) = articles(data, "a.csv")
    assert (row["headline"], row["desk"]) == (f'a{separator} "b"\nc', "x")


@pytest.mark.parametrize(
    ("values", "typed"),
    [
        (["1", "-20"], [1, -20]),
        (["1", "2.5"], [1.0, 2.5]),
        (["1e+20", "0.5"], [1e20, 0.5]),
        (["true", "False"], [True, False]),
        (["007", "12"], ["007", "12"]),
        (["1e5", "2"], ["1e5", "2"]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
        (["nan", "1.5"], ["nan", "1.5"]),
    ],
)
def test_other_columns_get_the_type_that_they_are_written_in(values: list[str], typed: list[Any]) -> None:
    data = "headline,x\n" + "".join(f"a,{value}\n" for value in values)
    found = [row["x"] for row in articles(data, "a.csv")]
    assert found == typed
    assert list(map(type, found)) == list(map(type, typed))


def test_a_type_stays_the_same_from_batch_to_batch() -> None:
    lines = ["a,1.5"] * BATCH_ROWS + ["a,2"] * BATCH_ROWS + ["a,"] * 5
    found = chunks("headline,x\n" + "\n".join(lines), "a.csv")
    kinds = {chunk.articles.schema.field("x").type for chunk in found if chunk.articles is not None}
    assert kinds == {pa.float64()}


def test_rows_are_named_by_the_line_on_which_they_begin() -> None:
    data = 'headline,popularity\n"a\nb",1\n\n"c\nd",many\ne,2,3\n"f"g,4\nh,5\n'
    assert [row["headline"] for row in articles(data, "a.csv")] == ["a\nb", "h"]
    assert reasons(data, "a.csv") == [
        'a.csv, line 5: popularity: "many" is not a number; write it like 1234 or 12.5',
        "a.csv, line 7: 3 values, but the header names 2 columns; "
        "put values that hold separators or line breaks into quotation marks",
        "a.csv, line 8: text behind a closing quotation mark; "
        'write quotation marks inside of values twice ("")',
    ]


def test_a_row_that_is_not_utf8_is_rejected_alone() -> None:
    data = "headline,desk\nà,x\ncaf#,y\nb,é#\nç,é\nü,öé\n".encode().replace(b"#", b"\xff")
    assert [row["headline"] for row in articles(data, "a.csv")] == ["à", "ç", "ü"]
    assert reasons(data, "a.csv") == [
        "a.csv, line 3: headline: is not UTF-8; save the file as UTF-8",
        "a.csv, line 4: desk: is not UTF-8; save the file as UTF-8",
    ]


def test_a_quotation_mark_that_nothing_closes_is_an_error_at_its_line() -> None:
    with pytest.raises(FormatError) as caught:
        chunks('headline,desk\na,x\n"b,y\nc,z\n', "a.csv")
    assert str(caught.value) == (
        "a.csv, line 3: a quotation mark opens a value here that nothing closes; "
        'close it, or write quotation marks inside of quoted values twice ("")'
    )


def test_long_texts_are_read() -> None:
    (row,) = articles("headline,body\na," + "b" * 200_000 + "\n", "a.csv")
    assert len(row["body"]) == 200_000


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "there is no header line"),
        (b"\n\n", "there is no header line"),
        ("\0\0\0headline,body\na,b", "the first line is not UTF-8 text"),
        (b"headline,desk,desk\na,b,c", 'the column "desk" is there more than once'),
    ],
)
def test_a_bad_header_is_an_error(data: bytes, problem: str) -> None:
    with pytest.raises(FormatError) as caught:
        chunks(data, "a.csv")
    assert str(caught.value).startswith(f"a.csv: {problem}; ")


def test_columns_without_a_name_are_left_out() -> None:
    assert articles(",headline,\n0,a,x\n", "a.csv") == [
        {"id": Article(headline="a").id, "headline": "a", "summary": "", "body": "", "file": "a.csv"}
    ]


def test_sections_are_a_json_list() -> None:
    data = 'headline,sections\na,"[""x"", ""y""]"\nb,x\n'
    assert articles(data, "a.csv")[0]["sections"] == ["x", "y"]
    assert reasons(data, "a.csv") == [
        'a.csv, line 3: sections: "x" is not a list of strings; write it like ["Politics", "World"], '
        'or use the column "section" for a single one'
    ]


# JSON Lines


def test_one_bad_line_rejects_only_that_line() -> None:
    lines = [
        b'\xef\xbb\xbf{"headline": "a"}',
        b"{",
        b"",
        b"[1]",
        b'{"headline": "caf\xe9"}',
        b'{"headline": "b", "x": NaN}',
        b'{"headline": "c", "popularity": 1e999}',
        b'{"headline": ["d"]}',
        b'{"headline": "e\\ud800"}',
        b'{"headline": "f", "desk": "\\ud800"}',
        b'{"headline": "g", "\\ud800": 1}',
        b'{"headline": "h", "popularity": 1' + b"0" * 400 + b"}",
        b"[" * 100_000,
        b'{"headline": "i", "published_at": 5}',
        b'{"headline": "z"}\r',
    ]
    data = b"\n".join(lines)
    assert [row["headline"] for row in articles(data, "a.jsonl")] == ["a", "z"]
    assert [text.split(";")[0] for text in reasons(data, "a.jsonl")] == [
        "a.jsonl, line 2: not JSON at character 2: Expecting property name enclosed in double quotes",
        "a.jsonl, line 4: a list",
        "a.jsonl, line 5: not UTF-8 at byte 18",
        "a.jsonl, line 6: NaN is no number in JSON",
        "a.jsonl, line 7: popularity: is inf",
        "a.jsonl, line 8: headline: is a list",
        "a.jsonl, line 9: headline: holds half of a surrogate pair, which is no character at position 1",
        "a.jsonl, line 10: desk: holds half of a surrogate pair, which is no character",
        "a.jsonl, line 11: '\\ud800': this name is not Unicode text",
        "a.jsonl, line 12: popularity: is too large",
        "a.jsonl, line 13: nested too deeply",
        "a.jsonl, line 14: published_at: is a int",
    ]


def test_numbers_for_text_and_flags_for_counts_are_read() -> None:
    lines = [
        {"headline": "a", "id": 5, "section": 1.5, "popularity": True, "x": {"b": [1]}},
        {"headline": "b", "popularity": 2**60 + 1, "x": 3},
    ]
    first, second = articles("\n".join(map(json.dumps, lines)), "a.jsonl")
    assert (first["id"], first["section"], first["popularity"], first["x"]) == ("5", "1.5", 1.0, '{"b": [1]}')
    assert (second["popularity"], second["x"]) == (float(2**60 + 1), "3")


def test_an_empty_object_is_a_row_without_text() -> None:
    assert reasons('{"headline": "a"}\n{}\n', "a.jsonl")[0].startswith("a.jsonl, line 2: headline: ")
    late = '{"headline": "a"}\n' * BATCH_ROWS + "{}\n"
    assert reasons(late, "a.jsonl")[0].startswith(f"a.jsonl, line {BATCH_ROWS + 1}: headline: ")


def test_a_mapped_name_may_turn_up_late_but_must() -> None:
    early = '{"headline": "a"}\n' * BATCH_ROWS
    late = early + '{"headline": "b", "views": 3}\n'
    assert articles(late, "a.jsonl", columns={"popularity": "views"})[-1]["popularity"] == 3.0
    with pytest.raises(FormatError, match=r'no column "views" to take popularity from; found "headline"'):
        chunks(early + early, "a.jsonl", columns={"popularity": "views"})


def test_labels_do_not_become_articles_later() -> None:
    data = '{"url": "u", "popularity": 1}\n' * BATCH_ROWS
    with pytest.raises(FormatError, match=rf'line {BATCH_ROWS + 1}: here "headline" turns up'):
        chunks(data + '{"url": "u", "headline": "a"}\n', "a.jsonl")
    with pytest.raises(FormatError, match='here "id" turns up'):
        chunks(data + '{"id": "i"}\n', "a.jsonl")
    (text,) = reasons(data + '{"popularity": 2}\n', "a.jsonl")
    assert text.startswith(f"a.jsonl, line {BATCH_ROWS + 1}: url: is missing")


def test_too_many_names_are_an_error() -> None:
    with pytest.raises(FormatError, match="more than 2000 different names"):
        chunks(json.dumps({"headline": "a", **{f"x{n}": n for n in range(2001)}}), "a.jsonl")


def test_an_empty_file_has_no_rows() -> None:
    assert articles("", "a.jsonl") == []
    assert articles("\n \n", "a.jsonl") == []


# Compressed


def _zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def _lz4(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "lz4") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


COMPRESSORS = {
    ".gz": gzip.compress,
    ".zst": _zstd,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lz4": _lz4,
}


def test_every_compression_is_tested() -> None:
    assert set(COMPRESSORS) == set(COMPRESSIONS) == set(DECOMPRESSORS)


@pytest.mark.parametrize("suffix", [".jsonl.bz2", ".csv.xz"])
def test_members_padding_and_empty_input(suffix: str) -> None:
    end = suffix[-4:].lstrip(".")
    compress = COMPRESSORS["." + end.rpartition(".")[2]]
    line = b'{"headline": "a"}\n' if suffix.startswith(".jsonl") else b"headline\na\n"
    assert len(articles(compress(line) + bytes(8), "a" + suffix)) == 1
    with pytest.raises(FormatError, match="ends before its end mark"):
        chunks(b"", "a" + suffix)


def test_what_becomes_far_too_large_is_refused() -> None:
    bomb = COMPRESSORS[".zst"](b" " * (1 << 29))
    with pytest.raises(FormatError, match="becomes more than 500 times larger by decompression"):
        chunks(bomb, "a.jsonl.zst")


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSORS.items())
def test_compressed_text_is_read_and_damage_named(suffix: str, compress: Callable[[bytes], bytes]) -> None:
    plain = b'{"headline": "a"}\n' * 1000
    assert len(articles(compress(plain) + compress(plain), "a.jsonl" + suffix)) == 2000
    assert len(articles(compress(b"headline,x\na,b\n"), "a.csv" + suffix)) == 1
    for damaged in (compress(plain)[:-9], plain):
        with pytest.raises(FormatError) as caught:
            chunks(damaged, "a.jsonl" + suffix)
        assert str(caught.value).startswith(f"a.jsonl{suffix}: cannot be decompressed: ")
        assert str(caught.value).endswith(f"is it a whole {suffix} file?")


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSORS.items())
def test_damaged_files_leave_no_memory_behind(suffix: str, compress: Callable[[bytes], bytes]) -> None:
    damaged = compress(b'{"headline": "a"}\n' * 1000)[:-9]

    def refuse() -> None:
        with pytest.raises(FormatError, match="cannot be decompressed"):
            chunks(damaged, "a.jsonl" + suffix)

    refuse()  # what is imported and kept
    tracemalloc.start()
    try:
        for _ in range(5):
            refuse()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1 << 20


# Parquet and Arrow


@pytest.mark.parametrize("nested", [False, True])
def test_a_type_that_pyarrow_cannot_read_is_named(nested: bool) -> None:
    interval = pa.array([(1, 2, 3)], pa.month_day_nano_interval())
    column = pa.StructArray.from_arrays([interval], ["y"]) if nested else interval
    data = columnar(pa.table({"headline": ["a"], "x": column}), "a.arrows")
    # The unit of the interval, which PyArrow itself does not write: months.
    at = next(at for at in range(len(data)) if "month_interval" in str(_type_with(data, at)))
    months = data[:at] + b"\0" + data[at + 1 :]
    with pytest.raises(
        FormatError, match=r'a\.arrow: the column "x" is of type .*month_interval.*--ignore x'
    ):
        chunks(months, "a.arrow")
    assert len(articles(months, "a.arrow", ignore=frozenset(("x",)))) == 1


def _type_with(data: bytes, at: int) -> pa.DataType | None:
    """The type of the column "x" where the byte is 0; None where that is no table."""
    try:
        return pa.ipc.open_stream(data[:at] + b"\0" + data[at + 1 :]).schema.field("x").type
    except (pa.ArrowException, KeyError, OSError, UnicodeDecodeError):
        return None


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
def test_typed_columns_are_read(suffix: str) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    noon = datetime(2031, 4, 1, 12, tzinfo=tokyo)
    table = pa.table(
        {
            "id": pa.array([7]),
            "headline": pa.array(["a"], pa.large_string()),
            "section": pa.array(["s"]).dictionary_encode(),
            "sections": pa.array([["x", "y"]]),
            "published_at": pa.array([noon]),
            "popularity": pa.array([3], pa.int32()),
            "vector": pa.array([[0.5, 1.5]]),
        }
    )
    (chunk,) = chunks(columnar(table, "a" + suffix), "a" + suffix)
    assert chunk.articles is not None
    assert chunk.articles.schema.field("published_at").type == pa.timestamp("us", tz="Asia/Tokyo")
    (row,) = chunk.articles.to_pylist()
    assert {name: value for name, value in row.items() if value is not None} == {
        "id": "7",
        "headline": "a",
        "summary": "",
        "body": "",
        "section": "s",
        "sections": ["x", "y"],
        "published_at": noon,
        "popularity": 3.0,
        "file": "a" + suffix,
        "line": 1,
        "vector": [0.5, 1.5],
    }


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
def test_text_that_is_not_utf8_rejects_its_row(suffix: str) -> None:
    good = pa.array(["a", "caf\u00e9", "c"])
    offsets, data = good.buffers()[1:]
    broken = data.to_pybytes().replace(b"\xc3", b"\xff")
    text = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(broken))
    content = columnar(pa.table({"headline": text, "desk": text}), "a" + suffix)
    assert [row["headline"] for row in articles(content, "a" + suffix)] == ["a", "c"]
    assert reasons(content, "a" + suffix) == [
        f"a{suffix}, row 2: headline: is not UTF-8 at byte 3; convert the file to UTF-8"
    ]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
def test_a_file_that_is_not_what_its_name_says_is_named(suffix: str) -> None:
    for data in (b"", b"headline\na\n", columnar(pa.table({"headline": ["a"]}), "a" + suffix)[:-20]):
        if suffix == ".arrows" and data.startswith(b"\xff"):
            continue  # a stream may end anywhere between two batches
        with pytest.raises(FormatError, match=rf"^a{suffix}: not an? (Parquet|Arrow) file"):
            chunks(data, "a" + suffix)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
def test_a_column_of_the_wrong_type_is_named(suffix: str) -> None:
    content = columnar(pa.table({"headline": ["a"], "section": [["b"]]}), "a" + suffix)
    with pytest.raises(FormatError, match=rf'^a{suffix}: the column "section" is of type list<'):
        chunks(content, "a" + suffix)
    assert len(articles(content, "a" + suffix, ignore=frozenset({"section"}))) == 1


class _Kept(bytearray):
    """Bytes that were read, as long as somebody holds them."""


class _Watched(io.FileIO):
    """A file that knows how much of what was read from it is still held."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._given: list[weakref.ref[_Kept]] = []

    def read(self, size: int | None = -1, /) -> bytes:
        block = _Kept(super().read(size))
        self._given.append(weakref.ref(block))
        return block  # type: ignore[return-value]

    @property
    def held(self) -> int:
        return sum(len(block) for one in self._given if (block := one()) is not None)


def test_of_a_parquet_file_only_what_is_being_read_is_held(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    chance = random.Random(0)
    bodies = [f"{chance.getrandbits(1000):x}" for _ in range(6 * BATCH_ROWS)]
    pq.write_table(pa.table({"body": bodies}), path, row_group_size=BATCH_ROWS // 4)
    with _Watched(path) as stream:
        source = Source("a.parquet", lambda: nullcontext(stream))
        held = [stream.held for _ in read_parquet(source, ReadOptions())]
    assert stream.held <= max(held) < path.stat().st_size / 3

"""Articles to batches and back, tables from different batches, and the column-wise check against the one-by-one check."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article, article_schema
from classifier.errors import FieldError, FormatError
from classifier.reading.base import ReadOptions, box_schema
from classifier.reading.rows import Where, check_batch, concat, to_articles, to_batch, to_box_batch
from classifier.reading.string_bytes import begins_with_text, holds_nul

TOKYO = ZoneInfo("Asia/Tokyo")
NOON = datetime(2031, 4, 1, 12, tzinfo=TOKYO)
OPTIONS = ReadOptions()
WHERE = Where("a.parquet")


def batch_of(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def check(batch: pa.RecordBatch, **options: Any) -> tuple[pa.RecordBatch, list[str]]:
    good, rejected = check_batch(batch, ReadOptions(**options), WHERE)
    return good, [str(one) for one in rejected]


# to_batch, to_articles


def test_columns_stand_in_order() -> None:
    batch = to_batch([Article(headline="Storm", extra={"desk": "Metro", "words": 120})], file=["01.txt"])
    assert batch.schema.names == [*article_schema().names, "file", "desk", "words"]
    assert batch.schema.field("words").type == pa.int64()
    assert batch.schema.field("desk").type == pa.string()


def test_the_file_given_goes_before_an_extra_value_of_that_name() -> None:
    batch = to_batch([Article(headline="Storm", extra={"file": "old.txt"})], file=["01.txt"])
    assert batch["file"].to_pylist() == ["01.txt"]


@pytest.mark.parametrize(
    ("times", "zone"),
    [
        ([NOON, None], "Asia/Tokyo"),
        ([NOON, NOON.astimezone(ZoneInfo("Europe/Berlin"))], "UTC"),
        ([datetime(2031, 4, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))], "-03:30"),
        ([datetime(2031, 4, 1, tzinfo=UTC)], "UTC"),
        ([datetime(2031, 4, 1, tzinfo=timezone(timedelta(seconds=30)))], "UTC"),
        ([None], "UTC"),
    ],
)
def test_times_keep_the_zone_that_all_share(times: list[datetime | None], zone: str) -> None:
    batch = to_batch([Article(headline="a", published_at=time) for time in times])
    assert batch.schema.field("published_at").type == pa.timestamp("us", tz=zone)
    assert batch["published_at"].to_pylist() == times


def test_mixed_and_nested_extra_values_become_text() -> None:
    values = [1, "a", {"b": [1]}, [2.5, None], True]
    batch = to_batch([Article(headline="a", extra={"x": value}) for value in values])
    assert batch["x"].to_pylist() == ["1", "a", '{"b": [1]}', "[2.5, null]", "true"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None], pa.int64()),
        ([1, 2.5], pa.float64()),
        ([True, None], pa.bool_()),
        ([date(2031, 4, 1)], pa.date32()),
        ([NOON], pa.timestamp("us", tz="Asia/Tokyo")),
        ([NOON.replace(tzinfo=None)], pa.timestamp("us")),
        ([NOON, NOON.replace(tzinfo=None)], pa.string()),
        ([2**70], pa.string()),
        ([Decimal("1.5")], pa.decimal128(2, 1)),
    ],
)
def test_extra_values_are_typed(values: list[Any], kind: pa.DataType) -> None:
    batch = to_batch([Article(headline="a", extra={"x": value}) for value in values])
    assert batch.schema.field("x").type == kind


def test_half_of_a_surrogate_pair_is_named() -> None:
    with pytest.raises(FieldError, match="desk: holds half of a surrogate pair"):
        to_batch([Article(headline="a", extra={"desk": "\ud800"})])


def test_articles_come_back() -> None:
    articles = [
        Article(id="1", headline="a", sections=("x", "y"), published_at=NOON, popularity=3.0, extra={"n": 1}),
        Article(id="2", body="b", section="s", split="test", language="en", source="t", url="u"),
    ]
    assert to_articles(to_batch(articles), OPTIONS) == articles


def test_nanoseconds_come_back_as_python_times() -> None:
    batch = batch_of(headline=["a"], published_at=pa.array([1], pa.timestamp("ns", tz="UTC")))
    assert type(to_articles(batch)[0].published_at) is datetime


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"headline": ["a", " "]}, "row 2: headline: headline, summary and body are all empty"),
        ({"headline": ["a"], "id": [5]}, "row 1: id: is a int; it must be a string"),
        ({"headline": ["a"], "published_at": ["soon"]}, 'row 1: published_at: "soon" is not a time'),
    ],
)
def test_a_wrong_row_is_named(columns: dict[str, Any], text: str) -> None:
    with pytest.raises(FieldError) as caught:
        to_articles(batch_of(**columns))
    assert str(caught.value).startswith(text)


def test_box_rows_become_a_batch() -> None:
    row = {
        "list": "World",
        "taken_at": NOON,
        "rank": 1,
        "headline": "a",
        "article_id": None,
        "file": "01.txt",
    }
    batch = to_box_batch([row])
    assert batch.schema.names == [*box_schema().names, "file"]
    assert batch.schema.field("taken_at").type == pa.timestamp("us", tz="Asia/Tokyo")
    assert batch.to_pylist() == [row]
    assert to_box_batch([]).schema == box_schema()


# concat


def test_concat_fills_missing_columns_and_unifies_types() -> None:
    table = concat([batch_of(a=[1], n=[1], s=["x"]), batch_of(a=[2], n=[1.5], s=[7]), batch_of(b=["z"])])
    assert table.to_pydict() == {
        "a": [1, 2, None],
        "n": [1.0, 1.5, None],
        "s": ["x", "7", None],
        "b": [None, None, "z"],
    }


def test_a_batch_without_values_has_no_say_in_the_type() -> None:
    empty = batch_of(n=pa.nulls(1, pa.string()), published_at=pa.nulls(1, pa.timestamp("us", tz="UTC")))
    full = batch_of(n=[5], published_at=pa.array([NOON]))
    table = concat([empty, full])
    assert table.schema.field("n").type == pa.int64()
    assert table.schema.field("published_at").type == pa.timestamp("us", tz="Asia/Tokyo")


def test_zones_that_differ_become_utc() -> None:
    berlin = NOON.astimezone(ZoneInfo("Europe/Berlin"))
    table = concat([batch_of(published_at=[NOON]), batch_of(published_at=[berlin])])
    assert table.schema.field("published_at").type == pa.timestamp("us", tz="UTC")
    assert table["published_at"].to_pylist() == [NOON, NOON]


def test_concat_of_nothing_is_an_empty_article_table() -> None:
    assert concat([]) == article_schema().empty_table()


# check_batch: types


@pytest.mark.parametrize(
    "kind",
    [
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.binary(),
        pa.large_binary(),
    ],
)
def test_text_of_every_type_is_read(kind: pa.DataType) -> None:
    text = pa.array(["Sturm über Köln", None, "b"], pa.string())
    text = text.dictionary_encode() if pa.types.is_dictionary(kind) else text.cast(kind)
    good, bad = check(batch_of(headline=text, body=["x", "y", "z"]))
    assert good["headline"].to_pylist() == ["Sturm über Köln", "", "b"]
    assert good["headline"].type == pa.string()
    assert bad == []


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([12, None]), ["12", None]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([12.0, 1.5]), ["12", "1.5"]),
    ],
)
def test_numbers_and_flags_become_text(column: pa.Array, values: list[str | None]) -> None:
    good, _ = check(batch_of(headline=["a", "b"], section=column))
    assert good["section"].to_pylist() == values


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([1, None], pa.uint64()), [1.0, None]),
        (pa.array([True, False]), [1.0, 0.0]),
        (pa.array([Decimal("1.5"), None]), [1.5, None]),
        (pa.array(["12", " 1e3 "]), [12.0, 1000.0]),
        (pa.array(["true", ""]), [1.0, None]),
        (pa.array([1.5, None], pa.float32()), [1.5, None]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_popularity_becomes_a_float(column: pa.Array, values: list[float | None]) -> None:
    good, bad = check(batch_of(headline=["a", "b"], popularity=column))
    assert good["popularity"].to_pylist() == values
    assert good["popularity"].type == pa.float64()
    assert bad == []


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_every_unit_keep_their_zone(unit: str) -> None:
    column = pa.array([NOON]).cast(pa.timestamp(unit, tz="Asia/Tokyo"))
    good, _ = check(batch_of(headline=["a"], published_at=column))
    assert good["published_at"].type == pa.timestamp("us", tz="Asia/Tokyo")
    assert good["published_at"].to_pylist() == [NOON]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([datetime(2031, 4, 1)]),  # noqa: DTZ001
        pa.array(["2031-04-01T00:00:00"]),
        pa.array([date(2031, 4, 1)]),
    ],
)
def test_times_without_zone_are_read_in_the_one_given_or_rejected(column: pa.Array) -> None:
    batch = batch_of(headline=["a"], published_at=column)
    good, bad = check(batch, timezone=TOKYO)
    assert good["published_at"].to_pylist() == [datetime(2031, 4, 1, tzinfo=TOKYO)]
    assert good["published_at"].type == pa.timestamp("us", tz="Asia/Tokyo")
    assert bad == []
    good, bad = check(batch)
    assert len(good) == 0
    assert bad == [
        "a.parquet, row 1: published_at: 2031-04-01T00:00:00 has no time zone; "
        'add one (+09:00, Z) or set [data] timezone = "Asia/Tokyo" (--timezone)'
    ]


def test_a_skipped_hour_is_read_as_python_reads_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    local = datetime(2031, 3, 30, 2, 30)  # noqa: DTZ001
    good, _ = check(batch_of(headline=["a"], published_at=[local]), timezone=berlin)
    assert good["published_at"].to_pylist() == [local.replace(tzinfo=berlin).astimezone(UTC)]


@pytest.mark.parametrize(
    ("ticks", "kind"),
    [
        (2**62, pa.timestamp("us", tz="UTC")),
        (-(2**62), pa.timestamp("s", tz="UTC")),
        (253_402_300_799, pa.timestamp("s", tz="Asia/Tokyo")),
        (2**62, pa.timestamp("ms")),
    ],
)
def test_times_outside_the_calendar_are_rejected(ticks: int, kind: pa.DataType) -> None:
    batch = batch_of(headline=["a", "b", "c"], published_at=pa.array([0, ticks, None], kind))
    good, bad = check(batch, timezone=UTC)
    assert good["headline"].to_pylist() == ["a", "c"]
    assert bad == ["a.parquet, row 2: published_at: lies outside the calendar"]


def test_sections_are_read_from_lists_and_json() -> None:
    lists = [["x", "x", "", None, "y"], [], None]
    kinds = [pa.list_(pa.large_string()), pa.large_list(pa.string()), pa.list_(pa.string_view())]
    columns = [*(pa.array(lists, kind) for kind in kinds), pa.array(['["x", "x", "", null, "y"]', "[]", ""])]
    for column in columns:
        good, bad = check(batch_of(headline=["a", "b", "c"], sections=column))
        assert good["sections"].to_pylist() == [["x", "y"], [], None]
        assert good["sections"].type == pa.list_(pa.string())
        assert bad == []


@pytest.mark.parametrize(
    ("name", "column", "kind"),
    [
        ("headline", pa.array([["a"]]), "list<item: string>"),
        ("section", pa.array([{"a": 1}]), "struct<a: int64>"),
        ("popularity", pa.array([["a"]]), "list<item: string>"),
        ("published_at", pa.array([5]), "int64"),
        ("sections", pa.array([5]), "int64"),
        ("sections", pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())), "map<string, string>"),
    ],
)
def test_a_type_that_cannot_be_read_is_named(name: str, column: pa.Array, kind: str) -> None:
    batch = pa.RecordBatch.from_pydict({"summary": ["a"], name: column})
    with pytest.raises(FormatError) as caught:
        check(batch)
    text = str(caught.value)
    assert text.startswith(f'a.parquet: the column "{name}" is of type {kind}')
    assert "it must be" in text


def test_sections_are_told_once_where_that_is_the_only_fault() -> None:
    good, _ = check(batch_of(headline=["a", "b"], sections=[["x", "x"], ["x"]]))
    assert good["sections"].to_pylist() == [["x"], ["x"]]


def test_digits_are_not_grouped() -> None:
    _, bad = check(batch_of(headline=["a", "b"], popularity=["1_000", "1,000"]))
    assert [text.split(";")[0] for text in bad] == [
        'a.parquet, row 1: popularity: "1_000" is not a number',
        'a.parquet, row 2: popularity: "1,000" is not a number',
    ]


def test_an_unknown_zone_is_named() -> None:
    column = pa.array([0], pa.timestamp("us", tz="Mars/Olympus"))
    with pytest.raises(FormatError, match='times in "Mars/Olympus", which is no time zone known here'):
        check(batch_of(headline=["a"], published_at=column))


# check_batch: rows


def test_bad_rows_are_named_by_row_or_line_and_the_others_stay() -> None:
    batch = batch_of(
        headline=["a", "\u2003", "c\0", "d", "e", "f", "g"],
        split=["train", "test", None, "dev", None, None, None],
        popularity=["1", "2", "3", "4", "many", "nan", None],
        sections=[None, None, None, None, None, None, ["x\0"]],
    )
    good, rejected = check_batch(batch, OPTIONS, Where("a.csv", lines=[2, 4, 6, 8, 10, 12, 14]))
    assert good["headline"].to_pylist() == ["a"]
    assert [one.line for one in rejected] == [4, 6, 8, 10, 12, 14]
    assert [one.file for one in rejected] == ["a.csv"] * 6
    assert [str(one) for one in rejected] == [
        "a.csv, line 4: headline: headline, summary and body are all empty; "
        "give at least one of them, or map your column names (headline = …)",
        "a.csv, line 6: headline: holds a NUL character at position 1; "
        "remove it or fix the encoding of the source",
        'a.csv, line 8: split: is "dev"; use "train", "test" or nothing',
        'a.csv, line 10: popularity: "many" is not a number; write it like 1234 or 12.5',
        "a.csv, line 12: popularity: is nan; leave it out where the count is unknown",
        "a.csv, line 14: sections: holds a NUL character at position 1; "
        "remove it or fix the encoding of the source",
    ]


def test_bytes_that_are_no_text_reject_their_row() -> None:
    _, bad = check(batch_of(headline=pa.array([b"ok", b"caf\xe9 x"])))
    assert bad == ["a.parquet, row 2: headline: is not UTF-8 at byte 3; convert the file to UTF-8"]


def test_missing_ids_are_the_content_id() -> None:
    good, _ = check(batch_of(id=["1", "", None], headline=["a", "b", "c"], url=["u", "v", None]))
    want = [Article(url="v").id, Article(headline="c").id]
    assert good["id"].to_pylist() == ["1", *want]
    good, _ = check(batch_of(body=["b"]))
    assert good["id"].to_pylist() == [Article(body="b").id]


def test_missing_columns_are_there_and_null_and_others_behind() -> None:
    good, _ = check(batch_of(desk=pa.array(["x"]).dictionary_encode(), headline=["a"], nothing=pa.nulls(1)))
    assert good.schema.names == [*article_schema().names, "desk", "nothing"]
    assert good.schema.field("desk").type == pa.string()
    assert good.schema.field("nothing").type == pa.string()
    assert pa.schema(list(good.schema)[:-2]) == article_schema()
    assert good["section"].to_pylist() == [None]


def test_a_batch_of_no_rows_passes() -> None:
    good, bad = check(batch_of(headline=pa.array([], pa.string())))
    assert (len(good), bad) == (0, [])


text = st.text(st.sampled_from("aé \u2003\x1c\x85\0\n"), max_size=3)
maybe_text = st.none() | text
# Fixed offsets: in the hour that clocks repeat, equal instants of different zones are unequal as Python values.
one_time = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-5))])
)
rows_strategy = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": maybe_text,
            "headline": maybe_text,
            "summary": maybe_text,
            "body": maybe_text,
            "section": maybe_text,
            "sections": st.none() | st.lists(maybe_text, max_size=4),
            "url": maybe_text,
            "split": st.sampled_from([None, "train", "test", "dev", ""]),
            "popularity": st.none() | st.floats() | st.integers(-(2**53), 2**53).map(float),
            "published_at": st.none() | one_time,
        },
    ),
    min_size=1,
    max_size=6,
)


@given(rows_strategy, st.integers(0, 2))
def test_the_batch_check_equals_the_check_one_by_one(rows: list[dict[str, Any]], offset: int) -> None:
    articles: list[Article] = []
    reasons: list[str] = []
    for number, row in enumerate(rows, 1):
        # In a table every row has every column, in one order.
        whole = {name: row.get(name) for name in article_schema().names}
        try:
            articles.append(Article.from_mapping(whole, where=f"a.parquet, row {number}"))
        except FieldError as error:
            reasons.append(str(error))
    padded = [{"headline": "padding"}] * offset + rows
    present = {"headline"}.union(*padded)
    schema = pa.schema([field for field in article_schema() if field.name in present])
    batch = pa.RecordBatch.from_pylist(padded, schema=schema).slice(offset)
    good, rejected = check_batch(batch, OPTIONS, WHERE)
    good.validate(full=True)
    assert to_articles(good) == articles
    assert len(rejected) == len(reasons)
    for one, reason in zip(rejected, reasons, strict=True):
        # Of a row with several faults either is told.
        assert one.reason == reason or one.reason.startswith(reason.split(":")[0])


@given(rows_strategy)
def test_articles_survive_the_table(rows: list[dict[str, Any]]) -> None:
    articles = []
    for row in rows:
        try:
            articles.append(Article.from_mapping({**row, "desk": json.dumps(len(row))}))
        except FieldError:
            continue
    assert to_articles(to_batch(articles)) == articles


# Questions to whole columns


@given(
    st.lists(st.none() | st.text(st.sampled_from("a\0 \t\n\u00a0\u3000\u2003\u1680é가あ")), max_size=6),
    st.integers(0, 3),
)
def test_bytes_answer_as_strings_do(texts: list[str | None], start: int) -> None:
    column = pa.array(texts, pa.string()).slice(start)
    texts = texts[start:]
    assert holds_nul(column) == any("\0" in (text or "") for text in texts)
    sure = begins_with_text(column).tolist()
    assert len(sure) == len(texts)
    assert all((text or "").strip() for text, one in zip(texts, sure, strict=True) if one)
    assert all(one for text, one in zip(texts, sure, strict=True) if (text or "").startswith(("a", "가")))


def test_a_column_may_lie_in_buffers_of_any_size() -> None:
    _, offsets, data = pa.array(["a\0", "b"]).buffers()
    column = pa.StringArray.from_buffers(2, pa.py_buffer(bytes(offsets)[:12] + b"x"), data)
    assert holds_nul(column)
    assert not holds_nul(column.slice(1))
    assert begins_with_text(column).tolist() == [True, True]


@given(
    st.lists(st.tuples(st.none() | st.text(max_size=4), st.text(max_size=4), st.text(max_size=4)), max_size=5)
)
def test_ids_are_those_of_articles(rows: list[tuple[str | None, str, str]]) -> None:
    rows = [
        (url, f"x{headline}", body) for url, headline, body in rows if "\0" not in f"{url}{headline}{body}"
    ]
    batch = pa.RecordBatch.from_pydict(
        {
            name: pa.array([row[at] for row in rows], pa.string())
            for at, name in enumerate(("url", "headline", "body"))
        }
    )
    good, _ = check_batch(batch, OPTIONS, WHERE)
    assert good["id"].to_pylist() == [
        Article(url=url, headline=headline, body=body).id for url, headline, body in rows
    ]

"""The article: what each field may hold, and how it is named when it holds something else."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import (
    ARTICLE_FIELDS,
    STRING_FIELDS,
    Article,
    article_schema,
    join_text,
    parse_time,
    parse_timezone,
)
from classifier.errors import ConfigError, FieldError

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["\ud800", "\0", "2031-05-06", "train", "2031-05-06T07:08:09Z", 10**400]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


def test_the_table_is_the_contract() -> None:
    assert ARTICLE_FIELDS == (
        "id",
        "headline",
        "summary",
        "body",
        "section",
        "sections",
        "published_at",
        "source",
        "url",
        "language",
        "popularity",
        "popularity_group",
        "split",
    )
    schema = article_schema()
    assert tuple(schema.names) == ARTICLE_FIELDS
    others = {
        "sections": pa.list_(pa.string()),
        "published_at": pa.timestamp("us", tz="UTC"),
        "popularity": pa.float64(),
    }
    assert all(schema.field(name).type == others.get(name, pa.string()) for name in ARTICLE_FIELDS)


@given(st.dictionaries(st.sampled_from([*ARTICLE_FIELDS, "desk"]), ANYTHING, max_size=6))
def test_anything_is_an_article_or_a_field_error(row: dict[str, Any]) -> None:
    try:
        article = Article.from_mapping(row, where="here")
    except FieldError as error:
        named = error
    else:
        assert article.text.strip()
        assert article.id
        assert article.popularity is None or math.isfinite(article.popularity)
        assert article.published_at is None or article.published_at.tzinfo is not None
        article.text.encode()  # no half characters
        assert Article.from_mapping(article.to_dict()) == article
        return
    assert named.where == "here"
    assert named.field in (*row, "headline")


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ({}, "headline", "headline, summary and body are all empty"),
        ({"headline": " \n\u3000", "body": ""}, "headline", "all empty"),
        ({"headline": 5}, "headline", "is a int; it must be a string"),
        ({"headline": b"x"}, "headline", "is a bytes"),
        ({"headline": "a\0b"}, "headline", "holds a NUL character at position 1"),
        ({"headline": "x", "source": "ab\ud800"}, "source", "half of a surrogate pair.*position 2"),
        ({"headline": "x", "section": ["World"]}, "section", "is a list"),
        ({"headline": "x", "sections": "World"}, "sections", "is a str; it must be a list"),
        ({"headline": "x", "sections": ["World", 5]}, "sections", "is a int"),
        ({"headline": "x", "published_at": "yesterday"}, "published_at", '"yesterday" is not a time'),
        ({"headline": "x", "published_at": "y" * 99}, "published_at", '"y{40}…" is not a time'),
        ({"headline": "x", "published_at": "2031-05-06"}, "published_at", "has no time zone"),
        ({"headline": "x", "published_at": 1e9}, "published_at", "is a float"),
        ({"headline": "x", "published_at": date(2031, 5, 6)}, "published_at", "is a date"),
        (
            {"headline": "x", "published_at": "0001-01-01T00:00:00+09:00"},
            "published_at",
            "outside the calendar",
        ),
        ({"headline": "x", "popularity": "7"}, "popularity", "is a str; it must be a number"),
        ({"headline": "x", "popularity": float("nan")}, "popularity", "is nan"),
        ({"headline": "x", "popularity": -math.inf}, "popularity", "is -inf"),
        ({"headline": "x", "popularity": 10**400}, "popularity", "is too large"),
        ({"headline": "x", "split": "validation"}, "split", 'is "validation"; use "train", "test"'),
    ],
)
def test_each_field_is_checked_and_named(row: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(FieldError, match=says) as caught:
        Article.from_mapping(row, where="a.csv, line 2")
    assert caught.value.field == field
    assert str(caught.value).startswith(f"a.csv, line 2: {field}: ")


def test_a_full_article() -> None:
    row = {
        "id": "7",
        "headline": "H",
        "summary": None,
        "body": "B",
        "section": "World",
        "sections": ["World", "", "Politics", "World"],
        "published_at": " 2022-02-02T11:36:00+09:00 ",
        "source": "Jiji",
        "popularity": True,
        "split": "test",
        "desk": "city",
        "nothing": None,
    }
    article = Article.from_mapping(row)
    assert (article.id, article.summary, article.text) == ("7", "", "H\nB")
    assert article.sections == article.labels == ("World", "Politics")
    assert article.published_at == datetime(2022, 2, 2, 2, 36, tzinfo=UTC)
    assert article.popularity == 1.0
    assert dict(article.extra) == {"desk": "city"}
    assert article.to_dict() == {
        **dict.fromkeys(ARTICLE_FIELDS),
        **{name: value for name, value in row.items() if name not in ("nothing", "summary")},
        "summary": "",
        "sections": ["World", "Politics"],
        "published_at": article.published_at,
        "popularity": 1.0,
    }


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ({}, ()),
        ({"section": "World"}, ("World",)),
        ({"section": ""}, ()),
        ({"sections": ("A", "B"), "section": "World"}, ("A", "B")),
        ({"sections": (), "section": "World"}, ()),
    ],
)
def test_labels(fields: dict[str, Any], labels: tuple[str, ...]) -> None:
    assert Article(headline="x", **fields).labels == labels


@given(
    st.lists(st.text(max_size=5), min_size=3, max_size=3),
    st.lists(st.text(max_size=5), min_size=3, max_size=3),
)
def test_ids_hash_the_content(one: list[str], other: list[str]) -> None:
    first, second = (Article(headline=h, summary=s, body=b) for h, s, b in (one, other))
    assert (first.id == second.id) == (one == other)
    assert len(first.id) == 32
    assert Article(headline="x", url="http://a").id == Article(body="y", url="http://a").id
    assert Article(headline="x", id="mine").id == "mine"
    assert Article(headline="x", source="s", section="t").id == Article(headline="x").id


def test_the_hash_is_the_same_in_every_version() -> None:
    assert Article(headline="Ein Titel", body="日本").id == "171663efc215f0f2cf68370d18f3bc35"
    assert Article(headline="x", url="https://example.org/a").id == "d5a7a1b5123bab75b148e21e1068268f"


def test_join_text() -> None:
    assert join_text("a", "", "b", " ") == "a\nb\n "
    assert join_text("", "") == ""


def test_times() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert parse_time(None) is None
    assert parse_time("") is None
    assert parse_time("2022-02-02T11:36:00", timezone=tokyo) == datetime(2022, 2, 2, 11, 36, tzinfo=tokyo)
    given_zone = parse_time("2022-02-02T11:36:00Z", timezone=tokyo)
    assert given_zone == datetime(2022, 2, 2, 11, 36, tzinfo=UTC)
    assert parse_time(datetime(2022, 2, 2, 11, 36), timezone=UTC) == given_zone  # noqa: DTZ001


@pytest.mark.parametrize(
    ("name", "offset"),
    [("Asia/Tokyo", 9.0), ("UTC", 0.0), ("+09:00", 9.0), ("-03:30", -3.5), ("+00:00", 0.0), ("-00:30", -0.5)],
)
def test_zones(name: str, offset: float) -> None:
    assert datetime(2022, 2, 2, tzinfo=parse_timezone(name)).utcoffset() == timedelta(hours=offset)


def test_a_fixed_zone_keeps_its_name() -> None:
    # The zone of a column is stored by its name, and looked up by it when the version is loaded.
    assert str(parse_timezone("+09:00")) == str(timezone(timedelta(hours=9)))


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "a\0b", "+9", "+24:00", "+09:60"]
)
def test_zones_that_are_none(name: str) -> None:
    with pytest.raises(ConfigError, match="is not a known time zone; use an IANA name"):
        parse_timezone(name)


def test_every_string_field_is_checked() -> None:
    for name in STRING_FIELDS:
        with pytest.raises(FieldError, match="NUL") as caught:
            Article.from_mapping({"headline": "x", name: "a\0"})
        assert caught.value.field == name

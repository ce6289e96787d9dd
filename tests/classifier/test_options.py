"""Options that several commands share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from classifier.errors import ConfigError, RowsRejected
from classifier.options import column_mapping, finish, parse_taken_at, read_options, report_rejected
from classifier.reading.base import Rejection


def test_columns() -> None:
    assert column_mapping([]) == {}
    assert column_mapping(["headline=title", "body=a=b", "rank=place"]) == {
        "headline": "title",
        "body": "a=b",
        "rank": "place",
    }


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("headline", "is no mapping; write it like headline=title"),
        ("=title", "is no mapping"),
        ("headline=", "is no mapping"),
        ("titel=title", 'there is no column "titel"; ours are id, headline'),
    ],
)
def test_columns_that_are_none(pair: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        column_mapping([pair])


def test_taken_at() -> None:
    assert parse_taken_at(None, None) is None
    assert parse_taken_at("", None) is None
    assert parse_taken_at("2031-05-06T07:08:00Z", None) == datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
    assert parse_taken_at("2031-05-06", UTC) == datetime(2031, 5, 6, tzinfo=UTC)
    assert parse_taken_at("%Y-%m-%d", None) == "%Y-%m-%d"


@pytest.mark.parametrize("text", ["noon", "2031-05-06", "%", "%Q"])
def test_taken_at_that_is_none(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_taken_at(text, None)


def test_all_together() -> None:
    found = read_options(["headline=title"], ["popularity"], "+09:00", "2031-05-06T00:00:00")
    assert found.columns == {"headline": "title"}
    assert found.ignore == {"popularity"}
    taken: Any = found.taken_at
    assert taken.utcoffset() == timedelta(hours=9)
    with pytest.raises(ConfigError, match="Mars"):
        read_options([], [], "Mars", None)


def test_the_end_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    finish(0, 5)
    with pytest.raises(RowsRejected, match="2 of 5 rows"):
        finish(2, 5)
    report_rejected(
        [Rejection("a.csv", 2, "a.csv, line 2: no text"), Rejection("b.txt", None, "b.txt: is empty")]
    )
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "rejected: a.csv, line 2: no text\nrejected: b.txt: is empty\n"

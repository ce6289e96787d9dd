"""Options that several commands share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from classifier.errors import ConfigError, RowsRejected
from classifier.options import (
    column_mapping,
    options_for,
    parse_taken_at,
    read_options,
    section_mapping,
)
from classifier.reading.base import Note, Rejection
from classifier.rejections import (
    finish,
    report_noted,
    report_rejected,
)


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


def test_sections() -> None:
    assert section_mapping(["Business=Economy", "Partners=", "A=B=C"]) == {
        "Business": "Economy",
        "Partners": "",
        "A": "B=C",
    }
    for pair in ("Business", "=Economy"):
        with pytest.raises(ConfigError, match="is no mapping; write it like Business=Economy"):
            section_mapping([pair])
    with pytest.raises(ConfigError, match=r'sections: "a" is mapped to "B" and "C"'):
        read_options([], [], None, None, sections=["A=B", "a=C"])


def test_rows_rejected_for_one_reason_are_named_in_words_three_times(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = [5, 6, 7, 9, 10, 11, 40]
    rejected = [
        Rejection("a.csv", line, f'a.csv, line {line}: x: "{line}" is no number; write 1') for line in lines
    ]
    rejected.insert(4, Rejection("b.txt", None, "b.txt: is empty"))
    report_rejected([*rejected, Rejection("c.csv", 3, 'c.csv, line 3: x: "q" is no number; write 1')])
    assert capsys.readouterr().err.splitlines() == [
        'rejected: a.csv, line 5: x: "5" is no number; write 1',
        'rejected: a.csv, line 6: x: "6" is no number; write 1',
        'rejected: a.csv, line 7: x: "7" is no number; write 1',
        "rejected: b.txt: is empty",
        'rejected: 5 more likewise (x: "…" is no number): a.csv, lines 9–11, 40; c.csv, lines 3',
    ]


def test_notes_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    report_noted([Note("a.csv", "odd", '"x"', 3, 7), Note("b.csv", "odd", '"y"'), Note("c.csv", "other")])
    assert capsys.readouterr().err.splitlines() == [
        'note: 4 × odd, such as "x" in a.csv, line 7, "y" in b.csv',
        "note: 1 × other, such as c.csv",
    ]


def test_a_version_says_how_its_data_was_read() -> None:
    trained = {
        "columns": {"headline": "title", "body": "text"},
        "sections": {"Business": "Economy"},
        "data": {"timezone": "Asia/Tokyo", "dates": "month-first", "ignore": ["x"]},
        "boxes": {"headings": ["Top"]},
    }
    given: dict[str, Any] = {"columns": ["body=story"], "ignore": [], "timezone": None, "taken_at": None}
    options = options_for({"configuration": trained}, **given, sections=["Money=Economy"])
    assert (options.columns, options.usual) == ({"body": "story"}, {"headline": "title"})
    assert options.sections == {"Business": "Economy", "Money": "Economy"}
    assert (str(options.timezone), options.dates, options.ranking_headings) == (
        "Asia/Tokyo",
        "month-first",
        ("Top",),
    )
    assert options.ignore == frozenset()
    plain = {"columns": [], "ignore": [], "timezone": "Europe/Berlin", "taken_at": None}
    assert str(options_for({"configuration": trained}, **plain).timezone) == "Europe/Berlin"
    assert options_for({}, **plain) == read_options(**plain)

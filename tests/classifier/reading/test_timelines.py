from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from classifier.errors import PageError
from classifier.reading.page_text import Line
from classifier.reading.timelines import parse_time_line
from classifier.reading.zones import ABBREVIATIONS, printed_zone

TOKYO = ZoneInfo("Asia/Tokyo")
KOLKATA = ZoneInfo("Asia/Kolkata")


def parse(text, timezone=None):
    return parse_time_line(Line(3, text), name="p.txt", timezone=timezone)


@pytest.mark.parametrize(
    "text",
    [
        "11:36 JST, February 2, 2022",
        "11:36 jst, february 2, 2022",
        "11:36 JST, Feb. 2, 2022",
        "11:36 JST, Feb.2, 2022",
        "11:36 JST Feb 2 2022",
        "11:36 (JST), February 2nd, 2022",
        "11:36 JST, Wednesday, February 2, 2022",
        "Wednesday, February 2, 2022, 11:36 JST",
        "Wed., 2 February 2022 at 11:36 JST",
        "2 February 2022 11.36 JST",
        "2nd of February, 2022 11:36 JST",
        "11:36 a.m. JST, February 2, 2022",
        "11:36 AM JST, February 2, 2022",
        "11:36am JST on February 2, 2022",
        "February 2, 2022 at 11:36 a.m. (JST)",
        "Updated: 11:36 JST, February 2, 2022",
        "Last updated at 11:36 JST, February 2, 2022",
        "Published February 2, 2022 11:36 JST",
        "2022-02-02 11:36 JST",
        "2022/02/02 11:36 JST",
        "2022.2.2 11:36 JST",
        "11:36 Feb. 2, 2022 JST",
        "１１：３６　ＪＳＴ，　Ｆｅｂｒｕａｒｙ　２，　２０２２",
        "2022年2月2日 11時36分 JST",
        "2022年2月2日（水） 午前11時36分 JST",
        "更新 2022年2月2日 11:36 JST",
        "2022년 2월 2일 오전 11시 36분 JST",
    ],
)
def test_forms_of_one_time(text):
    time = parse(text)
    assert time == datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)
    assert time.tzinfo == TOKYO


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("12:05 a.m. JST, May 1, 2022", 0),
        ("12:05 p.m. JST, May 1, 2022", 12),
        ("0:05 a.m. JST, May 1, 2022", 0),
        ("11:05 p.m. JST, May 1, 2022", 23),
        ("2022年5月1日 午後1時5分 JST", 13),
    ],
)
def test_halves_of_the_day(text, hour):
    assert parse(text) == datetime(2022, 5, 1, hour, 5, tzinfo=TOKYO)


def test_an_hour_alone_needs_am_or_pm():
    assert parse("5 p.m. JST, May 1, 2022") == datetime(2022, 5, 1, 17, 0, tzinfo=TOKYO)
    assert parse("2022年5月1日 17時 JST") == datetime(2022, 5, 1, 17, 0, tzinfo=TOKYO)
    assert parse("5 JST, May 1, 2022") is None


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("11:36 UTC, May 1, 2022", 0),
        ("11:36 +09:00, May 1, 2022", 9),
        ("11:36 +0900, May 1, 2022", 9),
        ("11:36 UTC+9, May 1, 2022", 9),
        ("11:36 (GMT-3), May 1, 2022", -3),
        ("11:36 −03:30, May 1, 2022", -3.5),
        ("2022-05-01T11:36:00+09:00", 9),
        ("2022-05-01T11:36:00.000Z", 0),
    ],
)
def test_numeric_offsets(text, hours):
    time = parse(text)
    assert time.utcoffset() == timedelta(hours=hours)
    assert f"{time:%Y-%m-%d %H:%M}" == "2022-05-01 11:36"


def test_seconds_are_read():
    assert parse("2022-05-01T11:36:07+09:00").second == 7


def test_the_offset_of_an_abbreviation_decides_the_instant():
    winter, summer = parse("12:00 EST, January 5, 2022"), parse("12:00 EST, July 5, 2022")
    assert winter.tzinfo == ZoneInfo("America/New_York")
    # In July the clocks of New York show EDT: the zone cannot be theirs, the instant stays.
    assert summer.tzinfo == timezone(timedelta(hours=-5))
    assert summer.astimezone(UTC).hour == 17


def test_both_sides_of_the_clock_change_are_told_apart():
    first, second = parse("1:30 EDT, November 6, 2022"), parse("1:30 EST, November 6, 2022")
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)


def test_the_clock_of_a_place():
    assert parse("12:00 ET, July 5, 2022").utcoffset() == timedelta(hours=-4)
    assert parse("12:00 ET, January 5, 2022").utcoffset() == timedelta(hours=-5)


@pytest.mark.parametrize("text", ["11:36 IST, May 1, 2022", "11:36 CST, May 1, 2022", "11:36, May 1, 2022"])
def test_uncertain_zones_need_the_zone_of_the_source(text):
    assert parse(text, KOLKATA).utcoffset() == timedelta(hours=5.5)
    with pytest.raises(PageError, match=r"p\.txt, line 3: .*--timezone Asia/Kolkata") as caught:
        parse(text)
    assert caught.value.line == 3


def test_a_certain_zone_wins_over_the_zone_of_the_source():
    assert parse("11:36 JST, May 1, 2022", KOLKATA).tzinfo == TOKYO


def test_a_time_that_the_clocks_skipped_is_read_as_the_one_they_showed():
    assert parse("2:30, March 13, 2022", ZoneInfo("America/New_York")).hour == 3


@pytest.mark.parametrize(
    "text",
    [
        "11:36 JST, February 30, 2022",
        "25:00 JST, February 2, 2022",
        "11:60 JST, February 2, 2022",
        "13:05 p.m. JST, February 2, 2022",
        "11:36 JST, February 2, 0000",
        "0:30 JST, January 1, 0001",
        "23:30 EST, December 31, 9999",
        "11:36 UTC+25, February 2, 2022",
        "11:36 +09:75, February 2, 2022",
        "2022-13-01 11:36 JST",
    ],
)
def test_impossible_times_are_errors(text):
    with pytest.raises(PageError, match="is not a time that exists"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "February 2, 2022",
        "11:36 JST",
        "The ferry left at 11:36 JST on February 2, 2022.",
        "Ministers meet February 2, 2022 11:36",
        "11:36 JST, February 2, 2022 " + "x" * 200,
        "Score 3:2, May 1, 20222",
        "1234:56 JST, May 1, 2022",
    ],
)
def test_other_lines_are_none(text):
    assert parse(text) is None


@pytest.mark.parametrize("name", sorted(ABBREVIATIONS))
def test_every_abbreviation_reads_back_as_printed(name):
    """In winter or in summer its zone's clock shows it, so a typing error in the table would show here."""
    minutes, _ = ABBREVIATIONS[name]
    shown = set()
    for month in ("January", "July"):
        time = parse(f"12:00 {name}, {month} 5, 2022")
        assert time.utcoffset() == timedelta(minutes=minutes)
        shown.add(isinstance(time.tzinfo, ZoneInfo) or time.tzinfo is UTC)
        again = parse(f"12:00 {printed_zone(time)}, {month} 5, 2022")
        assert (again, again.utcoffset()) == (time, time.utcoffset())
    assert True in shown


def test_zones_without_a_certain_abbreviation_are_printed_as_offsets():
    assert printed_zone(datetime(2022, 1, 1, tzinfo=KOLKATA)) == "+05:30"
    assert printed_zone(datetime(2022, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))) == "+08:00"
    assert printed_zone(datetime(2022, 1, 1, tzinfo=timezone(-timedelta(hours=3, minutes=30)))) == "-03:30"
    assert printed_zone(datetime(2022, 1, 1, tzinfo=TOKYO)) == "JST"


def test_day_and_month_must_be_told_apart():
    text = "11:36 JST, 03/04/2022"
    with pytest.raises(
        PageError, match=r"p\.txt, line 3: day and month of .* --dates day-first or month-first"
    ):
        parse(text)
    for dates, month in (("day-first", 4), ("month-first", 3)):
        time = parse_time_line(Line(3, text), name="p.txt", timezone=None, dates=dates)
        assert time.month == month
    assert parse("11:36 JST, 25/04/2022").month == 4
    assert parse("11:36 JST, 04.04.2022").month == 4

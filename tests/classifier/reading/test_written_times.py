"""Times as people write them, and what is done where they leave something open."""

from __future__ import annotations

import io
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.articles import parse_time
from classifier.errors import FieldError, FormatError
from classifier.reading import read_source
from classifier.reading.base import BATCH_ROWS, Chunk, ReadOptions, Source
from classifier.reading.cast_times import cast_time, time_array
from classifier.reading.rows import concat
from classifier.reading.time_rules import SHOWN_TWICE, SKIPPED, TimeRules
from classifier.reading.written_times import find_time

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "text",
    [
        "April 3, 2031 8:20 PM JST",
        "Thu, 3 Apr 2031 20:20:00 +0900",
        "3-Apr-2031 20:20 JST",
        "3. April 2031, 20.20 Uhr JST",
        "Donnerstag, 3. April 2031 um 20:20 Uhr JST",
        "Stand: 03.04.2031 20:20 JST",
        "le 3 avril 2031 à 20h20 JST",
        "jeudi 3 avril 2031, 20 h 20 JST",
        "3 de abril de 2031, 20:20 h JST",
        "jueves, 3 de abril del 2031 a las 8:20 p. m. JST",
        "2031年4月3日(木) 午後8:20 JST",
        "2031年4月3日 20時20分 JST",
        "令和13年4月3日 20時20分 JST",
        "2031. 4. 3. 오후 8:20 JST",
        "2031.04.03. 오후 8:20 KST",
        "입력 2031년 4월 3일 오후 8시 20분 KST",
        "2031/04/03 20:20:00 JST",
        "April 3, 2031 6:20 a.m. EST",
    ],
)
def test_forms_of_one_time(text: str) -> None:
    (time,), failures = TimeRules().read([text], "published_at", "a.csv")
    assert failures == {}
    if text.endswith("EST"):
        assert time.time == datetime(2031, 4, 3, 11, 20, tzinfo=UTC)
    else:
        assert time.time == datetime(2031, 4, 3, 20, 20, tzinfo=TOKYO)
    assert time.doubt == ""


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("1er mars 2031", 3),
        ("1. Jänner 2031", 1),
        ("1 août 2031", 8),
        ("1 fevrier 2031", 2),
        ("1 de setiembre de 2031", 9),
        ("Dezember 1, 2031", 12),
        ("1 déc. 2031", 12),
        ("平成31年4月1日", 4),
        ("令和元年5月1日", 5),
    ],
)
def test_a_date_alone_is_midnight(text: str, month: int) -> None:
    (time,), _ = TimeRules(TOKYO).read([text], "published_at", "a.csv")
    assert time.time is not None
    assert (time.time.month, time.time.day, time.time.hour) == (month, 1, 0)
    assert time.time.tzinfo == TOKYO


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "April 2031",
        "3 April 2031 at the harbour",
        "12:30",
        "4/5/31",
        "3 April 2031 99",
        "x" * 200,
        "5 May 2031 7",
    ],
)
def test_other_texts_are_no_times(text: str) -> None:
    assert find_time(text) is None
    _, failures = TimeRules(TOKYO).read([text], "published_at", "a.csv")
    assert "is not a time" in failures[0].problem


@pytest.mark.parametrize("text", ["30 February 2031", "32/01/2031", "3 April 2031 25:00", "2031年13月1日"])
def test_times_that_do_not_exist_are_named(text: str) -> None:
    _, failures = TimeRules(TOKYO).read([text], "published_at", "a.csv")
    assert failures[0].problem == f'"{text}" is not a time that exists'


def test_a_zone_is_asked_for() -> None:
    _, failures = TimeRules().read(["3 April 2031 8:20", "3 April 2031 8:20 IST"], "published_at", "a.csv")
    assert failures[0].problem == '"3 April 2031 8:20" has no time zone'
    assert (
        failures[1].problem
        == '"3 April 2031 8:20 IST" has the zone IST, which stands for several or is unknown'
    )


# Doubt


@pytest.mark.parametrize(
    ("zone", "order", "month"),
    [(TOKYO, None, 4), (NEW_YORK, None, 3), (TOKYO, "month-first", 3), (NEW_YORK, "day-first", 4)],
)
def test_day_and_month(zone: ZoneInfo, order: Any, month: int) -> None:
    (time,), _ = TimeRules(zone, order).read(["03/04/2031"], "published_at", "a.csv")
    assert time.time is not None
    assert time.time.month == month
    assert bool(time.doubt) == (order is None)


def test_other_dates_of_the_file_show_the_order() -> None:
    rules = TimeRules(TOKYO)
    times, _ = rules.read(["03/04/2031", "03/25/2031"], "published_at", "a.csv")
    assert [time.time and time.time.month for time in times] == [3, 3]
    assert {time.doubt for time in times} == {""}
    (later,), _ = rules.read(["05/04/2031"], "published_at", "a.csv")
    assert later.time is not None
    assert later.time.month == 5


def test_dates_that_contradict_each_other_are_an_error() -> None:
    with pytest.raises(FormatError, match=r"^a\.csv: published_at has dates with the day first and others"):
        TimeRules(TOKYO).read(["25/03/2031", "03/25/2031"], "published_at", "a.csv")
    rules = TimeRules(TOKYO)
    rules.read(["03/04/2031"], "published_at", "a.csv")
    with pytest.raises(FormatError, match=r"--dates day-first or --dates month-first"):
        rules.read(["03/25/2031"], "published_at", "a.csv")
    (time, _), failures = TimeRules(TOKYO, "day-first").read(
        ["25/03/2031", "03/25/2031"], "published_at", "a.csv"
    )
    assert (time.time is not None, failures) == (True, {})


def test_the_hours_of_the_clock_change() -> None:
    texts = ["2031-11-02T01:30", "March 9, 2031 2:30 a.m.", "2031-07-02T01:30", "2031-11-02T01:30-05:00"]
    times, _ = TimeRules(NEW_YORK).read(texts, "published_at", "a.csv")
    assert [time.doubt for time in times] == [SHOWN_TWICE, SKIPPED, "", ""]


def test_a_zone_of_several_is_read_in_that_of_the_newsroom_and_told() -> None:
    (time,), _ = TimeRules(ZoneInfo("Asia/Kolkata")).read(["3 April 2031 8:20 IST"], "published_at", "a.csv")
    assert time.time is not None
    assert time.time.utcoffset() == timedelta(hours=5.5)
    assert time.doubt == "times in IST, which stands for several zones or is unknown"


def chunks(data: str, **options: Any) -> list[Chunk]:
    source = Source("a.csv", lambda: nullcontext(io.BytesIO(data.encode())))
    return list(read_source(source, ReadOptions(**options)))


def test_what_is_in_doubt_is_noted_once_a_batch_and_rejected_when_strict() -> None:
    data = "headline,published_at\na,03/04/2031\nb,05/06/2031\nc,2031-11-02\n"
    (chunk,) = chunks(data, timezone=TOKYO)
    assert [(note.file, note.what, note.value, note.count, note.line) for note in chunk.notes] == [
        (
            "a.csv",
            "dates of which day and month could be the other way round, read as day-first",
            '"03/04/2031"',
            2,
            2,
        )
    ]
    (chunk,) = chunks(data, timezone=TOKYO, strict=True)
    assert chunk.articles is not None
    assert chunk.articles["headline"].to_pylist() == ["c"]
    assert [one.line for one in chunk.rejected] == [2, 3]
    assert chunk.rejected[0].reason.startswith(
        'a.csv, line 2: published_at: "03/04/2031" is in doubt (dates of which day and month'
    )


def test_times_of_boxes_and_labels_are_noted_too() -> None:
    for data in ("list,rank,headline,taken_at\n*,1,a,03/04/2031\n", "id,published_at\n1,03/04/2031\n"):
        (chunk,) = chunks(data, timezone=TOKYO)
        assert [(note.count, note.line) for note in chunk.notes] == [(1, 2)]


def test_one_file_is_read_one_way_from_batch_to_batch() -> None:
    rows = ["a,03/25/2031"] + ["a,03/04/2031"] * BATCH_ROWS
    found = chunks("headline,published_at\n" + "\n".join(rows), timezone=TOKYO)
    table = concat([chunk.articles for chunk in found if chunk.articles is not None])
    assert {time.month for time in table["published_at"].to_pylist()} == {3}
    assert [note for chunk in found for note in chunk.notes] == []


# Whole columns

zones = st.sampled_from((None, TOKYO, NEW_YORK))
offsets = st.sampled_from(("", "Z", "+00:00", "-00:00", "+09:00", "-03:30", "+0900"))


@st.composite
def iso(draw: st.DrawFn) -> str:
    time = draw(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
    text = time.isoformat(
        draw(st.sampled_from("T ")),
        draw(st.sampled_from(("minutes", "seconds", "milliseconds", "microseconds"))),
    )
    return text + draw(offsets)


@given(st.lists(iso() | st.just("") | st.none(), max_size=5), zones)
@example(["2037-07-01T00:00", "2038-07-01T00:00"], NEW_YORK)
@example(["2037-07-01T00:00", None], NEW_YORK)
def test_a_column_is_read_as_its_values_are(texts: list[str | None], zone: ZoneInfo | None) -> None:
    cast = cast_time(pa.array(texts, pa.string()), "published_at", "a.csv", TimeRules(zone))
    times = []
    for row, text in enumerate(texts):
        try:
            times.append(parse_time(text, timezone=zone))
            assert row not in cast.failures
        except FieldError:
            times.append(None)
            assert row in cast.failures
    expected = time_array(times)
    assert cast.values.cast(expected.type).equals(expected)
    assert cast.values.type == expected.type or not any(times)


@given(
    st.text(max_size=40)
    | st.from_regex(r"[0-9]{1,2}[./ -][0-9A-Za-zäé.]{1,6}[./ -][0-9]{4} ?[0-9:hap. ]{0,8}", fullmatch=True)
)
def test_no_text_crashes(text: str) -> None:
    times, failures = TimeRules(TOKYO).read([text], "published_at", "a.csv")
    assert (times[0].time is None) == (0 in failures or text == "")

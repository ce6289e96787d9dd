from __future__ import annotations

import codecs
import io
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from classifier.errors import ConfigError, PageError
from classifier.reading.base import ReadOptions, Source, box_schema
from classifier.reading.page_text import MAX_PAGE_BYTES, MAX_PAGE_LINES
from classifier.reading.pages import decode_page, parse_page, read
from classifier.reading.pages_writer import write_page

TOKYO = ZoneInfo("Asia/Tokyo")
TIME = "11:36 JST, February 2, 2022"
PAGE = f"""\
Ferry Fares to Fall
in Northern Ports
{TIME}
PORT ELLERY, NORRICK (Jiji Press) — Ferry fares will fall by ¥120 in May, the transport minister said on Wednesday.
“We listened,” she said — to applause.

Boats will run hourly.
"Politics" POPULAR ARTICLE
-
Assembly Passes Budget;
Opposition Walks Out
-
Minister’s Aide Resigns
MC ACCESS RANKING
-
Whale Seen Near Osprey Point
"""


def source(data, name="p.txt"):
    return Source(name, lambda: io.BytesIO(data))


def test_a_whole_page():
    page = parse_page(PAGE)
    article = page.article
    assert article.headline == "Ferry Fares to Fall in Northern Ports"
    assert article.summary == ""
    assert article.body.split("\n") == [
        "Ferry fares will fall by ¥120 in May, the transport minister said on Wednesday.",
        "“We listened,” she said — to applause.",
        "Boats will run hourly.",
    ]
    assert article.section == "Politics"
    assert article.published_at == datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)
    assert article.published_at.tzinfo == TOKYO
    assert article.extra == {"agency": "Jiji Press", "city": "PORT ELLERY, NORRICK"}
    assert [(box.list, box.taken_at, box.items) for box in page.boxes] == [
        ("Politics", None, ("Assembly Passes Budget; Opposition Walks Out", "Minister’s Aide Resigns")),
        ("*", None, ("Whale Seen Near Osprey Point",)),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace(" ", "\u00a0"),
        lambda text: text.replace("\n", " \t\n\n\u3000\n  "),
        lambda text: text.rstrip("\n"),
    ],
    ids=["CRLF", "CR", "BOM", "NBSP", "blanks", "no last break"],
)
def test_what_is_only_spelling_changes_nothing(change):
    assert parse_page(change(PAGE)) == parse_page(PAGE)


def test_nothing_else_in_the_body_changes():
    body = 'Ｆｕｌｌ　ｗｉｄｔｈ \u2028 line\x0cfeed\x85 ‘q’ "q"  é e\u0301 東京'
    assert parse_page(f"{TIME}\n{body}").article.body == body


def test_boxes_change_only_the_section():
    with_boxes = parse_page(PAGE).article
    without = parse_page(PAGE[: PAGE.index('"Politics"')]).article
    assert (with_boxes.section, without.section) == ("Politics", None)
    assert with_boxes.id == without.id
    assert replace(with_boxes, section=None) == without
    assert parse_page(PAGE, options=ReadOptions(printed_sections=False)).article == without


def test_every_cut_through_the_boxes_leaves_the_article():
    whole = parse_page(PAGE).article
    start = PAGE.index('"Politics" POPULAR') + len('"Politics" PO')
    for end in range(start, len(PAGE)):
        assert parse_page(PAGE[:end]).article == whole, PAGE[start:end]


@pytest.mark.parametrize(
    ("text", "headline", "body"),
    [
        (f"Fares Fall\n{TIME}\nBoats run.", "Fares Fall", "Boats run."),
        (f"{TIME}\nBoats run.", "", "Boats run."),
        (f"{TIME}\nFares Fall\nOSAKA (AP) — Boats run.", "Fares Fall", "Boats run."),
        (
            f"{TIME}\nFares Fall\nin July-Sept.\nOSAKA (AP) — Boats run.",
            "Fares Fall in July-Sept.",
            "Boats run.",
        ),
        (f"{TIME}\nWill Fares Fall?\nOSAKA (AP) — Boats run.", "Will Fares Fall?", "Boats run."),
        (f"{TIME}\nFares fell.\nOSAKA (AP) — Boats run.", "", "Fares fell.\nOSAKA (AP) — Boats run."),
        (f"{TIME}\n{'x' * 201}\nOSAKA (AP) — Run.", "", f"{'x' * 201}\nOSAKA (AP) — Run."),
        (f"{TIME}\nFares Fall\nBoats run.", "", "Fares Fall\nBoats run."),
        (f"Fares Fall\n{TIME}\nA Deck\nOSAKA (AP) — Boats run.", "Fares Fall", "A Deck\nBoats run."),
        (f"Fares Fall\n{TIME}", "Fares Fall", ""),
        (f"Fares Fall\n{TIME}\nOSAKA (AP) —\nBoats run.", "Fares Fall", "Boats run."),
        (f"{TIME}\n11:40 JST, February 2, 2022", "", "11:40 JST, February 2, 2022"),
    ],
)
def test_headlines(text, headline, body):
    article = parse_page(text).article
    assert (article.headline, article.body) == (headline, body)


def test_the_time_line_may_be_the_tenth_line():
    lines = [f"Line {i}" for i in range(9)]
    assert parse_page("\n\n".join([*lines, TIME])).article.headline == " ".join(lines)
    with pytest.raises(PageError, match="no time line"):
        parse_page("\n\n".join([*lines, "Line 9", TIME]))


def test_no_dateline_gives_no_extra():
    assert parse_page(f"{TIME}\nBoats run.").article.extra == {}
    assert parse_page(f"{TIME}\n(Reuters) - Boats run.").article.extra == {"agency": "Reuters"}
    assert parse_page(f"{TIME}\nOSAKA — Boats run.").article.extra == {"city": "OSAKA"}


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "time line such as"),
        ("\n \n", 1, "time line such as"),
        ("\n\nFares Fall\nBoats run.", 3, 'a time line such as "11:36 JST, February 2, 2022"'),
        ("Fares Fall\n11:36 JST, February 30, 2022\nBoats run.", 2, "time line such as"),
        ("Fares Fall\n\n11:36 IST, February 3, 2022\nBoats run.", 3, "--timezone Asia/Kolkata"),
        (f"{TIME}\n", 2, "the article's text"),
        (f"{TIME}\n\nACCESS RANKING\n-\nOne", 3, "the article's text"),
        (f"{TIME}\nBoats\x00run.", 2, "plain text"),
        (f"{TIME}\nBoats run.\r\n\r\n\ud800", 4, "plain text"),
    ],
)
def test_errors_name_file_line_and_what_was_expected(text, line, expected):
    with pytest.raises(PageError) as caught:
        parse_page(text, name="in/p.txt")
    assert (caught.value.file, caught.value.line) == ("in/p.txt", line)
    assert expected in caught.value.expected
    assert str(caught.value).startswith(f"in/p.txt, line {line}: ")


def test_too_much_for_a_page():
    with pytest.raises(PageError, match="larger than 4 MiB"):
        parse_page(TIME + "\n" + "x" * MAX_PAGE_BYTES)
    with pytest.raises(PageError, match="larger than 4 MiB"):
        decode_page(b"x" * (MAX_PAGE_BYTES + 1))
    with pytest.raises(PageError, match="more than 100,000 lines"):
        parse_page(TIME + "\nx" * MAX_PAGE_LINES)


@pytest.mark.parametrize(
    "data",
    [
        PAGE.encode(),
        codecs.BOM_UTF8 + PAGE.encode(),
        codecs.BOM_UTF16_LE + PAGE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + PAGE.encode("utf-16-be"),
    ],
)
def test_encodings(data):
    assert decode_page(data) == PAGE


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        (b"one\r\ntwo \xe9t\xe9\r\n", 2, "not valid UTF-8"),
        (b"\xef\xbb\xbfone\ntwo\n\xff", 3, "not valid UTF-8"),
        (codecs.BOM_UTF16_LE + "one\ntwo".encode("utf-16-le") + b"\x00\xd8", 2, "not valid UTF-16"),
        (b"one\n\x00", 2, "NUL"),
        ("one".encode("utf-32"), 1, "NUL"),
    ],
)
def test_what_is_no_text_is_an_error(data, line, problem):
    with pytest.raises(PageError, match=problem) as caught:
        decode_page(data, "p.txt")
    assert (caught.value.file, caught.value.line) == ("p.txt", line)


def test_read_gives_articles_and_boxes():
    (chunk,) = read(source(PAGE.encode(), "2025-11-30/p.txt"), ReadOptions(taken_at="%Y-%m-%d"))
    (article,) = chunk.articles.to_pylist()
    assert article["file"] == "2025-11-30/p.txt"
    assert (article["section"], article["agency"]) == ("Politics", "Jiji Press")
    assert article["published_at"] == datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)
    assert chunk.articles.schema.field("published_at").type.tz == "Asia/Tokyo"
    assert chunk.boxes.schema.names == [*box_schema().names, "file"]
    rows = chunk.boxes.to_pylist()
    assert [row["rank"] for row in rows] == [1, 2, 1]
    assert {row["taken_at"] for row in rows} == {datetime(2025, 12, 1, tzinfo=TOKYO)}
    assert {row["file"] for row in rows} == {"2025-11-30/p.txt"}
    assert chunk.rejected == ()


def test_read_without_boxes_has_no_box_table():
    (chunk,) = read(source(f"{TIME}\nBoats run.".encode()), ReadOptions())
    assert (chunk.articles.num_rows, chunk.boxes) == (1, None)


def test_a_bad_page_is_one_rejection():
    (chunk,) = read(source(b"Fares Fall\n11:36 IST, May 1, 2022\nBoats run."), ReadOptions())
    assert chunk.articles is None
    (rejection,) = chunk.rejected
    assert (rejection.file, rejection.line) == ("p.txt", 2)
    assert rejection.reason.startswith("p.txt, line 2: the time zone IST")


def test_a_huge_file_is_a_rejection_and_is_not_read_whole():
    stream = io.BytesIO(b"x" * (3 * MAX_PAGE_BYTES))
    stream.close = lambda: None
    (chunk,) = read(Source("p.txt", lambda: stream), ReadOptions())
    assert "larger than 4 MiB" in chunk.rejected[0].reason
    assert stream.tell() == MAX_PAGE_BYTES + 1


def test_a_wrong_pattern_ends_reading_before_it_begins():
    with pytest.raises(ConfigError):
        list(read(source(b""), ReadOptions(taken_at="%Q")))


def test_the_zone_of_the_source_reads_uncertain_zones():
    options = ReadOptions(timezone=ZoneInfo("Asia/Kolkata"))
    (chunk,) = read(source(b"11:36 IST, May 1, 2022\nBoats run."), options)
    (row,) = chunk.articles.to_pylist()
    assert row["published_at"].astimezone(UTC) == datetime(2022, 5, 1, 6, 6, tzinfo=UTC)


def test_the_real_page():
    folder = os.environ.get("NEWSDESK_DATA")
    path = Path(folder or "", "japan_news_page.txt")
    if not folder or not path.exists():
        pytest.skip("NEWSDESK_DATA is not set, or holds no japan_news_page.txt")
    text = decode_page(path.read_bytes(), path.name)
    page = parse_page(text)
    assert page.article.published_at == datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)
    assert page.article.extra == {"agency": "Jiji Press", "city": "TOKYO"}
    assert (page.article.section, page.article.headline, page.article.body.count("\n")) == ("Politics", "", 6)
    assert [(box.list, len(box.items)) for box in page.boxes] == [("Politics", 5), ("*", 5)]
    assert write_page(page).split() == text.split()

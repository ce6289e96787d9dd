"""RSS and Atom as sites write them."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from classifier.reading import read_all, reader_for
from classifier.reading.base import ReadOptions, Source
from classifier.reading.documents import Item
from classifier.reading.feeds import parse_feed, read

pytest.importorskip("feedparser")
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>The Courier: Politics</title><link>https://courier.example/</link><language>en-GB</language>
<item>
  <title>Ferry &amp;amp; fares to <![CDATA[<i>fall</i>]]></title>
  <link>https://courier.example/ferry</link><guid isPermaLink="false">c-1</guid>
  <pubDate>Wed, 02 Feb 2022 11:36:00 +0900</pubDate>
  <category>Politics</category><category domain="desk">Transport</category><category>Politics</category>
  <description>&lt;p&gt;Crossing costs &lt;b&gt;less&lt;/b&gt;&lt;/p&gt;</description>
  <content:encoded><![CDATA[<p>TOKYO (Jiji Press) — Fares fall.</p><p>Boats<br>run hourly.</p>
  <script>x()</script>]]></content:encoded>
  <dc:creator>Ann Lee</dc:creator>
</item>
<item><title>Whale seen</title><description>Off the point, R&amp;amp;D says.</description>
  <category>Science</category></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Der Kurier</title>
<id>tag:kurier.example,2022:feed</id>
<updated>2022-02-02T12:00:00Z</updated>
<entry><title type="html">Fähre wird &lt;b&gt;billiger&lt;/b&gt;</title><id>tag:kurier.example,2022:1</id>
<link rel="alternate" href="https://kurier.example/1"/><published>2022-02-02T11:00:00+01:00</published>
<updated>2022-02-02T13:30:00+01:00</updated><category term="wirtschaft" label="Wirtschaft"/>
<author><name>Bo Wu</name></author><summary>Ab Mai.</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Eins.</p><p>Zwei.</p></div></content></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://k.example/"><title>新聞</title></channel>
<item rdf:about="https://k.example/1"><title>運賃下げ</title><link>https://k.example/1</link>
<dc:date>2022-02-02T11:36:00+09:00</dc:date><dc:subject>政治</dc:subject></item></rdf:RDF>"""
TOKYO = timezone(timedelta(hours=9))


def items(feed: bytes | str, options: ReadOptions | None = None) -> list[dict[str, Any]]:
    found = []
    for item in parse_feed(feed, "a.rss", options or ReadOptions()):
        assert isinstance(item, Item), item
        found.append({name: value for name, value in item.fields.items() if value not in ("", None)})
    return found


def test_rss() -> None:
    first, second = items(RSS)
    assert first == {
        "id": "c-1",
        "headline": "Ferry & fares to fall",
        "summary": "Crossing costs less",
        "body": "Fares fall.\nBoats\nrun hourly.",
        "url": "https://courier.example/ferry",
        "published_at": datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO),
        "source": "The Courier: Politics",
        "language": "en-GB",
        "author": "Ann Lee",
        "section": "Politics",
        "sections": ["Politics", "Transport"],
        "agency": "Jiji Press",
        "city": "TOKYO",
    }
    assert second["summary"] == "Off the point, R&D says."
    assert (second["section"], second.get("sections")) == ("Science", None)


def test_atom() -> None:
    (entry,) = items(ATOM)
    assert entry["headline"] == "Fähre wird billiger"
    assert entry["body"] == "Eins.\nZwei."
    assert (entry["section"], entry["source"], entry["language"]) == ("Wirtschaft", "Der Kurier", "de")
    assert entry["published_at"] == datetime(2022, 2, 2, 10, tzinfo=UTC)
    assert entry["published_at"].utcoffset() == timedelta(hours=1)
    assert entry["updated_at"] == datetime(2022, 2, 2, 12, 30, tzinfo=UTC)


def test_rss_1() -> None:
    (entry,) = items(RDF)
    assert (entry["headline"], entry["section"]) == ("運賃下げ", "政治")
    assert entry["published_at"] == datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("Wed, 2 Feb 2022 11:36:05 JST", datetime(2022, 2, 2, 11, 36, 5, tzinfo=TOKYO)),
        ("02 Feb 22 02:36 GMT", datetime(2022, 2, 2, 2, 36, tzinfo=UTC)),
        ("Wed, 02 Feb 2022 02:36:00 -0000", datetime(2022, 2, 2, 2, 36, tzinfo=UTC)),
        ("Tue, 1 Feb 2022 21:36 EST", datetime(2022, 2, 2, 2, 36, tzinfo=UTC)),
        ("2022-02-02T02:36:00Z", datetime(2022, 2, 2, 2, 36, tzinfo=UTC)),
        ("2022-02-02 11:36:00 +09:00", datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)),
        ("Wed, 02 Feb 2022 11:36:00", datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)),
    ],
)
def test_times_as_feeds_write_them(written: str, time: datetime) -> None:
    feed = RSS.replace("Wed, 02 Feb 2022 11:36:00 +0900", written)
    assert items(feed, ReadOptions(timezone=ZoneInfo("Asia/Tokyo")))[0]["published_at"] == time


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("Wed, 02 Feb 2022 11:36", "has no time zone"),
        ("Wed, 02 Feb 2022 11:36 IST", "has the zone IST, which stands for several"),
        ("Wed, 31 Feb 2022 11:36 GMT", "is not a time"),
        ("soon", "is not a time"),
    ],
)
def test_an_entry_with_an_unreadable_time_is_rejected_alone(written: str, problem: str) -> None:
    data = RSS.replace("Wed, 02 Feb 2022 11:36:00 +0900", written).encode()
    (chunk,) = read(Source("a.rss", lambda: io.BytesIO(data)), ReadOptions())
    assert chunk.articles["element"].to_pylist() == ["entry 2"]
    assert [rejection.file for rejection in chunk.rejected] == ["a.rss"]
    assert chunk.rejected[0].reason.startswith("a.rss, entry 1: ")
    assert problem in chunk.rejected[0].reason


@pytest.mark.parametrize(
    "data", [b"", b"<html><p>x", b"\x00\xff", b"<rss", b"{}", b"<rss version='9'></rss>"]
)
def test_what_is_no_feed_is_one_rejection(data: bytes) -> None:
    chunks = list(read(Source("a.rss", lambda: io.BytesIO(data)), ReadOptions()))
    assert all(chunk.articles is None for chunk in chunks)
    if data != b"<rss version='9'></rss>":
        assert "is neither RSS nor Atom" in str(chunks[0].rejected[0])


def test_elements_that_are_never_closed_are_not_followed() -> None:
    """The library's time grows with the square of them."""
    data = b"<rss version='2.0'><channel>" + b"<item><title>a" * 20_000
    for feed in (data, data.decode().encode("utf-16")):
        (chunk,) = read(Source("a.rss", lambda feed=feed: io.BytesIO(feed)), ReadOptions())
        assert "more than 1,000 elements that are not closed" in str(chunk.rejected[0])
    broken = RSS.replace("Crossing costs", "<![CDATA[" + "<br>" * 5000 + "]]>Crossing costs")
    assert items(broken)[0]["headline"] == "Ferry & fares to fall"


def test_a_damaged_feed_gives_what_can_be_read() -> None:
    assert items(RSS.replace("</channel></rss>", "<br>&nbsp;"))[0]["headline"] == "Ferry & fares to fall"


def test_feeds_are_known_by_suffix_media_type_and_content(tmp_path: Path) -> None:
    assert reader_for("application/atom+xml; charset=utf-8") is reader_for(".rss") is read
    for name, feed in (("a.xml", RSS), ("b.rss", RSS), ("feed", ATOM), ("d.rdf.xml", RDF)):
        (tmp_path / name).write_text(feed, "utf-8")
    places = {
        file: set(read_all([str(tmp_path / file)]).articles["element"].to_pylist())
        for file in ("a.xml", "b.rss", "feed", "d.rdf.xml")
    }
    both, one = {"entry 1", "entry 2"}, {"entry 1"}
    assert places == {"a.xml": both, "b.rss": both, "feed": one, "d.rdf.xml": one}


def test_an_entry_that_two_feeds_have_is_one_article(tmp_path: Path) -> None:
    (tmp_path / "a.rss").write_text(RSS, "utf-8")
    shorter = RSS[: RSS.index("<item>")] + RSS[RSS.index("<item><title>Whale") :]
    (tmp_path / "b.rss").write_text(shorter, "utf-8")
    reading = read_all([str(tmp_path)])
    assert reading.articles["element"].to_pylist() == ["entry 1", "entry 2"]
    assert (reading.duplicates, reading.rejected) == (1, [])

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from classifier.articles import Article
from classifier.errors import OutputError
from classifier.reading.pages import Box, Page, parse_page
from classifier.reading.pages_writer import write_page

TIME = datetime(2022, 2, 2, 11, 36, tzinfo=ZoneInfo("Asia/Tokyo"))


def page(*boxes, **fields):
    values = {"headline": "Fares Fall", "body": "Boats run.\nMinisters wave.", "published_at": TIME} | fields
    return Page(Article(**values), boxes)


def test_the_printed_form():
    written = page(
        Box("Politics", None, ("Assembly Meets", "Aide Resigns")),
        Box("*", None, ("Whale Seen",)),
        section="Politics",
        extra={"city": "PORT ELLERY", "agency": "Jiji Press"},
    )
    assert write_page(written, site="MC") == (
        "Fares Fall\n11:36 JST, February 2, 2022\nPORT ELLERY (Jiji Press) — Boats run.\nMinisters wave.\n"
        '"Politics" POPULAR ARTICLE\n-\nAssembly Meets\n-\nAide Resigns\nMC ACCESS RANKING\n-\nWhale Seen\n'
    )
    assert "\nACCESS RANKING\n" in write_page(written, site="")
    assert parse_page(write_page(written)) == written


@pytest.mark.parametrize(
    "written",
    [
        page(),
        page(headline=""),
        page(body=""),
        page(body="", extra={"city": "TOKYO"}),
        page(extra={"agency": "Reuters"}),
        page(extra={"city": "TOKYO, OSAKA"}),
        page(Box("Sports", None, ()), section="Sports"),
        page(Box("Sports", None, ("A",)), Box("Politics", None, ("A",))),
        page(published_at=datetime(2022, 2, 2, 0, 5, tzinfo=UTC)),
        page(published_at=datetime(2022, 2, 2, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=45)))),
        page(published_at=datetime(2022, 7, 2, 0, 5, tzinfo=ZoneInfo("Europe/Berlin"))),
        page(published_at=datetime(987, 7, 2, 0, 5, tzinfo=UTC)),
        page(Box("*", None, ("- A title - with dashes", '"A" POPULAR ARTICLES, and why'))),
    ],
)
def test_written_pages_read_back_equal(written):
    back = parse_page(write_page(written))
    assert back == written
    assert back.article.published_at.utcoffset() == written.article.published_at.utcoffset()


@pytest.mark.parametrize(
    ("written", "field"),
    [
        (page(published_at=None), "published_at"),
        (page(published_at=TIME.replace(second=7)), "published_at"),
        (page(published_at=TIME.replace(microsecond=7)), "published_at"),
        (page(published_at=datetime(1800, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo"))), "published_at"),
        (page(headline="Fares\nFall"), "headline"),
        (page(headline=" Fares Fall"), "headline"),
        (page(headline="Fares\u00a0Fall"), "headline"),
        (page(headline="11:40 JST, May 1, 2022"), "published_at"),
        (page(headline="\ufeffFares"), "headline"),
        (page(summary="A deck"), "summary"),
        (page(body="One\n\nTwo"), "body"),
        (page(body="One\r\nTwo"), "body"),
        (page(body="One\nTwo "), "body"),
        (page(body="One\nACCESS RANKING"), "body"),
        (page(body="TOKYO — Boats run."), "body"),
        (page(headline="", body="A Title\nTOKYO (AP) — Boats run."), "headline"),
        (page(body="nul\x00"), "text"),
        (page(body="half\ud800"), "text"),
        (page(section="Sports"), "section"),
        (page(Box("Sports", None, ("A",))), "section"),
        (page(sections=("Sports",)), "sections"),
        (page(popularity=3.0), "popularity"),
        (page(source="MC"), "source"),
        (page(url="https://example.org/1"), "url"),
        (page(id="7"), "id"),
        (page(extra={"desk": "Foreign"}), "desk"),
        (page(extra={"city": "Tokyo"}), "city"),
        (page(extra={"city": "PARIS, Feb. 2"}), "city"),
        (page(extra={"city": "TOKYO"}, body="iPhones sell."), "city"),
        (page(extra={"city": None}, body="TOKYO —"), "body"),
        (page(extra={"agency": "Updated"}), "agency"),
        (page(extra={"agency": 7}), "agency"),
        (page(Box("*", TIME, ("A",))), "boxes.taken_at"),
        (page(Box("*", None, ("A\nB",))), "boxes.items"),
        (page(Box("*", None, ("",))), "boxes.items"),
        (page(Box("*", None, ("-",))), "boxes.items"),
        (page(Box("*", None, ("A", "ACCESS RANKING"))), "boxes.items"),
        (page(Box("*", None, ("A",)), Box("*", None, ("B",))), "boxes"),
        (page(Box("", None, ("A",))), "text"),
        (page(Box("A  B", None, ("A",)), section="A  B"), "section"),
        (page(Box("x" * 300, None, ("A",))), "body"),
    ],
)
def test_what_the_form_cannot_carry_is_refused_by_name(written, field):
    with pytest.raises(OutputError) as caught:
        write_page(written)
    assert f"cannot carry this article: {field} " in caught.value.problem


def test_a_site_that_is_no_site_is_refused():
    with pytest.raises(OutputError):
        write_page(page(Box("*", None, ("A",))), site="read all about it in the")


def test_null_extras_are_nothing_to_carry():
    assert write_page(page(extra={"city": None, "desk": None})) == write_page(page())


def test_the_same_instant_in_a_zone_with_another_name_is_carried():
    berlin = page(published_at=datetime(2022, 2, 2, 9, 0, tzinfo=ZoneInfo("Europe/Berlin")))
    assert "09:00 CET" in write_page(berlin)
    assert parse_page(write_page(berlin)) == replace(berlin)

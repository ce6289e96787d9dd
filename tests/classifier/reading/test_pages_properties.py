from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import OutputError, PageError
from classifier.reading.pages import Box, Page, decode_page, parse_page
from classifier.reading.pages_writer import write_page

ZONES = ["Asia/Tokyo", "UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Sydney"]
EARLIEST, LATEST = datetime.fromisoformat("1980-01-01"), datetime.fromisoformat("2100-01-01")
PAGE = """\
Ferry Fares to Fall
11:36 JST, February 2, 2022
PORT ELLERY, NORRICK (Jiji Press) — Ferry fares will fall, the minister said.
“We listened,” she said — to applause.
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
# Pieces of the form, so that random pages come close to it and past its edges.
PIECES = [
    *PAGE.splitlines(),
    *(
        "\n",
        "\r\n",
        "\r",
        "\x85",
        "\u2028",
        "\x0c",
        "\x1e",
        "\u00a0",
        "\u3000",
        "\ufeff",
        " ",
        "\t",
        "\x00",
        "\ud800",
    ),
    *(
        "-",
        "- ",
        "・",
        "－",
        "—",
        " — ",
        "(",
        ")",
        "（",
        "）",
        '"',
        "“",
        "”",
        "「",
        "」",
        ",",
        ".",
        "*",
        "+09:00",
        "IST",
    ),
    *(
        "TOKYO",
        "(AP) — ",
        "ACCESS RANKING",
        "POPULAR ARTICLE",
        "2022年2月2日 11時36分 JST",
        "25:99 JST, May 1, 2022",
    ),
    *("Title", "東京", "é", "¥", "😀", "9999", "December 31", "23:59", "UTC+23", "pm", "ı", "ſ", "٣"),
]
noise = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=30)
line = st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r\x00\u00a0"), min_size=1, max_size=60
).map(str.strip)
words = st.lists(
    st.sampled_from([*PIECES[:12], "Boats", "run", "–", "¥76", "ＧＤＰ", "‘q’", "x."]), min_size=1, max_size=5
)
title = st.one_of(line, words.map(" ".join)).filter(bool)
section = st.sampled_from(["Politics", "Economy & Trade", "政治", "Q&A", "Sci-Tech", "O'Hara"])


@st.composite
def pages(draw: st.DrawFn) -> Page:
    lists = draw(st.lists(st.one_of(section, st.just("*")), max_size=3, unique_by=str.casefold))
    boxes = tuple(Box(name, None, tuple(draw(st.lists(title, max_size=4)))) for name in lists)
    sections = [name for name in lists if name != "*"]
    extra = {
        "city": draw(st.sampled_from(["TOKYO", "TOKYO, OSAKA", "KYIV, Ukraine", "McALLEN", "東京", None])),
        "agency": draw(st.sampled_from(["Jiji Press", "Reuters", "dpa", "The Marenne Courier", None])),
    }
    time = draw(
        st.datetimes(
            EARLIEST,
            LATEST,
            timezones=st.sampled_from(ZONES).map(ZoneInfo),
            allow_imaginary=False,
        )
    )
    article = Article(
        headline=draw(st.one_of(st.just(""), title)),
        body="\n".join(draw(st.lists(title, max_size=5))),
        section=sections[0] if len(sections) == 1 else None,
        published_at=time.replace(second=0, microsecond=0),
        extra={key: value for key, value in extra.items() if value},
    )
    return Page(article, boxes)


def check_error(error: PageError, lines: int) -> None:
    event("error")
    assert error.file == "p.txt"
    assert 1 <= error.line <= lines


def check_total(text: str) -> None:
    """Reading gives a page that is whole, or a `PageError` that names a line of the text."""
    try:
        page = parse_page(text, name="p.txt")
    except PageError as error:
        check_error(error, text.count("\n") + text.count("\r") + 2)
        return
    event("page")
    assert page.article.headline or page.article.body
    assert page.article.published_at.tzinfo is not None
    assert all(box.list and all(box.items) for box in page.boxes)
    assert len({box.list for box in page.boxes}) == len(page.boxes)


@given(noise.map("".join))
def test_no_text_crashes_the_reader(text):
    check_total(text)


@given(noise.map("\n".join))
def test_no_pieces_of_the_form_crash_the_reader(rest):
    check_total("11:36 JST, February 2, 2022\n" + rest)


@given(
    st.lists(
        st.tuples(st.integers(0, len(PAGE)), st.integers(0, 12), st.sampled_from(["", *PIECES])), max_size=5
    )
)
def test_no_mutation_of_a_page_crashes_the_reader(changes):
    text = PAGE
    for at, length, piece in changes:
        text = text[:at] + piece + text[at + length :]
    check_total(text)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_decoder(data):
    try:
        text = decode_page(data, "p.txt")
    except PageError as error:
        check_error(error, data.count(b"\n") + data.count(b"\r") + 1)
        return
    check_total(text)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(pages())
def test_a_written_page_reads_back_equal_or_is_refused(page):
    try:
        text = write_page(page)
    except OutputError:
        event("refused")
        return
    event("written")
    back = parse_page(text)
    assert back == page
    assert back.article.published_at.utcoffset() == page.article.published_at.utcoffset()
    assert parse_page(decode_page(text.replace("\n", "\r\n").encode("utf-8-sig"))) == page
    assert write_page(back) == text


plain = st.lists(
    st.sampled_from(["Boats", "run", "on", "¥76", "ＧＤＰ", "‘q’", "東京", "—", "- 3", "U.S.", "é"]),
    max_size=6,
)
plain_titles = st.lists(plain.map(lambda rest: " ".join(["The", *rest, "harbour"])), min_size=1, max_size=6)


@given(
    plain_titles,
    st.sampled_from(["TOKYO", "TOKYO, OSAKA", "KYIV, Ukraine", ""]),
    st.sampled_from(["AP", "Jiji Press", ""]),
)
def test_an_ordinary_page_is_never_refused(titles, city, agency):
    extra = {key: value for key, value in (("city", city), ("agency", agency)) if value}
    time = datetime(2022, 2, 2, 11, 36, tzinfo=ZoneInfo("Asia/Tokyo"))
    article = Article(
        headline=titles[0], body="\n".join(titles), section="Politics", published_at=time, extra=extra
    )
    page = Page(article, (Box("Politics", None, tuple(titles)), Box("*", None, tuple(titles[::-1]))))
    assert parse_page(write_page(page)) == page


@given(noise.map("\n".join))
def test_what_was_read_can_be_written_or_is_refused_but_never_changes(rest):
    try:
        page = parse_page("11:36 JST, February 2, 2022\n" + rest)
        text = write_page(page)
    except (PageError, OutputError):
        return
    assert parse_page(text) == page


@given(pages(), st.lists(title, max_size=4))
def test_boxes_never_change_the_text(page, titles):
    try:
        bare = write_page(Page(replace(page.article, section=None)))
    except OutputError:
        assume(False)
    text = bare + '"Politics" POPULAR ARTICLE\n' + "".join(f"-\n{title}\n" for title in titles)
    article = parse_page(text).article
    assume(article.section == "Politics")  # a title may itself be a heading, and name a second section
    assert replace(article, section=None) == replace(page.article, section=None)
    assert article.id == parse_page(bare).article.id

"""HTML pages as sites write them: the article, what the page says of it, its boxes; the same as from plain text."""

from __future__ import annotations

import codecs
import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from classifier.articles import Article
from classifier.errors import ConfigError, FieldError, PageError
from classifier.reading import read_all
from classifier.reading.base import ReadOptions, Source
from classifier.reading.html_pages import parse_any_page, parse_html, parse_noted_html, read
from classifier.reading.html_tree import MAX_ELEMENTS, MAX_HTML_BYTES
from classifier.reading.pages import Page, parse_page

pytest.importorskip("trafilatura")
TOKYO = ZoneInfo("Asia/Tokyo")
SAMPLE = Path(__file__).parents[3] / "training" / "sample" / "pages"
URL = "https://courier.example/politics/ferry-fares"
TEXT = (
    "PORT ELLERY (Jiji Press) — Ferry fares will fall by twelve crowns in May, the transport minister said on "
    "Wednesday after talks with the operators of the northern line.",
    "Boats will run hourly from spring, and the last one will leave at midnight, she told reporters in the "
    "harbour, where some forty islanders had waited for her since the morning.",
)
LINKED_DATA = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebPage", "headline": "Not this"},
        {
            "@type": ["NewsArticle"],
            "headline": "Ferry fares to fall &amp; boats to run hourly",
            "articleSection": "Politics",
            "datePublished": "2022-02-02T02:36:20Z",
            "dateModified": "2022-02-02T14:00:00+09:00",
            "author": [{"@type": "Person", "name": "Ann Lee"}, {"@type": "Person", "name": "Bo Wu"}],
            "publisher": {"@type": "Organization", "name": "The Courier"},
            "description": "Crossing costs less from May.",
        },
    ],
}


def page_of(
    paragraphs: tuple[str, ...] = TEXT,
    *,
    head: str = "",
    title: str = "Ferry fares to fall",
    before: str = "",
    after: str = "",
    language: str = "en",
) -> str:
    body = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
    menu = "".join(f'<li><a href="/menu{number}">Menu {number}</a></li>' for number in range(8))
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">{head}</head><body><header><nav><ul>'
        f"{menu}</ul></nav></header><main><article><h1>{title}</h1>{before}{body}</article></main>{after}"
        "<footer><p>The Courier, Marenne</p></footer></body></html>"
    )


def linked(data: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def box(heading: str, *titles: str, tag: str = "ol", links: bool = True) -> str:
    items = [
        f'<a href="/news/{title.split()[0].lower()}">{title}</a>' if links else title for title in titles
    ]
    return (
        f"<section><h2>{heading}</h2><{tag}>{''.join(f'<li>{item}</li>' for item in items)}</{tag}></section>"
    )


def lists(page: Page) -> list[tuple[str, tuple[str, ...]]]:
    return [(found.list, found.items) for found in page.boxes]


# What a page says about itself


def test_a_whole_page() -> None:
    page = parse_html(
        page_of(
            head=f'<link rel="canonical" href="{URL}">{linked(LINKED_DATA)}',
            title="Ferry fares to fall &amp; boats to run hourly",
            before='<p class="byline">By Ann Lee, Bo Wu</p><p>11:36 JST, February 2, 2022</p>',
            after=f"<aside>{box('Most read', 'Budget passed', 'Whale seen')}</aside>",
        )
    )
    assert page.article == Article(
        headline="Ferry fares to fall & boats to run hourly",
        summary="Crossing costs less from May.",
        body="\n".join([TEXT[0].partition(" — ")[2], TEXT[1]]),
        section="Politics",
        published_at=datetime(2022, 2, 2, 2, 36, 20, tzinfo=UTC),
        source="The Courier",
        url=URL,
        language="en",
        extra={
            "agency": "Jiji Press",
            "city": "PORT ELLERY",
            "author": "Ann Lee, Bo Wu",
            "updated_at": datetime(2022, 2, 2, 5, tzinfo=UTC),
        },
    )
    assert page.article.published_at is not None
    assert page.article.published_at.tzinfo == TOKYO, "the printed time says which clock it is"
    assert lists(page) == [("*", ("Budget passed", "Whale seen"))]


def test_open_graph_and_meta_elements() -> None:
    head = (
        "<title>Ferry fares to fall | The Courier</title>"
        '<meta property="og:title" content="Ferry fares to fall | The Courier">'
        '<meta property="og:site_name" content="The Courier"><meta property="og:type" content="article">'
        '<meta property="article:section" content="Economy"><meta name="author" content="Ann Lee">'
        '<meta property="article:published_time" content="2022-02-02T11:36:00+09:00">'
        f'<meta property="og:url" content="{URL}"><meta property="og:locale" content="de_DE">'
    )
    article = parse_html(page_of(head=head, title="A kicker", language="")).article
    assert (article.headline, article.section, article.source) == (
        "Ferry fares to fall",
        "Economy",
        "The Courier",
    )
    assert (article.url, article.language, article.extra["author"]) == (URL, "de-DE", "Ann Lee")
    assert article.published_at == datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)


def test_linked_data_goes_before_open_graph_and_the_text_before_nothing() -> None:
    head = linked({"@type": "NewsArticle", "headline": "From linked data"})
    assert parse_html(page_of(head=head + '<meta property="og:title" content="B">')).article.headline == (
        "From linked data"
    )
    assert parse_html(page_of(head="<title>C - Site</title>", title="From the text")).article.headline == (
        "From the text"
    )


@pytest.mark.parametrize(
    "written",
    [
        lambda data: f"<!--\n{json.dumps(data)}\n-->",
        lambda data: f"//<![CDATA[\n{json.dumps(data)}\n//]]>",
        lambda data: json.dumps([{"@type": "BreadcrumbList"}, data]),
        lambda data: json.dumps({"@type": "WebPage", "mainEntity": data}),
        lambda data: json.dumps({**data, "@type": "https://schema.org/ReportageNewsArticle"}),
        lambda data: json.dumps({**data, "description": "two\nlines"}).replace("\\n", "\n"),
        lambda data: json.dumps(data) + ";",
    ],
    ids=["comment", "CDATA", "list", "nested", "subtype", "line break", "semicolon"],
)
def test_linked_data_as_sites_write_it(written: Callable[[dict[str, Any]], str]) -> None:
    data = {"@type": "NewsArticle", "headline": "Found", "articleSection": ["World", "Asia"]}
    script = f'<script type="application/ld+json">{written(data)}</script>'
    article = parse_html(page_of(head=script)).article
    assert (article.headline, article.section, article.sections) == ("Found", "World", ("World", "Asia"))


@pytest.mark.parametrize("text", ["", "{", "[1, 2", '"x"', "null", "[" * 100_000, '{"@type": {"a": 1}}'])
def test_broken_linked_data_says_nothing(text: str) -> None:
    page = page_of(head=f'<script type="application/ld+json">{text}</script>', title="From the text")
    assert parse_html(page).article.headline == "From the text"


def test_a_summary_that_begins_the_body_is_none() -> None:
    head = f'<meta property="og:description" content="{TEXT[1][:60]}…">'
    assert parse_html(page_of((TEXT[1], TEXT[1][::-1]), head=head)).article.summary == ""


# Times


def test_the_printed_time_counts_where_the_page_states_none() -> None:
    article = parse_html(
        page_of(before="<div>Updated <b>x</b></div><p>11:36 JST, February 2, 2022</p>")
    ).article
    assert article.published_at == datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)
    assert "2022" not in article.body


@pytest.mark.parametrize(
    ("options", "month", "day"),
    [
        (ReadOptions(timezone=TOKYO, dates="day-first"), 4, 3),
        (ReadOptions(timezone=TOKYO, dates="month-first"), 3, 4),
        (ReadOptions(timezone=TOKYO), 4, 3),
        (ReadOptions(timezone=ZoneInfo("America/New_York")), 3, 4),
    ],
    ids=["day first", "month first", "in most zones", "in the United States"],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_printed_times_are_read_as_the_user_says(
    place: str, options: ReadOptions, month: int, day: int
) -> None:
    printed = "<p>03/04/2022 11:36</p>"
    page = page_of(before=printed) if place == "before" else page_of((*TEXT,), after=printed)
    found, notes = parse_noted_html(page, options=options)
    assert found.article.published_at == datetime(2022, month, day, 11, 36, tzinfo=options.timezone)
    assert "2022" not in found.article.body
    doubt = f"dates of which day and month could be the other way round, read as {_order(month)}"
    assert [note.what for note in notes] == ([] if options.dates else [doubt])


def _order(month: int) -> str:
    return "month-first" if month == 3 else "day-first"


def test_a_printed_time_in_doubt_is_an_error_where_that_was_asked() -> None:
    page = page_of(before="<p>03/04/2022 11:36</p>")
    strict = ReadOptions(timezone=TOKYO, strict=True)
    with pytest.raises(FieldError, match=r'a\.html: published_at: "03/04/2022 11:36" is in doubt .*--dates'):
        parse_html(page, name="a.html", options=strict)
    stated = page_of(head=linked(LINKED_DATA), before="<p>03/04/2022 11:36</p>")
    assert parse_html(stated, options=strict).article.published_at == datetime(
        2022, 2, 2, 2, 36, 20, tzinfo=UTC
    )
    day_first = replace(strict, dates="day-first")
    assert parse_html(page, options=day_first).article.published_at == datetime(
        2022, 4, 3, 11, 36, tzinfo=TOKYO
    )


def test_without_any_time_there_is_none() -> None:
    assert parse_html(page_of()).article.published_at is None


def test_a_time_without_a_zone_needs_the_users() -> None:
    head = '<meta name="date" content="2022-02-02 11:36:00">'
    with pytest.raises(FieldError, match=r"a\.html: published_at: .*no time zone.*--timezone"):
        parse_html(page_of(head=head), name="a.html")
    article = parse_html(page_of(head=head), options=ReadOptions(timezone=TOKYO)).article
    assert article.published_at == datetime(2022, 2, 2, 11, 36, tzinfo=TOKYO)


def test_of_several_times_the_first_with_a_zone_counts() -> None:
    head = (
        '<meta property="article:published_time" content="yesterday"><meta name="pubdate" content="2022-02-02T11:36">'
        '<meta name="date" content="2022-02-02T02:36:00Z">'
    )
    assert parse_html(page_of(head=head)).article.published_at == datetime(2022, 2, 2, 2, 36, tzinfo=UTC)


# Boxes


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Most read in Politics", "Politics"),
        ("<span>“Politics”</span> POPULAR ARTICLE", "Politics"),
        ("Most <em>read</em>", "*"),
        ("政治の人気記事", "政治"),
        ("정치 많이 본 뉴스", "정치"),
        ("Meistgelesen in Politik", "Politik"),
        ("Les plus lus", "*"),
        ("Lo más leído", "*"),
    ],
)
def test_a_box_under_its_heading(heading: str, name: str) -> None:
    page = parse_html(page_of(after=box(heading, "Budget passed", "Whale seen")))
    assert lists(page) == [(name, ("Budget passed", "Whale seen"))]
    assert page.article.section == (None if name == "*" else name)
    assert "Whale" not in page.article.text


@pytest.mark.parametrize(
    "shape",
    [
        '<div class="h">Most read</div><ul><li><a href="/a">One more</a></li><li><a href="/b">Two more</a></li></ul>',
        '<div><h3>Most read</h3></div><div><ol><li><a href="/a"><span>1</span><span>One more</span></a></li>'
        '<li><a href="/b"><span>2</span><span>Two more</span></a></li></ol></div>',
        "<h3>Most read</h3><ol><li>1. <a href='/a'><img src='x'></a><h4><a href='/a'>One more</a></h4><p>5 h ago</p></li>"
        "<li>2. <a href='/b'><h4>Two more</h4></a></li></ol>",
        "<h3>Most read</h3><div><div><a href='/a'><img></a><a href='/a'>One more</a></div>"
        "<div><a href='/b'>Two more</a></div></div>",
        "<table><caption>x</caption></table><h3>Most read</h3><table><tr><td>1</td><td><a href='/a'>One more</a></td></tr>"
        "<tr><td>2</td><td><a href='/b'>Two more</a></td></tr></table>",
        "<ul><li><a href='#new'>Latest</a></li><li><a href='#read'>Most read</a></li></ul><div id='new'><ol><li>"
        "<a href='/n'>Newest</a></li></ol></div><div id='read'><ol><li><a href='/a'>One more</a></li>"
        "<li><a href='/b'>Two more</a></li></ol></div>",
    ],
    ids=["div", "wrapped", "pictures", "divs", "table", "tabs"],
)
def test_the_shapes_of_boxes(shape: str) -> None:
    page = parse_html(page_of(after=f"<aside>{shape}</aside>"))
    assert lists(page) == [("*", ("One more", "Two more"))]


def test_a_box_within_the_text_is_no_part_of_it() -> None:
    title = "A headline of another article that is long enough to be taken for a sentence of this one, by its length"
    whole = page_of().replace(
        "</p><p>Boats", f"</p>{box('MC ACCESS RANKING', title, 'Whale seen', links=False)}<p>Boats"
    )
    page = parse_html(whole)
    assert lists(page) == [("*", (title, "Whale seen"))]
    assert page.article == parse_html(page_of()).article


def test_words_that_head_nothing_else_need_no_links() -> None:
    page = parse_html(page_of(after=box("MC ACCESS RANKING", "Budget passed", "Whale seen", links=False)))
    assert lists(page) == [("*", ("Budget passed", "Whale seen"))]
    assert page.boxes[0].ids == (None, None)


@pytest.mark.parametrize(
    "shape",
    [
        "<ul><li><button>Latest</button></li><li><button>Most read</button></li></ul>"
        "<ol><li><a href='/n'>Newest</a></li></ol>",
        "<h2>Most popular</h2><ul><li>Anna</li><li>Ben</li></ul>",
        "<h2>Most read</h2><h2>Newsletters</h2><ul><li><a href='/a'>Morning</a></li></ul>",
        "<h2>Most read</h2>",
    ],
    ids=["tabs that say nothing", "a list without links", "another heading", "nothing behind"],
)
def test_what_is_no_box(shape: str) -> None:
    page = parse_html(page_of(after=f"<aside>{shape}</aside>"))
    assert page.boxes == ()


def test_titles_link_to_articles_by_the_ids_that_those_have() -> None:
    shape = (
        '<h2>Most read</h2><ol><li><a href="/politics/ferry-fares?utm_source=box#top">Ferry fares</a></li>'
        '<li><a href="javascript:void(0)">Whale seen</a></li></ol>'
    )
    page = parse_html(page_of(head=f'<link rel="canonical" href="{URL}">', after=f"<aside>{shape}</aside>"))
    assert page.boxes[0].ids == (page.article.id, None)
    assert [row["article_id"] for row in page.box_rows()] == [page.article.id, None]


def test_further_headings_and_when_boxes_were_printed() -> None:
    options = ReadOptions(ranking_headings=("Reader favourites",), taken_at="%Y-%m-%d", timezone=TOKYO)
    page = parse_html(
        page_of(after=box("Reader favourites", "Budget passed")), name="2022-02-02/a.html", options=options
    )
    assert lists(page) == [("*", ("Budget passed",))]
    assert page.boxes[0].taken_at == datetime(2022, 2, 3, tzinfo=TOKYO)
    with pytest.raises(ConfigError, match="not a file-name pattern"):
        list(read(source(b"<p>x"), ReadOptions(taken_at="%Q")))


@pytest.mark.parametrize("head", ["", linked(LINKED_DATA)], ids=["plain", "linked data"])
def test_with_and_without_boxes_an_article_is_the_same(head: str) -> None:
    boxes = (
        f"<aside>{box('“Politics” POPULAR ARTICLE', 'Budget passed')}{box('Most read', 'Whale seen')}</aside>"
    )
    scored = ReadOptions(printed_sections=False)
    one = parse_html(page_of(head=head, after=boxes), options=scored)
    other = parse_html(page_of(head=head), options=scored)
    assert one.article == other.article
    assert len(one.boxes) == 2


# The same as from the plain-text form


def as_html(page: Page, time_line: str) -> str:
    """A page as a site could publish the article whose plain-text form was read."""
    article = page.article
    city, agency = article.extra.get("city"), article.extra.get("agency")
    dateline = " ".join(part for part in (city, f"({agency})" if agency else "") if part)
    first, *rest = article.body.split("\n")
    paragraphs = (f"{dateline} — {first}" if dateline else first, *rest)
    boxes = [
        box(
            "MC ACCESS RANKING" if found.list == "*" else f"<b>“{found.list}”</b> POPULAR ARTICLE",
            *found.items,
        )
        for found in page.boxes
    ]
    return page_of(
        tuple(paragraphs),
        title=html.escape(article.headline),
        before=f"<p>{time_line}</p>",
        after=f"<aside>{''.join(boxes)}</aside>",
    )


@pytest.mark.parametrize(
    "file", sorted(SAMPLE.glob("2031-04-0[1-3]/*.txt")), ids=lambda path: path.parent.name + path.stem
)
def test_a_page_of_the_sample_newspaper_is_the_same_in_both_forms(file: Path) -> None:
    text = file.read_text("utf-8")
    time_line = next(line for line in text.split("\n") if re.match(r"\d\d:\d\d JST, ", line))
    plain = parse_page(text)
    marked = parse_html(as_html(plain, time_line))
    for name in ("headline", "summary", "body", "section", "published_at", "id"):
        assert getattr(marked.article, name) == getattr(plain.article, name), name
    assert marked.article.extra == plain.article.extra
    assert lists(marked) == lists(plain)


def test_a_folder_of_saved_pages_is_training_data_as_their_plain_text_is(tmp_path: Path) -> None:
    for file in sorted(SAMPLE.glob("2031-04-01/*.txt")):
        text = file.read_text("utf-8")
        time_line = next(line for line in text.split("\n") if re.match(r"\d\d:\d\d JST, ", line))
        for folder, suffix, content in (
            ("text", "txt", text),
            ("html", "html", as_html(parse_page(text), time_line)),
        ):
            target = tmp_path / folder / "2031-04-01" / f"{file.stem}.{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, "utf-8")
    options = ReadOptions(taken_at="%Y-%m-%d")
    plain, marked = (read_all([str(tmp_path / folder)], options) for folder in ("text", "html"))
    names = ["id", "headline", "body", "section", "published_at", "agency", "city"]
    assert marked.articles.select(names).equals(plain.articles.select(names))
    names = ["list", "taken_at", "rank", "headline"]
    assert marked.boxes.select(names).equals(plain.boxes.select(names))


# Files, encodings, limits


def source(data: bytes, name: str = "a.html") -> Source:
    return Source(name, lambda: io.BytesIO(data))


def chunk_of(data: bytes) -> Any:
    (chunk,) = read(source(data), ReadOptions())
    return chunk


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("shift_jis", "cp932"),
        ("EUC-JP", "euc_jp"),
        ("utf-8", "utf-8"),
        (None, "utf-8"),
        ("utf-16", "utf-8"),
        ("iso-8859-1", "utf-8"),
    ],
)
def test_encodings(declared: str | None, encoding: str) -> None:
    text = page_of(("運賃が五月から引き下げられると大臣が水曜日に述べた。" * 4,), title="フェリー運賃")
    text = text.replace('<meta charset="utf-8">', f'<meta charset="{declared}">' if declared else "")
    chunk = chunk_of(text.encode(encoding))
    assert chunk.articles["headline"].to_pylist() == ["フェリー運賃"]
    assert chunk.notes == ()


def test_windows_quotes_in_latin_1_as_browsers_read_them() -> None:
    text = page_of(title="“Fähre”").replace("utf-8", "iso-8859-1")
    assert chunk_of(text.encode("cp1252", "replace")).articles["headline"].to_pylist() == ["“Fähre”"]


def test_byte_order_marks_go_before_what_is_declared() -> None:
    data = codecs.BOM_UTF16_LE + page_of(title="Fähre").encode("utf-16-le")
    assert chunk_of(data).articles["headline"].to_pylist() == ["Fähre"]


def test_bytes_that_do_not_belong_are_replaced_and_noted() -> None:
    data = page_of(title="Fähre").replace("utf-8", "shift_jis").encode() + b"\xff\xff"
    data = data.replace("Fähre".encode(), b"F\xfc\xfchre")
    chunk = chunk_of(data)
    assert "�" in chunk.articles["headline"].to_pylist()[0]
    assert [note.what for note in chunk.notes] == ["pages hold bytes that are not of their encoding"]


def test_a_page_that_says_it_is_no_article_is_noted() -> None:
    chunk = chunk_of(page_of(head='<meta property="og:type" content="website">').encode())
    assert [(note.file, note.what) for note in chunk.notes] == [
        ("a.html", "pages say that they are no article (og:type)")
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "holds no HTML element"),
        (b"<!-- nothing -->", "holds no HTML element"),
        (b"<html><body></body></html>", "neither a headline nor a paragraph"),
        (b"<div>" * 300 + b"x", "elements within each other"),
        (b"<p>" + b"<b></b>" * MAX_ELEMENTS, "elements; expected"),
        (b"<p>" + b"x" * MAX_HTML_BYTES, "is larger than 16 MiB"),
    ],
    ids=["empty", "comment", "no text", "deep", "many", "large"],
)
def test_a_page_that_cannot_be_read_is_one_rejection(data: bytes, problem: str) -> None:
    (rejection,) = chunk_of(data).rejected
    assert rejection.file == "a.html"
    assert problem in rejection.reason


def test_a_text_may_be_html_or_plain() -> None:
    assert parse_any_page(page_of(title="Marked up")).article.headline == "Marked up"
    assert parse_any_page("\ufeff\n <p>Fares fall.</p>").article.body == "Fares fall."
    plain = parse_any_page("Plain\n11:36 JST, February 2, 2022\nText < text.\n").article
    assert (plain.headline, plain.body) == ("Plain", "Text < text.")
    with pytest.raises(PageError):
        parse_any_page("no time line")
    with pytest.raises(PageError, match="surrogate"):
        parse_html("<p>\ud800</p>")


def test_columns_to_ignore_are_left_out() -> None:
    options = ReadOptions(ignore=frozenset(("section", "author")))
    article = parse_html(page_of(head=linked(LINKED_DATA)), options=options).article
    assert article.section is None
    assert "author" not in article.extra
    assert article.published_at is not None
    assert article.published_at - datetime(2022, 2, 2, tzinfo=UTC) < timedelta(hours=3)

"""What a file holds, by a look at its beginning."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import FormatError
from classifier.reading import find_sources, read_all, reader_for
from classifier.reading.base import Source
from classifier.reading.looking import FEED, HTML, JSON, JSON_LINES, NEWSML, NINJS, look, look_at

HTML_PAGE = "<!DOCTYPE html><html><body><h1>Ferry fares to fall</h1><p>From May on, the minister said.</p></body></html>"
NINJS_ITEM = {
    "uri": "x",
    "type": "text",
    "versioncreated": "2022-02-02T05:00:00Z",
    "headline": "A",
    "body_text": "B",
}


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        ("<!DOCTYPE html>\n<p>x", HTML),
        ('<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x.dtd"><html>', HTML),
        ("\n <!-- <rss> --> <HTML lang=en>", HTML),
        ("<div class='a'>", HTML),
        ("<h1>x", HTML),
        ('<?xml version="1.0"?><rss version="2.0">', FEED),
        ('<?xml-stylesheet href="x"?><feed xmlns="http://www.w3.org/2005/Atom">', FEED),
        ("<rdf:RDF xmlns:rdf='x'>", FEED),
        ("<atom:feed>", FEED),
        ("<newsItem xmlns='x'>", NEWSML),
        ("<!DOCTYPE a [<!ELEMENT a ANY>]><newsMessage>", NEWSML),
        ("<urlset>", None),
        ("<svg>", None),
        ("< 5 and > 3", None),
        ("<", None),
        (json.dumps(NINJS_ITEM), NINJS),
        (json.dumps([NINJS_ITEM], indent=1), NINJS),
        ('{"headline": "a", "body": "b"}\n{"headline"', JSON_LINES),
        ('[{"headline": "a"}]', JSON),
        ('{"articles": [{"headline": "a"}]}', JSON),
        ('{"articles": [{"headline": "a"}], "top": 5}\n\n', JSON),
        ('{"status": "ok", "total": 2, "stories": [{"body": "a', JSON),
        ('{"ok": true, "results": [{"title": "a"}]}', JSON),
        ('{"status": "ok", "response": {"total": 1, "found": [{"headline": "a"}]}}', JSON),
        ('{"articles": [{"headline": "a"}]}\n{"articles": [', JSON_LINES),
        ('{"headline": "a", "articles": [{"headline": "b"}]}', JSON_LINES),
        ('{"authors": [{"name": "b"}], "title": "a"}', JSON_LINES),
        ('{"authors": [{"name": "b"}], "rights": {"holders": [{"name": "c"}]}}', JSON_LINES),
        ('{"articles": []}', JSON_LINES),
        ('{"articles": [1], "results": "x"}', JSON_LINES),
        (json.dumps({"_items": [NINJS_ITEM]}), NINJS),
        ("headline,body\n", None),
        ("", None),
        ("PK\x03\x04", None),
    ],
)
def test_kinds(beginning: str, kind: str | None) -> None:
    assert look(beginning.encode()) == kind
    assert look(codecs.BOM_UTF8 + beginning.encode()) == kind
    assert look(codecs.BOM_UTF16_LE + beginning.encode("utf-16-le")) == kind


@given(st.text(alphabet='<>!-?[]dDoOcCtTyYpPeE \n{}":,a', max_size=400))
def test_any_beginning_is_looked_at(text: str) -> None:
    assert look(text.encode()) in (HTML, FEED, NEWSML, NINJS, JSON, JSON_LINES, None)


@pytest.mark.parametrize(
    "piece", ["<!---->", "<!-- ", "<?a?>", "<!doctype a [", "<!doctype a [ ]>", "] >", " "]
)
def test_a_beginning_that_never_ends_is_looked_at_once(piece: str) -> None:
    assert look(("<!doctype x [" + piece * 60_000).encode()[: 1 << 16]) is None
    assert look((piece * 60_000).encode()[: 1 << 16]) is None


def test_files_whose_names_do_not_say_what_they_are(tmp_path: Path) -> None:
    for name in ("article", "index.php", "page.html?id=3", "2031.04", "deep/story.aspx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(HTML_PAGE.replace("May", name), "utf-8")
    for name in ("notes", "Makefile", "data.xml", "a.php", "b.mp3", "c.html~", "d.docx"):
        (tmp_path / name).write_text("x: <p>nothing", "utf-8")
    found = find_sources([str(tmp_path)])
    names = ["2031.04", "article", "deep/story.aspx", "index.php", "page.html?id=3"]
    assert [source.name for source in found.sources] == names
    assert found.skipped == ["Makefile", "a.php", "b.mp3", "c.html~", "d.docx", "data.xml", "notes"]
    assert read_all([str(tmp_path)]).articles["file"].to_pylist() == names


def test_what_a_browser_saved_beside_a_page_is_not_read(tmp_path: Path) -> None:
    for name in (
        "Fares.html",
        "Fares_files/frame.html",
        "News_files/a.html",
        "Snow.htm",
        "Snow_files/x/b.html",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(HTML_PAGE.replace("May", name), "utf-8")
    found = find_sources([str(tmp_path)])
    assert [source.name for source in found.sources] == ["Fares.html", "News_files/a.html", "Snow.htm"]
    assert found.skipped == []


def test_a_file_that_cannot_be_told_is_an_error_with_what_can(tmp_path: Path) -> None:
    (tmp_path / "data.xml").write_text("<urlset/>", "utf-8")
    with pytest.raises(FormatError) as caught:
        read_all([str(tmp_path / "data.xml")])
    assert str(caught.value).startswith(
        "data.xml: neither its name nor its beginning says what it is; HTML pages, RSS"
    )


@pytest.mark.parametrize("rest", [{}, {"top": 5}])
def test_what_our_service_is_asked_is_read_as_a_file(
    rest: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps({"articles": [{"headline": "a"}, {"headline": "b", "body": "x" * 100_000}], **rest})
    (tmp_path / "request.json").write_text(text, "utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    for source in (str(tmp_path / "request.json"), "-"):
        assert read_all([source]).articles["headline"].to_pylist() == ["a", "b"]


def test_standard_input_may_be_any_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, headline in ((HTML_PAGE, "Ferry fares to fall"), (json.dumps(NINJS_ITEM), "A")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert read_all(["-"]).articles["headline"].to_pylist() == [headline]


def test_a_pipe_is_looked_at_as_it_comes() -> None:
    """As soon as what has come says what it is, whether the writer has ended or not."""
    end, start = os.pipe()
    found: list[str | None] = []
    with open(end, "rb") as stream, open(start, "wb", buffering=0) as writer:
        looking = threading.Thread(
            target=lambda: found.append(look_at(Source("stdin", lambda: nullcontext(stream)))), daemon=True
        )
        looking.start()
        for piece in (b'{"headline": ', b'"one"}\n'):
            writer.write(piece)
        looking.join(30)
        assert found == [JSON_LINES]


def test_web_media_types() -> None:
    for kind in (
        "text/html; charset=utf-8",
        "application/xhtml+xml",
        "application/rss+xml",
        "text/xml",
        "application/json",
    ):
        assert callable(reader_for(kind))

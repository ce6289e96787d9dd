"""A page's text is what trafilatura finds after comparing with others, whether or not it had to be compared."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.reading import html_text
from classifier.reading.html_text import extracted
from classifier.reading.html_tree import parse_tree

trafilatura = pytest.importorskip("trafilatura")
LONG = (
    "Ferry fares will fall by twelve crowns in May, the transport minister said on Wednesday after talks with operators "
    "of the northern line, and boats will run hourly from spring, she told reporters in the harbour."
)
TABLE = "<table><tr><td>Fares of the northern line</td><td>12</td></tr></table>"
OTHER = "The last boat leaves at midnight, and forty islanders had waited for her since the morning, in wind and in rain."


def compared(page: str) -> list[str]:
    """trafilatura's own lines, always compared."""
    text = trafilatura.extract(parse_tree(page, "page"), include_comments=False)
    return [line.strip() for line in (text or "").split("\n") if line.strip()]


def runs_of(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each time that the library is asked, whether it was not to compare."""
    document, asked = html_text._document, []

    def noted(tree: Any, options: Any) -> Any:
        asked.append(options is not html_text._compared())
        return document(tree, options)

    monkeypatch.setattr(html_text, "_document", noted)
    return asked


BLOCKS = st.sampled_from(
    [
        f"<p>{LONG}</p>",
        f"<p>{OTHER}</p>",
        f"<p>{OTHER}</p>",
        "<p>Short.</p>",
        "<h2>A heading</h2>",
        f"<div>{OTHER}</div>",
        f"<div class='teaser'><p>{OTHER}</p></div>",
        f"<div class='comments'><p>{LONG}</p></div>",
        f"<aside><p>{OTHER}</p></aside>",
        f"<section><p>{LONG}</p></section>",
        f"<blockquote>{OTHER}</blockquote>",
        f"<ul><li>{OTHER}</li><li>Two</li></ul>",
        "<table><tr><td>Fares</td><td>12</td></tr><tr><td>Boats</td><td>40</td></tr></table>",
        f"<table><tr><td>{LONG}</td></tr></table>",
        f"<figure><img src='/a.jpg'><figcaption>{OTHER}</figcaption></figure>",
        f"<p>{OTHER} <time>noon</time> <label>L</label> <button>Go</button></p>",
        f"<p><span>{LONG}</span><br>{OTHER}</p>",
        f"<p><a href='/x'>{OTHER}</a></p>",
        "<iframe src='https://www.youtube.com/embed/x'></iframe>",
        "<form><p>Sign up for the letter of the harbour, which comes each morning.</p><input></form>",
        f"<noscript><p>{OTHER}</p></noscript>",
        "<script>var x = 'no text at all, however long it may be, and with, commas, too';</script>",
        "<p>e\u0301te\u0301 – summer</p>",
    ]
)


@given(
    st.lists(BLOCKS, min_size=1, max_size=8),
    st.lists(BLOCKS, max_size=4),
    st.sampled_from(["<article>{}</article>", "<main>{}</main>", "<div id='content'>{}</div>", "{}"]),
    st.integers(0, 12),
)
def test_any_page_gives_what_is_found_after_comparing(
    inside: list[str], outside: list[str], frame: str, links: int
) -> None:
    nav = "".join(f"<li><a href='/s/{i}'>Section {i}</a></li>" for i in range(links))
    page = (
        f"<html><head><title>T</title></head><body><nav><ul>{nav}</ul></nav>{frame.format(''.join(inside))}"
        f"{''.join(outside)}<footer>All rights reserved</footer></body></html>"
    )
    found = extracted(parse_tree(page, "page"), "page")
    assert found == [unicodedata.normalize("NFC", line) for line in compared(page)]


def test_an_article_that_is_most_of_its_page_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = runs_of(monkeypatch)
    article = f"<article><h1>Fares</h1><p>{LONG}</p><p>{OTHER}</p></article>"
    page = f"<html><body><nav><a href='/'>Home</a></nav>{article}</body></html>"
    assert extracted(parse_tree(page, "page"), "page")[-1] == OTHER
    assert asked == [True]


@pytest.mark.parametrize(
    ("page", "runs"),
    [
        # Paragraphs are less than half of the page: not even tried without comparing.
        (f"<article><p>{LONG}</p></article><div>{LONG} {LONG}</div>", [False]),
        # Too short to be taken for the whole.
        (f"<article><p>{OTHER}</p></article>", [True, False]),
        # More tables than paragraphs.
        (f"<article><p>{LONG}</p>{TABLE}{TABLE}</article>", [True, False]),
        # Too short without its teasers, which are left in or not.
        (f"<article><p>{LONG}</p><p class='teaser'>{OTHER}</p></article>", [True, False]),
        (f"<article><p>{OTHER}</p><p>{OTHER} {OTHER}</p><p class='teaser'>{OTHER}</p></article>", [True]),
    ],
)
def test_where_it_may_matter_it_is_compared(
    page: str, runs: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = runs_of(monkeypatch)
    page = f"<html><body>{page}</body></html>"
    assert extracted(parse_tree(page, "page"), "page") == compared(page)
    assert asked == runs


def test_of_another_version_nothing_is_taken_for_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = runs_of(monkeypatch)
    monkeypatch.setattr(html_text, "_is_known", lambda: False)
    page = f"<html><body><article><p>{LONG}</p><p>{OTHER}</p></article></body></html>"
    assert extracted(parse_tree(page, "page"), "page") == [LONG, OTHER]
    assert asked == [False]

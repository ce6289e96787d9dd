"""Articles as columns: the same whether they come as objects or as an Arrow batch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from classifier.articles import ARTICLE_FIELDS, Article
from classifier.reading.rows import to_batch
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock
from classifier.text.rows import LENGTHS, NO_URL, START, TEXT, URL, Rows
from classifier.text.values import numbers


def test_objects_and_batch_give_the_same_columns(articles: list[Article]) -> None:
    ours, theirs = Rows.from_articles(articles), Rows.from_batch(to_batch(articles))
    assert len(ours) == len(theirs) == len(articles)
    for name in (*ARTICLE_FIELDS, "desk", "no such column"):
        assert list(ours.values(name)) == list(theirs.values(name)), name
    assert ours.texts(TEXT) == theirs.texts(TEXT) == [article.text for article in articles]


def test_parts_are_the_fields_of_the_text(articles: list[Article]) -> None:
    rows = Rows.from_articles(articles)
    for number, article in enumerate(articles):
        parts = rows.text_parts(TEXT, number)
        assert [name for name, _ in parts] == ["headline", "summary", "body"]
        assert "\n".join(text for _, text in parts if text) == article.text
        assert rows.text_parts("body", number) == [("body", article.body)]


def test_no_rows() -> None:
    rows = Rows.from_articles([])
    assert len(rows) == 0
    assert rows.texts(TEXT) == []
    assert list(rows.values("anything")) == []


@pytest.mark.parametrize(
    ("values", "expected"), [(["", None], False), (["", "x"], True), ([None, None], False), ([], False)]
)
def test_whether_a_column_holds_anything(values: list[str | None], expected: bool) -> None:
    columns = {"summary": pa.array(values, pa.string()), "large": pa.array(values, pa.large_string())}
    batch = pa.RecordBatch.from_pydict(columns)
    for rows in (Rows.from_batch(batch), Rows.from_batch(pa.Table.from_batches([batch, batch]))):
        assert [rows.any(name) for name in columns] == [expected, expected]
        assert not rows.any("no such column")
        assert rows.with_values("summary", ["y"] * len(values)).any("summary") == bool(values)
    assert Rows({"summary": values}, len(values)).any("summary") == expected


URLS = {
    None: "",
    "": "",
    "?q=1": "",
    "https://paper.example/sports/cup-final?ref=most-read#top": "https://paper.example/sports/cup-final",
    "paper.example/a#b?c": "paper.example/a",
    "/é\n/x?y": "/é\n/x",
    "/" + "long/" * 10_000: ("/" + "long/" * 100)[:500],
}


WORDS = TextBlock.of(
    URL,
    Analyzer("word", (1, 1)),
    ("paper", "sports", "example", "cup", "final", "ref", "top", "read"),
    np.ones(8),
)


def words_of(rows: Rows) -> list[list[int]]:
    """The known words of each address that has any."""
    found = WORDS.transform(rows)
    return [own for i in range(len(rows)) if (own := sorted(found.row(i)[0].tolist()))]


def test_the_address_ends_before_the_query() -> None:
    """Which may say where a crawler came from, and so what was already popular."""
    articles = [Article(headline="x", url=url) for url in URLS]
    for rows in (Rows.from_articles(articles), Rows.from_batch(to_batch(articles))):
        assert rows.texts(URL) == list(URLS.values())
        assert words_of(rows) == [[0, 1, 2, 3, 4], [0, 2]]
        assert list(rows.values(URL)) == list(URLS)  # the column itself is whole
        other = rows.with_values(URL, ["/other?x"] * len(URLS))
        assert other.texts(URL) == ["/other"] * len(URLS)
        assert words_of(other) == []
    for article, expected in zip(articles, URLS.values(), strict=True):
        rows = Rows.from_articles([article])
        assert rows.encoded(URL) == expected.encode()
        assert WORDS.feature_spans(rows, 0) == {}  # it is not what readers see


STARTS = {
    "": "",
    "…!?": "",
    "5 ways I": "5 ways",
    "Why the port stays shut": "Why the port",
    " “Why the port”": " “Why the port",
    "A to B to C to D": "A to B to C to",  # words of one letter are none, as they are for the analyzer
    "Über zwölf\n Städte ziehen": "Über zwölf\n Städte",
    "市場 \U0001f600 株価": "市場 \U0001f600 株価",
}


def test_a_headline_starts_with_three_words() -> None:
    articles = [Article(headline=headline, body="x") for headline in STARTS]
    trigrams = TextBlock.of(START, Analyzer("word", (3, 3)), ("why the port", "the port stays"), np.ones(2))
    for rows in (Rows.from_articles(articles), Rows.from_batch(to_batch(articles))):
        assert rows.texts(START) == list(STARTS.values())
        found = trigrams.transform(rows)
        assert [found.row(i)[0].tolist() for i in range(len(articles))] == [
            [0] if headline.startswith(("Why", " “Why")) else [] for headline in STARTS
        ]
        other = rows.with_values("headline", ["Out of the blue"] * len(articles))
        assert other.texts(START) == ["Out of the"] * len(articles)
        assert not len(trigrams.transform(other).indices)
    for article, expected in zip(articles, STARTS.values(), strict=True):
        rows = Rows.from_articles([article])
        assert rows.encoded(START) == expected.encode()
        assert rows.text_parts(START, 0) == [("headline", expected)]
    rows = Rows.from_articles(articles)
    assert trigrams.feature_spans(rows, list(STARTS).index(" “Why the port”")) == {0: [("headline", 2, 14)]}


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_text_that_is_there_has_a_length_in_code_points(kind: pa.DataType) -> None:
    headlines = ["", None, "Vote", "市場 \U0001f600"]
    batch = pa.RecordBatch.from_pydict({"headline": pa.array(headlines, kind)})
    articles = [Article(headline=headline or "", body="x") for headline in headlines]
    for rows in (Rows.from_batch(batch), Rows({"headline": headlines}, 4), Rows.from_articles(articles)):
        assert list(rows.values("headline length")) == [None, None, 4, 4]
        np.testing.assert_array_equal(numbers(rows, "headline length"), [np.nan, np.nan, 4.0, 4.0])
        assert np.isnan(numbers(rows, "summary length")).all()
        shorter = rows.with_values("headline", ["a"] * 4)
        assert numbers(shorter, "headline length").tolist() == [1.0] * 4
    for article, length in zip(articles, (None, None, 4, 4), strict=True):
        assert Rows.from_articles([article]).value("headline length") == length
    assert set(LENGTHS) == {"headline length", "summary length", "body length"}


def test_the_source_of_articles_without_an_address() -> None:
    given = [("a", "/x"), ("a", None), ("a", ""), (None, "?q"), (None, "/x"), ("", None)]
    wanted = [None, "a", "a", "", None, ""]
    articles = [Article(headline="x", source=source, url=url) for source, url in given]
    for rows in (Rows.from_articles(articles), Rows.from_batch(to_batch(articles))):
        assert list(rows.values(NO_URL)) == wanted
    assert [Rows.from_articles([article]).value(NO_URL) for article in articles] == wanted

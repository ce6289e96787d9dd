"""Articles as columns: the same whether they come as objects or as an Arrow batch."""

from __future__ import annotations

import pyarrow as pa
import pytest

from classifier.articles import ARTICLE_FIELDS, Article
from classifier.reading.rows import to_batch
from classifier.text.rows import TEXT, Rows


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

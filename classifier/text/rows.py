"""Articles as columns: what feature blocks read from, whether they come as objects or as an Arrow batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from classifier.articles import ARTICLE_FIELDS, TEXT_FIELDS, Article, join_text

if TYPE_CHECKING:
    import pyarrow as pa

TEXT = "text"  # the pseudo-column: headline, summary and body joined
TEXT_COLUMNS = (TEXT, *TEXT_FIELDS)


class Rows:
    """n articles, column by column."""

    def __init__(self, columns: Mapping[str, Sequence[Any]], length: int) -> None:
        self._columns = dict(columns)
        self._length = length

    @classmethod
    def from_articles(cls, articles: Sequence[Article]) -> Rows:
        columns: dict[str, list[Any]] = {
            name: [getattr(article, name) for article in articles] for name in ARTICLE_FIELDS
        }
        for name in {name for article in articles for name in article.extra}:
            columns.setdefault(name, [article.extra.get(name) for article in articles])
        return cls(columns, len(articles))

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch | pa.Table) -> Rows:
        """Of a checked article table (see `classifier.reading.rows.check_batch`)."""
        return cls({name: batch.column(name).to_pylist() for name in batch.schema.names}, batch.num_rows)

    def __len__(self) -> int:
        return self._length

    def values(self, column: str) -> Sequence[Any]:
        """A column's n values; all None where the articles have no such column."""
        return self._columns.get(column) or [None] * self._length

    def with_values(self, column: str, values: Sequence[Any]) -> Rows:
        """A copy with one column replaced."""
        return Rows({**self._columns, column: values}, self._length)

    def times(self) -> Sequence[datetime | None]:
        return self.values("published_at")

    def texts(self, column: str) -> list[str]:
        """A text column's n strings, null as ""; `TEXT` joins the non-empty text fields by line breaks."""
        if column == TEXT:
            return [
                join_text(*parts) for parts in zip(*(self.texts(name) for name in TEXT_FIELDS), strict=True)
            ]
        return [value or "" for value in self.values(column)]

    def text_parts(self, column: str, number: int) -> list[tuple[str, str]]:
        """The (field, text) pairs that make up one row's text column."""
        names = TEXT_FIELDS if column == TEXT else (column,)
        return [(name, self.values(name)[number] or "") for name in names]

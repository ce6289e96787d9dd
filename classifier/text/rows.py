"""Articles as columns: what feature blocks read from, whether they come as objects or as an Arrow batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from classifier.articles import ARTICLE_FIELDS, TEXT_FIELDS, Article, join_text
from classifier.text.strings import Texts, encoded

if TYPE_CHECKING:
    import pyarrow as pa

TEXT = "text"  # the pseudo-column: headline, summary and body joined
URL = "url"  # as a text: host and path, as far as they may be long. What follows may tell where a crawler came from
START = "headline start"  # pseudo-column: the headline up to its third word
TEXT_COLUMNS = (TEXT, *TEXT_FIELDS, URL, START)
# Pseudo-columns: the characters of a text, null where it is empty.
LENGTHS = {f"{name} length": name for name in TEXT_FIELDS}
NO_URL = "source without url"  # pseudo-column: the source, "" for none, of an article without an address; null of others
_PATH = re.compile(r"[^?#]{0,500}")
_WORD, _WORDS = re.compile(r"\b\w\w+\b"), 3
_FIELDS = frozenset(ARTICLE_FIELDS)


class Rows:
    """n articles, column by column. Columns of an Arrow batch become Python values only when they are asked for."""

    def __init__(
        self,
        columns: Mapping[str, Sequence[Any]],
        length: int,
        batch: pa.RecordBatch | pa.Table | None = None,
    ) -> None:
        self._columns = dict(columns)
        self._length = length
        self._batch = batch
        self._replaced = frozenset(self._columns)  # what the batch does not tell of
        self._texts: dict[str, Texts] = {}
        self._encoded: dict[str, bytes] = {}  # of a single row
        self._articles: Sequence[Article] = ()

    @classmethod
    def from_articles(cls, articles: Sequence[Article]) -> Rows:
        rows = cls({}, len(articles))
        rows._articles = articles
        return rows

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch | pa.Table) -> Rows:
        """Of a checked article table (see `classifier.reading.rows.check_batch`)."""
        return cls({}, batch.num_rows, batch)

    def __len__(self) -> int:
        return self._length

    def values(self, column: str) -> Sequence[Any]:
        """A column's n values; all None where the articles have no such column."""
        if column not in self._columns:
            if column in LENGTHS:
                return [len(text) or None for text in self.texts(LENGTHS[column])]
            if column == NO_URL:
                pairs = zip(self.values("source"), self.texts(URL), strict=True)
                return [None if url else source or "" for source, url in pairs]
            if self._articles:
                self._columns[column] = _column_of(self._articles, column)
            elif self._batch is not None and column in self._batch.schema.names:
                self._columns[column] = self._batch.column(column).to_pylist()
        return self._columns.get(column) or [None] * self._length

    def value(self, column: str) -> Any:
        """A column's value in a single row."""
        if column in LENGTHS:
            return len(self.value(LENGTHS[column]) or "") or None
        if column == NO_URL:
            return None if _path(self.value(URL) or "") else self.value("source") or ""
        if self._articles and column not in self._replaced:
            [article] = self._articles
            return getattr(article, column) if column in _FIELDS else article.extra.get(column)
        return self.values(column)[0]

    def arrow(self, column: str) -> pa.Array | None:
        """A column as it lies in an Arrow batch; None where it does not, or there is no batch."""
        if column in LENGTHS:
            return _lengths(self.arrow(LENGTHS[column]))
        if self._batch is None or column in self._replaced or column not in self._batch.schema.names:
            return None
        found = self._batch.column(column)
        return None if hasattr(found, "chunks") else found  # several chunks may be too many for one array

    def with_values(self, column: str, values: Sequence[Any] | pa.Array) -> Rows:
        """A copy with one column replaced; by an Arrow array only where there is a batch without chunks."""
        if hasattr(values, "type") and self._batch is not None:
            at = self._batch.schema.get_field_index(column)
            old = self._batch
            batch = old.append_column(column, values) if at < 0 else old.set_column(at, column, values)
            copy = Rows({k: v for k, v in self._columns.items() if k != column}, self._length, batch)
            copy._replaced = self._replaced - {column}
        else:
            copy = Rows({**self._columns, column: values}, self._length, self._batch)
            copy._replaced = self._replaced | {column}
            copy._articles = self._articles
        if column not in TEXT_COLUMNS:
            copy._texts, copy._encoded = self._texts, self._encoded
        return copy

    def any(self, column: str) -> bool:
        """Whether a column of strings has one that is not empty."""
        if self._batch is not None and column not in self._replaced and column in self._batch.schema.names:
            import pyarrow as pa
            import pyarrow.compute as pc

            there = self._batch.column(column)
            if pa.types.is_string(there.type) or pa.types.is_large_string(there.type):
                return bool(pc.max(pc.binary_length(there)).as_py())
        return any(self.values(column))

    def times(self) -> Sequence[datetime | None]:
        return self.values("published_at")

    def texts(self, column: str) -> list[str]:
        """A text column's n strings, null as ""; `TEXT` joins the non-empty text fields by line breaks, `URL` ends before
        the query, `START` after three words."""
        if column == TEXT:
            return [
                join_text(*parts) for parts in zip(*(self.texts(name) for name in TEXT_FIELDS), strict=True)
            ]
        field, cut = _CUTS.get(column, (column, None))
        texts = [value or "" for value in self.values(field)]
        return texts if cut is None else list(map(cut, texts))

    def kernel_texts(self, column: str) -> Texts:
        """`texts` as the kernel reads them, made once; where there is an Arrow batch they are where they lie in it."""
        if column not in self._texts:
            if column in _CUTS:
                found = Texts.from_strings(self.texts(column))
            else:
                found = self._kernel_texts(TEXT_FIELDS if column == TEXT else (column,))
            self._texts[column] = found
        return self._texts[column]

    def encoded(self, column: str) -> bytes:
        """`texts` of a single row in UTF-8, made once."""
        found = self._encoded.get(column)
        if found is None:
            if column == TEXT:
                text = join_text(*[self.value(name) or "" for name in TEXT_FIELDS])
            else:
                field, cut = _CUTS.get(column, (column, None))
                text = self.value(field) or ""
                text = text if cut is None else cut(text)
            found = self._encoded[column] = encoded(text)
        return found

    def _of_strings(self, names: Sequence[str]) -> bool:
        return self._batch is None or not self._replaced.isdisjoint(names)

    def _kernel_texts(self, names: Sequence[str]) -> Texts:
        batch = self._batch
        if batch is None or self._of_strings(names):
            return Texts.from_values(*[self.values(name) for name in names])
        there = [batch.column(name) for name in names if name in batch.schema.names]
        return Texts.from_arrow(*there) if there else Texts.from_strings([""] * self._length)

    def text_parts(self, column: str, number: int) -> list[tuple[str, str]]:
        """The (field, text) pairs that make up one row's text column."""
        if column in _CUTS:
            field, cut = _CUTS[column]
            return [(field, cut(self.values(field)[number] or ""))]
        names = TEXT_FIELDS if column == TEXT else (column,)
        return [(name, self.values(name)[number] or "") for name in names]


def _path(url: str) -> str:
    if not isinstance(url, str):
        return url  # refused where all texts are
    found = _PATH.match(url)
    return found.group() if found else ""


def _start(headline: str) -> str:
    if not isinstance(headline, str):
        return headline
    words = list(islice(_WORD.finditer(headline), _WORDS))
    return headline[: words[-1].end()] if words else ""


# Of text columns that are a beginning of an article's field: the field, and where it is cut.
_CUTS: dict[str, tuple[str, Callable[[str], str]]] = {URL: (URL, _path), START: ("headline", _start)}


def _lengths(texts: pa.Array | None) -> pa.Array | None:
    """(n,) code points, null for none; None where they must be counted otherwise."""
    if texts is None:
        return None
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return None
    lengths = pc.utf8_length(texts)
    return pc.if_else(pc.equal(lengths, 0), None, lengths)


def _column_of(articles: Sequence[Article], name: str) -> list[Any]:
    if name in _FIELDS:
        return [getattr(article, name) for article in articles]
    return [article.extra.get(name) for article in articles]

"""Articles and ranking-box rows as Arrow batches, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from classifier.articles import ARTICLE_FIELDS, STRING_FIELDS, Article, article_schema
from classifier.errors import FieldError
from classifier.reading.base import ReadOptions, box_schema
from classifier.reading.cast_times import cast_time, time_array
from classifier.reading.casting import Where as Where
from classifier.reading.checks import check_batch as check_batch
from classifier.reading.columns import FILE, arranged, to_values, value_column
from classifier.reading.columns import concat as concat
from classifier.reading.time_rules import TimeRules

__all__ = ["Where", "check_batch", "concat", "to_articles", "to_batch", "to_box_batch"]


def to_batch(articles: Sequence[Article], *, file: Sequence[str] | None = None) -> pa.RecordBatch:
    """The article table's columns, `file` if given, then every name in `extra`.

    `published_at` is in the zone that all times share, else in UTC. Extra values become strings, ints, floats or flags as
    they are; nested ones JSON text.

    Raises:
        FieldError: a string that is not Unicode text.
    """
    columns: dict[str, pa.Array] = {}
    for name in ARTICLE_FIELDS:
        values = [getattr(article, name) for article in articles]
        columns[name] = _article_column(name, values)
    if file is not None:
        columns[FILE] = pa.array(file, pa.string())
    for name in dict.fromkeys([name for article in articles for name in article.extra]):
        if name not in columns:
            columns[name] = _checked(name, [article.extra.get(name) for article in articles])
    return arranged(columns)


def _article_column(name: str, values: Sequence[Any]) -> pa.Array:
    if name in STRING_FIELDS:
        return _checked(name, values)
    if name == "published_at":
        return time_array(values)
    return pa.array(values, article_schema().field(name).type)


def _checked(name: str, values: Sequence[Any]) -> pa.Array:
    try:
        return value_column(values)
    except UnicodeEncodeError:
        raise FieldError(
            name,
            "holds half of a surrogate pair, which is no character",
            remedy="remove it or fix the encoding of the source",
        ) from None


def to_articles(batch: pa.RecordBatch, options: ReadOptions | None = None) -> list[Article]:
    """Every row as an `Article`, each field checked; other columns go to `extra`.

    Raises:
        FieldError: naming row (1-based) and field.
        FormatError: `published_at` holds no times.
    """
    options = options or ReadOptions()
    columns: dict[str, list[Any]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name == "published_at":
            cast = cast_time(column, name, "the table", TimeRules.of(options))
            for row, error in cast.failures.items():
                raise FieldError(name, error.problem, where=f"row {row + 1}", remedy=error.remedy)
            column = cast.values
        columns[name] = to_values(column)
    return [
        Article.from_mapping(
            dict(zip(columns, row, strict=True)), where=f"row {number}", timezone=options.timezone
        )
        for number, row in enumerate(zip(*columns.values(), strict=True), 1)
    ]


def to_box_batch(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Ranking-box rows (`list`, `taken_at`, `rank`, `headline`, `article_id`) with `file` where a row has one.

    `taken_at` is an aware datetime or None, in the zone that all of them share, else in UTC.

    Raises:
        FieldError: a string that is not Unicode text.
    """
    columns: dict[str, pa.Array] = {}
    for field in box_schema():
        values = [row.get(field.name) for row in rows]
        if field.name == "taken_at":
            columns[field.name] = time_array(values)
        elif field.name == "rank":
            columns[field.name] = pa.array(values, field.type)
        else:
            columns[field.name] = _checked(field.name, values)
    if any(FILE in row for row in rows):
        columns[FILE] = _checked(FILE, [row.get(FILE) for row in rows])
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

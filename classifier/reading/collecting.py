"""The chunks of all sources, made into one reading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from classifier.errors import InputError
from classifier.reading.base import Chunk, Note, Rejection, box_schema, click_schema
from classifier.reading.columns import FILE, concat
from classifier.reading.joining import join_labels, unique_ids


class Collected(NamedTuple):
    """See `classifier.reading.Reading`."""

    articles: pa.Table
    boxes: pa.Table
    clicks: pa.Table
    rejected: list[Rejection]
    duplicates: int
    unmatched_labels: int
    notes: tuple[Note, ...] = ()


def collect(sources: Iterable[tuple[str, Iterable[Chunk]]]) -> Collected:
    """Of every source's name and chunks.

    Raises:
        InputError: there is nothing in them, or labels without any article.
        FormatError: labels contradict each other.
    """
    articles: list[pa.RecordBatch] = []
    boxes: list[pa.RecordBatch] = []
    clicks: list[pa.RecordBatch] = []
    labels: list[tuple[str, pa.RecordBatch]] = []
    rejected: list[Rejection] = []
    notes: list[Note] = []
    for name, chunks in sources:
        for chunk in chunks:
            rejected += chunk.rejected
            notes += chunk.notes
            if chunk.articles:
                articles.append(chunk.articles)
            if chunk.boxes:
                boxes.append(chunk.boxes)
            if chunk.clicks:
                clicks.append(chunk.clicks)
            if chunk.labels:
                labels.append((name, chunk.labels))
    if not articles and not boxes and not clicks and not rejected:
        raise _nothing(labels)
    table, unmatched = join_labels(concat(articles) if articles else _empty_articles(), labels)
    table, duplicates, taken = unique_ids(table)
    return Collected(
        table,
        concat(boxes) if boxes else _empty(box_schema(), pa.string()),
        concat(clicks) if clicks else _empty(click_schema(), click_schema().field("shown").type),
        [*rejected, *taken],
        duplicates,
        unmatched,
        tuple(notes),
    )


def _nothing(labels: list[tuple[str, pa.RecordBatch]]) -> InputError:
    if not labels:
        return InputError("there are no articles in what was given", remedy="check the paths")
    file, batch = labels[0]
    found = ", ".join([f'"{name}"' for name in batch.schema.names])
    return InputError(
        f"no column headline, summary or body (found {found}), so these are labels, but there are no articles for them",
        where=file,
        remedy="add the articles' files, or say which column holds the text (--column headline=title)",
    )


def _empty_articles() -> pa.Table:
    return concat([]).append_column(FILE, pa.array([], pa.string()))


def _empty(schema: pa.Schema, names: pa.DataType) -> pa.Table:
    return schema.append(pa.field(FILE, names)).empty_table()

"""The chunks of all sources, made into one reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa

from classifier.errors import InputError
from classifier.reading.base import Chunk, Note, Rejection, box_schema, click_schema
from classifier.reading.columns import FILE, concat
from classifier.reading.joining import join_labels
from classifier.reading.sections import same_case
from classifier.reading.versions import unique_articles


class Collected(NamedTuple):
    """See `classifier.reading.Reading`."""

    articles: pa.Table
    boxes: pa.Table
    clicks: pa.Table
    rejected: list[Rejection]
    duplicates: int
    superseded: int
    unmatched_labels: int
    notes: tuple[Note, ...]
    forms: dict[str, str]


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
    forms: dict[str, str] = {}
    names: list[str] = []
    for name, chunks in sources:
        names.append(name)
        for chunk in chunks:
            rejected += chunk.rejected
            notes += chunk.notes
            if chunk.form:
                forms[name] = chunk.form
            if chunk.articles:
                articles.append(chunk.articles)
            if chunk.boxes:
                boxes.append(chunk.boxes)
            if chunk.clicks:
                clicks.append(chunk.clicks)
            if chunk.labels:
                labels.append((name, chunk.labels))
    if not articles and not boxes and not clicks and not rejected:
        raise _nothing(names, labels)
    table, unmatched = join_labels(concat(articles) if articles else _empty_articles(), labels)
    table, duplicates, superseded, taken = unique_articles(table)
    for name in ("section", "sections"):
        table, renamed = same_case(table, name)
        notes += renamed
    return Collected(
        table,
        concat(boxes) if boxes else _empty(box_schema(), pa.string()),
        concat(clicks) if clicks else _empty(click_schema(), click_schema().field("shown").type),
        [*rejected, *taken],
        duplicates,
        superseded,
        unmatched,
        tuple(notes),
        forms,
    )


def _nothing(names: list[str], labels: list[tuple[str, pa.RecordBatch]]) -> InputError:
    if not labels:
        return nothing_in(names)
    file, batch = labels[0]
    found = ", ".join([f'"{name}"' for name in batch.schema.names])
    return InputError(
        f"no column headline, summary or body (found {found}), so these are labels, but there are no articles for them",
        where=file,
        remedy="add the articles' files, or say which column holds the text (--column headline=title)",
    )


def nothing_in(names: Sequence[str]) -> InputError:
    """The error for sources of these names that hold nothing."""
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return InputError(
        "there are no articles in what was given",
        where=shown or None,
        remedy="check what the files hold" if names else "check the paths",
    )


def _empty_articles() -> pa.Table:
    return concat([]).append_column(FILE, pa.array([], pa.string()))


def _empty(schema: pa.Schema, names: pa.DataType) -> pa.Table:
    return schema.append(pa.field(FILE, names)).empty_table()

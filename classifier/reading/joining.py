"""Labels onto articles."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from classifier.errors import FormatError
from classifier.reading.checks import LABEL_KEYS, label_key
from classifier.reading.columns import FILE, common_type, concat, convert_chunks

# The column that holds the label table's own file while labels are merged; no column of a file has this name.
_FROM = "\0from"


def join_labels(articles: pa.Table, labels: Sequence[tuple[str, pa.RecordBatch]]) -> tuple[pa.Table, int]:
    """Complete the articles by label batches (each with its file's name); also how many label rows match no article.

    Where a label is not null it replaces what the article has. Labels by id go before those by url, those by url before
    those by file.

    Raises:
        FormatError: two different values for one article under one key.
    """
    unmatched = 0
    for key in reversed(LABEL_KEYS):
        batches = [
            batch.append_column(_FROM, pa.repeat(pa.scalar(file, pa.string()), len(batch)))
            for file, batch in labels
            if label_key(batch.schema.names) == key
        ]
        if batches:
            table = _merged(concat(batches), key)
            articles, missed = _joined(articles, table, key)
            unmatched += missed
    return articles, unmatched


def _joined(articles: pa.Table, labels: pa.Table, key: str) -> tuple[pa.Table, int]:
    keys = labels[key].combine_chunks()
    at = pc.index_in(articles[key], value_set=keys)
    unmatched = len(labels) - pc.count_distinct(at, mode="only_valid").as_py()
    for name in labels.schema.names:
        if name in (key, FILE, _FROM):
            continue
        values = labels[name].take(at)
        if name not in articles.schema.names:
            articles = articles.append_column(name, values)
            continue
        old = articles[name]
        kind = old.type if values.null_count == len(values) else values.type
        if old.null_count < len(old) and values.null_count < len(values):
            kind = common_type(old.type, kind)
        filled = pc.coalesce(convert_chunks(values, kind), convert_chunks(old, kind))
        articles = articles.set_column(articles.schema.get_field_index(name), name, filled)
    return articles, unmatched


def _merged(labels: pa.Table, key: str) -> pa.Table:
    """One row a key: rows of the same key complete each other."""
    several_rows = repeated(labels[key])
    if not len(several_rows):
        return labels
    several = pc.is_in(labels[key], value_set=several_rows)
    merged: dict[str, dict[str, object]] = {}
    for row in labels.filter(several).to_pylist():
        known = merged.setdefault(row[key], {})
        for name, value in row.items():
            if name not in (_FROM, FILE) and known.get(name) not in (None, value) and value is not None:
                files = dict.fromkeys([known[_FROM], row[_FROM]])
                raise FormatError(
                    f'two values of {name} for the {key} "{row[key]}": {known[name]} and {value}',
                    where=" and ".join(map(str, files)),
                    remedy="keep one row for each article",
                )
        known.update({name: value for name, value in row.items() if value is not None})
    rest = labels.filter(pc.invert(several))
    return pa.concat_tables([rest, pa.Table.from_pylist(list(merged.values()), schema=labels.schema)])


def repeated(keys: pa.ChunkedArray) -> pa.Array:
    """The values that are there more than once."""
    if pc.count_distinct(keys).as_py() == len(keys):
        return pa.array([], keys.type)
    counts = pc.value_counts(keys)
    return counts.field("values").filter(pc.greater(counts.field("counts"), 1))

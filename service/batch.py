"""Batch scoring: any supported input to a file of scored rows, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from classifier.errors import UsageError
from classifier.model import Model
from classifier.reading import read
from classifier.reading.base import ReadOptions, Rejection
from classifier.reading.collecting import nothing_in
from classifier.reading.columns import conform
from classifier.reading.writing import open_writer
from classifier.results import prediction_schema


@dataclass(frozen=True, slots=True)
class Summary:
    """How many articles were scored, and how many rows were rejected."""

    articles: int
    rejected: int


def score_files(
    model: Model,
    inputs: Sequence[str],
    output: str,
    options: ReadOptions,
    *,
    keep: Sequence[str] = (),
    force: bool = False,
    on_rejected: Callable[[Rejection], None] = lambda rejection: None,
) -> Summary:
    """Score every article of `inputs` in order and write `output` (its suffix decides the format, "-" is JSON Lines).

    `keep` names input columns that are carried along behind the prediction, as text. The target appears under its
    name only when it is whole.

    Raises:
        InputError, FormatError: an input cannot be read, or holds no article.
        OutputError: the target cannot be written, or exists and `force` is not set.
        UsageError: `keep` names a column of the prediction.
    """
    schema = prediction_schema()
    if taken := sorted(set(keep) & set(schema.names)):
        raise UsageError(f'"{taken[0]}" is a column of the prediction', remedy="keep other columns")
    kept = pa.schema([*schema, *[pa.field(name, pa.string()) for name in dict.fromkeys(keep)]])
    articles = rejected = 0
    with open_writer(output, kept, force=force) as writer:
        for chunk in read(inputs, options):
            for rejection in chunk.rejected:
                on_rejected(rejection)
            rejected += len(chunk.rejected)
            if chunk.articles is not None and chunk.articles.num_rows:
                writer.write(_scored(model, chunk.articles, kept))
                articles += chunk.articles.num_rows
        if not articles and not rejected:
            raise nothing_in(inputs)
    return Summary(articles, rejected)


def _scored(model: Model, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    scored = model.predict(batch)
    carried = [name for name in schema.names if name not in scored.schema.names]
    present = {name: batch.column(name) for name in carried if name in batch.schema.names}
    columns = {name: scored.column(name) for name in scored.schema.names} | present
    return conform(pa.RecordBatch.from_pydict(columns), schema)

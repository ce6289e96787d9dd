"""Record batches in, record batches of scored rows out: column by column, no object a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifier.errors import FormatError, UsageError
from classifier.reading.base import ReadOptions, Rejection
from classifier.reading.casting import Where
from classifier.reading.checks import check_batch
from classifier.reading.columns import convert
from classifier.reading.layout import lay_out
from classifier.reading.rows import to_articles
from classifier.results import prediction_schema
from classifier.sections import RankedSections
from classifier.text.rows import Rows

if TYPE_CHECKING:
    from classifier.model import Model

TABLE = "the table"  # how errors call what has no file
BATCH_ROWS = 16_384  # the most that are scored at once
_MOST_BATCH_BYTES = 1 << 27
_FROM_FIRST = "a record batch reader, a table, or an iterable of record batches"


def predict_batch(model: Model, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The scored rows of a batch of the article table, checked first.

    Raises:
        FieldError: naming row (1-based) and field.
        FormatError: a column whose type cannot be read.
    """
    layout = lay_out(batch.schema.names, ReadOptions(), TABLE)
    if layout.kind != "articles":
        to_articles(batch)  # says what is missing
        raise FormatError(f"these are {layout.kind}, not articles", where=TABLE, remedy="give articles")
    checked, rejected = check_batch(batch, ReadOptions(), Where(TABLE))
    if rejected:
        to_articles(batch)  # raises of the first
        raise FormatError(str(rejected[0]), where=TABLE)
    return score_checked(model, checked)


def score_checked(model: Model, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The scored rows of a batch that a reader has checked."""
    schema, count = prediction_schema(), len(batch)
    rows = Rows.from_batch(batch)
    columns: dict[str, pa.Array] = {"id": batch.column("id")}
    of_sections, of_popularity = model.text_sums(rows) if count else (None, None)
    ranked = model.sections.ranked(rows, of_sections) if model.sections and count else None
    if ranked is not None and model.sections is not None:
        columns |= _section_columns(ranked, model.sections.labels)
    if model.popularity is not None and count:
        if model.popularity.reads("section"):
            rows = rows.with_values("section", _sections(rows, columns.get("section")))
        names = ("popularity_score", "popularity_percentile", "top5_probability")
        answers = model.popularity.answers(rows, of_popularity)
        columns |= dict(zip(names, map(pa.array, answers), strict=True))
    for name, value in (("model", model.name), ("version", model.version)):
        columns[name] = pa.repeat(pa.scalar(value, pa.string()), count)
    made = [columns[f.name] if f.name in columns else pa.nulls(count, f.type) for f in schema]
    return pa.RecordBatch.from_arrays(made, schema=schema)


def _section_columns(ranked: RankedSections, labels: Sequence[str]) -> dict[str, pa.Array]:
    count, width = ranked.places.shape
    names = pa.array(labels, pa.string())
    kind = prediction_schema().field("section_scores").type
    items = pa.StructArray.from_arrays(
        [
            names.take(pa.array(ranked.places.ravel())),
            pa.array(ranked.probabilities.ravel()),
            pa.array(ranked.assigned.ravel()),
        ],
        fields=list(kind.value_type),
    )
    offsets = pa.array(np.arange(count + 1, dtype=np.int32) * width)
    decisions = pa.array(["review", "file"])
    return {
        "section": names.take(pa.array(ranked.places[:, 0])),
        "section_probability": pa.array(np.ascontiguousarray(ranked.probabilities[:, 0])),
        "decision": decisions.take(pa.array(ranked.filed.astype(np.int8))),
        "section_scores": pa.ListArray.from_arrays(offsets, items, type=kind),
    }


def _sections(rows: Rows, predicted: pa.Array | None) -> pa.Array:
    """One section each: the article's own, else the first of its own `sections`, else the predicted one."""
    count = len(rows)
    own = rows.arrow("section")
    own = pa.nulls(count, pa.string()) if own is None else own
    own = pc.if_else(pc.equal(own, ""), pa.scalar(None, pa.string()), own)
    many = rows.arrow("sections")
    if many is not None and many.null_count < count:
        first = pa.array([names[0] if names else None for names in rows.values("sections")], pa.string())
        own = pc.coalesce(own, first)
    return own if predicted is None else pc.coalesce(own, predicted)


def score_batches(
    model: Model,
    reader: Any,
    *,
    columns: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    timezone: tzinfo | None = None,
    on_rejected: Callable[[Rejection], None] | None = None,
) -> Iterator[pa.RecordBatch]:
    """See `Model.score_batches`."""
    schema = scored_schema(keep)
    options = ReadOptions(columns=dict(columns or {}), timezone=timezone)
    layout, first = None, 1
    for whole in _batches(reader):
        if layout is None:
            layout = lay_out(whole.schema.names, options, TABLE)
            if layout.kind != "articles":
                raise FormatError(
                    f"these are {layout.kind}, not articles", where=TABLE, remedy="give a column of text"
                )
        picked = layout.renamed(whole.schema.names)
        arrays = [whole.column(theirs) for _, theirs in picked]
        renamed = pa.RecordBatch.from_arrays(arrays, names=[ours for ours, _ in picked])
        for batch in small_batches(renamed):
            checked, rejected = check_batch(batch, options, Where(TABLE, first))
            first += len(batch)
            for rejection in rejected:
                if on_rejected is None:
                    raise FormatError(str(rejection), remedy="give on_rejected to leave such rows out")
                on_rejected(rejection)
            if len(checked):
                yield with_kept(score_checked(model, checked), checked, schema)


def scored_schema(keep: Sequence[str]) -> pa.Schema:
    """The schema of scored rows with the columns `keep` behind them, as text.

    Raises:
        UsageError: `keep` names a column of the prediction.
    """
    schema = prediction_schema()
    if taken := sorted(set(keep) & set(schema.names)):
        raise UsageError(f'"{taken[0]}" is a column of the prediction', remedy="keep other columns")
    return pa.schema([*schema, *[pa.field(name, pa.string()) for name in dict.fromkeys(keep)]])


def with_kept(scored: pa.RecordBatch, articles: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Scored rows with those columns of their articles behind them that `schema` asks for; null where there is none."""
    arrays = list(scored.columns)
    for field in list(schema)[len(arrays) :]:
        at = articles.schema.get_field_index(field.name)
        column = pa.nulls(len(scored), field.type) if at < 0 else articles.column(at)
        arrays.append(convert(column, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def small_batches(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in pieces of at most BATCH_ROWS rows, fewer where rows are long."""
    rows = len(batch)
    fitting = max(1, int(rows * _MOST_BATCH_BYTES / max(batch.nbytes, 1)))
    for start in range(0, rows, min(BATCH_ROWS, fitting)):
        yield batch.slice(start, min(BATCH_ROWS, fitting))


def _batches(reader: Any) -> Iterable[pa.RecordBatch]:
    found: Iterable[pa.RecordBatch]
    if isinstance(reader, pa.RecordBatch):
        found = [reader]
    elif isinstance(reader, pa.Table):
        found = reader.to_batches()
    elif hasattr(reader, "__arrow_c_stream__"):
        found = pa.RecordBatchReader.from_stream(reader)
    elif isinstance(reader, Iterable) and not isinstance(reader, str | bytes | Mapping):
        found = _each(reader)
    else:
        raise UsageError(f"a {type(reader).__name__} holds no record batches", remedy=f"give {_FROM_FIRST}")
    return found


def _each(reader: Iterable[Any]) -> Iterator[pa.RecordBatch]:
    for item in reader:
        if isinstance(item, pa.Table):
            yield from item.to_batches()
        elif isinstance(item, pa.RecordBatch):
            yield item
        else:
            raise UsageError(f"a {type(item).__name__} is no record batch", remedy=f"give {_FROM_FIRST}")

"""The check of ranking-box tables."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from classifier.errors import FieldError
from classifier.reading.base import ReadOptions, Rejection, box_schema
from classifier.reading.cast_times import cast_time, time_array
from classifier.reading.casting import Where, cast_number, cast_text
from classifier.reading.checks import Notebook, reject, take_good
from classifier.reading.columns import FILE
from classifier.reading.taken import box_time


def check_boxes(
    batch: pa.RecordBatch, options: ReadOptions, where: Where, notebook: Notebook
) -> tuple[pa.RecordBatch, list[Rejection]]:
    """The good rows of a table of ranking boxes, with the columns of `box_schema()` and `file`; why others were rejected.

    Boxes without a time of their own were taken when `options.taken_at` says.

    Raises:
        FormatError: a column whose type cannot be read as what it should be.
        ConfigError: `options.taken_at` is not usable.
    """
    columns: dict[str, pa.Array] = {}
    failures: dict[int, FieldError] = {}
    for name in (*box_schema().names, FILE):
        at = batch.schema.get_field_index(name)
        column = pa.nulls(len(batch)) if at < 0 else batch.column(at)
        if name == "taken_at":
            cast = cast_time(column, name, where.file, notebook.rules)
            notebook.doubts(cast, column, where)
        elif name == "rank":
            cast = cast_number(column, name, where.file)
        else:
            cast = cast_text(column, name, where.file)
        columns[name] = cast.values
        failures = {**cast.failures, **failures}
    rows = zip(
        *(columns[name].to_pylist() for name in ("list", "headline", "rank", "article_id")), strict=True
    )
    for number, row in enumerate(rows):
        if number not in failures and (error := _problem(*row)):
            failures[number] = error
    columns = take_good(columns, failures)
    columns["rank"] = columns["rank"].cast(pa.int64())
    columns["taken_at"] = _timed(columns["taken_at"], where.file, options)
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), reject(failures, where)


def _problem(list_: Any, headline: Any, rank: Any, article_id: Any) -> FieldError | None:
    if not (list_ or "").strip():
        return FieldError("list", "is empty", remedy='name the section or outlet, or "*" for the whole site')
    if not (headline or "").strip():
        return FieldError("headline", "is empty", remedy="a ranking box needs the title that it lists")
    if rank is None or rank < 1 or rank != int(rank) or rank > 2**53:
        shown = "missing" if rank is None else f"{rank:g}"
        return FieldError("rank", f"is {shown}", remedy="it must be a whole number, 1 for the top")
    for name, value in (("list", list_), ("headline", headline), ("article_id", article_id)):
        if "\0" in (value or ""):
            return FieldError(
                name, "holds a NUL character", remedy="remove it or fix the encoding of the source"
            )
    return None


def _timed(times: pa.Array, file: str, options: ReadOptions) -> pa.Array:
    """Missing times filled with the given one, in the zone of the others."""
    if not times.null_count or (time := box_time(file, options, None)) is None:
        return times
    kind = times.type
    if times.null_count == len(times):
        kind = time_array([time]).type
        times = pa.nulls(len(times), kind)
    return times.fill_null(pa.scalar(time, kind))

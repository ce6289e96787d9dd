"""JSON Lines: one object a line, UTF-8. A bad line is rejected alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, BinaryIO, NoReturn

import pyarrow as pa

from classifier.articles import STRING_FIELDS, Article, article_schema
from classifier.errors import FieldError, FormatError
from classifier.reading.base import BATCH_ROWS, Chunk, ReadOptions, Rejection, Source, click_schema
from classifier.reading.casting import Where
from classifier.reading.checks import reject
from classifier.reading.columns import FILE, value_column
from classifier.reading.layout import MAX_NAMES, Layout, check_mapping, lay_out

MAX_LINE = 1 << 26  # bytes
_BATCH_BYTES = 1 << 25
_NOT_UTF8 = re.compile("[\ud800-\udfff]")

Row = dict[str, Any]


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Batches of a file with one JSON object a line; what kind of table it is, its first batch says.

    Raises:
        FormatError: the objects have no text and no key, a mapped name is in none of them, or the kind changes.
    """
    layout: Layout | None = None
    seen: dict[str, None] = {}
    with source.open() as stream:
        for batch in _batches(stream, source.name):
            _drop_unnamable(batch, source.name)
            names = batch.names()
            seen |= names
            if len(seen) > MAX_NAMES:
                raise FormatError(
                    f"more than {MAX_NAMES} different names",
                    where=source.name,
                    remedy="write one object a line, with the columns as names",
                )
            if layout is None and batch.rows:
                layout = lay_out(list(names), options, source.name, complete=batch.is_last)
            if layout is None:
                yield Chunk(rejected=tuple(batch.rejected))
                continue
            yield _chunk(batch, list(names), layout, source.name)
    if layout is not None and layout.kind == "articles":
        check_mapping(seen, layout.options, source.name)


@dataclass(slots=True)
class _Batch:
    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    is_last: bool = False

    def names(self) -> dict[str, None]:
        """The names of all rows, in order of appearance."""
        shapes = dict.fromkeys(map(tuple, self.rows))
        return dict.fromkeys(name for shape in shapes for name in shape)


def _batches(stream: BinaryIO, file: str) -> Iterator[_Batch]:
    batch, size, number = _Batch(), 0, 0
    while line := stream.readline(MAX_LINE):
        number += 1
        size += len(line)
        try:
            if len(line) == MAX_LINE and not line.endswith(b"\n"):
                _skip_line(stream)
                raise ValueError(f"longer than {MAX_LINE} bytes; write one object a line")
            row = _row(line, is_first=number == 1)
        except (ValueError, RecursionError) as error:
            batch.rejected.append(Rejection(file, number, f"{file}, line {number}: {_problem(error)}"))
        else:
            if row is not None:
                batch.rows.append(row)
                batch.lines.append(number)
        if max(len(batch.rows), len(batch.rejected)) >= BATCH_ROWS or size > _BATCH_BYTES:
            yield batch
            batch, size = _Batch(), 0
    batch.is_last = True
    yield batch


def _drop_unnamable(batch: _Batch, file: str) -> None:
    """Reject rows with a name that UTF-8 cannot write."""
    wrong = {name for name in batch.names() if _NOT_UTF8.search(name)}
    if not wrong:
        return
    bad = {
        number: FieldError(ascii(name), "this name is not Unicode text", remedy="mend or remove it")
        for number, row in enumerate(batch.rows)
        for name in wrong & row.keys()
    }
    batch.rejected += reject(bad, Where(file, lines=batch.lines))
    batch.rows = [row for number, row in enumerate(batch.rows) if number not in bad]
    batch.lines = [line for number, line in enumerate(batch.lines) if number not in bad]


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
        pass


def _row(line: bytes, *, is_first: bool) -> Row | None:
    text = line.decode("utf-8-sig" if is_first else "utf-8").strip(" \t\r\n")
    if not text:
        return None
    row = _decoder.decode(text)
    if not isinstance(row, dict):
        raise ValueError(f"a {type(row).__name__}; each line must be one JSON object")
    return row


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON; write null")


_decoder = json.JSONDecoder(parse_constant=_no_number)


def _problem(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start + 1}; save the file as UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON at character {error.pos + 1}: {error.msg}; write one object a line"
    if isinstance(error, RecursionError):
        return "nested too deeply; each line must be one flat JSON object"
    return str(error)


def _chunk(batch: _Batch, names: list[str], layout: Layout, file: str) -> Chunk:
    rows, lines, rejected = batch.rows, batch.lines, batch.rejected
    renamed = layout.renamed(names)
    layout.check_later([our for our, _ in renamed], Where(file, lines=lines)(0) if lines else file)
    try:
        columns = _columns(rows, renamed, layout)
    except (pa.ArrowException, UnicodeEncodeError, RecursionError, OverflowError):
        bad: dict[int, FieldError] = {}
        mended: list[Row] = []
        for number, row in enumerate(rows):
            try:
                mended.append(_mended({our: row.get(their) for our, their in renamed}, layout))
            except FieldError as error:
                bad[number] = error
        rejected = [*rejected, *reject(bad, Where(file, lines=lines))]
        lines = [line for number, line in enumerate(lines) if number not in bad]
        columns = _columns(mended, [(our, our) for our, _ in renamed], layout)
    made = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    chunk = layout.chunk(made, Where(file, lines=lines))
    ordered = sorted([*rejected, *chunk.rejected], key=lambda rejection: rejection.line or 0)
    return replace(chunk, rejected=tuple(ordered))


def _columns(rows: Sequence[Row], renamed: Sequence[tuple[str, str]], layout: Layout) -> dict[str, pa.Array]:
    """The rows' columns, typed as far as JSON goes; anything that does not fit raises."""
    kinds = _BOX_KINDS if layout.kind == "boxes" else _ARTICLE_KINDS
    columns: dict[str, pa.Array] = {}
    for our, their in renamed:
        try:
            values = list(map(itemgetter(their), rows))
        except KeyError:
            values = [row.get(their) for row in rows]
        if layout.kind == "clicks":
            if our in _CLICK_NAMES:
                columns[our] = _click_column(values)
        elif our in kinds:
            columns[our] = pa.array(values, kinds[our])
        elif layout.kind != "boxes":
            columns[our] = value_column(values)
    # An empty object has no column, but is a row.
    return columns or {layout.key: pa.nulls(len(rows), pa.string())}


_ARTICLE_KINDS = {
    **{field.name: field.type for field in article_schema()},
    "published_at": pa.string(),
    FILE: pa.string(),
}
_BOX_KINDS = {
    **dict.fromkeys(("list", "headline", "article_id", "taken_at", FILE), pa.string()),
    "rank": pa.float64(),
}


_CLICK_NAMES = (*click_schema().names, FILE)


def _click_column(values: Sequence[Any]) -> pa.Array:
    """Ids and flags are written as numbers here and as text there: `check_clicks` tells.

    Raises:
        pyarrow.ArrowException: a list or an object.
    """
    if {type(value) for value in values} & {list, dict}:
        raise pa.ArrowTypeError("nested")
    return value_column(values)


def _mended(row: Row, layout: Layout) -> Row:
    """The row with numbers for text turned into text.

    Raises:
        FieldError: a value of a type that the field cannot have.
    """
    if layout.kind == "clicks":
        for name in _CLICK_NAMES:
            if not isinstance(row.get(name), bool | int | float):
                _check_text(name, row.get(name))
        return row
    texts = _BOX_TEXTS if layout.kind == "boxes" else (*STRING_FIELDS, FILE)
    for name in texts:
        value = row.get(name)
        if isinstance(value, bool | int | float):
            row[name] = json.dumps(value)
        elif value is not None and (not isinstance(value, str) or layout.kind == "boxes" or name == FILE):
            _check_text(name, value)
    if layout.kind == "boxes":
        return {
            **row,
            "rank": _rank(row.get("rank")),
            "taken_at": _check_text("taken_at", row.get("taken_at")),
        }
    stand_in = {"headline": "label"} if layout.kind == "labels" else {}
    try:
        Article.from_mapping({**row, **stand_in}, timezone=layout.options.timezone)
        if row.get("popularity") is not None:
            row["popularity"] = float(row["popularity"])
    except OverflowError:
        raise FieldError("popularity", "is too large", remedy="it must be a number below 1e308") from None
    for name, value in row.items():
        if name not in _ARTICLE_KINDS:
            _check_extra(name, value)
    return row


_BOX_TEXTS = ("list", "headline", "article_id", FILE)


def _check_text(name: str, value: Any) -> Any:
    try:
        pa.scalar(value, pa.string())
    except UnicodeEncodeError:
        problem = "holds half of a surrogate pair, which is no character"
        raise FieldError(name, problem, remedy="remove it or fix the encoding of the source") from None
    except pa.ArrowException:
        raise FieldError(name, f"is a {type(value).__name__}", remedy="it must be a string") from None
    return value


def _rank(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        raise FieldError(
            "rank", f"is not a number but {value!r:.40}", remedy="it must be a whole number, 1 for the top"
        ) from None


def _check_extra(name: str, value: Any) -> None:
    try:
        value_column([value])
    except UnicodeEncodeError:
        problem = "holds half of a surrogate pair, which is no character"
        raise FieldError(name, problem, remedy="remove it or fix the encoding of the source") from None
    except RecursionError:
        raise FieldError(
            name, "is nested too deeply", remedy="flatten it, or drop it with --ignore"
        ) from None

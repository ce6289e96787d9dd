"""What kind of table a file is, and which of its columns become ours: decided once a file, from its column names."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from classifier.articles import TEXT_FIELDS
from classifier.errors import FormatError, NoArticles
from classifier.reading.base import Chunk, ReadOptions, own_columns
from classifier.reading.boxes import check_boxes
from classifier.reading.casting import Where, cast_text
from classifier.reading.checks import LABEL_KEYS, Notebook, check_batch, check_labels, label_key
from classifier.reading.clicks import check_clicks
from classifier.reading.columns import FILE, LINE

Kind = Literal["articles", "boxes", "clicks", "labels"]
MAX_NAMES = 2000  # columns of one table; work a column grows with their number


@dataclass(frozen=True, slots=True)
class Layout:
    """The kind of a table in `file`, and how its columns are named, by `options`.

    `key` is the column that a label table is joined by; of other tables, one that they always have.
    """

    kind: Kind
    key: str
    file: str
    options: ReadOptions
    notebook: Notebook

    @property
    def is_own(self) -> bool:
        """Whether it is a table of boxes or clicks: one of other columns than articles have."""
        return self.kind in ("boxes", "clicks")

    def renamed(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """Pairs of (our name, name in the file) for those columns that are kept."""
        return _renamed(names, self.options)

    def check_later(self, ours: Collection[str], where: str) -> None:
        """Columns that only a later batch has do not make it another kind of table.

        Raises:
            FormatError: a label table gets text, or a key that goes before its own.
        """
        before = [*TEXT_FIELDS, *LABEL_KEYS[: LABEL_KEYS.index(self.key)]] if self.kind == "labels" else []
        if late := [name for name in before if name in ours]:
            raise FormatError(
                f"here {_quoted(late)} turns up, which no row before has",
                where=where,
                remedy="keep articles and labels in different files, with the same names in every row",
            )

    def chunk(self, batch: pa.RecordBatch, where: Where) -> Chunk:
        """The checked rows of a batch that has our column names.

        Raises:
            FormatError: a column whose type cannot be read as what it should be.
        """
        if self.kind == "labels":
            labels, rejected = check_labels(batch, self.key, self.options, where, self.notebook)
            return Chunk(labels=labels, rejected=tuple(rejected), notes=self.notebook.take_notes())
        if self.kind == "articles":
            batch = _with_place(batch, where) if LINE not in self.options.ignore else batch
            batch = _with_file(batch, self.file)
            articles, rejected = check_batch(batch, self.options, where, self.notebook)
            return Chunk(articles=articles, rejected=tuple(rejected), notes=self.notebook.take_notes())
        batch = _with_file(batch, self.file)
        if self.kind == "boxes":
            boxes, rejected = check_boxes(batch, self.options, where, self.notebook)
            return Chunk(boxes=boxes, rejected=tuple(rejected), notes=self.notebook.take_notes())
        clicks, rejected = check_clicks(batch, where)
        return Chunk(clicks=clicks, rejected=tuple(rejected))


def lay_out(names: Sequence[str], options: ReadOptions, file: str, *, complete: bool = True) -> Layout:
    """The layout of a table with the columns `names`.

    With `complete` false further columns may turn up later: then only missing text columns are an error now.

    Raises:
        FormatError: columns of the same name, or a mapped column that is not there.
        NoArticles: there is no text and no key.
    """
    if len(names) > MAX_NAMES:
        raise FormatError(
            f"more than {MAX_NAMES} different names",
            where=file,
            remedy="give a table with an article a row and its fields as columns",
        )
    if doubles := [name for name, count in Counter(names).items() if count > 1]:
        raise FormatError(
            f"the column {_quoted(doubles)} is there more than once",
            where=file,
            remedy="rename or remove one of them",
        )
    renamed = _renamed(names, options)
    ours = Counter(our for our, _ in renamed)
    if ours.keys() >= {"list", "rank"}:
        if "headline" not in ours:
            raise FormatError(
                f'a table of ranking boxes (it has "list" and "rank") without "headline"; found {_quoted(names)}',
                where=file,
                remedy="map the column of the titles (--column headline=title)",
            )
        return Layout("boxes", "headline", file, options, Notebook.of(options))
    if ours.keys() >= {"shown", "clicked"} and ("article_id" in ours or not ours.keys() & set(TEXT_FIELDS)):
        if "article_id" not in ours:
            raise FormatError(
                f'a table of clicks (it has "shown" and "clicked") without "article_id"; found {_quoted(names)}',
                where=file,
                remedy="map the column of the articles' ids (--column article_id=id)",
            )
        return Layout("clicks", "shown", file, options, Notebook.of(options))
    # What maps a column of boxes or clicks is not meant for the other tables read beside them.
    columns, usual = (
        {our: their for our, their in mapping.items() if our not in own_columns()}
        for mapping in (options.columns, options.usual)
    )
    options = replace(options, columns=columns, usual=usual)
    ours = Counter(our for our, _ in _renamed(names, options))
    if not ours.keys() & set(TEXT_FIELDS):
        if not ours.keys() & set(LABEL_KEYS):
            raise NoArticles(
                f"no column headline, summary or body; found {_quoted(names)}",
                where=file,
                remedy=_mapping_hint(names, options),
            )
        return Layout("labels", label_key(ours), file, options, Notebook.of(options))
    wanted = options.columns if complete else [name for name in options.columns if name in TEXT_FIELDS]
    check_mapping(names, options, file, wanted)
    return Layout("articles", "headline", file, options, Notebook.of(options))


def check_mapping(
    names: Collection[str], options: ReadOptions, file: str, wanted: Iterable[str] | None = None
) -> None:
    """Every column that `options.columns` maps (or only those of our names in `wanted`) is among `names`.

    Raises:
        FormatError: naming the closest one.
    """
    for our in options.columns if wanted is None else wanted:
        their = options.columns[our]
        if their not in names and our not in options.ignore:
            raise FormatError(
                f'no column "{their}" to take {our} from; found {_quoted(names)}',
                where=file,
                remedy=_closest(their, names) or f"mend the mapping of {our} (--column {our}=…)",
            )


def _renamed(names: Iterable[str], options: ReadOptions) -> list[tuple[str, str]]:
    names = list(names)
    asked = set(options.columns.values())
    usual = {our: their for our, their in options.usual.items() if their not in asked}
    mapped = {our: their for our, their in {**usual, **options.columns}.items() if their in names}
    taken = set(mapped.values())
    # A column that already has one of our mapped names is displaced by the one that was asked for.
    pairs = [(name, name) for name in names if name not in taken and name not in mapped]
    pairs = [*mapped.items(), *pairs]
    return [(our, their) for our, their in pairs if our not in options.ignore]


def _with_place(batch: pa.RecordBatch, where: Where) -> pa.RecordBatch:
    """Rows that do not say which file they are from are from this line (or row) of this one."""
    at = batch.schema.get_field_index(FILE)
    given = None if at < 0 else cast_text(batch.column(at), FILE, where.file).values
    if LINE not in batch.schema.names and (given is None or given.null_count):
        lines = pa.array(where.numbers(len(batch)), pa.int64())
        if given is not None:
            lines = pc.if_else(given.is_null(), lines, pa.scalar(None, pa.int64()))
        batch = batch.append_column(LINE, lines)
    return batch


def _with_file(batch: pa.RecordBatch, file: str) -> pa.RecordBatch:
    """Rows that do not say which file they are from are from this one."""
    at = batch.schema.get_field_index(FILE)
    if at < 0:
        return batch.append_column(FILE, pa.repeat(pa.scalar(file, pa.string()), len(batch)))
    return batch.set_column(at, FILE, cast_text(batch.column(at), FILE, file).values.fill_null(file))


def _mapping_hint(names: Sequence[str], options: ReadOptions) -> str:
    for our, their in options.columns.items():
        if our in TEXT_FIELDS and their not in names and (hint := _closest(their, names)):
            return hint
    example = names[0] if names else "title"
    likely = next((name for name in names if name.lower() in ("title", "headlines", "text")), example)
    return f'say which column holds what, such as --column "headline={likely}"'


def _closest(name: str, names: Iterable[str]) -> str | None:
    found = difflib.get_close_matches(name.lower(), [other.lower() for other in names], n=1, cutoff=0.5)
    matches = [other for other in names if found and other.lower() == found[0]]
    return f'did you mean "{matches[0]}"?' if matches else None


def _quoted(names: Iterable[str]) -> str:
    found = [f'"{name}"' for name in names]
    more = f" and {len(found) - 30} more" if len(found) > 30 else ""
    return (", ".join(found[:30]) or "none") + more

"""MIND, the news recommendation data set of Microsoft: news.tsv and behaviors.tsv, tables without a header line.

News become articles (`category` is the section; entities are left out), behaviours clicks: a shown list an impression, of
which the files say the order of the articles was shuffled, so that they have no position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, Literal

import pyarrow as pa
import pyarrow.compute as pc

from classifier.errors import FieldError, FormatError
from classifier.reading.base import Chunk, ReadOptions, Rejection, read_block
from classifier.reading.casting import Where
from classifier.reading.checks import reject
from classifier.reading.layout import lay_out

NEWS = ("id", "section", "subcategory", "headline", "summary", "url", "title_entities", "abstract_entities")
ENTITIES = frozenset(("title_entities", "abstract_entities"))
_BEHAVIOURS = ("impression_id", "user_id", "time", "history", "impressions")
_NEWS_LINE = re.compile(r"N[0-9]+(?:\t[^\t]*){7}")
_BEHAVIOURS_LINE = re.compile(r"[0-9]+\t\w*\t[0-9/]+ [0-9:]+ [AP]M\t[^\t]*\t[^\t]+")
_BLOCK = 1 << 20
_MAX_LINE = 1 << 24

Kind = Literal["news", "behaviours"]


def kind_of(name: str, head: bytes) -> Kind | None:
    """Which of MIND's tables begins so, by what its first line looks like, or by the file's name and number of columns."""
    line = head.partition(b"\n")[0].decode("utf-8-sig", "replace").rstrip("\r")
    stem = PurePosixPath(name).name.partition(".")[0].lower()
    fields = line.split("\t")
    # A table of that name may have a header line of its own.
    named = not {field.strip().lower() for field in fields} & {"id", "headline", "title", "impressions"}
    if _NEWS_LINE.fullmatch(line) or (named and stem == "news" and len(fields) == len(NEWS)):
        return "news"
    like = named and stem in ("behaviors", "behaviours") and len(fields) == len(_BEHAVIOURS)
    return "behaviours" if like or _BEHAVIOURS_LINE.fullmatch(line) else None


def read_behaviours(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Chunk]:
    """The clicks of a stream of behaviours, block by block.

    Raises:
        FormatError: a line far too long.
    """
    layout = lay_out(["shown", "article_id", "clicked"], options, file)
    line, rest = 1, b""
    while True:
        data = read_block(stream, _BLOCK)
        whole, newline, rest = (rest + data).rpartition(b"\n") if data else (rest, b"", b"")
        if not newline and data:
            if len(rest) > _MAX_LINE:
                raise FormatError(
                    f"longer than {_MAX_LINE} bytes",
                    where=f"{file}, line {line}",
                    remedy="is it a text file?",
                )
            continue
        lines = whole.decode("utf-8", "replace").split("\n") if whole or newline else []
        if lines:
            batch, where, rejected = _clicks(lines, line, file)
            chunk = layout.chunk(batch, where)
            form = "MIND's behaviours" if line == 1 else ""
            yield Chunk(clicks=chunk.clicks, rejected=(*rejected, *chunk.rejected), form=form)
        line += len(lines)
        if not data:
            return


def _clicks(lines: list[str], first: int, file: str) -> tuple[pa.RecordBatch, Where, list[Rejection]]:
    texts = pa.array([text.rstrip("\r") for text in lines], pa.string())
    fields = pc.split_pattern(texts, "\t")
    widths = pc.list_value_length(fields)
    filled = pc.not_equal(texts, "")
    right = pc.equal(widths, len(_BEHAVIOURS))
    numbered = Where(file, lines=range(first, first + len(lines)))
    wrong = {
        row: FieldError(
            "impressions",
            f"{widths[row]} values where impression, user, time, history and impressions belong",
            remedy="separate them by tabs",
        )
        for row in pc.indices_nonzero(pc.and_(filled, pc.invert(right))).to_pylist()
    }
    rows = pc.indices_nonzero(pc.and_(filled, right))
    good = fields.take(rows)
    items = pc.split_pattern(pc.list_element(good, len(_BEHAVIOURS) - 1), " ")
    parents = pc.list_parent_indices(items)
    flat = pc.list_flatten(items)
    labelled = pc.match_substring_regex(flat, "^.+-[01]$")
    known = pc.and_(labelled, pc.not_equal(flat, ""))
    for row in pc.unique(rows.take(parents.filter(pc.invert(known)))).to_pylist():
        wrong[row] = FieldError(
            "impressions",
            "an article without -1 (clicked) or -0 (not clicked) behind it",
            remedy="give a part of the data that has labels",
        )
    flat, parents = flat.filter(known), parents.filter(known)
    batch = pa.RecordBatch.from_arrays(
        [
            pc.list_element(good, 0).take(parents),
            pc.utf8_slice_codeunits(flat, 0, -2),
            pc.ends_with(flat, "-1"),
        ],
        names=["shown", "article_id", "clicked"],
    )
    lines_of = pc.add(rows.take(parents).cast(pa.int64()), first)
    return batch, Where(file, lines=lines_of.to_pylist()), reject(wrong, numbered)

"""JSON documents that hold a list of articles: an array of objects, or an object with such an array in it.

Read piece by piece, so that memory stays flat. An element that cannot be used is rejected with the line it begins on;
what is not JSON ends the file.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

import pyarrow as pa

from classifier.errors import FormatError
from classifier.reading.base import BATCH_ROWS, Chunk, ReadOptions, Rejection, Source, read_block
from classifier.reading.casting import Where
from classifier.reading.json_rows import Row, columns_of, decoder, nameable, names_of
from classifier.reading.layout import MAX_NAMES, Layout, check_mapping, lay_out

MAX_ELEMENT = 1 << 26  # characters
_BLOCK = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_REMEDY = "give an array of objects, [{…}, {…}], or JSON Lines (.jsonl)"


def read(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Batches of the objects in the first array of objects.

    Raises:
        FormatError: it is not JSON, or holds none; columns that do not fit.
    """
    layout: Layout | None = None
    seen: dict[str, None] = {}
    with source.open() as stream:
        for rows, where, rejected, is_last in _batches(_Text(stream, source.name), source.name):
            rows, where, unnamable = nameable(rows, where)
            names = names_of(rows)
            seen |= dict.fromkeys(names)
            if len(seen) > MAX_NAMES:
                raise FormatError(f"more than {MAX_NAMES} different names", where=source.name, remedy=_REMEDY)
            if layout is None and rows:
                layout = lay_out(names, options, source.name, complete=is_last)
            rejected += unnamable
            if layout is None:
                yield Chunk(rejected=tuple(rejected))
                continue
            renamed = layout.renamed(names)
            layout.check_later([our for our, _ in renamed], where(0) if rows else source.name)
            columns, where, bad = columns_of(rows, renamed, layout, where)
            made = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
            chunk = layout.chunk(made, where)
            ordered = sorted([*rejected, *bad, *chunk.rejected], key=lambda one: one.line or 0)
            yield replace(chunk, rejected=tuple(ordered))
    if layout is not None and layout.kind == "articles":
        check_mapping(seen, layout.options, source.name)


def _batches(text: _Text, file: str) -> Iterator[tuple[list[Row], Where, list[Rejection], bool]]:
    rows: list[Row] = []
    lines: list[int] = []
    rejected: list[Rejection] = []
    for line, value in _elements(text):
        if isinstance(value, dict):
            rows.append(value)
            lines.append(line)
        else:
            reason = f"{file}, line {line}: a {type(value).__name__}; each element must be one JSON object"
            rejected.append(Rejection(file, line, reason))
        if max(len(rows), len(rejected)) >= BATCH_ROWS:
            yield rows, Where(file, lines=lines), rejected, False
            rows, lines, rejected = [], [], []
    yield rows, Where(file, lines=lines), rejected, True


def _elements(text: _Text) -> Iterator[tuple[int, Any]]:
    """The line and value of each element of the first array of objects."""
    if text.peek() == "[":
        yield from _array(text)
    elif text.peek() == "{":
        yield from _object(text)
    else:
        raise text.error("neither an array nor an object")
    if text.peek():
        raise text.error("more behind the end of the first value")


def _object(text: _Text) -> Iterator[tuple[int, Any]]:
    text.take("{")
    line = text.line
    found: Row = {}
    listed = False
    while text.peek() != "}":
        name = text.value()
        if not isinstance(name, str):
            raise text.error("the name of a value is no string")
        text.take(":")
        if not listed and text.peek() == "[" and text.peek(1) == "{":
            listed = True
            yield from _array(text)
        else:
            found[name] = text.value()
        if text.peek() != "}":
            text.take(",")
    text.take("}")
    if not listed:
        yield from _inside(found, line, text)


def _inside(found: Row, line: int, text: _Text) -> Iterator[tuple[int, Any]]:
    """An object without an array of objects is one article, unless an object in it has one."""
    for value in found.values():
        if isinstance(value, Mapping):
            for inner in value.values():
                if isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
                    yield from ((line, element) for element in inner)
                    return
    if not found:
        raise text.error("an object without anything in it")
    yield line, found


def _array(text: _Text) -> Iterator[tuple[int, Any]]:
    text.take("[")
    while text.peek() != "]":
        yield text.line, text.value()
        if text.peek() != "]":
            text.take(",")
    text.take("]")


class _Text:
    """The characters of a stream, as far as they were needed; `line` is that of the next one (1-based)."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._stream = stream
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False
        self.line = 1

    def error(self, problem: str, line: int | None = None) -> FormatError:
        """An error at the next character."""
        return FormatError(problem, where=f"{self._file}, line {line or self.line}", remedy=_REMEDY)

    def peek(self, further: int = 0) -> str:
        """The next character that is no space, or the one so many further on; "" at the end."""
        at = self._at
        for step in range(further + 1):
            at = self._behind_space(at + (step > 0))
        if not further:
            self._move(at)
        return self._text[at : at + 1]

    def _behind_space(self, at: int) -> int:
        while True:
            found = _SPACE.match(self._text, at)
            at = found.end() if found else at
            if at < len(self._text) or not self._more():
                return at

    def take(self, character: str) -> None:
        """Go behind a character that must come next."""
        found = self.peek()
        if found != character:
            shown = f'"{found}"' if found else "the end"
            raise self.error(f'not JSON: {shown} where "{character}" belongs')
        self._move(self._at + 1)

    def value(self) -> Any:
        """The next value, and go behind it."""
        self.peek()
        if self._at > _BLOCK:
            self._text, self._at = self._text[self._at :], 0
        while True:
            try:
                value, end = decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                # It may only go on in what was not read yet.
                may_go_on = isinstance(error, json.JSONDecodeError)
                if may_go_on and len(self._text) - self._at > MAX_ELEMENT:
                    raise self.error(f"a value longer than {MAX_ELEMENT} characters") from error
                if not may_go_on or not self._more():
                    raise self._problem(error) from error
            else:
                # A number at the end of what was read may go on.
                if end < len(self._text) or not self._more():
                    self._move(end)
                    return value

    def _problem(self, error: Exception) -> FormatError:
        if isinstance(error, json.JSONDecodeError):
            line = self.line + self._text.count("\n", self._at, error.pos)
            return self.error(f"not JSON: {error.msg}", line)
        return self.error("nested too deeply" if isinstance(error, RecursionError) else f"not JSON: {error}")

    def _more(self) -> bool:
        """Twice as much as there is, so that a long value is not tried too often."""
        if self._ended:
            return False
        data = read_block(self._stream, max(_BLOCK, len(self._text) - self._at))
        self._ended = not data
        try:
            self._text += self._decode.decode(data, final=not data)
        except UnicodeDecodeError:
            raise FormatError("is not UTF-8", where=self._file, remedy="save the file as UTF-8") from None
        return not self._ended

    def _move(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

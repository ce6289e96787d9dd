"""NDJSON in, NDJSON out: a line of input is an article, and gets one line of output, in order; empty lines get none.

What is in memory is a block of the body and its answers, however long the stream is. Once the answer has begun errors are
lines, too: {"error": problem}, with the number of the line at fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import orjson

from classifier.articles import Article
from classifier.errors import InputError, NewsdeskError
from service.body import parse_json
from service.errors import TooLarge
from service.inputs import read_article
from service.problems import FAULT, log_fault, problem_of
from service.scoring import ERROR, score_each

if TYPE_CHECKING:
    from classifier.dicts import Row
    from classifier.model import Model
    from service.observing import Record
    from service.settings import Settings

MEDIA_TYPE = "application/x-ndjson"

_LINE = orjson.OPT_APPEND_NEWLINE
_MOST = 4096  # articles that are scored at once
_MANY = 256  # articles from which on making columns of them pays

Line = tuple[int, bytes | InputError]  # its number, and what it holds


def predict_lines(
    blocks: Iterator[bytes], model: Model, settings: Settings, record: Record
) -> Iterator[bytes]:
    """The answer's blocks, each of whole lines."""
    try:
        for lines in split_lines(blocks, settings.max_body_bytes):
            for start in range(0, len(lines), _MOST):
                part = lines[start : start + _MOST]
                yield _scored_as_columns(part, model, settings, record) or _scored(
                    part, model, settings, record
                )
    except NewsdeskError as error:  # of the stream as a whole: it ends here
        yield orjson.dumps({ERROR: problem_of(error)}, option=_LINE)
    except Exception as error:
        log_fault(error, record)
        yield orjson.dumps({ERROR: FAULT}, option=_LINE)


def _scored_as_columns(
    lines: Sequence[Line], model: Model, settings: Settings, record: Record
) -> bytes | None:
    """The answers, where lines are many and nothing about them is unusual."""
    whole = [line for _, line in lines if isinstance(line, bytes)]
    if len(lines) < _MANY or len(whole) < len(lines):
        return None
    from service.columnar import score_lines  # imports PyArrow, which nothing else here does

    return score_lines(model, whole, settings, record)


def _scored(lines: Sequence[Line], model: Model, settings: Settings, record: Record) -> bytes:
    """The answers, made of an object a line."""
    answers = score_each(model, record, [partial(_read, line, settings) for _, line in lines])
    return b"".join([_written(answer, number) for answer, (number, _) in zip(answers, lines, strict=True)])


def split_lines(blocks: Iterator[bytes], limit: int) -> Iterator[list[Line]]:
    """The lines that each block completes, with their numbers (from 1), without empty ones; in place of a line that is
    longer than `limit` bytes the error."""
    number, pending, size, skipping = 1, [b""], 0, False  # pending: the parts of a line that is not yet whole
    for block in blocks:
        lines: list[bytes] = []
        if b"\n" in block:
            *lines, block = b"".join([*pending, block]).split(b"\n")
            pending, size = [], 0
        pending.append(block)
        size += len(block)
        found: list[Line] = []
        for line in lines:
            if skipping:
                skipping = False
            elif len(line) > limit:
                found.append((number, _too_long(limit)))
            elif line.strip():
                found.append((number, line))
            number += 1
        if size > limit and not skipping:
            found.append((number, _too_long(limit)))
            skipping = True
        if skipping:
            pending, size = [], 0
        if found:
            yield found
    rest = b"".join(pending)
    if rest.strip() and not skipping:
        yield [(number, rest)]


def _too_long(limit: int) -> TooLarge:
    return TooLarge(f"the line is longer than {limit} bytes", remedy="one article is one line")


def _read(line: bytes | InputError, settings: Settings) -> Article:
    if isinstance(line, InputError):
        raise line
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError:
        data = parse_json(line)  # says what is wrong
    return read_article(data, settings)


def _written(answer: Row, number: int) -> bytes:
    if ERROR in answer:
        answer[ERROR]["line"] = number
    return orjson.dumps(answer, option=_LINE)

"""NDJSON in, NDJSON out: a line of input is an article, and gets one line of output, in order; empty lines get none.

What is in memory is a block of the body and its answers, however long the stream is. Once the answer has begun errors are
lines, too: {"error": problem}, with the number of the line at fault.
"""

from __future__ import annotations

from collections.abc import Iterator
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


def predict_lines(
    blocks: Iterator[bytes], model: Model, settings: Settings, record: Record
) -> Iterator[bytes]:
    """The answer's blocks, each of whole lines."""
    try:
        for lines in split_lines(blocks, settings.max_body_bytes):
            for start in range(0, len(lines), _MOST):
                part = lines[start : start + _MOST]
                numbers = [number for number, _ in part]
                reads = [partial(_read, line, settings) for _, line in part]
                answers = score_each(model, record, reads)
                yield b"".join(
                    [_written(answer, number) for answer, number in zip(answers, numbers, strict=True)]
                )
    except NewsdeskError as error:  # of the stream as a whole: it ends here
        yield orjson.dumps({ERROR: problem_of(error).model_dump(exclude_none=True)}, option=_LINE)
    except Exception as error:
        log_fault(error, record)
        yield orjson.dumps({ERROR: FAULT.model_dump(exclude_none=True)}, option=_LINE)


def split_lines(blocks: Iterator[bytes], limit: int) -> Iterator[list[tuple[int, bytes | InputError]]]:
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
        found: list[tuple[int, bytes | InputError]] = []
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

"""Headlines for one story: a text file with one a line, or a JSON object with `headlines` and what they share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NoReturn

from classifier.articles import Article
from classifier.errors import FieldError, FormatError, InputError, UsageError
from classifier.headlines.checks import distinct_headlines, story_of
from classifier.reading import read_all
from classifier.reading.base import ReadOptions
from classifier.reading.finding import STDIN, find
from classifier.reading.page_text import MAX_PAGE_BYTES, decode_page, page_lines
from classifier.reading.rows import to_articles

MAX_BYTES = MAX_PAGE_BYTES
_FORM = 'write one headline a line, or a JSON object like {"headlines": ["…", "…"], "body": "…"}'


@dataclass(frozen=True, slots=True)
class Candidates:
    """The headlines as they were given, checked, and the story that they share."""

    headlines: Sequence[str]
    story: Article


def read_headlines(path: str, article: str | None, options: ReadOptions) -> Candidates:
    """The headlines in `path` ("-" is standard input), and their story.

    `article` is any readable input with one article: its fields, but for the headline, belong to the story too; what stands
    beside `headlines` in a JSON object goes before them. `options` are for it (the time zone for both).

    Raises:
        InputError: something cannot be read, or is not what it should be.
        FieldError: naming the headline or shared field at fault.
        UsageError: both are standard input.
    """
    if path == article == STDIN:
        raise UsageError(
            "standard input cannot be both", remedy="give the headlines or the article as a file"
        )
    shared = _read_story(article, options) if article is not None else {}
    name, data = _read_bytes(path)
    text = decode_page(data, name).removeprefix("\ufeff")
    suffix = PurePath(name).suffix.lower()
    if suffix == ".json" or (suffix != ".txt" and text.lstrip().startswith("{")):
        given = _parse(text, name)
        headlines = given.pop("headlines", None)
        if headlines is None:
            raise FieldError("headlines", "is missing", where=name, remedy=_FORM)
        numbers = None
    else:
        given = {}
        lines = page_lines(text, name)
        headlines, numbers = [line.text for line in lines], [line.number for line in lines]
    distinct_headlines(headlines, name, numbers)
    return Candidates(headlines, story_of({**shared, **given}, where=name, timezone=options.timezone))


def _read_bytes(path: str) -> tuple[str, bytes]:
    found = find([path], lambda name: True).sources
    if len(found) != 1:
        raise InputError(f"there are {len(found)} files", where=path, remedy="name one file with headlines")
    with found[0].open() as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        problem = f"is larger than {MAX_BYTES // 2**20} MiB"
        raise InputError(problem, where=found[0].name, remedy=_FORM)
    return found[0].name, data


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    except RecursionError:
        problem = "nested too deeply"
    except ValueError as error:
        problem = str(error)
    else:
        if isinstance(found, dict):
            return found
        problem = f"a {type(found).__name__}, not an object"
    raise FormatError(problem, where=name, remedy=_FORM)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON; write null")


def _read_story(path: str, options: ReadOptions) -> Mapping[str, Any]:
    """The fields of the one article there, but for its headline and what is unknown."""
    reading = read_all([path], options)
    if reading.rejected:
        raise InputError(reading.rejected[0].reason)
    articles = [article for batch in reading.articles.to_batches() for article in to_articles(batch)]
    if len(articles) != 1:
        raise InputError(
            f"holds {len(articles)} articles", where=path, remedy="name a file with the one story"
        )
    row = articles[0].to_dict()
    return {name: value for name, value in row.items() if name != "headline" and value is not None}

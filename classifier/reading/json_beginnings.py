"""What a JSON file is by its first line: an object a line, or one document that lists articles and is written on one line,
as programs write it (our own service among them: `{"articles": […]}`).

A row may hold lists of objects, too (authors, tags). So a list is one of articles where its objects have texts, or by its
name; and an object with a text of its own is a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from classifier.articles import TEXT_FIELDS

_SPACE = re.compile(r"[ \t\r\n]*")
_LEVELS = 2  # objects within each other in which a list is looked for: {"response": {"results": […]}}
# What lists of articles are called whose texts have names of their own.
_NAMES = frozenset(
    (
        "articles",
        "items",
        "results",
        "docs",
        "documents",
        "stories",
        "entries",
        "hits",
        "news",
        "posts",
        "data",
    )
)
_decoder = json.JSONDecoder()


def is_listing(text: str) -> bool:
    """Whether the object that `text` begins with holds a list of articles. It may be cut off."""
    return _lists(text, _behind_space(text, 0), _LEVELS)


def _lists(text: str, at: int, levels: int) -> bool:
    for name, value in _members(text, at):
        if name in TEXT_FIELDS:
            return False
        if text.startswith("[", value):
            inner = _behind_space(text, value + 1)
            names = {one for one, _ in _members(text, inner)} if text.startswith("{", inner) else set()
            if names & {*TEXT_FIELDS} or (names and name.lower() in _NAMES):
                return True
        if levels > 1 and text.startswith("{", value) and _lists(text, value, levels - 1):
            return True
    return False


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """The names in the object that begins there, and where the value of each begins; as far as there is text."""
    try:
        while text[at : at + 1] in ("{", ","):
            name, at = _decoder.raw_decode(text, _behind_space(text, at + 1))
            at = _behind_space(text, at)
            if not isinstance(name, str) or not text.startswith(":", at):
                return
            at = _behind_space(text, at + 1)
            yield name, at
            at = _behind_space(text, _decoder.raw_decode(text, at)[1])
    except (ValueError, RecursionError):
        return


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at

"""Mutators that keep an input mostly what its format asks for, so that it gets past the parser: on JSON they change values,
on markup elements, on tables fields, on pages lines. One input in six is changed byte by byte instead.

A mutator takes the bytes and a source of chance, and gives other bytes, or None where it has nothing to change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from tests.fuzz.words import ENCODINGS, FIELDS, LINES, NAMES, TAGS, TEXTS, VALUES

Mutator = Callable[[bytes, Random], bytes | None]
_MOST_CHANGES = 4
_TOKEN = re.compile(r"(<[^<>]*>)")
_ATTRIBUTE = re.compile(r"""([\w:.-]+)=("[^"]*"|'[^']*')""")


def of_json(data: bytes, chance: Random) -> bytes | None:
    """One JSON document with other values, names and nesting."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        document = _changed(document, chance)
    return _dumped(document, chance)


def of_json_lines(data: bytes, chance: Random) -> bytes | None:
    """A document a line; some lines changed, doubled or gone."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    kind = chance.randrange(8)
    if kind == 0:
        lines.insert(at, lines[chance.randrange(len(lines))])
    elif kind == 1:
        del lines[at]
    elif (line := of_json(lines[at], chance)) is not None:
        lines[at] = line
    else:
        return None
    return b"\n".join(lines)


def _dumped(document: Any, chance: Random) -> bytes:
    separators = chance.choice(((", ", ": "), (",", ":"), (" ,\n", "\t: ")))
    text = json.dumps(document, ensure_ascii=chance.random() < 0.5, separators=separators)
    return text.encode("utf-8", "surrogatepass")


def _changed(document: Any, chance: Random) -> Any:
    """The document with one change, somewhere in it."""
    places: list[tuple[Any, Any]] = []
    pending = [document]
    while pending:
        at = pending.pop()
        if isinstance(at, dict | list):
            pairs = list(at.items() if isinstance(at, dict) else enumerate(at))
            places += [(at, key) for key, _ in pairs]
            pending += [value for _, value in pairs]
    value = deepcopy(chance.choice(VALUES))  # it may be changed itself
    if not places:
        return value
    holder, key = chance.choice(places)
    kind = chance.randrange(9)
    if kind < 3:
        holder[key] = value
    elif kind == 3:
        other, name = chance.choice(places)
        if (isinstance(other, list) and name < len(other)) or (isinstance(other, dict) and name in other):
            holder[key] = deepcopy(other[name])
    elif kind == 4:
        holder[key] = [holder[key]]
    elif kind == 5:
        holder[key] = {chance.choice(NAMES): holder[key]}
    elif kind == 6:
        del holder[key]
    elif isinstance(holder, dict):
        holder[chance.choice(NAMES)] = deepcopy(holder[key]) if kind == 7 else value
    else:
        holder.append(value)
    return document


def of_markup(data: bytes, chance: Random) -> bytes | None:
    """Elements doubled, moved, gone, renamed or put into others; texts and attributes changed. Mostly, what was well-formed
    stays so."""
    tokens = _TOKEN.split(data.decode("utf-8", "surrogateescape"))
    careful = chance.random() < 0.9
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        at = chance.randrange(len(tokens))
        if careful and (at in (0, len(tokens) - 1) or _end(tokens, at) == len(tokens) - 1):
            continue  # the whole, or what stands around it
        if not tokens[at].startswith("<"):
            tokens[at] = _text_changed(tokens[at], chance, careful)
        elif tokens[at].startswith(("</", "<!", "<?")):
            tokens[at] = "" if not careful else tokens[at]
        elif chance.random() < 0.4:
            tokens[at] = _attribute_changed(tokens[at], chance, careful)
        else:
            tokens = _element_changed(tokens, at, chance)
    return "".join(tokens).encode("utf-8", "surrogateescape")


def _text_changed(token: str, chance: Random, careful: bool) -> str:
    text = chance.choice(TEXTS)
    text = escape(text, {'"': "&quot;"}) if careful else text
    return token + text if chance.random() < 0.3 else text


def _element_changed(tokens: list[str], at: int, chance: Random) -> list[str]:
    end = _end(tokens, at)
    before, element, behind = tokens[:at], tokens[at:end], tokens[end:]
    kind = chance.randrange(5)
    if kind == 0:
        return before + behind or [""]
    if kind == 1:
        return before + element * chance.randint(2, 3) + behind
    if kind == 2:
        left = before + behind
        to = chance.randint(0, len(left) - 2) if len(left) > 2 else 0
        return left[:to] + element + left[to:]
    tag = chance.choice(TAGS)
    inside = element if kind == 3 or len(element) < 2 else element[1:-1]
    return [*before, f"<{tag}>", *inside, f"</{tag.partition(' ')[0]}>", *behind]


def _attribute_changed(token: str, chance: Random, careful: bool) -> str:
    value, name = chance.choice((*TEXTS, *NAMES)).replace('"', ""), chance.choice(NAMES)
    if careful:
        value, name = escape(value), re.sub(r"\W|:", "", name) or "x"
    found = list(_ATTRIBUTE.finditer(token))
    if not found or (chance.random() < 0.2 and f" {name}=" not in token):
        cut = len(token) - (2 if token.endswith("/>") else 1)
        return f'{token[:cut]} {name}="{value}"{token[cut:]}' if f" {name}=" not in token else token
    one = chance.choice(found)
    keeps_name = chance.random() < 0.8 or f" {name}=" in token
    new = f'{one[1]}="{value}"' if keeps_name else f"{name}={one[2]}"
    return token[: one.start()] + new + token[one.end() :]


def _end(tokens: list[str], at: int) -> int:
    """Behind the element that begins at a token."""
    name = re.match(r"<([\w:.-]+)", tokens[at])
    if name is None or tokens[at].endswith("/>"):
        return at + 1
    depth = 0
    for number in range(at, len(tokens)):
        if re.match(rf"<{re.escape(name[1])}[\s/>]", tokens[number]) and not tokens[number].endswith("/>"):
            depth += 1
        elif tokens[number].startswith(f"</{name[1]}"):
            depth -= 1
            if not depth:
                return number + 1
    return at + 1


def of_table(data: bytes, chance: Random) -> bytes | None:
    """Fields and lines of separated values, at times in another encoding or with another separator."""
    text = data.decode("utf-8", "surrogateescape")
    separator = max(",;\t|", key=text.count)
    rows = [line.split(separator) for line in text.split("\n")]
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        _row_changed(rows, chance)
    if chance.random() < 0.05:
        separator = chance.choice(",;\t|")
    text = "\n".join(separator.join(row) for row in rows)
    if chance.random() < 0.03:
        return text.encode(chance.choice(ENCODINGS), "replace")
    return text.encode("utf-8", "surrogateescape")


def _row_changed(rows: list[list[str]], chance: Random) -> None:
    row = chance.choice(rows)
    at = chance.randrange(len(row))
    kind = chance.randrange(10)
    if kind < 5:
        row[at] = chance.choice(NAMES if row is rows[0] else FIELDS)
    elif kind == 5:
        row.insert(at, chance.choice(FIELDS))
    elif kind == 6 and len(row) > 1:
        del row[at]
    elif kind == 7:
        rows.append(list(row))
    elif kind == 8:
        row[at] = row[at].strip('"') if row[at].startswith('"') else f'"{row[at]}"'
    else:  # a column more
        name = chance.choice(NAMES)
        for number, other in enumerate(rows):
            other.append(chance.choice(FIELDS) if number else name)


def of_page(data: bytes, chance: Random) -> bytes | None:
    """Lines of a plain-text page."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        at = chance.randrange(len(lines))
        kind = chance.randrange(6)
        if kind == 0:
            lines[at] = chance.choice(LINES)
        elif kind == 1:
            lines.insert(at, chance.choice(LINES))
        elif kind == 2 and len(lines) > 1:
            del lines[at]
        elif kind == 3:
            lines.insert(at, chance.choice(lines))
        else:  # words of a line
            words = lines[at].split(" ")
            words[chance.randrange(len(words))] = chance.choice((*chance.choice(LINES).split(" "), *TEXTS))
            lines[at] = " ".join(words)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def of_any(data: bytes, chance: Random) -> bytes | None:
    """What the beginning looks like."""
    start = data.lstrip()[:1]
    if start == b"<":
        return of_markup(data, chance)
    return of_json(data, chance) or of_json_lines(data, chance) if start in (b"{", b"[") else None

"""A model card (`card.md`) taken apart into titles, sentences, lists, tables and code, so that it needs no HTML.

It understands the Markdown that training writes: headings, paragraphs, bullets that go on in indented lines, tables, fenced
code, and in a line escapes, bold and code. Whatever else there is stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

Block = dict[str, Any]
Section = dict[str, Any]

_HEADING = re.compile(r"(#{1,6}) +(.*)")
_FENCE = re.compile(r"```\w*\s*")
_RULE = re.compile(r"\|(?: *:?-+:? *\|)+\s*")
_CELL_END = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"\\(?P<escaped>[!-/:-@\[-`{-~])|`(?P<code>[^`]*)`|\*\*|&(?P<named>amp|lt|gt);")
_NAMED = {"amp": "&", "lt": "<", "gt": ">"}


def read_card(text: str) -> list[Section]:
    """The card's sections: `level` (1 to 6), `title` and `blocks`, each with its `kind`: "text" and "code" have `text`,
    "list" has `items`, "table" has `head` and `rows`, all of them plain strings."""
    sections: list[Section] = [{"level": 1, "title": "", "blocks": []}]
    for kind, lines in _pieces(text.splitlines()):
        if kind == "heading":
            found = _HEADING.fullmatch(lines[0])
            marks, title = found.groups() if found else ("#", lines[0])
            sections.append({"level": len(marks), "title": plain(title), "blocks": []})
        else:
            sections[-1]["blocks"].append(_block(kind, lines))
    return [section for section in sections if section["title"] or section["blocks"]]


def plain(line: str) -> str:
    """A line without its marks."""
    return _MARKS.sub(_meant, line.strip())


def _meant(mark: re.Match[str]) -> str:
    if mark["named"]:
        return _NAMED[mark["named"]]
    return mark["escaped"] or mark["code"] or ""


def _pieces(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The lines that belong together, and what they are."""
    at = 0
    while at < len(lines):
        kind = _kind(lines, at)
        end = at + 1
        if kind == "code":
            while end < len(lines) and not _FENCE.fullmatch(lines[end]):
                end += 1
            yield kind, list(lines[at + 1 : end])
            at = end + 1
            continue
        while kind not in ("heading", "") and end < len(lines) and _goes_on(kind, lines, end):
            end += 1
        if kind:
            yield kind, list(lines[at:end])
        at = end


def _kind(lines: Sequence[str], at: int) -> str:
    line = lines[at]
    if not line.strip():
        return ""
    if _FENCE.fullmatch(line):
        return "code"
    if _HEADING.fullmatch(line):
        return "heading"
    if line.startswith("|") and at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1]):
        return "table"
    return "list" if line.startswith("- ") else "text"


def _goes_on(kind: str, lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    if kind == "table":
        return line.startswith("|")
    if kind == "list":
        return line.startswith(("- ", "  ")) and bool(line.strip())
    return _kind(lines, at) == "text"


def _block(kind: str, lines: Sequence[str]) -> Block:
    if kind == "code":
        return {"kind": kind, "text": "\n".join(lines)}
    if kind == "table":
        head, _, *rows = map(_cells, lines)
        return {"kind": kind, "head": head, "rows": rows}
    if kind == "list":
        items: list[str] = []
        for line in lines:
            if line.startswith("- "):
                items.append(line[2:])
            else:
                items[-1] += f" {line.strip()}"
        return {"kind": kind, "items": [plain(item) for item in items]}
    return {"kind": kind, "text": plain(" ".join(line.strip() for line in lines))}


def _cells(line: str) -> list[str]:
    return [plain(cell) for cell in _CELL_END.split(line.strip().removeprefix("|").removesuffix("|"))]

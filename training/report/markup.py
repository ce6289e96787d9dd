"""Pieces of an HTML page that holds whatever the texts hold: all is escaped, nothing runs, nothing loads."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from training.report.plain import printable

STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1c1c1c; --quiet: #5a5a5a; --line: #dcdcd8; --soft: #f4f4f1;
  --link: #0058a0; }
@media (prefers-color-scheme: dark) { :root { --page: #16181c; --ink: #e9e9e6; --quiet: #a9abb0; --line: #3a3d44;
  --soft: #22252b; --link: #8ec5f5; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 0 auto; padding: 2rem 1rem 4rem;
  color: var(--ink); background: var(--page); overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.25; }
h1 { margin: 0; } h2 { margin: 3rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { margin: 2.2rem 0 .5rem; }
a { color: var(--link); }
p { margin: .5rem 0; }
.quiet, figcaption { color: var(--quiet); font-size: .9rem; }
nav ul { columns: 15rem; padding-left: 1.2rem; margin: .5rem 0; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0; padding: 0; list-style: none; }
.tiles li { flex: 1 1 8.5rem; padding: .7rem .9rem; background: var(--soft); border-radius: .4rem; }
.tiles strong { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.tiles span { display: block; color: var(--quiet); font-size: .85rem; }
figure { margin: .5rem 0 0; }
.picture { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; background: #fbfbf9; }
.picture svg { display: block; width: 100%; min-width: 34rem; height: auto; }
figcaption { margin-top: .4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; width: 100%; font-size: .95rem; overflow-wrap: normal; }
caption { text-align: left; color: var(--quiet); font-size: .9rem; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } tbody th { font-weight: 400; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.mistakes { padding-left: 1.4rem; } .mistakes li { margin: 0 0 1.2rem; }
.mistakes p { margin: 0; }
.headline { font-weight: 600; }
.words { display: flex; flex-wrap: wrap; gap: .3rem; margin: .35rem 0 0; padding: 0; list-style: none; font-size: .85rem; }
.words li { margin: 0; padding: .05rem .5rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--soft);
  font-variant-numeric: tabular-nums; }
.words .against { border-style: dashed; background: none; }
@media print { body { max-width: none; } figure, .mistakes li { break-inside: avoid; } }
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the page: its heading, of level 2 or 3, and what stands below it."""

    id: str
    level: int
    title: str
    body: str


def text(value: str) -> str:
    """A text from outside, in one line, for between tags: with its own direction, so that it turns no other."""
    return f"<bdi>{escape(printable(value))}</bdi>"


def table(
    caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()
) -> str:
    """A table whose first cell of a row names the row; columns in `numbers` are set to the right. Cells are escaped."""

    def cell(tag: str, at: int, value: str, scope: str = "") -> str:
        kind = ' class="number"' if at in numbers else ""
        return f"<{tag}{scope}{kind}>{text(value) if value else ''}</{tag}>"

    head = "".join(
        cell("th", i, name, ' scope="col"') if name else "<td></td>" for i, name in enumerate(header)
    )
    body = "".join(
        "<tr>"
        + "".join(
            cell("td" if i else "th", i, value, "" if i else ' scope="row"') for i, value in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = f"<thead><tr>{head}</tr></thead>" if any(header) else ""
    return f'<div class="wide"><table>{said}{head}<tbody>{body}</tbody></table></div>'


def only(there: int, most: int, which: str) -> str:
    """The end of a caption that says what is left out; "" where nothing is."""
    return f" Only the {which} {most} of {there:,} are shown." if there > most else ""


def bullets(lines: Iterable[str]) -> str:
    """A list of escaped lines."""
    return "<ul>" + "".join(f"<li>{text(line)}</li>" for line in lines) + "</ul>"


def figure(svg: str, caption: str) -> str:
    """A picture with its caption; on narrow screens it scrolls rather than shrinks."""
    return f'<figure><div class="picture">{svg}</div><figcaption>{escape(caption)}</figcaption></figure>'


def page(title: str, body: str) -> str:
    """A whole page that may only use its own style sheet."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(printable(title))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )

"""A version's report (`report.html`): its pictures, and the policy under which the whole may be shown."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from typing import NamedTuple

# As training writes a picture: a heading, and the figure below it.
_FIGURE = re.compile(
    r'<h3 id="(?P<name>[\w-]{1,60})">(?P<title>[^<]*)</h3>\s*<figure><div class="picture">'
    r"(?P<svg><svg [^>]*>.*?</svg>)</div><figcaption>(?P<caption>[^<]*)</figcaption>",
    re.DOTALL,
)
_ALT = re.compile(r'<svg [^>]*aria-label="([^"]*)"')
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_CLOSED = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
PICTURE_POLICY = f"default-src 'none'; {_CLOSED}"


class Picture(NamedTuple):
    """One picture with its heading, what it shows in a sentence, and how to read it."""

    name: str
    title: str
    alt: str
    caption: str
    svg: str


def read_pictures(html: str) -> list[Picture]:
    """The pictures of a report, in its order; none where it is written in another way."""
    return [
        Picture(
            found["name"],
            unescape(found["title"]),
            unescape(alt[1]) if (alt := _ALT.match(found["svg"])) else "",
            unescape(found["caption"]),
            found["svg"],
        )
        for found in _FIGURE.finditer(html)
    ]


def report_policy(html: str) -> str:
    """A policy that lets a report use its own style sheet and nothing else: no script runs, nothing is loaded."""
    digests = [hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(html)]
    styles = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests) or "'none'"
    return f"default-src 'none'; style-src {styles}; img-src data:; {_CLOSED}"

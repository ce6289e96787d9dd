"""How a CSV file is written: its encoding, what separates values, what quotes them. Found in its beginning.

- Encoding: what a byte order mark says, else UTF-8, else the legacy encoding that fits the bytes best.
- Separator: the one that cuts the first lines into the same number of values, two at least, most evenly.
- Quotation: marks doubled inside of values (RFC 4180), or escaped with a backslash.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SEPARATORS = ",;\t|"
SAMPLE = 1 << 18  # bytes
_LINES = 50
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Of those that bytes can be told from; Windows-1252 takes what is left.
_JAPANESE = ("cp932", "euc_jp")
_ASIAN = (*_JAPANESE, "cp949", "gb18030", "big5hkscs")
_CLEARLY = 0.9
_SHOWN = {"cp932": "Shift JIS", "euc_jp": "EUC-JP", "cp949": "EUC-KR", "cp1252": "Windows-1252"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """`skip`: bytes of a byte order mark. `escape` is "\\\\" where that stands before quotation marks in values."""

    separator: str = ","
    quote: str = '"'
    escape: str | None = None
    encoding: str = "utf-8"
    skip: int = 0

    @property
    def charset(self) -> str:
        """The encoding as people call it."""
        return _SHOWN.get(self.encoding, self.encoding.upper())

    @property
    def is_plain(self) -> bool:
        """Whether it is what everybody expects: UTF-8 and the quotation of RFC 4180."""
        return (self.quote, self.escape, self.encoding) == ('"', None, "utf-8")

    def __str__(self) -> str:
        parts = [f"values separated by {_NAMES[self.separator]}"]
        if self.quote != '"':
            parts.append("in single quotation marks" if self.quote else "without quotation")
        if self.escape:
            parts.append("with backslashes before quotation marks")
        return ", ".join((*parts, self.charset))

    def of_csv(self) -> dict[str, Any]:
        """The arguments of `csv.reader`."""
        if not self.quote:
            return {"delimiter": self.separator, "quoting": csv.QUOTE_NONE}
        return {
            "delimiter": self.separator,
            "quotechar": self.quote,
            "escapechar": self.escape,
            "doublequote": self.escape is None,
        }


def find_dialect(head: bytes, separators: str = SEPARATORS, *, complete: bool = True) -> Dialect:
    """The dialect of a file that begins with `head`; the first of `separators` where nothing tells."""
    skip, encoding = next(
        ((len(bom), name) for bom, name in _BOMS if head.startswith(bom)), (0, _encoding(head, complete))
    )
    text = head[skip:].decode(encoding, "replace")
    lines = text.splitlines(keepends=True)
    if not complete and len(lines) > 1:
        del lines[-1]  # it may be cut
    if separators == "\t" and _is_unquoted(lines):
        return Dialect("\t", "", None, encoding, skip)
    quote = "'" if _quoted_by(text, "'") > 2 * _quoted_by(text, '"') + 2 else '"'
    escape = None if _reads_doubled(lines[:_LINES], separators, quote) else _escape(text, quote)
    separator = _separator(lines[:_LINES], separators, quote, escape)
    return Dialect(separator, quote, escape, encoding, skip)


def _separator(lines: Sequence[str], separators: str, quote: str, escape: str | None) -> str:
    """The separator by which most records have as many values as the first, then the one that makes more of them."""

    def fit(separator: str) -> tuple[float, int, int]:
        reader = csv.reader(iter(lines), **Dialect(separator, quote, escape).of_csv())
        try:
            widths = [len(record) for record in reader if record]
        except csv.Error:
            return 0.0, 0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0, 0
        return widths.count(widths[0]) / len(widths), widths[0], -separators.index(separator)

    return max(separators, key=fit) if lines else separators[0]


def _is_unquoted(lines: Sequence[str]) -> bool:
    """Whether marks at the beginning of values are part of them: every line has all values as it is."""
    rows = [line.rstrip("\r\n").split("\t") for line in lines if line.strip()]
    odd = any(
        value.startswith('"') and (len(value) < 2 or not value.endswith('"')) for row in rows for value in row
    )
    return odd and len({len(row) for row in rows}) == 1


def _quoted_by(text: str, mark: str) -> int:
    """How many values begin and end with that mark."""
    return len(re.findall(rf"(?m)(?:^|[{SEPARATORS}]){mark}[^{mark}\n]*{mark}(?=[{SEPARATORS}\r\n]|$)", text))


def _escape(text: str, quote: str) -> str | None:
    """A backslash, where marks inside of values have one and are never doubled."""
    escaped = len(re.findall(rf"\\{quote}(?![{SEPARATORS}\r\n])", text))
    doubled = len(re.findall(rf"[^{SEPARATORS}\n{quote}]{quote}{quote}[^{SEPARATORS}\r\n{quote}]", text))
    return "\\" if escaped > doubled else None


def _reads_doubled(lines: Sequence[str], separators: str, quote: str) -> bool:
    """Whether all is in order without a backslash's meaning anything: then one before a mark is part of the text."""
    for separator in separators:
        reader = csv.reader(iter(lines), delimiter=separator, quotechar=quote, strict=True)
        widths: set[int] = set()
        try:
            widths.update(len(record) for record in reader if record)
        except csv.Error as error:
            if "end of data" not in str(error):  # there a record may be cut
                continue
        if len(widths) == 1 and min(widths) > 1:
            return True
    return False


def _encoding(head: bytes, complete: bool) -> str:
    if _decodes(head, "utf-8", complete):
        return "utf-8"
    if head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    if _mostly_utf8(head):  # with a wrong byte here and there: those rows are named
        return "utf-8"
    likely = {name: _likeness(head, name, complete) for name in (*_ASIAN, "cp1252")}
    best = max(likely, key=lambda name: likely[name])
    return "cp1252" if likely["cp1252"] > _CLEARLY else best if likely[best] > 0 else "utf-8"


def _mostly_utf8(head: bytes) -> bool:
    text = head.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return sum(character > "\x7f" for character in text) - wrong > 2 * wrong


def _decodes(head: bytes, encoding: str, complete: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head, final=complete)
    except UnicodeDecodeError:
        return False
    return True


def _likeness(head: bytes, encoding: str, complete: bool) -> float:
    """The share of characters beyond ASCII that are such as texts in that encoding are made of."""
    if not _decodes(head, encoding, complete):
        return -1.0
    text = head.decode(encoding, "ignore")
    kinds: Counter[bool] = Counter()
    for character in text:
        if character > "\x7f":
            kinds[bool(_USUAL[encoding].match(character))] += 1
    share = kinds[True] / max(sum(kinds.values()), 1)
    # Chinese characters alone are what Chinese and Korean look like in a Japanese encoding.
    return share / 2 if encoding in _JAPANESE and not re.search(f"[{_KANA}]", text) else share


_KANA, _HAN = "\u3040-\u30ff", "\u4e00-\u9fff\u3001-\u3002\u300c-\u300f\uff01-\uff5e"
_USUAL = {
    **dict.fromkeys(_JAPANESE, re.compile(f"[{_KANA}{_HAN}]")),
    "cp949": re.compile("[\uac00-\ud7a3]"),
    **dict.fromkeys(("gb18030", "big5hkscs"), re.compile(f"[{_HAN}]")),
    "cp1252": re.compile("[À-ÿœŒŠšŽžŸ‘’“”–—…€«»°º¡¿£]"),
}

"""Reading documents opens nothing but them: no network, no other file, no bomb; what is missing is named."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier.errors import FormatError, MissingExtra, NewsdeskError
from classifier.reading import read_source
from classifier.reading.base import Chunk, ReadOptions, Source
from classifier.reading.documents import MAX_DOCUMENT_BYTES, library, read_document

EXTRA = ("trafilatura", "feedparser", "defusedxml")
TEXT = "From May on, the ferries to the northern islands will cost less, the transport minister said on Wednesday."


@pytest.fixture
def only(tmp_path: Path) -> Callable[[str, bytes], subprocess.CompletedProcess[str]]:
    """Reads one document in a process where looking at another file or opening a socket ends everything."""
    script = tmp_path / "alone.py"
    script.write_text(
        """
import importlib, io, json, sys
from classifier.reading import read_source, reader_for
from classifier.reading.base import ReadOptions, Source
name, = sys.argv[1:]
data = sys.stdin.buffer.read()
def read():
    rows, reasons = [], []
    for chunk in read_source(Source(name, lambda: io.BytesIO(data)), ReadOptions()):
        rows += chunk.articles.to_pylist() if chunk.articles else []
        reasons += map(str, chunk.rejected)
    return rows, reasons
read()  # imports what it takes
seen = []
def watch(event, args):
    if event.startswith(("socket.", "urllib.", "subprocess.", "os.system")) or event == "open":
        seen.append((event, str(args[:1])))
sys.addaudithook(watch)
rows, reasons = read()
done = list(seen)
print(json.dumps([rows, reasons, done], default=str))
""",
        "utf-8",
    )

    def run(name: str, data: bytes) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(script), name], input=data, capture_output=True, check=True, timeout=120
        )

    return run


SECRET = "the-content-of-another-file"
DOCUMENTS = {
    "page.html": (
        '<html><head><base href="http://nowhere.invalid/"><link rel="stylesheet" href="http://nowhere.invalid/a.css">'
        '<script src="http://nowhere.invalid/a.js"></script></head><body><h1>Fares fall</h1><iframe src="file://{path}"></iframe>'
        f'<img src="http://nowhere.invalid/a.png"><object data="file://{{path}}"></object><p>{TEXT}</p></body></html>'
    ),
    "page.xhtml": (
        '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a SYSTEM "file://{path}">]><html '
        f'xmlns="http://www.w3.org/1999/xhtml"><body><h1>Fares fall</h1><p>{TEXT} &a;</p></body></html>'
    ),
    "feed.rss": (
        '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a SYSTEM "file://{path}"><!ENTITY % b SYSTEM "http://nowhere.invalid/x">'
        "%b;]><rss version='2.0'><channel><title>C</title><item><title>Fares fall &a;</title>"
        "<description>&lt;img src='http://nowhere.invalid/x.png'&gt;</description></item></channel></rss>"
    ),
    "item.newsml": (
        '<!DOCTYPE newsItem [<!ENTITY a SYSTEM "file://{path}">]><newsItem xmlns="http://iptc.org/std/nar/2006-10-01/">'
        "<contentMeta><headline>Fares fall &a;</headline></contentMeta></newsItem>"
    ),
    "catalogue.newsml": (
        '<!DOCTYPE newsItem SYSTEM "http://nowhere.invalid/x.dtd"><newsItem xmlns="http://iptc.org/std/nar/2006-10-01/">'
        '<catalogRef href="http://nowhere.invalid/c.xml"/><contentMeta><headline>Fares fall</headline>'
        "</contentMeta></newsItem>"
    ),
    "item.ninjs": (
        '{{"uri": "file://{path}", "type": "text", "headline": "Fares fall", "body_xhtml": '
        '"<!DOCTYPE p [<!ENTITY a SYSTEM \\"file://{path}\\">]><p>Text &a;</p><img src=\\"http://nowhere.invalid/\\">"}}'
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_else_is_opened_and_nothing_fetched(
    name: str, tmp_path: Path, only: Callable[[str, bytes], subprocess.CompletedProcess[str]]
) -> None:
    for module in EXTRA:
        pytest.importorskip(module)
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, "utf-8")
    ran = only(name, DOCUMENTS[name].format(path=secret).encode())
    assert SECRET.encode() not in ran.stdout  # type: ignore[operator]
    assert ran.stdout.rstrip().endswith(b", []]"), ran.stdout  # type: ignore[arg-type]
    # Entities are refused in NewsML-G2 and left out elsewhere.
    assert (b"Fares fall" in ran.stdout) != (name == "item.newsml")  # type: ignore[operator]


def test_a_feed_is_never_taken_for_an_address_or_a_file_name(tmp_path: Path) -> None:
    pytest.importorskip("feedparser")
    feed = tmp_path / "feed.rss"
    feed.write_text("<rss version='2.0'><channel><item><title>Other</title></item></channel></rss>", "utf-8")
    for text in (str(feed), f"file://{feed}", "http://nowhere.invalid/feed"):
        (chunk,) = read_source(Source("a.rss", lambda text=text: io.BytesIO(text.encode())), ReadOptions())
        assert chunk.articles is None
        assert "neither RSS nor Atom" in str(chunk.rejected[0])


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 10}">' for n in range(12))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.rss",
            f"<!DOCTYPE rss [{LAUGHS}]><rss version='2.0'><channel><item><title>A &l11;</title></item></channel></rss>",
        ),
        (
            "a.newsml",
            f"<!DOCTYPE a [{LAUGHS}]><newsItem><contentMeta><headline>&l11;</headline></contentMeta></newsItem>",
        ),
        ("a.xhtml", f"<!DOCTYPE html [{LAUGHS}]><html><body><h1>A &l11;</h1><p>{TEXT}</p></body></html>"),
    ],
)
def test_a_billion_laughs_are_not_laughed(name: str, text: str) -> None:
    for module in EXTRA:
        pytest.importorskip(module)
    for chunk in read_source(Source(name, lambda: io.BytesIO(text.encode())), ReadOptions()):
        rows = chunk.articles.to_pylist() if chunk.articles else []
        assert sum(len(row["headline"]) + len(row["body"]) for row in rows) < 4096


class _Counted(io.BytesIO):
    """Bytes that know how many of them were taken."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


@pytest.mark.parametrize("name", ["a.html.gz", "a.rss.gz"])
def test_a_decompression_bomb_is_stopped(name: str) -> None:
    for module in EXTRA:
        pytest.importorskip(module)
    bomb = gzip.compress(b" " * (MAX_DOCUMENT_BYTES + 1), 9)
    found: list[Chunk] = []
    try:
        found += read_source(Source(name, lambda: io.BytesIO(bomb)), ReadOptions())
        reason = str(found[0].rejected[0])
    except NewsdeskError as error:  # the decompressor may be the first to refuse
        reason = str(error)
    assert "larger than" in reason or "decompress" in reason
    assert name in reason


def called_modules(data: bytes) -> set[str]:
    """The modules whose functions are called while a page is read."""
    found: set[str] = set()
    sys.setprofile(lambda frame, *_: found.add(frame.f_globals.get("__name__", "")))
    try:
        assert list(read_source(Source("a.html", lambda: io.BytesIO(data)), ReadOptions()))
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize(("paragraphs", "compared"), [(900, True), (1100, False)])
def test_what_takes_the_square_of_the_paragraphs_is_left_out_where_they_are_many(
    paragraphs: int, compared: bool
) -> None:
    for module in EXTRA:
        pytest.importorskip(module)
    page = "<article><p>Fares will fall.</p></article><aside>" + "<p>x</p>" * paragraphs + "</aside>"
    assert ("justext.core" in called_modules(page.encode())) is compared


def test_no_more_of_a_document_is_taken_than_may_be() -> None:
    stream = _Counted(b"x" * 3 * 2**20)
    with pytest.raises(FormatError, match=r"a\.html: is larger than 1 MiB"):
        read_document(Source("a.html", lambda: stream), 2**20)
    assert stream.taken == 2**20 + 1


def test_a_missing_extra_is_named() -> None:
    with pytest.raises(MissingExtra) as caught:
        library("no_such_library.part")
    assert str(caught.value) == (
        'this needs the package no_such_library, which is not installed; install Newsdesk with its "formats" extra'
    )


@pytest.mark.parametrize("name", ["a.html", "a.rss", "a.newsml"])
def test_where_the_extra_is_not_installed_the_command_says_so(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("<html><body><p>x", "utf-8")
    code = (
        "import sys\n"
        f"for name in {(*EXTRA, 'lxml')!r}: sys.modules[name] = None\n"
        f"from classifier.cli import run\nsys.exit(run(['read', {str(tmp_path / name)!r}, '-o', '-']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 2, ran.stderr
    assert 'install Newsdesk with its "formats" extra' in ran.stderr
    assert "Traceback" not in ran.stderr

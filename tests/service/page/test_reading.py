"""What is pasted or dropped: every format, limits, bombs, and that nothing of it stays."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from classifier.errors import FieldError, InputError
from classifier.reading import processes, read_all
from classifier.reading.base import ReadOptions
from classifier.reading.columns import PLACES
from classifier.reading.rows import to_articles
from service.errors import Busy, TooLarge
from service.page import reading, uploads
from service.page.kinds import is_plain, shown_name
from service.page.reading import read_articles
from service.settings import Settings

ROWS = [
    {
        "id": "a",
        "headline": "Ferry fares to fall",
        "body": "Crossing costs less. Boats run hourly.",
        "source": "The Courier",
        "published_at": "2031-04-02T07:40:00+09:00",
    },
    {
        "id": "b",
        "headline": "Assembly votes",
        "body": "The bill passed.",
        "published_at": "2031-04-02T18:00:00+09:00",
    },
]
PAGE = """Ferry fares to fall
07:40 JST, April 2, 2031
TARNMOUTH (The Courier) — Crossing costs less.
Boats run hourly.
"Economy" POPULAR ARTICLE
-
Fuel prices rise
"""
HTML = """<!doctype html><html lang="en"><head><title>Ferry fares to fall</title>
<meta property="article:published_time" content="2031-04-02T07:40:00+09:00">
<script>document.title = "No"</script></head><body><main><h1>Ferry fares to fall</h1>
<p>Crossing the strait costs less from Monday on, the harbour board said after a long meeting on the island.</p>
<p>Boats run hourly, and <b>two</b> of them run after dark, when the market closes and the workers go home.</p></main>
</body></html>"""
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>The Courier</title>
<item><title>Ferry fares to fall</title><link>https://courier.example/1</link>
<description>Crossing costs less.</description>
<pubDate>Wed, 02 Apr 2031 07:40:00 +0900</pubDate></item>
<item><title>Assembly votes</title><description>The bill passed.</description></item></channel></rss>"""
NINJS = {
    "uri": "http://agency.example/1",
    "type": "text",
    "pubstatus": "usable",
    "versioncreated": "2031-04-02T07:40:00+09:00",
    "headline": "Ferry fares to fall",
    "body_text": "Crossing costs less.",
}
NEWSML = """<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:1" version="1" standard="NewsML-G2">
<itemMeta><itemClass qcode="ninat:text"/><versionCreated>2031-04-02T07:40:00+09:00</versionCreated>
<pubStatus qcode="stat:usable"/></itemMeta><contentMeta><headline>Ferry fares to fall</headline></contentMeta>
<contentSet><inlineData contenttype="text/plain">Crossing costs less.</inlineData></contentSet></newsItem>"""
NEEDS = {".html": "trafilatura", ".rss": "feedparser", ".xml": "defusedxml", ".newsml": "defusedxml"}


def delimited(separator: str = ",") -> bytes:
    out = io.StringIO(newline="")
    names = list(dict.fromkeys(name for row in ROWS for name in row))
    writer = csv.DictWriter(out, names, delimiter=separator)
    writer.writeheader()
    writer.writerows(ROWS)
    return out.getvalue().encode()


def parquet(rows: list[dict[str, Any]] | pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows) if isinstance(rows, list) else rows, out, **options)
    return out.getvalue()


def arrow() -> bytes:
    table, out = pa.Table.from_pylist(ROWS), io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


LINES = "\n".join(map(json.dumps, ROWS)).encode()
FORMATS: dict[str, tuple[bytes, int]] = {
    "page.txt": (PAGE.encode(), 1),
    "page.html": (HTML.encode(), 1),
    "index.php": (HTML.encode(), 1),
    "feed.rss": (FEED.encode(), 2),
    "feed.xml": (FEED.encode(), 2),
    "item.json": (json.dumps(NINJS).encode(), 1),
    "item.newsml": (NEWSML.encode(), 1),
    "rows.csv": (delimited(), 2),
    "rows.tsv": (delimited("\t"), 2),
    "rows.json": (json.dumps({"articles": ROWS}, indent=1).encode(), 2),
    "rows.jsonl": (LINES, 2),
    "rows.parquet": (parquet(ROWS), 2),
    "rows.arrow": (arrow(), 2),
    "rows.jsonl.gz": (gzip.compress(LINES), 2),
    "rows.csv.bz2": (bz2.compress(delimited()), 2),
    "feed.rss.xz": (lzma.compress(FEED.encode()), 2),
    "page.txt.zst": (pa.Codec("zstd").compress(PAGE.encode(), asbytes=True), 1),
}
PASTED = {
    "a page": (PAGE.encode(), 1),
    "html": (HTML.encode(), 1),
    "a feed": (FEED.encode(), 2),
    "a table": (delimited(), 2),
    "a table with semicolons": (delimited(";"), 2),
    "cells of a spreadsheet": (delimited("\t"), 2),
    "json lines": (LINES, 2),
    "json": (json.dumps(ROWS).encode(), 2),
    "one article": (json.dumps(ROWS[0]).encode(), 1),
    "newsml": (NEWSML.encode(), 1),
}


OPTIONS = ReadOptions(printed_sections=False)
LIMITS = uploads.Limits(20_000, 20, 3_000)  # those of the application


def post(client: FlaskClient, data: bytes, **query: str) -> Any:
    return client.post(f"/page/read?{urlencode(query)}", data=data, content_type="application/octet-stream")


def needs(name: str, data: bytes) -> None:
    kinds = {".html": b"<!doctype html", ".rss": b"<rss", ".newsml": b"<newsItem"}
    for kind, mark in kinds.items():
        if mark in data or kind in name:
            pytest.importorskip(NEEDS[kind])


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_by_its_name(client: FlaskClient, name: str) -> None:
    data, count = FORMATS[name]
    needs(name, data)
    check(client, here(name, data), count)


@pytest.mark.parametrize("what", PASTED)
def test_what_is_pasted_by_its_content(client: FlaskClient, what: str) -> None:
    data, count = PASTED[what]
    needs("", data)
    check(client, here("", data), count)


@pytest.mark.parametrize("name", ["page.txt", "page.html", "rows.parquet", "feed.rss.xz"])
def test_asked_over_http_it_is_the_same(client: FlaskClient, name: str) -> None:
    data, _ = FORMATS[name]
    needs(name, data)
    answer = post(client, data, name=name)
    assert (answer.status_code, answer.json) == (200, here(name, data))


def test_a_page_is_what_the_reader_of_files_makes_of_it(tmp_path: Path) -> None:
    """Although it is read without tables."""
    pytest.importorskip("trafilatura")
    html = HTML.replace(
        "<title>", '<meta property="article:section" content=" Money "><meta charset="utf-8"><title>'
    )
    for sections in ({}, {"money": "Economy"}, {"Money": "", "Politics": "P"}):
        for name, text in (("page.html", html), ("page.txt", PAGE.replace("Economy", "Money"))):
            for printed in (False, True):
                options = ReadOptions(printed_sections=printed, sections=sections)
                [article] = uploads.read_page(name, text.encode(), options, LIMITS).articles
                (tmp_path / name).write_text(text, "utf-8")
                [theirs] = to_articles(read_all([str(tmp_path / name)], options).articles.to_batches()[0])
                assert article == uploads.as_sent(theirs)


def here(name: str, data: bytes) -> dict[str, Any]:
    """What the process that reads would find, without one."""
    return asdict(uploads.read_upload(name, data, OPTIONS, LIMITS))


def check(client: FlaskClient, found: dict[str, Any], count: int) -> None:
    """That many articles, which the API takes as they are."""
    assert set(found) == {"articles", "notes", "rejected", "duplicates", "superseded", "boxes"}
    assert len(found["articles"]) == count
    first = found["articles"][0]
    assert first["headline"] == "Ferry fares to fall"
    assert first["published_at"] == "2031-04-02T07:40:00+09:00"
    assert "Crossing" in first.get("body", "") + first.get("summary", "")
    assert all(value not in (None, "") for article in found["articles"] for value in article.values())
    assert not {"file", "line", "element", "popularity"} & set(first)
    assert client.post("/v1/rank", json={"articles": found["articles"]}).status_code == 200
    assert client.post("/v1/predict", json=first).status_code == 200


def test_where_things_stood_is_not_sent_back() -> None:
    assert set(PLACES) <= uploads._OF_NO_USE


def test_rows_that_cannot_be_read_are_named_and_the_others_are_there(client: FlaskClient) -> None:
    rows = [*ROWS, {"headline": "Late", "published_at": "yesterday"}, {"headline": ""}, ROWS[0]]
    found = post(client, "\n".join(map(json.dumps, rows)).encode(), name="C:\\desk\\rows.jsonl").json
    assert [article["id"] for article in found["articles"]] == ["a", "b"]
    assert [one["line"] for one in found["rejected"]] == [3, 4]
    assert "rows.jsonl, line 3: published_at" in found["rejected"][0]["reason"]
    assert found["duplicates"] == 1


def test_a_long_article_is_left_out_and_the_others_are_there(client: FlaskClient) -> None:
    rows = [*ROWS, {"headline": "Long", "body": "x" * 3001}]  # the limit is 3,000
    found = post(client, json.dumps(rows).encode(), name="rows.json").json
    assert len(found["articles"]) == 2
    assert "longer than 3000 characters" in found["rejected"][0]["reason"]


def test_what_is_read_otherwise_than_may_be_meant_is_noted(client: FlaskClient) -> None:
    rows = [{"headline": f"Story {n}", "published_at": f"0{n}/04/2031 10:00 +09:00"} for n in (1, 2, 3)]
    found = post(client, "\n".join(map(json.dumps, rows)).encode(), name="rows.jsonl").json
    assert len(found["articles"]) == 3
    assert found["notes"]
    assert all(isinstance(note, str) for note in found["notes"])


def test_it_is_read_as_the_training_data_was(desk_client: FlaskClient) -> None:
    """That model was trained with the zone Asia/Tokyo and a column of its own."""
    data = b"headline,published_at,desk\nVote report,2031-05-01T08:00:00,city\n"
    [article] = post(desk_client, data, name="rows.csv").json["articles"]
    assert article["published_at"] == "2031-05-01T08:00:00+09:00"
    assert article["desk"] == "city"
    assert desk_client.post("/v1/predict", json=article).status_code == 200


def test_the_box_of_a_page_names_its_section_only_where_lists_are_made(client: FlaskClient) -> None:
    found = post(client, PAGE.encode()).json
    assert "section" not in found["articles"][0]
    assert found["boxes"] == 1
    assert post(client, PAGE.encode(), printed_sections="true").json["articles"][0]["section"] == "Economy"


@pytest.mark.parametrize(
    ("data", "query", "status", "kind"),
    [
        (b"", {}, 422, "invalid-input"),
        (b" \n ", {"name": "a.csv"}, 422, "invalid-input"),
        (b"Only a headline\n\nand a text, as people paste them.", {}, 422, "unreadable-page"),
        (b"Only a headline", {"name": "story.txt"}, 422, "unreadable-page"),
        (b"# Title\n\nText.", {"name": "notes.md"}, 422, "unreadable-page"),
        (b"%PDF-1.7\n\xe2\xe3\xcf\xd3\0\0", {"name": "paper.pdf"}, 422, "invalid-input"),
        (b"PK\3\4\0\0\xff", {"name": "story.docx"}, 422, "invalid-input"),
        (b"\xff\0\xfe", {}, 422, "invalid-input"),
        (b"a,b\n1,2\n", {"name": "rows.csv"}, 422, "invalid-input"),
        (b"x" * 20_001, {}, 413, "too-large"),
        (PAGE.encode() + b"x" * 3000, {}, 413, "too-large"),
        (b"x", {"name": "a", "other": "b"}, 422, "invalid-field"),
        (b"x", {"printed_sections": "yes"}, 422, "invalid-field"),
    ],
)
def test_what_cannot_be_read_says_why(
    client: FlaskClient,
    check_problem: Callable[..., Any],
    data: bytes,
    query: dict[str, str],
    status: int,
    kind: str,
) -> None:
    answer = post(client, data, **query)
    problem = check_problem(answer.status_code, answer.content_type, answer.json, expected=status)
    assert problem["type"] == f"/problems/{kind}"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("boxes.csv", b"list,rank,headline\nA,1,B\n", "no articles"),
        ("rows.jsonl", b'{"headline": }', "line 1"),
        ("", b"[" * 5000, "nested"),
        ("rows.parquet", b"not parquet", "not a Parquet file"),
        ("rows.csv.gz", b"not gzip", "cannot be decompressed"),
        ("rows.jsonl.gz", gzip.compress(LINES)[:-9], "cannot be decompressed"),
        ("rows.csv.gz.gz", gzip.compress(gzip.compress(LINES)), "no text"),
    ],
)
def test_so_does_what_a_process_reads(name: str, data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        here(name, data)


def test_too_many_articles(client: FlaskClient, check_problem: Callable[..., Any]) -> None:
    rows = [{"headline": f"Story {n}"} for n in range(21)]
    answer = post(client, json.dumps(rows).encode(), name="rows.json")
    check_problem(answer.status_code, answer.content_type, answer.json, expected=413)
    assert "more than 20 articles" in answer.json["detail"]
    assert len(post(client, json.dumps(rows[1:]).encode(), name="rows.json").json["articles"]) == 20


def bombs() -> Iterator[tuple[str, bytes]]:
    zeros = bytes(1 << 26)
    yield "a.csv.gz", gzip.compress(zeros)
    yield "a.csv.bz2", bz2.compress(zeros)
    yield "a.csv.xz", lzma.compress(zeros, preset=0)
    yield "a.csv.zst", pa.Codec("zstd").compress(b"headline\n" + b"x" * (1 << 26), asbytes=True)
    yield "a.json.gz", gzip.compress(b"[" * (1 << 26))


@pytest.mark.parametrize(
    ("name", "data"), list(bombs()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_grows_by_decompression_is_stopped(name: str, data: bytes) -> None:
    with pytest.raises(uploads.OverLimit, match="becomes more than 20000 bytes by decompression"):
        here(name, data)


def test_a_bomb_over_http(client: FlaskClient, check_problem: Callable[..., Any]) -> None:
    answer = post(client, dict(bombs())["a.csv.bz2"], name="a.csv.bz2")
    check_problem(answer.status_code, answer.content_type, answer.json, expected=413)


MIB = 1024 * 1024


def test_a_table_whose_cells_grow_is_stopped(tiny_model_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Parquet keeps a text once, however often it is there: 900 rows of 8 MiB each."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 900, pa.int32()), pa.array(["a" * 8 * MIB]))
    data = parquet(pa.table({"headline": column}), compression="zstd")
    assert len(data) < 100_000
    with pytest.raises((TooLarge, InputError)):
        read_articles("a.parquet", data, ReadOptions(), Settings(model=tiny_model_path))


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 10}">' for n in range(12))


@pytest.mark.parametrize("name", ["a.newsml", ""])
def test_a_billion_laughs_are_not_laughed(tiny_model_path: Path, name: str) -> None:
    for module in set(NEEDS.values()):
        pytest.importorskip(module)
    data = f"<!DOCTYPE rss [{LAUGHS}]><rss version='2.0'><channel><item><title>A &l11;</title></item></channel></rss>"
    found: Any = {}
    with suppress(InputError, TooLarge):
        found = read_articles(name, data.encode(), ReadOptions(), Settings(model=tiny_model_path))
    assert len(json.dumps(found)) < 4096


def test_what_takes_too_long_is_ended(tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = processes._START.replace("module.main()", "import signal; signal.pause()")
    monkeypatch.setattr(processes, "_START", stuck)
    monkeypatch.setattr(reading, "SECONDS", 1)
    with pytest.raises(Exception, match="took more than 1 seconds"):
        read_articles("a.csv", delimited(), ReadOptions(), Settings(model=tiny_model_path))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory so")
def test_what_takes_too_much_memory_is_ended(tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = "module.read_upload = lambda *_: bytearray(4 << 30); module.main()"
    monkeypatch.setattr(processes, "_START", processes._START.replace("module.main()", greedy))
    with pytest.raises(TooLarge, match="too much memory"):
        read_articles("a.csv", delimited(), ReadOptions(), Settings(model=tiny_model_path))


def test_a_process_that_dies_costs_one_answer(tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(model=tiny_model_path)
    with monkeypatch.context() as patch:
        killed = processes._START.replace("module.main()", "import os; os.kill(os.getpid(), 9)")
        patch.setattr(processes, "_START", killed)
        with pytest.raises(Exception, match="reading it failed"):
            read_articles("a.csv", delimited(), ReadOptions(), settings)
    assert len(read_articles("a.csv", delimited(), ReadOptions(), settings)["articles"]) == 2


def test_only_so_much_is_read_at_once(tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_places", threading.BoundedSemaphore(1))
    settings = Settings(model=tiny_model_path)
    with reading._places, pytest.raises(Busy):
        read_articles("a.csv", delimited(), ReadOptions(), settings)
    assert read_articles("", PAGE.encode(), ReadOptions(), settings)["articles"], "which needs no process"
    assert read_articles("a.csv", delimited(), ReadOptions(), settings)["articles"]


def test_a_missing_package_is_named(
    tiny_model_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    client: FlaskClient,
    check_problem: Callable[..., Any],
) -> None:
    without = processes._START.replace("module.main()", "sys.modules['feedparser'] = None; module.main()")
    monkeypatch.setattr(processes, "_START", without)
    answer = post(client, FEED.encode(), name="feed.rss")
    problem = check_problem(answer.status_code, answer.content_type, answer.json, expected=409)
    assert problem["type"] == "/problems/missing-extra"
    assert "formats" in problem["detail"]


def test_nothing_of_it_stays(
    running: Callable[..., AbstractContextManager[Any]],
    visit: Callable[[int], Any],
    tiny_model_path: Path,
    tmp_path: Path,
    secret: str,
) -> None:
    """Neither in a temporary folder nor in the state folder nor in the log."""
    temporary, state = tmp_path / "tmp", tmp_path / "state"
    temporary.mkdir()
    environ = {"TMPDIR": str(temporary), "NEWSDESK_LOG_LEVEL": "info"}
    with running(tiny_model_path, "--state", str(state), "--workers", "1", **environ) as server:
        visitor, before = visit(server.port), sorted(os.listdir(temporary))
        text = PAGE.replace("Ferry fares to fall", secret)
        assert visitor.ask("POST", f"/page/read?name={secret}.txt", text.encode()).status == 200
        table = delimited().replace(b"Ferry", secret.encode())
        assert visitor.ask("POST", f"/page/read?name={secret}.csv", table).status == 200
        assert visitor.ask("POST", f"/page/read?name={secret}.csv", b"a,b\n").status == 422
        assert sorted(os.listdir(temporary)) == before
        server.stop()
        assert '"route":"/page/read"' in server.stderr
        assert secret not in server.stderr
    assert not [path for path in state.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.csv", "a.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\desk\\a.csv", "a.csv"),
        ("a\nb\0.csv", "a_b_.csv"),
        ("x" * 500 + ".csv", "x" * 76 + ".csv"),
        ("", ""),
        ("..", ".."),
        ("\u202egpj.csv", "_gpj.csv"),
    ],
)
def test_names(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@given(st.text(max_size=200))
def test_any_name_can_be_shown_and_asked_about(name: str) -> None:
    shown = shown_name(name)
    assert len(shown) <= 80
    assert shown.isprintable()
    assert "/" not in shown
    assert is_plain(shown, b"A title\n", ReadOptions()) in (True, False)


@examples(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Without a process of its own: what it would do."""
    limits = uploads.Limits(1000, 10, 100)
    for name in ("", "a.txt", "a.csv", "a.jsonl", "a.json", "a.gz", "a.jsonl.gz", "a.nothing"):
        with suppress(InputError, uploads.OverLimit):
            found = uploads.read_upload(name, data, ReadOptions(), limits)
            assert found.articles
            json.dumps(found.articles, allow_nan=False)


def test_what_a_process_tells_of_an_error() -> None:
    told = uploads.told(FieldError("published_at", "is late", where="a.csv, line 3", remedy="wait"))
    assert told == {
        "kind": "FieldError",
        "problem": "a.csv, line 3: published_at: is late",
        "remedy": "wait",
        "module": None,
    }

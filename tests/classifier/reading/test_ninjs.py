"""ninjs 1.x, 2.x and 3.x, as agencies send it."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from classifier.reading import read_all, reader_for
from classifier.reading.base import Chunk, ReadOptions, Source
from classifier.reading.ninjs import read

ONE = {
    "$standard": {"name": "ninjs", "version": "1.4", "schema": "https://iptc.example/ninjs-schema_1.4.json"},
    "uri": "http://agency.example/items/20220202-7",
    "type": "text",
    "version": "3",
    "firstcreated": "2022-02-02T02:36:00Z",
    "versioncreated": "2022-02-02T05:00:00Z",
    "pubstatus": "usable",
    "urgency": 3,
    "language": "en",
    "headline": "Ferry fares to fall",
    "slugline": "ferry-fares",
    "byline": "Ann Lee",
    "located": "Port Ellery",
    "copyrightholder": "Meridian Press",
    "description_text": "Crossing costs less.",
    "body_xhtml": "<p>PORT ELLERY (Jiji Press) — Fares fall.</p><p>Boats run hourly.</p>",
    "body_text": "PORT ELLERY (Jiji Press) — Fares fall. Boats run hourly.",
    "subject": [
        {"name": "economy", "scheme": "http://cv.iptc.org/newscodes/mediatopic/", "code": "04000000"},
        {"name": "fares", "code": "medtop:20000178"},
    ],
}
TWO = {
    "standard": {"name": "ninjs", "version": "2.0"},
    **{name: ONE[name] for name in ("uri", "type", "version", "firstcreated", "versioncreated", "urgency")},
    **{name: ONE[name] for name in ("pubstatus", "language", "slugline", "located", "copyrightholder")},
    "by": "Ann Lee",
    "headlines": [{"role": "short", "value": "Fares"}, {"role": "main", "value": "Ferry fares to fall"}],
    "descriptions": [{"role": "summary", "contenttype": "text/plain", "value": "Crossing costs less."}],
    "bodies": [
        {"role": "main", "contenttype": "text/plain", "value": "Plain."},
        {"role": "richtext", "contenttype": "application/xhtml+xml", "value": ONE["body_xhtml"]},
    ],
    "subjects": [
        {"name": "economy", "uri": "http://cv.iptc.org/newscodes/mediatopic/04000000"},
        {"name": "fares", "literal": "medtop:20000178"},
    ],
}
_CAMEL = {
    "firstcreated": "firstCreated",
    "versioncreated": "versionCreated",
    "pubstatus": "pubStatus",
    "copyrightholder": "copyrightHolder",
    "contenttype": "contentType",
}
THREE = json.loads(
    json.dumps(TWO).replace('"2.0"', '"3.1"'),
    object_hook=lambda value: {_CAMEL.get(key, key): item for key, item in value.items()},
)


def chunks(content: Any, options: ReadOptions | None = None) -> list[Chunk]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(read(Source("a.json", lambda: io.BytesIO(data)), options or ReadOptions()))


def rows(content: Any, options: ReadOptions | None = None) -> list[dict[str, Any]]:
    return [row for chunk in chunks(content, options) if chunk.articles for row in chunk.articles.to_pylist()]


def reasons(content: Any) -> list[str]:
    return [str(rejection) for chunk in chunks(content) for rejection in chunk.rejected]


@pytest.mark.parametrize("item", [ONE, TWO, THREE], ids=["1.4", "2.0", "3.1"])
def test_one_item_in_every_version(item: dict[str, Any]) -> None:
    (row,) = rows(item)
    assert {name: value for name, value in row.items() if value is not None} == {
        "id": "http://agency.example/items/20220202-7",
        "headline": "Ferry fares to fall",
        "summary": "Crossing costs less.",
        "body": "Fares fall.\nBoats run hourly.",
        "section": "economy, business and finance",
        "published_at": datetime(2022, 2, 2, 2, 36, tzinfo=UTC),
        "source": "Meridian Press",
        "url": "http://agency.example/items/20220202-7",
        "language": "en",
        "file": "a.json",
        "agency": "Jiji Press",
        "city": "PORT ELLERY",
        "author": "Ann Lee",
        "updated_at": datetime(2022, 2, 2, 5, tzinfo=UTC),
        "version": 3,
        "subjects": '["economy", "fares"]',
        "urgency": 3,
        "slugline": "ferry-fares",
    }


@pytest.mark.parametrize(
    ("content", "places"),
    [
        ([ONE, TWO], ["item 1", "item 2"]),
        ({"items": [ONE, THREE]}, ["item 1", "item 2"]),
        ({"_items": [ONE, THREE], "total": 2}, ["item 1", "item 2"]),
        ({"total": 1, "associations": [], "uri": "x", "subject": [{"name": "e"}]}, []),
        (b"\n".join([b"", json.dumps(ONE).encode(), b"", json.dumps(TWO).encode()]), ["line 2", "line 4"]),
        (json.dumps(ONE, indent=2).encode(), [None]),
        (b"\xef\xbb\xbf" + json.dumps([ONE]).encode(), [None]),
    ],
    ids=["array", "items", "other list", "no list", "lines", "indented", "BOM"],
)
def test_items_and_where_they_stand(content: Any, places: list[str | None]) -> None:
    assert [row.get("element") for row in rows(content)] == places


def test_what_is_no_text_is_noted_and_what_a_package_holds_is_read() -> None:
    picture = {"uri": "p", "type": "picture", "versioncreated": "2022-02-02T05:00:00Z", "headline": "A whale"}
    package = {
        "uri": "k",
        "type": "composite",
        "headline": "Package",
        "associations": {"main": {**ONE, "uri": "inner"}, "cover": picture},
    }
    found = chunks([picture, package])
    assert [row["id"] for chunk in found if chunk.articles for row in chunk.articles.to_pylist()] == ["inner"]
    assert [row["element"] for row in rows([picture, package])] == ["item 2, main"]
    assert [note.value for chunk in found for note in chunk.notes] == ["picture"]
    assert not [rejection for chunk in found for rejection in chunk.rejected]


def test_a_headline_with_its_description_alone_is_an_article() -> None:
    bare = {name: value for name, value in ONE.items() if not name.startswith("body")}
    (row,) = rows(bare)
    assert (row["headline"], row["body"], row["city"]) == ("Ferry fares to fall", "", "Port Ellery")


@pytest.mark.parametrize("status", ["canceled", "stat:canceled", "withheld"])
def test_what_its_agency_withdrew_is_rejected(status: str) -> None:
    (reason,) = reasons([ONE, {**ONE, "uri": "x", "pubstatus": status}])
    assert reason.startswith("a.json, item 2: its agency has ")


def test_an_item_that_cannot_be_read_is_rejected_alone() -> None:
    content = [{**ONE, "firstcreated": "soon"}, 7, {"type": "text"}, {**ONE, "body_xhtml": "<b>" * 300}, ONE]
    assert [row["element"] for row in rows(content)] == ["item 5"]
    first, second, third, fourth = reasons(content)
    assert 'item 1: published_at: "soon" is not a time' in first
    assert "item 2: is no JSON object" in second
    assert "item 3: headline: headline, summary and body are all empty" in third
    assert "item 4: HTML in it has more than 200 elements within each other" in fourth


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1",
        b"nul",
        b'"text"',
        b"7",
        b"[" * 10_000 + b"]" * 10_000,
        b"[" * 300 + b"]" * 300,
        b'{"items": 7}',
        b"\xff{}",
    ],
    ids=[
        "empty",
        "cut",
        "cut list",
        "no word",
        "string",
        "number",
        "deep",
        "less deep",
        "items",
        "not UTF-8",
    ],
)
def test_what_is_no_ninjs_is_rejected(data: bytes) -> None:
    assert rows(data) == []
    assert len(reasons(data)) == 1


def test_a_line_that_is_no_object_is_rejected_alone() -> None:
    data = json.dumps(ONE).encode() + b"\n{\n[]\n" + json.dumps(TWO).encode()
    assert [row["element"] for row in rows(data)] == ["line 1", "line 4"]
    assert [reason.partition(": ")[0] for reason in reasons(data)] == ["a.json, line 2", "a.json, line 3"]


def test_topics_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "topics.csv"
    path.write_text("code,name\nmedtop:20000178,Fares\nmedtop:04000000,Economy\n", "utf-8")
    (row,) = rows(ONE, ReadOptions(topics=str(path)))
    assert row["sections"] == ["Economy", "Fares"]


def test_ninjs_is_known_by_content(tmp_path: Path) -> None:
    assert reader_for(".ninjs") is read
    for name, content in (
        ("a.json", json.dumps(ONE, indent=1)),
        ("b.json", json.dumps([{**TWO, "uri": "b"}])),
        ("c", json.dumps({**THREE, "uri": "c"})),
        ("sitemap.xml", "<urlset/>"),
    ):
        (tmp_path / name).write_text(content, "utf-8")
    reading = read_all([str(tmp_path)])
    assert reading.articles["file"].to_pylist() == ["a.json", "b.json", "c"]
    assert reading.skipped == ("sitemap.xml",)

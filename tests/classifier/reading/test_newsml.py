"""NewsML-G2, as agencies send it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from classifier.reading import read_all, reader_for
from classifier.reading.base import Chunk, ReadOptions, Source
from classifier.reading.newsml import read

pytest.importorskip("defusedxml")
NAR = 'xmlns="http://iptc.org/std/nar/2006-10-01/"'
XHTML = (
    '<inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml"><head><title>No</title>'
    "</head><body><h1>Ferry fares to fall</h1><p>PORT ELLERY (Jiji Press) — Fares <b>fall</b>.</p><figure>"
    "<figcaption>A boat</figcaption></figure><p>Boats run\n hourly.</p></body></html></inlineXML>"
)
NITF = (
    '<inlineXML contenttype="application/nitf+xml"><nitf xmlns="http://iptc.org/std/NITF/2006-10-18/"><body><body.head>'
    "<hedline><hl1>Ferry fares to fall</hl1></hedline><byline>By Ann Lee</byline><dateline>PORT ELLERY, Feb 2"
    "</dateline></body.head><body.content><p>Fares fall.</p><media><media-caption>A boat</media-caption></media>"
    "<block><p>Boats run hourly.</p></block></body.content></body></nitf></inlineXML>"
)
PLAIN = '<inlineData contenttype="text/plain">Fares fall.\n\nBoats run hourly.</inlineData>'
SUBJECTS = """<subject qcode="medtop:20000178" rank="2"><name>earnings</name></subject>
<subject type="cpnat:person" qcode="pers:1"><name>Ann</name></subject>
<subject type="cpnat:abstract" qcode="medtop:20000538" rank="1"><name xml:lang="de">Freizeit</name>
<broader qcode="subj:10010000"><name>Freizeit</name></broader><broader qcode="medtop:10000000"/></subject>"""


def item(
    content: str = XHTML,
    *,
    guid: str = "urn:newsml:agency.example:20220202:7",
    kind: str = "text",
    status: str = "usable",
    headline: str = "<headline>Ferry fares to fall</headline>",
    subjects: str = SUBJECTS,
    name: str = "newsItem",
    more: str = "",
) -> str:
    return f"""<{name} {NAR} guid="{guid}" version="2" standard="NewsML-G2" standardversion="2.33" xml:lang="en">
<catalogRef href="http://nowhere.invalid/catalog.xml"/>
<itemMeta><itemClass qcode="ninat:{kind}"/><provider qcode="nprov:MP"><name>Meridian Press</name></provider>
<versionCreated>2022-02-02T14:00:00+09:00</versionCreated><firstCreated>2022-02-02T11:36:00+09:00</firstCreated>
<pubStatus qcode="stat:{status}"/></itemMeta>
<contentMeta><urgency>3</urgency>{headline}<by>Ann Lee</by><slugline>ferry</slugline>{more}
<description role="drol:caption">No</description><description role="drol:summary">Crossing costs less.</description>
{subjects}</contentMeta><contentSet>{content}</contentSet></{name}>"""


def message(*items: str) -> str:
    header = "<header><sent>2022-02-02T12:00:00Z</sent></header>"
    return f"<newsMessage {NAR}>{header}<itemSet>{''.join(items)}</itemSet></newsMessage>"


def chunk_of(text: str | bytes, options: ReadOptions | None = None) -> Chunk:
    data = text.encode() if isinstance(text, str) else text
    (chunk,) = read(Source("a.xml", lambda: io.BytesIO(data)), options or ReadOptions())
    return chunk


def rows(text: str | bytes) -> list[dict[str, Any]]:
    chunk = chunk_of(text)
    return [] if chunk.articles is None else chunk.articles.to_pylist()


def test_one_item() -> None:
    (row,) = rows('<?xml version="1.0" encoding="UTF-8"?>\n' + item())
    assert {name: value for name, value in row.items() if value is not None} == {
        "id": "urn:newsml:agency.example:20220202:7",
        "headline": "Ferry fares to fall",
        "summary": "Crossing costs less.",
        "body": "Fares fall.\nBoats run hourly.",
        "section": "lifestyle and leisure",
        "published_at": datetime(2022, 2, 2, 2, 36, tzinfo=UTC),
        "source": "Meridian Press",
        "language": "en",
        "file": "a.xml",
        "agency": "Jiji Press",
        "city": "PORT ELLERY",
        "author": "Ann Lee",
        "updated_at": datetime(2022, 2, 2, 5, tzinfo=UTC),
        "version": 2,
        "subjects": '["Freizeit", "earnings"]',
        "urgency": 3,
        "slugline": "ferry",
    }


@pytest.mark.parametrize("content", [XHTML, NITF, PLAIN, PLAIN.replace("Boats", "<![CDATA[Boats]]>")])
def test_bodies(content: str) -> None:
    (row,) = rows(item(content))
    assert row["body"] == "Fares fall.\nBoats run hourly."


def test_the_longest_of_several_bodies_counts() -> None:
    short = '<inlineData contenttype="text/plain">Short.</inlineData>'
    assert rows(item(short + PLAIN))[0]["body"] == "Fares fall.\nBoats run hourly."


def test_nitf_says_what_the_metadata_leave_open() -> None:
    (row,) = rows(item(NITF, headline=""))
    assert (row["headline"], row["city"]) == ("Ferry fares to fall", "PORT ELLERY")


def test_a_dateline_beside_the_body() -> None:
    (row,) = rows(item(PLAIN, more="<dateline>TOKYO, Feb 2 (Jiji Press) —</dateline>"))
    assert (row["city"], row["agency"]) == ("TOKYO", "Jiji Press")


def test_a_message_with_items_of_all_kinds() -> None:
    text = message(
        item(guid="a"),
        item("<remoteContent/>", guid="b", kind="picture"),
        item(guid="c", status="canceled"),
        item(name="packageItem", guid="d", kind="composite"),
        item(guid="e"),
    )
    chunk = chunk_of(text)
    assert [(row["id"], row["element"]) for row in rows(text)] == [("a", "newsItem 1"), ("e", "newsItem 5")]
    assert [note.value for note in chunk.notes] == ["picture", "composite"]
    (rejection,) = chunk.rejected
    assert str(rejection).startswith("a.xml, newsItem 3: its agency has cancelled it")


def test_codes_without_a_name_are_noted() -> None:
    chunk = chunk_of(item(subjects='<subject qcode="medtop:20000178"/>'))
    assert chunk.articles is not None
    assert chunk.articles["section"].to_pylist() == ["medtop:20000178"]
    assert [note.value for note in chunk.notes] == ["medtop:20000178"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings_that_are_declared(encoding: str) -> None:
    text = item().replace("Ferry fares to fall", "Fähre billiger")
    (row,) = rows(f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding, "xmlcharrefreplace"))
    assert row["headline"] == "Fähre billiger"


ENTITY = '<!DOCTYPE newsItem [<!ENTITY a "{}">]>'
EXTERNAL = '<!DOCTYPE newsItem [<!ENTITY a SYSTEM "{}">]>'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not well-formed"),
        ("<newsItem>", "is not well-formed"),
        ("<other/>", "holds no NewsML-G2 item"),
        (item("<a>" * 300 + "</a>" * 300), "has more than 200 elements within each other"),
        (ENTITY.format("x") + item("<p>&a;</p>"), "for safety (EntitiesForbidden)"),
        (EXTERNAL.format("file:///etc/hostname") + item("<p>&a;</p>"), "for safety (EntitiesForbidden)"),
        ('<!DOCTYPE newsItem SYSTEM "http://nowhere.invalid/x.dtd"><newsItem/>', ""),
        ('<?xml version="1.0" encoding="none"?><newsItem/>', "is not well-formed"),
    ],
    ids=["empty", "cut", "other", "deep", "entity", "external entity", "external DTD", "unknown encoding"],
)
def test_what_cannot_be_read_is_one_rejection(text: str, problem: str) -> None:
    chunk = chunk_of(text)
    assert chunk.articles is None
    assert all(problem in str(rejection) for rejection in chunk.rejected)
    assert len(chunk.rejected) == (1 if problem else 0)


def test_newsml_is_known_by_suffix_media_type_and_content(tmp_path: Path) -> None:
    assert reader_for("application/vnd.iptc.g2.newsmessage+xml") is reader_for(".newsml") is read
    (tmp_path / "a.xml").write_text(message(item(guid="a")), "utf-8")
    (tmp_path / "b").write_text('<?xml version="1.0"?><!-- x -->' + item(guid="b"), "utf-8")
    (tmp_path / "sitemap.xml").write_text("<urlset/>", "utf-8")
    reading = read_all([str(tmp_path)])
    assert reading.articles["id"].to_pylist() == ["a", "b"]
    assert reading.skipped == ("sitemap.xml",)

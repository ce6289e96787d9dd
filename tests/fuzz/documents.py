"""Documents and tables to begin from, and what must hold of every reader whatever it is given: shared by the property
tests and by the fuzzer (`python -m tests.fuzz.run`)."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.errors import NewsdeskError
from classifier.reading import COMPRESSIONS, read_source
from classifier.reading.base import Chunk, ReadOptions, Source

HTML = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Fares fall | Courier</title>
<link rel="canonical" href="https://courier.example/a">
<meta property="article:published_time" content="2022-02-02T11:36:00+09:00">
<script type="application/ld+json">{"@graph": [{"@type": "NewsArticle", "headline": "Fares fall",
"articleSection": ["World"],
"datePublished": "2022-02-02T02:36:00Z", "author": [{"name": "Ann"}], "publisher": {"name": "Courier"}}]}</script></head>
<body><main><article><h1>Fares fall</h1><p>11:36 JST, February 2, 2022</p>
<p>TOKYO (Jiji Press) — The fares will fall, she said.</p>
<ul><li>one</li></ul></article></main><aside><h2>“Politics” POPULAR ARTICLE</h2><ol>
<li><a href="/b?ref=1#x">1. Budget</a></li>
<li><a href="c">Whale &amp; co</a></li></ol><div>Most read in <b>World</b></div><table>
<tr><td>1</td><td><a href="d">Snow</a></td></tr></table></aside></body></html>"""
RSS = """<?xml version="1.0" encoding="utf-8"?><!DOCTYPE rss [<!ENTITY a "b">]><rss version="2.0"
xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Courier</title><language>en</language>
<item><title>Fares &amp;amp; &a;</title><guid>1</guid><link>https://courier.example/a</link><category>World</category>
<pubDate>Wed, 02 Feb 2022 11:36:00 +0900</pubDate><description>&lt;p&gt;Short</description>
<content:encoded><![CDATA[<p>TOKYO (Jiji Press) — Long.<br>More</p>]]></content:encoded></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>K</title><entry><title type="html">A &lt;b&gt;</title><id>x</id>
<published>2022-02-02T11:00:00Z</published><updated>2022-02-02T12:00:00Z</updated><category term="w" label="W"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Eins</p></div></content></entry></feed>"""
# Small ones are read quickly, and what is found in them is short.
SMALL_HTML = "<title>Fares</title><p>They fall.</p><h2>Most read</h2><ol><li><a href=x>Whale</a></ol>"
SMALL_RSS = (
    "<rss><channel><item><title>Fares</title><pubDate>2022-02-02T11:00Z</pubDate></item></channel></rss>"
)
SMALL_NEWSML = '<newsItem guid="g"><contentMeta><headline>Fares</headline></contentMeta></newsItem>'
NINJS = json.dumps(
    [
        {
            "uri": "u1",
            "type": "text",
            "version": "2",
            "firstcreated": "2022-02-02T02:36:00Z",
            "headline": "Fares",
            "body_xhtml": "<p>TOKYO (Jiji Press) — Fall.</p>",
            "subject": [{"code": "medtop:04000000", "name": "e"}, {"scheme": "x", "code": "20000178"}],
        },
        {
            "uri": "u2",
            "type": "composite",
            "pubStatus": "usable",
            "associations": {"a": {"type": "text", "bodies": [{"role": "main", "value": "B"}]}},
        },
    ]
)
NEWSML = """<?xml version="1.0"?><newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>
<newsItem guid="g" version="2" xml:lang="en"><itemMeta><itemClass qcode="ninat:text"/><provider literal="MP"/>
<versionCreated>2022-02-02T14:00:00+09:00</versionCreated><pubStatus qcode="stat:usable"/></itemMeta><contentMeta>
<headline>Fares</headline><dateline>TOKYO</dateline><subject qcode="medtop:20000178" rank="1"><name>e</name>
<broader qcode="subj:04011000"/></subject></contentMeta><contentSet><inlineXML><html xmlns="http://www.w3.org/1999/xhtml"><body>
<p>Fall.</p></body></html></inlineXML><inlineData>Fall.</inlineData></contentSet></newsItem></itemSet></newsMessage>"""
PAGE = """Ferry Fares to Fall
11:36 JST, February 2, 2022
PORT ELLERY, NORRICK (Jiji Press) — Ferry fares will fall.
“We listened,” she said — to applause.
"Politics" POPULAR ARTICLE
-
Assembly Passes Budget;
Opposition Walks Out
JN ACCESS RANKING
- Whale Seen
"""
CSV = """headline,body,section,published_at,popularity,sections,n
Fares fall,"Fall, ""they"" will.",World,2022-02-02T11:36:00+09:00,12,"[""World"", ""Sea""]",1
Whale,,Sea,"February 2, 2022 11:36 JST",0.5,,2
"""
BOXES = "list,rank,headline,taken_at\nWorld,1,Whale,2022-02-02T11:36:00Z\n*,2,Budget,\n"
LABELS = "url,section,popularity\nhttps://courier.example/a,World,7\n"
TSV = 'headline\tbody\tdesk\nFares\t"Fall\nsoon"\tx\nWhale\t\t\n'
NEWS = "N1\tnews\tworld\tFares fall\tThey will.\thttps://courier.example/a\t[]\t[]\nN2\tsea\t\tWhale\t\t\t[]\t[]\n"
BEHAVIOURS = "1\tU1\t11/11/2019 9:05:58 AM\tN1 N2\tN3-1 N4-0\n2\tU2\t11/12/2019 6:11:30 PM\t\tN1-0\n"
LINES = """{"headline": "Fares", "body": "Fall \\u00e9.", "published_at": "2022-02-02T11:36:00+09:00", "n": 1, "x": true}
{"headline": "Whale", "sections": ["World", "Sea"], "popularity": 2.5, "n": null, "o": {"k": [1]}}
"""
LINES_OF_BOXES = '{"list": "World", "rank": 1, "headline": "Whale"}\n'
LINES_OF_CLICKS = '{"shown": "i1", "article_id": "a", "clicked": true, "position": 1}\n'
ARRAY = '{"total": 2,\n"articles": [{"headline": "Fares", "n": 1.5}, {"headline": "Whale", "id": 7}]}'
TABLE = {
    "headline": ["Fares", "Whale"],
    "published_at": pa.array([10**15, None], pa.timestamp("us", "UTC")),
    "sections": [["World"], None],
    "n": [1, 2],
}


def _parquet(**options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(TABLE), sink, **options)
    return bytes(sink.getvalue())


def _arrow(new: Callable[..., Any]) -> bytes:
    table, sink = pa.table(TABLE), pa.BufferOutputStream()
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


DOCUMENTS = {
    "page.html": (HTML, SMALL_HTML),
    "feed.rss": (RSS, ATOM, SMALL_RSS),
    "items.ninjs": (NINJS,),
    "items.newsml": (NEWSML, SMALL_NEWSML),
    "unknown": (
        HTML,
        RSS,
        ATOM,
        NINJS,
        NEWSML,
        '{"headline": "a"}\n{"headline": "b"}\n',
        '[{"headline": "a"}]',
    ),
    "page.txt": (PAGE,),
}
TABLES = {
    "table.csv": (CSV, BOXES, LABELS, "headline;n\n'Fares; fall';1\n'b';2\n'c';3\n"),
    "table.tsv": (TSV,),
    "news.tsv": (NEWS,),
    "behaviors.tsv": (BEHAVIOURS,),
    "table.jsonl": (LINES, LINES_OF_BOXES, LINES_OF_CLICKS),
    "table.json": (ARRAY, '[{"headline": "a"}]', '{"headline": "a"}'),
}
BINARY = {
    "table.parquet": (_parquet(compression="none", use_dictionary=False), _parquet()),
    "table.arrow": (_arrow(pa.ipc.new_file), _arrow(pa.ipc.new_stream)),
}
COMPRESSED = "compressed"
SEEDS = {**DOCUMENTS, **TABLES}


def check(name: str, data: bytes) -> list[Chunk]:
    """Read `data` as a file of that name: whatever it is, there are chunks that hold together, or an error of ours.

    Raises:
        AssertionError: they do not hold together.
    """
    refusal = name
    chunks: list[Chunk] = []
    try:
        chunks += read_source(Source(name, lambda: io.BytesIO(data)), ReadOptions())
    except NewsdeskError as error:
        refusal = str(error)
    assert name in refusal
    for chunk in chunks:
        if chunk.articles is not None:
            chunk.articles.validate(full=True)
            # Only a table may say itself where its rows are from.
            is_document = name in DOCUMENTS and name != "unknown"
            assert not is_document or set(chunk.articles["file"].to_pylist()) == {name}
            for row in chunk.articles.select(["headline", "summary", "body"]).to_pylist():
                assert "".join(row.values()).strip()
        for other in (chunk.labels, chunk.clicks):
            if other is not None:
                other.validate(full=True)
        if chunk.boxes is not None:
            chunk.boxes.validate(full=True)
            assert all(title.strip() for title in chunk.boxes["headline"].to_pylist())
        for rejection in chunk.rejected:
            assert str(rejection).startswith(name)
    return chunks


def check_compressed(data: bytes) -> list[Chunk]:
    """`check` of JSON Lines, compressed in the way that the first byte says."""
    return check(f"table.jsonl{COMPRESSIONS[data[0] % len(COMPRESSIONS)]}", data[1:]) if data else []


def compressed_seeds() -> list[bytes]:
    """An input of `check_compressed` a form of compression."""
    made = (
        gzip.compress(LINES.encode()),
        bytes(pa.compress(LINES.encode(), "zstd", asbytes=True)),
        bz2.compress(LINES.encode()),
        lzma.compress(LINES.encode()),
        _lz4(LINES.encode()),
    )
    return [bytes([number]) + data for number, data in enumerate(made)]


def _lz4(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "lz4") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def checker(name: str) -> Callable[[bytes], object]:
    """`check` for one kind of file."""
    return check_compressed if name == COMPRESSED else lambda data: check(name, data)

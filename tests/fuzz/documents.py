"""Documents to begin from, and what must hold of every reader whatever it is given: shared by the property tests and by
the fuzzer (`python -m tests.fuzz.run`)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from classifier.errors import NewsdeskError
from classifier.reading import read_source
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
SEEDS = {
    "page.html": (HTML,),
    "feed.rss": (RSS, ATOM),
    "items.ninjs": (NINJS,),
    "items.newsml": (NEWSML,),
    "unknown": (
        HTML,
        RSS,
        ATOM,
        NINJS,
        NEWSML,
        '{"headline": "a"}\n{"headline": "b"}\n',
        '[{"headline": "a"}]',
    ),
}


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
            assert set(chunk.articles["file"].to_pylist()) == {name}
            for row in chunk.articles.select(["headline", "summary", "body"]).to_pylist():
                assert "".join(row.values()).strip()
        if chunk.boxes is not None:
            chunk.boxes.validate(full=True)
            assert all(title.strip() for title in chunk.boxes["headline"].to_pylist())
        for rejection in chunk.rejected:
            assert str(rejection).startswith(name)
    return chunks


def checker(name: str) -> Callable[[bytes], None]:
    """`check` for one kind of file."""

    def one(data: bytes) -> None:
        check(name, data)

    return one

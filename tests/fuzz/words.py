"""What the mutators put into inputs: names, values and texts that the readers ask for, and such as break readers."""

from __future__ import annotations

from typing import Any

TEXTS = (
    *("", " ", "a", "World", "*", "é", "\u2028", "\x85", "\ufeff", "\u00a0", "\u3000", "ﬁ", "İ", "ß", "\U0001f600"),
    *("&amp;", "&#0;", "&#xD800;", "&#x1;", "&lt;p&gt;", "&nope;", "<![CDATA[", "]]>", "<!--", "-->", "<p>x</p>"),
    *("TOKYO (Jiji Press) — ", "LONDON — The ", "(Reuters) - ", "NATO (North Atlantic) — x", "By Ann", "—", " - "),
    *("2022-02-02T11:36:00+09:00", "2022-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    *("Wed, 02 Feb 2022 11:36:00 +0900", "11:36 JST, February 2, 2022", "03/04/2022 20:20", "2022年2月2日 11時36分"),
    *("令和元年5月1日", "2. Februar 2022, 11.36 Uhr", "24:00", "+99:99", "99999999999999999999", "-1", "1e999", "NaN"),
    *("Most read", "Most read in World", "“Politics” POPULAR ARTICLE", "ACCESS RANKING", "アクセスランキング", "1. x"),
    *("많이 본 뉴스", "Meistgelesen", "Les plus lus", "Lo más leído", "most popular | The", "人気記事"),
    *("https://courier.example/b?ref=1#x", "http://[", "//x", "javascript:x", "http://a:b/", "http://ⅷ.example/", "data:,"),
    *("medtop:04000000", "subj:04011000", "http://cv.iptc.org/newscodes/mediatopic/20000178", "stat:canceled"),
    *("ninat:text", '{"@type": "NewsArticle", "headline": "x"}', '[{"@type":"Article","author":[{}]}]', "utf-16", "x-none"),
)  # fmt: skip
NAMES = (
    *("headline", "summary", "body", "id", "url", "section", "sections", "published_at", "source", "language", "split"),
    *("popularity", "popularity_group", "file", "line", "element", "version", "updated_at", "title", "text", "x", ""),
    *("list", "rank", "taken_at", "article_id", "shown", "clicked", "position", "label", "a b", "é", "n", "__class__"),
    *("uri", "guid", "type", "items", "associations", "bodies", "body_xhtml", "body_text", "headlines", "value", "role"),
    *("subject", "subjects", "code", "scheme", "name", "literal", "firstcreated", "versioncreated", "pubStatus", "by"),
    *("contenttype", "infosources", "genre", "urgency", "slugline", "embargoed", "description_text", "copyrightholder"),
    *("href", "class", "lang", "xml:lang", "xmlns", "xmlns:a", "property", "content", "itemprop", "datetime", "charset"),
    *("rel", "aria-controls", "term", "scheme", "qcode", "rank", "encoding", "src", "mode", "style", "pubdate", "og:title"),
)  # fmt: skip
TAGS = (
    *("p", "div", "h1", "h2", "ol", "ul", "li", "table", "tr", "td", "a href='x'", "br", "span", "dl", "dd", "aside"),
    *("article", "main", "body", "html", "head", "title", "script type='application/ld+json'", "style", "template"),
    *("time datetime='2022'", "meta name='date' content='2022-02-02'", "svg", "math", "select", "pre", "noscript", "b"),
    *("rss version='2.0'", "channel", "item", "entry", "feed", "guid", "link", "category", "pubDate", "description"),
    *("content type='xhtml'", "source", "author", "name", "published", "updated", "summary", "id"),
    *("newsItem guid='g'", "packageItem", "itemMeta", "contentMeta", "itemClass qcode='ninat:text'", "headline", "by"),
    *("inlineXML", "inlineData", "nitf", "body.content", "hl1", "block", "subject qcode='medtop:1'", "broader qcode='x'"),
    *("contentSet", "language tag='en'", "versionCreated", "pubStatus qcode='stat:canceled'", "dateline", "infoSource"),
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *TEXTS,
    *(None, True, False, 0, -1, 7, 1.5, 1e300, 2**31, 2**63, 2**64, -(2**63), 10**30, 10**400, float("nan")),
    *(float("inf"), [], {}, [None], [[]], [{}], {"": None}, {"name": "x"}, [["a"], ["b"]], "\ud800", "\0", "x\0y"),
    *("9" * 400, "text", "composite", "usable", "canceled", "main", "text/html", "xhtml", ["World", "Sea"]),
    {"value": "<p>V</p>"},
)  # fmt: skip
FIELDS = (
    *TEXTS,
    *("true", "False", "0", "12", "1.50", "-0", ".5", "1e+5", "00", '"', '""', '"a', "a\"b", '"a""b"', "\\", '\\"', "'"),
    *('"[""World"", null]"', '"[1]"', "[]", "{}", "train", "test", "null", "\0", "a\rb", "x" * 300, "N1-1 N2-0", "N1"),
    *("11/11/2019 9:05:58 AM", "13/13/2019 9:05:58 AM", '"a\nb"', "\udcff", "\udce9t\udce9", "0x1", "1_000", "1,5"),
)  # fmt: skip
LINES = (
    *TEXTS,
    *("-", "- Item", "－", "・Item", "—", "* x", "ＪＮ ACCESS RANKING", "\"\" POPULAR ARTICLE", '"*" POPULAR ARTICLE'),
    *("“Politics” POPULAR ART", '"A" POPULAR ARTICLES', "JN ACCESS R", "POPULAR ARTICLE", "11:36 IST, February 2, 2022"),
    *("11:36 JST, February 30, 2022", "11:36, February 2, 2022", "平成31年4月30日 午後8時20分"),
    *("Stand: 3.4.2031, 20:20 Uhr MEZ", "le 3 avril 2031 à 20h20 CET", "2031. 4. 3. 오후 8:20 KST", "PARIS (AFP) — x"),
    *("McALLEN, Tex. (AP) — x", "A" * 300),
)  # fmt: skip
ENCODINGS = (
    *("utf-16", "utf-16-le", "utf-8-sig", "utf-32", "cp1252", "cp932", "euc_jp", "cp949", "gb18030", "big5hkscs"),
)  # fmt: skip

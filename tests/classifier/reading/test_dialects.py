"""CSV as it comes: other separators, quotation and encodings, MIND's tables without a header."""

from __future__ import annotations

import csv
import io
from contextlib import nullcontext
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import FormatError, NewsdeskError
from classifier.reading import read_source
from classifier.reading.base import Chunk, ReadOptions, Source
from classifier.reading.dialects import Dialect, find_dialect
from classifier.reading.rows import concat


def chunks(data: bytes, name: str = "a.csv", **options: Any) -> list[Chunk]:
    source = Source(name, lambda: nullcontext(io.BytesIO(data)))
    return list(read_source(source, ReadOptions(**options)))


def columns(found: list[Chunk], *names: str) -> list[tuple[Any, ...]]:
    table = concat([chunk.articles for chunk in found if chunk.articles is not None])
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


SAMPLES = {
    "cp1252": "Bürgermeister räumt Fehler ein – Opposition spricht von „Täuschung“",
    "cp932": "市議会は港の予算案を可決した。反対は三票だった",
    "euc_jp": "市議会は港の予算案を可決した。反対は三票だった",
    "cp949": "시의회가 항만 예산안을 통과시켰다. 반대는 세 표였다",
    "gb18030": "市议会通过了港口预算案，三票反对",
    "utf-8": "Ħal Balzan: 市議会 시의회",
    "utf-16": "Bürgermeister räumt Fehler ein",
    "utf-8-sig": "Bürgermeister",
}


@pytest.mark.parametrize("encoding", SAMPLES)
def test_encodings_are_recognised_and_told(encoding: str) -> None:
    text = SAMPLES[encoding]
    found = chunks(f"headline;desk\n{text};x\n".encode(encoding))
    assert columns(found, "headline", "desk") == [(text, "x")]
    shown = {"cp1252": "Windows-1252", "cp932": "Shift JIS", "euc_jp": "EUC-JP", "cp949": "EUC-KR"}
    shown |= {"gb18030": "GB18030", "utf-16": "UTF-16-LE", "utf-8-sig": "UTF-8"}
    assert found[0].form == f"values separated by semicolons, {shown.get(encoding, encoding.upper())}"
    plain = encoding in ("utf-8", "utf-8-sig")
    assert [note.what for note in found[0].notes] == ([] if plain else [f"read as {found[0].form}"])


@pytest.mark.parametrize(
    ("data", "dialect"),
    [
        ("headline,body\na,b\n", Dialect()),
        ("headline|body\na, b and c|d\n", Dialect("|")),
        ("headline;body\n1,5;2,5\n3,5;4,5\n", Dialect(";")),
        ("headline\tbody\na, b\tc; d\n", Dialect("\t")),
        ("'headline','body'\n'a, b','c'\n'd','e'\n", Dialect(quote="'")),
        ('headline,body\n"a \\"b\\" c",d\n', Dialect(escape="\\")),
        ('headline,body\n"a ""b"" c\\d","C:\\"\n', Dialect()),
        ("headline\nIt's one, or two; or three\n", Dialect()),
        ("headline,desk\nIt's,'a'\n", Dialect()),
    ],
)
def test_separators_and_quotation(data: str, dialect: Dialect) -> None:
    assert find_dialect(data.encode()) == dialect


def test_escaped_marks_are_part_of_the_value() -> None:
    data = b'headline,body\n"The \\"big\\" one, again",b\n'
    assert columns(chunks(data), "headline") == [('The "big" one, again',)]


def test_tabs_without_quotation() -> None:
    data = b'headline\tbody\n"Big" storm\tone\nCalm\t"two"\n'
    assert columns(chunks(data, "a.tsv"), "headline", "body") == [('"Big" storm', "one"), ("Calm", '"two"')]
    quoted = b'headline\tbody\n"Big\tstorm"\t"one\ntwo"\n'
    assert columns(chunks(quoted, "a.tsv"), "headline", "body") == [("Big\tstorm", "one\ntwo")]


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)


@given(st.lists(st.tuples(texts, texts), min_size=3, max_size=6), st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_is_read(rows: list[tuple[str, str]], separator: str) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("headline", "body"), *(("x" + one, other) for one, other in rows)])
    assert columns(chunks(sink.getvalue().encode()), "headline", "body") == [
        ("x" + one, other) for one, other in rows
    ]


@given(st.binary(max_size=300), st.sampled_from(("a.csv", "a.tsv", "news.tsv", "behaviors.tsv")))
def test_no_input_crashes(data: bytes, name: str) -> None:
    for content in (data, b"headline,x\n" + data, b"1\tU1\t11/11/2019 9:05:58 AM\tN1\tN2-0 N3-1\n" + data):
        try:
            chunks(content, name)
        except NewsdeskError as error:
            assert str(error).startswith(name)  # noqa: PT017


# MIND

NEWS = (
    'N1\tsports\tsailing\t"Gull" wins the regatta\tA close race.\thttps://news.example/1\t[]\t[{"Label": "Gull"}]\n'
    "N2\tnews\tlocal\tHarbour closed\t\thttps://news.example/2\t[]\t[]\n"
)
BEHAVIOURS = (
    "1\tU13\t11/11/2019 9:05:58 AM\tN9 N8\tN1-0 N2-1\n"
    "2\tU7\t11/12/2019 6:11:30 PM\t\tN2-0 N1-1 N3-0\r\n"
    "3\tU7\t11/12/2019 6:11:30 PM\n"
    "\n"
    "4\tU8\t11/12/2019 6:12:00 PM\tN1\tN2 N3\n"
)


@pytest.mark.parametrize("name", ["news.tsv", "train/any.tsv"])
def test_news_become_articles(name: str) -> None:
    found = chunks(NEWS.encode(), name)
    names = ("id", "section", "subcategory", "headline", "summary", "url", "line")
    assert columns(found, *names) == [
        ("N1", "sports", "sailing", '"Gull" wins the regatta', "A close race.", "https://news.example/1", 1),
        ("N2", "news", "local", "Harbour closed", "", "https://news.example/2", 2),
    ]
    assert found[0].form.startswith("MIND's news, ")
    assert "title_entities" not in (found[0].articles or pa.table({})).schema.names


def test_a_table_called_news_with_a_header_is_a_table() -> None:
    data = b"id\theadline\ta\tb\tc\td\te\tf\n1\tStorm\t\t\t\t\t\t\n"
    assert columns(chunks(data, "news.tsv"), "id", "headline") == [("1", "Storm")]


@pytest.mark.parametrize("name", ["behaviors.tsv", "dev/x.tsv"])
def test_behaviours_become_clicks(name: str) -> None:
    (chunk,) = chunks(BEHAVIOURS.encode(), name)
    assert chunk.clicks is not None
    rows = [tuple(row.values())[:3] for row in chunk.clicks.to_pylist()]
    assert rows == [
        ("1", "N1", False),
        ("1", "N2", True),
        ("2", "N2", False),
        ("2", "N1", True),
        ("2", "N3", False),
    ]
    assert chunk.clicks["position"].null_count == 5
    assert [(one.line, one.reason.partition(": ")[2]) for one in chunk.rejected] == [
        (
            3,
            "impressions: 3 values where impression, user, time, history and impressions belong; separate them by tabs",
        ),
        (
            5,
            "impressions: an article without -1 (clicked) or -0 (not clicked) behind it; "
            "give a part of the data that has labels",
        ),
    ]


def test_many_behaviours_come_in_blocks() -> None:
    line = "7\tU1\t11/11/2019 9:05:58 AM\t" + "N1 " * 2000 + "\t" + "N2-0 " * 9 + "N3-1\n"
    found = chunks((line * 1500).encode().rstrip(b"\n"), "behaviors.tsv")
    assert sum(len(chunk.clicks or ()) for chunk in found) == 15_000
    assert len(found) > 5


def test_a_line_without_an_end_is_an_error() -> None:
    with pytest.raises(FormatError, match=r"behaviors\.tsv, line 1: longer than"):
        chunks(b"1\tU1\t\t\tN" + b"1" * (1 << 25), "behaviors.tsv")

"""Whatever a document holds, its reader gives articles that hold together, or says what is wrong: never a crash."""

from __future__ import annotations

import codecs
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.reading.base import Chunk, ReadOptions
from classifier.reading.box_headings import named_list
from classifier.reading.html_pages import parse_html

for _module in ("trafilatura", "feedparser", "defusedxml"):
    pytest.importorskip(_module)


def _load() -> ModuleType:
    """`tests/fuzz/documents.py`: the test folders are no packages."""
    place = Path(__file__).parents[2] / "fuzz" / "documents.py"
    spec = importlib.util.spec_from_file_location("fuzz_documents", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


documents = _load()
PIECES = [
    *(
        '"',
        "<",
        ">",
        "</p>",
        "<p>",
        "&",
        "&#0;",
        "&#xD800;",
        "\0",
        "\x85",
        "\u2028",
        "é",
        "\U0001f600",
        "<![CDATA[",
        "]]>",
    ),
    *(
        "<!--",
        "-->",
        "<li>",
        "<a href='x'>",
        "</a>",
        "<table>",
        "Most read",
        "{",
        "}",
        "[",
        "]",
        ",",
        "null",
        "1e999",
    ),
    *(
        "9" * 30,
        "-1",
        "2022-02-30",
        "<svg>",
        "<math>",
        "<template>",
        "<br/>",
        "xmlns=",
        " " * 50,
        "<script>",
        "</script>",
    ),
]


@st.composite
def mangled(draw: st.DrawFn, seed: str) -> bytes:
    """A document, some parts of it cut out, doubled, swapped or replaced."""
    text = seed
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 60)))
        kind = draw(st.sampled_from(("cut", "double", "insert", "move", "end")))
        if kind == "cut":
            text = text[:start] + text[end:]
        elif kind == "double":
            text = text[:end] + text[start:end] * draw(st.integers(1, 20)) + text[end:]
        elif kind == "insert":
            text = text[:start] + draw(st.sampled_from(PIECES)) + text[start:]
        elif kind == "move":
            text = text[end:] + text[start:end] + text[:start]
        else:
            text = text[:start]
    data = text.encode("utf-8", "replace")
    return data + draw(st.binary(max_size=3)) if draw(st.booleans()) else data


QUICK = settings(max_examples=40, suppress_health_check=list(HealthCheck))


def rows_of(chunk: Chunk) -> int:
    parts = (chunk.articles, chunk.boxes, chunk.labels, chunk.clicks)
    return sum(part.num_rows for part in parts if part is not None)


@pytest.mark.parametrize(
    ("name", "seed"), [(name, seed) for name, seeds in documents.SEEDS.items() for seed in seeds]
)
def test_a_whole_document_is_read(name: str, seed: str) -> None:
    assert sum(map(rows_of, documents.check(name, seed.encode()))) > 0


@pytest.mark.parametrize("seed", [seed for seeds in documents.BINARY.values() for seed in seeds])
def test_a_whole_binary_table_is_read(seed: bytes) -> None:
    name = "table.parquet" if seed.startswith(b"PAR1") else "table.arrow"
    assert sum(map(rows_of, documents.check(name, seed))) == 2


@pytest.mark.parametrize("data", documents.compressed_seeds())
def test_whole_compressed_lines_are_read(data: bytes) -> None:
    assert sum(map(rows_of, documents.check_compressed(data))) == 2


@pytest.mark.parametrize("name", documents.SEEDS)
def test_a_mangled_document_is_read_or_refused(name: str) -> None:
    @QUICK
    @given(st.sampled_from(documents.SEEDS[name]).flatmap(mangled))
    def check(data: bytes) -> None:
        documents.check(name, data)

    check()


@pytest.mark.parametrize("name", documents.SEEDS)
def test_any_bytes_are_read_or_refused(name: str) -> None:
    @QUICK
    @given(st.binary(max_size=200))
    def check(data: bytes) -> None:
        documents.check(name, data)

    check()


NAMES = st.text(st.characters(categories=("Lu", "Ll", "Lo", "Zs", "Po", "Nd")), max_size=20)
HEADINGS = st.sampled_from(
    [
        "Most read",
        "“{}” POPULAR ARTICLE",
        "Most read in {}",
        "{}の人気記事",
        "{} 많이 본 뉴스",
        "Meistgelesen",
    ]
)
TITLES = st.lists(
    st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=1, max_size=30), min_size=1, max_size=8
)


@QUICK
@given(HEADINGS, NAMES, TITLES, st.sampled_from(["ol", "ul"]), st.booleans())
def test_with_and_without_its_box_a_page_gives_the_same_article(
    heading: str, name: str, titles: list[str], tag: str, wrapped: bool
) -> None:
    items = "".join(f'<li><a href="/{number}">{title}</a></li>' for number, title in enumerate(titles))
    box = f"<h2>{heading.format(name)}</h2><{tag}>{items}</{tag}>"
    before, after = documents.HTML.split("<aside>")[0], "<aside></aside></body></html>"
    whole = (
        before
        + (f"<aside><div>{box}</div></aside>" if wrapped else f"<aside>{box}</aside>")
        + "</body></html>"
    )
    options = ReadOptions(printed_sections=False)
    page = parse_html(whole, options=options)
    assert page.article == parse_html(before + after, options=options).article
    for found in page.boxes:
        assert found.list.strip()
        assert [item.split() for item in found.items] == [title.split() for title in titles if title.strip()]


@QUICK
@given(st.text(max_size=90))
def test_any_text_is_a_heading_or_none(text: str) -> None:
    named = named_list(text, more=("Favourites in *", "*"))
    assert named is None or named.list


# What fuzzing found.
FOUND = [
    ("page.html", b"<h2>Most read</h2><ol><li><a href=x>T</a></ol>\x01x"),
    ("page.html", b"<h2>Most read</h2><ol><li><a href=x>T</a></ol>&#&#1;1;&#x1;&#xFFFE;&#31;x"),
    ("table.csv", codecs.BOM_UTF32_LE + b"\0\0\x11\0"),
    ("table.csv", codecs.BOM_UTF16_LE + "headline\na\n".encode("utf-16-le") + b"\0\xd8"),
    ("table.jsonl", b'{"headline": "a", "published_at": "\\ud800"}'),
    ("table.json", b'[{"headline": "a", "published_at": "\\ud800"}]'),
    pytest.param("items.ninjs", b"\n" * 300_000, id="blank lines, whose time grew with their square"),
]


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_fuzzing_found_is_mended(name: str, data: bytes) -> None:
    documents.check(name, data)

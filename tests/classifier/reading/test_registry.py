"""Which files are read, by which reader, under which name; and what `read_all` makes of them."""

from __future__ import annotations

import gzip
import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from classifier.articles import Article, article_schema
from classifier.errors import FormatError, InputError, NoArticles
from classifier.reading import READERS, Reading, find_sources, read, read_all, reader_for, sources
from classifier.reading.base import ReadOptions, box_schema

PAGE = """Storm Closes Harbour
08:20 JST, April 1, 2031
PORT ELLERY (Meridian Press) — The harbour was closed on Tuesday.
The wind reached force nine, and the ferries stayed in port.
"""


def put(folder: Path, name: str, content: str | bytes | list[dict[str, Any]]) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, list):
        content = "".join(json.dumps(row) + "\n" for row in content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def names(*inputs: str) -> list[str]:
    return [source.name for source in sources(inputs)]


def rows(table: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


# Sources


def test_a_folder_gives_its_files_sorted_and_named_relative_to_it(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/10.txt", "a.csv", "b.jsonl.gz", "c.PARQUET", ".hidden.csv", ".git/x.csv"):
        put(tmp_path, name, "")
    for name in ("README.txt", "b/licence.TXT", "picture.png", "x.parquet.gz", "noext"):
        put(tmp_path, name, "")
    found = find_sources([str(tmp_path)])
    assert [source.name for source in found.sources] == [
        "a.csv",
        "b/10.txt",
        "b/2.txt",
        "b.jsonl.gz",
        "c.PARQUET",
    ]
    assert found.skipped == ["README.txt", "b/licence.TXT", "noext", "picture.png", "x.parquet.gz"]


def test_a_file_is_named_by_its_last_part_and_a_glob_by_what_varies(tmp_path: Path) -> None:
    one = put(tmp_path, "x/1/a.csv", "")
    put(tmp_path, "x/2/a.csv", "")
    put(tmp_path, "x/2/b.png", "")
    assert names(one) == ["a.csv"]
    assert names(f"{tmp_path}/x/*/a.csv") == ["1/a.csv", "2/a.csv"]
    assert names(f"{tmp_path}/x/[12]") == ["1/a.csv", "2/a.csv"]
    assert names(f"{tmp_path}/**/*.csv") == ["x/1/a.csv", "x/2/a.csv"]


def test_a_file_is_read_once_however_often_it_is_named(tmp_path: Path) -> None:
    one = put(tmp_path, "a.csv", "")
    assert names(one, str(tmp_path), one, f"{tmp_path}/*.csv", "-", "-") == ["a.csv", "stdin"]


def test_equal_names_become_paths(tmp_path: Path) -> None:
    inputs = [put(tmp_path, f"{folder}/a.csv", "") for folder in "xy"]
    assert names(*inputs) == inputs


def test_a_name_with_glob_characters_is_a_file_if_there_is_one(tmp_path: Path) -> None:
    assert names(put(tmp_path, "a[1].csv", "")) == ["a[1].csv"]


@pytest.mark.parametrize("given", ["nowhere.csv", "no/*.csv"])
def test_what_is_not_there_is_an_error(tmp_path: Path, given: str) -> None:
    path = str(tmp_path / given)
    with pytest.raises(InputError) as caught:
        sources([path])
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith("; check the path")


@pytest.mark.parametrize("name", ["a.docx", "a.parquet.gz", "a.gz"])
def test_a_named_file_of_unknown_suffix_is_an_error_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError) as caught:
        sources([put(tmp_path, name, "")])
    text = str(caught.value)
    assert text.startswith(f'{name}: "{Path(name).suffix}" is no known suffix; known are .txt, .csv, ')
    assert ".gz or .zst" in text


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "headline\na\n")
    source = sources([path])[0]
    os.remove(path)
    with pytest.raises(InputError, match="cannot be read: No such file"), source.open():
        pass


# The registry


def test_every_reader_is_there() -> None:
    for target in READERS.values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_readers_are_found_by_suffix_and_media_type() -> None:
    assert reader_for(".csv") is reader_for("text/csv; charset=utf-8") is reader_for(".CSV")
    with pytest.raises(
        FormatError, match='"application/pdf" is no known format; known are text/plain, text/csv'
    ):
        reader_for("application/pdf")


def test_the_registry_alone_does_not_import_arrow() -> None:
    code = "import sys, classifier.reading; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path.cwd()).returncode == 0


def test_standard_input_is_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"headline": "a"}\n{\n')))
    reading = read_all(["-"])
    assert rows(reading.articles, "headline", "file") == [("a", "stdin")]
    assert str(reading.rejected[0]).startswith("stdin, line 2: not JSON")


# read, read_all


def test_everything_together(tmp_path: Path) -> None:
    put(tmp_path, "pages/01.txt", PAGE)
    put(tmp_path, "pages/02.txt", "no time line here\n")
    put(tmp_path, "wire.jsonl.gz", gzip.compress(b'{"id": "w1", "headline": "Wire", "desk": "A"}\n'))
    put(tmp_path, "top.csv", "list,rank,headline\n*,1,Wire\n")
    put(tmp_path, "views.csv", "file,popularity\npages/01.txt,12\npages/09.txt,5\n")
    put(tmp_path, "notes.md", "")
    reading = read_all([str(tmp_path)])
    assert rows(reading.articles, "file", "headline", "popularity", "desk") == [
        ("pages/01.txt", "Storm Closes Harbour", 12.0, None),
        ("wire.jsonl.gz", "Wire", None, "A"),
    ]
    assert reading.articles.schema.names[: len(article_schema())] == article_schema().names
    assert rows(reading.boxes, "list", "rank", "headline", "file") == [("*", 1, "Wire", "top.csv")]
    assert [(one.file, one.line) for one in reading.rejected] == [("pages/02.txt", 1)]
    assert (reading.sources, reading.skipped, reading.unmatched_labels) == (5, ("notes.md",), 1)


def test_read_streams_chunks(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "headline\na\n")
    (chunk,) = read([path])
    assert chunk.articles is not None
    assert chunk.articles["headline"].to_pylist() == ["a"]


def test_options_reach_the_readers(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "title\na\n")
    reading = read_all([path], ReadOptions(columns={"headline": "title"}))
    assert reading.articles["headline"].to_pylist() == ["a"]


@pytest.mark.parametrize("content", ["", "\n"])
def test_nothing_to_read_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(
        InputError, match=r"^a\.jsonl: there are no articles in what was given; check what the files hold"
    ):
        read_all([put(tmp_path, "a.jsonl", content)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there are no articles"):
        read_all([str(tmp_path / "empty")])


def test_labels_alone_are_an_error_that_shows_how_to_map(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_all([put(tmp_path, "a.csv", "id,title\n1,a\n")])
    assert str(caught.value) == (
        'a.csv: no column headline, summary or body (found "id", "title"), so these are labels, but there are no '
        "articles for them; add the articles' files, or say which column holds the text (--column headline=title)"
    )


def test_only_boxes_or_only_rejections_are_a_reading(tmp_path: Path) -> None:
    reading = read_all([put(tmp_path, "a.csv", "list,rank,headline\n*,1,a\n")])
    assert reading.articles.num_rows == 0
    assert reading.articles.schema.names == [*article_schema().names, "file"]
    reading = read_all([put(tmp_path, "b.csv", "headline,popularity\na,many\n")])
    assert (reading.articles.num_rows, len(reading.rejected)) == (0, 1)
    assert reading.boxes.schema.names == [*box_schema().names, "file"]


# Labels

ARTICLES = [
    {"id": "1", "url": "u1", "headline": "a", "section": "Old", "popularity": 1},
    {"id": "2", "url": "u2", "headline": "b", "section": "Old"},
    {"id": "3", "url": "u2", "headline": "c"},
]


def labelled(folder: Path, *tables: str) -> Reading:
    inputs = [put(folder, "a.jsonl", ARTICLES)]
    inputs += [put(folder, f"labels{number}.csv", table) for number, table in enumerate(tables)]
    return read_all(inputs)


def test_labels_win_where_they_are_not_null(tmp_path: Path) -> None:
    reading = labelled(tmp_path, "id,section,popularity,desk\n1,New,,x\n3,New,7,\n9,New,1,\n")
    assert rows(reading.articles, "section", "popularity", "desk") == [
        ("New", 1.0, "x"),
        ("Old", None, None),
        ("New", 7.0, None),
    ]
    assert reading.unmatched_labels == 1


def test_labels_are_joined_by_url_for_every_article_that_has_it(tmp_path: Path) -> None:
    reading = labelled(tmp_path, 'url,split,sections\nu2,test,"[""x""]"\n')
    assert rows(reading.articles, "split", "sections") == [(None, None), ("test", ["x"]), ("test", ["x"])]


def test_the_id_goes_before_the_url_of_a_label_and_of_other_labels(tmp_path: Path) -> None:
    reading = labelled(tmp_path, "id,url,section\n1,u9,ById\n", "url,section\nu1,ByUrl\nu9,Never\n")
    assert rows(reading.articles, "url", "section")[0] == ("u9", "ById")


def test_labels_complete_each_other(tmp_path: Path) -> None:
    reading = labelled(tmp_path, "id,section,popularity\n1,New,\n1,,5\n1,New,5\n", "id,split\n1,test\n")
    assert rows(reading.articles, "section", "popularity", "split")[0] == ("New", 5.0, "test")


def test_labels_that_differ_are_an_error_naming_file_key_and_values(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        labelled(tmp_path, "id,popularity\n1,5\n2,1\n1,6\n")
    assert str(caught.value) == (
        'labels0.csv: two values of popularity for the id "1": 5.0 and 6.0; keep one row for each article'
    )
    with pytest.raises(
        FormatError, match=r'^labels0.csv and labels1.csv: two values of split for the url "u1"'
    ):
        labelled(tmp_path, "url,split\nu1,train\n", "url,split\nu1,test\n")


def test_label_times_keep_a_shared_zone(tmp_path: Path) -> None:
    reading = labelled(tmp_path, "id,published_at\n1,2031-04-01T12:00:00+09:00\n")
    assert reading.articles.schema.field("published_at").type == pa.timestamp("us", tz="+09:00")


# Ids


def test_equal_rows_are_taken_once_and_counted(tmp_path: Path) -> None:
    first = put(tmp_path, "a.jsonl", [ARTICLES[0], ARTICLES[1], ARTICLES[0]])
    second = put(tmp_path, "b.jsonl", [ARTICLES[1], ARTICLES[2]])
    reading = read_all([first, second])
    assert rows(reading.articles, "id", "file") == [("1", "a.jsonl"), ("2", "a.jsonl"), ("3", "b.jsonl")]
    assert (reading.duplicates, reading.rejected) == (2, [])


def test_another_row_with_a_taken_id_is_rejected(tmp_path: Path) -> None:
    first = put(tmp_path, "a.jsonl", [{"id": "1", "headline": "a"}])
    second = put(tmp_path, "b.jsonl", [{"id": "1", "headline": "b"}, {"id": "2", "headline": "b"}])
    reading = read_all([first, second])
    assert rows(reading.articles, "id", "headline") == [("1", "a"), ("2", "b")]
    assert [str(one) for one in reading.rejected] == [
        'b.jsonl, line 1: id: "1" is the id of another article of a.jsonl (different headline: "a" and "b"); '
        "give every article its own id, or leave them out (--ignore id)"
    ]
    reading = read_all([first, second], ReadOptions(ignore=frozenset({"id"})))
    assert reading.articles["id"].to_pylist() == [Article(headline=text).id for text in "ab"]
    assert reading.duplicates == 1


def test_a_file_name_that_is_no_utf8_is_shown_with_escapes(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/b\xff.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("headline\nx\n")
    reading = read_all([os.fsdecode(path)])
    assert reading.articles.column("file").to_pylist() == ["b\\xff.csv"]


def test_too_many_columns_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(
        ",".join(["headline", *(f"c{i}" for i in range(3000))]) + "\nx" + "," * 3000 + "\n", "utf-8"
    )
    with pytest.raises(FormatError, match=r"wide\.csv: more than 2000 different names; give a table"):
        read_all([str(path)])


@pytest.mark.parametrize(
    "text", ['{"name": "tool", "files": ["a"]}', '{\n "name": "tool",\n "more": [{"a": 1}]\n}', '[{"a": 1}]']
)
def test_json_without_articles_that_lies_in_a_folder_is_passed_over_and_noted(
    tmp_path: Path, text: str
) -> None:
    put(tmp_path, "a.json", [{"headline": "one", "body": "two"}])
    other = put(tmp_path, "package.json", text)
    reading = read_all([str(tmp_path)])
    assert rows(reading.articles, "headline") == [("one",)]
    assert [(note.file, "passed over" in note.what) for note in reading.notes] == [("package.json", True)]
    with pytest.raises(NoArticles, match="no column headline, summary or body"):
        read_all([other])


def test_damaged_json_in_a_folder_is_no_other_file(tmp_path: Path) -> None:
    put(tmp_path, "a.json", '[{"headline": "one"')
    with pytest.raises(FormatError, match=r"a\.json, line 1"):
        read_all([str(tmp_path)])

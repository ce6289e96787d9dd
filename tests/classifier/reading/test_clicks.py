"""Tables of clicks: how they are known, read in every format, refused, and written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.errors import FormatError, InputError
from classifier.reading import Reading, read_all
from classifier.reading.base import ReadOptions, click_schema
from classifier.reading.writing import GROUP_ROWS, clicks_target, open_writer

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.zst", ".parquet", ".arrow")
LOG: dict[str, list[Any]] = {
    "shown": ["i1", "i1", "i2"],
    "article_id": ["a", "b", "a"],
    "clicked": [True, False, False],
    "position": [1, 2, None],
}


def log(folder: Path, name: str, columns: dict[str, list[Any]]) -> str:
    path = folder / name
    if name.endswith(".tsv"):
        rows = [list(columns), *zip(*columns.values(), strict=True)]
        lines = ["\t".join("" if value is None else str(value) for value in row) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)
    table = pa.table(columns)
    with open_writer(path, table.schema, force=True) as writer:
        writer.write(table)
    return str(path)


def text(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


def lines(reading: Reading) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in reading.clicks.select(click_schema().names).to_pylist()]


def reasons(reading: Reading) -> list[str]:
    return [str(one).split(": ", 1)[1] for one in reading.rejected]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_clicks_are_read_from_every_format(tmp_path: Path, suffix: str) -> None:
    reading = read_all([log(tmp_path, "log" + suffix, {**LOG, "device": ["x", "y", "z"]})])
    assert lines(reading) == [("i1", "a", True, 1), ("i1", "b", False, 2), ("i2", "a", False, None)]
    assert reading.clicks.schema.names == [*click_schema().names, "file"]
    assert reading.clicks.drop_columns(["file"]).schema == click_schema()
    assert reading.clicks["file"].to_pylist() == ["log" + suffix] * 3
    assert (reading.articles.num_rows, reading.boxes.num_rows, reading.rejected) == (0, 0, [])
    assert reading.total == 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_ids_and_flags_may_be_numbers(tmp_path: Path, suffix: str) -> None:
    columns = {"shown": [7, 7], "article_id": [70, 71], "clicked": [1, 0]}
    assert lines(read_all([log(tmp_path, "log" + suffix, columns)])) == [
        ("7", "70", True, None),
        ("7", "71", False, None),
    ]


def test_flags_as_words_and_numbers_in_one_column(tmp_path: Path) -> None:
    words = ["1", "0", "true", "False", " TRUE ", "1.0"]
    rows = "".join(f"i,a{number},{word}\n" for number, word in enumerate(words))
    reading = read_all([text(tmp_path, "a.csv", "shown,article_id,clicked\n" + rows)])
    assert [line[2] for line in lines(reading)] == [True, False, True, False, True, True]
    mixed = [{"shown": 1, "article_id": 2, "clicked": True}, {"shown": "x", "article_id": "2", "clicked": 0}]
    reading = read_all([text(tmp_path, "b.jsonl", "\n".join(map(json.dumps, mixed)))])
    assert lines(reading) == [("1", "2", True, None), ("x", "2", False, None)]


def test_wrong_lines_are_named_with_how_to_mend_them(tmp_path: Path) -> None:
    bad = {
        ",a,1,": "shown: is empty; name the list that was shown",
        "i, ,1,": "article_id: is empty; give the id of the article that was shown",
        "i,a,,": "clicked: is missing; write 1 (or true) where the article was clicked",
        "i,a,2,": "clicked: is 2; write 1",
        "i,a,-1,": "clicked: is -1; write 1",
        "i,a,yes,": 'clicked: "yes" is not a number; write 1',
        "i,a,inf,": "clicked: is inf; write 1",
        "i,a,1,-1": "position: is -1; it must be a whole number from 0 up, or left out",
        "i,a,1,1.5": "position: is 1.5; it must be",
        "i,a,1,nan": "position: is nan; it must be",
        "i,a,1,3000000000": "position: is 3e+09; it must be",
        "i,a\0b,1,1": "article_id: holds a NUL character; remove it",
    }
    rows = "\n".join(["shown,article_id,clicked,position", "i,good,1,0", *bad])
    reading = read_all([text(tmp_path, "a.csv", rows)])
    assert [line[1] for line in lines(reading)] == ["good"]
    assert [one.line for one in reading.rejected] == list(range(3, 3 + len(bad)))
    for found, wanted in zip(reasons(reading), bad.values(), strict=True):
        assert found.startswith(wanted)
    assert reading.total == 1 + len(bad)


def test_json_values_that_are_no_ids_are_named(tmp_path: Path) -> None:
    row = {"shown": "i", "article_id": "a", "clicked": 1}
    rows = [row, {**row, "shown": ["i"]}, {**row, "article_id": "\ud800"}, {**row, "clicked": {}}, row]
    reading = read_all([text(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))])
    assert len(lines(reading)) == 2
    assert [reason.split(";")[0] for reason in reasons(reading)] == [
        "shown: is a list",
        "article_id: holds half of a surrogate pair, which is no character",
        "clicked: is a dict",
    ]


def test_a_large_table_without_one_good_row_is_refused_at_once(tmp_path: Path) -> None:
    columns = {"shown": ["i"] * 1000, "article_id": ["a"] * 1000, "clicked": ["yes"] * 1000}
    with pytest.raises(FormatError) as caught:
        read_all([log(tmp_path, "a.parquet", columns)])
    assert str(caught.value) == (
        'a.parquet, row 1: none of 1000 rows of clicks can be read: clicked "yes" is not a number; '
        "write 1 (or true) where the article was clicked, 0 (or false) where it was not"
    )


def test_a_column_of_another_type_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({**LOG, "clicked": [[1], [0], [0]]}), tmp_path / "a.parquet")
    with pytest.raises(FormatError, match='the column "clicked" is of type list'):
        read_all([str(tmp_path / "a.parquet")])


def test_columns_are_mapped_and_dropped_without_a_word_about_other_tables(tmp_path: Path) -> None:
    theirs = {"shown": "impression", "article_id": "item", "clicked": "hit", "position": "slot"}
    path = log(tmp_path, "a.csv", {theirs[name]: values for name, values in LOG.items()})
    articles = text(tmp_path, "b.csv", "id,headline,slot\na,Storm,9\n")
    reading = read_all([path, articles], ReadOptions(columns=theirs))
    assert lines(reading) == lines(read_all([log(tmp_path, "c.csv", LOG)]))
    assert reading.articles["slot"].to_pylist() == [9]  # theirs is only the log's
    reading = read_all([path, articles], ReadOptions(columns=theirs, ignore=frozenset({"position"})))
    assert [line[3] for line in lines(reading)] == [None] * 3
    with pytest.raises(FormatError, match='no column "titel" to take headline from'):
        read_all([path, articles], ReadOptions(columns={**theirs, "headline": "titel"}))


def test_an_id_that_is_mapped_for_clicks_stays_the_articles_id(tmp_path: Path) -> None:
    path = log(tmp_path, "a.csv", {"shown": ["i"], "id": ["a"], "clicked": [1]})
    articles = text(tmp_path, "b.jsonl", '{"id": "a", "headline": "Storm"}')
    reading = read_all([path, articles], ReadOptions(columns={"article_id": "id"}))
    assert (lines(reading)[0][1], reading.articles["id"].to_pylist()) == ("a", ["a"])


def test_a_mapped_rank_is_not_asked_of_the_articles(tmp_path: Path) -> None:
    boxes = text(tmp_path, "a.csv", "list,place,headline\n*,1,Storm\n")
    articles = text(tmp_path, "b.csv", "headline\nStorm\n")
    reading = read_all([boxes, articles], ReadOptions(columns={"rank": "place"}))
    assert reading.boxes["rank"].to_pylist() == [1]


@pytest.mark.parametrize("key", ["id", "impression"])
def test_a_log_without_article_ids_says_how_to_map_them(tmp_path: Path, key: str) -> None:
    path = log(tmp_path, "a.csv", {"shown": ["i"], key: ["a"], "clicked": [1]})
    with pytest.raises(FormatError) as caught:
        read_all([path])
    assert str(caught.value) == (
        f'a.csv: a table of clicks (it has "shown" and "clicked") without "article_id"; found "shown", "{key}", '
        '"clicked"; map the column of the articles\' ids (--column article_id=id)'
    )


def test_articles_with_counts_of_that_name_stay_articles(tmp_path: Path) -> None:
    path = text(tmp_path, "a.csv", "headline,shown,clicked\nStorm,900,30\n")
    reading = read_all([path])
    assert (reading.articles["shown"].to_pylist(), reading.clicks.num_rows) == ([900], 0)


def test_nothing_is_an_error_but_clicks_alone_are_a_reading(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_all([text(tmp_path, "a.csv", "shown,article_id,clicked\n")])
    assert read_all([text(tmp_path, "a.csv", "shown,article_id,clicked\ni,a,1\n")]).clicks.num_rows == 1


@pytest.mark.parametrize("suffix", [".csv.gz", ".jsonl", ".parquet", ".arrow"])
def test_clicks_of_several_files_are_written_and_read_back(tmp_path: Path, suffix: str) -> None:
    first = log(tmp_path, "a.csv", LOG)
    second = log(tmp_path, "b.csv", {**LOG, "article_id": ["x", "y", "z"]})
    reading = read_all([first, second])
    target = clicks_target(tmp_path / f"out{suffix}")
    assert target == str(tmp_path / f"out.clicks{suffix}")
    with open_writer(target, reading.clicks.schema) as writer:
        writer.write(reading.clicks)
    again = read_all([target])
    assert again.clicks.to_pylist() == reading.clicks.to_pylist()
    assert set(again.clicks["file"].to_pylist()) == {"a.csv", "b.csv"}  # lists stay apart


def test_written_ids_are_plain_text_in_however_many_groups(tmp_path: Path) -> None:
    count = 2 * GROUP_ROWS + 1  # an Arrow file takes no second dictionary
    ids = [str(number % 1000 + number // 1000) for number in range(count)]
    path = log(tmp_path, "a.parquet", {"shown": ids, "article_id": ids, "clicked": [0] * count})
    reading = read_all([path])
    with open_writer(tmp_path / "b.arrow", reading.clicks.schema) as writer:
        writer.write(reading.clicks)
    with pa.ipc.open_file(tmp_path / "b.arrow") as file:
        assert file.schema.field("shown").type == pa.string()
        assert file.read_all()["shown"].to_pylist() == ids

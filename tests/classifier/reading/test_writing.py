"""What is written reads back equal, and a file appears whole or not at all."""

from __future__ import annotations

import io
import json
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import FormatError, OutputError
from classifier.reading import read, read_all
from classifier.reading.rows import to_batch
from classifier.reading.writing import GROUP_ROWS, boxes_target, open_writer
from classifier.results import prediction_schema

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv", ".csv.gz", ".csv.zst", ".parquet", ".arrow")
every_format = pytest.mark.parametrize("suffix", SUFFIXES)
TABLE = pa.table({"headline": ["a", "b"], "popularity": [1.0, None]})


def write(path: Path | str, *tables: pa.Table | pa.RecordBatch, force: bool = False) -> None:
    with open_writer(path, tables[0].schema, force=force) as writer:
        for table in tables:
            writer.write(table)


# Round trips

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=8)
labels = texts.filter(bool).map(lambda text: "x" + text)
# Of names that reading does not write otherwise.
sections = st.sampled_from(["Politics", 'Arts, "Life" & more', "日本", "élan", "x;y"])
# Offsets in whole minutes: ISO 8601 and Arrow know no finer ones.
zones = st.sampled_from([UTC, ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=-3, minutes=-30))])
# Clocks in Japan were turned back to midnight then.
REPEATED = datetime(1951, 9, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
article = st.builds(
    lambda text, **fields: Article(**{**fields, text: "x" + fields[text]}),
    text=st.sampled_from(["headline", "summary", "body"]),
    id=labels,
    headline=texts,
    summary=texts,
    body=texts,
    section=st.none() | sections,
    sections=st.none() | st.lists(sections, unique=True, max_size=3).map(tuple),
    published_at=st.none() | st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones),  # noqa: DTZ001
    source=st.none() | labels,
    popularity=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    split=st.sampled_from([None, "train", "test"]),
    extra=st.fixed_dictionaries({"desk": labels, "words": st.integers(0, 2**53), "known": st.booleans()}),
)


@example([Article(headline="a", published_at=REPEATED), Article(headline="b")], ".jsonl")
# A backslash is not what escapes the quotation mark.
@example([Article(id="x1", headline='x\\"', extra={"desk": 'x\\"'})], ".csv")
@example([Article(id="x1", headline='x\\"', body="\n"), Article(id="x2", headline='x\\"')], ".csv")
@given(st.lists(article, min_size=1, max_size=5, unique_by=lambda one: one.id), st.sampled_from(SUFFIXES))
def test_what_was_written_reads_back_equal(articles: list[Article], suffix: str) -> None:
    written = pa.Table.from_batches([to_batch(articles, file=["pages/1.txt"] * len(articles))])
    with TemporaryDirectory() as folder:
        path = f"{folder}/a{suffix}"
        write(path, written)
        back = read_all([path])
    assert back.rejected == []
    # A zone's name does not survive text, the instant does. (As Python values, equal instants of different zones are
    # unequal in the hour that clocks repeat.)
    assert in_utc(back.articles) == in_utc(written)
    if suffix in (".parquet", ".arrow"):
        assert back.articles.schema == written.schema


def in_utc(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("published_at")
    return table.set_column(at, "published_at", table["published_at"].cast(pa.timestamp("us", tz="UTC")))


@every_format
def test_null_texts_read_back_as_empty(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write(path, pa.table({"headline": ["a", "b"], "body": pa.array([None, ""], pa.string())}))
    assert read_all([str(path)]).articles["body"].to_pylist() == ["", ""]


# Formats


def test_json_lines_hold_every_name_and_plain_values(tmp_path: Path) -> None:
    score = {"name": "World", "probability": float("nan"), "assigned": True}
    row = dict.fromkeys(prediction_schema().names) | {"id": "é\n", "section_scores": [score]}
    table = pa.Table.from_pylist([row], schema=prediction_schema())
    table = table.append_column("at", pa.array([datetime(2031, 4, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))]))
    write(tmp_path / "a.jsonl", table.append_column("raw", pa.array([b"\xff"])))
    text = (tmp_path / "a.jsonl").read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert "é" in text
    score["probability"] = None
    assert json.loads(text) == row | {"at": "2031-04-01T12:00:00+09:00", "raw": "/w=="}


def test_csv_writes_json_and_iso_times(tmp_path: Path) -> None:
    table = pa.table(
        {
            "headline": ['say "a",\nb'],
            "sections": [["x", "é"]],
            "scores": [[{"name": "x", "probability": 0.5}]],
            "at": pa.array([datetime(2031, 4, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))]),
            "n": [3],
            "f": [3.0],
            "none": pa.array([float("inf")]),
        }
    )
    write(tmp_path / "a.csv", table)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == (
        '"headline","sections","scores","at","n","f","none"\n'
        '"say ""a"",\nb","[""x"", ""é""]","[{""name"": ""x"", ""probability"": 0.5}]",'
        '"2031-04-01T12:00:00+09:00",3,"3.0",\n'
    )


def test_a_dash_is_json_lines_on_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw))
    write("-", TABLE)
    assert raw.getvalue() == b'{"headline": "a", "popularity": 1.0}\n{"headline": "b", "popularity": null}\n'


@every_format
def test_the_same_rows_are_the_same_bytes_however_they_are_handed_over(tmp_path: Path, suffix: str) -> None:
    count = GROUP_ROWS + 7
    table = pa.table(
        {
            "headline": [f"Headline {n}" for n in range(count)],
            "n": list(range(count)),
            "sections": [["x"] * (n % 3) for n in range(count)],
            "known": [n % 5 == 0 for n in range(count)],
            "split": [None if n % 7 else "train" for n in range(count)],
        }
    )
    write(tmp_path / f"a{suffix}", table)
    write(tmp_path / f"b{suffix}", table.slice(0, 0), *table.to_batches(1001))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert sum(len(chunk.articles or []) for chunk in read([str(tmp_path / f"a{suffix}")])) == count


def test_a_gzip_header_holds_neither_time_nor_name(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl.gz", TABLE)
    header = (tmp_path / "a.jsonl.gz").read_bytes()[:10]
    assert header[3] == 0
    assert header[4:8] == bytes(4)


def test_groups_are_bounded(tmp_path: Path) -> None:
    table = pa.table({"n": range(2 * GROUP_ROWS + 5)})
    write(tmp_path / "a.parquet", table)
    write(tmp_path / "a.arrow", table)
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 3
    with pa.ipc.open_file(str(tmp_path / "a.arrow")) as reader:
        assert reader.num_record_batches == 3


@every_format
def test_no_rows_are_a_file_too(tmp_path: Path, suffix: str) -> None:
    with open_writer(tmp_path / f"a{suffix}", TABLE.schema) as writer:
        pass
    assert writer.rows == 0
    assert not [chunk for chunk in read([str(tmp_path / f"a{suffix}")]) if chunk.articles]


def test_rows_are_cast_to_the_schema(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.parquet", TABLE.schema) as writer:
        writer.write(pa.RecordBatch.from_pydict({"headline": pa.array(["a"], pa.large_string())}))
        writer.write(pa.RecordBatch.from_pydict({"popularity": [5], "headline": ["b"]}))
    assert writer.rows == 2
    assert pq.read_table(tmp_path / "a.parquet").to_pydict() == {
        "headline": ["a", "b"],
        "popularity": [None, 5.0],
    }


# Whole or not at all


@every_format
def test_an_error_leaves_no_file_and_keeps_the_old_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")

    def fail() -> None:
        with open_writer(path, TABLE.schema, force=True) as writer:
            writer.write(TABLE)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_nothing_is_there_under_the_name_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with open_writer(path, TABLE.schema) as writer:
        writer.write(TABLE)
        assert not path.exists()
    assert path.exists()
    assert len(list(tmp_path.iterdir())) == 1
    other = tmp_path / "other"
    other.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_what_a_killed_process_has_left_is_removed(tmp_path: Path) -> None:
    """Nobody holds its lock; what somebody still writes stays, and so do other files."""
    path = tmp_path / "a.jsonl"
    left, other = tmp_path / ".a.jsonl.0123abcd.part", tmp_path / ".a.jsonl.mine.part"
    left.touch()
    other.touch()
    with open_writer(path, TABLE.schema, force=True) as first:
        first.write(TABLE)
        with open_writer(path, TABLE.schema, force=True) as second:
            second.write(TABLE)
        assert not left.exists()
    assert path.exists()
    other.unlink()


def test_an_existing_target_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"old")
    with pytest.raises(OutputError) as caught:
        open_writer(path, TABLE.schema)
    assert str(caught.value) == f"{path}: is there already; give another name, or --force to replace it"
    write(path, TABLE, force=True)
    assert len(path.read_text().splitlines()) == 2


def test_a_target_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with pytest.raises(OutputError, match="is there already"), open_writer(path, TABLE.schema):
        path.write_bytes(b"other")
    assert path.read_bytes() == b"other"
    assert len(list(tmp_path.iterdir())) == 1


def test_behind_a_link_the_file_is_replaced_and_not_the_link(tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").touch()
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    write(tmp_path / "link.jsonl", TABLE, force=True)
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "real.jsonl").stat().st_size


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nowhere/a.csv", 'the folder ".*nowhere" does not exist; create it first'),
        ("folder.csv", "is no file"),
    ],
)
def test_a_target_that_cannot_be_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OutputError, match=text):
        open_writer(tmp_path / name, TABLE.schema, force=True)


def test_a_name_that_the_system_refuses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: File name too long"):
        write(tmp_path / ("a" * 250 + ".csv"), TABLE)


@pytest.mark.parametrize("name", ["a.docx", "a", "a.parquet.gz", "a.gz"])
def test_an_unknown_suffix_is_an_error_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        FormatError, match=r"is no suffix of a format that can be written; use one of \.jsonl"
    ):
        open_writer(tmp_path / name, TABLE.schema)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("x.y/a.b.csv", "x.y/a.b.rankings.csv"),
        ("a.JSONL.GZ", "a.rankings.JSONL.GZ"),
        ("a.zst.arrow", "a.zst.rankings.arrow"),
    ],
)
def test_boxes_go_beside_the_articles(name: str, target: str) -> None:
    assert boxes_target(Path(name)) == target


def test_a_column_that_comes_late_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match='the column "n" turned up'):
        write(tmp_path / "a.jsonl", TABLE, pa.table({"headline": ["c"], "n": [1]}))
    assert list(tmp_path.iterdir()) == []


class FullDisk(io.RawIOBase):
    """A stdout that takes nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_an_output_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdout:
        buffer = FullDisk()

    monkeypatch.setattr(sys, "stdout", Stdout())
    with pytest.raises(OutputError, match="-: cannot be written: No space left on device"):
        write("-", TABLE)


def test_a_reader_of_stdout_that_has_gone_stays_a_broken_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(FullDisk):
        def write(self, data: Any) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    class Stdout:
        buffer = Gone()

    monkeypatch.setattr(sys, "stdout", Stdout())
    with pytest.raises(BrokenPipeError):
        write("-", TABLE)


@pytest.fixture(autouse=True)
def _no_left_overs(tmp_path: Path) -> Iterator[None]:
    yield
    assert not list(tmp_path.glob(".*"))

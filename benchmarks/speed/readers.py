"""Contenders of benchmarks.reading, and the files that they read. A maker gets paths and answers what is timed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from benchmarks.speed.workers import Absent
from classifier.reading import read
from classifier.reading.box_headings import named_list
from classifier.reading.html_boxes import linked_id
from classifier.reading.rows import concat
from classifier.reading.writing import open_writer

COLUMNS = ("id", "headline", "summary", "body", "section", "published_at", "source", "url")
FORMATS = ("jsonl", "jsonl.gz", "jsonl.zst", "csv", "parquet", "arrow")
_PARAGRAPH = 60  # words


def newsdesk(path: Path) -> Callable[[], int]:
    """An article table of a file, as `read` makes it; how many articles it has."""

    def run() -> int:
        for known in (
            named_list,
            linked_id,
        ):  # the next round is not to gain from having read the same pages before
            known.cache_clear()
        found = [chunk.articles for chunk in read([str(path)]) if chunk.articles is not None]
        return concat(found).num_rows

    return run


def newsdesk_streamed(path: Path) -> Callable[[], int]:
    """The same, kept no longer than a batch: what scoring a file does."""
    return lambda: sum(len(chunk.articles or ()) for chunk in read([str(path)]))


def json_lines(path: Path) -> Callable[[], int]:
    """Python's json, line by line, into dictionaries."""
    return _line_by_line(path, json.loads)


def orjson_lines(path: Path) -> Callable[[], int]:
    """orjson, line by line, into dictionaries."""
    return _line_by_line(path, _module("orjson").loads)


def _line_by_line(path: Path, parse: Callable[[bytes], Any]) -> Callable[[], int]:
    def run() -> int:
        with path.open("rb") as file:
            return len([parse(line) for line in file])

    return run


def pandas_lines(path: Path) -> Callable[[], int]:
    """A data frame of the file."""
    pandas = _module("pandas")
    return lambda: len(pandas.read_json(path, lines=True))


def arrow_lines(path: Path) -> Callable[[], int]:
    """An Arrow table of the file, the columns as text; none of it checked."""
    kinds = pa.schema([(name, pa.string()) for name in COLUMNS])
    parse = pa_json.ParseOptions(explicit_schema=kinds)
    options = pa_json.ReadOptions(use_threads=False, block_size=1 << 22)
    return lambda: int(pa_json.read_json(path, options, parse).num_rows)


def arrow_csv(path: Path) -> Callable[[], int]:
    """An Arrow table of the file."""
    parse = pa_csv.ParseOptions(newlines_in_values=True)
    options = pa_csv.ReadOptions(use_threads=False)
    return lambda: int(pa_csv.read_csv(path, options, parse).num_rows)


def arrow_parquet(path: Path) -> Callable[[], int]:
    """Decompressed and decoded, batch by batch."""

    def run() -> int:
        with pq.ParquetFile(path) as file:
            return sum(len(batch) for batch in file.iter_batches(4096, use_threads=False))

    return run


def arrow_ipc(path: Path) -> Callable[[], int]:
    """Decompressed."""

    def run() -> int:
        with pa.ipc.open_file(path) as reader:
            return sum(len(reader.get_batch(number)) for number in range(reader.num_record_batches))

    return run


def decompressed(path: Path, codec: str) -> Callable[[], int]:
    """Decompressed, and nothing else."""

    def run() -> int:
        size = 0
        with pa.input_stream(path, compression=codec) as stream:
            while part := stream.read(1 << 20):
                size += len(part)
        return size

    return run


def extracted(path: Path) -> Callable[[], int]:
    """trafilatura alone, page by page, as it is without further options."""
    return _page_by_page(path, "extract")


def described(path: Path) -> Callable[[], int]:
    """trafilatura with title, time, author and the like."""
    return _page_by_page(path, "extract_with_metadata")


def _page_by_page(path: Path, function: str) -> Callable[[], int]:
    extract = getattr(_module("trafilatura"), function)
    pages = [page.read_text("utf-8") for page in sorted(path.iterdir())]
    return lambda: sum(bool(extract(page)) for page in pages)


def write_files(table: pa.Table, folder: Path) -> None:
    """The table in every format; articles.jsonl is it, written line by line."""
    for suffix in FORMATS:
        with open_writer(folder / f"articles.{suffix}", table.schema) as writer:
            writer.write(table)
    # Without ids, as an export without them: reading makes them.
    left = table.drop_columns(["id", *(["url"] if "url" in table.schema.names else [])])
    with open_writer(folder / "without_ids.jsonl", left.schema) as writer:
        writer.write(left)


def write_pages(table: pa.Table, folder: Path, count: int) -> None:
    """HTML pages of the first articles, as a site would write them."""
    folder.mkdir()
    rows = table.slice(0, count).to_pylist()
    for number, row in enumerate(rows):
        (folder / f"{number:05d}.html").write_text(_page(row), "utf-8")


def _page(row: Mapping[str, Any]) -> str:
    published = row["published_at"].isoformat() if row.get("published_at") else None
    about = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": row["headline"],
        "articleSection": row.get("section"),
        "datePublished": published,
    }
    body = "".join(f"<p>{escape(text)}</p>\n" for text in _paragraphs(f"{row['summary']} {row['body']}"))
    links = "".join(f'<li><a href="/section/{n}">Section {n}</a></li>' for n in range(12))
    ranked = "".join(
        f'<li><a href="/top/{n}">A title that was read often, number {n}</a></li>' for n in range(5)
    )
    title = escape(row["headline"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<script type="application/ld+json">{escape(json.dumps(about), quote=False)}</script></head><body>'
        f"<nav><ul>{links}</ul></nav><main><article><h1>{title}</h1>{body}</article>"
        f"<aside><h2>Most read</h2><ol>{ranked}</ol></aside></main><footer><ul>{links}</ul></footer></body></html>"
    )


def _paragraphs(text: str) -> Iterator[str]:
    words: Sequence[str] = text.split()
    for start in range(0, len(words), _PARAGRAPH):
        yield " ".join(words[start : start + _PARAGRAPH])


def articles_of(table: pa.Table, size: float) -> pa.Table:
    """The columns that are compared, repeated until they hold `size` bytes of JSON, ids made anew."""
    table = table.select([name for name in COLUMNS if name in table.schema.names])
    lines = io.BytesIO()
    some = table.slice(0, 200)
    for row in some.to_pylist():
        lines.write(json.dumps(row, default=str, ensure_ascii=False).encode() + b"\n")
    rows = max(1, int(size / (lines.tell() / len(some))))
    table = pa.concat_tables([table] * -(-rows // len(table))).slice(0, rows).combine_chunks()
    at = table.schema.get_field_index("id")
    return table.set_column(at, "id", pa.array([f"a{number}" for number in range(rows)]))


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise Absent(f"{name} is not installed (pip install {name})") from None

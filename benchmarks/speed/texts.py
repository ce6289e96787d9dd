"""The texts that speed is measured on: real articles, repeated, lengthened, or cut up and put together anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from classifier.articles import TEXT_FIELDS, join_text
from classifier.reading import read_all
from classifier.reading.base import ReadOptions
from training.config import Config
from training.dataset import Dataset, build_dataset
from training.sample import PAGES

PIECE = 4  # words; see `recombined`
_SHORT = 200  # characters
_BATCH = 100_000  # made articles at once
COLUMN = "body"  # any text column; the model looks at this one


@dataclass(frozen=True, slots=True)
class Articles:
    """One text and one label an article, of both parts."""

    train: list[str]
    train_labels: list[str]
    test: list[str]
    test_labels: list[str]


def data_folder() -> Path:
    """Where the real articles are; see docs/BENCHMARKS.md."""
    return Path(os.environ["NEWSDESK_DATA"])


def load(name: str, columns: Sequence[str] = TEXT_FIELDS) -> Articles:
    """A data set's articles that have a section, the non-empty of some columns joined by line breaks."""
    table = pq.read_table(data_folder() / f"{name}.parquet", columns=[*columns, "section", "split"])
    values = [table.column(column).to_pylist() for column in columns]
    texts = [join_text(*(part or "" for part in parts)) for parts in zip(*values, strict=True)]
    rows = zip(texts, table.column("section").to_pylist(), table.column("split").to_pylist(), strict=True)
    return _parted([(text, label, split == "test") for text, label, split in rows if label])


def load_sample(columns: Sequence[str] = TEXT_FIELDS) -> Articles:
    """The same of the bundled newspaper, for quick runs."""
    dataset = read_dataset(None)
    rows = dataset.corpus.rows
    values = [rows.texts(column) for column in columns]
    texts = [join_text(*parts) for parts in zip(*values, strict=True)]
    every = zip(texts, dataset.corpus.labels, dataset.split.test.tolist(), strict=True)
    return _parted([(text, labels[0], test) for text, labels, test in every if labels])


def _parted(rows: Sequence[tuple[str, str, bool]]) -> Articles:
    sides = [[row for row in rows if row[2] is test] for test in (False, True)]
    return Articles(*[[row[field] for row in side] for side in sides for field in (0, 1)])


def read_dataset(name: str | None) -> Dataset:
    """A data set as `newsdesk train` reads and splits it, for sections alone; None: the bundled newspaper, its bodies
    cut as short as those of headlines_in are."""
    path = data_folder() / f"{name}.parquet" if name else PAGES
    reading = read_all([str(path)], ReadOptions(ignore=frozenset({"popularity"})))
    articles = reading.articles
    if name is None:
        at = articles.schema.get_field_index("body")
        short = pc.utf8_slice_codeunits(articles.column(at), 0, _SHORT)
        articles = articles.set_column(at, articles.schema.field(at), short)
    return build_dataset(replace(reading, articles=articles, boxes=reading.boxes.slice(0, 0)), Config())


def size_of(texts: Sequence[str]) -> int:
    """Bytes in UTF-8."""
    return sum(len(text.encode()) for text in texts)


def repeated(texts: Sequence[str], size: int) -> list[str]:
    """As many whole copies of the texts, one after the other, as come nearest to `size` bytes; at least one."""
    return [*texts] * max(1, round(size / max(size_of(texts), 1)))


def long_articles(texts: Sequence[str], words: int, count: int) -> list[str]:
    """`count` articles of exactly `words` words, each of texts end to end."""
    found: list[str] = []
    own: list[str] = []
    for text in (text for _ in range(count * words) for text in texts):
        own += text.split()
        if len(own) >= words:
            found.append(" ".join(own[:words]))
            own = []
        if len(found) == count:
            break
    return found


def recombined(texts: Sequence[str], count: int, seed: int) -> Iterator[pa.Array]:
    """`count` articles as long as real ones, each of pieces of PIECE words from random places in real ones, in batches.

    Where pieces meet, pairs of words are new, and about as many of them as a larger archive would have: from ten thousand
    articles of headlines_in to its 92,000 the different n-grams grow with the articles to the power of 0.72, which leads
    to 8.6 million at a million articles; a million of those made here hold 8.5 million.
    """
    words = [word for text in texts for word in text.split()]
    lengths = np.array([max(len(text.split()), 1) for text in texts])
    pool = pa.array([f"{word} " for word in words])
    generator = np.random.default_rng(seed)
    for start in range(0, count, _BATCH):
        pieces = -(-generator.choice(lengths, min(_BATCH, count - start)) // PIECE)
        first = generator.integers(0, max(len(words) - PIECE, 0) + 1, pieces.sum())
        places = (first[:, None] + np.arange(PIECE)).ravel() % len(words)
        ends = np.concatenate([[0], np.cumsum(pieces) * PIECE])
        yield _joined(pool.take(pa.array(places)), ends)


def _joined(words: pa.Array, ends: np.ndarray) -> pa.Array:
    """Strings of words that lie end to end: string i holds words ends[i] to ends[i + 1]."""
    _, offsets, data = words.buffers()
    starts = np.frombuffer(offsets, np.int32)[words.offset : words.offset + len(words) + 1]
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(starts[ends].tobytes()), data)


def shuffled(texts: Sequence[str], seed: int) -> list[str]:
    """In another order, so that the first of them are like all."""
    return [texts[at] for at in np.random.default_rng(seed).permutation(len(texts)).tolist()]


def write_column(path: Path, batches: Iterator[pa.Array] | Sequence[pa.Array]) -> None:
    """Texts as an Arrow file of one column."""
    schema = pa.schema([(COLUMN, pa.string())])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for batch in batches:
            writer.write_batch(pa.record_batch([batch], schema=schema))


def read_column(path: Path, count: int | None = None) -> list[pa.RecordBatch]:
    """The batches of `write_column` that hold its first `count` texts, in memory of this process."""
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
        found: list[pa.RecordBatch] = []
        number, left = 0, count
        while number < reader.num_record_batches and left != 0:
            batch = reader.get_batch(number)
            if left is not None:
                batch = batch.slice(0, left)
                left -= batch.num_rows
            found.append(batch)
            number += 1
        return found


def read_strings(path: Path, count: int | None = None) -> list[str]:
    """The same as Python's strings, each an object of its own, as they come from a service or a file."""
    return [text for batch in read_column(path, count) for text in batch.column(0).to_pylist()]


def write_lines(path: Path, texts: Sequence[str], prepare: Callable[[str], str]) -> None:
    """One line a text."""
    path.write_text("".join(f"{prepare(text)}\n" for text in texts), "utf-8")


def one_line(text: str) -> str:
    """Its line breaks as spaces."""
    return " ".join(text.splitlines())

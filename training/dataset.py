"""From what was read to what is fitted: one corpus, its boxes, its judgements, its split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifier.errors import LabelError
from classifier.reading import Reading
from classifier.similar import normalise_title
from training.config import Config
from training.corpus import Corpus, Ids, Mask, make_corpus
from training.duplicates import near_duplicates
from training.labels import (
    NO_JUDGEMENTS,
    Box,
    BoxReport,
    Judgements,
    add_box_articles,
    box_judgements,
    click_judgements,
    count_judgements,
    group_boxes,
    join_clicks,
)
from training.splits import Split, split_corpus


@dataclass(frozen=True, slots=True)
class Dataset:
    """n articles with near-duplicate clusters (n,), a split, the boxes of either side."""

    corpus: Corpus
    clusters: Ids
    split: Split
    train_boxes: tuple[Box, ...]
    test_boxes: tuple[Box, ...]


def build_dataset(reading: Reading, config: Config) -> Dataset:
    """Add headline-only articles from boxes, find near-duplicates, split.

    A box belongs to the side of the first page that carries it; without a page, to the test part when it was printed
    after the first test article. Articles made from boxes follow their box, and only training boxes label them.

    Raises:
        LabelError: nothing to learn from.
    """
    read, boxes = read_corpus(reading, config)
    corpus = add_box_articles(read, boxes)
    clusters = near_duplicates(corpus.texts, seed=config.fit.seed)
    split = split_corpus(corpus, clusters, test_share=config.data.test_share, seed=config.fit.seed)
    in_test = boxes_in_test(corpus, split, boxes)
    corpus = add_box_articles(read, boxes, [not test for test in in_test])
    split = place_box_articles(corpus, clusters, split, boxes, in_test)
    train = tuple(box for box, test in zip(boxes, in_test, strict=True) if not test)
    test = tuple(box for box, test in zip(boxes, in_test, strict=True) if test)
    return Dataset(corpus, clusters, split, train, test)


def read_corpus(reading: Reading, config: Config) -> tuple[Corpus, list[Box]]:
    """The articles and boxes that were read.

    Raises:
        LabelError: there is no article.
    """
    boxes = group_boxes(reading.boxes)
    if not reading.articles.num_rows and reading.rejected:
        count = len(reading.rejected)
        raise LabelError(
            f"there is no article: {f'all {count} rows were' if count > 1 else 'the one row was'} rejected",
            remedy="mend what they are rejected for",
        )
    if not reading.articles.num_rows and not boxes and not reading.clicks.num_rows:
        raise LabelError("there is no article", remedy="give articles to learn from")
    if not reading.articles.num_rows:
        what = "ranking boxes" if boxes else "clicks"
        raise LabelError(
            f"there are {what} but no article", remedy=f"give the articles that the {what} are about, too"
        )
    return corpus_of(reading, config.data.timezone), boxes


def corpus_of(reading: Reading, timezone: str = "") -> Corpus:
    """The articles that were read, with the clicks on them."""
    corpus = make_corpus(reading.articles, timezone)
    return replace(corpus, clicks=join_clicks(reading.clicks, reading.articles["id"]))


def judgements_of(
    corpus: Corpus, boxes: tuple[Box, ...], config: Config, part: Mask | None = None
) -> tuple[Judgements, Judgements, BoxReport | None]:
    """The judgements that decide, those that only fill in where the first know nothing of an article, and what joining the
    boxes did. Counts (or flags) decide where there are any, else clicks, else boxes; the others fill in, in this order.

    With `part` (n,) the judgements are those about its articles, positions counted inside it, and whether there are
    counts is asked of it alone: counts of held-out articles do not push aside the boxes that training has.
    """
    part = np.ones(len(corpus), np.bool_) if part is None else part
    report = None
    forms = [count_judgements(corpus).within(part)]
    if corpus.clicks is not None:
        forms.append(click_judgements(corpus.clicks, part))
    if boxes:
        listed, report = box_judgements(corpus, boxes, window_days=config.boxes.window_days)
        forms.append(listed.within(part).telling())
    decisive, *others = [form for form in forms if len(form)] or [NO_JUDGEMENTS]
    linked = NO_JUDGEMENTS
    for form in reversed(others):
        linked = replace(form, then=linked if len(linked) else None)
    return decisive, linked, report


def boxes_in_test(corpus: Corpus, split: Split, boxes: Sequence[Box]) -> list[bool]:
    """Which boxes belong to the test part; see `build_dataset`."""
    files = corpus.rows.values("file")
    test_files = {files[i] for i in np.flatnonzero(split.test).tolist()} - {None}
    train_files = {files[i] for i in np.flatnonzero(split.train & ~corpus.from_box).tolist()} - {None}
    times = corpus.instants[split.test]
    first = np.nanmin(times) if np.isfinite(times).any() else np.inf

    def in_test(box: Box) -> bool:
        if box.file in test_files:
            return True
        if box.file in train_files:
            return False
        return box.taken_at is not None and box.taken_at.timestamp() > first

    return [in_test(box) for box in boxes]


def place_box_articles(
    corpus: Corpus, clusters: Ids, split: Split, boxes: Sequence[Box], in_test: Sequence[bool]
) -> Split:
    """Headline-only articles train only when a training box lists them and no test article is their near-duplicate."""
    listed = {
        normalise_title(title)
        for box, test in zip(boxes, in_test, strict=True)
        if not test
        for _, title, _ in box.lines
    }
    titles = corpus.rows.texts("headline")
    train = split.train.copy()
    held_out = set(clusters[split.test].tolist())
    for i in np.flatnonzero(corpus.from_box).tolist():
        train[i] = normalise_title(titles[i]) in listed and int(clusters[i]) not in held_out
    return Split(train, split.test & ~corpus.from_box, split.how, split.leaked & ~corpus.from_box)


def describe(corpus: Corpus, mask: Mask) -> dict[str, Any]:
    """Counts and window of a part, for the manifest."""
    times = [t for t, keep in zip(corpus.times, mask, strict=True) if keep and t is not None]
    window: list[str] | None = None
    if times:
        first, last = min(times), max(times)
        window = [_iso(first), _iso(last)]
    labelled = np.array([bool(labels) for labels in corpus.labels], np.bool_)
    return {
        "articles": int(mask.sum()),
        "window": window,
        "with_section": int((mask & labelled).sum()),
        "with_popularity": int((mask & np.isfinite(corpus.popularity)).sum()),
        "from_boxes": int((mask & corpus.from_box).sum()),
    }


def fingerprint(table: pa.Table, boxes: pa.Table, clicks: pa.Table | None = None) -> str:
    """SHA-256 over the values of the tables, whatever their chunks, files or order of columns."""
    digest = hashlib.sha256()
    for part in (table, boxes):
        names = sorted(name for name in part.schema.names if name not in ("file", "line"))
        digest.update(json.dumps([names, part.num_rows]).encode())
        for name in names:
            for value in part.column(name).to_pylist():
                digest.update(
                    repr(value.isoformat() if isinstance(value, datetime) else value).encode() + b"\0"
                )
    if clicks is not None and clicks.num_rows:
        for name in sorted(set(clicks.schema.names) - {"file"}):
            digest.update(_column_digest(clicks[name]))
    return digest.hexdigest()


def _column_digest(column: pa.ChunkedArray) -> bytes:
    """Of millions of values: of their bytes, not of each in turn."""
    parts = hashlib.sha256(), hashlib.sha256()
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            text = chunk.dictionary_decode().cast(pa.binary())
            lengths = pc.binary_length(text).to_numpy()
            parts[0].update(lengths.astype("<i4").tobytes())
            if lengths.any():  # freshly decoded: the bytes begin where the buffer does
                parts[1].update(memoryview(text.buffers()[2])[: int(lengths.sum())])
        else:
            known = chunk.is_valid().cast(pa.int8())
            parts[0].update(known.to_numpy().tobytes())
            parts[1].update(chunk.cast(pa.int32()).fill_null(0).to_numpy().astype("<i4").tobytes())
    return parts[0].digest() + parts[1].digest()


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="minutes")

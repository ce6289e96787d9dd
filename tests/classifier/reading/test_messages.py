"""What goes between the processes that read pages arrives as it was, and nothing that goes there can run."""

from __future__ import annotations

import io
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from classifier.articles import Article
from classifier.errors import ConfigError
from classifier.reading import messages
from classifier.reading.base import Chunk, Note, ReadOptions, Rejection
from classifier.reading.rows import to_batch, to_box_batch

TOKYO = ZoneInfo("Asia/Tokyo")
OPTIONS = [
    ReadOptions(),
    ReadOptions(
        columns={"headline": "title"},
        ignore=frozenset({"popularity", "url"}),
        timezone=TOKYO,
        taken_at=datetime(2031, 4, 21, 2, 30, tzinfo=TOKYO, fold=1),
        printed_sections=False,
        ranking_headings=("Lesertipps", "人気"),
        topics="topics.csv",
        dates="month-first",
        strict=True,
        sections={"Business": "Economy", "Partners": ""},
        usual={"body": "text"},
    ),
    ReadOptions(timezone=UTC, taken_at="%Y-%m-%d"),
    ReadOptions(timezone=timezone(timedelta(hours=-9, minutes=-30))),
]


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_options(options: ReadOptions) -> None:
    stream = io.BytesIO()
    messages.send_options(stream, options)
    stream.seek(0)
    found = messages.receive_options(stream)
    assert found == options
    assert found.timezone == options.timezone
    assert getattr(found.taken_at, "fold", None) == getattr(options.taken_at, "fold", None)


def test_pages_and_answers() -> None:
    stream = io.BytesIO()
    pages = [("a.html", b"<p>\x00\n"), ("b\udcff.html", b"")]
    article = to_batch(
        [Article(headline="x", published_at=datetime(2031, 1, 1, tzinfo=TOKYO))], file=["a.html"]
    )
    boxes = to_box_batch([{"list": "*", "rank": 1, "headline": "x", "file": "a.html"}])
    answer = [
        Chunk(articles=article, boxes=boxes, notes=(Note("a.html", "odd", "v", 2, 7), Note("b", "even"))),
        Chunk(rejected=(Rejection("b\udcff.html", None, "no page\nat all"),)),
    ]
    messages.send_pages(stream, pages)
    messages.send_answer(stream, answer)
    stream.seek(0)
    assert messages.receive_pages(stream) == pages
    found = messages.receive_answer(stream)
    assert [chunk.rejected for chunk in found] == [chunk.rejected for chunk in answer]
    assert [chunk.notes for chunk in found] == [chunk.notes for chunk in answer]
    assert found[0].articles is not None
    assert found[0].articles.equals(article, check_metadata=True)
    assert found[0].boxes is not None
    assert found[0].boxes.equals(boxes)
    with pytest.raises(EOFError):
        messages.receive_pages(stream)


def test_an_error_arrives_whole() -> None:
    stream = io.BytesIO()
    messages.send_answer(stream, ConfigError("no pattern", where="x", remedy="mend it"))
    stream.seek(0)
    with pytest.raises(ConfigError) as found:
        messages.receive_answer(stream)
    assert (found.value.problem, found.value.where, found.value.remedy) == ("no pattern", "x", "mend it")


class Harmful:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit",)


@pytest.mark.parametrize(
    "data",
    [b"", b"[", b"[[], [7]]\nabc", b"{}\n", b"7\n", pickle.dumps(Harmful()), pickle.dumps(Harmful()) + b"\n"],
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises((EOFError, ValueError)):
        messages.receive(io.BytesIO(data))

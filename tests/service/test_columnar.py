"""Lines scored as columns: the answers of the objects' way, to the bit, or none."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from classifier.model import Model
from service.columnar import score_lines
from service.metrics import metrics_of
from service.observing import Record, begin
from service.settings import Settings
from service.streaming import predict_lines

USUAL: dict[str, Any] = {
    "id": "a-1",
    "headline": "Bank raises the rate “again”",
    "summary": "Shares\tfell.",
    "body": "Votes were counted. 株価は上がった。",
    "section": "Economy",
    "source": "Courier",
    "url": "https://news.example/1",
    "language": "en",
    "published_at": "2031-05-01T12:00:00+09:00",
}


def record_of(app: Flask) -> Record:
    return begin({"REQUEST_METHOD": "POST"}, metrics_of(app), "/v1/predict/batch")


def by_columns(app: Flask, model: Model, settings: Settings, lines: list[bytes]) -> list[Any] | None:
    found = score_lines(model, lines, settings, record_of(app))
    return None if found is None else [json.loads(line) for line in found.splitlines()]


def by_objects(app: Flask, model: Model, settings: Settings, lines: list[bytes]) -> list[Any]:
    """One at a time: too few for columns."""
    return [
        json.loads(answer)
        for line in lines
        for answer in predict_lines(iter([line]), model, settings, record_of(app))
    ]


@pytest.mark.parametrize("left_out", [None, *USUAL])
def test_usual_lines_are_scored_as_columns(
    app: Flask, model: Model, settings: Settings, left_out: str | None
) -> None:
    row = {name: value for name, value in USUAL.items() if name != left_out}
    lines = [
        orjson.dumps(row),
        orjson.dumps({**row, "headline": "Parliament votes"}) + b"\r",
        json.dumps(row).encode(),
    ]
    found = by_columns(app, model, settings, lines)
    assert found is not None
    assert found == by_objects(app, model, settings, lines)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"headline": ""}',
        b'{"headline": " \\u3000"}',
        b'{"headline": 5}',
        b'{"headline": "x", "body": ["y"]}',
        b'{"headline": "x", "desk": "city"}',
        b'{"headline": "x", "popularity": 3}',
        b'{"headline": "x", "published_at": "1 May 2031"}',
        b'{"headline": "x", "published_at": "2031-05-01T12:00:00"}',
        b'{"headline": "x", "published_at": "2031-02-30T12:00:00Z"}',
        b'{"headline": "\\u0000"}',
        b'{"headline": "\\ud800"}',
        b'{"headline": "\xff"}',
        b'["headline"]',
        b'{"headline": "x"',
        b'{"headline": "x"} {"headline": "y"}',
    ],
)
def test_unusual_lines_are_left_to_objects(app: Flask, model: Model, settings: Settings, line: bytes) -> None:
    assert by_columns(app, model, settings, [orjson.dumps(USUAL), line]) is None


def test_a_text_over_the_limit_is_left_to_objects(app: Flask, model: Model, settings: Settings) -> None:
    long = orjson.dumps({"headline": "x" * (settings.max_text_length + 1)})
    assert by_columns(app, model, settings, [orjson.dumps(USUAL), long]) is None


def test_they_are_counted(app: Flask, model: Model, settings: Settings) -> None:
    def counted(name: str) -> float:
        lines = [line.rsplit(None, 1) for line in metrics_of(app).text().splitlines()]
        return next((float(value) for own, value in lines if own == name), 0.0)

    names = ("newsdesk_articles_total", "newsdesk_words_total")
    before = [counted(name) for name in names]
    record = record_of(app)
    score_lines(model, [orjson.dumps(USUAL)] * 70, settings, record)
    assert (record.articles, record.rejected, record.version) == (70, 0, model.version)
    articles, words = [counted(name) - own for name, own in zip(names, before, strict=True)]
    assert articles == 70
    assert words > 0


TEXT = st.text(max_size=12) | st.sampled_from(["Bank shares", "Votes", " ", "\x85", "\u2028", 'a\\"b'])
TIME = st.sampled_from(
    [
        "",
        "2031-05-01T12:00:00Z",
        "2031-05-01 12:00+09:00",
        "2031-05-01T24:00:00Z",
        "2031-05-01T12:00:00.5-03:30",
    ]
)
ARTICLE = st.dictionaries(
    st.sampled_from([*USUAL, "headline", "body"]), st.none() | TEXT | TIME | st.integers(0, 3), max_size=5
)
LINE = ARTICLE.map(lambda row: json.dumps(row).encode()) | st.builds(
    lambda first, second: f'{{"headline": {json.dumps(first)}, "headline": {json.dumps(second)}}}'.encode(),
    TEXT,
    TEXT,
)


@given(lines=st.lists(LINE, min_size=1, max_size=4))
@examples(suppress_health_check=list(HealthCheck))
def test_columns_and_objects_agree(app: Flask, model: Model, settings: Settings, lines: list[bytes]) -> None:
    found = by_columns(app, model, settings, lines)
    if found is not None:
        assert found == by_objects(app, model, settings, lines)

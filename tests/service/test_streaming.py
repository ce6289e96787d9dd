"""NDJSON: a line in, a line out, whatever the blocks; errors are lines; memory does not grow with the stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from classifier.model import Model
from service.schemas import PredictionOut, Problem
from service.settings import Settings
from service.streaming import split_lines

PATH = "/v1/predict/batch"
NDJSON = "application/x-ndjson"
ARTICLES = [{"headline": f"Bank shares {number}", "body": "Votes. " * number} for number in range(30)]


def ask(client: FlaskClient, body: bytes | None, **more: Any) -> list[dict[str, Any]]:
    answer = client.post(PATH, data=body, content_type=NDJSON, **more)
    assert (answer.status_code, answer.mimetype) == (200, NDJSON)
    return [json.loads(line) for line in answer.data.splitlines()]


def lines_of(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_lines_are_answered_as_articles_are(client: FlaskClient, model: Model) -> None:
    rows = ask(client, lines_of(*ARTICLES))
    assert rows == [one.to_dict() for one in model.predict(ARTICLES)]
    for row in rows:
        PredictionOut.model_validate(row)


def test_more_articles_and_bytes_than_one_call_may_hold(client: FlaskClient, settings: Settings) -> None:
    body = lines_of(*ARTICLES) * 20
    assert len(ARTICLES) * 20 > settings.max_articles
    assert len(body) > settings.max_body_bytes
    assert len(ask(client, body)) == len(ARTICLES) * 20


def test_errors_are_lines_with_the_number_of_the_line(client: FlaskClient, secret: str) -> None:
    body = (
        lines_of(ARTICLES[0])
        + b"\n \r\n"
        + b"{"
        + secret.encode()
        + b"\n"
        + lines_of({"headline": 5}, [secret], ARTICLES[1])
    )
    good, no_json, wrong, no_object, last = ask(
        client, body + b'{"headline": "\xff"}\n' + lines_of(ARTICLES[2]).strip()
    )[:5]
    assert good["section"]
    assert last["section"]
    for row, line, field in ((no_json, 4, None), (wrong, 5, "headline"), (no_object, 6, None)):
        problem = Problem.model_validate(row["error"])
        assert (problem.line, problem.field) == (line, field)
        assert secret not in str(row)


def test_a_line_that_is_too_long_does_not_end_the_stream(client: FlaskClient, settings: Settings) -> None:
    long = b'{"headline": "' + b"x" * settings.max_body_bytes + b'"}\n'
    rows = ask(client, lines_of(ARTICLES[0]) + long + lines_of(ARTICLES[1]) + long.strip())
    assert ["error" in row for row in rows] == [False, True, False, True]
    assert [row["error"]["line"] for row in rows if "error" in row] == [2, 4]
    assert rows[1]["error"]["status"] == 413


def test_nothing_is_answered_by_nothing(client: FlaskClient) -> None:
    assert ask(client, b"") == []
    assert ask(client, b"\n\n \n") == []


@pytest.mark.parametrize(
    ("path", "more", "expected"),
    [
        (PATH, {"content_type": "text/plain"}, 415),
        (PATH, {"content_type": NDJSON, "headers": {"Content-Encoding": "gzip"}}, 415),
        (f"{PATH}?explain=true", {"content_type": NDJSON}, 422),
        ("/v1/predict", {"content_type": NDJSON}, 415),
    ],
)
def test_what_is_wrong_before_the_first_line_is_a_problem(
    refused: Any, path: str, more: dict[str, Any], expected: int
) -> None:
    refused(path, data=lines_of(ARTICLES[0]), expected=expected, **more)


def test_a_stream_that_was_cut_off_says_so_in_its_last_line(client: FlaskClient) -> None:
    body = lines_of(ARTICLES[0], ARTICLES[1])
    *rows, last = ask(
        client, None, input_stream=BytesIO(body[:-3]), environ_overrides={"CONTENT_LENGTH": str(len(body))}
    )
    assert len(rows) == 1
    assert last["error"]["detail"].startswith(f"the body ended after {len(body) - 3} of {len(body)} bytes")


def test_a_fault_inside_is_a_line_too(app: Flask, client: FlaskClient, secret: str, caplog: Any) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise RuntimeError(secret)

    body = lines_of(ARTICLES[0])
    [row] = ask(client, None, input_stream=Broken(body), environ_overrides={"CONTENT_LENGTH": str(len(body))})
    assert row["error"]["status"] == 500
    assert secret not in str(row) + caplog.text


LINES = st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=8)


@given(lines=LINES, cuts=st.lists(st.integers(0, 100), max_size=6), limit=st.integers(1, 12))
@examples(suppress_health_check=list(HealthCheck))
def test_where_blocks_are_cut_changes_nothing(lines: list[bytes], cuts: list[int], limit: int) -> None:
    body = b"\n".join(lines)
    places = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    blocks = [body[start:end] for start, end in pairwise(places)]
    found = [item for block in split_lines(iter(blocks), limit) for item in block]
    expected = [(number, line) for number, line in enumerate(lines, 1) if line.strip() or len(line) > limit]
    assert [number for number, _ in found] == [number for number, _ in expected]
    for (_, own), (_, line) in zip(found, expected, strict=True):
        assert own == line if len(line) <= limit else isinstance(own, Exception)


def test_answers_come_before_the_body_has_ended(app: Flask, model: Model) -> None:
    """Blocks are taken one by one, and each is answered before the next one is asked for."""
    asked: list[int] = []

    def blocks() -> Iterator[bytes]:
        for number in range(5):
            asked.append(number)
            yield lines_of(*ARTICLES[:3])

    from service.metrics import metrics_of
    from service.observing import Record
    from service.settings import settings_of
    from service.streaming import predict_lines

    record = Record("id", 0.0, metrics_of(app), "POST", PATH)
    answers = predict_lines(blocks(), model, settings_of(app), record)
    for number in range(5):
        assert next(answers).count(b"\n") == 3
        assert asked == list(range(number + 1))
    assert record.articles == 15

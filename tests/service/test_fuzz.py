"""Whatever comes in, the answer is a prediction or a problem, and never a fault of the service."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from classifier.articles import ARTICLE_FIELDS
from service.schemas import BatchOut, PredictionOut, Problem, RankOut

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
NUMBERS = st.integers() | st.floats()
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from([*ARTICLE_FIELDS, "desk", "other"])
ARTICLES = st.dictionaries(NAMES, TEXT | VALUES, max_size=5)
BODIES = (
    VALUES
    | ARTICLES
    | st.fixed_dictionaries({"page": TEXT | VALUES})
    | st.fixed_dictionaries({"articles": st.lists(ARTICLES | VALUES, max_size=4)}, optional={"top": VALUES})
)
PATHS = st.sampled_from(["/v1/predict", "/v1/predict?explain=true", "/v1/predict/batch", "/v1/rank"])
ANSWERS = {"/v1/predict": PredictionOut, "/v1/predict/batch": BatchOut, "/v1/rank": RankOut}
# `desk_app` is one application for all examples, and keeps nothing between them.
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)


def answered(app: Flask, path: str, body: bytes) -> None:
    answer = app.test_client().post(path, data=body, headers={"Content-Type": "application/json"})
    if answer.status_code == 200:
        ANSWERS.get(path, dict)(**answer.get_json())
    else:
        assert answer.status_code in {400, 413, 422}, answer.text
        assert answer.content_type == "application/problem+json"
        Problem.model_validate_json(answer.data)


@FUZZ
@given(path=PATHS, body=BODIES)
@example(path="/v1/predict", body={"headline": "a", "desk": ["b"]})
@example(path="/v1/predict", body={"headline": "a", "desk": {"b": 1}})
@example(path="/v1/predict", body={"headline": "a", "published_at": "9999-12-31T23:59:59-12:00"})
@example(path="/v1/predict", body={"headline": "a", "published_at": "9999-12-31T23:59:59+00:00"})
@example(path="/v1/predict", body={"headline": "a", "published_at": "0001-01-01T00:00:00+00:00"})
@example(path="/v1/rank", body={"articles": [{"headline": "a", "section": ""}]})
def test_any_json(desk_app: Flask, path: str, body: Any) -> None:
    answered(desk_app, path, json.dumps(body).encode())


@FUZZ
@given(path=PATHS, body=st.binary(max_size=200))
def test_any_bytes(desk_app: Flask, path: str, body: bytes) -> None:
    answered(desk_app, path, body)

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.model import Model
from classifier.ranking import build_rankings
from service.schemas import Problem, RankOut

WORDS = ["minister", "assembly", "vote", "bank", "shares", "market", "mayor", "senate", "prices", "exports"]
ARTICLES = [{"id": str(i), "headline": " ".join(WORDS[i : i + 3])} for i in range(len(WORDS) - 2)]


def test_lists_are_the_rankings_of_the_predictions(client: FlaskClient, model: Model) -> None:
    answer = client.post("/v1/rank", json={"articles": ARTICLES, "top": 3})
    assert answer.status_code == 200
    RankOut.model_validate_json(answer.data)
    articles = [Article.from_mapping(row) for row in ARTICLES]
    assert answer.json == build_rankings(articles, model.predict(articles), top=3).to_dict()
    assert [entry["rank"] for entry in answer.json["site"]] == [1, 2, 3]
    assert set(answer.json["by_section"]) == {"Economy", "Politics"}


def test_five_are_listed_by_default_in_any_input_order(client: FlaskClient) -> None:
    answer = client.post("/v1/rank", json={"articles": ARTICLES})
    assert len(answer.json["site"]) == 5
    assert client.post("/v1/rank", json={"articles": ARTICLES[::-1]}).json == answer.json


def test_nothing_to_rank(client: FlaskClient) -> None:
    assert client.post("/v1/rank", json={"articles": []}).json == {"site": [], "by_section": {}}


def test_an_article_that_is_not_valid_refuses_the_call(refused: Callable[..., dict[str, Any]]) -> None:
    body = {"articles": [{"headline": "Bank"}, {"headline": ["Quuxelby"]}]}
    assert refused("/v1/rank", json=body, expected=422)["field"] == "articles[1].headline"


STORY = "The mayor met the senate about the vote and the prices in the market"
DATED = [
    {"id": "old", "headline": "Minister vote", "published_at": "2031-05-01T06:00:00Z", "source": "G"},
    {"id": "new", "headline": "Vote minister", "published_at": "2031-05-03T06:00:00Z", "source": "G"},
    {"id": "one", "headline": "Bank", "body": STORY, "published_at": "2031-05-02T06:00:00Z"},
    {"id": "two", "headline": "Shares", "body": STORY, "published_at": "2031-05-02T06:00:00Z"},
]


@pytest.mark.parametrize(
    ("sent", "options"),
    [
        ({}, {}),
        ({"half_life": None, "now": None, "per_source": None}, {}),
        ({"half_life": 6}, {"half_life": 6.0}),
        (
            {"half_life": 0.5, "now": "2031-05-02T15:00:00+09:00"},
            {"half_life": 0.5, "now": datetime(2031, 5, 2, 6, tzinfo=UTC)},
        ),
        ({"per_source": 1, "top": 2}, {"per_source": 1, "top": 2}),
        ({"keep_duplicates": True}, {"keep_duplicates": True}),
    ],
)
def test_options_are_those_of_the_rankings(
    client: FlaskClient, model: Model, sent: dict[str, Any], options: dict[str, Any]
) -> None:
    answer = client.post("/v1/rank", json={"articles": DATED, **sent})
    assert answer.status_code == 200, answer.text
    RankOut.model_validate_json(answer.data)
    articles = [Article.from_mapping(row) for row in DATED]
    assert model.popularity is not None
    spread = model.popularity.spread
    assert (
        answer.json == build_rankings(articles, model.predict(articles), spread=spread, **options).to_dict()
    )
    if options:
        assert answer.json != client.post("/v1/rank", json={"articles": DATED}).json


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("half_life", [0, -1, -0.0, "6", "NaN", True, []]),
        ("now", ["Quuxelby", "", " ", "2031-05-02T15:00:00", 5, "9999-12-31T23:59:59-12:00"]),
        ("per_source", [0, -1, 1.5, "1", True]),
        ("top", [0, -1, 101, 1.5, "5", None]),
        ("keep_duplicates", [1, "true", None]),
        ("keep_duplicate", [True]),
    ],
)
def test_bad_values_are_named(refused: Callable[..., dict[str, Any]], field: str, values: list[Any]) -> None:
    for value in values:
        body = {"articles": DATED, "half_life": 6, field: value}
        problem = refused("/v1/rank", json=body, expected=422)
        assert problem["field"] == field


def test_now_without_a_half_life_is_named(refused: Callable[..., dict[str, Any]]) -> None:
    body = {"articles": DATED, "now": "2031-05-02T15:00:00Z"}
    assert refused("/v1/rank", json=body, expected=422)["field"] == "now"


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([])
TIMES = st.sampled_from(["2031-05-02T15:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])


@given(
    st.lists(
        st.fixed_dictionaries(
            {"headline": st.sampled_from(["Vote", "Bank"])}, optional={"published_at": TIMES}
        ),
        max_size=4,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "top": VALUES,
            "half_life": VALUES | st.floats(min_value=5e-324),
            "now": VALUES | TIMES,
            "per_source": VALUES,
            "keep_duplicates": VALUES,
        },
    ),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@example(
    [{"headline": "Vote", "published_at": "0001-01-01T00:00:00Z"}],
    {"half_life": 5e-324, "now": "9999-12-31T23:59:59Z"},
)
def test_any_options_get_lists_or_a_problem(
    app: Flask, articles: list[dict[str, Any]], options: dict[str, Any]
) -> None:
    answer = app.test_client().post(
        "/v1/rank",
        data=json.dumps({"articles": articles, **options}),
        headers={"Content-Type": "application/json"},
    )
    if answer.status_code == 200:
        RankOut.model_validate_json(answer.data)
    else:
        assert answer.status_code in {400, 422}, answer.text
        Problem.model_validate_json(answer.data)

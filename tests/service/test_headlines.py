from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from classifier.articles import ARTICLE_FIELDS, Article
from classifier.headlines import HeadlineRanking, RankedHeadline, Word, rank_headlines
from classifier.headlines.checks import MAX_HEADLINES, MAX_LENGTH
from classifier.model import Model
from service import create_app
from service.schemas import (
    ArticleIn,
    HeadlinesIn,
    HeadlinesOut,
    Problem,
    RankedHeadlineOut,
    WordOut,
)
from service.settings import Settings

HEADLINES = ["Minister and vote", "Bank and shares", "Storm warning for every school"]
SHARED = {
    "body": "The bank met the minister.",
    "source": "Tiny Gazette",
    "section": "Economy",
    "published_at": "2031-05-06T08:00:00+09:00",
    "desk": "city",
}

Refused = Callable[..., dict[str, Any]]


def test_the_answer_is_the_ranking_for_the_story(client: FlaskClient, model: Model) -> None:
    answer = client.post("/v1/headlines", json={"headlines": HEADLINES, **SHARED})
    assert answer.status_code == 200
    HeadlinesOut.model_validate_json(answer.data)
    story = Article.from_mapping(SHARED)
    assert answer.json == json.loads(json.dumps(rank_headlines(model, HEADLINES, story).to_dict()))
    assert [item["rank"] for item in answer.json["headlines"]] == [1, 2, 3]
    for item in answer.json["headlines"]:
        article = {**SHARED, "headline": item["headline"]}
        assert client.post("/v1/predict", json=article).json["popularity_score"] == item["popularity_score"]


def test_headlines_alone_will_do(client: FlaskClient, model: Model) -> None:
    answer = client.post("/v1/headlines", json={"headlines": HEADLINES, "body": None, "headline": None})
    assert answer.json == json.loads(json.dumps(rank_headlines(model, HEADLINES).to_dict()))


def test_repeated_headlines_are_one_with_every_position(client: FlaskClient) -> None:
    answer = client.post("/v1/headlines", json={"headlines": [*HEADLINES, " Bank  and shares"]})
    positions = {item["headline"]: item["positions"] for item in answer.json["headlines"]}
    assert positions == {HEADLINES[0]: [0], HEADLINES[1]: [1, 3], HEADLINES[2]: [2]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "headlines"),
        ({"headlines": None}, "headlines"),
        ({"headlines": "Quuxelby"}, "headlines"),
        ({"headlines": {"a": "Quuxelby"}}, "headlines"),
        ({"headlines": []}, "headlines"),
        ({"headlines": ["Quuxelby"]}, "headlines"),
        ({"headlines": [f"Quuxelby {i}" for i in range(MAX_HEADLINES + 1)]}, "headlines"),
        ({"headlines": ["Quuxelby", " Quuxelby"]}, "headlines"),
        ({"headlines": ["a", "b", 5]}, "headlines[2]"),
        ({"headlines": ["a", ["Quuxelby"]]}, "headlines[1]"),
        ({"headlines": ["a", "b", " \n"]}, "headlines[2]"),
        ({"headlines": ["Quuxelby" * (MAX_LENGTH // 8 + 1), "b"]}, "headlines[0]"),
        ({"headlines": ["a", "Quuxelby\x00"]}, "headlines[1]"),
        ({"headlines": ["a", "b"], "headline": "Quuxelby"}, "headline"),
        ({"headlines": ["a", "b"], "body": ["Quuxelby"]}, "body"),
        ({"headlines": ["a", "b"], "summary": "Quuxelby\x00"}, "summary"),
        ({"headlines": ["a", "b"], "published_at": "Quuxelby"}, "published_at"),
        ({"headlines": ["a", "b"], "published_at": "2031-05-06T08:00:00"}, "published_at"),
        ({"headlines": ["a", "b"], "section": 5}, "section"),
        ({"headlines": ["a", "b"], "popularity": "Quuxelby"}, "popularity"),
    ],
)
def test_the_field_at_fault_is_named(refused: Refused, body: dict[str, Any], field: str) -> None:
    assert refused("/v1/headlines", json=body, expected=422)["field"] == field


@pytest.mark.parametrize("body", [[], "Quuxelby", None, 5, ["a", "b"]])
def test_what_is_no_object(refused: Refused, body: Any) -> None:
    assert refused("/v1/headlines", json=body, expected=422)["detail"].startswith(
        "the body must be an object"
    )


def test_parameters_are_not_known_here(refused: Refused) -> None:
    problem = refused("/v1/headlines?explain=true", json={"headlines": HEADLINES}, expected=422)
    assert problem["field"] == "explain"


def test_get_is_not_allowed(refused: Refused) -> None:
    refused("/v1/headlines", method="GET", expected=405)


def test_a_text_over_the_limit(refused: Refused, settings: Settings) -> None:
    body = {"headlines": HEADLINES, "summary": "x", "body": "y" * settings.max_text_length}
    assert refused("/v1/headlines", json=body, expected=413)["field"] == "body"


def test_the_text_counts_with_every_headline(
    client: FlaskClient, refused: Refused, settings: Settings
) -> None:
    text = "y" * 2500
    most = settings.max_body_bytes // len(text)
    headlines = [f"Vote {i}" for i in range(most + 1)]
    answer = client.post("/v1/headlines", json={"headlines": headlines[:most], "summary": text})
    assert answer.status_code == 200
    problem = refused("/v1/headlines", json={"headlines": headlines, "summary": text}, expected=413)
    assert problem["field"] == "summary"
    assert f"the text and {most + 1} headlines" in problem["detail"]


def test_a_model_without_a_popularity_head(
    tmp_path_factory: pytest.TempPathFactory, check_problem: Callable[..., dict[str, Any]]
) -> None:
    from classifier.reading import read_all
    from training.config import Config
    from training.fit import train

    folder = tmp_path_factory.mktemp("sections")
    rows = [
        {"headline": f"{word} {i}", "section": section, "published_at": f"2031-05-{i % 5 + 1:02d}T08:00:00Z"}
        for i in range(20)
        for word, section in [(("vote", "Politics"), ("bank", "Economy"))[i % 2]]
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    train(read_all([str(folder / "a.jsonl")]), folder / "model", Config())
    answer = (
        create_app(Settings(model=folder / "model", open="always"))
        .test_client()
        .post("/v1/headlines", json={"headlines": HEADLINES})
    )
    problem = check_problem(answer.status_code, answer.content_type, answer.json, expected=409)
    assert problem["detail"].startswith("the model has no popularity head; train one")


def test_schemas_have_the_fields_of_what_they_describe() -> None:
    for schema, described in (
        (HeadlinesOut, HeadlineRanking),
        (RankedHeadlineOut, RankedHeadline),
        (WordOut, Word),
    ):
        assert tuple(schema.model_fields) == tuple(field.name for field in fields(described))
    assert set(HeadlinesIn.model_fields) - {"headlines"} == set(ArticleIn.model_fields) - {"headline"}


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from([*ARTICLE_FIELDS, "desk", "other"])
BODIES = st.builds(
    lambda headlines, shared: {**shared, "headlines": headlines},
    st.lists(TEXT, min_size=2, max_size=5) | VALUES,
    st.dictionaries(NAMES, TEXT | VALUES, max_size=4),
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(body=BODIES)
@example(body={"headlines": ["a", "b"], "desk": ["c"]})
@example(body={"headlines": ["İ", "i̇", "ΑΣ", "\u200d", "ﬁ"], "body": "i̇"})
@example(body={"headlines": ["vote" * 100, "vote report"], "published_at": "9999-12-31T23:59:59+00:00"})
def test_any_json(desk_app: Flask, body: Any) -> None:
    headers = {"Content-Type": "application/json"}
    answer = desk_app.test_client().post("/v1/headlines", data=json.dumps(body).encode(), headers=headers)
    if answer.status_code == 200:
        HeadlinesOut.model_validate_json(answer.data)
    else:
        assert answer.status_code in {400, 422}, answer.text
        assert answer.content_type == "application/problem+json"
        Problem.model_validate_json(answer.data)

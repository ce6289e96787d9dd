from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from classifier.articles import Article
from classifier.model import Model
from classifier.ranking import build_rankings
from service.schemas import RankOut

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

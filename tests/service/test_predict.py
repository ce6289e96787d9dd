from __future__ import annotations

import math
from typing import Any

import pytest
from flask.testing import FlaskClient

from classifier.articles import Article
from classifier.model import Model
from service.schemas import BatchOut, ExplainedOut, PredictionOut

ARTICLE = {
    "headline": "The assembly and the mayor vote on a ballot",
    "body": "The senate met the coalition minister.",
    "published_at": "2031-04-02T07:40:00+09:00",
    "source": "The Courier",
}
PAGE = """Assembly and Mayor Vote on Ballot
11:36 JST, April 2, 2031
PORT ELLERY (Meridian Press) — The senate met the coalition minister.
"""
BOXES = """"Politics" POPULAR ARTICLE
-
Bank Shares Rise as Profit Grows
-
Exports Trade Market Inflation
COURIER ACCESS RANKING
-
Steel Wages Crown Market
"""


def test_one_article_gets_what_the_model_says(client: FlaskClient, model: Model) -> None:
    answer = client.post("/v1/predict", json=ARTICLE)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json == model.predict(ARTICLE).to_dict()
    assert answer.json["section"] == "Politics"
    PredictionOut.model_validate_json(answer.data)


def test_labels_are_no_input(client: FlaskClient) -> None:
    labelled = {**ARTICLE, "popularity": 5, "split": "test", "popularity_group": "x"}
    assert client.post("/v1/predict", json=labelled).json == client.post("/v1/predict", json=ARTICLE).json


def test_a_given_section_changes_the_popularity_only(client: FlaskClient) -> None:
    """A newsroom knows it before publication; without one the predicted stands in."""
    plain, same, other, several = (
        client.post("/v1/predict", json={**ARTICLE, **more}).json
        for more in (
            {},
            {"section": "Politics"},
            {"section": "Economy"},
            {"sections": ["Economy", "Politics"]},
        )
    )
    assert plain["section"] == "Politics"
    assert same == plain
    assert other == several
    changed = {name for name in plain if other[name] != plain[name]}
    assert "popularity_score" in changed
    assert changed <= {"popularity_score", "popularity_percentile", "top5_probability"}


def test_nulls_count_as_absent(client: FlaskClient) -> None:
    nulls = {
        "summary": None,
        "section": None,
        "sections": None,
        "url": None,
        "popularity": None,
        "other": None,
    }
    assert (
        client.post("/v1/predict", json={**ARTICLE, **nulls}).json
        == client.post("/v1/predict", json=ARTICLE).json
    )


def test_the_id_comes_back(client: FlaskClient) -> None:
    assert client.post("/v1/predict", json={**ARTICLE, "id": "wire-17"}).json["id"] == "wire-17"


def test_explanation(client: FlaskClient, model: Model) -> None:
    answer = client.post("/v1/predict?explain=true", json=ARTICLE)
    ExplainedOut.model_validate_json(answer.data)
    prediction = answer.get_json()
    explanation = prediction.pop("explanation")
    assert prediction == client.post("/v1/predict", json=ARTICLE).json
    assert explanation == [c.to_dict() for c in model.explain(Article.from_mapping(ARTICLE))]
    against = [item["against"] for item in explanation if item["head"] == "section"]
    best, second = prediction["section_scores"][:2]
    assert sum(against) == pytest.approx(math.log(best["probability"] / second["probability"]))
    assert {item["against"] for item in explanation if item["head"] == "popularity"} == {None}
    assert {item["head"] for item in explanation if item["feature"] == "(intercept)"} == {
        "section",
        "popularity",
    }
    spans = [span for item in explanation for span in item["spans"]]
    assert all(0 <= start < end <= len(ARTICLE[name]) for name, start, end in spans)
    assert "vote" in {ARTICLE[name][start:end] for name, start, end in spans}


def test_explain_false_is_the_default(client: FlaskClient) -> None:
    assert (
        client.post("/v1/predict?explain=false", json=ARTICLE).json
        == client.post("/v1/predict", json=ARTICLE).json
    )


@pytest.mark.parametrize("explain", ["", "?explain=true"])
@pytest.mark.parametrize("box", ["Politics", "Economy"])
def test_a_page_is_scored_without_its_boxes(client: FlaskClient, explain: str, box: str) -> None:
    bare = client.post(f"/v1/predict{explain}", json={"page": PAGE})
    boxed = client.post(f"/v1/predict{explain}", json={"page": PAGE + BOXES.replace("Politics", box)})
    assert bare.status_code == 200
    assert boxed.data == bare.data
    assert bare.json["section"] == "Politics"


def test_a_page_is_its_article(client: FlaskClient) -> None:
    article = {
        "headline": "Assembly and Mayor Vote on Ballot",
        "body": "The senate met the coalition minister.",
        "published_at": "2031-04-02T11:36:00+09:00",
    }
    assert (
        client.post("/v1/predict", json={"page": PAGE}).json == client.post("/v1/predict", json=article).json
    )


def test_a_page_may_be_html(client: FlaskClient) -> None:
    pytest.importorskip("trafilatura")
    lines = [f"<p>{line}</p>" for line in PAGE.splitlines()[2:]]
    head = f"<!DOCTYPE html><html><body><h1>{PAGE.splitlines()[0]}</h1><p>{PAGE.splitlines()[1]}</p>"
    box = '<h2>"Economy" POPULAR ARTICLE</h2><ol><li><a href="/a">Bank</a></li></ol>'
    for page in (f"{head}{''.join(lines)}", f"{head}{''.join(lines)}{box}"):
        answer = client.post("/v1/predict", json={"page": page})
        assert answer.json == client.post("/v1/predict", json={"page": PAGE}).json
    refused = client.post("/v1/predict", json={"page": "<html><body></body></html>"})
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/unreadable-page")


def test_batch_equals_one_by_one(client: FlaskClient) -> None:
    articles: list[dict[str, Any]] = [
        {**ARTICLE, "id": str(i), "headline": headline}
        for i, headline in enumerate(
            ["Bank profit", "Senate reform", "Steel exports and the minister", "¿Qué?"]
        )
    ]
    batch = client.post("/v1/predict/batch", json={"articles": articles})
    assert batch.status_code == 200
    BatchOut.model_validate_json(batch.data)
    assert batch.json == {"predictions": [client.post("/v1/predict", json=a).json for a in articles]}


def test_a_bad_article_leaves_the_others_in_place(client: FlaskClient, secret: str) -> None:
    good = {"headline": "Bank shares and exports"}
    bad = [
        {"headline": 5},
        {"body": "  "},
        secret,
        {"headline": secret, "published_at": secret},
        {"sections": secret},
    ]
    rows = [row for pair in zip([good] * len(bad), bad, strict=True) for row in pair]
    answer = client.post("/v1/predict/batch", json={"articles": rows})
    assert answer.status_code == 200
    BatchOut.model_validate_json(answer.data)
    found = answer.json["predictions"]
    assert [item["section"] for item in found[::2]] == ["Economy"] * len(bad)
    assert [item["error"]["field"] for item in found[1::2]] == [
        "articles[1].headline",
        "articles[3].headline",
        "articles[5]",
        "articles[7].published_at",
        "articles[9].sections",
    ]
    assert {item["error"]["status"] for item in found[1::2]} == {422}
    assert secret not in answer.text


def test_an_empty_batch(client: FlaskClient) -> None:
    assert client.post("/v1/predict/batch", json={"articles": []}).json == {"predictions": []}


def test_a_column_of_its_own_reaches_the_model(desk_client: FlaskClient) -> None:
    scores = [
        desk_client.post("/v1/predict", json={**ARTICLE, "desk": desk}).json["section_scores"]
        for desk in ("city", "money")
    ]
    assert scores[0] != scores[1]

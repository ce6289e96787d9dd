"""Lists to take away read back as ranking boxes, exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from classifier.reading import read_all
from service.page.ranking import COLUMNS

ARTICLES = [
    {"headline": "Assembly votes on the budget bill", "source": "Tiny Gazette"},
    {"headline": 'Bank, shares and "exports"; =1+1', "section": "Economy"},
    {"headline": "-", "body": "Senate ballot with a storm warning for every school"},
    {"headline": "Ærø: 市場 <b>opens</b>", "section": 'Life, "Style"'},
]
BODY = {"articles": ARTICLES, "top": 3}


def lists(answer: dict[str, Any]) -> set[tuple[str, int, str]]:
    every = {**answer["by_section"], "*": answer["site"]}
    return {(name, entry["rank"], entry["headline"]) for name, entries in every.items() for entry in entries}


def read_back(folder: Path, name: str, data: bytes) -> list[dict[str, Any]]:
    (folder / name).write_bytes(data)
    rows: list[dict[str, Any]] = read_all([str(folder / name)]).boxes.to_pylist()
    return rows


def test_the_table_holds_what_the_lists_do_and_reads_back(client: FlaskClient, tmp_path: Path) -> None:
    answer = client.post("/v1/rank", json=BODY).json
    table = client.post("/page/rank.csv", json=BODY)
    assert table.mimetype == "text/csv"
    assert table.headers["Content-Disposition"] == 'attachment; filename="ranking.csv"'
    assert table.data.startswith(b"\xef\xbb\xbflist,rank,headline,article_id,")
    rows = read_back(tmp_path, "ranking.csv", table.data)
    assert {(row["list"], row["rank"], row["headline"]) for row in rows} == lists(answer)
    ids = {entry["id"] for entry in answer["site"]}
    assert ids <= {row["article_id"] for row in rows}
    first = dict(zip(COLUMNS, table.text.splitlines()[-3].split(","), strict=False))
    assert first["list"] == "*"
    assert float(first["ranking_score"] or "nan") is not None


def test_the_page_s_form_reads_back(client: FlaskClient, tmp_path: Path) -> None:
    body = {"articles": ARTICLES[:3]}
    printed = client.post("/page/rank.txt", json={**body, "prefix": "MC"})
    assert printed.content_type == "text/plain; charset=utf-8"
    assert "MC ACCESS RANKING" in printed.text
    page = "A title\n10:00 JST, April 2, 2031\nA text.\n" + printed.text
    rows = read_back(tmp_path, "page.txt", page.encode())
    assert {(row["list"], row["rank"], row["headline"]) for row in rows} == lists(
        client.post("/v1/rank", json=body).json
    )
    assert client.post("/page/rank.txt", json=body).text.count("\nACCESS RANKING\n") == 1


@pytest.mark.parametrize("path", ["/page/rank.txt", "/page/rank.csv"])
@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "articles"),
        ([], 422, None),
        ({"articles": [{}]}, 422, "articles[0].headline"),
        ({"articles": ARTICLES, "top": 0}, 422, "top"),
        ({"articles": ARTICLES, "now": "2031-04-02T00:00:00Z"}, 422, "now"),
        ({"articles": ARTICLES, "other": 1}, 422, "other"),
        ({"articles": ARTICLES * 6}, 413, "articles"),
    ],
)
def test_refusals_are_those_of_the_lists(
    client: FlaskClient,
    check_problem: Callable[..., Any],
    path: str,
    body: Any,
    status: int,
    field: str | None,
) -> None:
    answer = client.post(path, json=body)
    problem = check_problem(answer.status_code, answer.content_type, answer.json, expected=status)
    assert problem.get("field") == field


@pytest.mark.parametrize("prefix", [5, "x" * 41, '"Economy" POPULAR ARTICLE', "a\nb: c"])
def test_a_prefix_that_cannot_be_printed(
    client: FlaskClient, check_problem: Callable[..., Any], prefix: Any
) -> None:
    answer = client.post("/page/rank.txt", json={**BODY, "prefix": prefix})
    if answer.status_code != 200:
        problem = check_problem(answer.status_code, answer.content_type, answer.json, expected=422)
        assert problem["field"] == "prefix"


def test_a_section_that_the_form_cannot_hold(client: FlaskClient, check_problem: Callable[..., Any]) -> None:
    answer = client.post("/page/rank.txt", json={"articles": [{"headline": "A", "section": "x" * 200}]})
    check_problem(answer.status_code, answer.content_type, answer.json, expected=409)


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=40)


@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(headlines=st.lists(TEXT.filter(str.strip), min_size=1, max_size=5, unique=True))
def test_any_headline_survives_the_table(client: FlaskClient, tmp_path: Path, headlines: list[str]) -> None:
    body = {"articles": [{"headline": text, "section": "A"} for text in headlines], "keep_duplicates": True}
    rows = read_back(tmp_path, "ranking.csv", client.post("/page/rank.csv", json=body).data)
    answer = client.post("/v1/rank", json=body).json
    assert {(row["list"], row["rank"], row["headline"]) for row in rows} == lists(answer)

from __future__ import annotations

from dataclasses import fields

from classifier.articles import ARTICLE_FIELDS, STRING_FIELDS
from classifier.ranking import Entry
from classifier.results import PREDICTION_FIELDS, Contribution, SectionScore
from service.paths import join_path
from service.schemas import ArticleIn, ContributionOut, EntryOut, PredictionOut, SectionScoreOut


def test_schemas_have_the_fields_of_what_they_describe() -> None:
    assert set(ArticleIn.model_fields) == set(ARTICLE_FIELDS)
    assert tuple(PredictionOut.model_fields) == PREDICTION_FIELDS
    for schema, described in ((EntryOut, Entry), (SectionScoreOut, SectionScore)):
        assert tuple(schema.model_fields) == tuple(field.name for field in fields(described))
    part = Contribution("popularity", "hour: 08", 0.5, ()).to_dict()
    assert list(ContributionOut.model_fields) == list(part)
    assert ContributionOut.model_validate(part).model_dump() == part


def test_every_string_field_is_one_in_the_schema() -> None:
    properties = ArticleIn.model_json_schema()["properties"]
    for name in STRING_FIELDS:
        assert {"type": "null"} in properties[name]["anyOf"]
        assert any(option.get("type") == "string" for option in properties[name]["anyOf"])


def test_paths() -> None:
    assert join_path("") == ""
    assert join_path("", "articles", 3, "headline") == "articles[3].headline"
    assert join_path("articles[3]", "desk-2") == "articles[3].desk-2"
    assert join_path("", "a sentence as a name") == "…"

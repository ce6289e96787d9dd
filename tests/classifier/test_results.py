"""The shape of what scoring answers, as others have it in contract."""

from __future__ import annotations

import pyarrow as pa

from classifier.results import Contribution, Prediction, SectionScore, prediction_schema

CONTRACT = [
    "id",
    "section",
    "section_probability",
    "decision",
    "section_scores",
    "popularity_score",
    "popularity_percentile",
    "top5_probability",
    "model",
    "version",
]
FULL = Prediction("a", "World", 0.75, "file", (SectionScore("World", 0.75, True),), 1.5, 90.0, 0.5, "m", "v")
EMPTY = Prediction("a", None, None, None, None, None, None, None, "m", "v")


def test_a_scored_row_is_the_contract() -> None:
    row = FULL.to_dict()
    assert list(row) == CONTRACT
    assert list(EMPTY.to_dict()) == CONTRACT
    assert row["section_scores"] == [{"name": "World", "probability": 0.75, "assigned": True}]
    assert list(row["section_scores"][0]) == ["name", "probability", "assigned"]
    assert [name for name, value in EMPTY.to_dict().items() if value is not None] == [
        "id",
        "model",
        "version",
    ]


def test_the_schema_is_the_contract() -> None:
    schema = prediction_schema()
    assert schema.names == CONTRACT
    floats = {"section_probability", "popularity_score", "popularity_percentile", "top5_probability"}
    for field in schema:
        if field.name == "section_scores":
            assert str(field.type) == "list<item: struct<name: string, probability: double, assigned: bool>>"
        else:
            assert field.type == (pa.float64() if field.name in floats else pa.string())


def test_rows_pass_through_the_schema_unchanged() -> None:
    rows = [FULL.to_dict(), EMPTY.to_dict()]
    assert pa.RecordBatch.from_pylist(rows, schema=prediction_schema()).to_pylist() == rows


def test_a_contribution_is_the_contract() -> None:
    part = Contribution("section", "text: vote", 0.5, (("headline", 0, 4), ("body", 2, 6)), 0.75)
    assert part.to_dict() == {
        "head": "section",
        "feature": "text: vote",
        "contribution": 0.5,
        "against": 0.75,
        "spans": [["headline", 0, 4], ["body", 2, 6]],
    }
    assert list(part.to_dict()) == ["head", "feature", "contribution", "against", "spans"]
    assert Contribution("popularity", "hour: 08", -0.25, ()).to_dict()["against"] is None

"""Every format that was ever written keeps loading, and answers as it did on the day it was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import classifier
from classifier.articles import Article
from classifier.artifact import FORMAT, open_version
from classifier.dicts import score_articles
from classifier.linear import INTERCEPT
from classifier.reading.rows import to_batch
from classifier.results import Contribution
from classifier.text.blocks import _KINDS, CrossBlock, HardDaypartBlock, TextBlock
from classifier.text.rows import START, URL

GOLDEN = Path(__file__).parent.parent / "data" / "golden"


def close(expected: Any, within: float) -> Any:
    """The same structure, numbers within a tolerance."""
    if isinstance(expected, dict):
        return {name: close(value, within) for name, value in expected.items()}
    if isinstance(expected, list):
        return [close(value, within) for value in expected]
    return pytest.approx(expected, abs=within, rel=within) if type(expected) is float else expected


def golden(number: int) -> tuple[Path, dict[str, Any]]:
    folder = GOLDEN / str(number)
    (version,) = (path for path in folder.iterdir() if path.is_dir())
    return version, json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def test_every_format_has_its_golden_artifact() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {str(number) for number in range(1, FORMAT + 1)}


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_a_golden_artifact_verifies_and_answers_as_ever(number: int) -> None:
    version, expected = golden(number)
    folder = open_version(version)
    folder.verify()
    assert folder.manifest.data["format"] == number
    model = classifier.load(version)
    assert len(expected["articles"]) == len(expected["predictions"]) >= 5
    within = (
        1e-12 if number >= 4 else 1e-6
    )  # older ones held weights as float64, which are float32 when they are read now
    assert [p.to_dict() for p in model.predict(expected["articles"])] == close(
        expected["predictions"], within
    )
    # One by one, together, as objects or not: to the last bit.
    rows = [model.predict(article).to_dict() for article in expected["articles"]]
    assert rows == [prediction.to_dict() for prediction in model.predict(expected["articles"])]
    articles = list(map(Article.from_mapping, expected["articles"]))
    assert rows == score_articles(model, articles)
    columns = model.predict(to_batch(articles)).to_pydict()
    for name in ("popularity_score", "popularity_percentile", "top5_probability", "section_probability"):
        assert columns[name] == [row[name] for row in rows]
    for article, parts in zip(expected["articles"], expected["explanations"], strict=False):
        found = sorted(_explanation(model.explain(article), number), key=_place)
        assert found == close(sorted(parts, key=_place), within)
    decisions = {prediction["decision"] for prediction in expected["predictions"]}
    assert decisions == {"file", "review"}  # else the golden artifact would not show how they are taken


def _explanation(parts: list[Contribution], number: int) -> list[dict[str, Any]]:
    rows = [part.to_dict() for part in parts]
    if number > 1:
        return rows
    # Format 1 was written before explanations held the intercept and what speaks against the runner-up.
    kept = [row for row in rows if row["feature"] != INTERCEPT]
    assert len({row["head"] for row in rows if row["feature"] == INTERCEPT}) == len(rows) - len(kept)
    return [{name: value for name, value in row.items() if name != "against"} for row in kept]


def _place(part: dict[str, Any]) -> tuple[str, str]:
    return part["head"], part["feature"]


def test_the_golden_artifact_holds_every_kind_of_block() -> None:
    version, _ = golden(FORMAT)
    heads = open_version(version).manifest.data["heads"]
    blocks = [block for head in heads.values() for block in head["blocks"]]
    written = {*_KINDS, TextBlock.kind, CrossBlock.kind} - {HardDaypartBlock.kind}
    assert {block["kind"] for block in blocks} == written
    assert {block.get("column") for block in blocks} >= {URL, START}
    assert {block.get("analyzer") for block in blocks} >= {"word", "char_wb"}

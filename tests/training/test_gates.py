"""Quality gates on real articles; each takes minutes and needs NEWSDESK_DATA. A floor is never lowered silently."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

import classifier
from classifier.reading import read_all
from classifier.reading.base import ReadOptions
from classifier.reading.pages import parse_page
from training.config import Config, parse_config
from training.evaluation import Evaluation, evaluate_reading
from training.fit import train

pytestmark = pytest.mark.slow


class Floor(NamedTuple):
    data: str
    metric: str
    floor: float
    meaning: str


FLOORS = [
    Floor("bbc", "sections.accuracy", 0.97, "the right one of five sections, on a held-out fifth"),
    Floor("outlets", "popularity.ndcg_at_10", 0.515, "order within an outlet's day, learned from reactions"),
    Floor(
        "outlets",
        "popularity.top5_overlap",
        0.375,
        "of an outlet's true daily top five, found in the predicted one",
    ),
    Floor(
        "boxes", "popularity.ndcg_at_10", 0.485, "the same order, learned from printed top-five boxes alone"
    ),
]


@pytest.fixture(scope="module")
def evaluations(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluation]:
    """The figures on the test part of each."""
    folder = tmp_path_factory.mktemp("gates")
    reactions = str(real_data / "outlets_reactions.parquet")
    bbc = train(read_all([str(real_data / "bbc.parquet")]), folder / "bbc", Config())
    outlets = train(read_all([reactions]), folder / "outlets", Config())
    # No counts are read: the boxes alone teach. The evaluation reads them again.
    boxes = read_all(
        [reactions, str(real_data / "outlets_ranking_boxes.parquet")],
        ReadOptions(ignore=frozenset({"popularity"})),
    )
    assert boxes.articles["popularity"].null_count == boxes.articles.num_rows
    train(boxes, folder / "boxes", parse_config({"data": {"ignore": ["popularity"]}}))
    counted = evaluate_reading(classifier.load(folder / "boxes"), read_all([reactions]), Config(), "test")
    return {"bbc": bbc.evaluation, "outlets": outlets.evaluation, "boxes": counted}


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: f"{floor.data}-{floor.metric}")
def test_a_floor_holds(evaluations: dict[str, Evaluation], floor: Floor) -> None:
    found: Any = evaluations[floor.data].to_dict()
    for part in floor.metric.split("."):
        found = found[part]
    assert found >= floor.floor, f"{floor.data}: {floor.meaning}"


@pytest.mark.parametrize("data", ["outlets", "boxes"])
def test_every_baseline_is_behind(evaluations: dict[str, Evaluation], data: str) -> None:
    popularity = evaluations[data].popularity
    assert popularity is not None
    for name, difference in popularity["ahead_of"].items():
        assert difference["low"] > 0, name


def test_the_real_page_is_politics_with_and_without_its_boxes(
    real_data: Path, sample_model_path: Path
) -> None:
    text = (real_data / "japan_news_page.txt").read_text("utf-8")
    body = text[: text.index('"Politics" POPULAR ARTICLE')]
    model = classifier.load(sample_model_path)
    one, other = (model.predict(parse_page(form, name="page").article) for form in (text, body))
    assert one.section == "Politics"
    assert one == other

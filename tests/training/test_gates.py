"""Quality gates: floors that real articles must reach (minutes each, need NEWSDESK_DATA), and the bundled newspaper's.

A floor is never lowered silently. Every run on a test part is logged in docs/TEST_RUNS.md; these are, as "gates".
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

import classifier
from classifier.reading import read_all
from classifier.reading.base import ReadOptions
from classifier.reading.pages import parse_page
from training.config import Config, parse_config
from training.evaluation import Evaluation, evaluate_reading
from training.fit import train


class Floor(NamedTuple):
    data: str
    metric: str
    floor: float
    meaning: str


FLOORS = [
    Floor("bbc", "sections.accuracy", 0.976, "the right one of five sections, on a held-out fifth"),
    Floor("headlines_in", "sections.accuracy", 0.9745, "the right one of six sections, two later months"),
    Floor("headlines_in", "sections.file.0.99.coverage", 0.90, "filed unseen at the target precision 0.99"),
    Floor("headlines_in", "sections.file.0.99.precision", 0.987, "and right, in spite of the time between"),
    Floor("reuters90", "sections.micro_f1", 0.890, "90 topics, several a text"),
    Floor("reuters90", "sections.macro_f1", 0.56, "the same, rare topics counting as much as frequent ones"),
    Floor("naver_most_viewed", "sections.accuracy", 0.775, "the right one of six sections, Korean"),
    Floor("nyt_popular", "sections.accuracy", 0.85, "the right section of short items"),
    Floor("outlets", "popularity.ndcg_at_10", 0.535, "order within an outlet's day, learned from reactions"),
    Floor("outlets", "popularity.top5_overlap", 0.385, "of the true daily top five, found in the predicted"),
    Floor("boxes", "popularity.ndcg_at_10", 0.515, "the same order, from printed top-five boxes alone"),
    Floor("views", "popularity.ndcg_at_10", 0.368, "order within a day's most viewed of a section, Korean"),
    Floor("views", "popularity.top5_overlap", 0.25, "of the true top five of these, found in the predicted"),
    Floor("flags", "popularity.auc", 0.945, "many comments or not, with what a desk knows of an item"),
]
LONG = ("naver_most_viewed", "reuters90", "views")  # too long for every commit: `make gates` runs them
SAMPLE_FLOORS = [
    Floor("sample", "sections.accuracy", 0.93, "the right one of six sections, ten later days"),
    Floor("sample", "sections.file.0.95.precision", 0.95, "filed unseen and right"),
    Floor("sample", "sections.file.0.95.coverage", 0.70, "filed unseen"),
    Floor("sample", "popularity.ndcg_at_10", 0.78, "order within a day"),
]
NAMED = {"categorical": ["section", "desk", "subsection", "hour"], "numeric": ["word_count"]}
ROOT = Path(__file__).parent.parent.parent
POPULARITY_ONLY = {
    "views": ("naver_most_viewed", Config()),
    "flags": ("nyt_popular", parse_config({"features": NAMED})),
}
Found = Callable[[str], Evaluation]


@pytest.fixture(scope="module")
def quality() -> Iterator[Any]:
    """The benchmark's module: it is no part of the wheel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        yield importlib.import_module("benchmarks.quality")


@pytest.fixture(scope="module")
def found(real_data: Path, quality: Any, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The evaluation of a data set's test part, trained once with default settings."""
    folder = tmp_path_factory.mktemp("gates")

    @cache
    def evaluation(name: str) -> Evaluation:
        reactions = str(real_data / "outlets_reactions.parquet")
        if name == "boxes":
            # No counts are read: the boxes alone teach. The evaluation reads them again.
            boxes = read_all(
                [reactions, str(real_data / "outlets_ranking_boxes.parquet")],
                ReadOptions(ignore=frozenset({"popularity"})),
            )
            assert boxes.articles["popularity"].null_count == boxes.articles.num_rows
            train(boxes, folder / name, parse_config({"data": {"ignore": ["popularity"]}}))
            return evaluate_reading(classifier.load(folder / name), read_all([reactions]), Config(), "test")
        if name in ("views", "flags"):
            return Evaluation(None, quality.popularity_only(real_data, *POPULARITY_ONLY[name]))
        path = reactions if name == "outlets" else str(real_data / f"{name}.parquet")
        # Popularity has gates of its own: where it is not asked for, it is not fitted.
        asked = ReadOptions(ignore=frozenset() if name == "outlets" else frozenset({"popularity"}))
        return train(read_all([path], asked), folder / name, Config()).evaluation

    return evaluation


def value(evaluation: Evaluation, metric: str) -> float:
    """A figure by its place: sections.file.0.99.coverage is in the entry of the target 0.99."""
    at: Any = evaluation.to_dict()
    head, *rest = metric.split(".", 2)[:2]
    at = at[head]
    if rest == ["file"]:
        target, name = metric.removeprefix(f"{head}.file.").rsplit(".", 1)
        return float(next(item for item in at["file"] if item["target"] == float(target))[name])
    return float(at[rest[0]])


def marked(floor: Floor) -> Any:
    marks = [pytest.mark.slow, *([pytest.mark.long] if floor.data in LONG else [])]
    return pytest.param(floor, marks=marks, id=f"{floor.data}-{floor.metric}")


@pytest.mark.parametrize("floor", [*map(marked, FLOORS)])
def test_a_floor_holds(found: Found, floor: Floor) -> None:
    assert value(found(floor.data), floor.metric) >= floor.floor, f"{floor.data}: {floor.meaning}"


@pytest.mark.slow
def test_probabilities_of_headlines_are_true(found: Found) -> None:
    sections = found("headlines_in").sections
    assert sections is not None
    assert sections["ece"] <= 0.01
    assert sections["log_loss"] < sections["log_loss_constant"]


@pytest.mark.slow
def test_chances_of_the_top_five_are_true(found: Found) -> None:
    popularity = found("outlets").popularity
    assert popularity is not None
    assert popularity["top5_ece"] <= 0.02
    assert popularity["top5_brier"] <= 0.9 * popularity["top5_brier_base_rate"]
    assert popularity["top5_brier"] <= 0.9 * popularity["top5_brier_size"]


@pytest.mark.slow
@pytest.mark.long
def test_prediction_sets_hold_their_coverage_where_articles_are_exchangeable(
    real_data: Path, tmp_path: Path
) -> None:
    reading = read_all([str(real_data / "headlines_in.parquet")])
    generator = np.random.default_rng(0)
    some = np.sort(generator.permutation(reading.articles.num_rows)[:30_000])
    articles = reading.articles.take(pa.array(some))
    sides = np.where(generator.random(len(some)) < 0.6, "train", "test").tolist()
    at = articles.schema.get_field_index("split")
    articles = articles.set_column(at, "split", pa.array(sides, articles.schema.field("split").type))
    mixed = replace(reading, articles=articles)
    evaluation = train(mixed, tmp_path / "mixed", Config()).evaluation
    assert evaluation.sections is not None
    sets = evaluation.sections["sets"]
    assert [item["level"] for item in sets] == [0.9, 0.95, 0.99]
    for item in sets:
        assert item["coverage"] >= item["level"] - 0.005, item
        assert 1.0 <= item["mean_size"] < 1.5


@pytest.mark.parametrize("floor", SAMPLE_FLOORS, ids=lambda floor: floor.metric)
def test_a_floor_of_the_bundled_newspaper_holds(sample_model_path: Path, floor: Floor) -> None:
    metrics = classifier.load(sample_model_path).manifest["metrics"]
    assert value(Evaluation(metrics["sections"], metrics["popularity"]), floor.metric) >= floor.floor


@pytest.mark.slow
@pytest.mark.parametrize("data", ["outlets", "boxes"])
def test_every_baseline_is_behind(found: Found, data: str) -> None:
    popularity = found(data).popularity
    assert popularity is not None
    for name, difference in popularity["ahead_of"].items():
        assert difference["low"] > 0, name


@pytest.mark.slow
def test_the_real_page_is_politics_with_and_without_its_boxes(
    real_data: Path, sample_model_path: Path
) -> None:
    text = (real_data / "japan_news_page.txt").read_text("utf-8")
    body = text[: text.index('"Politics" POPULAR ARTICLE')]
    model = classifier.load(sample_model_path)
    one, other = (model.predict(parse_page(form, name="page").article) for form in (text, body))
    assert one.section == "Politics"
    assert one == other

"""The popularity side of the evaluation's JSON: intervals, constants, sources and sections."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training.answers import Answers, PopularityAnswers
from training.baselines import POPULARITY_BASELINES
from training.corpus import Corpus
from training.evaluation import evaluate_answers
from training.labels import count_judgements
from training.metrics import evaluate_popularity
from training.popularity_evaluation import MOST_VALUES

Make = Callable[..., Corpus]
Found = dict[str, Any]


def answers_to(corpus: Corpus, scores: Any, chances: Any = None) -> PopularityAnswers:
    own = np.array(scores, float)
    told = np.full(len(own), 0.3) if chances is None else np.array(chances, float)
    return PopularityAnswers(own, told, dict.fromkeys(POPULARITY_BASELINES, np.zeros(len(own))))


def evaluated(corpus: Corpus, answers: PopularityAnswers, **options: Any) -> Found:
    judgements = count_judgements(corpus)
    found = evaluate_answers(Answers(None, answers), corpus, judgements, **options).popularity
    assert found is not None
    json.dumps(found, allow_nan=False)
    return found


def rows_of(*groups: tuple[int, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"popularity": float((7 * i) % size), "popularity_group": f"g{number}", "headline": "h", **more}
        for number, (size, more) in enumerate(groups)
        for i in range(size)
    ]


def test_each_source_is_ranked_by_itself(corpus_of: Make) -> None:
    """Also within groups that several sources share."""
    rows = rows_of((40, {}), (13, {"source": "a"}), (9, {"source": "c"}), (12, {"source": " "}))
    for i in range(40):
        rows[i]["source"] = "abbbb"[i % 5]  # 8 of a, 32 of b
    corpus = corpus_of(rows)
    scores = np.random.default_rng(0).random(len(rows))
    found = evaluated(corpus, answers_to(corpus, scores))
    assert list(found["by_source"]) == ["b", "a"]  # the most articles first; without a source, none
    own = [i for i in range(40) if rows[i]["source"] == "b"]
    alone = evaluate_popularity([rows[i]["popularity"] for i in own], scores[own], ["g"] * 32, flags=False)
    assert found["by_source"]["b"] == {
        "n": 32,
        "groups": 1,
        "ndcg_at_10": alone.ndcg_at_10,
        "top5_overlap": alone.top5_overlap,
        "random_ndcg_at_10": found["by_source"]["b"]["random_ndcg_at_10"],
        "intervals": {"ndcg_at_10": [alone.ndcg_at_10] * 2, "top5_overlap": [alone.top5_overlap] * 2},
    }
    assert (found["by_source"]["a"]["n"], found["by_source"]["a"]["groups"]) == (13, 1)  # 8 are too few
    assert 0 < found["by_source"]["b"]["random_ndcg_at_10"] < 0.5
    assert "intervals" not in evaluated(corpus, answers_to(corpus, scores), intervals=False)["by_source"]["b"]


def test_an_article_of_several_sections_counts_in_each(corpus_of: Make) -> None:
    rows = rows_of((24, {}), (24, {}))
    for i, row in enumerate(rows):
        row["sections"] = ["x", "y"] if i % 2 else ["x"]
    corpus = corpus_of(rows)
    found = evaluated(corpus, answers_to(corpus, corpus.popularity))["by_section"]
    assert {name: (own["n"], own["groups"], own["ndcg_at_10"]) for name, own in found.items()} == {
        "x": (48, 2, 1.0),
        "y": (24, 2, 1.0),
    }


def test_of_flags_a_section_needs_a_hit(corpus_of: Make) -> None:
    rows = rows_of((12, {"section": "a"}), (12, {"section": "b"}))
    for i, row in enumerate(rows):
        row["popularity"] = float(i < 3)
    corpus = corpus_of(rows)
    found = evaluated(corpus, answers_to(corpus, np.arange(24)))
    assert list(found["by_section"]) == ["a"]
    assert found["groups"] == 1


def test_the_thirty_sources_with_the_most_articles(corpus_of: Make) -> None:
    corpus = corpus_of(rows_of(*((10 + i, {"source": f"s{i:02d}"}) for i in range(40))))
    found = evaluated(corpus, answers_to(corpus, np.zeros(len(corpus))))["by_source"]
    assert list(found) == [f"s{i:02d}" for i in range(39, 39 - MOST_VALUES, -1)]


def test_both_constants_of_the_chances(corpus_of: Make) -> None:
    corpus = corpus_of(rows_of((10, {}), (30, {}), (9, {})))
    base, size = 10 / 40, (1 / 2, 1 / 6)
    found = evaluated(corpus, answers_to(corpus, np.zeros(49), np.full(49, base)))
    assert found["top5_brier"] == pytest.approx(found["top5_brier_base_rate"])
    own = [share * (1 - base) ** 2 + (1 - share) * base**2 for share in size]
    assert found["top5_brier_base_rate"] == pytest.approx(np.mean(own))
    assert found["top5_brier_size"] == pytest.approx(np.mean([share * (1 - share) for share in size]))
    few = corpus_of(rows_of((9, {})))
    found = evaluated(few, answers_to(few, np.zeros(9)))
    assert (found["top5_brier_base_rate"], found["top5_brier_size"], found["by_source"]) == (None, None, {})


def test_every_interval_holds_its_figure(corpus_of: Make) -> None:
    random = np.random.default_rng(0)
    rows = rows_of(*((12, {}),) * 30)
    for row in rows:
        row["popularity"] = float(random.random() < 0.3)
    corpus = corpus_of(rows)
    scores = corpus.popularity + random.normal(size=len(rows))
    found = evaluated(corpus, answers_to(corpus, scores, random.random(len(rows))))
    assert set(found["intervals"]) == {
        *("ndcg_at_5", "ndcg_at_10", "top5_overlap", "mrr", "pairwise_accuracy", "auc", "top5_brier"),
    }
    for name, (low, high) in found["intervals"].items():
        assert low < found[name] < high, name
    ahead = found["ahead_of"]["random"]
    assert ahead["low"] < ahead["ndcg_at_10"] < ahead["high"]
    assert ahead["top5_overlap_low"] < ahead["top5_overlap"] < ahead["top5_overlap_high"]
    assert ahead["top5_overlap"] == pytest.approx(
        found["top5_overlap"] - found["baselines"]["random"]["top5_overlap"]
    )


def test_what_was_measured_is_kept_for_the_report(corpus_of: Make) -> None:
    corpus = corpus_of(rows_of((12, {}), (9, {}), (15, {})))
    judgements = count_judgements(corpus)
    answers = answers_to(corpus, np.arange(36))
    answers = replace(
        answers, scores=np.where(np.arange(36) == 3, math.nan, answers.scores)
    )  # not asked about
    basis = evaluate_answers(Answers(None, answers), corpus, judgements).basis
    assert basis is not None
    assert basis.popularity is not None
    assert basis.popularity.own.group_names == ("g0", "g2")
    assert 3 not in basis.popularity.judgements.rows
    assert tuple(basis.popularity.baselines) == POPULARITY_BASELINES

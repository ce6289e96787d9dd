"""What evaluation says of answers that are known, and the shape of its JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from classifier.calibration import Calibration
from classifier.decisions import Decisions, SetLevel, Threshold
from classifier.errors import LabelError
from classifier.linear import Linear
from classifier.model import Model
from classifier.popularity import DAYS, QUANTILES, PopularityHead, Top5Curve
from classifier.reading import Reading
from classifier.sections import SectionHead
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import CategoryBlock, TextBlock
from training.baselines import POPULARITY_BASELINES
from training.config import Config
from training.corpus import Corpus
from training.evaluation import Evaluation, evaluate, evaluate_reading
from training.labels import NO_JUDGEMENTS, count_judgements

Make = Callable[..., Corpus]

SECTIONS = {"n", "accuracy", "macro_f1", "micro_f1", "ece", "log_loss", "file", "sets"}
SINGLE = SECTIONS | {"log_loss_constant"}
POPULARITY = {
    *("n", "groups", "ndcg_at_5", "ndcg_at_10", "top5_overlap", "mrr", "pairwise_accuracy", "auc"),
    *("top5_brier", "top5_ece"),
}
POPULARITY_ONLY = {
    *("baselines", "intervals", "ahead_of", "by_source", "by_section"),
    *("top5_brier_base_rate", "top5_brier_size"),
}
CONSTANT = np.array([0.0])


LIMITS = Decisions(0.9, (Threshold(0.9, 0.8), Threshold(0.95, None)), {}, (SetLevel(0.9, 0.3),))


def section_head(
    weights: list[list[float]],
    *,
    several: bool = False,
    decisions: Decisions = LIMITS,
    assignment: list[float] | None = None,
) -> SectionHead:
    """An oracle by the column `desk`: one row of scores for each of its values 0, 1, …; labels a, b, …"""
    table = np.array(weights)
    k = table.shape[1]
    linear = Linear([CategoryBlock("desk", 1.0, tuple(map(str, range(len(table)))))], table, np.zeros(k))
    calibration = Calibration("temperature", several, np.ones(k), np.zeros(k))
    from_ = np.array(assignment or [0.0] * k) if several else None
    return SectionHead(linear, tuple("abcdef"[:k]), several, calibration, decisions, None, from_, 0)


def popularity_head(weights: list[float]) -> PopularityHead:
    block = CategoryBlock("desk", 1.0, tuple(map(str, range(len(weights)))))
    linear = Linear([block], np.array(weights)[:, None], CONSTANT)
    quantiles = np.zeros((1, QUANTILES))
    return PopularityHead(
        linear,
        (),
        quantiles,
        np.full((1, DAYS), 12.0),
        Top5Curve(-0.3, 0.0, 0.0),
        np.zeros(len(linear.weights)),
    )


def model(
    sections: SectionHead | None = None,
    popularity: PopularityHead | None = None,
    baselines: dict[str, Any] | None = None,
) -> Model:
    return Model("m", "v", {"baselines": baselines or {}}, sections, popularity)


def evaluated(corpus: Corpus, **heads: Any) -> Evaluation:
    found = evaluate(model(**heads), corpus, count_judgements(corpus))
    json.dumps(found.to_dict(), allow_nan=False)
    return found


SURE = [[9.0, 0.0], [0.0, 9.0], [0.2, 0.0]]


def test_sections_by_hand(corpus_of: Make) -> None:
    labels, desks = ["a", "a", "b", "b", "c"], ["0", "2", "1", "0", "1"]
    rows = [{"section": s, "desk": d, "headline": "x"} for s, d in zip(labels, desks, strict=True)]
    found = evaluated(corpus_of([*rows, {"headline": "unlabelled"}]), sections=section_head(SURE)).sections
    assert found is not None
    assert set(found) == SINGLE | {"intervals"}
    assert found["n"] == 5
    assert found["accuracy"] == found["micro_f1"] == 3 / 5  # a section that training never saw is wrong
    assert found["macro_f1"] == pytest.approx((2 * 2 / 5 + 2 * 1 / 4 + 0) / 3)
    sure, unsure = 1 / (1 + math.exp(-9)), 1 / (1 + math.exp(-0.2))
    losses = [-math.log(sure), -math.log(unsure), -math.log(sure), -math.log(1 - sure), -math.log(2.2e-16)]
    assert found["log_loss"] == pytest.approx(sum(losses) / 5, rel=1e-3)
    assert found["file"] == [
        {"target": 0.9, "precision": 2 / 4, "coverage": 4 / 5},
        {"target": 0.95, "precision": None, "coverage": 0.0},
    ]
    low, high = found["intervals"]["accuracy"]
    assert low <= 3 / 5 <= high
    assert found["sets"] == [{"level": 0.9, "coverage": 3 / 5, "mean_size": 6 / 5}]  # one holds both a and b


def test_the_log_loss_of_an_honest_constant(corpus_of: Make) -> None:
    def constant(desks: str, weights: list[list[float]]) -> Any:
        rows = [{"section": "a", "desk": desk} for desk in desks]
        found = evaluated(corpus_of(rows), sections=section_head(weights)).sections
        assert found is not None
        return found["log_loss_constant"]

    assert constant("00010", SURE) == pytest.approx(-0.8 * math.log(0.8) - 0.2 * math.log(0.2))
    three = [[*row, -9.0] for row in SURE]  # what is not sure is spread over two
    assert constant("00010", three) == pytest.approx(-0.8 * math.log(0.8) - 0.2 * math.log(0.1))
    assert constant("000", SURE) is None  # it is sure, and right: its loss is 0
    assert constant("11", SURE) is None  # it is always wrong


def test_prediction_sets_of_each_level(corpus_of: Make) -> None:
    sets = (SetLevel(0.9, 0.5), SetLevel(0.95, 0.3), SetLevel(0.99, 0.0))
    labels, desks = ["a", "b", "a", "z"], ["2", "2", "0", "0"]
    rows = [{"section": s, "desk": d} for s, d in zip(labels, desks, strict=True)]
    head = section_head(SURE, decisions=Decisions(0.9, (), {}, sets))
    found = evaluated(corpus_of(rows), sections=head).sections
    assert found is not None
    assert found["sets"] == [
        {"level": 0.9, "coverage": 2 / 4, "mean_size": 1.0},
        {"level": 0.95, "coverage": 3 / 4, "mean_size": 6 / 4},
        {
            "level": 0.99,
            "coverage": 3 / 4,
            "mean_size": 2.0,
        },  # no set holds a section that training never saw
    ]


def test_a_section_with_a_target_of_its_own(corpus_of: Make) -> None:
    """Whatever the target of the others, articles whose best section is b are filed from 0.99 on."""
    labels, desks = ["a", "b", "b", "a", "a"], ["2", "1", "3", "3", "0"]
    weights = [*SURE, [0.0, 3.0]]  # desk 3: b, with 0.953
    rows = [{"section": s, "desk": d} for s, d in zip(labels, desks, strict=True)]
    thresholds = (Threshold(0.8, 0.5), Threshold(0.9, None))
    found = []
    for own in ({}, {"b": Threshold(0.99, 0.99)}, {"b": Threshold(0.5, 0.9)}, {"b": Threshold(0.999, None)}):
        head = section_head(weights, decisions=Decisions(0.8, thresholds, own))
        sections = evaluated(corpus_of(rows), sections=head).sections
        assert sections is not None
        found.append([(item["precision"], item["coverage"]) for item in sections["file"]])
    assert found == [
        [(4 / 5, 1.0), (None, 0.0)],
        [(1.0, 3 / 5), (1.0, 1 / 5)],
        [(4 / 5, 1.0), (2 / 3, 3 / 5)],
        [(1.0, 2 / 5), (None, 0.0)],
    ]


def test_several_labels_by_hand(corpus_of: Make) -> None:
    weights = [[9.0, 9.0, -9.0], [9.0, -9.0, -9.0], [-9.0, -9.0, -9.0]]
    truths, desks = [["a", "b"], ["a", "c"], ["c"], ["d"]], ["0", "1", "2", "1"]
    rows = [{"sections": t, "desk": d} for t, d in zip(truths, desks, strict=True)]
    found = evaluated(corpus_of(rows), sections=section_head(weights, several=True)).sections
    assert found is not None
    assert set(found) == SECTIONS | {"intervals"}
    assert found["sets"] == []
    assert found["accuracy"] == 1 / 4  # only the first set is exactly right
    # a: 2 found, 2 wrongly (one because the best is always assigned); b: 1; c: 2 missed; d: 1 missed
    assert found["micro_f1"] == pytest.approx(2 * 3 / (2 * 3 + 2 + 2 + 1))
    assert found["macro_f1"] == pytest.approx((2 * 2 / 6 + 1 + 0 + 0) / 4)
    assert found["file"][0] == {"target": 0.9, "precision": 2 / 3, "coverage": 3 / 4}


def test_assigned_labels_are_those_above_their_threshold_and_always_the_best(corpus_of: Make) -> None:
    weights = [[2.0, 1.0, -3.0], [0.5, 0.4, 0.3]]
    rows = [{"sections": ["a", "b"], "desk": "0"}, {"sections": ["a"], "desk": "1"}]

    def accuracy(assignment: list[float]) -> Any:
        head = section_head(weights, several=True, assignment=assignment)
        found = evaluated(corpus_of(rows), sections=head).sections
        assert found is not None
        return found["accuracy"], found["micro_f1"]

    assert accuracy([1.0, 1.0, 1.0]) == (1.0, 1.0)  # of the second article only the best, below its threshold
    assert accuracy([1.0, 1.5, 1.0]) == (1 / 2, pytest.approx(4 / 5))
    assert accuracy([0.0, 0.0, 0.0]) == (1 / 2, pytest.approx(6 / 8))


def test_what_says_too_little_is_not_filed(corpus_of: Make) -> None:
    """As `newsdesk predict` does: of an article with fewer known words than any in training, nothing is sure."""
    words = TextBlock.of("headline", Analyzer(), ("known", "seen"), np.ones(2))
    linear = Linear([words], np.array([[9.0, -9.0], [-9.0, 9.0]]), np.zeros(2))
    calibration = Calibration("temperature", False, np.ones(2), np.zeros(2))
    head = SectionHead(
        linear, ("a", "b"), False, calibration, LIMITS, np.array([0.9, 0.1]), None, least_known=2
    )
    headlines = ["unheard of", "known", "known and seen and known"]
    corpus = corpus_of([{"headline": headline, "section": "a"} for headline in headlines])
    filed = [result.decision == "file" for result in head.results(corpus.rows)]
    sets = head.sets(corpus.rows, 0.9)
    found = evaluated(corpus, sections=head).sections
    assert found is not None
    assert found["file"][0]["coverage"] == np.mean(filed)
    assert found["sets"][0]["mean_size"] == np.mean([len(own) for own in sets])


def test_section_baselines(corpus_of: Make) -> None:
    rows = [{"section": s, "source": s, "desk": "0"} for s in "aab"]
    tables = {"sections": {"majority": "a", "source": {"a": "a", "b": "b"}}}
    found = evaluated(corpus_of(rows), sections=section_head(SURE), baselines=tables).sections
    assert found is not None
    assert found["baselines"] == {"majority": {"accuracy": 2 / 3}, "source": {"accuracy": 1.0}}


def group(size: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"desk": str(i), "popularity": float(i * i), "popularity_group": "g", "headline": f"h {i}", **more}
        for i in range(size)
    ]


def test_popularity_of_a_perfect_order(corpus_of: Make) -> None:
    found = evaluated(
        corpus_of(group(12)), popularity=popularity_head([float(i) for i in range(12)])
    ).popularity
    assert found is not None
    assert set(found) == POPULARITY | POPULARITY_ONLY
    assert tuple(found["baselines"]) == POPULARITY_BASELINES
    assert all(set(own) == POPULARITY for own in found["baselines"].values())
    assert (found["n"], found["groups"], found["auc"]) == (12, 1, None)
    assert [
        found[name] for name in ("ndcg_at_5", "ndcg_at_10", "top5_overlap", "mrr", "pairwise_accuracy")
    ] == [1] * 5
    assert found["baselines"]["random"]["pairwise_accuracy"] == 0.5
    assert found["baselines"]["random"]["top5_overlap"] == pytest.approx(5 / 12)
    assert found["ahead_of"]["random"]["ndcg_at_10"] == pytest.approx(
        1 - found["baselines"]["random"]["ndcg_at_10"]
    )
    assert found["ahead_of"]["random"]["top5_overlap"] == pytest.approx(1 - 5 / 12)


def test_a_constant_is_as_good_as_random(corpus_of: Make) -> None:
    found = evaluated(corpus_of(group(12)), popularity=popularity_head([1.0] * 12)).popularity
    assert found is not None
    random = found["baselines"]["random"]
    assert {name: found[name] for name in random if not name.startswith("top5_")} == {
        name: value for name, value in random.items() if not name.startswith("top5_")
    }
    assert found["top5_overlap"] == random["top5_overlap"]
    assert set(found["ahead_of"]["random"].values()) == {0.0}


def test_neither_order_nor_id_matters(corpus_of: Make) -> None:
    rows = [row for size in (12, 15) for row in group(size, popularity_group=f"g{size}")]
    head = popularity_head([math.sin(i) for i in range(15)])
    found = evaluated(corpus_of(rows), popularity=head)
    assert evaluated(corpus_of(rows[::-1]), popularity=head) == found
    assert (
        evaluated(corpus_of([{**row, "id": f"z{99 - i}"} for i, row in enumerate(rows)]), popularity=head)
        == found
    )


def test_leaked_articles_are_counted_and_left_out(corpus_of: Make) -> None:
    rows = [{"section": "a", "desk": "0"}] * 3 + [{"section": "a", "desk": "1"}]
    corpus = corpus_of([*[{**row, "headline": "x"} for row in rows], *group(11)])
    leaked = np.zeros(len(corpus), np.bool_)
    leaked[[0, 1, 4]] = True
    heads = {"sections": section_head(SURE), "popularity": popularity_head([float(i) for i in range(11)])}
    found = evaluate(model(**heads), corpus, count_judgements(corpus), leaked=leaked)
    assert found.sections is not None
    assert found.popularity is not None
    assert found.sections["accuracy"] == 3 / 4
    assert found.sections["near_duplicates"] == 2
    assert set(found.sections["without_near_duplicates"]) == SINGLE
    assert found.sections["without_near_duplicates"]["accuracy"] == 1 / 2
    assert found.popularity["near_duplicates"] == 1
    assert found.popularity["without_near_duplicates"]["n"] == 10
    everything = evaluate(
        model(**heads), corpus, count_judgements(corpus), leaked=np.ones(len(corpus), np.bool_)
    )
    assert everything.sections is not None
    assert everything.sections["without_near_duplicates"] is None
    json.dumps(everything.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "rows",
    [
        group(9),  # no group of 10
        [{**row, "popularity": 0.0} for row in group(12)],  # flags without a 1
        [{**row, "popularity": 1.0} for row in group(12)],
        [{**row, "popularity": 7.0} for row in group(12)],
        group(1, section="a"),
        [{"section": "never seen", "desk": "0"}],
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_degenerate_inputs_give_json_without_nan(
    corpus_of: Make, rows: list[dict[str, Any]], several: bool
) -> None:
    head = section_head(SURE, several=several)
    found = evaluated(corpus_of(rows), sections=head, popularity=popularity_head([1.0] * 12))
    assert found.sections is not None or found.popularity is not None


def test_what_is_not_there_is_none(corpus_of: Make) -> None:
    heads = {"sections": section_head(SURE), "popularity": popularity_head([1.0] * 12)}
    assert evaluated(corpus_of([{"headline": "x"}]), **heads) == Evaluation(None, None)
    assert evaluated(corpus_of(group(12, section="a"))) == Evaluation(None, None)


def test_articles_made_from_boxes_are_not_evaluated_on(corpus_of: Make) -> None:
    rows = corpus_of([{"section": "a", "desk": "0"}, {"section": "a", "desk": "1"}])
    corpus = Corpus(rows.table, rows.timezone, np.array([False, True]))
    found = evaluate(model(section_head(SURE)), corpus, NO_JUDGEMENTS)
    assert found.sections is not None
    assert (found.sections["n"], found.sections["accuracy"]) == (1, 1.0)


def test_the_part_that_is_evaluated(reading_of: Callable[..., Reading]) -> None:
    rows = [{"headline": f"x{i}", "section": "ab"[i % 2], "desk": "0"} for i in range(4)]
    rows += [{"headline": "held out", "section": "a", "desk": "0", "split": "test"}]
    own = model(section_head(SURE))

    def accuracy(split: str | None, given: list[dict[str, Any]]) -> float:
        found = evaluate_reading(own, reading_of(given), Config(), split).sections
        assert found is not None
        return float(found["accuracy"])

    assert accuracy(None, rows) == 1.0
    assert accuracy("all", rows) == 3 / 5
    assert accuracy(None, rows[:4]) == 1 / 2
    with pytest.raises(LabelError, match="no article is in the train part"):
        accuracy("train", rows)
    with pytest.raises(LabelError, match="nothing can be evaluated: no article has a section"):
        accuracy(None, [{"headline": "unlabelled"}])


def test_boxes_are_the_truth_where_there_are_no_counts(reading_of: Callable[..., Reading]) -> None:
    rows = [
        {"headline": f"title {i}", "desk": str(i), "published_at": f"2031-04-01T{i:02d}:00:00Z"}
        for i in range(12)
    ]
    boxes = [
        {"list": "*", "rank": rank, "headline": f"Title {11 - rank}", "taken_at": "2031-04-02T00:00:00Z"}
        for rank in range(1, 6)
    ]
    own = model(popularity=popularity_head([float(i) for i in range(12)]))
    found = evaluate_reading(own, reading_of(rows, boxes), Config(), None).popularity
    assert found is not None
    assert (found["n"], found["groups"]) == (12, 1)
    assert found["top5_overlap"] == pytest.approx(4 / 5)  # "title 11" is not listed

"""Facts as a manifest holds them, and content with everything in it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from training.config import Config
from training.hygiene import Conflict, Confusable, Direction, SimilarNames, Suspect
from training.learning import LearningPoint
from training.report.content import (
    Confusion,
    CoverageCurve,
    Hygiene,
    LabelCount,
    LabelScore,
    Mistake,
    Reliability,
    ReportContent,
    SectionContent,
    SetRow,
    SliceRow,
    TargetPoint,
)
from training.report.popularity.content import (
    Chances,
    HitShare,
    LabelFacts,
    OverTime,
    Place,
    PopularityContent,
    RankTable,
    ScoreSlice,
    Series,
    Surprise,
    WordEffect,
    WordPanel,
)

PART = {"articles": 120, "window": ["2031-04-01T06:15+09:00", "2031-04-20T22:45+09:00"]}
BASELINES = ("random", "recency", "source", "section", "source_hour")
FACTS: dict[str, Any] = {
    "libraries": {"newsdesk": "0.1.0", "python": "3.11.7", "numpy": "2.4.6"},
    "configuration": Config().to_dict(),
    "data": {
        "train": PART,
        "test": PART,
        "split": "as given by the split column",
        "train_boxes": 3,
        "test_boxes": 2,
        "fingerprint": "45a7e1b129ad6848" * 4,
    },
    "metrics": {
        "sections": {
            "n": 120,
            "accuracy": 0.95,
            "macro_f1": 0.949,
            "micro_f1": 0.95,
            "ece": 0.0239,
            "log_loss": 0.1625,
            "file": [
                {"target": 0.95, "precision": 0.99, "coverage": 0.858},
                {"target": 0.99, "precision": None, "coverage": 0.0},
            ],
            "intervals": {"accuracy": [0.908, 0.983]},
            "baselines": {"majority": {"accuracy": 0.2083}, "source": {"accuracy": 0.2083}},
        },
        "popularity": {
            "n": 120,
            "ndcg_at_10": 0.825,
            "top5_overlap": 0.7,
            "mrr": 0.65,
            "top5_ece": 0.086,
            "top5_brier": 0.18,
            "top5_brier_base_rate": 0.24,
            "top5_brier_size": 0.16,
            "intervals": {"ndcg_at_10": [0.75, 0.9], "top5_overlap": [0.6, 0.8], "top5_brier": [0.15, 0.2]},
            "baselines": {name: {"ndcg_at_10": 0.5, "top5_overlap": 0.42, "mrr": 0.2} for name in BASELINES},
            "ahead_of": {
                "random": {
                    "ndcg_at_10": 0.3,
                    "low": 0.2,
                    "high": 0.4,
                    "top5_overlap": -0.1,
                    "top5_overlap_low": -0.2,
                    "top5_overlap_high": 0.05,
                }
            },
        },
    },
}


@pytest.fixture
def facts() -> dict[str, Any]:
    return copy.deepcopy(FACTS)


@pytest.fixture
def created() -> datetime:
    return datetime(2031, 5, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def content() -> ReportContent:
    labels = ("Politics", "경제", "社会・くらし", "العربية")
    return ReportContent(
        SectionContent(
            labels=labels,
            confusion=Confusion(
                labels, np.diag([20, 19, 5, 8]) + np.eye(4, k=1, dtype=np.int64), np.array([21, 20, 6, 8]), 4
            ),
            reliability=Reliability(np.array([0.5, 0.9]), np.array([0.55, 0.92]), np.array([26, 26])),
            precision_coverage=CoverageCurve(
                np.array([0.25, 0.5, 1.0]),
                np.array([1.0, 0.99, 0.95]),
                (
                    TargetPoint(0.95, 0.8, 0.9, 0.97),
                    TargetPoint(0.98, 0.99, 0.0, None),
                    TargetPoint(0.99, None, 0.0, None),
                ),
                52,
            ),
            f1=tuple(LabelScore(label, 0.9, 0.8, 0.95, 10) for label in labels),
            counts=tuple(LabelCount(label, 40, 10) for label in labels),
            learning_curve=(LearningPoint(100, 0.8, 0.75, 0.85), LearningPoint(800, 0.9, 0.88, 0.92)),
            slices=MappingProxyType(
                {"source": (SliceRow("聯合", 30, 0.9, 0.8, 0.95), SliceRow("Reuters", 22, 1.0, 0.85, 1.0))}
            ),
            sets=(SetRow(0.9, 0.93, 1.1),),
            top_words=MappingProxyType(dict.fromkeys(labels, (("text: word", 2.0), ("text:  par", 1.0)))),
            mistakes=(
                Mistake("A headline", "Politics", "경제", 0.93, (("text: bank", 0.5), ("text: vote", -0.2))),
            ),
            hygiene=Hygiene(
                suspects=(
                    Suspect("wrong", "1", "Shares fall", "Politics", "경제", 0.97, 0.01, 0.96),
                    Suspect("missing", "2", "Exports rise", None, "경제", 0.9, None, 0.8),
                    Suspect("extra", "3", "A goal", "Politics", None, None, 0.02, 0.96),
                ),
                suspects_found=7,
                conflicts=(
                    Conflict(
                        ("4", "5", "6"),
                        ("Storm", "Storm!", "STORM"),
                        (("Politics", "경제"), ("경제",), ("경제", "Politics")),
                    ),
                ),
                conflicts_found=1,
                confusable=(
                    Confusable(
                        "Politics",
                        "경제",
                        Direction(50, 3, 0.06, 0.02, 0.16),
                        Direction(40, 12, 0.3, 0.18, 0.45),
                    ),
                ),
                similar=(SimilarNames(("Politics", "politics"), (40, 1), "write Politics for all of them"),),
            ),
        ),
        popularity(),
    )


def popularity() -> PopularityContent:
    """With everything in it, though counts and flags never come together."""
    points, nothing = np.array([0.7, 0.9]), np.full(2, np.nan)
    word = (WordEffect("text: storm", 0.2, 12), WordEffect("headline: 경제", 0.1, 3))
    return PopularityContent(
        labels=LabelFacts("counts", 130, 12, 120, 10, 12.0, "2031-04-21", "2031-04-30"),
        ranks=RankTable(np.eye(5) * 0.5 + 0.1, np.full((5, 5), 0.2), 120, 10),
        hits=HitShare(
            np.linspace(0.5, 0.1, 5),
            np.linspace(0.4, 0.0, 5),
            np.linspace(0.6, 0.2, 5),
            np.full(5, 24.0),
            0.3,
        ),
        over_time=OverTime(
            "day",
            ("2031-04-21", "2031-04-22"),
            np.array([3, 1]),
            (
                Series(("model",), 0.8, 0.7, 0.9, points, np.array([0.6, np.nan]), np.array([0.8, np.nan])),
                Series(("random", "source_hour"), 0.5, 0.45, 0.55, points - 0.3, nothing, nothing),
            ),
        ),
        chances=Chances(
            Reliability(np.array([0.1, 0.4]), np.array([0.12, 0.38]), np.array([60, 60])),
            np.array([0.0, 0.25, 0.5]),
            np.array([60, 60]),
        ),
        words=(
            WordPanel("Words", word, (WordEffect("text: percent", -0.3, 33),)),
            WordPanel("Combinations", (WordEffect("source: 聯合 × text: vote", 0.1, 7),), ()),
        ),
        looked_at=120,
        missed=(
            Surprise(
                "A hit nobody saw", "Courier 2031-04-21", Place(1, 1, 12), Place(9, 12, 12), (("tax", -0.2),)
            ),
        ),
        promised=(Surprise("", "Courier 2031-04-22", Place(12, 12, 12), Place(2, 2, 12), (("storm", 0.4),)),),
        slices=MappingProxyType(
            {
                "source": (
                    ScoreSlice("聯合", 70, 6, 0.8, 0.7, 0.9, 0.4),
                    ScoreSlice("Courier", 50, 1, 0.6, np.nan, np.nan, 0.5),
                ),
                "section": (ScoreSlice("Politics", 60, 5, 0.7, 0.6, 0.8, 0.45),),
            }
        ),
        missing=("Something is not known.",),
    )

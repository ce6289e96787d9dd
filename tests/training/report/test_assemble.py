from __future__ import annotations

import numpy as np

from training.report.assemble import HeldOut, section_content

LABELS = ("a", "b", "c")


def held_out(truth: list[tuple[str, ...]], probability: list[list[float]], several: bool = False) -> HeldOut:
    n, table = len(truth), np.array(probability)
    return HeldOut(
        LABELS,
        truth,
        table,
        headlines=[f"headline {i}" for i in range(n)],
        lengths=[40, 400] * (n // 2),
        days=["2031-04-01", "2031-05-01"] * (n // 2),
        sources=["S"] * n,
        languages=[None] * n,
        assigned=table >= 0.5 if several else None,
    )


def test_one_label_an_article_one_of_them_unknown_to_the_model() -> None:
    truth = [("a",), ("b",), ("a",), ("new",)]
    probability = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.9, 0.0], [0.3, 0.3, 0.4]]
    content = section_content(
        held_out(truth, probability),
        thresholds=[(0.95, 0.8)],
        words=lambda i: [("bank", float(i))],
        train_labels=[("a",), ("b",), ("b",), ("rare",)],
    )
    assert content.confusion is not None
    assert content.confusion.labels == ("a", "b", "c", "new")
    assert content.confusion.counts.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    assert [(m.headline, m.truth, m.predicted, m.words) for m in content.mistakes] == [
        ("headline 2", "a", "b", (("bank", 2.0),)),
        ("headline 3", "new", "c", (("bank", 3.0),)),
    ]
    assert {count.label: (count.train, count.test) for count in content.counts} == {
        "a": (1, 2),
        "b": (2, 1),
        "c": (0, 0),
        "new": (0, 1),
        "rare": (1, 0),
    }
    assert content.precision_coverage is not None
    assert content.precision_coverage.points[0].coverage == 0.5
    assert content.precision_coverage.points[0].precision == 0.5
    assert set(content.slices) == {"month", "length"}  # one source, no language: nothing to compare
    assert [row.accuracy for row in content.slices["month"]] == [0.5, 0.5]


def test_several_labels_an_article() -> None:
    truth = [("a", "b"), ("b",), ("c",), ("a", "new")]
    probability = [[0.9, 0.8, 0.1], [0.6, 0.7, 0.1], [0.9, 0.1, 0.4], [0.8, 0.1, 0.1]]
    content = section_content(held_out(truth, probability, several=True))
    assert content.several
    assert content.confusion is not None
    assert content.confusion.labels == ("a", "b", "c", "new")
    # "c" was missed where "a" was wrong; the wrong "a" of the second article missed nothing.
    assert content.confusion.counts.tolist() == [[2, 0, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert [row.accuracy for row in content.slices["month"]] == [0.5, 0.0]  # the whole set must be right
    assert [(m.truth, m.predicted) for m in content.mistakes] == [("c", "a")]  # being among them is right
    assert content.reliability is not None
    assert content.reliability.accuracy.mean() == 0.75

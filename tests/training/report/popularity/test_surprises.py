"""Hits we missed, flops we promised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from training.report.popularity.content import Place, Surprise
from training.report.popularity.surprises import places, surprises


def found_in(
    truth: Sequence[float], scores: Sequence[float], **more: Any
) -> tuple[tuple[Surprise, ...], tuple[Surprise, ...]]:
    n = len(truth)
    given: dict[str, Any] = {"flags": False, "words": lambda article, members: (), "articles": np.arange(n)}
    given |= {"groups": {"g": np.arange(n)}, "headlines": [f"h{i}" for i in range(n)]} | more
    return surprises(truth=np.array(truth, float), scores=np.array(scores, float), **given)


FALLING = [float(12 - i) for i in range(12)]  # article 0 is the most popular of 12


def test_places_of_equal_values_are_shared() -> None:
    assert places(np.array([3.0, 1.0, 3.0, 0.0])) == [
        Place(1, 2, 4),
        Place(3, 3, 4),
        Place(1, 2, 4),
        Place(4, 4, 4),
    ]


def test_the_right_order_has_no_surprises() -> None:
    assert found_in(FALLING, FALLING) == ((), ())


def test_the_reverse_order_has_the_best_and_the_last_first() -> None:
    missed, promised = found_in(FALLING, FALLING[::-1])
    assert [item.headline for item in missed] == ["h0", "h1", "h2", "h3", "h4"]
    assert (missed[0].true, missed[0].predicted) == (Place(1, 1, 12), Place(12, 12, 12))
    assert [item.headline for item in promised] == ["h11", "h10", "h9", "h8", "h7"]
    assert (promised[0].true, promised[0].predicted) == (Place(12, 12, 12), Place(1, 1, 12))
    assert [len(own) for own in found_in(FALLING, FALLING[::-1], most=2)] == [2, 2]


def test_what_is_tied_at_the_edge_of_five_is_no_surprise() -> None:
    assert found_in(FALLING, [0.0] * 12) == ((), ())
    missed, promised = found_in([1.0] * 12, FALLING)
    assert (missed, promised) == ((), ())
    missed, _ = found_in([2.0] * 3 + [1.0] * 4 + [0.0] * 5, list(range(12)))
    assert [item.true for item in missed] == [
        Place(1, 3, 12)
    ] * 3  # of places 4 to 7 nobody knows who is fifth


def test_of_flags_every_one_is_a_hit_and_the_best_predicted_zero_the_worst_flop() -> None:
    flags = [1.0] * 7 + [0.0] * 5
    missed, promised = found_in(flags, list(range(12)), flags=True)
    assert {item.headline for item in missed} == {f"h{i}" for i in range(7)}
    assert missed[0].headline == "h0"
    assert [item.headline for item in promised] == ["h11", "h10", "h9", "h8", "h7"]


def test_an_article_is_listed_once_for_its_worst_group() -> None:
    truth, scores = [*FALLING, *FALLING], [*FALLING[::-1], *FALLING[::-1]]
    articles = np.r_[np.arange(12), np.arange(11, -1, -1)]  # its own reverse in the second group
    groups = {"a": np.arange(12), "b": np.arange(12, 24)}
    missed, _ = found_in(truth, scores, articles=articles, groups=groups)
    assert len({item.headline for item in missed}) == len(missed) == 10


def test_only_the_words_that_pulled_the_wrong_way_are_shown_heaviest_first() -> None:
    asked: list[tuple[int, list[int]]] = []

    def words(article: int, members: Any) -> list[tuple[str, float]]:
        asked.append((article, members.tolist()))
        return [("up", 0.3), ("down", -0.1), ("far down", -0.4), ("far up", 0.5), ("nothing", 0.0)]

    missed, promised = found_in(FALLING, FALLING[::-1], words=words, most=1)
    assert missed[0].words == (("far down", -0.4), ("down", -0.1))
    assert promised[0].words == (("far up", 0.5), ("up", 0.3))
    assert asked == [(0, list(range(12))), (11, list(range(12)))]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_judgements_is_no_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, scores = random.integers(8, size=(2, 40)).astype(float)
    order = random.permutation(40)
    expected = found_in(truth.tolist(), scores.tolist())
    headlines = [f"h{i}" for i in order.tolist()]
    again = found_in(
        truth[order].tolist(),
        scores[order].tolist(),
        headlines=headlines,
        groups={"g": random.permutation(40)},
    )
    assert again == expected

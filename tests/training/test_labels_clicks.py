"""Clicks per shown list: joined, expected, and made into judgements and targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.reading.base import click_schema
from training.config import Config
from training.corpus import Corpus
from training.dataset import fingerprint, judgements_of
from training.labels import (
    UNKNOWN,
    Box,
    Clicks,
    click_judgements,
    click_targets,
    expected_clicks,
    join_clicks,
    position_rates,
    standardised_targets,
    training_targets,
)

Make = Callable[..., Corpus]
Line = tuple[Any, ...]


def table(lines: list[Line], files: list[str] | None = None, size: int = 4) -> pa.Table:
    """Lines of (list, article, clicked, position), in batches of `size`, each with its own dictionaries."""
    schema = click_schema().append(pa.field("file", click_schema().field("shown").type))
    files = files or ["log"] * len(lines)
    rows = [(*(*line, None)[:4], file) for line, file in zip(lines, files, strict=True)]
    batches = []
    for start in range(0, len(rows), size):
        columns = list(zip(*rows[start : start + size], strict=True))
        arrays = [
            pa.array(values, pa.string()).dictionary_encode()
            if pa.types.is_dictionary(kind)
            else pa.array(values, kind)
            for values, kind in zip(columns, schema.types, strict=True)
        ]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return pa.Table.from_batches(batches, schema)


def joined(lines: list[Line], ids: str = "abcdef", files: list[str] | None = None) -> Clicks:
    found = join_clicks(table(lines, files), pa.chunked_array([list(ids)]))
    assert found is not None
    return found


def everything(count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.ones(count, np.bool_)


def judged(lines: list[Line], ids: str = "abcdef") -> dict[str, set[tuple[str, float]]]:
    """What each group says."""
    found = click_judgements(joined(lines, ids), everything(len(ids)))
    groups: dict[str, set[tuple[str, float]]] = {}
    for row, value, group in zip(found.rows, found.values, found.groups, strict=True):
        groups.setdefault(str(group), set()).add((ids[row], float(value)))
    return groups


# Joining


def test_lines_are_joined_with_articles_by_id() -> None:
    found = joined(
        [("i", "a", True, 1), ("i", "c", False, 2), ("i", "nobody", True, 3), ("j", "b", False, None)]
    )
    assert found.rows.tolist() == [0, 2, 1]
    assert found.lists.tolist() == [0, 0, 1]
    assert found.clicked.tolist() == [True, False, False]
    assert found.positions.tolist() == [1, 2, UNKNOWN]
    report = found.report
    assert (report.lines, report.lists, report.unknown, report.repeated) == (4, 2, 1, 0)
    assert report.example == "nobody"


def test_clicks_of_unknown_articles_alone_say_nothing() -> None:
    found = joined([("i", "x", True), ("i", "y", False)])
    assert (len(found), found.report.lists, found.report.unknown) == (0, 0, 2)
    assert len(click_judgements(found, everything(6))) == 0


def test_no_clicks_are_none() -> None:
    assert join_clicks(table([]), pa.chunked_array([["a"]])) is None


def test_an_article_twice_in_a_list_counts_once_clicked_and_at_its_first_place() -> None:
    found = joined(
        [
            ("i", "a", False, 7),
            ("i", "b", False, 2),
            ("i", "a", True, 3),
            ("i", "a", False, None),
            ("j", "a", True),
        ]
    )
    assert found.rows.tolist() == [0, 1, 0]
    assert found.clicked.tolist() == [True, False, True]
    assert found.positions.tolist() == [3, 2, UNKNOWN]
    assert found.report.repeated == 2


def test_lists_of_one_name_in_two_files_are_two() -> None:
    lines: list[Line] = [("1", "a", True), ("1", "b", False), ("1", "a", False), ("1", "b", True)]
    assert joined(lines, files=["x", "x", "y", "y"]).report.lists == 2
    assert joined(lines).report.lists == 1


LINES = st.lists(
    st.tuples(st.sampled_from("ijkl"), st.sampled_from("abcx"), st.booleans(), st.integers(0, 3)),
    min_size=1,
    max_size=30,
)


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_says_nothing(lines: list[Line], random: Any) -> None:
    found, other = (
        click_judgements(joined(some, "abc"), everything(3), limit=2)
        for some in (lines, random.sample(lines, len(lines)))
    )
    np.testing.assert_array_equal(found.targets, other.targets)
    assert sorted(zip(found.groups, found.rows, found.values, strict=True)) == sorted(
        zip(other.groups, other.rows, other.values, strict=True)
    )


# What was to be expected


def chances(rates: list[float], drawn: int) -> list[float]:
    """Each line's chance to be clicked, knowing how many are: over all ways to click so many, in whole polynomials."""

    def ways(odds: list[float]) -> list[float]:
        found = [1.0]
        for one in odds:
            found = [a + one * b for a, b in zip([*found, 0.0], [0.0, *found], strict=True)]
        return found

    odds = [rate / (1 - rate) for rate in rates]
    every = ways(odds)[drawn]
    return [one * ways(odds[:i] + odds[i + 1 :])[drawn - 1] / every for i, one in enumerate(odds)]


SHOWN = st.integers(2, 9).flatmap(
    lambda size: st.tuples(
        st.lists(st.floats(0.01, 0.99), min_size=size, max_size=size), st.integers(1, size - 1)
    )
)


@given(st.lists(SHOWN, min_size=1, max_size=6))
def test_expected_clicks_are_the_chances_of_being_among_the_clicked(
    shown: list[tuple[list[float], int]],
) -> None:
    lists = np.repeat(np.arange(len(shown)), [len(rates) for rates, _ in shown])
    clicked = np.concatenate([np.arange(len(rates)) < drawn for rates, drawn in shown])
    expected = expected_clicks(lists, clicked, np.concatenate([rates for rates, _ in shown]))
    wanted = np.concatenate([chances(rates, drawn) for rates, drawn in shown])
    np.testing.assert_allclose(expected, wanted, rtol=1e-6)


@pytest.mark.parametrize("drawn", [1, 4, 5, 29, 60, 115, 116, 119])
def test_long_lists_with_many_clicks_are_near_enough(drawn: int) -> None:
    rates = (0.02 + 0.5 / np.arange(1, 121)).tolist()
    lists, clicked = np.repeat([0, 1], [120, 3]), np.append(np.arange(120) < drawn, [True, False, False])
    expected = expected_clicks(lists, clicked, np.array([*rates, 0.2, 0.2, 0.2]))
    np.testing.assert_allclose(expected[:120], chances(rates, drawn), atol=0.005)
    np.testing.assert_allclose(np.bincount(lists, expected), [drawn, 1.0], atol=1e-5)
    np.testing.assert_allclose(expected[120:], 1 / 3)


def test_without_positions_the_lists_mean_is_expected() -> None:
    clicked = np.array([True, False, False, False, True, True, False])
    lists = np.array([0, 0, 0, 0, 1, 1, 1])
    expected = expected_clicks(lists, clicked, position_rates(clicked, np.full(7, UNKNOWN, np.int32)))
    np.testing.assert_allclose(expected, [0.25] * 4 + [2 / 3] * 3)


def test_rates_by_position_are_shrunk_to_the_overall_one() -> None:
    positions = np.repeat(np.array([1, 2, 2**31 - 1, UNKNOWN], np.int32), [1000, 1000, 1, 100])
    clicked = np.zeros(2101, np.bool_)
    clicked[:300] = clicked[2000] = True
    overall = 301 / 2101
    rates = position_rates(clicked, positions)
    assert rates[0] == pytest.approx((300 + 100 * overall) / 1100)
    assert rates[1000] == pytest.approx(100 * overall / 1100)
    assert rates[2000] == pytest.approx((1 + 100 * overall) / 101)  # one line there says little
    assert rates[2001] == pytest.approx(overall)


# Judgements


def test_a_list_is_a_group_of_flags() -> None:
    found = judged(
        [("i", "a", True), ("i", "b", False), ("j", "b", True), ("j", "c", False), ("j", "d", False)]
    )
    assert sorted(found.values(), key=len) == [
        {("a", 1.0), ("b", 0.0)},
        {("b", 1.0), ("c", 0.0), ("d", 0.0)},
    ]


@pytest.mark.parametrize("clicked", [True, False])
def test_a_list_without_a_click_or_with_clicks_only_says_nothing(clicked: bool) -> None:
    assert judged([("i", "a", clicked), ("i", "b", clicked), ("j", "c", True)]) == {}


def test_what_was_clicked_on_the_other_side_says_nothing() -> None:
    lines: list[Line] = [("i", "a", False), ("i", "b", False), ("i", "c", True)]
    part = np.array([True, True, False])
    assert len(click_judgements(joined(lines, "abc"), part)) == 0
    lines += [("j", "b", False), ("j", "c", True), ("j", "a", True)]
    found = click_judgements(joined(lines, "cab"), np.array([False, True, True]))
    assert (found.rows.tolist(), found.values.tolist()) == ([0, 1], [1.0, 0.0])  # counted inside the part
    assert found.targets is not None
    assert found.targets.shape == (2,)


def test_of_many_lists_some_are_judged_and_all_teach() -> None:
    lines = [(f"{n:03d}", "ab"[k], (n % 4 == 0) == (k == 0)) for n in range(200) for k in range(2)]
    clicks = joined(lines, "ab")
    few, all_ = (click_judgements(clicks, everything(2), limit=limit) for limit in (50, 1000))
    assert (len(np.unique(few.groups)), len(np.unique(all_.groups))) == (50, 200)
    np.testing.assert_array_equal(few.targets, all_.targets)
    assert 25 <= np.bincount(few.rows, few.values)[1] < 50  # from everywhere


def test_within_takes_the_targets_along() -> None:
    found = click_judgements(joined([("i", "a", True), ("i", "b", False), ("i", "c", False)]), everything(6))
    part = found.within(np.array([False, True, True, False, False, True]))
    assert found.targets is not None
    assert part.targets is not None
    np.testing.assert_array_equal(part.targets, found.targets[[1, 2, 5]])
    np.testing.assert_array_equal(standardised_targets(part, 3), part.targets)


# Targets


def targets(got: list[tuple[int, bool, float]], count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    rows, clicked, expected = (np.array(values) for values in zip(*got, strict=True))
    return click_targets(rows, clicked, expected, count)


def test_targets_by_hand() -> None:
    # No article was shown twice: k is 3.
    found = targets([(0, True, 0.5), (1, False, 0.5)], 3)
    raw = np.array([np.log(4 / 3.5), np.log(3 / 3.5)])
    np.testing.assert_allclose(found[:2], raw / np.sqrt((raw**2).mean()))
    assert np.isnan(found[2])


def test_one_lucky_list_does_not_count_as_much_as_a_thousand() -> None:
    lucky = [(0, True, 0.04)]
    steady = [(1, n % 12 == 0, 0.04) for n in range(1000)]  # twice what was expected
    others = [(2 + n % 49, n % 25 == 0, 0.04) for n in range(20_000)]
    found = targets([*lucky, *steady, *others], 51)
    assert 0 < found[0] < 0.5 * found[1]
    assert found[1] > np.nanmax(found[2:])


def test_where_everything_is_as_expected_nothing_is_known() -> None:
    assert np.isnan(targets([(0, True, 0.5), (0, False, 0.5), (1, True, 0.5), (1, False, 0.5)], 2)).all()


def simulated(seed: int, *, favourite: int | None = None) -> tuple[list[Line], np.ndarray[Any, Any]]:
    """Lists of 6 of 20 articles; a click takes a look at the place (1 / place) and the article's appeal. The favourite
    always stands on top."""
    generator = np.random.default_rng(seed)
    appeal = np.linspace(0.02, 0.4, 20) if favourite is None else np.full(20, 0.2)
    lines: list[Line] = []
    for number in range(3000):
        own = generator.permutation(20)[:6]
        if favourite is not None:
            own = np.append(favourite, own[own != favourite])
        for place, article in enumerate(own.tolist(), 1):
            clicked = bool(generator.random() < appeal[article] / place)
            lines.append((str(number), "abcdefghijklmnopqrst"[article], clicked, place))
    return lines, appeal


@settings(max_examples=3)
@given(st.integers(0, 10**6))
def test_targets_order_articles_by_their_appeal(seed: int) -> None:
    lines, appeal = simulated(seed)
    found = click_judgements(joined(lines, "abcdefghijklmnopqrst"), everything(20)).targets
    assert found is not None
    assert np.corrcoef(found, np.log(appeal))[0, 1] > 0.9
    assert 0.5 < found.std() < 2.0


def test_a_good_place_is_taken_out() -> None:
    lines, _ = simulated(1, favourite=0)
    ids = "abcdefghijklmnopqrst"
    with_place = click_judgements(joined(lines, ids), everything(20)).targets
    without = click_judgements(joined([line[:3] for line in lines], ids), everything(20)).targets
    assert with_place is not None
    assert without is not None
    assert without[0] > 3 * without[1:].max()  # the top place alone made it
    assert abs(with_place[0]) < 0.3 * without[0]
    assert with_place[0] < with_place.max()


# Together with counts and boxes


def test_counts_decide_clicks_fill_in_then_boxes(corpus_of: Make) -> None:
    rows = [{"id": name, "headline": name, "published_at": "2031-04-01T08:00:00Z"} for name in "abcdef"]
    rows[0]["popularity"], rows[1]["popularity"] = 5.0, 1.0  # type: ignore[assignment]
    plain = corpus_of(rows)
    clicks = joined([("i", "a", False), ("i", "b", True), ("i", "c", False), ("i", "d", True)])
    corpus = Corpus(plain.table, plain.timezone, plain.from_box, clicks)
    box = Box("*", None, ((1, "f", None), (2, "e", None), (3, "d", None)), None)
    decisive, others, report = judgements_of(corpus, (box,), Config())
    assert decisive.values.tolist() == [5.0, 1.0]
    assert report is not None
    assert [form.flags for form in others.chain()] == [True, False]
    found = training_targets(decisive, others, 6)
    np.testing.assert_allclose(found[:2], [1.0, -1.0])  # whatever was clicked
    assert found[2] < 0 < found[3]  # whatever the box says
    assert found[5] > found[4] > 0
    # Without counts in the part clicks decide, without either boxes do.
    decisive, others, _ = judgements_of(corpus, (box,), Config(), np.arange(6) > 1)
    assert decisive.flags
    assert decisive.targets is not None
    assert [form.flags for form in others.chain()] == [False]
    decisive, others, _ = judgements_of(plain, (box,), Config(), np.arange(6) > 1)
    assert not decisive.flags
    assert len(others) == 0


def test_a_box_without_a_listed_article_in_the_part_says_nothing(corpus_of: Make) -> None:
    rows = [{"id": name, "headline": name, "published_at": "2031-04-01T08:00:00Z"} for name in "abcdef"]
    corpus = corpus_of(rows)
    box = Box("*", None, ((1, "a", None), (2, "b", None)), None)
    decisive, _, _ = judgements_of(corpus, (box,), Config(), np.arange(6) > 1)
    assert len(decisive) == 0


def test_the_fingerprint_is_of_the_clicks_too(corpus_of: Make) -> None:
    articles = corpus_of([{"id": "a", "headline": "x"}]).table
    boxes = pa.table({"list": pa.array([], pa.string())})
    lines: list[Line] = [("i", "a", True, 1), ("i", "b", False, None), ("jj", "ä", True, 0)]
    found = fingerprint(articles, boxes, table(lines))
    assert fingerprint(articles, boxes, table(lines, ["x", "y", "z"], size=1)) == found
    assert fingerprint(articles, boxes, table([])) == fingerprint(articles, boxes)
    changes: list[Line] = [
        ("i", "b", True, 1),
        ("i", "a", False, 1),
        ("i", "a", True, 2),
        ("i", "a", True, None),
    ]
    for line in changes:
        assert fingerprint(articles, boxes, table([line, *lines[1:]])) != found
    assert fingerprint(articles, boxes, table([("ia", "", True, 1), *lines[1:]])) != found

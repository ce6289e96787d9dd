"""Fitting again: whatever an answer is measured against was not seen by the fit that gave it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import training.refit
from classifier.errors import LabelError, UsageError
from classifier.reading import Reading
from training.config import Config, parse_config
from training.dataset import Dataset
from training.fit import Fitted, fit
from training.refit import evaluate_folds, evaluate_forward

Read = Callable[..., Reading]
Stories = Callable[..., list[dict[str, Any]]]
# A recipe that is not chosen anew in every fit, for speed.
RECIPE = {"section_blocks": ["text word(1,1)"], "section_c": 1, "section_balance": 0, "section_half_life": 0}
FIXED = parse_config({"fit": RECIPE})


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[set[str], set[str], Dataset]]:
    """Of every fit that is made: the headlines that it learned from, those that it is asked about, and its dataset."""
    seen: list[tuple[set[str], set[str], Dataset]] = []

    def watched(dataset: Dataset, config: Config, **more: Any) -> Fitted:
        headlines = np.array(dataset.corpus.rows.texts("headline"))
        train, test = (set(headlines[side].tolist()) for side in (dataset.split.train, dataset.split.test))
        seen.append((train, test, dataset))
        return fit(dataset, config, **more)

    monkeypatch.setattr(training.refit, "fit", watched)
    return seen


def test_folds_answer_about_every_article_once(reading_of: Read, stories: Stories, fits: Any) -> None:
    rows = stories(sections=3)
    found = evaluate_folds(reading_of(rows), Config(), 4)
    assert len(fits) == 4
    everything = {row["headline"] for row in rows}
    for train, test, _ in fits:
        assert train | test == everything
        assert not train & test
        assert len(test) == 24
    assert set.union(*(test for _, test, _ in fits)) == everything
    assert found.sections is not None
    assert found.popularity is not None
    assert (found.sections["n"], found.popularity["n"], found.popularity["groups"]) == (96, 96, 8)
    assert found.sections["accuracy"] > 0.9
    assert found.popularity["ahead_of"]["random"]["low"] > 0
    json.dumps(found.to_dict(), allow_nan=False)
    assert evaluate_folds(reading_of(rows), Config(), 4) == found


def test_folds_are_stratified(reading_of: Read, stories: Stories, fits: Any) -> None:
    rows = stories(sections=3)
    section = {row["headline"]: row["section"] for row in rows}
    evaluate_folds(reading_of(rows), FIXED, 4)
    for _, test, _ in fits:
        assert sorted([section[headline] for headline in test].count(s) for s in set(section.values())) == [
            8,
            8,
            8,
        ]


def test_near_duplicates_are_in_one_fold(reading_of: Read, stories: Stories, fits: Any) -> None:
    rows = stories(days=4)
    copies = [{**row, "id": f"{row['id']}b", "headline": row["headline"] + "!"} for row in rows[:20]]
    evaluate_folds(reading_of([*rows, *copies]), FIXED, 3)
    for _, test, _ in fits:
        for row in rows[:20]:
            assert (row["headline"] in test) == (row["headline"] + "!" in test)


def test_exact_copies_count_once_in_folds(reading_of: Read, stories: Stories, fits: Any) -> None:
    rows = stories(days=4)
    undated = {"headline": "Never counted", "body": "words", "section": "Politics"}
    copies = [{**row, "id": f"{row['id']}b"} for row in rows[:20]]
    relabelled = {**rows[21], "id": "relabelled", "section": "Sports"}
    reread = {**rows[22], "id": "reread", "popularity": rows[22]["popularity"] + 1}
    everything = [*rows, *copies, undated, {**undated, "id": "again"}, relabelled, reread]
    found = evaluate_folds(reading_of(everything), FIXED, 3)
    assert found.sections is not None
    assert found.popularity is not None
    assert (found.sections["n"], found.popularity["n"]) == (48 + 1 + 2, 48 + 2)
    for _, _, dataset in fits:
        ids = np.array(dataset.corpus.rows.values("id"))
        for side in (dataset.split.train, dataset.split.test):
            assert not ({f"s{i}b" for i in range(20)} | {"again"}) & set(ids[side].tolist())
    walked = evaluate_forward(reading_of(everything[:-4]), FIXED, 1)  # a newsroom publishes what it publishes
    assert walked.sections is not None
    assert walked.sections["n"] > 10


def test_folds_neither_search_nor_choose_what_is_fixed(
    reading_of: Read, stories: Stories, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs: list[Config] = []

    def watched(dataset: Dataset, config: Config, **more: Any) -> Fitted:
        configs.append(config)
        return fit(dataset, config, **more)

    monkeypatch.setattr(training.refit, "fit", watched)
    searching = parse_config({"fit": {**RECIPE, "search": 5}})
    reading = reading_of(stories(days=3))
    assert evaluate_folds(reading, searching, 2) == evaluate_folds(reading, FIXED, 2)
    evaluate_forward(reading, searching, 1)
    assert len(configs) > 4
    assert all(config == FIXED for config in configs)


def test_each_fold_has_thresholds_and_sets_of_its_own(reading_of: Read, stories: Stories) -> None:
    decisions = {"targets": [0.6, 0.95], "coverages": [0.8], "sections": {"Politics": 0.7}}
    found = evaluate_folds(
        reading_of(stories(days=6)), parse_config({"fit": RECIPE, "decisions": decisions}), 3
    )
    assert found.sections is not None
    low, high = found.sections["file"]
    assert (low["target"], high["target"]) == (0.6, 0.95)
    assert low["coverage"] >= high["coverage"]
    assert low["precision"] > 0.9
    (sets,) = found.sections["sets"]
    assert sets["level"] == 0.8
    assert 1.0 <= sets["mean_size"] <= 2.0
    assert sets["coverage"] >= 0.8


def test_folds_of_the_training_part_leave_the_rest_alone(
    reading_of: Read, stories: Stories, fits: Any
) -> None:
    rows = [{**row, "split": "test" if i >= 60 else "train"} for i, row in enumerate(stories())]
    found = evaluate_folds(reading_of(rows), FIXED, 2, split="train")
    assert found.sections is not None
    assert found.sections["n"] == 60
    for train, test, _ in fits:
        assert train | test == {row["headline"] for row in rows[:60]}


def test_a_label_that_some_folds_do_not_know(reading_of: Read, stories: Stories) -> None:
    rows = stories(days=3)
    for row in rows[:3]:
        row["section"] = "Rare"  # with two of three left in most folds, and one in none
    found = evaluate_folds(reading_of(rows), FIXED, 3)
    assert found.sections is not None
    assert found.sections["n"] == 36


@pytest.mark.parametrize("folds", [-1, 0, 1, 25])
def test_a_number_of_folds_that_cannot_be(reading_of: Read, stories: Stories, folds: int) -> None:
    with pytest.raises(
        UsageError, match=f"--folds is {folds}, and there are 24 different articles"
    ) as caught:
        evaluate_folds(reading_of(stories(days=2)), FIXED, folds)
    assert caught.value.remedy == "give 2 to 24 folds"


def test_walking_forward_learns_only_from_before(reading_of: Read, stories: Stories, fits: Any) -> None:
    rows = stories(days=8)
    steps: list[str] = []
    day = {row["headline"]: row["published_at"][:10] for row in rows}
    rows = [{**row, "split": "test" if day[row["headline"]] >= "2031-05-05" else "train"} for row in rows]
    found = evaluate_forward(reading_of(rows), FIXED, 3, progress=steps.append)
    assert steps == ["fitting on what came before 2031-05-05", "fitting on what came before 2031-05-08"]
    assert [
        (max(map(day.get, train)), min(map(day.get, test)), max(map(day.get, test)))
        for train, test, _ in fits
    ] == [
        ("2031-05-04", "2031-05-05", "2031-05-07"),
        ("2031-05-07", "2031-05-08", "2031-05-08"),
    ]
    assert [len(train) for train, _, _ in fits] == [48, 84]
    assert found.sections is not None
    assert found.popularity is not None
    assert (found.sections["n"], found.popularity["groups"]) == (48, 4)
    json.dumps(found.to_dict(), allow_nan=False)


def test_days_are_local(reading_of: Read, stories: Stories, fits: Any) -> None:
    """8 May begins in Tokyo while it is still the 7th in UTC."""
    rows = stories(days=8)
    for row in rows:
        if row["published_at"].startswith("2031-05-08"):
            row["published_at"] = row["published_at"].replace("T1", "T0")
    evaluate_forward(reading_of(rows), FIXED, 1)
    assert [len(test) for _, test, _ in fits] == [7, 12]  # 19 are held out


def test_without_a_split_the_newest_are_walked_through(reading_of: Read, stories: Stories, fits: Any) -> None:
    rows = [*stories(days=10), {"headline": "No time at all", "body": "words", "section": "Politics"}]
    evaluate_forward(reading_of(rows), FIXED, 1)
    assert [len(test) for _, test, _ in fits] == [12, 12]
    assert all("No time at all" in train for train, _, _ in fits)


def test_copies_of_earlier_articles_are_reported(reading_of: Read, stories: Stories) -> None:
    rows = [{**row, "split": "test" if i >= 72 else "train"} for i, row in enumerate(stories())]
    rows[90] = {
        **rows[90],
        **{name: rows[80][name] for name in ("headline", "body", "section")},
    }  # a day before
    found = evaluate_forward(reading_of(rows), FIXED, 1)
    assert found.sections is not None
    assert found.sections["near_duplicates"] == 1
    assert found.sections["without_near_duplicates"]["n"] == 23


def box(day: int, titles: list[str], **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "list": "*",
            "rank": rank,
            "headline": title,
            "taken_at": f"2031-05-{day:02d}T23:30:00+09:00",
            **more,
        }
        for rank, title in enumerate(titles, 1)
    ]


def test_boxes_teach_once_they_are_printed(reading_of: Read, stories: Stories, fits: Any) -> None:
    rows = stories(days=8)
    boxes = []
    for day in range(1, 9):
        own = [row for row in rows if int(row["published_at"][8:10]) == day]
        titles = [row["headline"] for row in sorted(own, key=lambda row: -row["popularity"])[:5]]
        boxes += box(day, [*titles[:4], f"Only printed on day {day}"])
    for row in rows:
        del row["popularity"]
        row["split"] = "test" if row["published_at"] >= "2031-05-07" else "train"
    found = evaluate_forward(reading_of(rows, boxes), FIXED, 1)
    assert [len(dataset.train_boxes) for _, _, dataset in fits] == [6, 7]
    for number, (train, _, _) in enumerate(fits):
        printed = {headline for headline in train if headline.startswith("Only printed")}
        assert printed == {f"Only printed on day {day}" for day in range(1, 7 + number)}
    assert found.popularity is not None
    assert found.popularity["groups"] == 2


def test_a_box_on_an_early_page_may_have_been_printed_late(
    reading_of: Read, stories: Stories, fits: Any
) -> None:
    rows = stories(days=8)
    for row in rows:
        row["file"] = f"{row['id']}.txt"
        row["split"] = "test" if row["published_at"] >= "2031-05-08" else "train"
    titles = [row["headline"] for row in rows[:5]]
    boxes = [
        *box(2, titles, file="s3.txt"),
        *box(8, titles[::-1], file="s4.txt"),
    ]  # s4's page was crawled a week later
    evaluate_forward(reading_of(rows, boxes), FIXED, 1)
    ((_, _, dataset),) = fits
    assert [b.file for b in dataset.train_boxes] == ["s3.txt"]


def test_ignored_labels_are_measured_but_not_learned(reading_of: Read, stories: Stories) -> None:
    rows = stories()
    boxes = []
    for day in range(1, 9):
        own = [row for row in rows if int(row["published_at"][8:10]) == day]
        boxes += box(day, [row["headline"] for row in sorted(own, key=lambda row: -row["popularity"])[:5]])
    found = evaluate_folds(reading_of(rows, boxes), FIXED, 2, ignored=("popularity",))
    assert found.popularity is not None
    assert found.popularity["groups"] == 8
    assert found.popularity["ndcg_at_10"] > found.popularity["baselines"]["random"]["ndcg_at_10"]
    without_boxes = evaluate_folds(reading_of(rows), FIXED, 2, ignored=("popularity",))
    assert without_boxes.popularity is None  # nothing to learn from
    assert without_boxes.sections is not None


def test_what_walking_forward_needs(reading_of: Read, stories: Stories) -> None:
    rows = stories(days=3)
    with pytest.raises(UsageError, match="--walk-forward is 0"):
        evaluate_forward(reading_of(rows), FIXED, 0)
    with pytest.raises(UsageError, match="--walk-forward is 1000000000"):
        evaluate_forward(reading_of(rows), FIXED, 10**9)
    timeless = [{**row, "published_at": None} for row in rows]
    with pytest.raises(LabelError, match="needs the times of the test part"):
        evaluate_forward(reading_of(timeless), FIXED, 1)
    backwards = [{**row, "split": "train" if i >= 24 else "test"} for i, row in enumerate(rows)]
    with pytest.raises(LabelError, match="there is nothing to learn from before 2031-05-01"):
        evaluate_forward(reading_of(backwards), FIXED, 1)

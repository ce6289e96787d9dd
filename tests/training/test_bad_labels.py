"""Bad popularity labels through the whole path: a clear error or note from the command line, never a crash."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Rows = list[dict[str, Any]]


@pytest.fixture
def rows(stories: Callable[..., Rows]) -> Rows:
    """96 articles of eight days, in the past."""
    return [{**row, "published_at": row["published_at"].replace("2031", "2021")} for row in stories()]


def without(rows: Rows, *names: str) -> Rows:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def boxes_of(rows: Rows) -> Rows:
    """The top five of each day, taken late in the evening."""
    found = []
    for day in sorted({row["published_at"][:10] for row in rows}):
        own = [row for row in rows if row["published_at"].startswith(day)]
        best = sorted(own, key=lambda row: -row["popularity"])[:5]
        found += [
            {"list": "*", "taken_at": f"{day}T23:00:00+09:00", "rank": rank, "headline": row["headline"]}
            for rank, row in enumerate(best, 1)
        ]
    return found


def clicks_on(rows: Rows, *, lists: int = 300) -> Rows:
    """Lists of twelve of one half of the articles: those with a storm are clicked more often, and those further up."""
    draw = random.Random(0)
    found = []
    for number in range(lists):
        shown = draw.sample(rows[:48] if number % 2 else rows[48:], 12)
        for place, row in enumerate(shown, 1):
            rate = (0.5 if row["popularity"] > 3000 else 0.1) / place**0.5
            found.append(
                {
                    "shown": f"i{number}",
                    "article_id": row["id"],
                    "clicked": draw.random() < rate,
                    "position": place,
                }
            )
    return found


@pytest.fixture
def trained(here: Run, tmp_path: Path) -> Run:
    """Trains on tables, evaluates on the same ones; what both said, and the metrics of popularity."""

    def run(*tables: Rows, code: int = 0, options: tuple[str, ...] = ()) -> tuple[str, str, Any, Any]:
        names = [tmp_path / f"table{number}.jsonl" for number in range(len(tables))]
        for name, table in zip(names, tables, strict=True):
            name.write_text("\n".join(map(json.dumps, table)), encoding="utf-8")
        out = tmp_path / "artifacts" / "bad"
        first = here("train", *names, "--out", out, "--json", *options)
        assert first.code == code, first.err
        if code == 2:
            return first.err, "", None, None
        second = here("evaluate", out, *names, "--split", "all", "--json", *options)
        assert second.code == code, second.err
        return first.err, second.err, first.json["popularity"], second.json["popularity"]

    return run


def both_say(said: tuple[str, str, Any, Any], text: str) -> None:
    assert f"note: {text}" in said[0]
    assert f"note: {text}" in said[1]


# Counts


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            lambda i, row: {"popularity_group": row["id"]},
            "96 of 96 popularity groups have one article or equal counts",
        ),
        (lambda i, row: {"popularity": 7}, "8 of 8 popularity groups have one article or equal counts"),
        (lambda i, row: {"popularity": -1}, "popularity is below 0 in 96 articles"),
        (
            lambda i, row: {"published_at": None, "source": None},
            "the popularity of 96 articles cannot be compared",
        ),
    ],
)
def test_counts_that_say_nothing_give_no_head_and_say_why(
    trained: Run, rows: Rows, change: Callable[[int, dict[str, Any]], dict[str, Any]], note: str
) -> None:
    said = trained([{**row, **change(i, row)} for i, row in enumerate(rows)])
    assert "note: no popularity head: " in said[0]
    both_say(said, note)
    assert said[2:] == (None, None)


def test_nothing_to_learn_at_all_is_an_error(trained: Run, rows: Rows) -> None:
    said = trained([{**row, "popularity": -1} for row in without(rows, "section")], code=2)
    assert (
        "error: no training article has a section and no training article has a popularity, is listed"
        in said[0]
    )
    assert "ranking boxes or clicks" in said[0]


def test_some_bad_counts_are_left_out(trained: Run, rows: Rows) -> None:
    bad: dict[int, Any] = {0: -1, 1: None, 12: "many", 13: 1e308}
    said = trained(
        [{**row, "popularity": bad.get(i, row["popularity"])} for i, row in enumerate(rows)], code=1
    )
    assert "rejected: table0.jsonl, line 13: popularity: " in said[0]
    assert "error: 1 of 96 rows were rejected" in said[0]
    both_say(said, "popularity is below 0 in 1 article")
    assert said[3]["groups"] == 8
    assert said[3]["n"] == 93


def test_flags_among_counts(trained: Run, rows: Rows) -> None:
    flagged = [{**row, "popularity": float(row["popularity"] > 3000)} for row in rows[:36]]
    said = trained([*flagged, *rows[36:]])
    both_say(said, "popularity is only 0 or 1 in 3 of 8 groups and a count in others")
    assert said[3]["auc"] is None


def test_dates_at_the_edge_of_the_calendar(trained: Run, rows: Rows) -> None:
    rows[90]["published_at"], rows[50]["published_at"] = "9999-12-31T23:59:00Z", "0001-01-01T00:00:00Z"
    said = trained(rows, options=("--timezone", "Asia/Tokyo"))
    both_say(said, "1 article is dated in the future, the last on 9999-12-31")
    assert said[3]["ndcg_at_10"] > said[3]["baselines"]["random"]["ndcg_at_10"]


# Boxes


def test_boxes_whose_titles_match_nothing(trained: Run, rows: Rows) -> None:
    boxes = [{**line, "headline": f"Zebra {line['rank']} of {line['taken_at']}"} for line in boxes_of(rows)]
    said = trained(without(rows, "popularity"), boxes)
    both_say(said, "no title of the ranking boxes is the headline of an article")
    assert said[2:] == (None, None)  # nothing was listed of what is evaluated: not a perfect order


def test_wrong_ranks_are_rejected_and_counted(trained: Run, rows: Rows) -> None:
    wrong = {1: 0, 2: 1.5, 3: -2, 4: 1e300}
    boxes = boxes_of(rows)
    said = trained(
        without(rows, "popularity"), [{**line, "rank": wrong.get(line["rank"], 5)} for line in boxes], code=1
    )
    assert "rejected: table1.jsonl, line 1: rank: is 0; it must be a whole number, 1 for the top" in said[0]
    assert "error: 32 of 136 rows were rejected" in said[0]


def test_boxes_in_one_file_without_times(trained: Run, rows: Rows) -> None:
    said = trained(without(rows, "popularity"), without(boxes_of(rows), "taken_at"))
    both_say(
        said, "35 lines of ranking boxes left out: another line of the same list and time has the same rank"
    )


def test_boxes_before_any_article(trained: Run, rows: Rows) -> None:
    early = [{**line, "taken_at": line["taken_at"].replace("2021", "2011")} for line in boxes_of(rows)]
    said = trained(without(rows, "popularity"), early)
    both_say(said, "8 ranking boxes taken before any article listed there was published: check taken_at")


def test_boxes_in_another_zone_are_the_same_boxes(trained: Run, rows: Rows) -> None:
    here = trained(without(rows, "popularity"), boxes_of(rows))
    moved = [
        {**line, "taken_at": line["taken_at"].replace("T23:00:00+09:00", "T09:00:00-05:00")}
        for line in boxes_of(rows)
    ]
    assert trained(without(rows, "popularity"), moved)[3] == here[3]


# Clicks


def test_clicks_teach_and_are_evaluated_list_by_list(trained: Run, rows: Rows) -> None:
    said = trained(without(rows, "popularity"), clicks_on(rows))
    both_say(said, "clicks: 3600 lines, 300 lists that showed known articles")
    found = said[3]
    assert 200 < found["groups"] <= 300
    assert found["n"] == 12 * found["groups"]
    for name in ("ndcg_at_10", "mrr", "auc"):
        assert found[name] > found["baselines"]["random"][name] + 0.05


def test_clicks_of_unknown_articles(trained: Run, rows: Rows) -> None:
    clicks = [{**line, "article_id": "N" + line["article_id"]} for line in clicks_on(rows)]
    said = trained(without(rows, "popularity"), clicks)
    assert (
        "note: no popularity head: no training article has a popularity, is listed in a ranking box or is told"
        in said[0]
    )
    both_say(said, "3600 lines of clicks left out: no article has the id, such as")


def test_wrong_clicks_are_rejected_and_doubles_counted_once(trained: Run, rows: Rows) -> None:
    clicks = clicks_on(rows)
    clicks[3]["clicked"], clicks[4]["clicked"] = 2, "yes"
    said = trained(without(rows, "popularity"), [*clicks, clicks[7]], code=1)
    assert "rejected: table1.jsonl, line 4: clicked: is 2; write 1 (or true)" in said[0]
    assert "error: 2 of 3697 rows were rejected" in said[0]
    both_say(said, "1 line of clicks left out: the list has the article already")


def test_no_click_and_only_clicks(trained: Run, rows: Rows) -> None:
    for clicked in (0, 1):
        clicks = [{**line, "clicked": clicked} for line in clicks_on(rows, lists=20)]
        said = trained(without(rows, "popularity"), clicks)
        both_say(
            said,
            "clicks: 240 lines, 20 lists that showed known articles, 0 of them with clicked and other articles",
        )
        assert said[2:] == (None, None)


def test_clicks_without_articles_are_an_error(trained: Run, rows: Rows) -> None:
    said = trained(clicks_on(rows, lists=2), code=2)
    assert (
        "error: there are clicks but no article; give the articles that the clicks are about, too" in said[0]
    )


def test_columns_of_clicks_are_mapped_and_written_beside(here: Run, rows: Rows, tmp_path: Path) -> None:
    articles, log, out = tmp_path / "a.jsonl", tmp_path / "log.csv", tmp_path / "model"
    articles.write_text("\n".join(map(json.dumps, without(rows, "popularity"))), encoding="utf-8")
    lines = [f"{c['shown']},{c['article_id']},{c['clicked']},{c['position']}" for c in clicks_on(rows)]
    log.write_text("\n".join(["impression,item,hit,slot", *lines]), encoding="utf-8")
    mapping = [
        f"--column={pair}" for pair in ("shown=impression", "article_id=item", "clicked=hit", "position=slot")
    ]
    assert here("train", articles, log, "--out", out, *mapping).code == 0
    mapped = here("evaluate", out, articles, log, "--json", *mapping)
    read = here("read", articles, log, "-o", tmp_path / "all.parquet", *mapping)
    clicks = tmp_path / "all.clicks.parquet"
    assert read == (0, "", f"96 articles to {tmp_path / 'all.parquet'}, 3600 click lines to {clicks}\n")
    again = here("evaluate", out, tmp_path / "all.parquet", clicks, "--json")
    assert again.json["popularity"] == mapped.json["popularity"]
    assert (
        again.json["popularity"]["n"] < 96 * 12
    )  # the test part: the same articles and clicks are known again
    assert "click lines left out" in here("read", log, "-o", "-", *mapping).err


@pytest.mark.parametrize("how", [("--walk-forward", "2"), ("--folds", "2")])
def test_clicks_are_refitted_too(here: Run, rows: Rows, tmp_path: Path, how: tuple[str, ...]) -> None:
    articles, log, out = tmp_path / "a.jsonl", tmp_path / "c.jsonl", tmp_path / "model"
    articles.write_text("\n".join(map(json.dumps, without(rows, "popularity"))), encoding="utf-8")
    log.write_text("\n".join(map(json.dumps, clicks_on(rows))), encoding="utf-8")
    assert here("train", articles, log, "--out", out).code == 0
    found = here("evaluate", out, articles, log, "--json", *how)
    assert found.code == 0, found.err
    assert found.json["popularity"] is not None

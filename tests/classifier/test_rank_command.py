"""`newsdesk rank`: what its options do, what it says on stderr, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.reading.pages import parse_page

Run = Callable[..., Any]
STORY = "The minister met the assembly about the vote and the ballot in the senate"
ROWS = [
    {
        "id": "old",
        "headline": "Minister and vote",
        "published_at": "2031-05-01T06:00:00+09:00",
        "source": "G",
    },
    {"id": "new", "headline": "Minister, vote", "published_at": "2031-05-03T06:00:00+09:00", "source": "G"},
    {"id": "one", "headline": "Bank", "body": STORY, "published_at": "2031-05-02T06:00:00+09:00"},
    {"id": "copy", "headline": "Shares", "body": STORY, "published_at": "2031-05-02T06:00:00+09:00"},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def site_ids(ended: Any) -> list[str]:
    assert ended.code == 0, ended.err
    return [entry["id"] for entry in ended.json["site"]]


def test_near_duplicates_are_listed_once(here: Run, tiny_model_path: Path, rows: Path) -> None:
    ended = here("rank", tiny_model_path, rows, "--json")
    assert ended.err == ""
    listed = site_ids(ended)
    assert len(listed) == 3
    assert {"old", "new"} < set(listed)
    assert sum(entry["duplicates"] for entry in ended.json["site"]) == 1
    assert len(site_ids(here("rank", tiny_model_path, rows, "--json", "--keep-duplicates"))) == 4


def test_so_many_of_a_source(here: Run, tiny_model_path: Path, rows: Path) -> None:
    ended = here("rank", tiny_model_path, rows, "--json", "--per-source", "1")
    assert len({"old", "new"} & set(site_ids(ended))) == 1
    assert ended.err == "note: 2 of 4 articles have no source; --per-source does not limit them\n"


def test_half_life(here: Run, tiny_model_path: Path, rows: Path) -> None:
    fresh = ("rank", tiny_model_path, rows, "--json", "--keep-duplicates", "--half-life", "0.01")
    listed = site_ids(here(*fresh))
    assert (listed[0], listed[-1]) == ("new", "old")
    # At a time before all but one the others have the age 0, and lose nothing.
    site = here(*fresh, "--now", "2031-05-01T00:00:00Z").json["site"]
    assert {entry["id"] for entry in site if entry["ranking_score"] < entry["popularity_score"]} == {"old"}
    local = here(*fresh, "--now", "2031-05-01 09:00", "--timezone", "Asia/Tokyo")
    assert local.out == here(*fresh, "--now", "2031-05-01T00:00:00Z").out


def test_articles_without_a_time_are_counted(here: Run, tiny_model_path: Path, rows: Path) -> None:
    with rows.open("a", encoding="utf-8") as file:
        file.write('{"headline": "Senate"}\n')
    ended = here("rank", tiny_model_path, rows, "--half-life", "24")
    assert ended.code == 0
    assert ended.err == "note: 1 of 5 articles have no time; they count as of median age\n"


def test_the_spread_is_the_models(
    here: Run, version_path: Path, forge: Any, rows: Path, tiny_model_path: Path
) -> None:
    def losses(path: Path) -> list[float]:
        site = here("rank", path, rows, "--half-life", "24", "--json").json["site"]
        return [entry["popularity_score"] - entry["ranking_score"] for entry in site if entry["id"] == "old"]

    forge(version_path, lambda manifest: manifest["heads"]["popularity"].update(spread=2.0))
    (two,) = losses(version_path)
    forge(version_path, lambda manifest: manifest["heads"]["popularity"].update(spread=4.0))
    assert losses(version_path) == [pytest.approx(two / 2)]
    assert two > 0


def test_what_is_printed_reads_back_as_a_page(here: Run, tiny_model_path: Path, rows: Path) -> None:
    options = ("rank", tiny_model_path, rows, "--half-life", "24", "--per-source", "1")
    printed, found = here(*options, "--site", "JN").out, here(*options, "--json").json
    page = parse_page("11:36 JST, May 3, 2031\nTOKYO (Jiji Press) — A body.\n" + printed)
    expected = {**found["by_section"], "*": found["site"]}
    assert {box.list: list(box.items) for box in page.boxes} == {
        name: [entry["headline"] for entry in entries] for name, entries in expected.items()
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--half-life", "0"], "'--half-life': 0.0 is not a finite number above 0."),
        (["--half-life", "-3"], "'--half-life'"),
        (["--half-life", "nan"], "'--half-life'"),
        (["--half-life", "inf"], "'--half-life'"),
        (["--half-life", "a day"], "'--half-life'"),
        (["--per-source", "0"], "'--per-source'"),
        (["--top", "0"], "'--top'"),
        (["--now", "2031-05-01T00:00:00Z"], "error: --now has no effect without --half-life"),
        (["--half-life", "1", "--now", "noon"], 'error: --now: "noon" is not a time; write it like'),
        (["--half-life", "1", "--now", "2031-05-01"], "error: --now: 2031-05-01T00:00:00 has no time zone"),
        (["--half-life", "1", "--now", ""], "error: --now: is empty"),
        (["--site", "what one calls the daily paper here"], "cannot stand before ACCESS RANKING"),
    ],
)
def test_bad_values_are_refused(
    here: Run, tiny_model_path: Path, rows: Path, arguments: list[str], says: str
) -> None:
    ended = here("rank", tiny_model_path, rows, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert "Traceback" not in ended.err

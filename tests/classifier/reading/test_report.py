"""newsdesk read --report: what was found, missing, renamed, dropped, duplicate, rejected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

Run = Callable[..., Any]
TABLE = """Titel;Ressort;Datum;Nr
Hafen gesperrt;POLITIK;03.04.2031 08:20;1
Neue Fähre;Wirtschaft;03/05/2031;2
Drei;Anzeige;2031-04-01;3
Drei;Anzeige;2031-04-01;3
Vier;Sport;bald;4
"""
OPTIONS = ("--column", "headline=Titel", "--column", "section=Ressort", "--column", "published_at=Datum")
OPTIONS += ("--column", "id=Nr", "--section", "Politik=Politics", "--section", "anzeige=")
OPTIONS += ("--timezone", "Europe/Berlin")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "a.csv").write_bytes(TABLE.encode("cp1252"))
    (inside / "views.csv").write_text("id,popularity\n1,5\n9,1\n")
    (inside / "notes.md").write_text("")
    return inside


def test_the_json_report_holds_everything(here: Run, folder: Path) -> None:
    ended = here("read", folder, *OPTIONS, "--json")
    assert ended.code == 1
    found = json.loads(ended.out)
    assert found["files"] == {
        "read": 2,
        "by_suffix": {".csv": 2},
        "forms": {
            "a.csv": "values separated by semicolons, Windows-1252",
            "views.csv": "values separated by commas, UTF-8",
        },
        "skipped": ["notes.md"],
    }
    assert (found["articles"], found["duplicates"], found["unmatched_labels"]) == (3, 1, 1)
    assert found["fields"]["headline"] == 3
    assert found["fields"]["section"] == 2
    assert found["fields"]["popularity"] == 1
    assert found["sections"] == {"Politics": 1, "Wirtschaft": 1}
    assert found["published_at"] == ["2031-04-01T00:00:00+02:00", "2031-05-03T00:00:00+02:00"]
    notes = {note["what"]: note["count"] for note in found["notes"]}
    assert notes['articles of the section "Anzeige", which is dropped'] == 2
    assert notes["dates of which day and month could be the other way round, read as day-first"] == 1
    assert [(one["file"], one["line"]) for one in found["rejected"]] == [("a.csv", 6)]


def test_the_table_is_for_people_and_the_articles_may_be_written_too(
    here: Run, folder: Path, tmp_path: Path
) -> None:
    ended = here("read", folder, *OPTIONS, "--report", "-o", tmp_path / "out.parquet")
    assert ended.code == 1
    assert pq.read_table(tmp_path / "out.parquet")["line"].to_pylist() == [2, 3, 4]
    for text in (
        "FOUND",
        "FIELDS OF ARTICLES",
        "SECTIONS",
        "LEFT OUT",
        "NOTES",
        "66.7 %, missing 1",
        "Politics",
    ):
        assert text in ended.out


def test_strict_rejects_what_is_in_doubt(here: Run, folder: Path) -> None:
    found = json.loads(here("read", folder, *OPTIONS, "--json", "--strict").out)
    assert [one["line"] for one in found["rejected"]] == [3, 6]
    found = json.loads(here("read", folder, *OPTIONS, "--json", "--strict", "--dates", "month-first").out)
    assert [one["line"] for one in found["rejected"]] == [6]


def test_the_report_and_the_table_cannot_share_standard_output(here: Run, folder: Path) -> None:
    ended = here("read", folder, "--report", "-o", "-")
    assert (ended.code, ended.out) == (2, "")
    assert "standard output carries the table or the report" in ended.err

"""Sections' names: written alike, mapped, dropped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ConfigError
from classifier.reading import Reading, read_all
from classifier.reading.base import ReadOptions
from classifier.reading.sections import check_sections, section_key


def reading(folder: Path, rows: list[dict[str, Any]], **sections: str) -> Reading:
    path = folder / "a.jsonl"
    path.write_text(
        "".join(json.dumps({"headline": "x", "id": str(i), **row}) + "\n" for i, row in enumerate(rows))
    )
    return read_all([str(path)], ReadOptions(sections=sections))


def noted(found: Reading) -> list[tuple[str, int]]:
    return [(note.what, note.count) for note in found.notes]


def test_names_are_mapped_merged_and_dropped(tmp_path: Path) -> None:
    rows = [{"section": name} for name in ("Business", "BUSINESS ", "Money", "Partners", "Sport", None)]
    found = reading(tmp_path, rows, Business="Economy", Money="Economy", Partners="")
    assert found.articles["section"].to_pylist() == ["Economy", "Economy", "Economy", None, "Sport", None]
    assert noted(found) == [
        ('articles of the section "Business", read as "Economy"', 1),
        ('articles of the section "BUSINESS ", read as "Economy"', 1),
        ('articles of the section "Money", read as "Economy"', 1),
        ('articles of the section "Partners", which is dropped', 1),
    ]


def test_an_empty_name_is_none_and_nothing_to_tell(tmp_path: Path) -> None:
    found = reading(tmp_path, [{"section": ""}, {"sections": ["", "Sport"]}, {"section": "*"}])
    assert noted(found) == []


def test_several_sections_of_an_article(tmp_path: Path) -> None:
    rows = [{"sections": ["Business", "Money", "Sport"]}, {"sections": ["Partners"]}, {"sections": None}]
    found = reading(tmp_path, rows, Business="Economy", Money="Economy", Partners="")
    assert found.articles["sections"].to_pylist() == [["Economy", "Sport"], [], None]


def test_spellings_become_the_most_frequent_one(tmp_path: Path) -> None:
    names = ["POLITICS", "Politics", "Politics", " politics", "Cafe\u0301", "Caf\u00e9", "ＩＴ", "IT", "IT"]
    found = reading(tmp_path, [{"section": name} for name in names])
    assert found.articles["section"].to_pylist() == ["Politics"] * 4 + ["Caf\u00e9"] * 2 + ["IT"] * 3
    assert sum(count for _, count in noted(found)) == 5  # " politics" for its space, then for its case


def test_lists_of_boxes_and_labels_are_named_alike(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("headline,id,section\nx,1,\n")
    (tmp_path / "boxes.csv").write_text("list,rank,headline\nBusiness,1,x\nPartners,1,y\n*,1,z\n")
    (tmp_path / "labels.csv").write_text("id,section\n1,business\n")
    found = read_all([str(tmp_path)], ReadOptions(sections={"Business": "Economy", "partners": ""}))
    assert found.boxes["list"].to_pylist() == ["Economy", "*"]
    assert found.articles["section"].to_pylist() == ["Economy"]


@pytest.mark.parametrize("mapping", [{" ": "x"}, {"Business": "Economy", "BUSINESS": "Money"}])
def test_mappings_that_say_nothing_or_two_things(mapping: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="sections: "):
        check_sections(mapping)


@given(st.text(max_size=10))
def test_a_key_is_its_own_key(name: str) -> None:
    assert section_key(section_key(name)) == section_key(name)
    assert section_key(f" {name}\t") == section_key(name)

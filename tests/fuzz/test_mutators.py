"""The fuzzer's mutators: what they give is still mostly of the form, and the same for the same chance."""

from __future__ import annotations

import importlib.util
import json
import sys
from copy import deepcopy
from pathlib import Path
from random import Random
from types import ModuleType
from xml.etree import ElementTree

import pytest

from classifier.reading.dialects import find_dialect


def _load(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(
        f"tests.fuzz.{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


words, documents, mutators = _load("words"), _load("documents"), _load("mutators")
JSON, MARKUP, TABLES = (
    ("items.ninjs", "table.json"),
    ("page.html", "feed.rss", "items.newsml"),
    ("table.csv", "table.tsv"),
)


def made(mutate: str, name: str) -> list[bytes]:
    """What comes of a kind's examples, a change upon the other."""
    found: list[bytes] = []
    for seed in documents.SEEDS[name]:
        data = seed.encode()
        for number in range(100):
            changed = getattr(mutators, mutate)(data, Random(number))
            assert changed == getattr(mutators, mutate)(data, Random(number))
            if changed is not None:
                found.append(changed)
            data = seed.encode() if number % 4 == 3 else found[-1]
    assert len(set(found)) > len(found) // 2
    return found


@pytest.mark.parametrize("name", JSON)
def test_json_stays_json_and_no_value_is_used_up(name: str) -> None:
    before = deepcopy(words.VALUES)
    for data in made("of_json", name):
        json.loads(data)
    assert repr(words.VALUES) == repr(before)


@pytest.mark.parametrize("name", MARKUP)
def test_most_of_what_is_well_formed_stays_so(name: str) -> None:
    found = made("of_markup", name)
    assert name == "page.html" or sum(map(is_well_formed, found)) > len(found) // 2


def is_well_formed(data: bytes) -> bool:
    try:
        ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError):
        return False
    return True


@pytest.mark.parametrize("name", TABLES)
def test_most_tables_keep_their_separator(name: str) -> None:
    separator = "\t" if name == "table.tsv" else ",;"
    found = made("of_table", name)
    assert sum(find_dialect(data).separator in separator for data in found) > len(found) // 2


@pytest.mark.parametrize(
    ("mutate", "name"),
    [("of_json_lines", "table.jsonl"), ("of_page", "page.txt"), ("of_any", "unknown")],
)
def test_others_change_what_they_are_given(mutate: str, name: str) -> None:
    made(mutate, name)

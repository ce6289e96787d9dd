"""Labels as they come: names of any script, sections of the test part alone, articles without a section; all the way."""

from __future__ import annotations

import json
import tempfile
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import classifier
from classifier.reading import Reading
from classifier.reading.sections import section_key
from training.config import parse_config
from training.evaluation import evaluate_reading
from training.fit import train
from training.report.plain import printable

Read = Callable[..., Reading]
Stories = Callable[..., list[dict[str, Any]]]
RECIPE = {"section_blocks": ["text word(1,1)"], "section_c": 1, "section_balance": 0, "section_half_life": 0}
FIXED = parse_config({"fit": RECIPE})  # for speed


class Seen(HTMLParser):
    """The text that a page shows, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: set[str] = set()

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)


def plain(text: str) -> str:
    return " ".join(text.split())


# What names hold anywhere, and what breaks pages, tables, JSON, CSV and file names.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from(
    "\n\r\t\"'<>&|`*#[]\\/"
)
NAMES = st.text(CHARACTERS, min_size=1, max_size=12).filter(lambda name: name == name.strip() != "")


def as_read(name: str) -> str:
    return plain(unicodedata.normalize("NFC", name))


@given(st.lists(NAMES, min_size=2, max_size=3, unique_by=section_key))
@example(["Politics\nEconomy", '"quoted" & <blink>bold</blink>'])
@example(["경제", "政治", "سياسة"])
@example(["a|b", "`code`", "../../etc"])
@example(["\u202egnipyt", "🏳️‍🌈", "e\u0301"])
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_section_names_of_any_script_are_trained_predicted_and_reported(
    reading_of: Read, stories: Stories, tmp_path: Path, names: list[str]
) -> None:
    rows = stories(days=4, sections=len(names))
    known = sorted({row["section"] for row in rows})
    for row in rows:
        row["section"] = names[known.index(row["section"])]
        del row["popularity"]
    out = Path(tempfile.mkdtemp(dir=tmp_path)) / "model"
    result = train(reading_of(rows), out, FIXED)
    assert result.evaluation.sections is not None
    assert result.evaluation.sections["accuracy"] > 0.9
    model = classifier.load(out)
    predicted = model.predict([{"headline": row["headline"], "body": row["body"]} for row in rows])
    assert [prediction.section for prediction in predicted] == [as_read(row["section"]) for row in rows]
    json.dumps(predicted[0].to_dict(), allow_nan=False)
    page = Seen()
    page.feed((result.folder.path / "report.html").read_text("utf-8"))
    shown = plain("".join(page.text))
    for name in names:
        assert plain(printable(as_read(name))) in shown
    assert "blink" not in page.tags
    again = evaluate_reading(model, reading_of(rows), FIXED, None)
    assert again.sections is not None
    assert again.sections["n"] == len(rows)


def test_a_section_of_the_test_part_alone_is_always_wrong_and_noted(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    rows = [{**row, "split": "test" if i >= 72 else "train"} for i, row in enumerate(stories())]
    for row in rows[72:78]:
        row["section"] = "Obituaries"
    result = train(reading_of(rows), tmp_path / "model", FIXED)
    found = result.evaluation.sections
    assert found is not None
    assert (found["n"], found["accuracy"]) == (24, 18 / 24)
    assert found["sets"][-1]["coverage"] <= 18 / 24
    note = 'section "Obituaries" is only in the test part (6 articles): no article can get it'
    assert note in result.notes
    head = classifier.load(tmp_path / "model").sections
    assert head is not None
    assert head.labels == ("Economy", "Politics")


@pytest.mark.parametrize("several", [False, True])
def test_articles_without_a_section_teach_nothing_and_are_not_measured(
    reading_of: Read, stories: Stories, tmp_path: Path, several: bool
) -> None:
    rows = [{**row, "split": "test" if i >= 72 else "train"} for i, row in enumerate(stories())]
    for row in rows:
        del row["popularity"]
    without: list[Any] = [[], None, ["", ""]] if several else ["", None, ""]
    unlabelled = [
        {"headline": f"Nothing is said about this one {i}", "section": name, "split": split}
        for split in ("train", "test")
        for i, name in enumerate(without)
    ]
    if several:
        for row in (*rows, *unlabelled):
            own = row.pop("section")
            row["sections"] = [own, own, ""] if isinstance(own, str) else own
    one = train(reading_of(rows), tmp_path / "one", FIXED)
    two = train(reading_of([*rows, *unlabelled]), tmp_path / "two", FIXED)
    assert one.evaluation.sections is not None
    assert one.evaluation.sections["n"] == 24
    assert two.evaluation.sections == one.evaluation.sections
    # Where terms lie in their tables depends on the key of the hashes, which is of all that was read.
    arrays = sorted(path.name for path in one.folder.path.glob("*.npy") if ".slots" not in path.name)
    assert len(arrays) > 5
    for name in arrays:
        assert (one.folder.path / name).read_bytes() == (two.folder.path / name).read_bytes(), name

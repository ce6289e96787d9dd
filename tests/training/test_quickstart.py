"""The quality gate of the bundled newspaper, and what a newcomer is shown."""

from __future__ import annotations

import re
from pathlib import Path

from classifier.store import resolve
from training.quickstart import SHOWN_PAGE
from training.sample import PAGE_VIEWS
from training.sample.readers import SECTIONS

ACCURACY = 0.90  # of sections on held-out pages


def test_sections_are_right(sample_model_path: Path) -> None:
    metrics = resolve(sample_model_path).manifest.data["metrics"]["sections"]
    assert metrics["n"] == 120
    assert metrics["accuracy"] >= ACCURACY
    assert metrics["accuracy"] > max(own["accuracy"] for own in metrics["baselines"].values())


def test_popularity_is_ahead_of_every_baseline(sample_model_path: Path) -> None:
    """With the low end of the paired interval over groups above 0."""
    metrics = resolve(sample_model_path).manifest.data["metrics"]["popularity"]
    assert (metrics["n"], metrics["groups"]) == (120, 10)
    assert metrics["ahead_of"].keys() == metrics["baselines"].keys()
    for name, own in metrics["baselines"].items():
        assert metrics["ndcg_at_10"] > own["ndcg_at_10"], name
        assert metrics["ahead_of"][name]["low"] > 0, name


def test_the_shown_page_is_of_the_test_part() -> None:
    assert f"{SHOWN_PAGE}," in PAGE_VIEWS.read_text("utf-8")
    (line,) = [
        line for line in PAGE_VIEWS.read_text("utf-8").splitlines() if line.startswith(f"{SHOWN_PAGE},")
    ]
    assert line.endswith(",test")


def titles(printed: str, heading: str) -> list[str]:
    """The titles under a heading: lines behind a "-" on a line of its own."""
    (block,) = re.findall(rf"^{re.escape(heading)}\n((?:-\n.+\n)+)", printed, re.MULTILINE)
    found: list[str] = re.findall(r"^-\n(.+)$", block, re.MULTILINE)
    return found


def test_it_prints_a_list_of_five_for_every_section_and_the_site(quickstart: tuple[Path, str]) -> None:
    _, printed = quickstart
    everything = titles(printed, "MC ACCESS RANKING")
    assert len(everything) == len(set(everything)) == 5
    for section in SECTIONS:
        assert len(set(titles(printed, f'"{section}" POPULAR ARTICLE'))) == 5


def test_it_prints_the_evaluation_and_a_scored_page(quickstart: tuple[Path, str]) -> None:
    out, printed = quickstart
    for words in (
        "accuracy",
        "nDCG@10",
        "best possible",
        "training never saw",
        "probability",
        "daily top five",
    ):
        assert words.casefold() in printed.casefold()
    assert str(out) in printed
    assert "invented" in printed

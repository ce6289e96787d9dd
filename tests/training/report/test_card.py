from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.config import Config, parse_config
from training.report import write_card
from training.report.card import escape_markdown, to_toml
from training.report.content import ReportContent
from training.report.plain import printable, shorten, text_width


@pytest.fixture(scope="module")
def render() -> Callable[[str], str]:
    """Markdown to HTML by an implementation that is not ours; it comes with the linters."""
    markdown = pytest.importorskip("markdown_it").MarkdownIt("gfm-like", {"linkify": False})
    return lambda text: str(markdown.render(text))


def test_the_card_has_the_usual_sections(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    card = write_card("m", facts, ["a note"], created, content)
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == [
        "Details",
        "Intended use",
        "Out of scope",
        "Data",
        "Sections, on the held-out articles",
        "Popularity, on the held-out articles",
        "Decisions",
        "Calibration",
        "Slices, worst first",
        "Label hygiene",
        "Limits and risks",
        "Warnings about popularity",
        "How to reproduce",
        "Notes of the training run",
    ]
    for said in (
        "2031-04-01T06:15+09:00 to 2031-04-20T22:45+09:00",
        "| Politics | 40 | 10 | 0.900 | 0.800 to 0.950 |",
        "| accuracy | 0.9500 (95 %: 0.9080 to 0.9830) |",
        "| baseline majority: accuracy | 0.2083 |",
        "| 0.95 | 0.800 | 85.8% | 0.9900 |",
        "| 0.99 | not supported by the data | 0.0% | – |",
        "each listed in `hygiene.jsonl` beside the report",
        "- Labels that are probably wrong: 7",
        "- Groups of near-duplicates with different labels: 1",
        "- Groups of section names that differ only by case, spaces or Unicode form: 1",
        "- Pairs of sections that the model cannot tell apart: 1",
        "| 경제 | Politics | 12 | 40 | 0.300 | 0.180 to 0.450 |\n"  # the worse direction first
        "| Politics | 경제 | 3 | 50 | 0.060 | 0.020 to 0.160 |\n",
        "- learned from 3 ranking boxes, published 2031-04-01T06:15+09:00 to 2031-04-20T22:45+09:00",
        "- measured against counts: 130 held-out articles in 12 groups",
        "| model | 0.825 | 0.750 to 0.900 | 0.700 | 0.600 to 0.800 |",
        "| source | Courier | 50 | 1 | 0.600 | – | 0.500 |\n"  # the least ahead of random scores first
        "| section | Politics |",
        "- Something is not known.",
        "- **Feedback.**",
        "No column of placement was named",
        "- **Source.**",
        "- **Drift.**",
        "target = 0.95",
        "- a note",
    ):
        assert said in card, said
    assert card.index("| source | 聯合 |") < card.index("| source | Reuters |")  # worst first
    for headline in ("A headline", "Shares fall", "Storm", "A hit nobody saw"):
        assert headline not in card


def test_where_the_labels_were_not_looked_at_the_card_does_not_call_them_clean(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    assert content.sections is not None
    without = replace(content, sections=replace(content.sections, hygiene=None))
    assert "## Label hygiene" not in write_card("m", facts, [], created, without)


def test_without_content_the_card_says_what_the_manifest_says(
    facts: dict[str, Any], created: datetime
) -> None:
    card = write_card("m", facts, [], created)
    assert "## Slices" not in card
    assert "## Label hygiene" not in card
    assert "| 0.95 |  | 85.8% | 0.9900 |" in card
    facts["metrics"]["sections"] = None
    assert "## Decisions" not in write_card("m", facts, [], created)
    facts["metrics"]["popularity"] = None
    assert "## How to reproduce" in write_card("m", facts, [], created)


def test_named_placement_is_held_fixed_and_counts_are_told(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    facts["configuration"]["features"]["nuisance"] = ["placement"]
    facts["data"]["train"] = {**facts["data"]["train"], "with_popularity": 1234}
    card = write_card("m", facts, [], created, content)
    assert "Training saw it, and predictions hold it at a fixed value." in card
    assert "No column of placement was named" not in card
    assert "- learned from 1,234 articles with a popularity, published 2031-04-01" in card
    assert "- learned from 3 ranking boxes beside them" in card


def test_without_a_popularity_head_nothing_is_said_of_it(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    facts["metrics"]["popularity"] = None
    card = write_card("m", facts, [], created, replace(content, popularity=None))
    assert "opularity, on the held-out" not in card
    assert "Warnings about popularity" not in card


def test_the_command_is_told_as_it_was_given(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    card = write_card("m", facts, [], created, replace(content, command="newsdesk train a.csv --out ```x"))
    assert "````sh\nnewsdesk train a.csv --out ```x\n````" in card


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "[link](https://example.org) ![image](x) <https://example.org>",
        "a | b | c",
        "*bold* _it_ ~~s~~ `code`",
        "# heading",
        "1. list",
        "- list",
        "+ list",
        "> quote",
        "&lt;b&gt; &amp;",
        "back\\slash \\",
        "two\nlines\n\n# more",
        "---",
        "===",
        "http://example.org www.example.org",
        "2031) x",
    ],
)
@pytest.mark.parametrize("place", ["- {}", "| {} |\n| --- |\n| {} |", "{}"])
def test_markdown_says_just_the_text(render: Callable[[str], str], text: str, place: str) -> None:
    html = render(place.replace("{}", escape_markdown(text)) + "\n")
    for tag in ("<img", "<a ", "<em", "<strong", "<code", "<h1", "<h2", "<ol", "<blockquote", "<hr", "<s>"):
        assert tag not in html
    assert html.count("<ul") == place.startswith("-")
    assert html.count("<t") == 7 * place.startswith("|")  # table, thead, tr, th, tbody, tr, td
    assert "http://" not in escape_markdown(text)  # which GitHub would make a link of
    assert "www." not in escape_markdown(text)
    shown = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown in html


@given(st.text(max_size=30))
def test_any_text_is_one_line_of_markdown(render: Callable[[str], str], text: str) -> None:
    escaped = escape_markdown(text)
    assert len(escaped.splitlines()) <= 1
    html = render(f"- {escaped}\n")
    assert html.count("<") == (4 if printable(text) else html.count("<"))  # ul and li, opened and closed


def test_the_configuration_in_the_card_can_be_trained_with() -> None:
    config = parse_config(
        {
            "data": {"ignore": ['a"b', "ü\x7f\\"]},
            "columns": {"headline": "new\nline"},
            "decisions": {"target": 0.9, "targets": [0.9]},
        }
    )
    assert parse_config(tomllib.loads(to_toml(config.to_dict()))) == config
    assert parse_config(tomllib.loads(to_toml(Config().to_dict()))) == Config()


@given(st.text(), st.floats(1, 30), st.booleans())
def test_shortened_texts_fit(text: str, width: float, keep_end: bool) -> None:
    short = shorten(text, width, 1, keep_end=keep_end)
    assert text_width(short, 1) <= width + 1e-9
    assert short == printable(text) or "…" in short

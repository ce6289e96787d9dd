"""A card that is taken apart says what it said."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from classifier.store import ModelFolder
from service.page.card import plain, read_card
from training.report.card import escape_markdown
from training.report.plain import printable

CARD = r"""# Model card: a\_b

Two lines
of one **paragraph** with `code_[x]` &amp; more.
## Data

- one
  goes on
- **two**

| section | n |
| --- | ---: |
| A \| B | 1 |
|  | \+2 |

```toml
[data]
# no heading
| no | table |
```
- after
### Deep
"""


def test_every_kind_of_block() -> None:
    assert read_card(CARD) == [
        {
            "level": 1,
            "title": "Model card: a_b",
            "blocks": [{"kind": "text", "text": "Two lines of one paragraph with code_[x] & more."}],
        },
        {
            "level": 2,
            "title": "Data",
            "blocks": [
                {"kind": "list", "items": ["one goes on", "two"]},
                {"kind": "table", "head": ["section", "n"], "rows": [["A | B", "1"], ["", "+2"]]},
                {"kind": "code", "text": "[data]\n# no heading\n| no | table |"},
                {"kind": "list", "items": ["after"]},
            ],
        },
        {"level": 3, "title": "Deep", "blocks": []},
    ]


def test_the_bundled_newspaper_s_card(sample_model_path: Path) -> None:
    [version] = ModelFolder(sample_model_path).versions()
    text = (sample_model_path / version / "card.md").read_text("utf-8")
    sections = read_card(text)
    titles = [section["title"] for section in sections]
    assert titles[0] == "Model card: sample"
    assert {"Data", "Limits and risks", "How to reproduce"} <= set(titles)
    blocks = [block for section in sections for block in section["blocks"]]
    assert {block["kind"] for block in blocks} == {"text", "list", "table", "code"}
    for block in blocks:
        if block["kind"] == "table":
            assert {len(row) for row in block["rows"]} == {len(block["head"])}
        elif block["kind"] != "code":
            said = " ".join(block.get("items", [block.get("text")]))
            assert "**" not in said
            assert "\\" not in said


@given(st.text())
def test_what_training_escapes_comes_back(text: str) -> None:
    assert plain(escape_markdown(text)) == printable(text).strip()


@given(st.lists(st.text(), max_size=5))
def test_a_table_s_cells_come_back(cells: list[str]) -> None:
    row = "".join(f"| {escape_markdown(cell)} " for cell in cells) + "|"
    rule = "| --- " * max(len(cells), 1) + "|"
    [section] = read_card(f"{row}\n{rule}\n{row}\n") if cells else [None]
    if section is not None:
        [table] = section["blocks"]
        assert table["head"] == [printable(cell).strip() for cell in cells]
        assert table["rows"] == [table["head"]]


@given(st.text(st.sampled_from("#-| `\\*\n a1&;")))
def test_any_text_is_taken_apart(text: str) -> None:
    for section in read_card(text):
        assert section["blocks"] or section["title"]

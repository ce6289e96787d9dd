"""What people read about a version: a model card and an HTML report, from the manifest's facts alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

Row = tuple[str, ...]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
h1, h2 { line-height: 1.2; } table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #ddd; }
td:not(:first-child) { font-variant-numeric: tabular-nums; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e8e8e8; } th, td { border-color: #3a3d44; } }
"""


def number(value: object, digits: int = 4) -> str:
    """A figure for people; "–" where there is none."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return str(value)


def section_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    """(name, value) lines of the section metrics, baselines behind them."""
    low_high = metrics.get("intervals", {}).get("accuracy")
    yield "articles", number(metrics["n"])
    yield "accuracy", number(metrics["accuracy"]) + _interval(low_high)
    yield "macro-F1", number(metrics["macro_f1"]) + _interval(metrics.get("intervals", {}).get("macro_f1"))
    yield "micro-F1", number(metrics["micro_f1"])
    yield "calibration error (ECE)", number(metrics["ece"])
    yield "log loss", number(metrics["log_loss"])
    for item in metrics["file"]:
        held = f"{item['coverage']:.1%} of the articles, precision {number(item['precision'])}"
        too_few = "none: too few training articles to hold it"
        yield f"filed unseen at target precision {item['target']:g}", held if item["coverage"] else too_few
    for name, own in metrics.get("baselines", {}).items():
        yield f"baseline {name}: accuracy", number(own["accuracy"])


def popularity_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    """A header and a line for the model and each baseline."""
    names = ("ndcg_at_5", "ndcg_at_10", "top5_overlap", "mrr", "pairwise_accuracy", "auc")
    shown = [name for name in names if metrics.get(name) is not None]
    yield "", *[name.replace("_", " ").replace("ndcg", "nDCG").replace(" at ", "@") for name in shown]
    yield "model", *[number(metrics[name]) for name in shown]
    for baseline, own in metrics["baselines"].items():
        yield baseline.replace("source_hour", "source × hour"), *[number(own[name]) for name in shown]


def comparison_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    """How far ahead of each baseline, with the paired interval."""
    for name, item in metrics.get("ahead_of", {}).items():
        ahead = f"{item['ndcg_at_10']:+.4f} (95 %: {item['low']:+.4f} to {item['high']:+.4f})"
        yield f"nDCG@10 ahead of {name.replace('source_hour', 'source × hour')}", ahead


def write_card(model: str, facts: Mapping[str, Any], notes: Sequence[str], created: datetime) -> str:
    """The model card, in Markdown."""
    return "\n".join(_card_lines(model, facts, notes, created)) + "\n"


def _card_lines(
    model: str, facts: Mapping[str, Any], notes: Sequence[str], created: datetime
) -> Iterator[str]:
    metrics = facts["metrics"]
    yield f"# Model card: {model}"
    yield ""
    yield f"Trained {created:%Y-%m-%d %H:%M} by Newsdesk {facts['libraries']['newsdesk']}: linear models on TF-IDF."
    yield from ("", "## Intended use", "")
    yield "Suggests a news article's section and how popular it will be among its source's articles of a day."
    yield "It has learned one newsroom's habits; use it for articles like those it was trained on."
    yield from ("", "## Data", "")
    yield from (f"- {line}" for line in data_lines(facts["data"]))
    for title, key, rows in (
        ("Sections", "sections", section_rows),
        ("Popularity", "popularity", popularity_rows),
    ):
        if metrics[key]:
            yield from ("", f"## {title}, on the held-out articles", "")
            yield from _markdown_table([*rows(metrics[key])])
    if metrics["popularity"]:
        yield ""
        yield from (f"- {name}: {value}" for name, value in comparison_rows(metrics["popularity"]))
    yield from ("", "## Limits", "")
    yield "- An article unlike the training articles gets an answer too; `review` and a low probability are the sign."
    yield "- Popularity was learned from what readers were shown: where an article stood on the page is part of it,"
    yield "  and a page laid out by these predictions feeds them back into the next training."
    if notes:
        yield from ("", "## Notes of the training run", "")
        yield from (f"- {note}" for note in notes)


def data_lines(data: Mapping[str, Any]) -> Iterator[str]:
    """Sizes, windows and how the split came about."""
    for part in ("train", "test"):
        window = data[part]["window"]
        when = f", {window[0]} to {window[1]}" if window else ""
        yield f"{part}: {data[part]['articles']} articles{when}"
    yield f"split: {data['split']}"
    yield f"ranking boxes: {data['train_boxes']} in training, {data['test_boxes']} held out"
    yield f"fingerprint: {data['fingerprint'][:16]}"


def write_report(model: str, facts: Mapping[str, Any], notes: Sequence[str], created: datetime) -> str:
    """The report: one self-contained HTML file without scripts."""
    metrics = facts["metrics"]
    parts = [f"<h1>{escape(model)}</h1><p>Trained {created:%Y-%m-%d %H:%M} UTC.</p>", "<h2>Data</h2>"]
    parts.append(_html_list(data_lines(facts["data"])))
    if metrics["sections"]:
        parts.append("<h2>Sections, on the held-out articles</h2>")
        parts.append(_html_table([*section_rows(metrics["sections"])]))
    if metrics["popularity"]:
        parts.append("<h2>Popularity, on the held-out articles</h2>")
        parts.append(_html_table([*popularity_rows(metrics["popularity"])]))
        parts.append(_html_table([*comparison_rows(metrics["popularity"])]))
    if notes:
        parts.append("<h2>Notes</h2>" + _html_list(notes))
    head = f'<meta charset="utf-8"><title>{escape(model)}: report</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _interval(low_high: Sequence[float] | None) -> str:
    return f" (95 %: {low_high[0]:.4f} to {low_high[1]:.4f})" if low_high else ""


def _markdown_table(rows: Sequence[Row]) -> Iterator[str]:
    width = len(rows[0])
    header = rows[0] if rows[0][0] == "" else ("",) * width
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * width
    for row in rows[1:] if rows[0][0] == "" else rows:
        yield "| " + " | ".join(row) + " |"


def _html_table(rows: Sequence[Row]) -> str:
    cells = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _html_list(lines: Iterator[str] | Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"

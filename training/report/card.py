"""The model card, in Markdown (Mitchell et al. 2019, "Model cards for model reporting")."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from training.hygiene import FILE_NAME
from training.report.content import ReportContent, SectionContent
from training.report.plain import printable
from training.report.popularity.card import popularity_lines, popularity_warnings
from training.report.rows import Row, data_lines, number, section_rows
from training.report.tables import confusable_rows, label_rows, set_rows, slice_rows

MOST_NOTES = 50
MOST_LABELS = 60
_SPECIAL = re.compile(r"([\\`*_\[\]~|#!$])")
_AT_START = re.compile(r"^([-+=>]|[0-9]+(?=[.)](?:\s|$)))")
_LINK = re.compile(r"(?<=\w)(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)
Lines = Iterator[str]


def write_card(
    model: str,
    facts: Mapping[str, Any],
    notes: Sequence[str],
    created: datetime,
    content: ReportContent | None = None,
) -> str:
    """The model card; without `content` it has what the manifest's facts alone can say."""
    content = content or ReportContent()
    metrics = facts["metrics"]
    lines = [
        f"# Model card: {escape_markdown(model)}",
        *_details(facts, created, content.sections),
        *_use(),
        *_data(facts["data"], content.sections),
        *_metrics(metrics),
        *popularity_lines(facts, content.popularity, escape_markdown, _table),
        *_decisions(metrics["sections"], content.sections),
        *_calibration(metrics),
        *_slices(content.sections),
        *_hygiene(content.sections),
        *_limits(),
        *popularity_warnings(facts, content.popularity),
        *_reproduction(model, facts, content.command),
        *_notes(notes),
    ]
    return "\n".join(lines) + "\n"


def escape_markdown(text: str) -> str:
    """A text from outside as one line of Markdown that says just that, in a paragraph, a bullet or a table's cell."""
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(r"\\\1", text)
    text = _LINK.sub(lambda match: f"\\{match[0]}", text)
    return _AT_START.sub(
        lambda match: f"\\{match[0]}" if not match[0][0].isdigit() else f"{match[0]}\\", text
    )


def _details(facts: Mapping[str, Any], created: datetime, sections: SectionContent | None) -> Lines:
    libraries = facts["libraries"]
    others = ", ".join(f"{name} {version}" for name, version in libraries.items() if name != "newsdesk")
    heads = [name for name in ("sections", "popularity") if facts["metrics"][name]]
    yield from ("", "## Details", "")
    yield f"- Trained {created:%Y-%m-%d %H:%M} UTC by Newsdesk {escape_markdown(str(libraries['newsdesk']))}"
    if others:
        yield f"- With {escape_markdown(others)}"
    yield "- Linear models on TF-IDF: every answer is a sum over the features of the article, and can be explained by them"
    if heads:
        yield f"- Evaluated heads: {', '.join(heads)}"
    if sections is not None:
        kind = "several sections an article" if sections.several else "one section an article"
        yield f"- {len(sections.labels):,} sections, {kind}"


def _use() -> Lines:
    yield from ("", "## Intended use", "")
    yield "Suggests a news article's section and how popular it will be among its source's articles of a day."
    yield "It has learned one newsroom's habits; use it for articles like those it was trained on."
    yield from ("", "## Out of scope", "")
    yield "- Articles of other newsrooms, languages or times than those below, without evaluating on them first"
    yield "- Whether an article is true, important or worth publishing: the model knows words, not the world"
    yield "- Filing unseen below the stored thresholds, or at a target that the table of decisions calls unsupported"
    yield "- Judging authors or people named in articles"


def _data(data: Mapping[str, Any], sections: SectionContent | None) -> Lines:
    yield from ("", "## Data", "")
    yield from (f"- {escape_markdown(line)}" for line in data_lines(data))
    rows = [*label_rows(sections, MOST_LABELS)] if sections is not None else []
    if rows:
        yield ""
        yield from _table(rows[0], rows[1:])


def _metrics(metrics: Mapping[str, Any]) -> Lines:
    if metrics["sections"]:
        yield from ("", "## Sections, on the held-out articles", "")
        yield from _table(("", ""), [*section_rows(metrics["sections"])])


def _decisions(metrics: Mapping[str, Any] | None, sections: SectionContent | None) -> Lines:
    if not metrics:
        return
    curve = sections.precision_coverage if sections is not None else None
    thresholds = {point.target: point.threshold for point in curve.points} if curve is not None else {}
    yield from ("", "## Decisions", "")
    yield "An article is filed unseen (`file`) from a threshold on that was chosen inside the training part to hold the"
    yield "target precision; every other article is for an editor (`review`)."
    yield ""
    rows = []
    for item in metrics["file"]:
        threshold = thresholds.get(item["target"])
        held = item["coverage"] > 0 or threshold is not None
        rows.append(
            (
                f"{item['target']:g}",
                (number(threshold, 3) if item["target"] in thresholds else "")
                if held
                else "not supported by the data",
                f"{item['coverage']:.1%}",
                number(item["precision"]),
            )
        )
    yield from _table(("target", "threshold", "coverage", "precision"), rows)
    if sections is not None and sections.sets:
        yield from ("", "Prediction sets:", "")
        yield from _table(("nominal", "held the true section", "sections in a set"), [*set_rows(sections)])


def _calibration(metrics: Mapping[str, Any]) -> Lines:
    sections = metrics["sections"]
    if sections:
        yield from ("", "## Calibration", "")
        yield f"- Sections: expected calibration error {number(sections['ece'])} over 15 bins of equal mass,"
        yield f"  log loss {number(sections['log_loss'])}"


def _slices(sections: SectionContent | None) -> Lines:
    rows = [*slice_rows(sections)] if sections is not None else []
    if rows:
        yield from ("", "## Slices, worst first", "")
        yield from _table(rows[0], rows[1:])


def _hygiene(sections: SectionContent | None) -> Lines:
    if sections is None or sections.hygiene is None:
        return
    hygiene = sections.hygiene
    yield from ("", "## Label hygiene", "")
    yield f"Found in the training articles, each listed in `{FILE_NAME}` beside the report:"
    yield ""
    yield f"- Labels that are probably wrong{' or missing' if sections.several else ''}: {hygiene.suspects_found:,}"
    yield f"- Groups of near-duplicates with different labels: {hygiene.conflicts_found:,}"
    yield f"- Groups of section names that differ only by case, spaces or Unicode form: {len(hygiene.similar):,}"
    yield f"- Pairs of sections that the model cannot tell apart: {len(hygiene.confusable):,}"
    rows = [*confusable_rows(hygiene.confusable)]
    if rows:
        yield ""
        yield from _table(rows[0], rows[1:])


def _limits() -> Lines:
    yield from ("", "## Limits and risks", "")
    yield "- An article unlike the training articles gets an answer too; `review` and a low probability are the sign."
    yield "- News changes: names and topics that training never saw weigh nothing. Evaluate on new articles now and then."
    yield "- The labels carry a newsroom's habits, mistakes included; the model repeats them."


def _reproduction(model: str, facts: Mapping[str, Any], command: str) -> Lines:
    command = printable(command) or "newsdesk train YOUR_ARTICLES --config training.toml --out artifacts/NAME"
    yield from ("", "## How to reproduce", "")
    yield "The same articles (their fingerprint stands under Data), configuration, libraries and kind of processor give the"
    yield "same arrays, byte for byte."
    yield ""
    yield from _fenced("sh", command)
    configuration = to_toml(facts.get("configuration", {}))
    if configuration:
        yield from ("", "The configuration:", "")
        yield from _fenced("toml", configuration)


def _notes(notes: Sequence[str]) -> Lines:
    if notes:
        yield from ("", "## Notes of the training run", "")
        yield from (f"- {escape_markdown(note)}" for note in notes[:MOST_NOTES])
        if len(notes) > MOST_NOTES:
            yield f"- and {len(notes) - MOST_NOTES:,} more"


def _table(header: Row, rows: Sequence[Row]) -> Lines:
    yield "| " + " | ".join(map(escape_markdown, header)) + " |"
    yield "|" + " --- |" * len(header)
    yield from ("| " + " | ".join(map(escape_markdown, row)) + " |" for row in rows)


def _fenced(language: str, text: str) -> Lines:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}{language}", *text.splitlines(), fence)


def to_toml(settings: Mapping[str, Any], prefix: str = "") -> str:
    """Settings as TOML; what is None is left out, as TOML has no word for it."""
    plain = {
        key: value for key, value in settings.items() if not isinstance(value, Mapping) and value is not None
    }
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    blocks = ["\n".join([f"[{prefix}]"] * bool(prefix) + lines)] if lines else []
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            blocks.append(to_toml(value, f"{prefix}.{_key(key)}" if prefix else _key(key)))
    return "\n\n".join(block for block in blocks if block)


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)

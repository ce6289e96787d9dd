"""The report: one self-contained HTML file without scripts, pictures first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from training.report.content import ReportContent, SectionContent
from training.report.markup import Part, bullets, page, table, text
from training.report.popularity.content import PopularityContent
from training.report.popularity.tables import against_rows, chance_rows, label_lines
from training.report.rows import Row, data_lines, number, popularity_rows, section_rows
from training.report.tables import label_rows, set_rows

MOST_NOTES = 100


def write_report(
    model: str,
    facts: Mapping[str, Any],
    notes: Sequence[str],
    created: datetime,
    content: ReportContent | None = None,
) -> str:
    """The report, as one HTML file that needs nothing else; without `content` it has the tables only."""
    content = content or ReportContent()
    metrics = facts["metrics"]
    parts = [
        *_sections(metrics["sections"], content.sections),
        *_popularity(metrics["popularity"], content.popularity),
        Part("data", 2, "Data", bullets(data_lines(facts["data"]))),
        *_notes(notes),
    ]
    about = f"Trained {created:%Y-%m-%d %H:%M} UTC by Newsdesk {facts['libraries']['newsdesk']}."
    head = (
        f"<header><h1>{text(model)}</h1>"
        f'<p class="quiet">{escape(about)} All figures are of held-out articles.</p>{_tiles(metrics)}</header>'
    )
    body = "\n".join(
        f'<h{part.level} id="{part.id}">{escape(part.title)}</h{part.level}>\n{part.body}' for part in parts
    )
    return page(f"{model}: report", f"{head}\n{_contents(parts)}\n<main>\n{body}\n</main>")


def _sections(metrics: Mapping[str, Any] | None, content: SectionContent | None) -> Iterator[Part]:
    if not metrics and content is None:
        return
    yield Part("sections", 2, "Sections", "")
    if content is not None:
        from training.report.pictures import pictures  # matplotlib, which most commands never need

        yield from pictures(content, metrics["accuracy"] if metrics else None)
    if metrics:
        yield Part("section-figures", 3, "Figures", table("", ("", ""), [*section_rows(metrics)]))
    if content is not None and content.sets:
        header = ("nominal coverage", "held the true section", "sections in a set")
        caption = "Prediction sets: the sections that are named together until the true one is among them often enough."
        yield Part(
            "section-sets",
            3,
            "Prediction sets",
            table(caption, header, [*set_rows(content)], numbers=(0, 1, 2)),
        )
    rows = [*label_rows(content)] if content is not None else []
    if rows:
        yield Part("section-labels", 3, "Every section", _figures(rows))


def _popularity(metrics: Mapping[str, Any] | None, content: PopularityContent | None) -> Iterator[Part]:
    if not metrics and content is None:
        return
    lead = "" if content is None else bullets(label_lines(content))
    yield Part("popularity", 2, "Popularity", lead)
    if content is not None:
        from training.report.popularity.pictures import pictures

        yield from pictures(content, metrics.get("ndcg_at_10") if metrics else None)
    if metrics:
        against = [*against_rows(metrics)]
        if against:
            caption = "Paired differences over the same groups, with 95 % bootstrap intervals over groups."
            body = table(caption, against[0], against[1:], numbers=range(1, 5))
            yield Part("popularity-baselines", 3, "Model against baselines", body)
        chance = [*chance_rows(metrics)]
        more = table("", ("", ""), chance) if chance else ""
        yield Part(
            "popularity-figures",
            3,
            "Figures of popularity",
            _figures([*popularity_rows(metrics, intervals=True)]) + more,
        )
    if content is not None and content.missing:
        yield Part("popularity-missing", 3, "Not shown, and why", bullets(content.missing))


def _figures(rows: Sequence[Row]) -> str:
    """A table of a header and lines, whose cells are numbers but for the first."""
    return table("", rows[0], rows[1:], numbers=range(1, len(rows[0])))


def _notes(notes: Sequence[str]) -> Iterator[Part]:
    if notes:
        more = [f"and {len(notes) - MOST_NOTES:,} more"] if len(notes) > MOST_NOTES else []
        yield Part("notes", 2, "Notes", bullets([*notes[:MOST_NOTES], *more]))


def _tiles(metrics: Mapping[str, Any]) -> str:
    tiles = [*_section_tiles(metrics["sections"]), *_popularity_tiles(metrics["popularity"])]
    if not tiles:
        return ""
    items = "".join(
        f"<li><strong>{escape(value)}</strong><span>{escape(name)}</span></li>" for value, name in tiles
    )
    return f'<ul class="tiles">{items}</ul>'


def _section_tiles(metrics: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if not metrics:
        return
    best = max((own["accuracy"] for own in metrics.get("baselines", {}).values()), default=None)
    beside = f", best baseline {best:.3f}" if best is not None else ""
    yield f"{metrics['accuracy']:.3f}", f"accuracy of sections{beside}"
    filed = [item for item in metrics["file"] if item["coverage"]]
    if filed:
        item = filed[0]
        yield f"{item['coverage']:.0%}", f"filed unseen, {item['precision']:.1%} of them right"
    yield number(metrics["ece"], 3), "calibration error"


def _popularity_tiles(metrics: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if metrics and metrics.get("ndcg_at_10") is not None:
        known = [
            own["ndcg_at_10"] for own in metrics["baselines"].values() if own.get("ndcg_at_10") is not None
        ]
        beside = f", best baseline {max(known):.3f}" if known else ""
        yield number(metrics["ndcg_at_10"], 3), f"nDCG@10 of popularity{beside}"
    if metrics and metrics.get("top5_overlap") is not None:
        chance = metrics["baselines"].get("random", {}).get("top5_overlap")
        beside = f", by chance {5 * chance:.1f}" if chance is not None else ""
        yield (
            f"{5 * metrics['top5_overlap']:.1f} of 5",
            f"real top articles found in the predicted five{beside}",
        )


def _contents(parts: Sequence[Part]) -> str:
    out = []
    for at, part in enumerate(parts):
        link = f'<a href="#{part.id}">{escape(part.title)}</a>'
        deeper = at + 1 < len(parts) and parts[at + 1].level > part.level
        last = at + 1 == len(parts) or parts[at + 1].level < part.level
        out.append(
            f"<li>{link}"
            + ("<ul>" if deeper else "</li>")
            + ("</ul></li>" if last and part.level == 3 else "")
        )
    return f'<nav aria-label="Contents"><ul>{"".join(out)}</ul></nav>'

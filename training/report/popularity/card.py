"""The popularity part of the model card: lines of Markdown, texts from outside escaped by `escape`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from training.report.popularity.content import PopularityContent
from training.report.popularity.tables import (
    against_rows,
    chance_rows,
    label_lines,
    score_slice_rows,
)
from training.report.rows import Row, popularity_rows

Lines = Iterator[str]
Escape = Callable[[str], str]
Table = Callable[[Row, list[Row]], Lines]


def popularity_lines(
    facts: Mapping[str, Any], content: PopularityContent | None, escape: Escape, table: Table
) -> Lines:
    """What popularity was learned from and measured on, how good the head is beside its baselines, and the warnings.

    `facts` are the manifest's; `table` writes a header and rows.
    """
    metrics = facts["metrics"]["popularity"]
    if not metrics and content is None:
        return
    yield from ("", "## Popularity, on the held-out articles", "")
    yield from (f"- {escape(line)}" for line in _learned_from(facts["data"]))
    if content is not None:
        yield from (f"- {escape(line)}" for line in label_lines(content))
    if metrics:
        header, *rows = popularity_rows(metrics, intervals=True)
        yield ""
        yield from table(header, rows)
        for found in ([*against_rows(metrics)], [("", ""), *chance_rows(metrics)]):
            if len(found) > 1:
                yield ""
                yield from table(found[0], found[1:])
    if content is not None:
        slices = [*score_slice_rows(content)]
        if slices:
            yield from ("", "Slices, those least ahead of random scores first:", "")
            yield from table(slices[0], slices[1:])
        if content.missing:
            yield ""
            yield from (f"- {escape(line)}" for line in content.missing)


def _learned_from(data: Mapping[str, Any]) -> Lines:
    train = data["train"]
    window = f", published {train['window'][0]} to {train['window'][1]}" if train.get("window") else ""
    if train.get("with_popularity"):
        yield f"learned from {train['with_popularity']:,} articles with a popularity{window}"
    if data.get("train_boxes"):
        beside = " beside them" if train.get("with_popularity") else f"{window}"
        yield f"learned from {data['train_boxes']:,} ranking boxes{beside}"


def popularity_warnings(facts: Mapping[str, Any], content: PopularityContent | None) -> Lines:
    """What to beware of in a model of popularity, as bullets; nothing where there is none."""
    if not facts["metrics"]["popularity"] and content is None:
        return
    features = facts.get("configuration", {}).get("features", {})
    nuisance = features.get("nuisance") or ()
    yield from ("", "## Warnings about popularity", "")
    yield "- **Feedback.** A model that decides what stands on top makes its own labels come true: readers read what they"
    yield "  are shown, and the next training takes that for their wish. Leave some places to chance, keep a record of"
    yield "  them, and measure on those."
    if nuisance:
        yield "- **Placement.** Training saw it, and predictions hold it at a fixed value. What those columns do not record"
        yield "  still counts as the words' doing."
    else:
        yield "- **Placement.** Popularity was learned from what readers were shown. No column of placement was named"
        yield "  (`[features] nuisance`), so what a good place on the page did counts as the words' doing."
    yield "- **Source.** Scores compare articles within a group, by default one source's day: they say nothing about which"
    yield "  of two sources, or of two days, has more readers. Sources with many articles shape the weights of all, and one"
    yield "  that training hardly saw is judged by the others' readers."
    yield "- **Drift.** Names and topics lift for weeks, not years. Refit often, and see with"
    yield "  `newsdesk evaluate --walk-forward DAYS` what that gains."
    yield "- Popular is not important: what few read may have to stand on top."

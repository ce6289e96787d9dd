"""The card of a compiled version: where it comes from, and what is not known about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from classifier.sections import SectionHead
from classifier.text.blocks import Block, CategoryBlock, TextBlock
from training.report.card import MOST_LABELS, escape_markdown

Lines = Iterator[str]


def write_compiled_card(
    model: str, facts: Mapping[str, Any], head: SectionHead, notes: Sequence[str], created: datetime
) -> str:
    """The card, in Markdown."""
    lines = [
        f"# Model card: {escape_markdown(model)}",
        *_details(facts, head, created),
        *_sections(head),
        *_features(head),
        *_exactness(facts["compiled"], head),
        *_limits(),
        *("", "## Notes", ""),
        *(f"- {escape_markdown(note)}" for note in notes),
    ]
    return "\n".join(lines) + "\n"


def block_line(block: Block) -> str:
    """One block, in words."""
    if isinstance(block, TextBlock):
        low, high = block.analyzer.ngrams
        return f"{block.column}: {block.analyzer.kind} n-grams of {low} to {high}, {block.width:,} terms"
    if isinstance(block, CategoryBlock):
        return f"{block.column}: {block.width:,} categories"
    raise TypeError(type(block).__name__)  # no pipeline becomes another


def _details(facts: Mapping[str, Any], head: SectionHead, created: datetime) -> Lines:
    data, compiled, libraries = facts["data"], facts["compiled"], facts["libraries"]
    kind = "several sections an article" if head.several else "one section an article"
    yield from ("", "## Details", "")
    yield f"- Compiled {created:%Y-%m-%d %H:%M} UTC by Newsdesk {escape_markdown(libraries['newsdesk'])}, not trained by it"
    yield f"- From {escape_markdown(data['compiled_from'])}, {data['bytes']:,} bytes, SHA-256 {data['sha256']}"
    yield f"- Written by scikit-learn {escape_markdown(compiled['scikit_learn'])}, read by {libraries['scikit-learn']}"
    yield f"- {compiled['classifier']}, {len(head.labels):,} sections, {kind}"
    yield "- The pipeline itself is not in this folder: a copy would be a pickle, which runs code when it is loaded"


def _sections(head: SectionHead) -> Lines:
    yield from ("", "## Sections", "")
    yield from (f"- {escape_markdown(label)}" for label in head.labels[:MOST_LABELS])
    if len(head.labels) > MOST_LABELS:
        yield f"- and {len(head.labels) - MOST_LABELS:,} more"


def _features(head: SectionHead) -> Lines:
    yield from ("", "## Features", "")
    yield from (f"- {escape_markdown(block_line(block))}" for block in head.linear.blocks)


def _exactness(compiled: Mapping[str, Any], head: SectionHead) -> Lines:
    yield from ("", "## What it answers", "")
    yield "The pipeline's own labels and decision values; weights are kept as float32, so that decision values differ by"
    yield "about a ten-millionth of the largest. Explanations are exact sums of them."
    yield ""
    if compiled["probabilities"] == "predict_proba":
        yield "- Probabilities are those of predict\\_proba. Whether they are true on your articles is not known."
    else:
        rule = "the logistic function" if head.several or len(head.labels) == 2 else "the softmax"
        yield f"- The classifier has no probabilities. What stands in their place is {rule} of its decision values: the"
        yield "  same order, between 0 and 1, and no chance of being right."
    members = head.calibration.members
    if members > 1:
        yield f"- {members} models: their probabilities are averaged; explanations are of the mean of their scores."
    check = compiled["check"]
    if check is None:
        yield "- Not compared with the pipeline: its ColumnTransformer is not the first step of a Pipeline."
    else:
        yield f"- Compared with the pipeline on {check['articles']} made-up articles: the same labels."


def _limits() -> Lines:
    yield from ("", "## Not evaluated", "")
    yield "Newsdesk has seen neither the articles that it was fitted on nor held-out ones: no figure of it is known, and"
    yield "every decision is `review`, since no threshold holds any precision. `newsdesk evaluate` measures it on labelled"
    yield "articles; `newsdesk train` on the articles themselves finds true probabilities and thresholds, and popularity."

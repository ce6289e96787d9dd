"""What stands in a table about popularity in the report and in the card alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from classifier.text.rows import TEXT
from training.report.plain import feature
from training.report.popularity.content import Place, PopularityContent
from training.report.rows import Row, baseline_name, number


def against_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    """A header, the model with its intervals, and each baseline with how far the model is ahead of it."""
    intervals, ahead = metrics.get("intervals", {}), metrics.get("ahead_of", {})
    if not ahead:
        return
    yield "", "nDCG@10", "ahead of it (95 %)", "top-5 overlap", "ahead of it (95 %)"
    yield (
        "model",
        number(metrics.get("ndcg_at_10"), 3),
        _range(intervals.get("ndcg_at_10")),
        number(metrics.get("top5_overlap"), 3),
        _range(intervals.get("top5_overlap")),
    )
    for name, own in metrics["baselines"].items():
        if name in ahead:
            item = ahead[name]
            ndcg = (item["ndcg_at_10"], item["low"], item["high"])
            overlap = tuple(item.get(f"top5_overlap{end}") for end in ("", "_low", "_high"))
            yield (
                baseline_name(name),
                number(own.get("ndcg_at_10"), 3),
                _ahead(*ndcg),
                number(own.get("top5_overlap"), 3),
                _ahead(*overlap),
            )


def _ahead(mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None or low is None or high is None:
        return "–"
    return f"{mean:+.3f} ({low:.3f} to {high:.3f})".replace("-", "−")


def _range(low_high: list[float] | None) -> str:
    return f"{low_high[0]:.3f} to {low_high[1]:.3f}" if low_high else ""


def chance_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    """(name, value): how good the chances of the top five are, beside answers that need no model."""
    if metrics.get("top5_brier") is None:
        return
    own = metrics["top5_brier"]
    between = metrics.get("intervals", {}).get("top5_brier")
    interval = f" (95 %: {number(between[0])} to {number(between[1])})" if between else ""
    yield "Brier score of the top-five chances (lower is better)", number(own) + interval
    for key, name in (
        ("top5_brier_base_rate", "always the share of all articles that make it"),
        ("top5_brier_size", "five over the group's size"),
    ):
        if constant := metrics.get(key):
            better = 1 - own / constant
            said = f"the model's is {abs(better):.1%} {'lower' if better >= 0 else 'higher'}"
            yield f"the same of a constant: {name}", f"{number(constant)} ({said})"
    yield "calibration error of the top-five chances (ECE)", number(metrics.get("top5_ece"))


def label_lines(content: PopularityContent) -> Iterator[str]:
    """What was measured against, in sentences."""
    labels = content.labels
    if labels is None:
        return
    what = {
        "counts": "counts",
        "flags": "flags (popular or not)",
        "clicks": "clicks within shown lists",
        "ranking boxes": "ranking boxes (what they list is above what they do not)",
    }[labels.kind]
    yield f"measured against {what}: {labels.articles:,} held-out articles in {_groups(labels.all_groups)}"
    rule = "ten articles" + (", one of them popular," if labels.yes_or_no else "")
    if labels.groups:
        size = f"{labels.median_size:g} articles in the median group"
        yield f"{_groups(labels.groups)} with at least {rule} can be evaluated: {labels.evaluated:,} articles, {size}"
    if labels.first_day and labels.last_day:
        yield f"published {labels.first_day} to {labels.last_day}"


def _groups(count: int) -> str:
    return f"{count:,} {'group' if count == 1 else 'groups'}"


def place(found: Place) -> str:
    """A place in words; tied articles share several."""
    shared = f"{found.first:,}–{found.last:,}" if found.last > found.first else f"{found.first:,}"
    return f"{shared} of {found.of:,}"


def score_slice_rows(content: PopularityContent, most: int = 12) -> Iterator[Row]:
    """A header and the slices, those least ahead of random scores first."""
    rows = [(name, row) for name, own in content.slices.items() for row in own]
    if not rows:
        return
    yield "slice", "value", "articles", "groups", "nDCG@10", "95 %", "random"
    for name, row in sorted(
        rows, key=lambda item: (item[1].ndcg - item[1].random, -item[1].n, item[0], item[1].value)
    )[:most]:
        interval = f"{row.low:.3f} to {row.high:.3f}" if row.low == row.low else "–"
        yield (
            name,
            row.value,
            f"{row.n:,}",
            f"{row.groups:,}",
            f"{row.ndcg:.3f}",
            interval,
            f"{row.random:.3f}",
        )


def feature_name(name: str) -> str:
    """A feature's name as people read it."""
    return feature(name).replace("headline shape: ", "shape: ").replace(f" × {TEXT}: ", " × ")

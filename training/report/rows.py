"""The manifest's figures as lines of text, for the terminal, the card and the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = tuple[str, ...]


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


def popularity_rows(metrics: Mapping[str, Any], *, intervals: bool = False) -> Iterator[Row]:
    """A header and a line for the model (with another of its intervals) and each baseline."""
    names = ("ndcg_at_5", "ndcg_at_10", "top5_overlap", "mrr", "pairwise_accuracy", "auc")
    shown = [name for name in names if metrics.get(name) is not None]
    yield "", *[name.replace("_", " ").replace("ndcg", "nDCG").replace(" at ", "@") for name in shown]
    yield "model", *[number(metrics[name]) for name in shown]
    if intervals and (known := metrics.get("intervals")):
        yield "from", *[number(known[name][0]) if name in known else "" for name in shown]
        yield "to (95 %)", *[number(known[name][1]) if name in known else "" for name in shown]
    for baseline, own in metrics["baselines"].items():
        yield baseline_name(baseline), *[number(own[name]) for name in shown]


def comparison_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    """How far ahead of each baseline, with the paired interval."""
    for name, item in metrics.get("ahead_of", {}).items():
        ahead = f"{item['ndcg_at_10']:+.4f} (95 %: {item['low']:+.4f} to {item['high']:+.4f})"
        yield f"nDCG@10 ahead of {baseline_name(name)}", ahead


def baseline_name(name: str) -> str:
    """A baseline's name in the JSON as people read it."""
    return name.replace("source_hour", "source × hour")


def data_lines(data: Mapping[str, Any]) -> Iterator[str]:
    """Sizes, windows and how the split came about; of a compiled version, where it comes from."""
    if "compiled_from" in data:
        yield f"compiled from {data['compiled_from']}, SHA-256 {data['sha256'][:16]}; not trained by Newsdesk"
        return
    for part in ("train", "test"):
        window = data[part]["window"]
        when = f", {window[0]} to {window[1]}" if window else ""
        yield f"{part}: {data[part]['articles']} articles{_labelled(data[part])}{when}"
    yield f"split: {data['split']}"
    yield f"ranking boxes: {data['train_boxes']} in training, {data['test_boxes']} held out"
    yield f"fingerprint: {data['fingerprint'][:16]}"


def _labelled(part: Mapping[str, Any]) -> str:
    """How many articles have which label; "" of a version that was not yet told."""
    if "with_section" not in part:
        return ""
    known = f" ({part['with_section']} with a section, {part['with_popularity']} with a popularity"
    boxes = part["from_boxes"]
    return known + (f", {boxes} known only from ranking boxes)" if boxes else ")")


def _interval(low_high: Sequence[float] | None) -> str:
    return f" (95 %: {low_high[0]:.4f} to {low_high[1]:.4f})" if low_high else ""

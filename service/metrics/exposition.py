"""Counters as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import orjson

from service.metrics.cells import Values
from service.metrics.definitions import METRICS, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SUM = -1  # in place of a bucket's number

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def key_of(metric: Metric, labels: Sequence[str] = (), bucket: int | None = None) -> bytes:
    """A cell's key; a bucket (0 to one more than there are bounds) counts what is in it and in no lower one."""
    return orjson.dumps([metric.name, list(labels), bucket])


def exposition(everything: Values, living: Values) -> str:
    """All metrics, of the sums over all processes and over the living ones; gauges are of the living alone."""
    lines: list[str] = []
    for metric in METRICS:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        values = living if metric.kind == "gauge" else everything
        lines += _samples(metric, sorted(_own(metric, values)))
    return "\n".join(lines) + "\n"


def _own(metric: Metric, values: Values) -> Iterator[tuple[tuple[str, ...], int, float]]:
    """(labels, bucket, value) of a metric's cells; a counter without labels is there from the start."""
    if not metric.labels and not metric.bounds:
        yield (), 0, values.get(key_of(metric), 0.0)
        return
    for key, value in values.items():
        name, labels, bucket = orjson.loads(key)
        if name == metric.name and (value or metric.kind != "gauge"):
            yield tuple(labels), bucket or 0, value


def _samples(metric: Metric, cells: Sequence[tuple[tuple[str, ...], int, float]]) -> Iterator[str]:
    if metric.kind != "histogram":
        for labels, _, value in cells:
            yield f"{metric.name}{_written(metric, labels)} {value:.17g}"
        return
    for labels in dict.fromkeys(labels for labels, _, _ in cells):
        yield from _histogram(
            metric, labels, {bucket: value for own, bucket, value in cells if own == labels}
        )


def _histogram(metric: Metric, labels: tuple[str, ...], cells: dict[int, float]) -> Iterator[str]:
    count = 0.0
    for bucket, bound in enumerate([*(f"{bound:g}" for bound in metric.bounds), "+Inf"]):
        count += cells.get(bucket, 0.0)
        yield f"{metric.name}_bucket{_written(metric, labels, [('le', bound)])} {count:.17g}"
    yield f"{metric.name}_sum{_written(metric, labels)} {cells.get(SUM, 0.0):.17g}"
    yield f"{metric.name}_count{_written(metric, labels)} {count:.17g}"


def _written(metric: Metric, labels: Sequence[str], more: Iterable[tuple[str, str]] = ()) -> str:
    pairs = [*zip(metric.labels, labels, strict=True), *more]
    return (
        "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs) + "}"
        if pairs
        else ""
    )

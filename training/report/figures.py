"""The confusion matrix and the curves, each a function that answers an SVG element.

Colour never stands alone: counts are printed in their cells, targets have markers of their own, intervals are lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from training.learning import LearningPoint
from training.metrics import wilson
from training.report.canvas import (
    BLUE,
    FAINT,
    FONT,
    INK,
    ORANGE,
    PANEL,
    QUIET,
    WIDTH,
    axes,
    axis_start,
    draw,
    luminance,
    note,
)
from training.report.content import (
    Confusion,
    CoverageCurve,
    Reliability,
    TargetPoint,
)
from training.report.plain import shorten, text_width

_MARKERS = "osD^vP*X"
_LABELS = 150.0  # px, the most that labels may take
_RIGHT = LinearSegmentedColormap.from_list("right", ["#e8f0f7", "#08457e"])
_WRONG = LinearSegmentedColormap.from_list("wrong", ["#fdeede", "#f0a066", "#a33a00"])


def confusion_figure(confusion: Confusion) -> str:
    """Rows are the true labels, columns the predicted ones; each cell has its count and the colour of its row's share."""
    m = len(confusion.labels)
    names = [shorten(label, _LABELS, FONT, keep_end=True) for label in confusion.labels]
    widest = max(text_width(name, FONT) for name in names)
    cell = min((WIDTH - widest - 56) / m, 64.0)
    left = (WIDTH + widest + 24 - cell * m) / 2  # in the middle, labels included
    flat = widest < cell - 6
    top = 44.0 if flat else widest + 40
    side = cell * m
    height = top + side + 14
    counts = confusion.counts
    shares = np.minimum(counts / np.maximum(confusion.totals[:, None], 1), 1.0)

    def paint(figure: Figure) -> None:
        ax = axes(figure, left, top, WIDTH - left - side, height - top - side)
        ax.set(xlim=(0, m), ylim=(m, 0))
        ax.grid(False)
        for row, column in zip(*np.nonzero(counts), strict=True):
            _cell(ax, int(row), int(column), int(counts[row, column]), float(shares[row, column]), cell)
        for spine in ax.spines.values():
            spine.set(visible=True, color=FAINT)
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        ax.tick_params(length=0, pad=4)
        at = np.arange(m) + 0.5
        turn: dict[str, Any] = (
            {} if flat else {"rotation": 90, "rotation_mode": "anchor", "ha": "left", "va": "center"}
        )
        size = min(FONT, max(cell * 0.8, 8.0))
        ax.set_xticks(at, names, fontsize=size, **turn)
        ax.set_yticks(at, names, fontsize=size)
        note(figure, left + side / 2, 14, height, "predicted", ha="center")
        figure.text(
            (left - widest - 22) / WIDTH,
            1 - (top + side / 2) / height,
            "true",
            rotation=90,
            ha="center",
            va="center",
            color=QUIET,
        )

    right = int(np.trace(counts))
    said = (
        f"Confusion matrix of {m} labels: {right} of {int(counts.sum())} on the diagonal, where the predicted "
        f"label is the true one."
    )
    return draw("confusion", said, height, paint)


def _cell(ax: Axes, row: int, column: int, count: int, share: float, cell: float) -> None:
    # The root, so that a few mistakes among many right ones still show.
    colour = (_RIGHT if row == column else _WRONG)(math.sqrt(share))[:3]
    ax.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor=PANEL, linewidth=1))
    text = _count(count, cell)
    size = min(FONT, 0.9 * cell / (0.62 * max(len(text), 2)))
    ink = INK if luminance(colour) > 0.21 else "#ffffff"
    ax.text(column + 0.5, row + 0.53, text, ha="center", va="center", fontsize=size, color=ink)


def _count(count: int, cell: float) -> str:
    """A count, in thousands where its cell is too narrow."""
    return f"{count / 1000:.0f}k" if count >= 1000 and cell < 7.0 * len(str(count)) else str(count)


def reliability_figure(reliability: Reliability) -> str:
    """Share right against mean probability, a point a bin with its interval, and the line of perfect calibration."""
    low, high = wilson(reliability.accuracy * reliability.count, reliability.count)
    start = axis_start(min(float(low.min()), float(reliability.confidence.min())))
    margin = (1 - start) * 0.02

    def paint(figure: Figure) -> None:
        ax = axes(figure, 66, 18, 24, 52)
        ax.set(xlim=(start - margin, 1 + margin), ylim=(start - margin, 1 + margin))
        ax.plot([start, 1], [start, 1], color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2)
        ax.vlines(reliability.confidence, low, high, color=BLUE, linewidth=1.6, alpha=0.55)
        ax.plot(
            reliability.confidence,
            reliability.accuracy,
            "o",
            color=BLUE,
            markersize=6.5,
            markeredgecolor=PANEL,
        )
        _percent(ax, "both")
        ax.set_xlabel("mean probability of the bin")
        ax.set_ylabel("share right")

    gap = np.abs(reliability.confidence - reliability.accuracy)
    mean = float((gap * reliability.count).sum() / reliability.count.sum())
    said = (
        f"Reliability in {len(gap)} bins of equal size: probability and share right differ by {mean:.3f} on "
        f"average and by {float(gap.max()):.3f} at most."
    )
    return draw("reliability", said, 380, paint)


def coverage_figure(curve: CoverageCurve) -> str:
    """Precision among the most confident articles, for every share of them; the stored thresholds as points."""
    lines = len(curve.points)
    height = 350.0 + 22 * lines
    told = curve.precision[curve.coverage * curve.n >= min(20, curve.n)]
    known = [point.precision for point in curve.points if point.precision is not None]
    start = axis_start(min(1.0, *told.tolist(), *known, 0.99))

    def paint(figure: Figure) -> None:
        ax = axes(figure, 66, 18, 24, 60 + 22 * lines)
        ax.set(xlim=(0, 1.01), ylim=(start, 1 + (1 - start) * 0.04))
        ax.plot(curve.coverage, curve.precision, color=BLUE, linewidth=2)
        for number, point in enumerate(curve.points):
            marker = _MARKERS[number % len(_MARKERS)]
            y = 22 * (lines - number) - 4
            _legend(figure, marker, point.threshold is not None, y, height)
            if point.precision is not None:
                ax.plot(
                    [point.coverage],
                    [point.precision],
                    marker,
                    color=ORANGE,
                    markersize=9,
                    markeredgecolor=PANEL,
                )
            figure.text(84 / WIDTH, y / height, _said(point), va="center")
        _percent(ax, "both")
        ax.set_xlabel("share of the articles filed unseen (coverage)")
        ax.set_ylabel("share of these right (precision)")

    said = "Precision against coverage. " + " ".join(f"{_said(p)}." for p in curve.points)
    return draw("coverage", said.strip(), height, paint)


def _legend(figure: Figure, marker: str, held: bool, y: float, height: float) -> None:
    ax = figure.add_axes((60 / WIDTH, (y - 8) / height, 16 / WIDTH, 16 / height))
    ax.set_axis_off()
    ax.plot([0], [0], marker if held else "x", color=ORANGE if held else QUIET, markersize=8, clip_on=False)


def _said(point: TargetPoint) -> str:
    name = f"target {point.target:g}"
    if point.threshold is None:
        return f"{name}: the training part has too few articles to hold it"
    if point.precision is None:
        return f"{name}: from probability {point.threshold:.3f} on; no article reached it"
    filed = f"{point.coverage:.1%} filed, {point.precision:.1%} of them right"
    return f"{name}: from probability {point.threshold:.3f} on, {filed}"


def learning_figure(points: Sequence[LearningPoint]) -> str:
    """Held-out accuracy, with intervals, against the number of training articles."""
    sizes = [point.articles for point in points]
    wide = len(points) > 1 and max(sizes) >= 5 * min(sizes)
    start = axis_start(min(point.low for point in points))

    def paint(figure: Figure) -> None:
        ax = axes(figure, 66, 18, 34, 52)
        if wide:
            ax.set_xscale("log")
        ax.vlines(
            sizes, [p.low for p in points], [p.high for p in points], color=BLUE, linewidth=2, alpha=0.55
        )
        ax.plot(sizes, [p.correct for p in points], "o-", color=BLUE, markersize=7, markeredgecolor=PANEL)
        ax.set_ylim(start, 1 + (1 - start) * 0.03)
        ax.xaxis.set_major_locator(FixedLocator(sizes))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        ax.set_xlabel("training articles" + (" (logarithmic scale)" if wide else ""))
        ax.set_ylabel("accuracy")

    first, last = points[0], points[-1]
    said = (
        f"Learning curve: accuracy {first.correct:.3f} after {first.articles:,} training articles, "
        f"{last.correct:.3f} after {last.articles:,}."
    )
    return draw("learning", said, 320, paint)


def _percent(ax: Axes, which: str) -> None:
    def shown(value: float, _: int) -> str:
        return f"{value * 100:.3g}%"

    for axis in (ax.xaxis, ax.yaxis) if which == "both" else (ax.xaxis,):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(shown))

"""Labels, slices and words as lines with a point or a bar each; every function answers an SVG element."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from training.report.canvas import BLUE, FONT, ORANGE, PANEL, QUIET, WIDTH, axes, axis_start, draw, note
from training.report.content import LabelScore, SliceRow
from training.report.plain import feature, shorten, text_width

MOST_BARS = 30
MOST_PANELS = 30
_ROW = 22.0  # px, of a line
_LABELS = 190.0  # px, the most that labels may take


class Line(NamedTuple):
    """A value with its interval, NaN where there is none, and what chance would give, NaN where that is not shown."""

    name: str
    articles: int
    value: float
    low: float
    high: float
    chance: float = math.nan


def f1_figure(scores: Sequence[LabelScore]) -> str:
    """F1 of the most frequent labels with intervals, best first, and how many held-out articles each has."""
    known = [score for score in scores if not math.isnan(score.f1)]
    shown = sorted(known, key=lambda score: -score.support)[:MOST_BARS]
    shown.sort(key=lambda score: -score.f1)
    rows = [Line(score.label, score.support, score.f1, score.low, score.high) for score in shown]
    worst = shown[-1]
    said = (
        f"F1 of {len(shown)} labels: from {shown[0].f1:.3f} ({shorten(shown[0].label, 40, 1)}) "
        f"down to {worst.f1:.3f} ({shorten(worst.label, 40, 1)})."
    )
    return lines_figure("f1", said, [("", rows)], "F1, with its interval at 95 %", None)


def slices_figure(slices: Mapping[str, Sequence[SliceRow]], overall: float | None) -> str:
    """Accuracy on parts of the held-out articles, with intervals; the line is the accuracy on all of them."""
    groups = [
        (name, [Line(row.value, row.n, row.accuracy, row.low, row.high) for row in rows])
        for name, rows in slices.items()
    ]
    everything = [(row.accuracy, name, row.value) for name, rows in slices.items() for row in rows]
    accuracy, name, value = min(everything)
    said = (
        f"Accuracy on {len(everything)} slices of the held-out articles; the lowest is {accuracy:.3f} "
        f"({shorten(name, 40, 1)}: {shorten(value, 40, 1)})."
    )
    return lines_figure("slices", said, groups, "accuracy, with its interval at 95 %", overall)


def lines_figure(
    name: str, said: str, groups: Sequence[tuple[str, Sequence[Line]]], axis: str, mark: float | None
) -> str:
    """A point, an interval and a tick for chance a line, in groups with headings, all within 0 to 1; `mark` is a value to
    draw across all lines."""
    lines = [line for _, rows in groups for line in rows]
    names = {line.name: shorten(line.name, _LABELS, FONT, keep_end=True) for line in lines}
    left = max(max(text_width(text, FONT) for text in names.values()), 40.0) + 26
    start = axis_start(min(x for line in lines for x in (line.value, line.low, line.chance) if x == x))
    slots = sum(len(rows) + (1.3 if title else 0) for title, rows in groups)
    height = slots * _ROW + 80

    def paint(figure: Figure) -> None:
        ax = axes(figure, left, 26, 74, 54)
        ax.set(xlim=(start, 1), ylim=(slots, 0))
        ax.grid(False, axis="y")
        ax.spines["left"].set_visible(False)
        if mark is not None:
            ax.axvline(mark, color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1)
        at = 0.0
        ticks, ticked = [], []
        for title, rows in groups:
            if title:
                at += 1.3
                y = 1 - (26 + (at - 0.55) * _ROW) / height
                figure.text(14 / WIDTH, y, shorten(title, WIDTH / 2, FONT), fontweight="bold", va="center")
            for line in rows:
                middle = at + 0.5
                _point(ax, line, middle)
                y = 1 - (26 + middle * _ROW) / height
                said = f"{line.articles:,}"
                figure.text(1 - 14 / WIDTH, y, said, ha="right", va="center", fontsize=11, color=QUIET)
                ticks.append(middle)
                ticked.append(names[line.name])
                at += 1
        ax.set_yticks(ticks, ticked)
        ax.tick_params(axis="y", length=0, pad=8)
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        ax.set_xlabel(axis)
        note(figure, WIDTH - 14, 13, height, "articles", ha="right")

    return draw(name, said, height, paint)


def _point(ax: Axes, line: Line, middle: float) -> None:
    if not math.isnan(line.low):
        span = [line.low, line.high]
        ax.plot(span, [middle, middle], color=BLUE, linewidth=2, alpha=0.55, clip_on=False)
    if not math.isnan(line.chance):
        span = [middle - 0.3, middle + 0.3]
        ax.plot([line.chance, line.chance], span, color=ORANGE, linewidth=2, clip_on=False)
    ax.plot([line.value], [middle], "o", color=BLUE, markersize=7, markeredgecolor=PANEL, clip_on=False)


def top_words_figure(top_words: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """The features that speak most for each label, a small chart a label, bars to one scale within it."""
    shown = [(label, words) for label, words in top_words.items() if words][:MOST_PANELS]
    line, title = 18.0, 30.0
    deepest = max(len(words) for _, words in shown)
    panel = title + deepest * line + 10
    columns = 3 if len(shown) > 2 else len(shown)
    room = (WIDTH - 24) / columns
    height = math.ceil(len(shown) / columns) * panel + 8

    def paint(figure: Figure) -> None:
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_axis_off()
        ax.set(xlim=(0, WIDTH), ylim=(height, 0))
        for number, (label, words) in enumerate(shown):
            left, top = 12 + (number % columns) * room, 6 + (number // columns) * panel
            ax.text(
                left + 4,
                top + 15,
                shorten(label, room - 14, 13, keep_end=True),
                fontweight="bold",
                va="center",
                fontsize=13,
            )
            _bars(ax, words, left + 4, top + title, room - 16, line)

    said = "Top words. " + " ".join(
        f"{shorten(label, 30, 1)}: {', '.join(shorten(feature(word), 20, 1) for word, _ in words[:3])}."
        for label, words in shown
    )
    return draw("words", said, height, paint)


def _bars(
    ax: Axes, words: Sequence[tuple[str, float]], left: float, top: float, room: float, line: float
) -> None:
    heaviest = max(weight for _, weight in words)
    split = room * 0.62
    for i, (word, weight) in enumerate(words):
        middle = top + (i + 0.5) * line
        ax.text(left, middle, shorten(feature(word), split - 6, 11.5), va="center", fontsize=11.5)
        length = (room - split) * weight / heaviest
        ax.add_patch(Rectangle((left + split, middle - 4.5), length, 9, facecolor=BLUE, alpha=0.75))

"""Predicted against real rank, nDCG over time and the chances of the top five, each a function that answers an SVG element.

Colour never stands alone: cells hold their numbers, lines have their own dashes and names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from training.metrics import wilson
from training.report.canvas import (
    BLUE,
    FAINT,
    INK,
    ORANGE,
    PANEL,
    QUIET,
    WIDTH,
    axes,
    draw,
    luminance,
    note,
)
from training.report.plain import text_width
from training.report.popularity.content import Chances, Floats, HitShare, OverTime, RankTable, Series

_MORE = LinearSegmentedColormap.from_list("more", ["#fbfbf9", "#9cc3de", "#0f5c97", "#08355f"])
_LESS = LinearSegmentedColormap.from_list("less", ["#fbfbf9", "#f6c39a", "#c85a12"])
_NEUTRAL = "#6b6b6b"
_DASHES: tuple[object, ...] = ((0, (5, 2)), (0, (1, 1.6)), (0, (6, 2, 1.2, 2)), (0, (3, 1.5)), (0, (8, 3)))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TICK = 58.0  # px between the names of two periods


def part_names(parts: int) -> list[str]:
    """Of the parts of an order, best first."""
    endings = {2: "nd", 3: "rd"}
    return ["top", *(f"{i}{endings.get(i, 'th')}" for i in range(2, parts)), "last"]


def part_word(parts: int) -> str:
    """What one of the parts is called."""
    return {5: "fifth", 10: "tenth"}[parts]


def rank_figure(table: RankTable) -> str:
    """Rows are parts of the predicted order, columns of the true one; a cell has the row's share there and a colour by how
    many times as much that is as random scores would give."""
    parts = len(table.shares)
    names = part_names(parts)
    left, top, right, bottom = 96.0, 44.0, 24.0, 66.0
    side = (WIDTH - left - right) / parts
    cell = min(side * 0.72, 44.0)
    height = top + cell * parts + bottom
    ratio = np.divide(table.shares, table.chance, out=np.ones_like(table.shares), where=table.chance > 0)

    def paint(figure: Figure) -> None:
        ax = axes(figure, left, top, right, bottom)
        ax.set(xlim=(0, parts), ylim=(parts, 0))
        ax.grid(False)
        for row in range(parts):
            for column in range(parts):
                colour = _times(float(ratio[row, column]))
                box = Rectangle((column, row), 1, 1, facecolor=colour, edgecolor=PANEL, linewidth=1.5)
                ax.add_patch(box)
                ink = INK if luminance(colour) > 0.21 else "#ffffff"
                said = f"{table.shares[row, column]:.0%}"
                ax.text(column + 0.5, row + 0.53, said, ha="center", va="center", color=ink)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.xaxis.tick_top()
        ax.tick_params(length=0, pad=4)
        at = np.arange(parts) + 0.5
        ax.set_xticks(at, names)
        ax.set_yticks(at, names)
        word = part_word(parts)
        note(figure, (left + WIDTH - right) / 2, 13, height, f"real {word} of the group", ha="center")
        figure.text(
            22 / WIDTH,
            1 - (top + cell * parts / 2) / height,
            f"predicted {word}",
            rotation=90,
            ha="center",
            va="center",
            color=QUIET,
        )
        _scale(figure, height)

    said = (
        f"Predicted against real rank in {parts} parts: of the articles predicted in the top {part_word(parts)}, "
        f"{table.shares[0, 0]:.0%} were in the real top {part_word(parts)} (chance: {table.chance[0, 0]:.0%}) and "
        f"{table.shares[0, -1]:.0%} in the last."
    )
    return draw("ranks", said, height, paint)


def _times(ratio: float) -> tuple[float, float, float]:
    """A colour for this many times chance: white at 1, the darkest from 4 (or a quarter) on."""
    far = min(abs(np.log2(max(ratio, 1e-9))) / 2, 1.0)
    r, g, b, _ = (_MORE if ratio >= 1 else _LESS)(far)
    return r, g, b


def _scale(figure: Figure, height: float) -> None:
    steps = ((0.25, "¼ ×"), (0.5, "½ ×"), (1.0, "chance"), (2.0, "2 ×"), (4.0, "4 × chance"))
    ax = figure.add_axes((0, 0, 1, 40 / height))
    ax.set_axis_off()
    ax.set(xlim=(0, WIDTH), ylim=(40, 0))
    at = 128.0
    for ratio, name in steps:
        ax.add_patch(Rectangle((at, 11), 18, 14, facecolor=_times(ratio), edgecolor=FAINT, linewidth=0.8))
        ax.text(at + 24, 18.5, name, va="center", fontsize=11, color=QUIET)
        at += 44 + text_width(name, 11)


def hits_figure(hits: HitShare) -> str:
    """Of flags: the share of ones in each part of the predicted order, with intervals; the line is that of all articles."""
    parts = len(hits.share)
    x = np.arange(parts)

    def paint(figure: Figure) -> None:
        ax = axes(figure, 66, 18, 24, 52)
        ax.bar(x, hits.share, width=0.72, color=BLUE, alpha=0.75)
        ax.vlines(x, hits.low, hits.high, color=INK, linewidth=1.4)
        ax.axhline(hits.base, color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2)
        ax.grid(False, axis="x")
        ax.set_xticks(x, part_names(parts))
        _percent(ax, "y")
        ax.set_ylim(0, min(1.0, float(hits.high.max()) * 1.08))
        ax.set_xlabel(f"predicted {part_word(parts)} of the group")
        ax.set_ylabel("share of popular articles")

    said = (
        f"Share of popular articles by predicted {part_word(parts)}: {hits.share[0]:.1%} in the top one, "
        f"{hits.share[-1]:.1%} in the last, {hits.base:.1%} in all."
    )
    return draw("hits", said, 320, paint)


def over_time_figure(found: OverTime, labels: Sequence[str]) -> str:
    """Mean nDCG@10 by period: the model with its intervals, the others as quiet lines; at the right the means over all
    groups with their intervals, best first. `labels` name the series."""
    x = np.array([date.fromisoformat(day).toordinal() for day in found.starts], np.float64)
    widest = max(text_width(label, 11) for label in labels)
    right = min(widest + 108, 260.0)
    height = 360.0
    low, high = _range(found.series)

    def paint(figure: Figure) -> None:
        ax = axes(figure, 60, 26, right, 52)
        span = max(float(x[-1] - x[0]), 1.0)
        ax.set(xlim=(x[0] - 0.03 * span, x[-1] + 0.03 * span), ylim=(low, high))
        for number, series in reversed([*enumerate(found.series)]):
            own = number == 0
            style = "-" if own else _DASHES[(number - 1) % len(_DASHES)]
            colour = BLUE if own else _NEUTRAL
            marker = "o" if own or len(x) == 1 else ""
            known = ~np.isnan(series.points)
            if own:
                ax.vlines(x, series.point_low, series.point_high, color=BLUE, linewidth=2, alpha=0.4)
            ax.plot(
                x[known],
                series.points[known],
                marker=marker,
                markersize=5.5,
                markeredgecolor=PANEL,
                color=colour,
                linestyle=style,
                linewidth=2.2 if own else 1.3,
            )
        at, said = _ticks(found, WIDTH - 60 - right)
        ax.set_xticks(at, said)
        ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        ax.set_ylabel("nDCG@10")
        ax.set_xlabel({"day": "day", "week": "week from", "month": "month", "year": "year"}[found.unit])
        _margin(figure, found.series, labels, (low, high), right, height)

    first, *others = found.series
    said = f"nDCG@10 by {found.unit}, {len(x)} of them: the model's mean is {first.mean:.3f}; " + "; ".join(
        f"{label} {series.mean:.3f}" for label, series in zip(labels[1:], others, strict=True)
    )
    return draw("time", said.rstrip("; ") + ".", height, paint)


def _margin(
    figure: Figure,
    series: Sequence[Series],
    labels: Sequence[str],
    limits: tuple[float, float],
    right: float,
    height: float,
) -> None:
    """The means over all groups, beside the axes and to the same scale; names are moved apart where they would touch."""
    low, high = limits
    top, bottom = 26.0, 52.0
    ax = figure.add_axes(
        ((WIDTH - right) / WIDTH, bottom / height, right / WIDTH, (height - top - bottom) / height)
    )
    ax.set_axis_off()
    ax.set(xlim=(0, right), ylim=(low, high))
    unit = (high - low) / (height - top - bottom)
    order = sorted(range(len(series)), key=lambda i: (-series[i].mean, i))
    places = _apart([series[i].mean for i in order], 15 * unit, low, high)
    for i, y in zip(order, places, strict=True):
        own = series[i]
        colour = BLUE if i == 0 else _NEUTRAL
        x = 12 + 7.0 * (order.index(i) % 2)
        if own.high > own.low:
            ax.plot([x, x], [own.low, own.high], color=colour, linewidth=2, alpha=0.5)
        ax.plot([x], [own.mean], "o", color=colour, markersize=5, markeredgecolor=PANEL)
        ax.plot([x + 4, 30], [own.mean, y], color=FAINT, linewidth=0.8)
        style = "-" if i == 0 else _DASHES[(i - 1) % len(_DASHES)]
        ax.plot([33, 55], [y, y], color=colour, linestyle=style, linewidth=2.2 if i == 0 else 1.3)
        weight = "bold" if i == 0 else "normal"
        ink = INK if i == 0 else QUIET
        ax.text(60, y, f"{own.mean:.3f} {labels[i]}", va="center", fontsize=11, color=ink, fontweight=weight)
    note(figure, WIDTH - right + 8, 13, height, "mean of all, with 95 %", ha="left")


def _apart(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Falling values moved as little as needed for neighbours to keep `gap`, within the limits where there is room."""
    found = list(values)
    for i in range(1, len(found)):
        found[i] = min(found[i], found[i - 1] - gap)
    below = low + gap / 2 - found[-1]
    if below > 0:
        found[-1] += below
        for i in range(len(found) - 2, -1, -1):
            found[i] = max(found[i], found[i + 1] + gap)
    return found


def _range(series: Sequence[Series]) -> tuple[float, float]:
    every = [
        value
        for number, own in enumerate(series)
        for values in (own.points, *((own.point_low, own.point_high) if number == 0 else ()))
        for value in values[~np.isnan(values)].tolist()
    ] + [value for own in series for value in (own.low, own.high, own.mean) if value == value]
    low, high = min(every), max(every)
    pad = max((high - low) * 0.06, 0.02)
    return max(0.0, low - pad), min(1.02, high + pad)


def _ticks(found: OverTime, room: float) -> tuple[list[float], list[str]]:
    """As many periods as have `room` px for their names, which say the year once and where it changes."""
    days = [date.fromisoformat(day) for day in found.starts]
    unit = room / max((days[-1] - days[0]).days, 1)
    shown: list[date] = []
    for day in days:
        if not shown or (day - shown[-1]).days * unit >= _TICK:
            shown.append(day)
    said, year = [], 0
    for day in shown:
        month = _MONTHS[day.month - 1]
        name = {"year": f"{day.year}", "month": month}.get(found.unit, f"{day.day} {month}")
        said.append(name if found.unit == "year" or day.year == year else f"{name}\n{day.year}")
        year = day.year
    return [float(day.toordinal()) for day in shown], said


def chances_figure(found: Chances) -> str:
    """Share that made the top five against the mean chance, a point a bin with its interval; below, how many articles got
    which chance."""
    bins = found.reliability
    low, high = wilson(bins.accuracy * bins.count, bins.count)
    end = min(1.0, max(float(high.max()), float(found.edges[-1])) * 1.03)
    height = 460.0

    def paint(figure: Figure) -> None:
        ax = axes(figure, 66, 18, 24, 150)
        ax.set(xlim=(-0.02 * end, end), ylim=(-0.02 * end, end))
        ax.plot([0, end], [0, end], color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2)
        ax.vlines(bins.confidence, low, high, color=BLUE, linewidth=1.6, alpha=0.55)
        ax.plot(bins.confidence, bins.accuracy, "o", color=BLUE, markersize=6.5, markeredgecolor=PANEL)
        _percent(ax, "y")
        ax.set_ylabel("share that made the top five")
        ax.tick_params(axis="x", labelbottom=False)
        _histogram(axes(figure, 66, height - 130, 24, 52), found, end)

    gap = np.abs(bins.confidence - bins.accuracy)
    mean = float((gap * bins.count).sum() / bins.count.sum())
    said = (
        f"Chance of the top five in {len(gap)} bins of equal size: chance and outcome differ by {mean:.3f} on average "
        f"and by {float(gap.max()):.3f} at most; chances reach from {bins.confidence[0]:.2f} to "
        f"{bins.confidence[-1]:.2f}."
    )
    return draw("chances", said, height, paint)


def _histogram(ax: Axes, found: Chances, end: float) -> None:
    widths: Floats = np.diff(found.edges)
    ax.bar(found.edges[:-1], found.counts, width=widths * 0.9, align="edge", color=ORANGE, alpha=0.7)
    ax.set(xlim=(-0.02 * end, end))
    ax.grid(False, axis="x")
    ax.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    _percent(ax, "x")
    ax.set_xlabel("predicted chance of the top five")
    ax.set_ylabel("articles")


def _percent(ax: Axes, which: str) -> None:
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.3g}%"))

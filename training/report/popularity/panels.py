"""Words that lift beside words that sink, as an SVG element."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from training.report.canvas import BLUE, ORANGE, QUIET, WIDTH, draw
from training.report.plain import shorten, text_width
from training.report.popularity.content import WordEffect, WordPanel
from training.report.popularity.tables import feature_name

_LINE, _HEAD = 19.0, 52.0  # px
_COUNT = 42.0  # px, for the number of articles


def words_figure(panel: WordPanel, number: int) -> str:
    """What lifts at the left, what sinks at the right, bars to one scale; `number` tells the picture from others."""
    deepest = max(len(panel.lift), len(panel.sink))
    height = _HEAD + deepest * _LINE + 12
    heaviest = max(abs(word.effect) for word in (*panel.lift, *panel.sink))
    room = (WIDTH - 24 - 24) / 2
    names = [feature_name(word.name) for word in (*panel.lift, *panel.sink)]
    narrow = max(text_width(name, 12) for name in names) < room * 0.55

    def paint(figure: Figure) -> None:
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_axis_off()
        ax.set(xlim=(0, WIDTH), ylim=(height, 0))
        for words, left, title, colour in (
            (panel.lift, 12.0, "lift", BLUE),
            (panel.sink, 12.0 + room + 24, "sink", ORANGE),
        ):
            ax.text(left, 20, title, va="center", fontsize=14, fontweight="bold", color=colour)
            ax.text(left + room, 40, "articles", va="center", ha="right", fontsize=10.5, color=QUIET)
            _bars(ax, words, left, room, heaviest, colour, narrow)

    said = f"{panel.title} that lift: {_first(panel.lift)}. {panel.title} that sink: {_first(panel.sink)}."
    return draw(f"words{number}", said, height, paint)


def _first(words: Sequence[WordEffect]) -> str:
    return ", ".join(shorten(feature_name(word.name), 20, 1) for word in words[:5]) or "none"


def _bars(
    ax: Axes,
    words: Sequence[WordEffect],
    left: float,
    room: float,
    heaviest: float,
    colour: str,
    narrow: bool,
) -> None:
    split = (room - _COUNT) * (0.62 if narrow else 0.75)
    for i, word in enumerate(words):
        middle = _HEAD + (i + 0.5) * _LINE
        name = shorten(feature_name(word.name), split - 6, 12, keep_end=True)
        ax.text(left, middle, name, va="center", fontsize=12)
        length = (room - _COUNT - split) * abs(word.effect) / heaviest
        ax.add_patch(
            Rectangle((left + split, middle - 5), max(length, 1.0), 10, facecolor=colour, alpha=0.75)
        )
        said = f"{word.articles:,}"
        ax.text(left + room, middle, said, va="center", ha="right", fontsize=10.5, color=QUIET)

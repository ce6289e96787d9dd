"""SVG from matplotlib that a strict content-security policy lets live inside a page, the same for the same content.

matplotlib writes `style` attributes and a style sheet, which such a policy blocks and which would leak into the page; and
ids that clash between figures. Both are rewritten here. Text stays text: the reader's browser finds fonts for every script.
"""

from __future__ import annotations

import math
import re
import threading
import warnings
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH = 640.0  # px; one unit of the SVG is one px at this width
INK, QUIET, FAINT, PANEL = "#222222", "#595959", "#d9d9d6", "#fbfbf9"
BLUE, ORANGE = "#0067a5", "#c14a00"  # told apart by every kind of colour vision, and by lightness
FONT = 12.0
_RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": FONT,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PANEL,
}
# matplotlib keeps its settings in one global table; they are ours only while this is held.
_SETTINGS = threading.Lock()
_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_KEPT = frozenset(("svg", "g", "defs", "path", "use", "rect", "clipPath", "text", "tspan"))
_FONT = re.compile(r"(?P<words>.*?)(?P<size>[0-9.]+)px\s")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def draw(name: str, description: str, height: float, paint: Callable[[Figure], None]) -> str:
    """An SVG element, `WIDTH` by `height` px, that `paint` has drawn on a figure of that size.

    `name` tells its ids from those of other figures in the page; `description` is for those who cannot see it.
    """
    buffer = BytesIO()
    with _SETTINGS, matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_RC, "svg.hashsalt": name})
        # The browser has the fonts; matplotlib's own need not.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        warnings.filterwarnings(
            "ignore", message="Matplotlib currently does not support", category=UserWarning
        )
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        FigureCanvasSVG(figure)
        paint(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(buffer.getvalue())
    return _page_svg(root, name, description, height)


def axes(figure: Figure, left: float, top: float, right: float, bottom: float) -> Axes:
    """Axes whose box keeps these distances, in px, to the edges of the figure."""
    height = figure.get_figheight() * 72
    return figure.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    )


def note(figure: Figure, x: float, y: float, height: float, text: str, ha: str) -> None:
    """Quiet text at px from the upper left corner."""
    figure.text(x / WIDTH, 1 - y / height, text, color=QUIET, va="center", ha=ha)


def luminance(colour: Sequence[float]) -> float:
    """How light red, green and blue (0 to 1) are together, 0 to 1: below 0.21 white text reads better than black."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def axis_start(value: float) -> float:
    """A round number a little under a share, for the start of an axis: nothing is cut off."""
    for start in (0.98, 0.95, 0.9):
        if value > start + (1 - start) * 0.02:
            return start
    return max(0.0, math.floor((value - 0.002) * 20) / 20)


def _page_svg(root: ElementTree.Element, name: str, description: str, height: float) -> str:
    used = set()
    for element in root.iter():
        if target := element.get(_HREF) or element.get("href"):
            used.add(target.removeprefix("#"))
        for value in element.attrib.values():
            used.update(_REFERENCE.findall(value))
    label = escape(description)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="{label}" stroke-linejoin="round" font-family="system-ui, sans-serif">'
    )
    return head + "".join(_markup(child, name, used) for child in root) + "</svg>"


def _markup(element: ElementTree.Element, name: str, used: set[str]) -> str:
    tag = element.tag.removeprefix(_SVG) if isinstance(element.tag, str) else ""
    if tag not in _KEPT:
        return ""
    inside = escape(element.text or "", quote=False) if tag in ("text", "tspan") else ""
    inside += "".join(_markup(child, name, used) for child in element)
    attributes = _attributes(element, name, used)
    if tag == "g" and not attributes:
        return inside
    if not inside and tag in ("g", "defs"):
        return ""
    shown = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag}{shown}>{inside}</{tag}>" if inside else f"<{tag}{shown}/>"


def _attributes(element: ElementTree.Element, name: str, used: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in element.attrib.items():
        if key == "id":
            if value in used:
                found["id"] = f"{name}-{value}"
        elif key in (_HREF, "href"):
            found["href"] = f"#{name}-{value.removeprefix('#')}"
        elif key == "style":
            found.update(_presentation(value))
        elif not key.startswith("{"):
            found[key] = value
    return {
        key: _REFERENCE.sub(lambda match: f"url(#{name}-{match[1]})", value) for key, value in found.items()
    }


def _presentation(style: str) -> dict[str, str]:
    """The attributes that say what a `style` says; the font's family is the page's."""
    found = {}
    for item in style.split(";"):
        key, _, value = item.partition(":")
        key, value = key.strip(), value.strip()
        if key == "font":
            match = _FONT.match(value)
            if match:
                found["font-size"] = match["size"]
                if match["words"].strip():
                    found["font-weight"] = match["words"].split()[-1]
        elif key and key != "font-family":
            found[key] = value.removesuffix("px") if key == "font-size" else value
    return found

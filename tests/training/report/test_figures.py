"""The pictures as the page gets them: no style, no script, the same for the same content, text kept as text."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from training.learning import LearningPoint
from training.report import bars, figures
from training.report.canvas import BLUE, INK, ORANGE, PANEL, QUIET
from training.report.content import Confusion, LabelScore, ReportContent, SliceRow
from training.report.popularity import figures as rank_figures
from training.report.popularity import panels
from training.report.popularity.content import OverTime, RankTable, Series, WordEffect, WordPanel

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "g", "defs", "path", "use", "rect", "clipPath", "text", "tspan"}
HOSTILE = "<script>alert(1)</script> & \"'$x^2$ \\frac \x00\x1b\ud800\u202e"


def pictures(content: ReportContent) -> dict[str, str]:
    sections = content.sections
    assert sections is not None
    assert sections.confusion is not None
    assert sections.reliability is not None
    assert sections.precision_coverage is not None
    assert sections.learning_curve is not None
    popularity = content.popularity
    assert popularity is not None
    assert popularity.ranks is not None
    assert popularity.hits is not None
    assert popularity.over_time is not None
    assert popularity.chances is not None
    return {
        "ranks": rank_figures.rank_figure(popularity.ranks),
        "hits": rank_figures.hits_figure(popularity.hits),
        "time": rank_figures.over_time_figure(popularity.over_time, ["model", "random = source × hour"]),
        "chances": rank_figures.chances_figure(popularity.chances),
        **{f"panel{i}": panels.words_figure(panel, i) for i, panel in enumerate(popularity.words)},
        "confusion": figures.confusion_figure(sections.confusion),
        "reliability": figures.reliability_figure(sections.reliability),
        "coverage": figures.coverage_figure(sections.precision_coverage),
        "f1": bars.f1_figure(sections.f1),
        "learning": figures.learning_figure(sections.learning_curve),
        "slices": bars.slices_figure(sections.slices, 0.9),
        "words": bars.top_words_figure(sections.top_words),
    }


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_picture_is_plain_svg_that_a_strict_policy_lets_through(content: ReportContent) -> None:
    for svg in pictures(content).values():
        root = ElementTree.fromstring(svg)
        for element in root.iter():
            assert element.tag.removeprefix(SVG) in ALLOWED
            assert not {key for key in element.attrib if key in ("style", "class") or key.startswith("on")}
            if element.tag != f"{SVG}svg":
                assert "font-family" not in element.attrib
        assert root.get("role") == "img"
        assert len(root.get("aria-label") or "") > 20


def test_ids_are_unique_in_the_page_and_every_reference_is_to_one_of_its_own_picture(
    content: ReportContent,
) -> None:
    seen: set[str] = set()
    references = 0
    for svg in pictures(content).values():
        ids = re.findall(r'\bid="([^"]+)"', svg)
        used = re.findall(r'href="#([^"]+)"', svg) + re.findall(r"url\(#([^)]+)\)", svg)
        references += len(used)
        assert len(ids) == len(set(ids))
        assert not seen & set(ids)
        assert set(used) == set(ids)
        seen |= set(ids)
    assert references


def test_pictures_have_a_light_panel_of_their_own_on_which_everything_is_seen(content: ReportContent) -> None:
    for svg in pictures(content).values():
        root = ElementTree.fromstring(svg)
        first = next(root.iter(f"{SVG}path"))
        assert first.get("fill") == PANEL

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for colour in (INK, QUIET, BLUE, ORANGE):
        assert (luminance(PANEL) + 0.05) / (luminance(colour) + 0.05) >= 4.5


def test_labels_of_any_script_are_text_and_measuring_them_warns_of_nothing(content: ReportContent) -> None:
    drawn = pictures(content)
    for label in ("Politics", "경제", "社会・くらし", "العربية"):
        assert texts(drawn["confusion"]).count(label) == 2
        assert label in texts(drawn["f1"])
        assert label in texts(drawn["words"])
    assert {"word", "␣par"} <= set(texts(drawn["words"]))
    assert "聯合" in texts(drawn["slices"])


@pytest.mark.parametrize(
    "draw",
    [
        lambda text: figures.confusion_figure(
            Confusion((text, "b"), np.array([[1, 2], [0, 3]]), np.array([3, 3]), 2)
        ),
        lambda text: bars.f1_figure([LabelScore(text, 0.5, 0.4, 0.6, 3)]),
        lambda text: bars.slices_figure({"source": [SliceRow(text, 3, 0.5, 0.1, 0.9)]}, None),
        lambda text: bars.top_words_figure({text: [(f"text: {text}", 1.0)]}),
        lambda text: panels.words_figure(WordPanel("Words", (WordEffect(f"text: {text}", 1.0, 2),), ()), 0),
        lambda text: bars.lines_figure(
            "x", "said", [(text, [bars.Line(text, 3, 0.5, 0.4, 0.6, 0.3)])], "", 0.5
        ),
    ],
)
def test_hostile_names_are_only_text(draw: Callable[[str], str]) -> None:
    svg = draw(HOSTILE)
    assert "<script" not in svg
    assert ElementTree.fromstring(svg) is not None
    assert any(text.startswith("<script>al") for text in texts(svg))
    assert draw("$x^2$") != svg
    assert "$x^2$" in texts(draw("$x^2$"))  # not typeset as a formula


def test_the_same_content_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "from training.report.bars import f1_figure\n"
        "from training.report.content import LabelScore\n"
        "import hashlib, sys\n"
        "rows = [LabelScore(name, 0.5, 0.4, 0.6, 3) for name in 'abc']\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "print(hashlib.sha256(f1_figure(rows).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            check=True, capture_output=True, text=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_drawing_leaves_matplotlibs_settings_alone_and_does_not_obey_them(content: ReportContent) -> None:
    before = pictures(content)["f1"]
    with matplotlib.rc_context({"font.size": 31.0, "xtick.major.size": 30, "svg.fonttype": "path"}):
        settings = dict(matplotlib.rcParams)
        assert pictures(content)["f1"] == before
        assert dict(matplotlib.rcParams) == settings


def test_a_cell_too_narrow_for_its_count_says_thousands() -> None:
    m = 25
    counts = np.diag([123_456] * m)
    labels = tuple(f"label {i}" for i in range(m))
    drawn = texts(figures.confusion_figure(Confusion(labels, counts, counts.sum(axis=1), 100)))
    assert drawn.count("123k") == m
    wide = texts(figures.confusion_figure(Confusion(labels[:2], counts[:2, :2], counts.sum(axis=1)[:2], 2)))
    assert wide.count("123456") == 2


def test_f1_shows_the_thirty_most_frequent_labels_best_first() -> None:
    scores = [LabelScore(f"label {i:03d}", 1 - i / 100, 0.0, 1.0, i) for i in range(100)]
    scores.append(LabelScore("nothing", float("nan"), float("nan"), float("nan"), 10**6))
    shown = [text for text in texts(bars.f1_figure(scores)) if text.startswith("label") or text == "nothing"]
    assert shown == [f"label {i:03d}" for i in range(70, 100)]


def test_long_labels_are_cut_in_the_middle_so_that_they_still_differ() -> None:
    names = tuple(f"The same very long beginning of a section's name, number {i}" for i in range(3))
    counts = np.eye(3, dtype=np.int64)
    drawn = texts(figures.confusion_figure(Confusion(names, counts, counts.sum(axis=1), 3)))
    cut = [text for text in drawn if "…" in text]
    assert len(cut) == 6
    assert len(set(cut)) == 3


@pytest.mark.parametrize("points", [1, 2])
def test_a_learning_curve_may_be_short(points: int) -> None:
    curve = [LearningPoint(10 * 9**i, 0.5 + i / 4, 0.4, 0.8) for i in range(points)]
    svg = figures.learning_figure(curve)
    assert "10" in texts(svg)
    said = ElementTree.fromstring(svg).get("aria-label") or ""
    assert "accuracy 0.500 after 10 training articles" in said
    assert said.endswith(f"{curve[-1].correct:.3f} after {curve[-1].articles}.")


def test_the_heat_map_has_a_cell_for_every_pair_of_parts_and_says_the_corner() -> None:
    shares = np.full((10, 10), 0.1)
    shares[0, 0], shares[0, 1] = 0.2, 0.0
    svg = rank_figures.rank_figure(RankTable(shares, np.full((10, 10), 0.1), 400, 20))
    assert texts(svg).count("10%") == 98
    assert {"20%", "0%", "2nd", "3rd", "9th", "last", "predicted tenth"} <= set(texts(svg))
    said = ElementTree.fromstring(svg).get("aria-label") or ""
    assert "in the top tenth, 20% were in the real top tenth (chance: 10%) and 10% in the last" in said


def series(name: str, mean: float, points: int) -> Series:
    nothing = np.full(points, np.nan)
    return Series((name,), mean, mean - 0.05, mean + 0.05, np.full(points, mean), nothing, nothing)


@pytest.mark.parametrize("points", [1, 2, 40])
def test_time_may_be_short_and_names_of_equal_means_do_not_overlap(points: int) -> None:
    days = tuple(f"2031-{4 + i // 20:02d}-{1 + i % 20:02d}" for i in range(points))
    found = OverTime(
        "day", days, np.ones(points, np.int64), tuple(series(f"s{i}", 0.5, points) for i in range(6))
    )
    svg = rank_figures.over_time_figure(found, [f"s{i}" for i in range(6)])
    assert "1 Apr" in texts(svg)
    assert "2031" in texts(svg)
    places = sorted(
        float(element.get("y") or re.findall(r"[-\d.]+", element.get("transform") or "")[-1])
        for element in ElementTree.fromstring(svg).iter(f"{SVG}text")
        if re.fullmatch(r"0\.500 s\d", "".join(element.itertext()))
    )
    assert len(places) == 6
    assert min(np.diff(places)) > 12


def test_time_is_named_by_its_period() -> None:
    for unit, days, shown in (
        (
            "week",
            ("2031-04-07", "2031-12-29", "2032-03-01"),
            {"7 Apr", "29 Dec", "1 Mar", "2031", "2032", "week from"},
        ),
        ("month", ("2031-04-01", "2032-03-01"), {"Apr", "Mar", "month"}),
        ("year", ("2031-01-01", "2032-01-01"), {"2031", "2032", "year"}),
    ):
        found = OverTime(unit, days, np.ones(len(days), np.int64), (series("model", 0.5, len(days)),))  # type: ignore[arg-type]
        assert shown <= set(texts(rank_figures.over_time_figure(found, ["model"])))


def test_lines_without_an_interval_have_only_a_point() -> None:
    lines = [bars.Line("a", 3, 0.5, float("nan"), float("nan")), bars.Line("b", 3, 0.5, 0.4, 0.6, 0.3)]
    svg = bars.lines_figure("x", "said", [("", lines)], "", None)
    assert "nan" not in svg
    assert svg.count(BLUE) > 0
    assert svg.count(ORANGE) == 1

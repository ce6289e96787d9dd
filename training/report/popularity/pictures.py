"""The popularity head's pictures and lists, each with its heading and a caption that says how to read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from training.popularity_evaluation import MOST_VALUES
from training.report import bars
from training.report.markup import Part, figure, text
from training.report.plain import HEADLINE_WIDTH, section_name, shorten
from training.report.popularity import figures, panels
from training.report.popularity.content import (
    OverTime,
    Place,
    PopularityContent,
    ScoreSlice,
    Surprise,
    WordPanel,
)
from training.report.popularity.tables import feature_name, place
from training.report.rows import baseline_name

_UNLIKE = ' class="against"'


def pictures(content: PopularityContent, overall: float | None) -> Iterator[Part]:
    """What there is to show, in the order to look at it; `overall` is the mean nDCG@10 over all groups."""
    yield from _ranks(content)
    if content.over_time is not None:
        labels = [_together(series.names) for series in content.over_time.series]
        svg = figures.over_time_figure(content.over_time, labels)
        yield Part("popularity-time", 3, "nDCG over time", figure(svg, _time_caption(content.over_time)))
    if content.chances is not None:
        bins = len(content.chances.reliability.count)
        each = int(content.chances.reliability.count.max())
        caption = (
            f"Held-out articles in {bins} bins of equal size (up to {each:,} articles each) by their predicted chance of "
            "their group's top five. On the dashed line a chance is true: of the articles given 30 %, three in ten make "
            "it. Lines: 95 % intervals. Below: how many articles got which chance."
        )
        svg = figures.chances_figure(content.chances)
        yield Part("popularity-chances", 3, "Are the chances of the top five true?", figure(svg, caption))
    yield from _slices(content.slices, overall)
    yield from _words(content.words, content.looked_at)
    yield from _surprises(content)


def _together(names: Sequence[str]) -> str:
    more = [f"{len(names) - 2} more"] if len(names) > 3 else []
    return " = ".join([*map(baseline_name, names[: 2 if more else 3]), *more])


def _ranks(content: PopularityContent) -> Iterator[Part]:
    title = "Predicted against real rank"
    if content.ranks is not None and content.ranks.groups:
        word = figures.part_word(len(content.ranks.shares))
        groups = f"{content.ranks.groups:,} group{'s' * (content.ranks.groups > 1)}"
        caption = (
            f"Each group's articles, {content.ranks.articles:,} in {groups}, in the order that was predicted (rows) and in "
            f"the real one (columns), both cut in {word}s: a row says where the articles of a predicted {word} really "
            "ended up. A perfect order would fill the diagonal; chance would fill every row alike. Blue is more than "
            "chance, orange less."
        )
        yield Part("popularity-ranks", 3, title, figure(figures.rank_figure(content.ranks), caption))
    if content.hits is not None:
        word = figures.part_word(len(content.hits.share))
        caption = (
            f"Each group's articles in the predicted order, cut in {word}s: how many of each {word} became popular, with "
            "95 % intervals. The dashed line is the share among all articles, which chance would give every bar."
        )
        yield Part("popularity-hits", 3, title, figure(figures.hits_figure(content.hits), caption))


def _time_caption(found: OverTime) -> str:
    alone = bool((found.groups == 1).any())
    said = (
        f"Mean nDCG@10 over the groups of each {found.unit}: 1 is the perfect order. Blue is the model, vertical lines are "
        "95 % bootstrap intervals over groups; grey are orderings that need no text. At the right, the means over all "
        "groups."
    )
    if alone:
        said += f" A {found.unit} with one group has no interval."
    if any(len(series.names) > 1 for series in found.series):
        said += " Orderings that agree on every group share a line."
    return said


def _words(found: Sequence[WordPanel], looked_at: int) -> Iterator[Part]:
    for number, panel in enumerate(found):
        title = (
            "Words that lift, words that sink" if panel.title == "Words" else f"{panel.title}: lift and sink"
        )
        if number:
            caption = "Bars as in the picture above, to a scale of their own."
        elif looked_at:
            caption = (
                "Bars: how much a feature moves articles within their group, which is its weight × how strongly and how "
                f"often it occurs (the standard deviation over {looked_at:,} held-out articles; the number is how many of "
                "these have it). They are habits of these readers and pages, not causes."
            )
        else:
            caption = "Bars: the features' weights. They are habits of these readers and pages, not causes."
        yield Part(
            f"popularity-words-{number}", 3, title, figure(panels.words_figure(panel, number), caption)
        )


def _surprises(content: PopularityContent) -> Iterator[Part]:
    flags = content.labels is not None and content.labels.yes_or_no
    if content.missed:
        lead = (
            "Articles of their group's real top, predicted lowest, and what took most from their score (in points), "
            "compared with the average article of the group. Was it news that no word could tell, or placement, or a "
            "habit to unlearn?"
        )
        yield Part("popularity-missed", 3, "Hits we missed", _list(lead, content.missed, flags))
    if content.promised:
        lead = (
            "Articles predicted in their group's top five that ended lowest, and what added most to their score (in "
            "points), compared with the average article of the group."
        )
        yield Part("popularity-promised", 3, "Flops we promised", _list(lead, content.promised, flags))


def _list(lead: str, found: Sequence[Surprise], flags: bool) -> str:
    items = "".join(_surprise(item, flags) for item in found)
    return f'<p>{escape(lead)}</p><ol class="mistakes">{items}</ol>'


def _surprise(item: Surprise, flags: bool) -> str:
    words = "".join(
        f"<li{'' if amount >= 0 else _UNLIKE}>{text(shorten(feature_name(word), 30, 1))} {_signed(amount)}</li>"
        for word, amount in item.words
    )
    headline = text(shorten(item.headline, HEADLINE_WIDTH, 1) or "(no headline)")
    group = text(section_name(item.group) or "(unnamed group)")
    return (
        f'<li><p class="headline">{headline}</p>'
        f"<p>{group}: really {_really(item.true, flags)}, predicted place {place(item.predicted)}</p>"
        + (f'<ul class="words">{words}</ul>' if words else "")
        + "</li>"
    )


def _really(true: Place, flags: bool) -> str:
    if not flags:
        return f"place {place(true)}"
    if true.first == 1:
        return f"popular (one of {true.last:,})"
    return f"not popular ({true.first - 1:,} of {true.of:,} were)"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _slices(slices: Mapping[str, Sequence[ScoreSlice]], overall: float | None) -> Iterator[Part]:
    groups = [
        (name, [_line(row) for row in sorted(rows, key=lambda row: (-row.ndcg, row.value))])
        for name, rows in slices.items()
        if len(rows) > 1  # one slice is everything: nothing to compare
    ]
    if not groups:
        return
    worst, name, value = min((line.value, name, line.name) for name, lines in groups for line in lines)
    said = (
        f"nDCG@10 on {sum(len(lines) for _, lines in groups)} slices; the lowest is {worst:.3f} "
        f"({shorten(name, 40, 1)}: {shorten(value, 40, 1)})."
    )
    caption = (
        "Each source's and each section's articles ranked among themselves within their groups, where ten or more of them "
        "stand in one. Dots: the model, with 95 % bootstrap intervals over groups, rough where there are few. Orange "
        "ticks: random scores, which reach more where groups are small: compare how far the dots are from them. The "
        "dashed line is the model's mean over whole groups."
    )
    if any(len(lines) >= MOST_VALUES for _, lines in groups):
        caption += f" Only the {MOST_VALUES} with the most articles are shown."
    svg = bars.lines_figure("pslices", said, groups, "nDCG@10, with its interval at 95 %", overall)
    yield Part("popularity-slices", 3, "Slices of popularity", figure(svg, caption))


def _line(row: ScoreSlice) -> bars.Line:
    return bars.Line(row.value, row.n, row.ndcg, row.low, row.high, row.random)

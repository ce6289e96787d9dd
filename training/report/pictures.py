"""The section head's pictures and lists, each with its heading and a caption that says how to read it."""

from __future__ import annotations

from collections.abc import Iterator

from training.report import bars, figures
from training.report.content import Confusion, Mistake, SectionContent
from training.report.findings import findings
from training.report.markup import Part, figure, only, text
from training.report.plain import HEADLINE_WIDTH, feature, section_name, shorten

MOST_MISTAKES = 20
_FOR, _AGAINST = "", ' class="against"'


def pictures(content: SectionContent, overall: float | None) -> Iterator[Part]:
    """What there is to show, in the order to look at it; `overall` is the accuracy on all held-out articles."""
    if content.confusion is not None and content.confusion.labels:
        svg = figures.confusion_figure(content.confusion)
        yield _picture(
            "confusion", "Confusion matrix", svg, _confusion_caption(content.confusion, content.several)
        )
    if content.reliability is not None and len(content.reliability.count):
        bins = len(content.reliability.count)
        caption = (
            f"Held-out articles in {bins} bins of equal size by the probability of the predicted section. On the "
            "dashed line a probability is true: of the articles given 0.8, eight in ten are right. Lines: 95 % intervals."
        )
        svg = figures.reliability_figure(content.reliability)
        yield _picture("reliability", "Are the probabilities true?", svg, caption)
    if content.precision_coverage is not None and content.precision_coverage.n:
        caption = (
            "What filing only the surest articles gives, from a few (left) to all of them (right). The marked thresholds "
            "were chosen inside the training part; the figures are those of the held-out articles."
        )
        svg = figures.coverage_figure(content.precision_coverage)
        yield _picture("coverage", "Precision against coverage", svg, caption)
    yield from _by_label(content)
    if content.learning_curve:
        caption = "Would more articles help? One part of the training articles, after learning from fewer of the others."
        yield _picture("learning", "Learning curve", figures.learning_figure(content.learning_curve), caption)
    slices = {name: rows for name, rows in content.slices.items() if rows}
    if slices:
        caption = (
            "Where the model does better or worse. The dashed line is the accuracy on all held-out articles."
        )
        yield _picture("slices", "Slices", bars.slices_figure(slices, overall), caption)
    if any(content.top_words.values()):
        caption = "The features with the largest weights for each section; bars compare within a section."
        caption += only(sum(map(bool, content.top_words.values())), bars.MOST_PANELS, "first")
        yield _picture(
            "words", "Top words of each section", bars.top_words_figure(content.top_words), caption
        )
    if content.mistakes:
        yield Part("mistakes", 3, "Worst mistakes", _mistakes(content.mistakes))
    if content.hygiene is not None:
        yield Part("hygiene", 3, "Label hygiene", findings(content.hygiene))


def _picture(id_: str, title: str, svg: str, caption: str) -> Part:
    return Part(id_, 3, title, figure(svg, caption))


def _confusion_caption(confusion: Confusion, several: bool) -> str:
    said = "Each row is a true section, each column a predicted one; cells hold numbers of articles."
    if several:
        said = (
            "On the diagonal: how often a section was rightly assigned. Elsewhere: how often the row's section was "
            "missed in an article that wrongly got the column's."
        )
    if confusion.counts.max() >= 1000:
        said += " In narrow cells k stands for thousands."
    said += " Blue is right, orange wrong, darker a larger share of the row."
    if len(confusion.labels) < confusion.of:
        said += f" Shown are the {len(confusion.labels)} most confused of {confusion.of:,} sections."
    return said


def _by_label(content: SectionContent) -> Iterator[Part]:
    known = sum(score.f1 == score.f1 for score in content.f1)  # NaN equals nothing
    if known:
        caption = "F1 of each section with its 95 % bootstrap interval: a long line says that there are few articles."
        caption += only(known, bars.MOST_BARS, "most frequent")
        yield _picture("f1", "F1 by section", bars.f1_figure(content.f1), caption)


def _mistakes(mistakes: tuple[Mistake, ...]) -> str:
    lead = (
        "<p>The wrong answers that the model was surest of, with what the words added to the wrong section's score "
        "(+) or took from it (−). Some may be right, and the label wrong.</p>"
    )
    return lead + f'<ol class="mistakes">{"".join(map(_mistake, mistakes[:MOST_MISTAKES]))}</ol>'


def _mistake(mistake: Mistake) -> str:
    words = "".join(
        f"<li{_FOR if weight >= 0 else _AGAINST}>{text(shorten(feature(word), 24, 1))} {_signed(weight)}</li>"
        for word, weight in mistake.words
    )
    headline = text(shorten(mistake.headline, HEADLINE_WIDTH, 1) or "(no headline)")
    return (
        f'<li><p class="headline">{headline}</p>'
        f"<p>predicted {text(section_name(mistake.predicted))} with probability {mistake.probability:.3f}, is labelled "
        f"{text(section_name(mistake.truth))}</p>"
        + (f'<ul class="words">{words}</ul>' if words else "")
        + "</li>"
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")

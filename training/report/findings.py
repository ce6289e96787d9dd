"""What looks wrong in the labels, as the report tells it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from training.hygiene import FILE_NAME, Conflict, Suspect
from training.report.content import Hygiene
from training.report.markup import bullets, only, table
from training.report.plain import HEADLINE_WIDTH, section_name, shorten
from training.report.rows import Row
from training.report.tables import confusable_rows

MOST_SUSPECTS = 40
MOST_CONFLICTS = 20
MOST_SIMILAR = 20
_MOST_LABELINGS = 6  # of one group of near-duplicates
_REMEDY_WIDTH = 400.0  # em


def findings(hygiene: Hygiene) -> str:
    """The findings of every kind as HTML, the first of each, and where all of them stand."""
    shown = [*_confusable(hygiene), *_suspects(hygiene), *_conflicts(hygiene), *_similar(hygiene)]
    if not shown:
        return "<p>Nothing in the training labels looks wrong.</p>"
    where = f"Every finding stands in {FILE_NAME} beside this report, with the ids of its articles."
    return f"<p>{escape(where)}</p>" + "".join(shown)


def _confusable(hygiene: Hygiene) -> Iterator[str]:
    rows = [*confusable_rows(hygiene.confusable)]
    if rows:
        caption = (
            "Sections that the model cannot tell apart: training articles of the one (and not of the other) that a fit "
            "without them took for the other."
        )
        yield table(caption, rows[0], rows[1:], numbers=(2, 3, 4, 5))


def _suspects(hygiene: Hygiene) -> Iterator[str]:
    if hygiene.suspects:
        caption = (
            "Training articles that are most likely mislabelled: a fit without them says something else."
        )
        caption += only(hygiene.suspects_found, MOST_SUSPECTS, "surest")
        header = ("headline", "label", "its probability", "model says", "its probability")
        rows = map(_suspect, hygiene.suspects[:MOST_SUSPECTS])
        yield table(caption, header, rows, numbers=(2, 4))


def _suspect(item: Suspect) -> Row:
    return (
        shorten(item.headline, HEADLINE_WIDTH, 1) or "(no headline)",
        "(missing)" if item.label is None else section_name(item.label),
        "" if item.label_probability is None else f"{item.label_probability:.3f}",
        "(should go)" if item.predicted is None else section_name(item.predicted),
        "" if item.probability is None else f"{item.probability:.3f}",
    )


def _conflicts(hygiene: Hygiene) -> Iterator[str]:
    if hygiene.conflicts:
        said = "Near-duplicates with different labels."
        said += only(hygiene.conflicts_found, MOST_CONFLICTS, "largest")
        yield f"<p>{escape(said)}</p>{bullets(map(_conflict, hygiene.conflicts[:MOST_CONFLICTS]))}"


def _conflict(conflict: Conflict) -> str:
    """Each of its labels with one headline, as those of near-duplicates are alike."""
    by_labels: dict[frozenset[str], list[int]] = {}
    for at, labels in enumerate(conflict.labels):
        by_labels.setdefault(frozenset(labels), []).append(at)
    told = []
    for rows in list(by_labels.values())[:_MOST_LABELINGS]:
        headline = shorten(conflict.headlines[rows[0]], HEADLINE_WIDTH, 1) or "(no headline)"
        more = f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else ""
        told.append(f"{section_name('; '.join(conflict.labels[rows[0]]))}: {headline}{more}")
    return "  /  ".join(told + ["…"] * (len(by_labels) > _MOST_LABELINGS))


def _similar(hygiene: Hygiene) -> Iterator[str]:
    if hygiene.similar:
        said = "Section names that look alike." + only(len(hygiene.similar), MOST_SIMILAR, "largest")
        lines = (
            shorten(group.remedy, _REMEDY_WIDTH, 1, keep_end=True) for group in hygiene.similar[:MOST_SIMILAR]
        )
        yield f"<p>{escape(said)}</p>{bullets(lines)}"

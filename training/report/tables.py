"""What stands in a table in the report and in the card alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from training.hygiene import Confusable
from training.report.content import SectionContent
from training.report.plain import section_name
from training.report.rows import Row

MOST_LABELS = 200


def label_rows(content: SectionContent, most: int = MOST_LABELS) -> Iterator[Row]:
    """A header and a line a label: training and held-out articles, F1 with its interval; the most frequent first."""
    counts = {count.label: count for count in content.counts}
    scores = {score.label: score for score in content.f1}
    labels = dict.fromkeys([*counts, *scores])
    if not labels:
        return

    def size(label: str) -> tuple[int, int, str]:
        train = counts[label].train if label in counts else 0
        test = counts[label].test if label in counts else scores[label].support
        return -train, -test, label

    yield (
        "section",
        *(("training", "held out") if counts else ("held out",)),
        *(("F1", "95 %") if scores else ()),
    )
    for label in sorted(labels, key=size)[:most]:
        train, test, _ = size(label)
        row = [
            section_name(label),
            *([f"{-train:,}"] if counts else []),
            f"{-test:,}",
        ]
        if scores:
            score = scores.get(label)
            told = score is not None and score.f1 == score.f1
            row += (
                [f"{score.f1:.3f}", f"{score.low:.3f} to {score.high:.3f}"] if score and told else ["–", "–"]
            )
        yield tuple(row)
    if len(labels) > most:
        yield f"and {len(labels) - most:,} more", *([""] * ((2 if counts else 1) + (2 if scores else 0)))


def set_rows(content: SectionContent) -> Iterator[Row]:
    """A line a nominal coverage."""
    for row in content.sets:
        yield f"{row.nominal:g}", f"{row.coverage:.3f}", f"{row.mean_size:.2f}"


def slice_rows(content: SectionContent, most: int = 12) -> Iterator[Row]:
    """A header and the slices with the lowest accuracy, worst first."""
    rows = [(name, row) for name, own in content.slices.items() for row in own]
    if not rows:
        return
    yield "slice", "value", "articles", "accuracy", "95 %"
    for name, row in sorted(rows, key=lambda item: (item[1].accuracy, -item[1].n, item[0], item[1].value))[
        :most
    ]:
        value = section_name(row.value)
        yield name, value, f"{row.n:,}", f"{row.accuracy:.3f}", f"{row.low:.3f} to {row.high:.3f}"


def confusable_rows(pairs: Sequence[Confusable], most: int = 20) -> Iterator[Row]:
    """A header, and a line for each direction in which sections are mistaken, a pair's worse one first."""
    if not pairs:
        return
    yield "section", "taken for", "mistaken", "articles", "share", "95 %"
    for pair in pairs[:most]:
        ways = [(pair.first, pair.second, pair.forth), (pair.second, pair.first, pair.back)]
        for section, other, way in ways if pair.worse is pair.forth else ways[::-1]:
            if way.mistaken:
                yield (
                    *(section_name(section), section_name(other), f"{way.mistaken:,}", f"{way.articles:,}"),
                    *(f"{way.rate:.3f}", f"{way.low:.3f} to {way.high:.3f}"),
                )
    if len(pairs) > most:
        yield f"and {len(pairs) - most:,} more pairs", *[""] * 5

"""What commands say on stderr about rows that were rejected, or read otherwise than may have been meant; and how they end.

Imports nothing heavy: `newsdesk --help` loads this.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from classifier.errors import RowsRejected

if TYPE_CHECKING:
    from classifier.reading import Reading
    from classifier.reading.base import Note, ReadOptions, Rejection

_NAMED = 3
_PLACES = 8


class RejectedRows:
    """Names rejected rows on stderr as they come: the first of each reason in words, of the others where they are."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._others: dict[str, dict[str, list[int]]] = {}

    def __call__(self, item: Rejection) -> None:
        """Name it, or remember its place where several were rejected for the same."""
        reason = _same_reason(item)
        self._counts[reason] += 1
        if self._counts[reason] <= _NAMED:
            click.echo(f"rejected: {' '.join(str(item).splitlines())}", err=True)
        else:
            lines = self._others.setdefault(reason, {}).setdefault(item.file, [])
            lines += [] if item.line is None else [item.line]

    def finish(self) -> None:
        """Say how many more there were of each, and where."""
        for reason, places in self._others.items():
            shown = [f"{file}{_spans(lines)}" for file, lines in islice(places.items(), _PLACES)]
            more = f" and {len(places) - _PLACES:,} more files" if len(places) > _PLACES else ""
            count = self._counts[reason] - _NAMED
            click.echo(
                f"rejected: {count:,} more likewise ({reason.partition('; ')[0]}): {'; '.join(shown)}{more}",
                err=True,
            )


def _spans(lines: Sequence[int]) -> str:
    """Lines in words: ", lines 5, 7–12"; the first few stretches of them."""
    if not lines:
        return ""
    spans: list[list[int]] = []
    for line in sorted(lines):
        if spans and line <= spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    shown = [str(first) if first == last else f"{first}–{last}" for first, last in spans[:_PLACES]]
    return f", lines {', '.join(shown)}{', …' if len(spans) > _PLACES else ''}"


def _same_reason(item: Rejection) -> str:
    """A reason without its place, values and numbers."""
    text = " ".join(str(item).splitlines())
    start = f"{item.file}, line {item.line}: "
    text = (
        text.removeprefix(start).removeprefix(start.replace(", line", ", row")).removeprefix(f"{item.file}: ")
    )
    return re.sub(r'"[^"]*"', '"…"', re.sub(r"\d+(?:\.\d+)?", "…", text))


def report_rejected(rejected: Iterable[Rejection]) -> None:
    """Name rejected rows on stderr, see `RejectedRows`."""
    report = RejectedRows()
    for item in rejected:
        report(item)
    report.finish()


def report_notes(reading: Reading, options: ReadOptions) -> None:
    """Say on stderr what was read without effect: labels without an article, boxes without the time that was asked for."""
    if reading.unmatched_labels:
        click.echo(
            f"note: {reading.unmatched_labels} rows of label tables match no article by id, url or file",
            err=True,
        )
    if (
        reading.boxes.num_rows
        and options.taken_at is not None
        and reading.boxes.column("taken_at").null_count
    ):
        click.echo(
            f"note: the --taken-at pattern is in none of the file names of {reading.boxes.column('taken_at').null_count} "
            "lines of ranking boxes; those are joined by title only",
            err=True,
        )
    report_noted(reading.notes)
    if reading.superseded:
        click.echo(
            f"note: earlier versions of articles left out: {reading.superseded:,}; first times of publication stay",
            err=True,
        )
    if reading.skipped:
        click.echo(
            f"note: no reader knows {len(reading.skipped)} files, such as {reading.skipped[0]}", err=True
        )


class Noted:
    """Says on stderr, at the end, what was read otherwise than may have been meant: each kind once with its number."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._shown: dict[str, list[str]] = {}

    def __call__(self, note: Note) -> None:
        """Count it; the first of a kind are remembered."""
        self._counts[note.what] += note.count
        shown = self._shown.setdefault(note.what, [])
        if len(shown) < _NAMED:
            place = note.file if note.line is None else f"{note.file}, line {note.line}"
            shown.append(f"{note.value} in {place}" if note.value else place)

    def finish(self) -> None:
        """Say it."""
        for what, count in self._counts.items():
            click.echo(f"note: {count:,} × {what}, such as {', '.join(self._shown[what])}", err=True)


def report_noted(notes: Iterable[Note]) -> None:
    """Say on stderr what was noted, see `Noted`."""
    noted = Noted()
    for note in notes:
        noted(note)
    noted.finish()


def finish(rejected: int, total: int, named: str = "") -> None:
    """End a command whose work is done; `named` says where the rejected rows are, if not above.

    Raises:
        RowsRejected: some rows were rejected (exit code 1).
    """
    if rejected:
        raise RowsRejected(rejected, total, named=named)

"""What `newsdesk score` shows on stderr: a bar on a terminal, else a line every ten seconds; a summary at the end."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import Self

import click

from classifier.reading.base import Rejection
from classifier.reading.encoders import STDOUT
from classifier.rejections import (
    report_rejected,
)
from service.batch.summary import Progress, Summary
from service.batch.target import REJECTIONS

_LINES = 10.0  # seconds between lines
_REDRAWN = 0.2  # seconds between states of the bar
_SHOWN = 20  # rejected rows that are named here, too, where a file names them all
_NAMED = 8  # sections in the summary
_MB = 1e6
_BAR = 24  # characters


class Rejections:
    """Names rejected rows: all of them where no file does."""

    def __init__(self, output: str, *, parts: bool = False) -> None:
        self._file = None if output == STDOUT else f"{output}{'/part-*' if parts else ''}{REJECTIONS}"
        self._told = 0

    def tell(self, rejection: Rejection) -> None:
        self._told += 1
        if self._file is None or self._told <= _SHOWN:
            report_rejected([rejection])
        elif self._told == _SHOWN + 1:
            click.echo(f"further rejected rows are named in {self._file} only", err=True)

    def named(self, count: int) -> str:
        """Where rows are named, for the error at the end."""
        return "above" if self._file is None else f"in {self._file}"


class Display:
    """Shows progress until the end of its `with` block."""

    def __init__(self, output: str, *, hidden: bool) -> None:
        self._output = output
        self._hidden = hidden
        self._bar = sys.stderr.isatty()
        self._started = time.monotonic()
        self._first: int | None = None  # articles that an earlier run had scored
        self._next = self._started + (_REDRAWN if self._bar else _LINES)
        self._drawn = 0
        self._safe: int | None = None
        self._last = Progress(0, 0, 0, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            sys.stderr.write("\r" + " " * self._drawn + "\r")
            sys.stderr.flush()
        if kind is not None and self._safe:
            click.echo(
                f"{self._safe} articles are safe; the same command with --resume goes on from there", err=True
            )

    def progress(self, progress: Progress) -> None:
        self._last = progress
        now = time.monotonic()
        if self._hidden or now < self._next:
            return
        self._next = now + (_REDRAWN if self._bar else _LINES)
        line = progress_line(progress, now - self._started)
        if not self._bar:
            click.echo(line, err=True)
            return
        line = f"{bar(progress)}{line}"[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + line.ljust(self._drawn))
        sys.stderr.flush()
        self._drawn = len(line)

    def stopped(self, safe: int) -> None:
        self._safe = safe

    def end(self, summary: Summary) -> None:
        seconds = time.monotonic() - self._started
        for line in notes(summary):
            click.echo(line, err=True)
        if not self._hidden:
            for line in summary_lines(summary, self._output, self._last.read, seconds):
                click.echo(line, err=True)


def bar(progress: Progress) -> str:
    """The bar itself, where it is known how much there is."""
    if not progress.size:
        return ""
    share = min(progress.read / progress.size, 1.0)
    full = int(share * _BAR)
    return f"[{'#' * full}{' ' * (_BAR - full)}] {share:4.0%}  "


def progress_line(progress: Progress, seconds: float) -> str:
    """How far it is and how fast it goes; with its size also how long it will still take."""
    seconds = max(seconds, 1e-3)
    line = f"{progress.articles:,} articles, {progress.read / _MB / seconds:,.1f} MB/s"
    if progress.rejected:
        line += f", {progress.rejected:,} rejected"
    if progress.size and progress.read:
        left = seconds * max(progress.size - progress.read, 0) / progress.read
        line += f", {clock(left)} left"
    return line


def clock(seconds: float) -> str:
    """Hours, minutes, seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def notes(summary: Summary) -> list[str]:
    """What the user should know, also of a quiet run."""
    return [f'note: no input has a column "{name}"; it is null in every row' for name in summary.missing]


def summary_lines(summary: Summary, output: str, read: int, seconds: float) -> list[str]:
    """What a run did: articles, sections, decisions, ids that repeat, rejected rows."""
    seconds = max(seconds, 1e-3)
    speed = f"{summary.articles / seconds:,.0f} a second"
    if read:
        speed += f", {read / _MB / seconds:,.1f} MB/s"
    lines = [f"{summary.articles:,} articles scored to {output} in {seconds:.1f} s ({speed})"]
    if summary.sections:
        named = [f"{name} {count:,}" for name, count in list(summary.sections.items())[:_NAMED]]
        more = len(summary.sections) - _NAMED
        lines.append("sections: " + ", ".join(named) + (f" and {more} more" if more > 0 else ""))
    if summary.decisions:
        decisions = ", ".join(f"{name} {count:,}" for name, count in summary.decisions.items())
        lines.append(f"decisions: {decisions}")
    if summary.duplicates is None:
        lines.append("ids: too many articles to say how many repeat")
    elif summary.duplicates[0] > 2 * summary.duplicates[1]:
        count, error = summary.duplicates
        lines.append(f"ids: about {count:,} (± {2 * error:,}) articles have an id that one before has")
    if summary.rejected:
        lines.append(f"rejected: {summary.rejected:,} rows")
    return lines

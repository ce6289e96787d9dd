"""Command-line options that several commands share. Imports nothing heavy: `newsdesk --help` loads this."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import click

from classifier.errors import ConfigError, MissingExtra, RowsRejected

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from classifier.reading import Reading
    from classifier.reading.base import Note, ReadOptions, Rejection
    from classifier.reading.written_times import Order

F = TypeVar("F", bound=Callable[..., Any])

inputs_argument = click.argument("inputs", nargs=-1, required=True, metavar="IN…")
model_argument = click.argument("model", type=click.Path(), metavar="MODEL")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


def reading_options(command: F) -> F:
    """What says how to read: --column, --section, --timezone and their like."""
    for option in (
        click.option(
            "--strict", is_flag=True, help="Reject rows whose times are in doubt instead of noting them."
        ),
        click.option(
            "--dates",
            type=click.Choice(["day-first", "month-first"]),
            help="Whether 03/04/2031 is of April or of March.  [default: as other dates of the file show]",
        ),
        click.option(
            "--section",
            "sections",
            multiple=True,
            metavar="THEIRS=OURS",
            help="Call a section otherwise (Business=Economy), or drop it (Partners=). Repeatable.",
        ),
        click.option(
            "--topics", metavar="FILE", help="Names of subject codes in wire copy: CSV (code,name) or JSON."
        ),
        click.option(
            "--ranking-heading",
            "ranking_headings",
            multiple=True,
            metavar="TEXT",
            help="Words that head a ranking box on HTML pages; * is a section's name. Repeatable.",
        ),
        click.option(
            "--taken-at",
            metavar="TIME|PATTERN",
            help="When ranking boxes were printed: a time, or a file-name pattern such as %Y-%m-%d.",
        ),
        click.option("--timezone", metavar="ZONE", help="Zone of times that have none, such as Asia/Tokyo."),
        click.option("--ignore", multiple=True, metavar="NAME", help="Leave a column out. Repeatable."),
        click.option(
            "--column",
            "columns",
            multiple=True,
            metavar="OURS=THEIRS",
            help="Read our column OURS from the input's THEIRS. Repeatable.",
        ),
    ):
        command = option(command)
    return command


def column_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """OURS=THEIRS pairs as a dict.

    Raises:
        ConfigError: a pair without "=", or a name that the article table does not have.
    """
    from classifier.articles import ARTICLE_FIELDS
    from classifier.reading.base import box_schema, click_schema

    known = dict.fromkeys((*ARTICLE_FIELDS, *box_schema().names, *click_schema().names))
    found = {}
    for pair in pairs:
        ours, separator, theirs = pair.partition("=")
        if not separator or not ours or not theirs:
            raise ConfigError(f'--column "{pair}" is no mapping', remedy="write it like headline=title")
        if ours not in known:
            raise ConfigError(
                f'--column "{pair}": there is no column "{ours}"', remedy=f"ours are {', '.join(known)}"
            )
        found[ours] = theirs
    return found


def section_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """THEIRS=OURS pairs as a dict.

    Raises:
        ConfigError: a pair without "=".
    """
    found = {}
    for pair in pairs:
        theirs, separator, ours = pair.partition("=")
        if not separator or not theirs.strip():
            raise ConfigError(
                f'--section "{pair}" is no mapping',
                remedy="write it like Business=Economy, or Partners= to drop one",
            )
        found[theirs] = ours
    return found


def parse_taken_at(text: str | None, timezone: tzinfo | None) -> datetime | str | None:
    """A time as a datetime, a file-name pattern as it is.

    Raises:
        ConfigError: neither.
    """
    from classifier.articles import parse_time
    from classifier.errors import FieldError
    from classifier.reading.taken import check_pattern

    if not text:
        return None
    if "%" in text:
        check_pattern(text)
        return text
    try:
        return parse_time(text, timezone=timezone)
    except FieldError as error:
        raise ConfigError(f"--taken-at: {error.problem}", remedy=error.remedy) from None


def read_options(
    columns: Sequence[str],
    ignore: Sequence[str],
    timezone: str | None,
    taken_at: str | None,
    ranking_headings: Sequence[str] = (),
    topics: str | None = None,
    sections: Sequence[str] = (),
    dates: Order | None = None,
    strict: bool = False,
) -> ReadOptions:
    """The shared options as the readers want them.

    Raises:
        ConfigError: one that cannot be used.
    """
    from classifier.articles import parse_timezone
    from classifier.reading.base import ReadOptions
    from classifier.reading.sections import check_sections

    zone = parse_timezone(timezone) if timezone else None
    named = section_mapping(sections)
    check_sections(named)
    return ReadOptions(
        columns=column_mapping(columns),
        ignore=frozenset(ignore),
        timezone=zone,
        taken_at=parse_taken_at(taken_at, zone),
        ranking_headings=tuple(ranking_headings),
        topics=topics,
        sections=named,
        dates=dates,
        strict=strict,
    )


def options_for(manifest: Mapping[str, Any], **options: Any) -> ReadOptions:
    """`read_options`, completed by how the version's training data was read: its columns where a table has them, its
    sections, the zone and order of its dates, the headings of its boxes. What is given goes before.

    Raises:
        ConfigError: an option that cannot be used.
    """
    from dataclasses import replace

    from classifier.articles import parse_timezone

    trained = manifest.get("configuration") or {}
    data, boxes = trained.get("data") or {}, trained.get("boxes") or {}
    given = read_options(**options)
    zone = data.get("timezone")
    return replace(
        given,
        usual={
            our: their for our, their in (trained.get("columns") or {}).items() if our not in given.columns
        },
        sections={**(trained.get("sections") or {}), **given.sections},
        timezone=given.timezone or (parse_timezone(zone) if zone else None),
        dates=given.dates or data.get("dates") or None,
        ranking_headings=tuple(dict.fromkeys((*(boxes.get("headings") or ()), *given.ranking_headings))),
    )


def require(package: str, extra: str) -> None:
    """Refuse before any work what would fail after it.

    Raises:
        MissingExtra: the package is not installed.
    """
    if find_spec(package) is None:
        raise MissingExtra(extra, module=package)


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


_NAMED = 3
_PLACES = 8


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


def report_noted(notes: Iterable[Note]) -> None:
    """Say on stderr what was read otherwise than its author may have meant, each kind once with its number."""
    counts: Counter[str] = Counter()
    shown: dict[str, list[str]] = {}
    for note in notes:
        counts[note.what] += note.count
        place = note.file if note.line is None else f"{note.file}, line {note.line}"
        shown.setdefault(note.what, []).append(f"{note.value} in {place}" if note.value else place)
    for what, count in counts.items():
        click.echo(f"note: {count:,} × {what}, such as {', '.join(shown[what][:3])}", err=True)


def finish(rejected: int, total: int, named: str = "") -> None:
    """End a command whose work is done; `named` says where the rejected rows are, if not above.

    Raises:
        RowsRejected: some rows were rejected (exit code 1).
    """
    if rejected:
        raise RowsRejected(rejected, total, named=named)

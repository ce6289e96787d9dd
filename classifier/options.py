"""Command-line options that several commands share. Imports nothing heavy: `newsdesk --help` loads this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import click

from classifier.errors import ConfigError, MissingExtra, RowsRejected

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from classifier.reading import Reading
    from classifier.reading.base import ReadOptions, Rejection

F = TypeVar("F", bound=Callable[..., Any])

inputs_argument = click.argument("inputs", nargs=-1, required=True, metavar="IN…")
model_argument = click.argument("model", type=click.Path(), metavar="MODEL")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


def reading_options(command: F) -> F:
    """--column, --ignore, --timezone and --taken-at."""
    for option in (
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
    columns: Sequence[str], ignore: Sequence[str], timezone: str | None, taken_at: str | None
) -> ReadOptions:
    """The shared options as the readers want them."""
    from classifier.articles import parse_timezone
    from classifier.reading.base import ReadOptions

    zone = parse_timezone(timezone) if timezone else None
    return ReadOptions(
        columns=column_mapping(columns),
        ignore=frozenset(ignore),
        timezone=zone,
        taken_at=parse_taken_at(taken_at, zone),
    )


def require(package: str, extra: str) -> None:
    """Refuse before any work what would fail after it.

    Raises:
        MissingExtra: the package is not installed.
    """
    if find_spec(package) is None:
        raise MissingExtra(extra, module=package)


def report_rejected(rejected: Sequence[Rejection]) -> None:
    """Name every rejected row on stderr."""
    for item in rejected:
        click.echo(f"rejected: {' '.join(str(item).splitlines())}", err=True)


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
    if reading.skipped:
        click.echo(
            f"note: no reader knows {len(reading.skipped)} files, such as {reading.skipped[0]}", err=True
        )


def finish(rejected: int, total: int, named: str = "above") -> None:
    """End a command whose work is done; `named` says where the rejected rows are.

    Raises:
        RowsRejected: some rows were rejected (exit code 1).
    """
    if rejected:
        raise RowsRejected(rejected, total, named=named)

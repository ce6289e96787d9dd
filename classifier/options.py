"""Command-line options that several commands share. Imports nothing heavy: `newsdesk --help` loads this."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import click

from classifier.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from classifier.reading.base import ReadOptions
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

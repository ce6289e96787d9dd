"""The command `newsdesk`, and its sub-commands read, rank and explain.

Sub-commands of all packages are found through the entry-point group `newsdesk.commands`. Their modules import only click
at the top, so that `newsdesk --help` stays light; everything else is imported inside a command.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import click

from classifier.errors import FieldError, MissingExtra, NewsdeskError, UsageError
from classifier.options import (
    inputs_argument,
    json_option,
    model_argument,
    options_for,
    read_options,
    reading_options,
)
from classifier.rejections import (
    finish,
    report_notes,
    report_rejected,
)

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from classifier.articles import Article
    from classifier.reading import Reading

_EXTRAS = {
    **dict.fromkeys(("sklearn", "scipy", "joblib", "threadpoolctl", "training"), "train"),
    **dict.fromkeys(("dask", "distributed", "fsspec"), "cluster"),
    **dict.fromkeys(("flask", "granian", "orjson", "pydantic", "service"), "service"),
}
INTERRUPTED = 130


class _ReaderGone(Exception):
    """Nobody reads our standard output any more; click must not see the BrokenPipeError, as it would exit with 1."""


class _Commands(click.Group):
    """Commands from the entry points, loaded when named (or, for their one-line help, by --help)."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # prints --help
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError as error:
            raise _ReaderGone from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({point.name for point in entry_points(group="newsdesk.commands")})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        for point in entry_points(group="newsdesk.commands", name=name):
            command: click.Command = point.load()
            return command
        return None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="newsdesk")
def newsdesk() -> None:
    """Say which section a news article belongs to and how popular it will be."""


def main() -> None:
    """Run the command line; every error becomes one line on stderr and one exit code."""
    # As on Ctrl-C, so that nothing half-written stays; the code is the shell's for this signal.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        result = newsdesk.main(arguments, prog_name="newsdesk", standalone_mode=False)
    except NewsdeskError as error:
        return _fail(error)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        return _fail(MissingExtra(_EXTRAS[package], module=package))
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OSError as error:
        # A path too long, a standard stream that is full or closed: the system's own refusals.
        return _fail(UsageError(error.strerror or str(error), where=_shown(error.filename)))
    except _ReaderGone:
        # As with | head: nothing is wrong, and what Python still holds back must not be written at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0  # click returns the code of Context.exit


def _shown(name: object) -> str | None:
    return None if name is None else os.fsencode(str(name)).decode("utf-8", "backslashreplace")[:80]


def _fail(error: NewsdeskError) -> int:
    # One line, whatever a file's name or a quoted value holds.
    click.echo(f"error: {' '.join(str(error).splitlines())}", err=True)
    return error.exit_code


@click.command()
@inputs_argument
@click.option("-o", "--output", metavar="OUT", help="Target; its suffix decides the format.")
@click.option("--force", is_flag=True, help="Overwrite an existing target.")
@click.option("--report", is_flag=True, help="Print what was found, missing, dropped, duplicate, rejected.")
@json_option
@reading_options
def read(
    inputs: tuple[str, ...], output: str | None, force: bool, report: bool, as_json: bool, **options: Any
) -> None:
    """Read any supported input into one article table.

    Ranking boxes are written beside it, as OUT-stem.rankings.suffix, clicks as OUT-stem.clicks.suffix. With --report
    no target is needed; --json is the report as one object, with every rejected row.
    """
    from classifier.reading import read_all
    from classifier.reading.report import describe, report_text

    report = report or as_json
    if output is None and not report:
        raise click.UsageError("Give a target (-o OUT), --report, or both.")
    if output == "-" and report:
        raise UsageError("standard output carries the table or the report", remedy="give a file: -o OUT")
    reading_as = read_options(**options)
    reading = read_all(inputs, reading_as)
    report_rejected(reading.rejected)
    if not report:
        report_notes(reading, reading_as)
    if output is not None:
        _write(reading, output, force)
    if as_json:
        click.echo(json.dumps(describe(reading), ensure_ascii=False))
    elif report:
        click.echo(report_text(describe(reading)), nl=False)
    finish(len(reading.rejected), reading.total)


def _write(reading: Reading, output: str, force: bool) -> None:
    """The articles to `output`, boxes and clicks beside it: all targets appear, or none."""
    from classifier.reading.writing import boxes_target, clicks_target, open_writer

    beside = ""
    with ExitStack() as stack:
        writer = stack.enter_context(open_writer(output, reading.articles.schema, force=force))
        for table, what, place in (
            (reading.boxes, "box", boxes_target),
            (reading.clicks, "click", clicks_target),
        ):
            if table.num_rows and output == "-":
                beside += f"; {table.num_rows} {what} lines left out, as standard output carries one table"
            elif table.num_rows:
                target = place(output)
                stack.enter_context(open_writer(target, table.schema, force=force)).write(table)
                beside += f", {table.num_rows} {what} lines to {target}"
        writer.write(reading.articles)
    click.echo(f"{reading.articles.num_rows} articles to {output}{beside}", err=True)


def _hours(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"{value} is not a finite number above 0.")
    return value


@click.command()
@model_argument
@inputs_argument
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Titles a list.")
@click.option(
    "--site", default="", metavar="NAME", help="Short name of the site, printed before ACCESS RANKING."
)
@click.option(
    "--half-life",
    type=float,
    callback=_hours,
    metavar="HOURS",
    help="An article's expected readers halve every so many hours since its publication.",
)
@click.option("--now", metavar="TIME", help="What ages are counted to.  [default: the newest article's time]")
@click.option(
    "--per-source", type=click.IntRange(1), metavar="N", help="At most N titles a source in each list."
)
@click.option("--keep-duplicates", is_flag=True, help="List near-duplicates, too, not only the best of them.")
@json_option
@reading_options
def rank(
    model: str,
    inputs: tuple[str, ...],
    top: int,
    site: str,
    half_life: float | None,
    now: str | None,
    per_source: int | None,
    keep_duplicates: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Print the ranking lists: one a section, and the site-wide one.

    Near-duplicates (the same headline, or nearly the same text) are listed once a list, as the best of them.
    """
    from classifier.model import load
    from classifier.ranking import build_rankings
    from classifier.reading import read_all
    from classifier.reading.rows import to_articles

    loaded = load(model)
    reading_as = options_for(loaded.manifest, **options)
    to = _now(now, half_life, reading_as.timezone)
    reading = read_all(inputs, reading_as)
    report_rejected(reading.rejected)
    articles = [article for batch in reading.articles.to_batches() for article in to_articles(batch)]
    _note_unknown(articles, half_life, per_source)
    rankings = build_rankings(
        articles,
        loaded.predict(articles),
        top=top,
        half_life=half_life,
        now=to,
        spread=loaded.popularity.spread if loaded.popularity else 1.0,
        per_source=per_source,
        keep_duplicates=keep_duplicates,
    )
    if as_json:
        identity = {"model": loaded.name, "version": loaded.version}
        click.echo(json.dumps({**rankings.to_dict(), **identity}, ensure_ascii=False))
    else:
        click.echo(rankings.to_text(site), nl=False)
    finish(len(reading.rejected), len(reading.rejected) + len(articles))


def _now(text: str | None, half_life: float | None, timezone: tzinfo | None) -> datetime | None:
    from classifier.articles import parse_time

    if text is None:
        return None
    if half_life is None:
        raise UsageError("--now has no effect without --half-life", remedy="give both, or neither")
    try:
        now = parse_time(text, timezone=timezone)
    except FieldError as error:
        raise UsageError(f"--now: {error.problem}", remedy=error.remedy) from None
    if now is None:
        raise UsageError("--now: is empty", remedy="write it like 2022-02-02T11:36:00+09:00")
    return now


def _note_unknown(articles: Sequence[Article], half_life: float | None, per_source: int | None) -> None:
    """Say on stderr which articles an option cannot tell anything about."""
    timeless = sum(article.published_at is None for article in articles)
    if half_life is not None and timeless:
        click.echo(
            f"note: {timeless} of {len(articles)} articles have no time; they count as of median age",
            err=True,
        )
    sourceless = sum(not article.source for article in articles)
    if per_source is not None and sourceless:
        click.echo(
            f"note: {sourceless} of {len(articles)} articles have no source; --per-source does not limit them",
            err=True,
        )


@click.command()
@model_argument
@inputs_argument
@click.option("--features", type=click.IntRange(1), default=10, show_default=True, help="Features a head.")
@json_option
@reading_options
def explain(model: str, inputs: tuple[str, ...], features: int, as_json: bool, **options: Any) -> None:
    """Show the features that decided, with their contributions."""
    from classifier.display import explanation_text, likely_sections
    from classifier.model import load
    from classifier.reading import read_all
    from classifier.reading.rows import to_articles

    loaded = load(model)
    reading = read_all(inputs, replace(options_for(loaded.manifest, **options), printed_sections=False))
    report_rejected(reading.rejected)
    articles = [article for batch in reading.articles.to_batches() for article in to_articles(batch)]
    found = []
    for article in articles:
        prediction, parts = loaded.predict(article), loaded.explain(article)
        if as_json:
            found.append({**prediction.to_dict(), "explanation": [part.to_dict() for part in parts]})
        else:
            likely = likely_sections(loaded, article)
            click.echo(explanation_text(article, prediction, parts, features, likely))
    if as_json:
        click.echo(json.dumps({"articles": found}, ensure_ascii=False))
    finish(len(reading.rejected), len(reading.rejected) + len(articles))

"""The command `newsdesk score`. Importing this module imports click only."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from classifier.options import (
    inputs_argument,
    model_argument,
    options_for,
    reading_options,
    require,
)
from classifier.rejections import (
    Noted,
    finish,
)

if TYPE_CHECKING:
    from classifier.model import Model
    from service.batch import Scoring

ENGINES = ("local", "dask")


@click.command()
@model_argument
@inputs_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="Target by suffix; - is JSON Lines on stdout. With --engine dask a folder of such files.",
)
@click.option(
    "--keep", metavar="COLUMNS", default="", help="Input columns to carry along, such as url,source."
)
@click.option("--resume", is_flag=True, help="Go on with a run that was interrupted, if there is one.")
@click.option("--force", is_flag=True, help="Overwrite an existing target, forget an interrupted run.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors, notes and rejected rows.")
@click.option(
    "--engine", type=click.Choice(ENGINES), default="local", show_default=True, help="Who does the work."
)
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster; without it one is started here.")
@reading_options
def score(
    model: str,
    inputs: tuple[str, ...],
    output: str,
    keep: str,
    resume: bool,
    force: bool,
    quiet: bool,
    engine: str,
    scheduler: str | None,
    **options: Any,
) -> None:
    """Score every article of the inputs, in order.

    Rejected rows go to OUT.rejected.jsonl. A run that was interrupted is gone on with by the same command and --resume.
    """
    from service.batch import Scoring

    if engine == "local" and scheduler:
        raise click.UsageError("--scheduler is for --engine dask")
    if engine == "dask":
        require("distributed", "cluster")
    loaded = _load(model, engine)
    scoring = Scoring(
        replace(options_for(loaded.manifest, **options), printed_sections=False),
        [name.strip() for name in keep.split(",") if name.strip()],
        resume=resume,
        force=force,
    )
    if engine == "dask":
        _on_cluster(model, inputs, output, scoring, scheduler, quiet)
    else:
        _here(loaded, inputs, output, scoring, quiet)


def _load(model: str, engine: str) -> Model:
    if engine == "dask":  # it may lie in storage that is no file system
        from service.cluster.storage import absolute
        from service.cluster.task import load_once

        return load_once(absolute(model))
    from classifier.model import load

    return load(model)


def _here(loaded: Model, inputs: tuple[str, ...], output: str, scoring: Scoring, quiet: bool) -> None:
    from service.batch import Listener, score_files
    from service.batch.display import Display, Rejections

    rejections, noted = Rejections(output), Noted()
    with Display(output, hidden=quiet) as display:
        listener = Listener(
            rejections.tell,
            display.progress,
            display.stopped,
            noted,
            wants_size=not quiet and sys.stderr.isatty(),
        )
        summary = score_files(loaded, inputs, output, scoring, listener)
    noted.finish()
    display.end(summary)
    finish(summary.rejected, summary.articles + summary.rejected, rejections.named(summary.rejected))


def _on_cluster(
    model: str,
    inputs: tuple[str, ...],
    output: str,
    scoring: Scoring,
    scheduler: str | None,
    quiet: bool,
) -> None:
    from service.batch.display import Display, Rejections
    from service.cluster import score_on_cluster

    with Display(output, hidden=quiet) as display:
        summary = score_on_cluster(
            model, inputs, output, scoring, scheduler, display.progress, display.stopped
        )
    display.end(summary)
    finish(
        summary.rejected,
        summary.articles + summary.rejected,
        Rejections(output, parts=True).named(summary.rejected),
    )

"""The service's commands. Importing this module imports click and the table of
settings only; each command imports the rest as it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from classifier.options import (
    RejectedRows,
    finish,
    inputs_argument,
    json_option,
    model_argument,
    options_for,
    reading_options,
)
from service.settings import SETTINGS, Settings


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every setting but the model."""
    for setting in reversed(SETTINGS):
        if setting.name != "model":
            default = f"; default {setting.default}" if setting.default else ""
            text = f"{setting.help[0].upper()}{setting.help[1:]} ({setting.variable}{default})."
            command = click.option(setting.option, setting.name, metavar="VALUE", help=text)(command)
    return command


@click.command()
@click.argument("model", type=click.Path(), required=False)
@_setting_options
def serve(model: str | None, **options: str | None) -> None:
    """Serve MODEL over HTTP until interrupted.

    MODEL is a version folder (then it stays that version), or a model folder (then its current version, also
    after a promotion); without it NEWSDESK_MODEL says which. An option goes before its environment variable.
    """
    import os

    from service.server import serve as run

    run(Settings.from_env(os.environ, {"model": model, **options}))


@click.command()
@model_argument
@inputs_argument
@click.option(
    "-o", "--output", required=True, metavar="OUT", help="Target by suffix; - is JSON Lines on stdout."
)
@click.option(
    "--keep", metavar="COLUMNS", default="", help="Input columns to carry along, such as url,source."
)
@click.option("--force", is_flag=True, help="Overwrite an existing target.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors and rejected rows.")
@reading_options
def score(
    model: str,
    inputs: tuple[str, ...],
    output: str,
    keep: str,
    force: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Score every article of the inputs, in order."""
    import time

    from classifier.model import load
    from service.batch import score_files

    started = time.perf_counter()
    loaded = load(model)
    rejected = RejectedRows()
    summary = score_files(
        loaded,
        inputs,
        output,
        replace(options_for(loaded.manifest, **options), printed_sections=False),
        keep=[name.strip() for name in keep.split(",") if name.strip()],
        force=force,
        on_rejected=rejected,
    )
    rejected.finish()
    if not quiet:
        seconds = time.perf_counter() - started
        click.echo(f"{summary.articles} articles scored to {output} in {seconds:.1f} s", err=True)
    finish(summary.rejected, summary.articles + summary.rejected)


@click.command()
@model_argument
@click.argument("headlines", metavar="IN")
@click.option("--article", metavar="FILE", help="The story: any readable file with one article.")
@json_option
@reading_options
def headlines(model: str, headlines: str, article: str | None, as_json: bool, **options: Any) -> None:
    """Order two to twenty headlines for one story, best first.

    IN is a text file with one headline a line (- is standard input), or a JSON object with "headlines" and the story's
    own fields. The story's own headline is not looked at.
    """
    import json

    from classifier.headlines import rank_headlines
    from classifier.headlines.files import read_headlines
    from classifier.headlines.text import headlines_text
    from classifier.model import load

    loaded = load(model)
    found = read_headlines(headlines, article, options_for(loaded.manifest, **options))
    ranking = rank_headlines(loaded, found.headlines, found.story)
    if as_json:
        click.echo(json.dumps(ranking.to_dict(), ensure_ascii=False))
    else:
        click.echo(headlines_text(ranking), nl=False)

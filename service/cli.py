"""The service's commands. Importing this module imports click and the table of
settings only; each command imports the rest as it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from classifier.options import json_option, model_argument, options_for, reading_options, require
from service.settings import SETTINGS, Settings


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every setting but the model."""
    for setting in reversed(SETTINGS):
        if setting.name != "model":
            default = f"; default {setting.default}" if setting.default else ""
            text = f"{setting.help[0].upper()}{setting.help[1:]} ({setting.variable}{default})."
            command = click.option(setting.option, setting.name, metavar="VALUE", help=text)(command)
    return command


# Read by libraries as they are loaded, by the C library as a worker starts. NumPy's matrix products are not used here, and
# their threads cost time and memory. Threads that answer streams would each keep what they once needed in a heap of their
# own, and Arrow's allocator as much again: half of a worker's memory.
_FRUGAL = {"OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1"}


@click.command()
@click.argument("model", type=click.Path(), required=False)
@_setting_options
def serve(model: str | None, **options: str | None) -> None:
    """Serve MODEL over HTTP until interrupted.

    MODEL is a version folder (then it stays that version), or a model folder (then its current version, also
    after a promotion); without it NEWSDESK_MODEL says which. An option goes before its environment variable.
    """
    import os

    require("flask", "service")  # the workers import it, not the server that starts them
    for name, value in _FRUGAL.items():
        os.environ.setdefault(name, value)
    from service.server import serve as run

    run(Settings.from_env(os.environ, {"model": model, **options}))


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

"""The service's commands. Importing this module imports click only; each command imports the rest as it runs."""

from __future__ import annotations

from typing import Any

import click

from classifier.options import json_option, model_argument, read_options, reading_options


@click.command()
@click.argument("model", type=click.Path(), required=False)
@click.option("--host", help="Name or address to listen at (NEWSDESK_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one (NEWSDESK_PORT).")
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (NEWSDESK_WORKERS).")
def serve(model: str | None, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve MODEL over HTTP until interrupted.

    MODEL is a version folder, or a model folder (then its current version); without it NEWSDESK_MODEL says
    which. Options go before environment variables.
    """
    import os
    from pathlib import Path

    from service.server import serve as run
    from service.settings import Settings

    path = Path(model) if model else None
    run(Settings.from_env(os.environ, model=path, host=host, port=port, workers=workers))


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
    found = read_headlines(headlines, article, read_options(**options))
    ranking = rank_headlines(loaded, found.headlines, found.story)
    if as_json:
        click.echo(json.dumps(ranking.to_dict(), ensure_ascii=False))
    else:
        click.echo(headlines_text(ranking), nl=False)

"""The service's commands. Importing this module imports click only; each command imports the rest as it runs."""

from __future__ import annotations

import click


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

    from classifier.errors import MissingExtra

    try:
        from service.server import serve as run
        from service.settings import Settings
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise MissingExtra("service", module=error.name) from None
    path = Path(model) if model else None
    run(Settings.from_env(os.environ, model=path, host=host, port=port, workers=workers))


_EXTRA = frozenset({"flask", "granian", "orjson", "pydantic"})

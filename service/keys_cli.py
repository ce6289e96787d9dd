"""`newsdesk keys`: who may ask the service for what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.options import json_option

if TYPE_CHECKING:
    from service.keys import KeyFile

_state_option = click.option(
    "--state",
    type=click.Path(path_type=Path),
    envvar="NEWSDESK_STATE",
    required=True,
    help="The service's state folder (NEWSDESK_STATE).",
)


@click.group()
def keys() -> None:
    """Make, list and revoke the keys of a service. A service that runs follows within a second."""


@keys.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(("predict", "editor", "admin")),
    required=True,
    help="predict asks for predictions; editor also uses the editors' page; admin also changes the model's version.",
)
@click.option(
    "--limit", type=click.IntRange(0), help="Requests a minute, in place of NEWSDESK_RATE_LIMIT; 0 is none."
)
@_state_option
@json_option
def add(name: str, role: str, limit: int | None, state: Path, as_json: bool) -> None:
    """Make a key named after its user, and print it: this once, since only its hash is kept."""
    key, token = _file(state).add(name, role, limit)
    if as_json:
        click.echo(json.dumps({"name": key.name, "role": key.role, "limit": key.limit, "key": token}))
        return
    click.echo(token)
    click.echo(f"{key.name} may {key.role}; the key is not shown again", err=True)


@keys.command("list")
@_state_option
@json_option
def list_(state: Path, as_json: bool) -> None:
    """List the keys, without what would open anything."""
    found = _file(state).load()
    if as_json:
        shown = [
            {"name": key.name, "role": key.role, "limit": key.limit, "created": key.created} for key in found
        ]
        click.echo(json.dumps({"keys": shown}, ensure_ascii=False))
        return
    for key in found:
        limit = {None: "", 0: "no limit"}.get(key.limit, f"{key.limit} a minute")
        click.echo(f"{key.role:8} {key.created}  {key.name}  {limit}".rstrip())
    if not found:
        click.echo(f"no keys in {state}", err=True)


@keys.command()
@click.argument("name")
@_state_option
def revoke(name: str, state: Path) -> None:
    """Revoke a key: it opens nothing any more."""
    _file(state).revoke(name)
    click.echo(f"{name} is revoked")


def _file(state: Path) -> KeyFile:
    from service.keys import KeyFile
    from service.state import StateFolder

    return KeyFile(StateFolder(state).keys)

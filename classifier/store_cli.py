"""`newsdesk models`: the versions of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.errors import UsageError
from classifier.options import json_option, model_argument

if TYPE_CHECKING:
    from classifier.store import ModelFolder


@click.group()
def models() -> None:
    """List, show and verify versions of models, promote one, go back, remove old ones."""


_state_option = click.option(
    "--state",
    type=click.Path(path_type=Path),
    envvar="NEWSDESK_STATE",
    help="State folder of a service that keeps its own pointer there (NEWSDESK_STATE).",
)


def _store(model: Path, state: Path | None) -> ModelFolder:
    from classifier.store import ModelFolder

    if not model.is_dir():
        raise UsageError("is no model folder", where=str(model), remedy="see newsdesk models list")
    return ModelFolder(model, state)


@models.command("list")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("artifacts"))
@_state_option
@json_option
def list_(folder: Path, state: Path | None, as_json: bool) -> None:
    """List the models under FOLDER, or the versions of one model folder; * marks the current version."""
    from classifier.store import ModelFolder, find_models

    stores = [ModelFolder(folder)] if ModelFolder(folder).versions() else find_models(folder)
    stores = [ModelFolder(store.path, state) for store in stores]
    found = [
        {
            "model": store.path.name,
            "path": str(store.path),
            "current": store.current(),
            "versions": store.versions(),
        }
        for store in stores
    ]
    if as_json:
        click.echo(json.dumps({"models": found}))
        return
    for item in found:
        click.echo(item["path"])
        for version in item["versions"] or ():
            click.echo(f"  {'*' if version == item['current'] else ' '} {version}")
    if not found:
        click.echo(f"no models in {folder}", err=True)


@models.command()
@model_argument
@json_option
def show(model: str, as_json: bool) -> None:
    """Show a version: where its data came from, its metrics, its files."""
    from classifier.store import resolve

    folder = resolve(Path(model))
    if as_json:
        click.echo(json.dumps(folder.manifest.data, ensure_ascii=False))
        return
    card = folder.document("card.md")
    if card is not None:
        click.echo(card.decode(), nl=False)
    click.echo(f"\nversion {folder.version} of {folder.model}, in {folder.path}")


@models.command()
@model_argument
def verify(model: str) -> None:
    """Compare every file of a version (or of all versions of a model) with what was written."""
    from classifier.model import load_version
    from classifier.store import ModelFolder, resolve

    store = ModelFolder(Path(model))
    folders = [store.open(version) for version in store.versions()] or [resolve(Path(model))]
    for folder in folders:
        folder.verify()
        load_version(folder)
        click.echo(f"{folder.version}: {len(folder.files)} files are as they were written")


@models.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("version")
@_state_option
def promote(model: Path, version: str, state: Path | None) -> None:
    """Make VERSION the current version of the model folder MODEL, after verifying it; services follow at once."""
    from classifier.model import load_version

    _store(model, state).promote(version, check=load_version)
    click.echo(f"{version} is now the current version of {model}")


@models.command()
@click.argument("model", type=click.Path(path_type=Path))
@_state_option
def rollback(model: Path, state: Path | None) -> None:
    """Make the version current again that was so before; a second time goes back further."""
    from classifier.model import load_version

    folder = _store(model, state).rollback(check=load_version)
    click.echo(f"{folder.version} is again the current version of {model}")


@models.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--keep", type=click.IntRange(0), default=3, show_default=True, help="Earlier versions to go back to."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@_state_option
@json_option
def prune(model: Path, keep: int, dry_run: bool, state: Path | None, as_json: bool) -> None:
    """Remove old versions of the model folder MODEL.

    The current version, newer ones, those to go back to and those that a process serves stay. Services whose state
    folder is not named here (--state) must be running, or only the versions to go back to protect theirs.
    """
    from classifier.pruning import prune

    done = prune(_store(model, state), keep, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(done.to_dict()))
        return
    for version, reason in done.kept.items():
        click.echo(f"kept     {version}  {reason}")
    for version in done.removed:
        click.echo(f"{'old' if dry_run else 'removed':7}  {version}")
    count, does = len(done.removed), "would free" if dry_run else "freed"
    click.echo(f"{count} version{'' if count == 1 else 's'}, {does} {done.freed / 1e6:.1f} MB", err=True)

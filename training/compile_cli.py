"""The command compile. Imports nothing heavy at the top."""

from __future__ import annotations

import json
from pathlib import Path

import click

from classifier.options import json_option, require


@click.command("compile")
@click.argument("pipeline", metavar="PIPELINE.joblib", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Model folder, artifacts/NAME.")
@click.option("--trust", is_flag=True, help="The file may run code on this machine: you know who wrote it.")
@click.option(
    "--text",
    type=click.Choice(["headline", "summary", "body"]),
    help="What a pipeline of single texts reads.  [default: all three, joined by line breaks]",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="The pipeline's column THEIRS is our column OURS. Repeatable.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Names of the sections, a line each in the order of classes_, where the classes are numbers.",
)
@json_option
def compile_(
    pipeline: Path,
    out: Path,
    trust: bool,
    text: str | None,
    columns: tuple[str, ...],
    labels: Path | None,
    as_json: bool,
) -> None:
    """Make a version of a fitted scikit-learn pipeline of TF-IDF and a linear classifier.

    It answers as the pipeline does. What cannot be had exactly is refused by name.
    """
    from training.conversion.trust import check_trust

    check_trust(pipeline, trust=trust)  # before anything is opened
    require("sklearn", "train")
    from classifier.text.rows import TEXT
    from training.conversion.sources import parse_columns
    from training.conversion.write import compile_file

    ours = parse_columns(columns)
    names = None if labels is None else _lines(labels)
    result = compile_file(pipeline, out, trust=trust, text=text or TEXT, columns=ours, names=names)
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False))
        return
    sections = result.compiled.head.labels
    click.echo(f"{result.compiled.classifier}, {len(sections)} sections: {', '.join(sections[:10])}")
    for line in result.blocks:
        click.echo(f"  {line}")
    click.echo(f"wrote {result.folder.path} in {result.seconds:.1f} s")
    if result.promoted:
        click.echo(f"it is the current version of {out}")
    else:
        click.echo(f"to make it current: newsdesk models promote {out} {result.folder.version}")


def _lines(path: Path) -> list[str]:
    from classifier.errors import InputError

    try:
        return path.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise InputError(
            f"cannot be read ({problem})", where=str(path), remedy="give a name a line"
        ) from error

"""The commands train, evaluate and quickstart. Imports nothing heavy at the top."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from classifier.options import (
    column_mapping,
    inputs_argument,
    json_option,
    model_argument,
    parse_taken_at,
    reading_options,
    require,
    section_mapping,
)
from classifier.rejections import (
    finish,
    report_notes,
    report_rejected,
)

if TYPE_CHECKING:
    from classifier.reading.base import ReadOptions
    from classifier.reading.written_times import Order
    from training.config import Config
    from training.search import Step


@click.command()
@inputs_argument
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Model folder, artifacts/NAME.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file of settings.")
@click.option(
    "--search",
    type=int,
    metavar="N",
    help="Let Optuna try N further recipes for the section head (extra: search).",
)
@json_option
@reading_options
def train(
    inputs: tuple[str, ...], out: Path, config_file: Path | None, as_json: bool, **options: Any
) -> None:
    """Fit both heads on labelled articles, evaluate on held-out ones, write a version."""
    require("sklearn", "train")
    from classifier.reading import read_all
    from training.folders import check_model_folder

    config, reading_opts = configure(config_file, **options)
    if config.fit.search:
        require("optuna", "search")
    check_model_folder(out)
    reading = read_all(inputs, reading_opts)
    report_rejected(reading.rejected)
    report_notes(reading, reading_opts)
    # Only now: importing what fitting needs takes longer than finding most mistakes.
    from training.display import data_text, metrics_text
    from training.fit import train as run

    result = run(
        reading,
        out,
        config,
        progress=_OnTerminal() if sys.stderr.isatty() else _say,
        command=_as_typed(inputs, out, config_file, options),
    )
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False))
    else:
        click.echo(data_text(result.data))
        click.echo(metrics_text(result.evaluation))
        click.echo(f"wrote {result.folder.path} in {result.seconds:.1f} s")
        if result.promoted:
            click.echo(f"it is the current version of {out}")
        else:
            click.echo(f"to make it current: newsdesk models promote {out} {result.folder.version}")
    finish(len(reading.rejected), reading.total)


@click.command()
@model_argument
@inputs_argument
@click.option(
    "--split",
    type=click.Choice(["test", "train", "all"]),
    help="Which part; default: test where the data names one, else all. With --folds the default is all.",
)
@click.option(
    "--folds",
    type=int,
    metavar="N",
    help="Fit N times again, each time predicting another Nth of the articles.",
)
@click.option(
    "--walk-forward",
    type=int,
    metavar="DAYS",
    help="Go through the test part: fit again on everything before, predict the next DAYS days.",
)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="DIR", help="Write report.html there, too."
)
@json_option
@reading_options
def evaluate(
    model: str,
    inputs: tuple[str, ...],
    split: str | None,
    folds: int | None,
    walk_forward: int | None,
    report: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Print the metrics of a version on labelled articles, baselines beside them.

    With --folds or --walk-forward it is not the version itself that is measured but its configuration, fitted again.
    """
    import time
    from dataclasses import replace

    from classifier.errors import UsageError
    from classifier.model import load
    from classifier.reading import read_all
    from training.config import parse_config
    from training.display import metrics_text
    from training.evaluation import evaluate_reading, part_name, same_split, timezone_of

    started = time.perf_counter()
    if walk_forward is not None and (folds is not None or split is not None):
        other = "--folds" if folds is not None else "--split"
        raise UsageError(
            f"--walk-forward cannot go with {other}", remedy="it goes through the test part; leave one out"
        )
    loaded = load(model)
    if "compiled" in loaded.manifest and (folds is not None or walk_forward is not None):
        raise UsageError(
            "the version was compiled: it has no configuration that could be fitted again",
            where=model,
            remedy="evaluate it as it is, without --folds and --walk-forward, or train one: newsdesk train",
        )
    config = parse_config(loaded.manifest.get("configuration", {}), where=f"the configuration in {model}")
    # What training left out may be just what evaluation needs: the counts, say, behind a model of ranking boxes.
    ignored = config.data.ignore
    config = replace(config, data=replace(config.data, ignore=()))
    config, reading_opts = configure(None, base=config, **options)
    reading = read_all(inputs, reading_opts)
    report_rejected(reading.rejected)
    where = "each article predicted by a fit that did not see it"
    if folds is None and walk_forward is None:
        reading = same_split(loaded, reading, config)
        where = f"on {part_name(reading, split)}"
        found = evaluate_reading(loaded, reading, config, split)
    else:
        from training.refit import evaluate_folds, evaluate_forward

        config = replace(config, data=replace(config.data, timezone=timezone_of(loaded, config)))
        rest: Any = {"ignored": ignored, "progress": _say}
        if folds is not None:
            found = evaluate_folds(reading, config, folds, split=split, **rest)
        else:
            found = evaluate_forward(reading, config, walk_forward or 0, **rest)
    if report is not None:
        from training.folders import write_evaluation

        write_evaluation(report, loaded, found, f"These figures are measured {where}.")
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        seconds = round(time.perf_counter() - started, 3)
        click.echo(json.dumps({**found.to_dict(), "seconds": seconds}, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(metrics_text(found, where))
    finish(len(reading.rejected), reading.total)


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("artifacts/quickstart"),
    show_default=True,
    help="Model folder.",
)
def quickstart(out: Path) -> None:
    """Train on the bundled newspaper, evaluate, score a page, print both rankings."""
    from training.quickstart import run

    run(out, click.echo)


def configure(
    config_file: Path | None,
    *,
    columns: tuple[str, ...],
    ignore: tuple[str, ...],
    timezone: str | None,
    taken_at: str | None,
    ranking_headings: tuple[str, ...] = (),
    topics: str | None = None,
    sections: tuple[str, ...] = (),
    dates: str | None = None,
    strict: bool = False,
    search: int | None = None,
    base: Config | None = None,
) -> tuple[Config, ReadOptions]:
    """The configuration (file, then command line) and the reading options that follow from it.

    Raises:
        ConfigError: a setting that cannot be used.
    """
    from dataclasses import replace

    from classifier.articles import parse_timezone
    from classifier.reading.base import ReadOptions
    from training.config import Config, load_config, parse_config

    config = base or (load_config(config_file) if config_file else Config())
    config = replace(
        config,
        columns={**config.columns, **column_mapping(columns)},
        sections={**config.sections, **section_mapping(sections)},
        data=replace(
            config.data,
            ignore=tuple(dict.fromkeys((*config.data.ignore, *ignore))),
            timezone=timezone or config.data.timezone,
            topics=topics or config.data.topics,
            dates=dates or config.data.dates,
            strict=strict or config.data.strict,
        ),
        boxes=replace(
            config.boxes,
            taken_at=taken_at or config.boxes.taken_at,
            headings=tuple(dict.fromkeys((*config.boxes.headings, *ranking_headings))),
        ),
        fit=replace(config.fit, search=config.fit.search if search is None else search),
    )
    config = parse_config(config.to_dict(), where=str(config_file or "command line"))
    zone = parse_timezone(config.data.timezone) if config.data.timezone else None
    taken = parse_taken_at(config.boxes.taken_at, zone)
    options = ReadOptions(
        config.columns,
        frozenset(config.data.ignore),
        zone,
        taken,
        ranking_headings=config.boxes.headings,
        topics=config.data.topics or None,
        dates=cast("Order | None", config.data.dates or None),
        strict=config.data.strict,
        sections=config.sections,
    )
    return config, options


def _as_typed(inputs: tuple[str, ...], out: Path, config_file: Path | None, options: dict[str, Any]) -> str:
    """The command line of a training, for the model card."""
    words = ["newsdesk", "train", *inputs, "--out", str(out)]
    if config_file is not None:
        words += ["--config", str(config_file)]
    named = {"columns": "--column", "ignore": "--ignore", "timezone": "--timezone", "taken_at": "--taken-at"}
    named |= {"ranking_headings": "--ranking-heading", "topics": "--topics", "sections": "--section"}
    named |= {"dates": "--dates"}
    for name, flag in {**named, "search": "--search"}.items():
        given = options.get(name)
        for value in given if isinstance(given, tuple) else () if given is None else (given,):
            words += [flag, str(value)]
    if options.get("strict"):
        words.append("--strict")
    return shlex.join(words)


def _say(step: str) -> None:
    click.echo(f"{step} …", err=True)


class _OnTerminal:
    """Says steps, and shows a search as a bar with the number of recipes, the time left and the best so far."""

    def __call__(self, step: str) -> None:
        _say(step)

    @contextmanager
    def watch(self, count: int) -> Iterator[Callable[[Step], None]]:
        def shown(step: Step | None) -> str | None:
            return None if step is None else str(step)

        with click.progressbar(
            length=count,
            label="searching",
            show_pos=True,
            show_percent=False,
            show_eta=False,  # click's comes late
            item_show_func=shown,
            width=0,
            file=sys.stderr,
        ) as bar:
            yield lambda step: bar.update(1, step)

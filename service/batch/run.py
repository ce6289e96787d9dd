"""A whole run: inputs to one scored file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from classifier.errors import NotResumable
from classifier.model import Model
from classifier.reading import sources as find
from classifier.reading.collecting import nothing_in
from classifier.reading.encoders import STDOUT, encoder_for, written_suffixes
from classifier.reading.finding import STDIN_NAME
from service.batch.asked import Listener, Scoring
from service.batch.blocks import Rows, blocks
from service.batch.pipeline import in_order, read_ahead
from service.batch.sources import Sources
from service.batch.summary import Progress, Summary
from service.batch.target import File, Stdout, Target
from service.batch.work import Done, Worker

_LAYOUT = 1  # of the folder of parts


def score_files(
    model: Model,
    inputs: Sequence[str],
    output: str,
    scoring: Scoring | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Score every article of `inputs` in order and write `output` (its suffix decides the format, "-" is JSON Lines).

    The target appears under its name only when it is whole; rejected rows go to OUT.rejected.jsonl beside it. What is
    durable of an interrupted run stays in a hidden folder beside it, for a run with `resume`.

    Raises:
        InputError, FormatError: an input cannot be read, changes on the way, or holds no article.
        OutputError: the target cannot be written, exists and `force` is not set, or has an interrupted run.
        UsageError: `keep` names a column of the prediction, or there is nothing that could be resumed.
    """
    scoring, listener = scoring or Scoring(), listener or Listener()
    worker = Worker(model, scoring.keep)
    encoder = encoder_for(output, worker.schema)
    found = find(inputs)
    sources = Sources(found)
    if scoring.resume and (output == STDOUT or any(source.name == STDIN_NAME for source in found)):
        raise NotResumable("standard input and output cannot be taken up again", where=output)
    target: Target = Stdout(encoder)
    if output != STDOUT:
        run = description(model, output, scoring)
        target = File(output, encoder, sources, run, scoring)
    try:
        start = target.start()
        if start is not None:
            with read_ahead(blocks(sources, scoring.options, start, scoring.block_rows)) as ahead:
                work = in_order(ahead, lambda rows: worker.work(rows, encoder), processors())
                _write(work, target, sources, listener)
            if not target.tally.articles and not target.tally.rejected:
                raise nothing_in(inputs)
            target.finish()
    except BaseException:
        listener.on_stop(target.stop())
        raise
    return target.tally.summary(scoring.keep, target.ids.estimate())


def _write(work: Iterator[tuple[Rows, Done]], target: Target, sources: Sources, listener: Listener) -> None:
    size = sources.size() if listener.wants_size else None
    for rows, done in work:
        for rejection in rows.rejected:
            listener.on_rejected(rejection)
        for note in rows.notes:
            listener.on_note(note)
        target.put(rows, done)
        tally = target.tally
        listener.on_progress(Progress(tally.articles, tally.rejected, sources.read(), size))


def description(model: Model, output: str, scoring: Scoring) -> dict[str, Any]:
    """What must be the same for a run to be gone on with, or the bytes would not be."""
    options = scoring.options
    reading = {field.name: _plain(getattr(options, field.name)) for field in fields(options)}
    return {
        "layout": _LAYOUT,
        "model": f"{model.name} {model.version}",
        "format": "".join(written_suffixes(output)),
        "--keep": list(scoring.keep),
        **reading,
        "block": scoring.block_rows,
        "newsdesk": version("newsdesk"),
        "pyarrow": pa.__version__,
    }


def _plain(value: object) -> object:
    """As JSON tells it, the same in every process."""
    if isinstance(value, Mapping):
        return sorted(f"{name}={own}" for name, own in value.items())
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    return value if isinstance(value, bool | None) else str(value)


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""A whole run on a cluster: plan, tasks, manifest, and `_SUCCESS` at last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from typing import Any

import dask
from distributed import Client, Future, LocalCluster, as_completed

from classifier.errors import NotResumable, OutputError, UsageError
from classifier.reading.collecting import nothing_in
from classifier.reading.encoders import STDOUT, written_suffixes
from service.batch.asked import Scoring
from service.batch.duplicates import Distinct
from service.batch.run import description, processors
from service.batch.summary import Progress, Summary, Tally
from service.batch.work import Worker
from service.cluster.partitions import PART_ROWS, Partition, check_inputs, find_files, partitions
from service.cluster.storage import Folder, absolute, is_remote
from service.cluster.task import DONE, Plan, done_name, load_once, part_name, score_partition, tally_of

SUCCESS, MANIFEST, RUN = "_SUCCESS", "manifest.json", "_run.json"
_DEATHS = 10  # workers that may die with one and the same task before it is given up
_RETRIES = 2  # of a task that failed: storage has its moments
_IN_HAND = 4  # tasks a worker thread that the scheduler knows of


def score_on_cluster(
    model: str,
    inputs: Sequence[str],
    output: str,
    scoring: Scoring,
    scheduler: str | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_stop: Callable[[int], None] = lambda articles: None,
    *,
    part_rows: int = PART_ROWS,
) -> Summary:
    """Score every article of `inputs` into a folder of parts, in order, on the Dask cluster at `scheduler` (one on this
    machine without it). Inputs, output and model are whatever fsspec opens; every worker must find them there. `on_stop`
    hears how many articles are safe after an error or an interruption.

    Raises:
        InputError: as `service.batch.score_files`.
        OutputError: something is in the folder, and `scoring` says neither to overwrite it nor to go on with it.
        UsageError: the scheduler does not answer, or what is asked cannot be done on a cluster.
    """
    if output == STDOUT:
        raise UsageError("a cluster writes a folder", remedy="give -o a name, such as scored.parquet")
    suffix = "".join(written_suffixes(output))
    loaded = load_once(absolute(model))
    Worker(loaded, scoring.keep)  # refuses what cannot be kept
    place = absolute(model) if is_remote(model) else _version_folder(model)
    plan = Plan(place, loaded.version, absolute(output), suffix, scoring.options, tuple(scoring.keep))
    files = find_files(inputs)
    check_inputs(files, inputs)
    parts = list(partitions(files, part_rows))
    folder = Folder(plan.output)
    run = description(loaded, output, scoring) | {"inputs": _described(parts)}
    done = _prepare(folder, run, scoring, len(parts), output)
    try:
        with _client(scheduler) as client:
            for one in _scored(client, plan, parts, done):
                done[one["number"]] = one
                on_progress(_progress(done, parts))
    except BaseException:
        on_stop(_progress(done, parts).articles)
        raise
    return _finish(folder, plan, run, done, scoring, inputs)


def _version_folder(model: str) -> str:
    """The current version now: what is promoted meanwhile changes nothing."""
    from pathlib import Path

    from classifier.store import resolve

    return absolute(str(resolve(Path(model)).path))


def _described(parts: Sequence[Partition]) -> list[list[Any]]:
    return [[[piece.url, piece.size, list(piece.groups or ())] for piece in part] for part in parts]


def _prepare(
    folder: Folder, run: Mapping[str, Any], scoring: Scoring, count: int, output: str
) -> dict[int, dict[str, Any]]:
    """Parts that an interrupted run has done, by number.

    Raises:
        OutputError, NotResumable: see `score_on_cluster`.
    """
    names = folder.names()
    before = folder.read(RUN)
    if SUCCESS in names and not scoring.force:
        raise OutputError(
            "is there already", where=output, remedy="give another name, or --force to replace it"
        )
    if before is not None and SUCCESS not in names and scoring.resume:
        different = [name for name, value in run.items() if before.get(name) != value]
        if different:
            raise NotResumable(f"its {different[0]} was another", where=output)
        found = ((number, folder.read(done_name(number))) for number in range(count))
        return {number: one for number, one in found if one is not None}
    if before is not None and not scoring.force:
        raise OutputError(
            "an interrupted run is in it",
            where=output,
            remedy="--resume goes on with it, --force begins again",
        )
    if names and before is None and SUCCESS not in names:
        raise OutputError("holds other files", where=output, remedy="give a new folder")
    for name in names:
        if name in (SUCCESS, MANIFEST, RUN, DONE) or name.startswith("part-"):
            folder.remove(name)
    folder.make()
    folder.write(RUN, run)
    return {}


@contextmanager
def _client(scheduler: str | None) -> Iterator[Client]:
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout="20s")
        except (OSError, ValueError) as error:
            raise UsageError(
                f"no Dask scheduler answers: {error or 'in 20 seconds'}",
                where=scheduler,
                remedy="start one, or leave --scheduler out for a cluster on this machine",
            ) from error
        with client:
            yield client
        return
    settings = {
        "distributed.scheduler.allowed-failures": _DEATHS,
        "distributed.admin.log-format": "%(message)s",
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=processors(), threads_per_worker=1, dashboard_address=":0", silence_logs="ERROR"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _scored(
    client: Client, plan: Plan, parts: Sequence[Partition], done: Mapping[int, Any]
) -> Iterator[dict[str, Any]]:
    """What tasks say, as they end; few are in hand at a time, however many there are."""
    left = iter([number for number in range(len(parts)) if number not in done])

    def submitted(number: int) -> Future:
        return client.submit(score_partition, plan, number, parts[number], pure=False, retries=_RETRIES)

    most = _IN_HAND * max(sum(client.nthreads().values()), 1)
    running = as_completed([submitted(number) for number in islice(left, most)])
    for future in running:
        yield dict(future.result())
        number = next(left, None)
        if number is not None:
            running.add(submitted(number))


def _progress(done: Mapping[int, Mapping[str, Any]], parts: Sequence[Partition]) -> Progress:
    tallies = [one["tally"] for one in done.values()]
    return Progress(
        sum(one["articles"] for one in tallies),
        sum(one["rejected"] for one in tallies),
        sum(one["size"] for one in done.values()),
        sum(piece.size for part in parts for piece in part),
    )


def _finish(
    folder: Folder,
    plan: Plan,
    run: Mapping[str, Any],
    done: Mapping[int, Any],
    scoring: Scoring,
    inputs: Sequence[str],
) -> Summary:
    total, distinct, listed = Tally(), Distinct(), []
    for number in sorted(done):
        tally = tally_of(done[number])
        total.add(tally.articles, tally.rejected, tally.sections, tally.decisions)
        total.seen |= tally.seen
        distinct.merge(done[number]["ids"])
        listed.append(
            {"file": part_name(number, plan.suffix), "articles": tally.articles, "rejected": tally.rejected}
        )
    if not total.articles and not total.rejected:
        for name in (RUN, DONE, *(part_name(number, plan.suffix) for number in done)):
            folder.remove(name)
        raise nothing_in(inputs)
    summary = total.summary(scoring.keep, distinct.duplicates(total.articles))
    folder.write(
        MANIFEST,
        {
            "newsdesk": version("newsdesk"),
            "model": run["model"],
            "articles": summary.articles,
            "rejected": summary.rejected,
            "sections": dict(summary.sections),
            "decisions": dict(summary.decisions),
            "keep": list(scoring.keep),
            "parts": listed,
        },
    )
    folder.write(SUCCESS, None)
    # What workers that died have left, too.
    for name in (DONE, RUN, *(name for name in folder.names() if name.startswith(".part-"))):
        folder.remove(name)
    return summary

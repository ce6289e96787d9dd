"""Processes of their own for what is measured: on so many cores, with the memory of nothing else.

A contender is a function without arguments that does what is timed; a maker, which its process calls, prepares it. Linux
only: cores are limited by processor affinity, and /proc tells of memory.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any

Contender = Callable[[], Any]
Maker = Callable[..., Contender]
_IMPORTED = [
    "benchmarks.speed.archives",
    "benchmarks.speed.fitting",
    "benchmarks.speed.learning",
    "benchmarks.speed.readers",
    "benchmarks.speed.scoring",
]

_contenders: dict[str, Contender] = {}
_last: dict[str, Any] = {}


_TRIES = 5


class Absent(Exception):
    """A peer is not installed; the message says which, and how it would be."""


class Diverged(Exception):
    """A peer's run came to nothing by chance, as fastText's does now and then: its threads overwrite each other."""


def can_measure() -> bool:
    """Whether this system limits cores and tells of memory."""
    return hasattr(os, "sched_setaffinity") and Path("/proc/self/status").exists()


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


class Worker:
    """A process on `count` cores that holds contenders, leaving out `skipped` cores before; use it as a context."""

    def __init__(self, count: int, skipped: int = 0) -> None:
        self._pool = _process(count, skipped)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def add(self, name: str, make: Maker, *arguments: Any) -> None:
        """Prepare a contender.

        Raises:
            Absent: what it needs is not installed.
        """
        self._pool.submit(_add, name, make, arguments).result()

    def run(self, name: str) -> float:
        """The seconds of one run; one that came to nothing by chance is run again.

        Raises:
            Diverged: that happened too often.
        """
        for _ in range(_TRIES - 1):
            with suppress(Diverged):
                return self._pool.submit(_run, name).result()
        return self._pool.submit(_run, name).result()

    def ask(self, name: str, function: Callable[[Any], Any]) -> Any:
        """A function of what the last run returned, called in the process."""
        return self._pool.submit(_ask, name, function).result()


class SideBySide:
    """Workers on one core each that run at the same time: what the cores give together where nothing is shared."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers

    def run(self, name: str) -> float:
        """The seconds until all have run their contender of this name."""
        with ThreadPoolExecutor(len(self._workers)) as threads:
            return max(threads.map(lambda worker: worker.run(name), self._workers))


Lane = tuple[Worker, str]


def race(lanes: Sequence[tuple[Worker | SideBySide, str]], rounds: int) -> list[float]:
    """The median seconds of each lane: all run once, then all again, `rounds` times, so that what slows the machine for a
    while slows all of them."""
    seconds = [[worker.run(name) for worker, name in lanes] for _ in range(rounds)]
    return [statistics.median(own) for own in zip(*seconds, strict=True)]


@dataclass(frozen=True, slots=True)
class Alone:
    """One run in a process that did nothing else: seconds, bytes that it needed at its peak beyond what was there before,
    its input included, and what it returned."""

    seconds: float
    memory: int
    value: Any


def alone(make: Maker, *arguments: Any, count: int = 1) -> Alone:
    """Run a contender once in a new process on `count` cores; what it returns must be small."""
    with _process(count) as pool:
        return pool.submit(_alone, make, arguments).result()


def _process(count: int, skipped: int = 0) -> ProcessPoolExecutor:
    """Forked from one that did nothing but import, so that it is there at once and holds nothing."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return ProcessPoolExecutor(1, context, _pin, (count, skipped))


def _pin(count: int, skipped: int) -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[skipped : skipped + count])


def _add(name: str, make: Maker, arguments: Sequence[Any]) -> None:
    _contenders[name] = make(*arguments)


def _run(name: str) -> float:
    _last.pop(name, None)
    gc.collect()
    started = time.perf_counter()
    found = _contenders[name]()
    seconds = time.perf_counter() - started
    _last[name] = found
    return seconds


def _ask(name: str, function: Callable[[Any], Any]) -> Any:
    return function(_last[name])


def _alone(make: Maker, arguments: Sequence[Any]) -> Alone:
    contender = make(*arguments)
    gc.collect()
    # The peak counts from here on. Not getrusage's: that of a new process begins with its parent's.
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    before = _status("VmRSS")
    started = time.perf_counter()
    value = contender()
    seconds = time.perf_counter() - started
    return Alone(seconds, max(0, _status("VmHWM") - before), value)


def _status(field: str) -> int:
    """Bytes."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status does not tell {field}")

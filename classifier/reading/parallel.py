"""Many HTML pages read by several processes: extraction is Python code, so that threads would take turns.

Each process is a fresh interpreter that runs `classifier.reading.worker`. One that dies, or takes too long, is replaced:
the page it died of is rejected, the others are read. Chunks come in the order of the sources.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from classifier.errors import MissingExtra
from classifier.reading.base import Chunk, ReadOptions, Rejection, Source
from classifier.reading.documents import read_document, refusals
from classifier.reading.html_tree import MAX_HTML_BYTES
from classifier.reading.messages import Page, receive_answer, send_options, send_pages
from classifier.reading.processes import command
from classifier.reading.taken import check_pattern
from classifier.reading.worker import read_batch

FEWEST_PAGES = 64  # fewer are read sooner than processes start
SECONDS_A_PAGE = 60.0
_BATCH_PAGES = 32  # a chunk costs as much as a page
_BATCH_BYTES = 4 * 2**20


def cores() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_pages(sources: Sequence[Source], options: ReadOptions, processes: int) -> Iterator[Chunk]:
    """The chunks of HTML pages, in their order.

    Raises:
        ConfigError: `options.taken_at` is no pattern, or needs a zone.
        MissingExtra: the "formats" extra is not installed.
    """
    if isinstance(options.taken_at, str):
        check_pattern(options.taken_at)
    if find_spec("trafilatura") is None:
        raise MissingExtra("formats", module="trafilatura")
    pool = ThreadPoolExecutor(processes, thread_name_prefix="pages")
    local = _Workers(options)
    waiting: deque[Future[list[Chunk]]] = deque()
    try:
        for pages, refused in _batches(sources):
            waiting.append(pool.submit(local.read, pages, refused))
            if len(waiting) > 2 * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        local.close()
        pool.shutdown(wait=True, cancel_futures=True)


def read_here(sources: Sequence[Source], options: ReadOptions) -> Iterator[Chunk]:
    """`read_pages` in this process.

    Raises:
        ConfigError, MissingExtra: as `read_pages`.
    """
    if isinstance(options.taken_at, str):
        check_pattern(options.taken_at)
    for pages, refused in _batches(sources):
        yield from refused
        yield from read_batch(pages, options)


def _batches(sources: Sequence[Source]) -> Iterator[tuple[list[Page], list[Chunk]]]:
    """Pages to be read together, and rejections of those that are too large."""
    pages: list[Page] = []
    refused: list[Chunk] = []
    size = 0
    for source in sources:
        with refusals(source.name, refused):
            data = read_document(source, MAX_HTML_BYTES)
            pages.append((source.name, data))
            size += len(data)
        if len(pages) >= _BATCH_PAGES or size > _BATCH_BYTES:
            yield pages, refused
            pages, refused, size = [], [], 0
    if pages or refused:
        yield pages, refused


class _Workers:
    """A process for each thread that reads."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._local = threading.local()
        self._lock = threading.Lock()
        self._processes: set[_Worker] = set()
        self._closed = False

    def read(self, pages: list[Page], refused: list[Chunk]) -> list[Chunk]:
        """The chunks of a batch; page by page where the batch cannot be read as a whole."""
        found = self._ask(pages)
        if found is not None or self._closed:
            return [*refused, *(found or ())]
        return [*refused, *(chunk for page in pages for chunk in self._ask([page]) or [_lost(page[0])])]

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._closed = True
            for worker in self._processes:
                worker.end()

    def _ask(self, pages: list[Page]) -> list[Chunk] | None:
        worker: _Worker | None = getattr(self._local, "worker", None)
        if worker is None:
            worker = self._local.worker = _Worker(self._options)
            with self._lock:
                self._processes.add(worker)
                if self._closed:
                    worker.end()
        found = worker.ask(pages)
        if found is None:
            worker.end()
            with self._lock:
                self._processes.discard(worker)
            self._local.worker = None
        return found


class _Worker:
    """One process, see `classifier.reading.messages`."""

    def __init__(self, options: ReadOptions) -> None:
        self._process = subprocess.Popen(
            command("classifier.reading.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._tell(send_options, options)

    def ask(self, pages: list[Page]) -> list[Chunk] | None:
        """The chunks of the pages; None if the process died, or had to be ended since it took too long."""
        watch = threading.Timer(SECONDS_A_PAGE, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            if not self._tell(send_pages, pages) or self._process.stdout is None:
                return None
            return receive_answer(self._process.stdout)
        except (EOFError, OSError, ValueError):
            return None
        finally:
            watch.cancel()

    def end(self) -> None:
        """End the process, if it has not ended."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was not sent yet
                    stream.close()
        self._process.wait()

    def _tell(self, send: Callable[[Any, Any], None], value: object) -> bool:
        stream = self._process.stdin
        if stream is None:
            return False
        try:
            send(stream, value)
        except (OSError, ValueError):
            return False
        return True


def _lost(name: str) -> Chunk:
    return Chunk(
        rejected=(
            Rejection(
                name,
                None,
                f"{name}: reading it ended its process, or took more than {SECONDS_A_PAGE:.0f} seconds; "
                "leave it out, or give its text",
            ),
        )
    )

"""Reading ahead in a thread of its own, work in several, and results in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import Any, TypeVar

_AHEAD = 2  # items read before they are asked for
_END = object()
_PAUSE = 0.1  # seconds after which a full queue is looked at again
_PAUSES = 20

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


@contextmanager
def read_ahead(items: Iterable[Item]) -> Iterator[Iterator[Item | None]]:
    """The items, made in a thread; an error comes where it was met, None while there is nothing yet. At the end of the
    block the thread ends, too."""
    queue: Queue[Any] = Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: object) -> bool:
        while not stopped.is_set():
            try:
                queue.put(item, timeout=_PAUSE)
            except Full:
                continue
            return True
        return False

    def read() -> None:
        last: object = _END
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:  # handed over, whatever it is
            last = _Failed(error)
        put(last)

    def given() -> Iterator[Item | None]:
        while True:
            try:
                item = queue.get(timeout=_PAUSE)
            except Empty:
                yield None
                continue
            if item is _END:
                return
            if isinstance(item, _Failed):
                raise item.error
            yield item

    thread = threading.Thread(target=read, name="newsdesk-reading", daemon=True)
    thread.start()
    try:
        yield given()
    finally:
        stopped.set()
        _drain(queue, thread)


def _drain(queue: Queue[Any], thread: threading.Thread) -> None:
    """Let the thread end. One that waits for a disk or a pipe is left to itself: it ends when it is answered, or with the
    process."""
    for _ in range(_PAUSES):
        if not thread.is_alive():
            return
        try:  # so that it need not wait for its own pause
            queue.get_nowait()
        except Empty:
            thread.join(_PAUSE)


def in_order(
    items: Iterator[Item | None], work: Callable[[Item], Result], threads: int
) -> Iterator[tuple[Item, Result]]:
    """Each item and what `work` makes of it, in order; a few more than `threads` are in hand. None gives the time to answer
    what is ready. Where reading fails, what was read before still comes."""
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(threads, "newsdesk-batch")
    try:
        failed = None
        while failed is None:
            try:
                item = next(items)
            except StopIteration:
                break
            except Exception as error:
                failed = error
                break
            if item is not None:
                waiting.append((item, pool.submit(work, item)))
            while waiting and (len(waiting) > threads + 1 or waiting[0][1].done()):
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
        if failed is not None:
            raise failed
    finally:
        pool.shutdown(cancel_futures=True)

"""Files that an operator may change while the service runs: looked at twice a second, by one thread a process."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

from classifier.errors import NewsdeskError
from service.logs import log

SECONDS = 0.5


class Watched:
    """Something that follows files."""

    def refresh(self) -> None:
        """Look whether they have changed; cheap if not.

        Raises:
            NewsdeskError: what they hold now cannot be used; what was known so far stays in use.
        """
        raise NotImplementedError


class Watcher:
    """Refreshes until it is forgotten or its process ends; also in processes forked from this one."""

    def __init__(self, watched: Sequence[Watched]) -> None:
        self._watched = watched
        self._ended = threading.Event()
        weakref.finalize(self, self._ended.set)

    def start(self) -> None:
        """Start the thread here and, after a fork, in the child."""
        self._run()
        mine = weakref.ref(self)

        def again() -> None:
            if (watcher := mine()) is not None:
                watcher._run()

        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=again)

    def _run(self) -> None:
        threading.Thread(target=_watch, args=(self._watched, self._ended), daemon=True).start()


def signature(*paths: Path) -> tuple[object, ...]:
    """Something that changes when one of the files is replaced, changed, made or removed."""
    return tuple(_signature(path) for path in paths)


def _signature(path: Path) -> object:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _watch(watched: Sequence[Watched], ended: threading.Event) -> None:
    while not ended.wait(SECONDS):
        for one in watched:
            try:
                one.refresh()
            except NewsdeskError as error:
                log(logging.ERROR, "change not taken up", error=type(error).__name__, reason=str(error))
            except Exception as error:  # the thread must outlive whatever a file holds
                log(logging.ERROR, "change not taken up", error=type(error).__name__)

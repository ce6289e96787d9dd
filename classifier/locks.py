"""Locks between processes, on files that may be read-only. The system takes them back when a process ends, however it
does. Where it knows no `flock` (Windows) nothing is locked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None  # type: ignore[assignment]


def hold(path: Path) -> int:
    """A file descriptor that says "in use" of a file, beside any others, until it is closed.

    Raises:
        FileNotFoundError: the file is not there, or was taken away meanwhile.
        OSError: it cannot be opened.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_SH)
        if not os.path.samestat(os.fstat(handle), os.stat(path)):
            raise FileNotFoundError(2, "No such file or directory", str(path))
    except OSError:
        os.close(handle)
        raise
    return handle


@contextmanager
def unless_held(path: Path) -> Iterator[bool]:
    """Whether nobody holds the file; if so, nobody can until the block ends.

    Raises:
        OSError: the file cannot be opened.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        free = True
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                free = False
        yield free
    finally:
        os.close(handle)


class Alone:
    """As a context: waits until no other process is in one for the file that `handle` has open.

    A class, since it is entered for every request, and a generator costs more than both system calls.
    """

    __slots__ = ("_handle",)

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __enter__(self) -> None:
        if fcntl is not None:
            fcntl.flock(self._handle, fcntl.LOCK_EX)

    def __exit__(self, *error: object) -> None:
        if fcntl is not None:
            fcntl.flock(self._handle, fcntl.LOCK_UN)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """The same for a folder.

    Raises:
        OSError: there is no such folder.
    """
    if fcntl is None:  # pragma: no cover
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with Alone(handle):
            yield
    finally:
        os.close(handle)

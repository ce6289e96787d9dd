"""How often a key may ask, counted over all workers together; and how often wrong ones may be tried.

A token bucket a key: a minute's requests at once, then one as each becomes due. What is kept of it is one number, the
time at which the bucket will be full again (the generic cell rate algorithm, ITU-T I.371), in a file that all workers map.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from pathlib import Path

from classifier.errors import OutputError
from classifier.locks import Alone
from service.keys import MOST_KEYS

WINDOW = 60.0  # seconds
WRONG_KEYS = MOST_KEYS  # the bucket behind those of the keys
_FULL = struct.Struct("<d")
_FILE = "buckets"


class Limiter:
    """Buckets in a folder that the workers share; of a process that is killed nothing stays locked."""

    def __init__(self, folder: Path) -> None:
        """Raises:
        OutputError: the folder cannot be written to.
        """
        self._folder = folder
        self._among_threads = threading.Lock()
        self._open()

    def _open(self) -> None:
        size = (WRONG_KEYS + 1) * _FULL.size
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(self._folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
            if os.fstat(self._handle).st_size < size:
                os.ftruncate(self._handle, size)
            self._buckets = mmap.mmap(self._handle, size)
        except OSError as error:
            raise OutputError(
                f"the rate limits cannot be kept ({error.strerror})",
                where=str(self._folder),
                remedy="make the state folder writable",
            ) from error
        self._among_processes = Alone(self._handle)
        self._process = os.getpid()

    def take(self, bucket: int, per_minute: int) -> float:
        """Count one request (`bucket` is a key's slot); 0 if it may be made, else in how many seconds the next may."""
        interval = WINDOW / per_minute
        at = bucket * _FULL.size
        if self._process != os.getpid():  # a lock would be shared with the process that this was forked from
            self._among_threads = threading.Lock()
            self._open()
        with self._among_threads, self._among_processes:
            now = _now()
            full = max(_FULL.unpack_from(self._buckets, at)[0], now)
            if full > now + WINDOW:  # written before the machine was started anew
                full = now
            wait = full + interval - WINDOW - now
            if wait > interval * 1e-6:
                return float(wait)
            _FULL.pack_into(self._buckets, at, full + interval)
        return 0.0

    def __del__(self) -> None:
        if hasattr(self, "_buckets"):
            self._buckets.close()
            os.close(self._handle)


def _now() -> float:
    """Seconds on a clock that is the same for all processes of the machine and is never set back."""
    return time.monotonic()

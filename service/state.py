"""The state folder: the one place that the service writes to. Everything else may be read-only.

    STATE/
        keys.json           who may do what (hashes, never keys)
        models/NAME/current which version of a model is in use here, and which were before
        limits/             how much of its rate limit each key has used; shared by all workers
        metrics/            counters of all workers

Without a state folder (`NEWSDESK_STATE`, `--state`) there are no keys and nothing outlives the process: counters
and limits go to a temporary folder, and a model's version in use is its current one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

from classifier.errors import OutputError

_TEMPORARY = "newsdesk-"


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Where what is written goes."""

    path: Path

    @property
    def keys(self) -> Path:
        return self.path / "keys.json"

    @property
    def limits(self) -> Path:
        return self.path / "limits"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics"

    def prepare(self) -> None:
        """Make the folders, for this user's eyes only.

        Raises:
            OutputError: they cannot be made, or not be written to.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.limits, self.metrics):
                folder.mkdir(mode=0o700, exist_ok=True)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise OutputError(
                f"the state folder cannot be written to ({error.strerror})",
                where=str(self.path),
                remedy="name another folder (--state, NEWSDESK_STATE), or make this one writable",
            ) from error


class TemporaryState:
    """A state folder that is gone when this object or the process that made it is."""

    def __init__(self) -> None:
        self.folder = StateFolder(Path(tempfile.mkdtemp(prefix=_TEMPORARY)))
        self.folder.prepare()
        weakref.finalize(self, _remove, self.folder.path, os.getpid())


def _remove(path: Path, process: int) -> None:
    if os.getpid() == process:  # not in a fork
        shutil.rmtree(path, ignore_errors=True)

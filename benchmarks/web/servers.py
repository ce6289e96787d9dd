"""Servers in processes of their own, from the first answer to their end, and what their workers hold in memory."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 120.0
_POLL = 0.005


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers; `ready` are the seconds from its start to its first answer."""

    process: subprocess.Popen[bytes]
    port: int
    ready: float

    def workers(self) -> list[int]:
        """The processes under it that serve: those without a child, the server itself where it has none."""
        return [pid for pid in _descendants(self.process.pid) if _serves(pid)] or [self.process.pid]


def free_port() -> int:
    """One that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def started(
    command: Sequence[str],
    log: Path,
    *,
    port: int,
    probe: str = "/",
    environ: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server that is started by `command`, with what it says in `log`; stopped at the end."""
    with log.open("wb") as said:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=said,
            stderr=said,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
        try:
            _wait(process, port, probe, log)
            yield Server(process, port, time.perf_counter() - begin)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, probe: str, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while not answers(port, probe):
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"the server did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
        time.sleep(_POLL)


def answers(port: int, probe: str) -> bool:
    """Whether there is an answer, whichever: a probe of a path that is not there will do."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", probe)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def newsdesk(model: Path, state: Path, port: int, *options: str) -> list[str]:
    """The command that serves a model with keys, metrics and logs."""
    run = [sys.executable, "-c", "from classifier.cli import main; main()", "serve", str(model)]
    return [*run, "--port", str(port), "--state", str(state), "--open", "never", *options]


def granian(app: str, port: int, workers: int) -> list[str]:
    """A WSGI application on Granian as it comes."""
    run = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-log"]
    return [*run, "--workers", str(workers), "--port", str(port), app]


def gunicorn(app: str, port: int, workers: int) -> list[str]:
    """A WSGI application on gunicorn as it comes."""
    return [sys.executable, "-m", "gunicorn", "-w", str(workers), "-b", f"127.0.0.1:{port}", app]


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in bytes: what is its own alone, its share of everything, and what it maps of files."""

    private: int
    share: int
    mapped: int


def memory(pid: int) -> Memory:
    """As /proc tells (Linux)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines[1:]}
    private = found["Private_Clean"] + found["Private_Dirty"]
    return Memory(private, found["Pss"], found["Rss"] - found["Anonymous"])


def _descendants(pid: int) -> list[int]:
    found = []
    for child in _children(pid):
        found += [child, *_descendants(child)]
    return found


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text("ascii").split()
        ]
    except OSError:  # it has ended
        return []


def _serves(pid: int) -> bool:
    """multiprocessing's resource tracker does not."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return bool(command) and b"resource_tracker" not in command and not _children(pid)

"""Mixed load for ten minutes while versions change and workers are killed: nothing may be wrong, and nothing may grow.

    python -m benchmarks.soak                  ten minutes
    python -m benchmarks.soak --seconds 60     the form of the slow gates

Two versions of a model of the bundled newspaper are promoted in turn every few seconds, and a worker is killed every minute
(four times in all in shorter runs). Exit code 1 where an answer is not that of the version that it names, where there is a
5xx (but 504 for a slow client) or a broken connection that no killed worker explains, where a counter falls, or where a
worker's private memory or its open files grow.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.rows import say
from benchmarks.web import servers
from benchmarks.web.behaviours import BEHAVIOURS, Soak, run
from classifier.artifact import open_version
from classifier.model import load_version
from classifier.reading import read_all
from classifier.store import ModelFolder
from service.keys import KeyFile
from service.state import StateFolder
from training.config import parse_config
from training.fit import train
from training.sample import PAGES

LIMIT = 1_000_000
_PROMOTED = 3.0  # seconds between promotions
_SETTLED = 60.0  # seconds of a worker's age, from when on its memory must not grow: its threads have all worked by then
_GROWTH, _SLACK = 1.15, 8e6
_SHORT, _SHORT_SLACK = 20.0, 48e6  # the same in runs that are too short for that: only gross leaks are found
_FILES = 50  # connections come and go
_SAMPLED = 1.0


@dataclass(slots=True)
class Watch:
    """What is looked at from outside: private bytes and open files of each worker by its age, and the counters."""

    memory: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    files: dict[int, list[tuple[float, int]]] = field(default_factory=dict)  # open ones, of each worker
    counters: dict[str, float] = field(default_factory=dict)
    promotions: int = 0


def make_versions(folder: Path) -> list[str]:
    """Two versions that answer differently."""
    reading = read_all([str(PAGES)])
    for share in (0.2, 0.4):
        say(f"training a version, {share:.0%} of the articles held out")
        train(reading, folder, parse_config({"data": {"test_share": share}}))
    return ModelFolder(folder).versions()


def promote(soak: Soak, watch: Watch, admin: str, names: Sequence[str]) -> None:
    """One after the other, over HTTP."""
    while not soak.ended.wait(_PROMOTED):
        name = names[watch.promotions % len(names)]
        try:
            status, answer = soak.post(f"/v1/models/{name}/promote", b"", key=admin)
            if status != 200:
                soak.wrong(f"promotion: {answer}")
            watch.promotions += 1
        except OSError as error:
            if not soak.excused():
                soak.wrong(f"promotion: {error}")


def kill(soak: Soak, server: servers.Server, every: float) -> None:
    """A worker now and then."""
    while not soak.ended.wait(every):
        workers = server.workers()
        soak.deaths.append(time.monotonic())
        os.kill(workers[len(soak.deaths) % len(workers)], signal.SIGKILL)
        while len(server.workers()) < 2 and not soak.ended.wait(0.05):
            soak.deaths[-1] = time.monotonic()


def look(soak: Soak, watch: Watch, server: servers.Server) -> None:
    """At memory and counters, every second."""
    born: dict[int, float] = {}
    while not soak.ended.wait(_SAMPLED):
        for pid in server.workers():
            age = time.monotonic() - born.setdefault(pid, time.monotonic())
            try:
                watch.memory.setdefault(pid, []).append((age, servers.memory(pid).private))
                watch.files.setdefault(pid, []).append((age, len(os.listdir(f"/proc/{pid}/fd"))))
            except OSError:  # it was killed
                continue
        try:
            _look_at_counters(soak, watch, server.port)
        except OSError as error:
            if not soak.excused():
                soak.wrong(f"metrics: {error}")


def _look_at_counters(soak: Soak, watch: Watch, port: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {soak.key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    for line in lines:
        name, _, value = line.rpartition(" ")
        if not line.startswith(("#", "newsdesk_model_version")):
            if float(value) < watch.counters.get(name, 0.0):
                soak.wrong(f"{name} fell from {watch.counters[name]} to {value}")
            watch.counters[name] = float(value)


def grown(watch: Watch, settled_at: float = _SETTLED, slack: float = _SLACK) -> list[str]:
    """Workers whose memory or open files did not stay flat."""
    found = []
    for pid, samples in watch.memory.items():
        settled = [private for age, private in samples if age >= settled_at]
        if settled and settled[-1] > settled[0] * _GROWTH + slack:
            found.append(f"worker {pid} grew from {settled[0] / 1e6:.0f} to {settled[-1] / 1e6:.0f} MB")
    for pid, samples in watch.files.items():
        opened = [files for age, files in samples if age >= settled_at]
        if opened and min(opened[-5:]) > opened[0] + _FILES:
            found.append(f"worker {pid} has {opened[-1]} open files after {opened[0]}")
    return found


def soak_for(seconds: float, folder: Path) -> dict[str, Any]:
    """Everything; what was counted and found."""
    model, state = folder / "model", folder / "state"
    names = make_versions(model)
    articles = [
        {
            key: value
            for key, value in row.items()
            if value is not None and key in ("headline", "summary", "body")
        }
        for row in read_all([str(PAGES)]).articles.slice(0, 200).to_pylist()
    ]
    right = {
        name: [one.to_dict() for one in load_version(open_version(model / name)).predict(articles)]
        for name in names
    }
    keys = KeyFile(StateFolder(state).keys)
    StateFolder(state).prepare()
    key, admin = keys.add("soak", "predict")[1], keys.add("admin", "admin")[1]
    port = servers.free_port()
    options = [
        "--rate-limit",
        "0",
        "--max-body-bytes",
        str(LIMIT),
        "--chunk-seconds",
        "2",
        "--body-seconds",
        "6",
    ]
    options += ["--workers", "2", "--log-level", "warning"]
    watch = Watch()
    log = folder / "log"
    with servers.started(
        servers.newsdesk(model, state, port, *options), log, port=port, probe="/readyz"
    ) as server:
        soak = Soak(port, key, articles, right, LIMIT)
        jobs: list[tuple[Any, ...]] = [
            (run, soak, behaviour, number) for behaviour, count in BEHAVIOURS for number in range(count)
        ]
        jobs += [(promote, soak, watch, admin, names), (kill, soak, server, min(60.0, seconds / 5))]
        jobs.append((look, soak, watch, server))
        threads = [threading.Thread(target=job[0], args=job[1:]) for job in jobs]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        soak.ended.set()
        for thread in threads:
            thread.join()
    flat = (_SETTLED, _SLACK) if seconds >= 4 * _SETTLED else (_SHORT, _SHORT_SLACK)
    faults = [line for line in log.read_text("utf-8", "replace").splitlines() if '"event":"error"' in line]
    return {
        "seconds": seconds,
        "requests": dict(sorted(soak.counts.items())),
        "promotions": watch.promotions,
        "killed": len(soak.deaths),
        "findings": [*soak.findings, *grown(watch, *flat), *faults],
    }


def main(arguments: Sequence[str]) -> int:
    """Run, say what is found; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--seconds", type=float, default=600.0)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        found = soak_for(asked.seconds, Path(folder))
    shown = {**found, "findings": found["findings"][:50]}
    sys.stdout.write(json.dumps(shown, indent=1, ensure_ascii=False) + "\n")
    return int(bool(found["findings"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

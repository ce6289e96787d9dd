"""The application on a tiny model, and the one shape that every error must have.

`tiny_model_path` (a model folder: sections Politics and Economy, a popularity head) comes from tests/conftest.py.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

import classifier
from classifier.artifact import open_version, write_version
from classifier.model import Model
from classifier.store import ModelFolder
from service import create_app
from service.schemas import Problem
from service.settings import Settings

# Stands in everything bad that the tests send; no answer and no log may repeat it.
SECRET = "Quuxelby"

Check = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def secret() -> str:
    return SECRET


@pytest.fixture(scope="session")
def model(tiny_model_path: Path) -> Model:
    return classifier.load(tiny_model_path)


@pytest.fixture(scope="session")
def settings(tiny_model_path: Path) -> Settings:
    return Settings(
        model=tiny_model_path, open="always", max_body_bytes=20_000, max_articles=20, max_text_length=3_000
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def desk_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application whose model uses a column of its own ("desk") and local times."""
    from classifier.reading import read_all
    from training.config import parse_config
    from training.fit import train

    rows = [
        {
            "headline": f"{word} report {number}",
            "section": section,
            "desk": desk,
            "published_at": f"2031-05-{number % 5 + 1:02d}T{number % 24:02d}:00:00+09:00",
            "popularity": float(number * 7 % 50),
        }
        for number in range(40)
        for word, section, desk in [(("vote", "Politics", "city"), ("bank", "Economy", "money"))[number % 2]]
    ]
    folder = tmp_path_factory.mktemp("desk")
    (folder / "articles.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    config = parse_config({"data": {"timezone": "Asia/Tokyo"}, "features": {"categorical": ["desk"]}})
    train(read_all([str(folder / "articles.jsonl")]), folder / "model", config)
    return create_app(Settings(model=folder / "model", open="always"))


@pytest.fixture
def desk_client(desk_app: Flask) -> FlaskClient:
    return desk_app.test_client()


@pytest.fixture(scope="session")
def check_problem() -> Check:
    """Checks (status, content type, parsed body) against the one shape; gives the body."""

    def check(status: int, content_type: str | None, body: Any, *, expected: int) -> dict[str, Any]:
        assert status == expected, body
        assert content_type == "application/problem+json"
        Problem.model_validate(body)
        assert body["status"] == expected
        assert body["type"].startswith("/problems/")
        assert body["title"]
        assert body["detail"]
        assert SECRET not in str(body)
        assert "Traceback" not in str(body)
        return dict(body)

    return check


@pytest.fixture
def refused(
    client: FlaskClient, check_problem: Check, caplog: pytest.LogCaptureFixture
) -> Callable[..., dict[str, Any]]:
    """Sends a request through the test client and checks its refusal."""

    def send(path: str, *, expected: int, method: str = "POST", **request: Any) -> dict[str, Any]:
        if "json" in request:  # the client takes None for no body
            request |= {"data": json.dumps(request.pop("json")), "content_type": "application/json"}
        answer = client.open(path, method=method, **request)
        body = check_problem(answer.status_code, answer.content_type, answer.json, expected=expected)
        assert SECRET not in caplog.text
        return body

    return send


SECONDS = 60.0
LIMIT = 1_000_000
JSON = {"Content-Type": "application/json"}
RUN = [sys.executable, "-c", "from service.cli import serve; serve()"]


@dataclass
class Server:
    """A running server; `stderr` is what it has said so far."""

    process: subprocess.Popen[bytes]
    port: int
    stderr: str
    stdout: str = ""

    def connect(self) -> closing[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS))

    def line(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def send(
        self, path: str, body: Any = None, *, method: str = "POST", headers: dict[str, str] = JSON
    ) -> tuple[int, str | None, Any]:
        """Status, content type and parsed body; `body` is made JSON unless it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        with self.connect() as connection:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("content-type"), json.loads(answer.read())

    def workers(self) -> list[int]:
        """The worker processes (multiprocessing's resource tracker is a child, too)."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found = []
        for child in children:
            try:
                command = Path(f"/proc/{child}/cmdline").read_text()
            except OSError:  # gone since
                continue
            if "spawn_main" in command:
                found.append(int(child))
        return found

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        """What it still says, and the exit code."""
        out, err = self.process.communicate(timeout=SECONDS)
        self.stdout += out.decode()
        self.stderr += err.decode()
        return self.process.returncode


def start_server(model: Path, *options: str, **environ: str) -> Server:
    """A server on a port of its own choice, that has just been started."""
    environ = {**os.environ, "NEWSDESK_MAX_BODY_BYTES": str(LIMIT), "NEWSDESK_LOG_LEVEL": "error", **environ}
    process = subprocess.Popen(
        [*RUN, str(model), "--port", "0", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
        start_new_session=True,
    )
    return Server(process, 0, "")


def end_server(server: Server) -> None:
    if server.process.poll() is None:
        server.process.terminate()
    server.process.communicate(timeout=SECONDS)


@contextmanager
def run_server(model: Path, *options: str, **environ: str) -> Iterator[Server]:
    """The same from the line that says its address to its end."""
    server = start_server(model, *options, **environ)
    try:
        server.stderr = read_line(server.process)
        assert " at http://127.0.0.1:" in server.stderr, server.stderr
        server.port = int(server.stderr.rpartition(":")[2])
        yield server
    finally:
        end_server(server)


def read_line(process: subprocess.Popen[bytes]) -> str:
    """The first line that the process writes to stderr."""
    assert process.stderr is not None
    end = time.monotonic() + SECONDS
    said = b""
    while not said.endswith(b"\n"):
        ready, _, _ = select.select([process.stderr], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"no line after {SECONDS} seconds: {said!r}"
        block = os.read(process.stderr.fileno(), 1)
        assert block, f"ended early: {said!r}"
        said += block
    return said.decode()


@pytest.fixture
def started() -> Iterator[Callable[..., Server]]:
    """Starts servers, and ends them after the test."""
    servers: list[Server] = []

    def start(model: Path, *options: str, **environ: str) -> Server:
        servers.append(start_server(model, *options, **environ))
        return servers[-1]

    yield start
    for server in servers:
        end_server(server)


@pytest.fixture(scope="session")
def running() -> Callable[..., AbstractContextManager[Server]]:
    """Starts a server (`run_server`)."""
    return run_server


@pytest.fixture
def store(tiny_model_path: Path, tmp_path: Path) -> ModelFolder:
    """A model folder with three versions that answer differently; the first one is the current one."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_model_path, folder)
    [first] = ModelFolder(folder).versions()
    for number in (1, 2):
        add_version(folder, folder / first, number)
    return ModelFolder(folder)


def add_version(folder: Path, like: Path, number: int) -> str:
    """A later version that is `like` another one, but with other popularity scores."""
    original = open_version(like)
    arrays = {p.name.removesuffix(".npy"): np.load(p) for p in like.glob("*.npy")}
    arrays["popularity.intercept"] = arrays["popularity.intercept"] + number
    heads = original.manifest.data["heads"]
    created = datetime.now(UTC) + timedelta(days=number)
    return write_version(folder, heads=heads, arrays=arrays, facts={}, documents={}, created=created).version

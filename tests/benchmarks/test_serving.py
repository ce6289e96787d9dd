"""The parts of benchmarks.serving, and in the slow gates the whole of it at its quick size."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.web import load, servers
from benchmarks.web.streams import exchange, stream_rate

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
JSON = {"Content-Type": "application/json"}
BODIES = [b'{"headline": "Bank shares rise", "body": "' + b"profit " * n + b'"}' for n in range(1, 4)]
SAID = """Running 1s test @ http://127.0.0.1:1/
  Latency Distribution
     50%  610.00us
     75%    1.20ms
     90%    2.00ms
     99%    1.03s
  3000 requests in 1.00s, 1.0MB read
  Socket errors: connect 0, read 2, write 0, timeout 1
  Non-2xx or 3xx responses: 7
Requests/sec:   2999.50
"""


@pytest.fixture(scope="module")
def server(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> servers.Server:
    folder = tmp_path_factory.mktemp("serving")
    port = servers.free_port()
    command = [*servers.newsdesk(tiny_model_path, folder / "state", port, "--workers", "1")]
    command[command.index("never")] = "always"
    with servers.started(command, folder / "log", port=port, probe="/readyz") as running:
        yield running


def test_what_wrk_says_is_read() -> None:
    assert load._read_wrk(SAID) == load.Load(2999.5, 610e-6, 1.03, 10)


def test_our_own_client_gets_answers(server: servers.Server) -> None:
    found = load._own(server.port, "/v1/predict", BODIES, JSON, 0.3, 4)
    assert found.rate > 0
    assert 0 < found.p50 <= found.p99
    assert found.errors == 0
    assert load._own(server.port, "/v1/predict", [b"{}"], JSON, 0.1, 2).errors > 0


class _Once(BaseHTTPRequestHandler):
    """Closes the connection after each answer, as gunicorn's plain workers do."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *said: object) -> None:
        pass


class _Closing(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """The client has gone in the middle of an answer, as it does at the end."""


@pytest.fixture
def closing() -> Iterator[ThreadingHTTPServer]:
    """On a thread of its own."""
    with _Closing(("127.0.0.1", 0), _Once) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_our_own_client_connects_again_where_the_server_closes(closing: ThreadingHTTPServer) -> None:
    found = load._own(closing.server_port, "/", BODIES, JSON, 0.2, 3)
    assert found.errors == 0
    assert found.rate * 0.2 >= 6  # every connection more than once


def test_an_answer_that_breaks_off_is_an_error() -> None:
    here, there = socket.socketpair()
    with here:
        with there:
            there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")
        with pytest.raises(ConnectionError, match="closed a connection"):
            load._answer(here)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_wrk_gets_answers(server: servers.Server) -> None:
    found = load.load(server.port, "/v1/predict", BODIES, JSON, seconds=1, connections=4)
    assert found.rate > 0
    assert found.errors == 0


def test_a_stream_is_answered_to_its_last_line(server: servers.Server) -> None:
    line = BODIES[0] + b"\n"
    answer = b"".join(exchange(server.port, iter([line * 3, b"\n", line, b"{}\n"]), {}))
    rows = [json.loads(row) for row in answer.splitlines()]
    assert ["error" in row for row in rows] == [False] * 4 + [True]
    assert rows[-1]["error"]["line"] == 6
    assert stream_rate(server.port, line, 1000, {}, 1) > 0


def test_workers_and_their_memory_are_found(server: servers.Server) -> None:
    [worker] = server.workers()
    assert worker != server.process.pid
    held = servers.memory(worker)
    assert 10e6 < held.private <= held.share + held.mapped


@pytest.mark.slow
def test_the_whole_at_its_quick_size() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving", "--quick", "--json"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    rows = json.loads(ran.stdout)["rows"]
    assert {"ready after", "NDJSON, short articles, 8 streams", "a worker's private memory"} <= {
        row["what"] for row in rows
    }

"""The parts of benchmarks.serving, and in the slow gates the whole of it at its quick size."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

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

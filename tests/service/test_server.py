"""The real server in processes of its own, over real connections."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from classifier.errors import ArtifactMissing, ConfigError, OutputError
from classifier.model import Model
from service.schemas import BatchOut, PredictionOut, RankOut
from service.server import free_address, serve
from service.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")

SECONDS = 60.0
LIMIT = 1_000_000
JSON = {"Content-Type": "application/json"}
RUN = [sys.executable, "-c", "from service.cli import serve; serve()"]
ARTICLE = {"headline": "Assembly votes on the budget bill", "source": "The Courier"}
PAGE = "Bank Shares Rise\n11:36 JST, April 2, 2031\nProfit and exports grew on the market.\n"
BOXES = (
    '"Politics" POPULAR ARTICLE\n-\nSenate Votes on Election Law\nJN ACCESS RANKING\n-\nMinister and Party\n'
)


Running = Callable[..., AbstractContextManager[Any]]
Server = Any


@pytest.fixture(scope="module")
def server(running: Running, tiny_model_path: Path) -> Iterator[Server]:
    with running(tiny_model_path) as server:
        yield server


def test_the_address_line_names_the_model(server: Server, model: Model) -> None:
    assert server.stderr == (
        f"newsdesk: serving {model.name} {model.version} at http://127.0.0.1:{server.port}\n"
    )


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux has such a policy")
def test_receiving_does_not_interrupt_scoring(running: Running, tiny_model_path: Path) -> None:
    """Granian's own threads wait for a free core; the one that scores, and those that answer with it, do not."""
    with running(tiny_model_path, "--workers", "1") as server:  # of several, others may not have begun yet
        assert server.send("/v1/predict", ARTICLE)[0] == 200
        [worker] = server.workers()
        threads = map(int, os.listdir(f"/proc/{worker}/task"))
        policies = {thread: os.sched_getscheduler(thread) for thread in threads}
    assert policies.pop(worker) == os.SCHED_OTHER
    assert set(policies.values()) == {os.SCHED_OTHER, os.SCHED_BATCH}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_share_one_heap_unless_told_otherwise(running: Running, tiny_model_path: Path) -> None:
    with running(tiny_model_path, MALLOC_ARENA_MAX="7") as server:
        worker, *_ = server.workers()
        told = Path(f"/proc/{worker}/environ").read_bytes().split(b"\0")
    assert {b"MALLOC_ARENA_MAX=7", b"ARROW_DEFAULT_MEMORY_POOL=system", b"OPENBLAS_NUM_THREADS=1"} <= set(
        told
    )


def test_health(server: Server, model: Model) -> None:
    # The line comes once a worker answers, so there is nothing to wait for.
    assert server.send("/readyz", method="GET") == (
        200,
        "application/json",
        {"status": "ready", "model": model.name, "version": model.version},
    )
    assert server.send("/healthz", method="GET") == (200, "application/json", {"status": "ok"})


def test_an_article(server: Server, model: Model) -> None:
    status, kind, body = server.send("/v1/predict", ARTICLE)
    assert (status, kind) == (200, "application/json")
    assert body == model.predict(ARTICLE).to_dict()
    PredictionOut.model_validate(body)


def test_an_explanation(server: Server, model: Model) -> None:
    _, _, body = server.send("/v1/predict?explain=true", ARTICLE)
    assert body["explanation"] == [item.to_dict() for item in model.explain(ARTICLE)]


def test_a_page_is_scored_without_its_boxes(server: Server) -> None:
    bare = server.send("/v1/predict", {"page": PAGE})
    assert bare[0] == 200
    assert bare[2]["section"] == "Economy"
    assert server.send("/v1/predict", {"page": PAGE + BOXES}) == bare


def test_batch_equals_one_by_one(server: Server) -> None:
    articles = [{"headline": f"Steel exports {i}", "body": "Wages and votes. " * i} for i in range(30)]
    status, _, body = server.send("/v1/predict/batch", {"articles": articles})
    assert status == 200
    BatchOut.model_validate(body)
    assert body["predictions"] == [server.send("/v1/predict", article)[2] for article in articles]


def test_a_ranking(server: Server) -> None:
    articles = [{"headline": f"Bank {i}"} for i in range(8)]
    status, _, body = server.send("/v1/rank", {"articles": articles, "top": 2})
    assert status == 200
    RankOut.model_validate(body)
    assert len(body["site"]) == 2


@pytest.mark.parametrize(
    ("path", "body", "headers", "method", "expected"),
    [
        ("/v1/predict", b"", JSON, "POST", 400),
        ("/v1/predict", b"Quuxelby", JSON, "POST", 400),
        ("/v1/predict", b'{"headline": "\xff"}', JSON, "POST", 400),
        ("/v1/predict", b"[" * 100_000, JSON, "POST", 400),
        ("/v1/predict", {"headline": "Quuxelby\0"}, JSON, "POST", 422),
        ("/v1/predict", b'{"headline": "Quuxelby \\ud800"}', JSON, "POST", 422),
        ("/v1/predict", {"page": "Quuxelby"}, JSON, "POST", 422),
        ("/v1/predict?explain=1", ARTICLE, JSON, "POST", 422),
        ("/v1/predict", ARTICLE, {}, "POST", 415),
        ("/v1/predict", b"x" * (LIMIT - 1), {}, "POST", 415),
        ("/v1/predict", None, {}, "GET", 405),
        ("/v1/quuxelby", b"x" * (LIMIT - 1), JSON, "POST", 404),
        ("/v1/predict/batch", {"articles": [{}] * 1001}, JSON, "POST", 413),
        ("/v1/predict", b" " * (LIMIT + 1), JSON, "POST", 413),
        ("/v1/predict", b" " * (3 * LIMIT), JSON, "POST", 413),
    ],
)
def test_every_error_has_one_shape(
    server: Server,
    check_problem: Callable[..., dict[str, Any]],
    path: str,
    body: Any,
    headers: dict[str, str],
    method: str,
    expected: int,
) -> None:
    check_problem(*server.send(path, body, method=method, headers=headers), expected=expected)


def begin_request(line: socket.socket, length: int) -> None:
    """Send a request's head and wait until the application reads the body: the request is under way."""
    line.sendall(
        b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % length
    )
    assert line.recv(1000).startswith(b"HTTP/1.1 100 ")


def in_chunks(server: Server, *blocks: bytes) -> tuple[int, str | None, Any]:
    with server.connect() as connection:
        connection.request("POST", "/v1/predict", iter(blocks), JSON, encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type"), json.loads(answer.read())


def test_a_body_in_chunks(server: Server, model: Model, check_problem: Callable[..., dict[str, Any]]) -> None:
    text = json.dumps(ARTICLE).encode()
    assert in_chunks(server, text[:9], text[9:])[2] == model.predict(ARTICLE).to_dict()
    check_problem(*in_chunks(server, *[b" " * 65_536] * 20), expected=413)


def test_a_body_that_was_cut_off(server: Server, check_problem: Callable[..., dict[str, Any]]) -> None:
    with closing(server.line()) as line:
        line.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"headline": "Quuxelby"}'
        )
        line.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        body = json.loads(answer.read())
        answer.close()
    assert (
        "24 of 100"
        in check_problem(answer.status, answer.getheader("content-type"), body, expected=400)["detail"]
    )


def test_a_client_that_asks_first_is_told_before_it_sends(server: Server) -> None:
    with closing(server.line()) as line:
        line.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: 900000000\r\n\r\n"
        )
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")


def test_many_at_once(server: Server, model: Model) -> None:
    articles = [{"headline": f"Bank {i}", "body": "Votes and profit. " * (i % 7)} for i in range(200)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda article: server.send("/v1/predict", article), articles))
    assert {status for status, _, _ in answers} == {200}
    assert [body for _, _, body in answers] == [p.to_dict() for p in model.predict(articles)]


def test_one_connection_serves_on_after_errors(server: Server) -> None:
    with server.connect() as connection:
        for body, expected in ((ARTICLE, 200), ({}, 422), (ARTICLE, 200)):
            connection.request("POST", "/v1/predict", json.dumps(body), JSON)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == expected


def test_slow_and_idle_clients_do_not_shut_out_others(running: Running, tiny_model_path: Path) -> None:
    with running(tiny_model_path, "--workers", "1") as server, ExitStack() as lines:
        for number in range(60):
            line = lines.enter_context(closing(server.line()))
            if number < 12:
                begin_request(line, 50)
        assert server.send("/v1/predict", ARTICLE)[0] == 200


def test_sigterm_lets_a_request_finish_and_ends_with_0(
    running: Running, tiny_model_path: Path, model: Model, secret: str
) -> None:
    article = {"headline": f"{secret} votes"}
    body = json.dumps(article).encode()
    with running(tiny_model_path, "--workers", "1") as server:
        assert server.send("/v1/predict", {"headline": {secret: secret}})[0] == 422
        with closing(server.line()) as line:
            begin_request(line, len(body))
            server.process.terminate()
            line.sendall(body)
            answer = http.client.HTTPResponse(line)
            answer.begin()
            assert json.loads(answer.read()) == model.predict(article).to_dict()
            answer.close()
        assert server.stop() == 0
    assert server.stderr.count("\n") == 1
    assert secret not in server.stderr


def test_two_signals_at_once_end_it_too(running: Running, tiny_model_path: Path) -> None:
    with running(tiny_model_path) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_ends_with_0(
    running: Running, tiny_model_path: Path, number: signal.Signals
) -> None:
    with running(tiny_model_path) as server:
        os.killpg(server.process.pid, number)
        started = time.monotonic()
        assert server.wait() == 0
        # A worker that missed its signal would be killed after 30 seconds.
        assert time.monotonic() - started < 25
    assert "Traceback" not in server.stderr


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers through /proc")
def test_ctrl_c_while_workers_start_is_quiet(tiny_model_path: Path, started: Callable[..., Any]) -> None:
    server = started(tiny_model_path)
    end = time.monotonic() + SECONDS
    while not server.workers():
        assert time.monotonic() < end
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.wait() == 0
    assert "Traceback" not in server.stderr


def test_workers_end_with_a_server_that_was_killed(running: Running, tiny_model_path: Path) -> None:
    with running(tiny_model_path) as server:
        server.process.kill()
        # The workers hold the other end of these pipes, so this returns when the last one is gone.
        server.process.communicate(timeout=SECONDS)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the worker through /proc")
def test_a_killed_worker_is_replaced(running: Running, tiny_model_path: Path) -> None:
    with running(tiny_model_path, "--workers", "1") as server:
        [worker] = server.workers()
        os.kill(worker, signal.SIGKILL)
        end = time.monotonic() + SECONDS
        while (now := server.workers()) in ([worker], []):
            assert time.monotonic() < end
        assert now != [worker]
        assert eventually(lambda: server.send("/readyz", method="GET")[0]) == 200
        server.stop()
    assert "Unexpected exit" in server.stderr
    assert server.stdout == ""


def eventually(ask: Callable[[], int]) -> int:
    """The first answer, however often the connection is refused before."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return ask()
        except OSError:
            assert time.monotonic() < end


@pytest.mark.parametrize("host", ["no.such.host.invalid", "256.0.0.1", "a" * 300, "192.0.2.1"])
def test_a_host_that_cannot_be_listened_at(host: str) -> None:
    with pytest.raises(ConfigError, match="cannot listen at"):
        free_address(host, 0)


def test_a_taken_port_is_refused() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen at 127.0.0.1, port {port}"):
            free_address("127.0.0.1", port)


def test_a_name_is_resolved() -> None:
    address, port = free_address("localhost", 0)
    assert address in {"127.0.0.1", "::1"}
    assert port > 0


def test_a_second_server_does_not_join_the_first(server: Server, tiny_model_path: Path) -> None:
    run = subprocess.run(
        [*RUN, str(tiny_model_path), "--port", str(server.port)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode != 0
    assert "cannot listen" in run.stderr


def test_a_model_that_does_not_load_is_refused_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing):
        serve(Settings(model=tmp_path / "none", port=0))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_where_others_can_reach_it_the_start_is_refused_without_keys(
    tiny_model_path: Path, host: str
) -> None:
    with pytest.raises(ConfigError, match="there are no keys"):
        serve(Settings(model=tiny_model_path, host=host, port=0))


def test_at_the_loopback_address_too_if_told_so(tiny_model_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are no keys"):
        serve(Settings(model=tiny_model_path, port=0, open="never"))


def test_a_state_folder_that_cannot_be_written_to(tiny_model_path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="the state folder cannot be written to"):
        serve(Settings(model=tiny_model_path, port=0, state=tmp_path / "file" / "state"))


def test_at_the_loopback_address_only_this_machines_names_are_answered_to(
    server: Server, check_problem: Callable[..., dict[str, Any]]
) -> None:
    for host in ("localhost", f"127.0.0.1:{server.port}", "LOCALHOST:1"):
        assert server.send("/v1/predict", ARTICLE, headers={**JSON, "Host": host})[0] == 200
    # A page of this site could have its name lead to this machine.
    answer = server.send("/v1/predict", ARTICLE, headers={**JSON, "Host": "evil.example"})
    check_problem(*answer, expected=421)

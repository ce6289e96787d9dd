"""What attackers and broken clients send, to the real server: each is a clear 4xx, and it serves on."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")
Running = Callable[..., AbstractContextManager[Any]]
Check = Callable[..., dict[str, Any]]
ARTICLE = b'{"headline": "Bank vote"}'
SECONDS = 60


@pytest.fixture(scope="module")
def server(running: Running, tiny_model_path: Path) -> Iterator[Any]:
    with running(tiny_model_path, "--workers", "1", NEWSDESK_LOG_LEVEL="info") as server:
        yield server


def raw(server: Any, data: bytes) -> tuple[int, str | None, bytes]:
    """Status, content type and body of the first answer to these bytes; status 0 where the line is closed without one."""
    with closing(server.line()) as line:
        line.sendall(data)
        answer = http.client.HTTPResponse(line)
        try:
            answer.begin()
        except http.client.RemoteDisconnected:
            return 0, None, b""
        return answer.status, answer.getheader("content-type"), answer.read()


def post(
    headers: bytes, body: bytes = ARTICLE, path: bytes = b"/v1/predict", host: bytes = b"Host: localhost\r\n"
) -> bytes:
    return b"POST %b HTTP/1.1\r\n%bContent-Type: application/json\r\n%b\r\n%b" % (path, host, headers, body)


LENGTH = b"Content-Length: %d\r\n" % len(ARTICLE)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/docs/..%2f..%2fsettings.py", 404),
        ("/docs/docs.css/../../settings.py", 404),
        ("//etc/passwd", 404),
        ("/v1/models/..%2f..%2f..%2fetc/promote", 404),
        ("/v1/models/../promote", 401),
        ("/v1/models/%00/promote", 401),
        ("/v1/models/..\\..\\etc/promote", 401),
    ],
)
def test_no_path_leads_out(server: Any, check_problem: Check, path: str, expected: int) -> None:
    check_problem(*server.send(path, b"{}"), expected=expected)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"[" * 200_000, {}, 400),
        (b'{"headline":' * 50_000, {}, 400),
        (b'{"headline": "x", "desk": ' + b"[" * 900 + b"]" * 900 + b"}", {}, 200),
        (b'{"headline": "x", "popularity": NaN}', {}, 400),
        (b'{"headline": "x", "popularity": Infinity}', {}, 400),
        (b'{"headline": "x", "popularity": 1e999}', {}, 400),
        (b'{"headline": "x", "popularity": ' + b"9" * 5000 + b"}", {}, 400),
        (b" " * 1_000_001, {}, 413),
        (gzip.compress(b" " * 50_000_000, mtime=0), {"Content-Encoding": "gzip"}, 415),
        (gzip.compress(ARTICLE, mtime=0), {}, 400),
        (ARTICLE, {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (ARTICLE, {"Content-Type": "application/json; charset=utf-16"}, 415),
        (ARTICLE, {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (ARTICLE.decode().encode("utf-16"), {}, 400),
    ],
)
def test_no_body_is_a_fault(
    server: Any, check_problem: Check, body: bytes, headers: dict[str, str], expected: int
) -> None:
    status, kind, answer = server.send(
        "/v1/predict", body, headers={"Content-Type": "application/json", **headers}
    )
    if status != 200 or expected != 200:
        check_problem(status, kind, answer, expected=expected)


@pytest.mark.parametrize(
    "data",
    [
        post(LENGTH + b"Content-Length: 0\r\n"),
        post(b"Content-Length: -1\r\n"),
        post(b"Content-Length: 1e3\r\n"),
        post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n"),
        post(b"Transfer-Encoding: identity, gzip\r\n"),
        post(LENGTH + b"X: a\0b\r\n"),
        post(LENGTH + b"X : a\r\n"),
        post(LENGTH + b" folded: a\r\n"),
        post(LENGTH + b"X: " + b"a" * 1_000_000 + b"\r\n"),
        post(LENGTH + b"X: a\r\n" * 5000),
        b"POST /v1/predict HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(server: Any, data: bytes) -> None:
    try:
        status, _, _ = raw(server, data)
    except ConnectionError:  # turned away while it was sending
        status = 0
    assert status == 0 or 400 <= status < 500
    assert server.send("/healthz", method="GET")[0] == 200


def test_a_request_cannot_be_hidden_in_another_one(server: Any) -> None:
    """Both a length and chunks: whichever counts, what follows is never answered as a request of its own."""
    hidden = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    body = b"0\r\n\r\n" + hidden
    data = post(b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(body), body)
    with closing(server.line()) as line:
        line.sendall(data)
        line.shutdown(1)
        said = b""
        while block := line.recv(65536):
            said += block
    assert said.count(b"HTTP/1.1 2") == 0 or b'{"status":"ok"}' not in said


@pytest.mark.parametrize("asked", ["a b", "x" * 129, "<script>", "é", ""])
def test_a_request_id_that_is_none_is_replaced(server: Any, asked: str) -> None:
    with server.connect() as connection:
        connection.request("GET", "/healthz", headers={"X-Request-ID": asked.encode()})
        found = connection.getresponse().getheader("X-Request-ID")
    assert found != asked
    assert len(found) == 32


def test_a_request_id_comes_back_and_is_in_the_problem(server: Any) -> None:
    with server.connect() as connection:
        headers = {"X-Request-ID": "desk-7/42", "Content-Type": "application/json"}
        connection.request("POST", "/v1/predict", b"{}", headers)
        answer = connection.getresponse()
        assert answer.getheader("X-Request-ID") == "desk-7/42"
        assert json.loads(answer.read())["instance"] == "/requests/desk-7/42"


def test_the_log_has_a_line_a_request_and_nothing_that_was_sent(
    running: Running, tiny_model_path: Path, secret: str
) -> None:
    with running(tiny_model_path, "--workers", "1", NEWSDESK_LOG_LEVEL="info") as server:
        article = {"headline": f"{secret} votes", "id": secret, "desk": secret}
        assert server.send(f"/v1/predict?{secret}=1", article)[0] == 422
        assert (
            server.send(
                "/v1/predict", article, headers={"Content-Type": "application/json", "X-Request-ID": "r1"}
            )[0]
            == 200
        )
        assert server.send("/v1/predict/batch", {"articles": [article, {secret: 1}]})[0] == 200
        assert server.send(f"/{secret}", article)[0] == 404
        assert server.stop() == 0
    assert secret not in server.stderr
    lines = [json.loads(line) for line in server.stderr.splitlines()[1:]]
    assert [
        (line["route"], line["status"]) for line in lines if line["event"] == "request" and "route" in line
    ] == [
        ("/v1/predict", 422),
        ("/v1/predict", 200),
        ("/v1/predict/batch", 200),
    ]
    assert lines[1]["request_id"] == "r1"
    assert lines[1]["articles"] == 1
    assert (lines[2]["articles"], lines[2]["rejected"]) == (1, 1)
    assert all(
        {"time", "level", "event", "request_id", "status", "ms", "worker"} <= set(line) for line in lines
    )


def counted(server: Any, name: str) -> dict[str, float]:
    with server.connect() as connection:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    return {
        str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers through /proc")
def test_counters_are_right_over_workers_that_are_killed(running: Running, tiny_model_path: Path) -> None:
    with running(tiny_model_path, "--workers", "2") as server:
        for round_ in range(1, 4):
            for _ in range(10):
                assert server.send("/v1/predict", json.loads(ARTICLE))[0] == 200
            assert sum(counted(server, "newsdesk_articles_total").values()) == 10 * round_
            [victim, *_] = before = server.workers()
            os.kill(victim, signal.SIGKILL)
            while len(server.workers()) < 2 or victim in server.workers():
                pass
            # One worker answers all along: whoever asks it finds what the dead one counted.
            while True:
                try:
                    found = counted(server, "newsdesk_model_version")
                    break
                except OSError:
                    continue
            assert len(found) == 1
            assert set(found.values()) <= {1.0, 2.0}
            assert sum(counted(server, "newsdesk_articles_total").values()) == 10 * round_
            assert len(before) == 2
            while sum(counted(server, "newsdesk_model_version").values()) != 2.0:
                pass

"""Bodies that come slowly, broken off, or not at all, to the real server."""

from __future__ import annotations

import http.client
import json
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from classifier.model import Model
from service.keys import KeyFile
from service.state import StateFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")

HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
IN_CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ARTICLE = b'{"headline": "Bank vote"}'
CHUNK = b"%x\r\n%s\r\n" % (len(ARTICLE), ARTICLE)
Running = Callable[..., AbstractContextManager[Any]]
Check = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def impatient(running: Running, tiny_model_path: Path) -> Iterator[Any]:
    """A server that waits a second for the next part of a body, and two for all of it or for the next request."""
    limits = ("--chunk-seconds", "1", "--body-seconds", "2", "--idle-seconds", "2")
    with running(tiny_model_path, "--workers", "1", *limits) as server:
        yield server


def answer_on(line: socket.socket) -> tuple[int, str | None, Any]:
    answer = http.client.HTTPResponse(line)
    answer.begin()
    return answer.status, answer.getheader("content-type"), json.loads(answer.read())


def closed(line: socket.socket) -> bool:
    """Whether the server ends the connection."""
    ready, _, _ = select.select([line], [], [], 60)
    return bool(ready) and line.recv(1) == b""


def send_blocks(line: socket.socket, block: bytes, count: int) -> None:
    for _ in range(count):
        line.sendall(block)  # one by one, since the time-out is for a whole call


def test_a_pause_is_too_long(impatient: Any, check_problem: Check) -> None:
    with closing(impatient.line()) as line:
        line.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        body = check_problem(*answer_on(line), expected=504)
        assert body["detail"].startswith("no part of the body came for 1 seconds;")
        assert closed(line)


@pytest.mark.parametrize("sent", [b"", b"POST /v1/predict HTTP/1.1\r\nHos"])
def test_a_connection_without_a_request_ends(impatient: Any, sent: bytes) -> None:
    with closing(impatient.line()) as line:
        line.sendall(sent)
        assert closed(line)


def test_a_connection_ends_that_is_idle_between_requests(impatient: Any) -> None:
    with closing(impatient.line()) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer_on(line)[0] == 200
        assert closed(line)


def test_a_body_that_drips_is_too_slow(impatient: Any, check_problem: Check) -> None:
    with closing(impatient.line()) as line:
        line.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        while not select.select([line], [], [], 0.2)[0]:
            line.sendall(b" ")
        body = check_problem(*answer_on(line), expected=504)
    assert body["detail"].startswith("the body did not come within 2 seconds;")


def test_a_body_in_chunks_that_stops_is_too_slow(impatient: Any, check_problem: Check) -> None:
    with closing(impatient.line()) as line:
        line.sendall(IN_CHUNKS + CHUNK)
        check_problem(*answer_on(line), expected=504)


def test_slow_clients_are_no_fault_in_the_log(running: Running, tiny_model_path: Path) -> None:
    with running(tiny_model_path, "--workers", "1", "--chunk-seconds", "1") as server:
        with closing(server.line()) as line:
            line.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
            assert answer_on(line)[0] == 504
        assert server.stop() == 0
    assert server.stderr.count("\n") == 1


def test_two_hundred_slow_clients_lock_nobody_out(
    running: Running, tiny_model_path: Path, model: Model
) -> None:
    with running(tiny_model_path, "--workers", "1") as server, ExitStack() as lines:
        for _ in range(200):
            line = lines.enter_context(closing(server.line()))
            line.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + b" " * 5_000)
        for _ in range(5):
            assert server.send("/healthz", method="GET")[0] == 200
            assert server.send("/v1/predict", ARTICLE)[2] == model.predict(json.loads(ARTICLE)).to_dict()
            assert server.send("/v1/rank", {"articles": [json.loads(ARTICLE)]})[0] == 200


def test_a_body_in_chunks_that_broke_off_is_not_taken_for_whole(impatient: Any, check_problem: Check) -> None:
    # What has come is whole JSON: only the end of the chunks is missing.
    for sent in (IN_CHUNKS + CHUNK, IN_CHUNKS + CHUNK[:-2], IN_CHUNKS + CHUNK + b"5\r\n12", IN_CHUNKS):
        with closing(impatient.line()) as line:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            body = check_problem(*answer_on(line), expected=400)
            assert "cut off" in body["detail"]


def test_a_body_in_chunks_that_ended_is_whole(impatient: Any, model: Model) -> None:
    expected = model.predict(json.loads(ARTICLE)).to_dict()
    for head, end in (
        (IN_CHUNKS, b"0\r\n\r\n"),
        (IN_CHUNKS.replace(b"\r\n\r\n", b"\r\nTrailer: X-Sum\r\n\r\n"), b"0\r\nX-Sum: 1\r\n\r\n"),
    ):
        with closing(impatient.line()) as line:
            line.sendall(head + CHUNK + end)
            assert answer_on(line)[2] == expected


def test_what_cannot_be_a_chunk_is_refused(impatient: Any) -> None:
    for garbage in (b"zz\r\nabc\r\n", b"-1\r\n\r\n", b"ffffffffffffffffff\r\n"):
        with closing(impatient.line()) as line:
            line.sendall(IN_CHUNKS + garbage)
            line.shutdown(socket.SHUT_WR)
            assert answer_on(line)[0] == 400


def test_a_body_without_a_key_is_not_received(
    running: Running, tiny_model_path: Path, tmp_path: Path, check_problem: Check
) -> None:
    KeyFile(StateFolder(tmp_path).keys).add("a", "predict")
    with running(tiny_model_path, "--workers", "1", "--state", str(tmp_path)) as server:
        with closing(server.line()) as line:
            line.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 900000\r\n\r\n")
            check_problem(*answer_on(line), expected=401)
        # One that sends it at once is told, too, though nobody keeps what it sends.
        check_problem(*server.send("/v1/predict", b" " * 900_000), expected=401)


def test_more_than_there_is_room_for(running: Running, tiny_model_path: Path, check_problem: Check) -> None:
    # Room is for eight of the largest bodies, but at least 64 MiB.
    size = 8_000_000
    limit = {"NEWSDESK_MAX_BODY_BYTES": str(size)}
    with (
        running(tiny_model_path, "--workers", "1", "--chunk-seconds", "1", **limit) as server,
        ExitStack() as lines,
    ):
        block = b" " * 1_000_000
        stuck = [lines.enter_context(closing(server.line())) for _ in range(10)]
        statuses = []

        def fill(line: socket.socket) -> None:
            line.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % size)
            try:
                for _ in range(size // len(block) - 1):
                    line.sendall(block)
            except OSError:  # the answer came first
                pass
            statuses.append(answer_on(line))

        threads = [threading.Thread(target=fill, args=(line,)) for line in stuck]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        busy = [answer for answer in statuses if answer[0] == 503]
        assert busy
        check_problem(*busy[0], expected=503)
        # The room is free again.
        assert server.send("/v1/predict", ARTICLE)[0] == 200


def test_two_lengths_or_a_null_are_refused_by_the_server_itself(impatient: Any) -> None:
    for head in (
        HEAD + b"Content-Length: 25\r\nContent-Length: 26\r\n\r\n" + ARTICLE,
        HEAD + b"Content-Length: +25\r\n\r\n" + ARTICLE,
        HEAD + b"X-A: a\0b\r\nContent-Length: 25\r\n\r\n" + ARTICLE,
        HEAD + b"Transfer-Encoding: gzip, chunked, identity\r\n\r\n0\r\n\r\n",
    ):
        with closing(impatient.line()) as line:
            line.sendall(head)
            assert line.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_header_with_an_underscore_is_not_taken_for_the_one_with_a_dash(
    impatient: Any, model: Model
) -> None:
    with closing(impatient.line()) as line:
        line.sendall(
            HEAD.replace(b"Content-Type", b"Content_Type")
            + b"Content-Length: %d\r\n\r\n" % len(ARTICLE)
            + ARTICLE
        )
        assert answer_on(line)[0] == 415


def test_a_path_in_utf8(impatient: Any, check_problem: Check) -> None:
    for path in ("/v1/%C3%A4", "/v1/%ff", "/%00", "/v1//predict", "/v1/../healthz/x"):
        check_problem(*impatient.send(path, method="GET"), expected=404)


def test_a_head_request(impatient: Any) -> None:
    with impatient.connect() as connection:
        for path, status in (("/healthz", 200), ("/nothing", 404)):
            connection.request("HEAD", path)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (status, b"")
            assert int(answer.getheader("content-length") or 0) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much a client has not taken")
def test_a_client_that_takes_no_answers_is_not_read_from(running: Running, tiny_model_path: Path) -> None:
    line_of = json.dumps({"headline": "Bank vote", "body": "Votes and profit. " * 5}).encode() + b"\n"
    block = line_of * 500
    with running(tiny_model_path, "--workers", "1") as server, closing(socket.socket()) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        line.connect(("127.0.0.1", server.port))
        line.sendall(
            b"POST /v1/predict/batch HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        line.settimeout(2)
        # Else all of it, and the answers, would lie in the server's memory.
        with pytest.raises(TimeoutError):
            send_blocks(line, b"%x\r\n%s\r\n" % (len(block), block), 400)
        assert server.send("/healthz", method="GET")[0] == 200
        # Once it takes them, the stream goes on.
        line.settimeout(60)
        got = b""
        while got.count(b"\n") < 5_000:
            part = line.recv(1_000_000)
            assert part
            got += part
    assert got.startswith(b"HTTP/1.1 200 ")

"""NDJSON over one connection: sent while the answer is read, as a client must with streams of any length."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

PATH = "/v1/predict/batch"
_LINES = 500  # of one part of the body


def stream_rate(port: int, line: bytes, count: int, headers: Mapping[str, str], streams: int) -> float:
    """Articles a second, of that many streams at once in processes of their own, `count` articles in each."""
    with ProcessPoolExecutor(streams, get_context("spawn")) as pool:
        list(pool.map(_ready, range(streams)))
        begin = time.perf_counter()
        found = list(pool.map(_stream, *zip(*[(port, line, count, dict(headers))] * streams, strict=True)))
        spent = time.perf_counter() - begin
    if found != [count] * streams:
        raise SystemExit(f"{count} articles were sent on each stream, {found} were scored")
    return streams * count / spent


def _ready(number: int) -> int:
    return number


def _stream(port: int, line: bytes, count: int, headers: dict[str, str]) -> int:
    """How many predictions came back."""
    part = line * _LINES
    return sum(
        block.count(b'"section_probability"')
        for block in exchange(port, (part for _ in range(count // _LINES)), headers)
    )


def exchange(port: int, parts: Iterator[bytes], headers: Mapping[str, str]) -> Iterator[bytes]:
    """The answer's blocks, cut anywhere but in a line.

    Raises:
        OSError: the answer is none of NDJSON.
    """
    with socket.create_connection(("127.0.0.1", port)) as line:
        given = {
            **headers,
            "Host": "127.0.0.1",
            "Content-Type": "application/x-ndjson",
            "Transfer-Encoding": "chunked",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        line.sendall(f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode())
        sender = threading.Thread(target=_send, args=(line, parts), daemon=True)
        sender.start()
        answer = http.client.HTTPResponse(line)
        answer.begin()
        if answer.status != 200:
            raise OSError(f"status {answer.status}: {answer.read(500)!r}")
        rest = b""
        while block := answer.read1(262_144):
            whole, newline, rest = (rest + block).rpartition(b"\n")
            yield whole + newline
        sender.join()


def _send(line: socket.socket, parts: Iterator[bytes]) -> None:
    for part in parts:
        line.sendall(b"%x\r\n%b\r\n" % (len(part), part))
    line.sendall(b"0\r\n\r\n")

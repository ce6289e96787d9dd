"""Loads a server: wrk where it is installed, else a client of ours that does the same."""

from __future__ import annotations

import re
import selectors
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
# The bodies go round; each thread of wrk starts at the first.
_SCRIPT = """
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", args[2], wrk.headers, line)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did: requests a second, median and 99th percentile in seconds, and answers that were no 2xx."""

    rate: float
    p50: float
    p99: float
    errors: int


def tool() -> str:
    """Which client loads."""
    return "wrk" if shutil.which("wrk") else "Newsdesk's own client"


def load(
    port: int,
    path: str,
    bodies: Sequence[bytes],
    headers: Mapping[str, str],
    *,
    seconds: float,
    connections: int,
) -> Load:
    """POST the bodies in turn over that many connections for so long."""
    run = _wrk if shutil.which("wrk") else _own
    return run(port, path, bodies, headers, seconds, connections)


def _wrk(
    port: int,
    path: str,
    bodies: Sequence[bytes],
    headers: Mapping[str, str],
    seconds: float,
    connections: int,
) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        script, lines = Path(folder, "post.lua"), Path(folder, "bodies")
        script.write_text(_SCRIPT, "utf-8")
        lines.write_bytes(b"".join(body + b"\n" for body in bodies))
        given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--latency",
            "-s",
            str(script),
        ]
        command += [*given, f"http://127.0.0.1:{port}{path}", "--", str(lines), path]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return _read_wrk(said)


def _read_wrk(said: str) -> Load:
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None:
        raise SystemExit(f"wrk said: {said}")
    errors = sum(
        int(number) for number in re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", said)
    )
    return Load(float(rate[1]), _percentile(said, "50%"), _percentile(said, "99%"), errors)


def _percentile(said: str, which: str) -> float:
    found = re.search(rf"{which}\s+([\d.]+)(us|ms|s|m)\b", said)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _own(
    port: int,
    path: str,
    bodies: Sequence[bytes],
    headers: Mapping[str, str],
    seconds: float,
    connections: int,
) -> Load:
    """One thread, every connection with one request at a time."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    requests = [
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
        for body in bodies
    ]
    waiting = selectors.DefaultSelector()
    sent: dict[socket.socket, float] = {}
    taken: list[float] = []
    errors = number = 0
    begin = time.perf_counter()

    def connected() -> socket.socket:
        line = socket.create_connection(("127.0.0.1", port))
        waiting.register(line, selectors.EVENT_READ)
        return line

    for _ in range(connections):
        line = connected()
        sent[line] = time.perf_counter()
        line.sendall(requests[0])
    while time.perf_counter() - begin < seconds or len(taken) < 2:  # two make quantiles
        for key, _ in waiting.select(timeout=1.0):
            line = key.fileobj
            assert isinstance(line, socket.socket)
            status, stays = _answer(line)
            errors += status // 100 != 2
            now = time.perf_counter()
            taken.append(now - sent[line])
            number += 1
            if not stays:
                waiting.unregister(line)
                line.close()
                del sent[line]
                line = connected()
            sent[line] = now
            line.sendall(requests[number % len(requests)])
    spent = time.perf_counter() - begin
    for line in sent:
        line.close()
    cut = statistics.quantiles(taken, n=100)
    return Load(len(taken) / spent, cut[49], cut[98], errors)


def _answer(line: socket.socket) -> tuple[int, bool]:
    """The status of the answer that has begun to come, once it is whole; whether the connection stays open after it."""
    data = _more(line)
    while b"\r\n\r\n" not in data:
        data += _more(line)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    left = (int(length[1]) if length else 0) - len(body)
    while left > 0:
        left -= len(_more(line))
    return int(head[9:12]), re.search(rb"\r\nconnection: close", head, re.IGNORECASE) is None


def _more(line: socket.socket) -> bytes:
    data = line.recv(65536)
    if not data:
        raise ConnectionError("the server closed a connection that it had not said it would close")
    return data

"""What clients do to a service, good and bad, and what each may get: everything else is a finding."""

from __future__ import annotations

import http.client
import json
import random
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from benchmarks.web.streams import exchange

_TIMEOUT = 30.0
_EXCUSED = 3.0  # seconds around the death of a worker in which its connections may break
_INVALID: tuple[tuple[str, bytes, dict[str, str], int], ...] = (
    ("/v1/predict", b"", {}, 400),
    ("/v1/predict", b"{", {}, 400),
    ("/v1/predict", b'{"headline": NaN}', {}, 400),
    ("/v1/predict", b"[" * 50_000, {}, 400),
    ("/v1/predict", b'{"headline": "\xff"}', {}, 400),
    ("/v1/predict", b'{"headline": "x", "body": 5}', {}, 422),
    ("/v1/predict", b'{"headline": ""}', {}, 422),
    ("/v1/predict?explain=perhaps", b'{"headline": "x"}', {}, 422),
    ("/v1/predict", b'{"headline": "x"}', {"Content-Type": "text/plain"}, 415),
    ("/v1/predict", b'{"headline": "x"}', {"Content-Encoding": "gzip"}, 415),
    ("/v1/predict", b'{"headline": "x"}', {"Authorization": "Bearer none"}, 401),
    ("/v1/models/..%2f..%2fetc/promote", b"", {}, 404),
    ("/v1/models/..etc/promote", b"", {}, 403),
    ("/v1/nothing", b"{}", {}, 404),
)


@dataclass(slots=True)
class Soak:
    """What all clients share: the server, what is right, and what was found."""

    port: int
    key: str
    articles: Sequence[dict[str, Any]]
    right: Mapping[str, Sequence[dict[str, Any]]]  # by version, then as the articles
    limit: int
    ended: Event = field(default_factory=Event)
    deaths: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def wrong(self, what: str) -> None:
        """Something that must not be."""
        with self._lock:
            self.findings.append(what)

    def excused(self) -> bool:
        """Whether a worker died just now."""
        return any(abs(time.monotonic() - death) < _EXCUSED for death in self.deaths)

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """Status and parsed answer."""
        given = {"Content-Type": "application/json", "Authorization": f"Bearer {key or self.key}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT)
        try:
            connection.request("POST", path, body, {**given, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def check(self, number: int, answer: dict[str, Any]) -> None:
        """An answer is that of the version that it names."""
        expected = self.right.get(answer.get("version", ""))
        if expected is None or answer != expected[number]:
            self.wrong(f"article {number}: {json.dumps(answer)[:300]}")


Behaviour = Callable[[Soak, random.Random], None]


def run(soak: Soak, behaviour: Behaviour, seed: int) -> None:
    """Behave so until the soak ends."""
    rng = random.Random(seed)
    name = behaviour.__name__
    while not soak.ended.is_set():
        try:
            behaviour(soak, rng)
            soak.count(name)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if not soak.excused():
                soak.wrong(f"{name}: {type(error).__name__}: {error}")
            soak.count(f"{name}, broken off")
            soak.ended.wait(0.05)


def _expect(soak: Soak, what: str, status: int, *allowed: int) -> None:
    if status not in allowed:
        soak.wrong(f"{what}: status {status}, not one of {allowed}")


def one_article(soak: Soak, rng: random.Random) -> None:
    number = rng.randrange(len(soak.articles))
    status, answer = soak.post("/v1/predict", json.dumps(soak.articles[number]).encode())
    _expect(soak, "an article", status, 200)
    if status == 200:
        soak.check(number, answer)


def batch(soak: Soak, rng: random.Random) -> None:
    numbers = [rng.randrange(len(soak.articles)) for _ in range(rng.randrange(1, 60))]
    body = json.dumps({"articles": [soak.articles[number] for number in numbers]}).encode()
    status, answer = soak.post("/v1/predict/batch", body)
    _expect(soak, "a batch", status, 200)
    if status == 200:
        _all_of_one(soak, numbers, answer["predictions"])


def stream(soak: Soak, rng: random.Random) -> None:
    numbers = [rng.randrange(len(soak.articles)) for _ in range(rng.randrange(1, rng.choice((200, 3000))))]
    lines = [json.dumps(soak.articles[number]).encode() + b"\n" for number in numbers]
    parts = (b"".join(lines[start : start + 50]) for start in range(0, len(lines), 50))
    answer = b"".join(exchange(soak.port, parts, {"Authorization": f"Bearer {soak.key}"}))
    rows = [json.loads(line) for line in answer.splitlines()]
    if len(rows) != len(numbers) and not soak.excused():
        soak.wrong(f"a stream of {len(numbers)} lines got {len(rows)}")
    _all_of_one(soak, numbers[: len(rows)], rows)


def _all_of_one(soak: Soak, numbers: Sequence[int], answers: Sequence[dict[str, Any]]) -> None:
    if len({answer.get("version") for answer in answers}) > 1:
        soak.wrong("one call was answered by two versions")
    for number, answer in zip(numbers, answers, strict=True):
        soak.check(number, answer)


def invalid(soak: Soak, rng: random.Random) -> None:
    path, body, headers, expected = rng.choice(_INVALID)
    status, answer = soak.post(path, body, headers)
    _expect(soak, f"{path} {body[:40]!r}", status, expected)
    if answer.get("status") != status:
        soak.wrong(f"no problem: {json.dumps(answer)[:300]}")
    soak.ended.wait(0.01)


def huge(soak: Soak, rng: random.Random) -> None:
    status, _ = soak.post("/v1/predict", b" " * (soak.limit + rng.randrange(1, soak.limit)))
    _expect(soak, "a body over the limit", status, 413)
    soak.ended.wait(0.1)


def _begin(soak: Soak, length: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", soak.port), timeout=_TIMEOUT)
    line.sendall(
        b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n" % (soak.key.encode(), length)
    )
    return line


def slow(soak: Soak, rng: random.Random) -> None:
    """Sends a byte now and then until the service has enough of it."""
    with _begin(soak, 10_000) as line:
        line.settimeout(0.3)
        for _ in range(200):
            try:
                line.sendall(b" ")
                if found := line.recv(1000):
                    _expect(soak, "a slow client", int(found[9:12]), 504)
                return
            except TimeoutError:
                if soak.ended.is_set():
                    return
            except (BrokenPipeError, ConnectionResetError):
                return
    soak.wrong("a slow client was never turned away")


def leaving(soak: Soak, rng: random.Random) -> None:
    """Asks and is gone before the answer."""
    body = json.dumps(rng.choice(soak.articles)).encode()
    with _begin(soak, len(body)) as line:
        line.sendall(body[: rng.randrange(len(body) + 1)])
        # So that the connection is reset, not ended in good order.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    soak.ended.wait(0.02)


def cut_off(soak: Soak, rng: random.Random) -> None:
    """Ends the upload in the middle, and waits for what is said to it."""
    body = json.dumps(rng.choice(soak.articles)).encode()
    with _begin(soak, len(body) + 100) as line:
        line.sendall(body)
        line.shutdown(socket.SHUT_WR)
        if found := line.recv(1000):
            _expect(soak, "a cut-off upload", int(found[9:12]), 400)
    soak.ended.wait(0.05)


BEHAVIOURS: tuple[tuple[Behaviour, int], ...] = (
    (one_article, 3),
    (batch, 1),
    (stream, 1),
    (invalid, 1),
    (huge, 1),
    (slow, 4),
    (leaving, 1),
    (cut_off, 1),
)

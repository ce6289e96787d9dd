"""The application as Granian calls it: bodies are received by an event loop, and only whole ones reach the application.

WSGI gives a thread to every request and lets it wait for a slow client; as many slow clients as there are threads lock
everybody else out. So the workers of `newsdesk serve` speak RSGI, Granian's asynchronous interface: a client that uploads
slowly, or not at all, costs a coroutine, and every wait has a deadline. What is slow to answer runs on threads. Streams of
articles are the exception: each has a thread, which takes the parts as they come.

Any WSGI server runs the same application; there it reads bodies itself (`service.body`).
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

from flask import Flask

from service.admission import Access
from service.direct import Direct
from service.errors import Busy
from service.incoming import Deadlines, Incoming, Received, Streamed
from service.outgoing import Outgoing
from service.settings import MIB, Settings

# Answered where they arrive: handing them to a thread would cost more than they do. Everything else runs on a thread.
_QUICK = frozenset({"/v1/predict", "/healthz", "/readyz"})
_QUICK_BYTES = 32_768
_STREAMED = "application/x-ndjson"
_THREADS = 16
_STREAMS = 32
# How much of bodies that are still arriving, or being answered, a worker holds; beyond it the service is busy.
_LEAST_ROOM = 64 * MIB
# A client that is still sending when the connection closes loses the answer: up to this many times the limit is received
# and thrown away, so that it gets to see it.
_DRAIN = 4
_BODILESS = frozenset({"GET", "HEAD"})
logger = logging.getLogger("newsdesk.service")

Environ = dict[str, Any]
Answer = tuple[int, list[tuple[str, str]], Any]


class Gateway:
    """An RSGI application around the Flask one."""

    def __init__(self, app: Flask, settings: Settings, access: Access) -> None:
        self._app = app
        self._settings = settings
        self._access = access
        self._direct = Direct(app, settings)
        self._threads = ThreadPoolExecutor(_THREADS, "answer")
        self._streams = ThreadPoolExecutor(_STREAMS, "stream")
        self._streaming = 0
        self._deadlines: Deadlines | None = None
        self._room = max(_LEAST_ROOM, 8 * settings.max_body_bytes)
        self._common: Environ = {
            "SCRIPT_NAME": "",
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multithread": True,
            "wsgi.multiprocess": settings.workers > 1,
            "wsgi.run_once": False,
        }

    def _waits(self) -> Deadlines:
        if self._deadlines is None:  # only now is there a loop
            self._deadlines = Deadlines(self._settings)
        return self._deadlines

    async def __call__(self, scope: Any, proto: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            return
        environ = _asked(scope)
        if environ["REQUEST_METHOD"] in _BODILESS:
            await self._answer(environ, scope, proto, Received())
        elif environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == _STREAMED:
            await self._stream(environ, scope, proto)
        else:
            await self._receive(environ, scope, proto)

    async def _receive(self, environ: Environ, scope: Any, proto: Any) -> None:
        """Receive the whole body, if it is wanted, and answer."""
        settings = self._settings
        declared = _declared(environ)
        limit = self._access.takes(environ, settings.max_body_bytes)
        unwanted = not limit or (declared or 0) > limit
        incoming = Incoming(proto, environ, settings, declared, self._waits())
        if unwanted:
            await self._answer(environ, scope, proto, Received(), left=incoming)
            return
        held, busy = 0, None
        try:
            blocks: list[bytes] = []
            while incoming.left and (block := await incoming.part()):
                held += len(block)
                self._room -= len(block)
                if self._room < 0:
                    busy = Busy("too much is being received", remedy="try again in a moment")
                    break
                blocks.append(block)
                if held > limit:  # the application says so
                    break
            received = Received()
            received.error = incoming.error or busy
            if received.error is None:
                body = blocks[0] if len(blocks) == 1 else b"".join(blocks)
                if len(body) <= _QUICK_BYTES and (answer := self._direct.answer(environ, body)) is not None:
                    await self._finish(environ, proto, answer, incoming)
                    return
                received = Received(body)
            await self._answer(environ, scope, proto, received, left=incoming)
        finally:
            self._room += held

    async def _answer(
        self, environ: Environ, scope: Any, proto: Any, body: BytesIO, *, left: Incoming | None = None
    ) -> None:
        """Let the application answer."""
        self._complete(environ, scope, body)
        # With a query an explanation is asked for, which takes ten times as long.
        if (
            environ["PATH_INFO"] in _QUICK
            and len(body.getbuffer()) <= _QUICK_BYTES
            and not environ["QUERY_STRING"]
        ):
            answer = self._call(environ)
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._threads, self._call, environ)
        await self._finish(environ, proto, answer, left)

    async def _finish(self, environ: Environ, proto: Any, answer: Answer, left: Incoming | None) -> None:
        """Send a whole answer, and throw away what the client is still sending, so that it gets to see it."""
        status, headers, data = answer
        more = left is not None and left.left
        if more:
            headers = [*headers, ("Connection", "close")]
        proto.response_bytes(status, headers, data)
        if left is not None and more and "HTTP_EXPECT" not in environ:
            await left.drain(_DRAIN * self._settings.max_body_bytes)

    def _call(self, environ: Environ) -> Answer:
        status, headers, parts = self._start(environ)
        try:
            return status, headers, b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _start(self, environ: Environ) -> Answer:
        started: list[tuple[int, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], error: Any = None
        ) -> Callable[[bytes], object]:
            started[:] = [(int(status[:3]), headers)]
            return _no_write

        parts = self._app.wsgi_app(environ, start_response)
        return (*started[0], parts)

    async def _stream(self, environ: Environ, scope: Any, proto: Any) -> None:
        """Let the application take the body part by part and answer as it goes, on a thread of its own."""
        loop = asyncio.get_running_loop()
        declared = _declared(environ)
        incoming = Incoming(proto, environ, self._settings, declared, self._waits(), whole=False)
        if self._streaming >= _STREAMS:
            received = Received()
            received.error = Busy("as many streams are open as there may be", remedy="try again in a moment")
            await self._answer(environ, scope, proto, received, left=incoming)
            return
        self._streaming += 1
        body = Streamed(incoming, loop)
        self._complete(environ, scope, body)
        outgoing = Outgoing(proto, scope.client, loop)
        try:
            refusal = await loop.run_in_executor(self._streams, self._run_stream, environ, outgoing)
        finally:
            body.close()
            self._streaming -= 1
        if refusal is not None:
            await self._finish(environ, proto, refusal, incoming)

    def _run_stream(self, environ: Environ, outgoing: Outgoing) -> Answer | None:
        """Answer part by part; an answer that is no stream is given back instead."""
        status, headers, parts = self._start(environ)
        try:
            if any(name.lower() == "content-length" for name, _ in headers):
                return status, headers, b"".join(parts)
            outgoing.start(status, headers)
            for part in parts:
                outgoing.send(part)
        except ConnectionError:
            logger.info("a client left while it was being answered")
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return None

    def _complete(self, environ: Environ, scope: Any, body: Any) -> None:
        """Add what only the application wants to know."""
        environ.update(self._common)
        environ["SERVER_PROTOCOL"] = f"HTTP/{scope.http_version}"
        environ["SERVER_NAME"], _, environ["SERVER_PORT"] = scope.server.rpartition(":")
        environ["REMOTE_ADDR"], _, environ["REMOTE_PORT"] = scope.client.rpartition(":")
        environ["wsgi.url_scheme"] = scope.scheme
        environ["wsgi.input"] = body


def _asked(scope: Any) -> Environ:
    """What a request asks for, as WSGI has it (PEP 3333)."""
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
    }
    for name, value in scope.headers.items():
        key = _KEYS.get(name)
        if key is None:
            if "_" in name:  # would be taken for the header with a dash
                continue
            key = f"HTTP_{name.upper().replace('-', '_')}"
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{value}" if key in environ else value
    return environ


_KEYS = {
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
    "host": "HTTP_HOST",
    "accept": "HTTP_ACCEPT",
    "user-agent": "HTTP_USER_AGENT",
    "authorization": "HTTP_AUTHORIZATION",
    "cookie": "HTTP_COOKIE",
}


def _declared(environ: Environ) -> int | None:
    """The declared length of the body; None where it comes in chunks."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    length = environ.get("CONTENT_LENGTH", "0")
    return int(length) if length.isdigit() else 0


def _no_write(data: bytes) -> None:
    raise NotImplementedError  # the oldest way to answer in WSGI, which Flask does not use

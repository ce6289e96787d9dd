"""An answer that is sent part by part, no faster than its client takes it.

Granian puts what is sent in a queue without an end. So before each part we ask the system how much of the connection's data
its client has not taken yet, and wait. Only Linux lets us ask; elsewhere answers may pile up in memory.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
import time
from typing import Any

from service.loops import ask

# How much may be on its way to the client before we wait, how often we look, and when we give up.
_ON_ITS_WAY = 524_288
_LOOK_SECONDS = 0.005
_STALLED_SECONDS = 60.0
_SIOCOUTQ = 0x5411


class Outgoing:
    """The answer to one request, from a thread that is not the event loop's."""

    def __init__(self, proto: Any, client: str, loop: asyncio.AbstractEventLoop) -> None:
        self._proto = proto
        self._client = client
        self._loop = loop
        self._transport: Any = None
        self._socket: int | None = None

    def start(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Send the head."""
        self._transport = self._proto.response_stream(status, headers)
        self._socket = _find_socket(self._client)

    def send(self, part: bytes) -> None:
        """Send a part once the client has taken most of what was sent before.

        Raises:
            ConnectionError: it has gone, or takes nothing any more.
        """
        if part:
            self._wait()
            ask(self._loop, self._send(part))

    async def _send(self, part: bytes) -> None:
        try:
            await self._transport.send_bytes(part)
        except Exception as error:  # Granian's own classes of errors are not public
            raise ConnectionError from error

    def _wait(self) -> None:
        last, since = -1, time.monotonic()
        while self._socket is not None:
            waiting = _unsent(self._socket, self._client)
            if waiting is None or waiting <= _ON_ITS_WAY:
                return
            if waiting != last:
                last, since = waiting, time.monotonic()
            elif time.monotonic() - since > _STALLED_SECONDS:
                _cut(self._socket, self._client)
                raise ConnectionError
            time.sleep(_LOOK_SECONDS)


def _find_socket(client: str) -> int | None:
    """The file descriptor of the connection from `client` ("address:port"), None where it cannot be found."""
    if sys.platform != "linux":
        return None
    for name in os.listdir("/proc/self/fd"):
        if _peer(int(name)) == client:
            return int(name)
    return None


def _peer(handle: int) -> str | None:
    try:
        copy = os.dup(handle)
    except OSError:
        return None
    try:
        own = socket.socket(fileno=copy)
    except OSError:  # something else than a socket
        os.close(copy)
        return None
    with own:
        try:
            address = own.getpeername()
            return f"{address[0]}:{address[1]}" if own.family in (socket.AF_INET, socket.AF_INET6) else None
        except (OSError, IndexError):
            return None


def _unsent(handle: int, client: str) -> int | None:
    """Bytes that the client has not acknowledged; None where the connection is gone."""
    import fcntl

    if _peer(handle) != client:
        return None
    try:
        return int(struct.unpack("i", fcntl.ioctl(handle, _SIOCOUTQ, b"\0\0\0\0"))[0])
    except OSError:
        return None


def _cut(handle: int, client: str) -> None:
    """End a connection, so that its client cannot take what came for the whole."""
    if _peer(handle) == client:
        with socket.socket(fileno=os.dup(handle)) as copy:
            copy.shutdown(socket.SHUT_RDWR)

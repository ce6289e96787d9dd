"""A request's body as it arrives from Granian, with a deadline on every wait."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

from classifier.errors import NewsdeskError
from service.errors import BodyError, BodyTimeout
from service.loops import ask
from service.settings import Settings

_DRAIN_SECONDS = 10.0
_LOOK_SECONDS = 0.25
AHEAD = 131_072  # bytes of a stream that are received before they are asked for


class Received(BytesIO):
    """A whole body as `wsgi.input`; or why there is none, which the first one who reads it learns."""

    error: NewsdeskError | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return super().read(size)


class Deadlines:
    """Ends the waits of a loop that take too long. It looks a few times a second: a timer for each wait would take longer
    than most of the waits."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = min(_LOOK_SECONDS, settings.chunk_seconds / 8, settings.body_seconds / 8)
        self._waiting: dict[Incoming, float] = {}
        self._looking = False

    def start(self, incoming: Incoming, last: float) -> None:
        """From `last` on (the loop's time) `give_up` is called."""
        self._waiting[incoming] = last
        if not self._looking:
            self._looking = True
            self._loop.call_later(self._seconds, self._look)

    def stop(self, incoming: Incoming) -> None:
        """The wait has ended."""
        self._waiting.pop(incoming, None)

    def _look(self) -> None:
        now = self._loop.time()
        for incoming in [incoming for incoming, last in self._waiting.items() if last <= now]:
            del self._waiting[incoming]
            incoming.give_up()
        self._looking = bool(self._waiting)
        if self._looking:
            self._loop.call_later(self._seconds, self._look)


class Incoming:
    """The parts of one body. After an error nothing more can be taken; `left` says whether the client is still sending."""

    def __init__(
        self,
        proto: Any,
        environ: dict[str, Any],
        settings: Settings,
        declared: int | None,
        deadlines: Deadlines,
        *,
        whole: bool = True,
    ) -> None:
        self._proto = proto
        self._deadlines = deadlines
        self._task: asyncio.Task[Any] | None = None  # that waits
        self._parts: Any = None
        self._declared = declared
        self._trailers = "HTTP_TRAILER" in environ
        self._got = 0
        self._chunk_seconds: float = settings.chunk_seconds
        self._seconds: float | None = settings.body_seconds if whole else None
        self._deadline = 0.0
        self._loop = asyncio.get_running_loop()
        self._too_late = False
        self.left = declared != 0
        self.error: NewsdeskError | None = None

    async def part(self) -> bytes:
        """The next part; b"" at the end, and where it is cut off or late, which `error` then says."""
        if not self.left or self.error is not None:
            return b""
        now = self._loop.time()
        if self._parts is None:
            self._parts = self._proto.__aiter__()
            self._deadline = now + self._seconds if self._seconds else 0.0
        last = now + self._chunk_seconds
        if self._seconds:
            last = min(last, self._deadline)
        # What asyncio.timeout does, in a fraction of the time: nearly every part is there when it is asked for.
        self._task = asyncio.current_task()
        self._deadlines.start(self, last)
        try:
            block: bytes = await self._parts.__anext__()
        except asyncio.CancelledError:
            if not self._too_late or self._task is None or self._task.uncancel():
                raise  # somebody else ends the task
            self.error = self._late()
            return b""
        finally:
            self._deadlines.stop(self)
        if not block:
            await self._end()
            return b""
        self._got += len(block)
        if self._got == self._declared:
            self.left = False
        return block

    async def drain(self, most: int) -> None:
        """Receive and throw away what is left, within a limit."""
        if self.error is None:
            self._seconds = self._chunk_seconds = _DRAIN_SECONDS
            while most > 0 and (block := await self.part()):
                most -= len(block)

    async def _end(self) -> None:
        """Whether the body ended, or broke off: then Granian gives one more empty part before it says that it is over."""
        self.left = False
        if self._declared is not None:
            self.error = BodyError(
                f"the body ended after {self._got} of {self._declared} bytes", remedy="send it again"
            )
            return
        try:
            await self._parts.__anext__()
        except StopAsyncIteration:
            return
        if not self._trailers:  # these, too, come as an empty part
            self.error = BodyError("the body was cut off", remedy="send it again")

    def give_up(self) -> None:
        """End the wait: it is too late."""
        if self._task is not None:
            self._too_late = True
            self._task.cancel()

    def _late(self) -> BodyTimeout:
        if self._seconds and self._loop.time() >= self._deadline:
            return BodyTimeout(
                f"the body did not come within {self._seconds} seconds", remedy="send less at a time"
            )
        return BodyTimeout(
            f"no part of the body came for {self._chunk_seconds} seconds",
            remedy="send it without long pauses",
        )


class Streamed:
    """A body as `wsgi.input`, taken by a thread as it arrives. While that is busy the loop receives on, up to a limit: many
    articles at once cost less each."""

    def __init__(self, incoming: Incoming, loop: asyncio.AbstractEventLoop) -> None:
        self._incoming = incoming
        self._loop = loop
        self._rest = b""
        self._told = False
        self._receiver: asyncio.Task[None] | None = None
        self._waiting = bytearray()
        self._ended = False
        self._fault: Exception | None = None
        self._changed = asyncio.Event()

    def read(self, size: int = -1) -> bytes:
        """What has come, at most `size` bytes of it, as soon as there is some; b"" at the end.

        Raises:
            BodyTimeout, BodyError: once, if it does not come in time or is cut off.
            ConnectionError: nobody receives it any more.
        """
        if not self._rest:
            self._rest = ask(self._loop, self._take())
            if not self._rest and self._incoming.error is not None and not self._told:
                self._told = True
                raise self._incoming.error
        size = len(self._rest) if size < 0 else size
        block, self._rest = self._rest[:size], self._rest[size:]
        return block

    def close(self) -> None:
        """Receive nothing more; only in the loop."""
        if self._receiver is not None:
            self._receiver.cancel()

    async def _take(self) -> bytes:
        if self._receiver is None:
            self._receiver = asyncio.create_task(self._receive())
        while not self._waiting and not self._ended:
            await self._change()
        if not self._waiting and self._fault is not None:
            raise self._fault
        found = bytes(self._waiting)
        self._waiting.clear()
        self._changed.set()
        return found

    async def _receive(self) -> None:
        try:
            while part := await self._incoming.part():
                self._waiting += part
                self._changed.set()
                while len(self._waiting) >= AHEAD:
                    await self._change()
        except Exception as error:  # told to the one who takes
            self._fault = error
        finally:
            self._ended = True
            self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

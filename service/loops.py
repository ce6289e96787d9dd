"""Asking an event loop from a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")
_LOOK_SECONDS = 0.5


def ask(loop: asyncio.AbstractEventLoop, question: Coroutine[None, None, Result]) -> Result:
    """The result of a coroutine that runs in the loop.

    Raises:
        ConnectionError: the loop has ended, as when the server stops after the client has left.
    """
    answer = asyncio.run_coroutine_threadsafe(question, loop)
    while True:
        try:
            return answer.result(_LOOK_SECONDS)
        except TimeoutError:
            if answer.done():  # it was the coroutine's own
                raise
            if not loop.is_running():
                raise ConnectionError from None

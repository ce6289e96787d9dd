"""A process that reads what somebody pasted or dropped, for `service.page.reading`: hostile or huge input costs this
process alone, and nothing of it stays.

In: how to read (`classifier.reading.messages`), then a message with the name, the limits and the bytes. Out: a line of
JSON.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import asdict
from typing import Any

from classifier.errors import NewsdeskError
from classifier.reading.columns import json_text
from classifier.reading.messages import receive, receive_options
from service.page.uploads import Limits, OverLimit, read_upload, told


def main() -> None:
    """Read one input. Interruptions are the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not come before the answer.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    options = receive_options(sys.stdin.buffer)
    head, (data,) = receive(sys.stdin.buffer)
    _restrict(head["seconds"], head["memory"])
    answer: dict[str, Any]
    try:
        answer = {"read": asdict(read_upload(head["name"], data, options, Limits(**head["limits"])))}
    except NewsdeskError as error:
        answer = {"error": told(error)}
    except MemoryError:
        answer = {"error": told(OverLimit("takes too much memory to read", remedy="give a part of it"))}
    answers.write(json_text(answer).encode() + b"\n")


def _restrict(seconds: int, memory: int) -> None:
    """Let the system end this process after so many seconds of work, and refuse it more bytes of memory than so many beyond
    what it has; as far as the system can."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:
            has = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (has + memory, has + memory))

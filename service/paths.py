"""How errors name a field of a request."""

from __future__ import annotations

import re

_NAME = re.compile(r"[\w-]{1,40}")


def join_path(start: str, *parts: str | int) -> str:
    """A field's path as errors name it: ("articles", 3, "headline") is articles[3].headline."""
    path = start
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            # What looks like no name may be text that went to the wrong place; errors never quote text.
            name = part if _NAME.fullmatch(part) else "…"
            path += f".{name}" if path else name
    return path

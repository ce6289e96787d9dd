"""Host names, as requests spell them."""

from __future__ import annotations


def bare_host(host: str) -> str:
    """A host name without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and not name.endswith(":"):
        host = name
    return host.strip("[]").rstrip(".").lower()

"""Asking before a file is loaded that may run code. Imports nothing heavy: it comes before everything else."""

from __future__ import annotations

from pathlib import Path

from classifier.errors import UsageError


def check_trust(path: Path, *, trust: bool) -> None:
    """Refuse a file that nobody vouches for, before it is even opened.

    Raises:
        UsageError: `trust` is not set.
    """
    if not trust:
        raise UsageError(
            "a joblib file is a pickle: to load it is to run whatever its writer put in it",
            where=str(path),
            remedy="if you wrote it, or trust who did, add --trust",
        )

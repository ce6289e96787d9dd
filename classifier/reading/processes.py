"""Fresh interpreters for what is read apart from the caller.

Not `multiprocessing`, which would import the caller's main module again.
"""

from __future__ import annotations

import json
import sys

_START = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "module = importlib.import_module(sys.argv[2]); module.main()"
)


def command(module: str) -> list[str]:
    """The command line of an interpreter that finds what this one finds, and runs `main` of a module."""
    return [sys.executable, "-I", "-c", _START, json.dumps(sys.path), module]

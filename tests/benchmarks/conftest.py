"""The benchmarks of speed are no part of the wheel: a copy of them is imported and run beside the installed packages."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
# Behind all others: the packages under test are the installed ones.
sys.path.append(str(ROOT))
Quick = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def speed() -> Callable[[str], ModuleType]:
    """Answers a module of benchmarks by name."""
    for name in ("text_core", "training", "reading", "tables"):  # now: what has a deadline may not import
        importlib.import_module(f"benchmarks.{name}")
    return lambda name: importlib.import_module(f"benchmarks.{name}")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Quick:
    """Runs a benchmark's quick form, which keeps nothing, and answers what it found. Where `without_fasttext`, neither its
    module nor its command is there."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("these benchmarks need Linux")

    def run(name: str, *, without_fasttext: bool = False) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(ROOT / "benchmarks", folder / "benchmarks")
        shutil.rmtree(folder / "benchmarks" / "results")
        environment = {key: value for key, value in os.environ.items() if key != "NEWSDESK_DATA"}
        if without_fasttext:
            (folder / "fasttext.py").write_text("raise ImportError('it is not here')\n")
            (folder / "bin").mkdir()
            if wc := shutil.which("wc"):
                (folder / "bin" / "wc").symlink_to(wc)
            environment["PATH"] = str(folder / "bin")
        command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--json"]
        ran = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        assert not (folder / "benchmarks" / "results").exists()
        (line,) = ran.stdout.splitlines()
        return dict(json.loads(line))

    return run

"""The image as far as it can be checked without Docker: the linter, what the files promise, the same steps done here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text("utf-8")


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed")
def test_the_linter_has_nothing_to_say() -> None:
    ran = subprocess.run([str(HADOLINT), "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_the_image_serves_as_nobody_in_particular_and_is_probed() -> None:
    last = dockerfile().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.M)
    assert "HEALTHCHECK" in last
    assert "NEWSDESK_STATE=/state" in last


def test_what_the_build_copies_is_there() -> None:
    names = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")]
    assert "pyproject.toml" in names
    for name in names:
        assert (ROOT / name).exists(), name


def test_compose_keeps_the_image_read_only() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    for line in ("read_only: true", "cap_drop: [ALL]", "./artifacts:/models:ro", "state:/state"):
        assert line in text


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="users and rights of POSIX")
def test_the_same_steps_without_docker(tiny_model_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "scripts/check_container.py", str(tiny_model_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr

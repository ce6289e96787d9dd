"""benchmarks.page at its quick size, in the slow gates."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.page import BROWSERS, LENGTHS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="there is no Chromium on the PATH")
def test_the_whole_at_its_quick_size() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.page", "--quick", "--json"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    rows = json.loads(ran.stdout)["rows"]
    assert len(rows) == 4 * len(LENGTHS)
    assert all(row["newsdesk"] > 0 for row in rows)

"""A minute of mixed load while versions change and workers are killed: see benchmarks.soak."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.soak import Watch, grown
from benchmarks.web.behaviours import Soak


def test_memory_that_grows_is_found_and_memory_that_does_not_is_not() -> None:
    young = [(age, 10_000_000 * (1 + age)) for age in range(10)]
    flat = [(float(age), 50_000_000 + age % 3) for age in range(120)]
    rising = [(float(age), 50_000_000 + 500_000 * age) for age in range(120)]
    assert grown(Watch(memory={1: young, 2: flat})) == []
    [found] = grown(Watch(memory={1: young, 2: flat, 3: rising}))
    assert found.startswith("worker 3 grew from 80 to 110 MB")
    assert grown(Watch(files={1: [(float(age), 50 + age % 9) for age in range(120)]})) == []
    assert grown(Watch(files={1: [(float(age), 50 + 9 * age) for age in range(120)]})) != []


def test_an_answer_of_another_version_is_found() -> None:
    soak = Soak(
        0, "", [{}], {"v1": [{"version": "v1", "section": "A"}], "v2": [{"version": "v2", "section": "B"}]}, 1
    )
    soak.check(0, {"version": "v1", "section": "A"})
    assert soak.findings == []
    for wrong in ({"version": "v2", "section": "A"}, {"version": "v3", "section": "A"}, {}):
        soak.check(0, wrong)
    assert len(soak.findings) == 3


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_minute_of_it() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--seconds", "60"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(ran.stdout)
    assert found["findings"] == []
    assert found["killed"] >= 3
    assert found["promotions"] >= 5
    assert all(
        found["requests"][name] for name in ("one_article", "batch", "stream", "invalid", "slow", "leaving")
    )

"""How often a key may ask, counted over all processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import OutputError
from service import limits
from service.limits import WINDOW, WRONG_KEYS, Limiter

TAKE = """
import sys, time
from pathlib import Path
from service.limits import Limiter
limiter = Limiter(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
started = time.monotonic()
taken = sum(limiter.take(3, 10_000) == 0 for _ in range(8_000))
print(taken, started, time.monotonic())
"""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the limiter takes for the time; tests set it."""
    now = [1000.0]
    monkeypatch.setattr(limits, "_now", lambda: now[0])
    return now


def test_a_minute_at_once_then_one_as_it_becomes_due(tmp_path: Path, clock: list[float]) -> None:
    limiter = Limiter(tmp_path)
    assert [limiter.take(0, 4) for _ in range(4)] == [0.0] * 4
    assert limiter.take(0, 4) == pytest.approx(15)
    clock[0] += 14.9
    assert limiter.take(0, 4) == pytest.approx(0.1)
    clock[0] += 0.11
    assert limiter.take(0, 4) == 0
    assert limiter.take(0, 4) > 14
    clock[0] += 3600
    assert [limiter.take(0, 4) for _ in range(5)] == [0, 0, 0, 0, pytest.approx(15)]


def test_keys_do_not_touch_each_other(tmp_path: Path, clock: list[float]) -> None:
    limiter = Limiter(tmp_path)
    assert limiter.take(0, 1) == 0
    assert limiter.take(0, 1) > 0
    assert limiter.take(9_999, 1) == 0
    assert limiter.take(WRONG_KEYS, 1) == 0
    assert limiter.take(WRONG_KEYS, 1) > 0


def test_what_was_counted_before_the_machine_was_started_anew_is_forgotten(
    tmp_path: Path, clock: list[float]
) -> None:
    Limiter(tmp_path).take(0, 1)
    clock[0] = 3.0  # the clock counts from the start of the machine
    assert Limiter(tmp_path).take(0, 1) == 0
    assert Limiter(tmp_path).take(0, 1) == pytest.approx(WINDOW)


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=60))
def test_no_minute_lets_more_than_twice_the_limit_through_and_waiting_as_told_always_helps(
    tmp_path_factory: pytest.TempPathFactory, limit: int, pauses: list[float]
) -> None:
    now = [0.0]
    limiter, patch = Limiter(tmp_path_factory.mktemp("any")), pytest.MonkeyPatch()
    patch.setattr(limits, "_now", lambda: now[0])
    taken: list[float] = []
    try:
        for pause in pauses:
            now[0] += pause
            wait = limiter.take(0, limit)
            if wait:
                now[0] += wait + 1e-6
                assert limiter.take(0, limit) == 0
            taken.append(now[0])
    finally:
        patch.undo()
    for at in taken:
        assert sum(at <= t < at + WINDOW for t in taken) <= 2 * limit


def test_processes_share_the_count(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    found = [process.communicate(timeout=60)[0].split() for process in processes]
    taken = sum(int(words[0]) for words in found)
    seconds = max(float(words[2]) for words in found) - min(float(words[1]) for words in found)
    # 10,000 at once, and 167 a second while they ran; 24,000 were asked for.
    assert 10_000 <= taken <= 10_000 + 10_000 / WINDOW * seconds + 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_locks_for_itself(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path)
    limiter.take(0, 10)
    before: Any = limiter._handle
    child = os.fork()
    if not child:
        limiter.take(0, 10)
        os._exit(0 if limiter._handle != before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sum(limiter.take(0, 10) == 0 for _ in range(20)) == 8


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="make the state folder writable"):
        Limiter(tmp_path / "file")

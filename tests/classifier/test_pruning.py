"""What `prune` removes, and what it never does."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.artifact import MANIFEST, write_version
from classifier.errors import ArtifactMissing, OutputError, UsageError
from classifier.pruning import prune
from classifier.store import ModelFolder, hold

HOLD = """
import sys
from pathlib import Path
from classifier.store import ModelFolder, hold
hold(ModelFolder(Path(sys.argv[1])).open(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


def make_store(path: Path, versions: int) -> ModelFolder:
    for year in range(2031, 2031 + versions):
        write_version(
            path,
            heads={},
            arrays={"sections.a": np.arange(4.0)},
            facts={},
            documents={},
            created=datetime(year, 1, 2, tzinfo=UTC),
        )
    return ModelFolder(path)


@pytest.fixture
def store(tmp_path: Path) -> ModelFolder:
    return make_store(tmp_path / "mine", 7)


def test_old_versions_go_and_what_is_needed_stays(store: ModelFolder) -> None:
    v = store.versions()
    for index in (0, 2, 4):
        store.promote(v[index])
    done = prune(store, keep=3)
    assert done.removed == (v[1],)
    assert done.kept == {
        v[0]: "to go back to",
        v[2]: "to go back to",
        v[3]: "to go back to",
        v[4]: "current",
        v[5]: "newer than the current version",
        v[6]: "newer than the current version",
    }
    assert store.versions() == [v[0], *v[2:]]
    assert done.freed > 0
    assert prune(store, keep=0).removed == (v[0], v[2], v[3])
    assert prune(store, keep=0).removed == ()
    assert [path.name for path in store.path.iterdir() if path.name.startswith(".")] == []


def test_a_dry_run_removes_nothing_and_says_the_same(store: ModelFolder) -> None:
    store.promote(store.versions()[3])
    before = store.versions()
    said = prune(store, keep=1, dry_run=True)
    assert store.versions() == before
    assert prune(store, keep=1) == said
    assert said.removed == (before[0], before[1])


def test_a_version_that_a_process_serves_stays_until_that_process_ends(store: ModelFolder) -> None:
    v = store.versions()
    store.promote(v[6])
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.path), v[2]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        done = prune(store, keep=0)
        assert done.kept == {v[2]: "being served", v[6]: "current"}
        assert store.versions() == [v[2], v[6]]
        process.kill()
    assert prune(store, keep=0).removed == (v[2],)


def test_both_pointers_protect(store: ModelFolder, tmp_path: Path) -> None:
    v = store.versions()
    store.promote(v[5])
    os.utime(store.path / "current", ns=(1, 1))
    ours = ModelFolder(store.path, tmp_path / "state")
    ours.promote(v[6])
    assert prune(ours, keep=0).kept == {v[5]: "current", v[6]: "current"}


def test_a_version_without_its_manifest_is_removed(store: ModelFolder) -> None:
    v = store.versions()
    store.promote(v[6])
    (store.path / v[0] / MANIFEST).unlink()
    assert v[0] in prune(store, keep=0).removed
    assert store.versions() == [v[6]]


def test_leftovers_of_killed_writers_go_when_they_are_old(store: ModelFolder) -> None:
    store.promote(store.versions()[6])
    old, new = (store.path / f".{name}.0123abcd.tmp" for name in ("20310101T000000Z-0123456789ab", "current"))
    old.mkdir()
    (old / "sections.a.npy").write_bytes(b"x")
    new.write_text("x")
    os.utime(old, ns=(1, 1))
    prune(store)
    assert not old.exists()
    assert new.exists()


def test_what_cannot_be_pruned(store: ModelFolder) -> None:
    with pytest.raises(ArtifactMissing, match="no current version"):
        prune(store)
    with pytest.raises(UsageError, match="-1 earlier versions"):
        prune(store, keep=-1)
    assert len(store.versions()) == 7


@pytest.mark.skipif(os.geteuid() == 0, reason="for root every folder is writable")
def test_a_read_only_store(store: ModelFolder) -> None:
    store.promote(store.versions()[6])
    store.path.chmod(0o555)
    try:
        with pytest.raises(OutputError, match="make the model folder writable"):
            prune(store, keep=0)
    finally:
        store.path.chmod(0o755)
    assert len(store.versions()) == 7


def test_a_version_that_has_been_removed_cannot_be_held(store: ModelFolder) -> None:
    folder = store.open(store.versions()[0])
    store.promote(store.versions()[6])
    prune(store, keep=0)
    with pytest.raises(ArtifactMissing, match="has been removed"):
        hold(folder)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.sets(st.integers(0, 4)), st.integers(0, 4))
def test_whatever_happened_before_nothing_needed_is_removed(
    tmp_path_factory: pytest.TempPathFactory, promoted: list[int], held: set[int], keep: int
) -> None:
    store = make_store(tmp_path_factory.mktemp("any") / "mine", 5)
    v = store.versions()
    for index in promoted:
        store.promote(v[index])
    history = store.history()
    handles = [hold(store.open(v[index])) for index in held]
    try:
        done = prune(store, keep)
    finally:
        for handle in handles:
            os.close(handle)
    left = set(store.versions())
    assert left == set(v) - set(done.removed) == set(done.kept)
    assert {*history[: 1 + keep], *(v[i] for i in held), *(x for x in v if x > history[0])} <= left
    assert store.history() == history

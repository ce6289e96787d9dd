"""The versions of a model, the current one, and what MODEL may be."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.artifact import MANIFEST, VersionFolder, write_version
from classifier.errors import ArtifactDamaged, ArtifactError, ArtifactMissing, OutputError
from classifier.store import CURRENT, ModelFolder, find_models, resolve


def add_version(store: Path, year: int) -> str:
    return write_version(
        store,
        heads={},
        arrays={"sections.a": np.arange(4.0)},
        facts={},
        documents={},
        created=datetime(year, 1, 2, tzinfo=UTC),
    ).version


@pytest.fixture
def store(tmp_path: Path) -> ModelFolder:
    for year in (2032, 2031, 2033):
        add_version(tmp_path / "mine", year)
    return ModelFolder(tmp_path / "mine")


def test_versions_are_sorted_by_time_and_nothing_else_counts(store: ModelFolder) -> None:
    (store.path / "notes.txt").write_text("x")
    (store.path / "20310101T000000Z-0123456789ab").write_text("a file")
    (store.path / ".20310101T000000Z-0123456789ab.01234567.tmp").mkdir()
    (store.path / "old").mkdir()
    assert [name[:4] for name in store.versions()] == ["2031", "2032", "2033"]
    assert ModelFolder(store.path / "nothing").versions() == []
    assert ModelFolder(store.path / "notes.txt").versions() == []


def test_a_version_that_lost_its_manifest_is_not_forgotten(store: ModelFolder) -> None:
    version = store.versions()[1]
    (store.path / version / MANIFEST).unlink()
    assert version in store.versions()
    with pytest.raises(ArtifactMissing) as caught:
        store.open(version)
    assert caught.value.where == str(store.path / version / MANIFEST)


def test_nothing_is_current_until_promoted(store: ModelFolder) -> None:
    assert store.current() is None
    promoted: list[str] = []
    for version in store.versions():
        assert store.promote(version).version == version
        promoted.insert(0, version)
        assert store.current() == version
        assert store.history() == promoted
        assert (store.path / CURRENT).read_text().split() == promoted
    assert [path.name for path in store.path.iterdir() if path.name.startswith(".")] == []
    assert ModelFolder(store.path / "nothing").current() is None
    assert ModelFolder(store.path / CURRENT).current() is None


@pytest.mark.parametrize("damage", ["changed", "missing", "manifest", "extra"])
def test_promote_verifies_first_and_keeps_the_pointer(store: ModelFolder, damage: str) -> None:
    old, new = store.versions()[:2]
    store.promote(old)
    file = store.path / new / "sections.a.npy"
    if damage == "changed":
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    elif damage == "missing":
        file.unlink()
    elif damage == "manifest":
        (store.path / new / MANIFEST).write_text("{}")
    else:
        (store.path / new / "extra.npy").write_bytes(b"")
    with pytest.raises(ArtifactError):
        store.promote(new)
    assert store.current() == old


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../mine", "current", "20310101T000000Z-0123456789ab", "/", "a\0b"]
)
def test_only_names_in_the_store_can_be_asked_for(store: ModelFolder, name: str) -> None:
    for ask in (store.open, store.promote):
        with pytest.raises(ArtifactMissing, match="there is no version") as caught:
            ask(name)
        assert store.versions()[-1] in str(caught.value)
    assert store.current() is None


def test_a_path_to_a_version_elsewhere_is_no_name(store: ModelFolder, tmp_path: Path) -> None:
    other = add_version(tmp_path / "other", 2040)
    for name in (f"../other/{other}", str(tmp_path / "other" / other)):
        with pytest.raises(ArtifactMissing):
            store.open(name)


def test_a_version_under_another_name(store: ModelFolder) -> None:
    one, other = store.versions()[:2]
    shutil.rmtree(store.path / other)
    shutil.copytree(store.path / one, store.path / other)
    with pytest.raises(ArtifactDamaged, match=f"holds the version {one}; rename") as caught:
        store.promote(other)
    assert caught.value.where == str(store.path / other)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"../../etc", b"20310101T000000Z-0123456789a", b"\xff\xfe", b"x" * 10**6]
)
def test_a_pointer_that_holds_something_else(store: ModelFolder, content: bytes) -> None:
    (store.path / CURRENT).write_bytes(content)
    for ask in (store.current, lambda: resolve(store.path)):
        with pytest.raises(ArtifactDamaged, match="newsdesk models promote") as caught:
            ask()
        assert caught.value.where == str(store.path / CURRENT)
    store.promote(store.versions()[0])
    assert store.current() == store.versions()[0]


def test_promoting_again_changes_nothing_but_the_order(store: ModelFolder) -> None:
    first, second, third = store.versions()
    for version in (first, second, second, first, third, first):
        store.promote(version)
    assert store.history() == [first, third, second]


def test_a_pointer_remembers_a_limited_number(store: ModelFolder) -> None:
    names = [f"203101{day:02d}T000000Z-0123456789ab" for day in range(1, 29)]
    (store.path / CURRENT).write_text("\n".join(names))
    store.promote(store.versions()[0])
    assert store.history() == [store.versions()[0], *names[:20]]


def test_rolling_back_goes_back_step_by_step(store: ModelFolder) -> None:
    first, second, third = store.versions()
    for version in (first, third, second):
        store.promote(version)
    assert store.rollback().version == third
    assert store.history() == [third, first]
    assert store.rollback().version == first
    with pytest.raises(ArtifactMissing, match="no earlier version to go back to") as caught:
        store.rollback()
    assert caught.value.where == str(store.path / CURRENT)
    assert store.current() == first


def test_rolling_back_passes_over_what_is_gone_and_stops_at_what_is_damaged(store: ModelFolder) -> None:
    first, second, third = store.versions()
    for version in (first, second, third):
        store.promote(version)
    shutil.rmtree(store.path / second)
    (store.path / first / "sections.a.npy").write_bytes(b"x")
    with pytest.raises(ArtifactDamaged):
        store.rollback()
    assert store.history() == [third, second, first]


def test_there_is_nothing_to_roll_back_to_where_nothing_was_promoted(store: ModelFolder) -> None:
    with pytest.raises(ArtifactMissing, match="newsdesk models promote"):
        store.rollback()


def test_a_check_of_the_caller_can_stop_it(store: ModelFolder) -> None:
    first, second, _ = store.versions()
    store.promote(first)

    def refuse(folder: VersionFolder) -> None:
        raise ArtifactDamaged(f"{folder.version} is not what we want")

    with pytest.raises(ArtifactDamaged, match="is not what we want"):
        store.promote(second, check=refuse)
    assert store.history() == [first]


def test_a_state_folder_has_a_pointer_of_its_own(store: ModelFolder, tmp_path: Path) -> None:
    first, second, third = store.versions()
    store.promote(first)
    ours = ModelFolder(store.path, tmp_path / "state")
    assert (ours.current(), ours.history()) == (first, [first])
    os.utime(store.path / CURRENT, ns=(1, 1))
    ours.promote(second)
    assert (ours.history(), store.history()) == ([second, first], [first])
    assert resolve(store.path, tmp_path / "state").version == second
    # What is promoted later counts, whichever pointer it is written to.
    os.utime(ours.pointer, ns=(2, 2))
    store.promote(third)
    assert ours.history() == [third, first]
    os.utime(store.path / CURRENT, ns=(3, 3))
    assert ours.rollback().version == first
    assert (ours.current(), store.current()) == (first, third)


def test_promotions_at_once_all_stay_in_the_history(store: ModelFolder) -> None:
    names = [f"203101{day:02d}T000000Z-0123456789ab" for day in range(1, 21)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store._point(lambda history: [name, *history]), names))
    assert sorted(store.history()) == names


def test_a_folder_in_place_of_the_pointer(store: ModelFolder) -> None:
    (store.path / CURRENT).mkdir()
    with pytest.raises(ArtifactDamaged, match="cannot be read"):
        store.current()
    with pytest.raises(OutputError, match="cannot be set") as caught:
        store.promote(store.versions()[0])
    assert caught.value.where == str(store.path / CURRENT)
    assert [path.name for path in store.path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="for root every folder is writable")
def test_a_read_only_store(store: ModelFolder) -> None:
    store.path.chmod(0o555)
    try:
        with pytest.raises(OutputError, match="make the folder writable"):
            store.promote(store.versions()[0])
    finally:
        store.path.chmod(0o755)
    assert store.current() is None


def test_resolve_takes_a_version_folder_or_a_model_folder(store: ModelFolder, tmp_path: Path) -> None:
    first, second, _ = store.versions()
    store.promote(second)
    assert resolve(store.path).version == second
    assert resolve(store.path / first).version == first
    # A version folder may be copied somewhere else, under any name.
    shutil.copytree(store.path / first, tmp_path / "deployed")
    assert resolve(tmp_path / "deployed").version == first


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nothing", "there is no such model; train one"),
        ("file", "there is no such model; train one"),
        ("file/more", "there is no such model; train one"),
        ("empty", "the folder holds no version of a model; train one"),
        ("20310101T000000Z-0123456789ab", "no version of a model is here; train one"),
        ("x" * 300, "there is no such model; train one"),
        ("a\0b", "there is no such model; train one"),
    ],
)
def test_resolve_of_what_is_no_model(tmp_path: Path, path: str, says: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactMissing, match=says) as caught:
        resolve(tmp_path / path)
    assert caught.value.where == str(tmp_path / path)


def test_resolve_without_a_current_version_says_which_to_promote(store: ModelFolder) -> None:
    with pytest.raises(ArtifactMissing, match="has no current version") as caught:
        resolve(store.path)
    assert caught.value.remedy == f"newsdesk models promote {store.path} {store.versions()[-1]}"


def test_resolve_with_a_current_version_that_is_gone(store: ModelFolder) -> None:
    version = store.versions()[0]
    store.promote(version)
    shutil.rmtree(store.path / version)
    with pytest.raises(ArtifactMissing, match=f"there is no version '{version}'"):
        resolve(store.path)


def test_find_models(store: ModelFolder, tmp_path: Path) -> None:
    add_version(tmp_path / "another", 2031)
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("x")
    assert find_models(tmp_path) == [ModelFolder(tmp_path / "another"), store]
    assert find_models(tmp_path / "nothing") == []
    assert find_models(tmp_path / "README.md") == []


def test_a_store_behind_a_link(store: ModelFolder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(store.path)
    linked: Any = ModelFolder(tmp_path / "link")
    linked.promote(store.versions()[0])
    assert resolve(tmp_path / "link").version == store.versions()[0]
    assert store.path in [found.path for found in find_models(tmp_path)]

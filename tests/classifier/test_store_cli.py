"""`newsdesk models`, as an operator uses it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.artifact import open_version, write_version
from classifier.store import CURRENT, ModelFolder

Run = Callable[..., Any]


def one_line(err: str) -> str:
    """The only line on stderr."""
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.fixture
def three(store_path: Path) -> ModelFolder:
    """A model folder with three versions; the first one is current."""
    [first] = ModelFolder(store_path).versions()
    original = open_version(store_path / first)
    arrays = {p.name.removesuffix(".npy"): np.load(p) for p in (store_path / first).glob("*.npy")}
    for number in (1, 2):
        write_version(
            store_path,
            heads=original.manifest.data["heads"],
            arrays=arrays,
            facts={},
            documents={},
            created=datetime.now(UTC) + timedelta(days=number),
        )
    return ModelFolder(store_path)


def test_models_list_show_verify_promote(here: Run, store_path: Path) -> None:
    store = ModelFolder(store_path)
    (version,) = store.versions()
    assert here("models", "list", store_path.parent) == (0, f"{store_path}\n  * {version}\n", "")
    assert here("models", "list", store_path) == (0, f"{store_path}\n  * {version}\n", "")
    listed = json.loads(here("models", "list", store_path.parent, "--json").out)
    item = {"model": "tiny", "path": str(store_path), "current": version, "versions": [version]}
    assert listed == {"models": [item]}
    files = len(list((store_path / version).iterdir())) - 1
    sound = (0, f"{version}: {files} files are as they were written\n", "")
    assert here("models", "verify", store_path) == sound
    assert here("models", "verify", store_path / version) == sound
    shown = here("models", "show", store_path)
    assert shown.code == 0
    assert shown.out.endswith(f"version {version} of tiny, in {store_path / version}\n")
    assert (store_path / version / "card.md").read_text(encoding="utf-8") in shown.out
    assert json.loads(here("models", "show", store_path, "--json").out)["version"] == version
    (store_path / "current").unlink()
    assert here("models", "list", store_path).out == f"{store_path}\n    {version}\n"
    promoted = f"{version} is now the current version of {store_path}\n"
    assert here("models", "promote", store_path, version) == (0, promoted, "")
    assert store.current() == version


def test_models_list_of_nothing(here: Run, tmp_path: Path) -> None:
    assert here("models", "list", tmp_path / "none") == (0, "", f"no models in {tmp_path / 'none'}\n")
    assert here("models", "list", tmp_path, "--json") == (0, '{"models": []}\n', "")


@pytest.mark.parametrize("name", ["sections.0.rows.npy", "pipeline.joblib", "card.md", "manifest.json"])
def test_models_verify_and_promote_name_the_damaged_file(here: Run, version_path: Path, name: str) -> None:
    (version_path / name).write_bytes(b"damaged")
    for command in (
        ["models", "verify", version_path.parent],
        ["models", "verify", version_path],
        ["models", "promote", version_path.parent, version_path.name],
    ):
        ended = here(*command)
        assert (ended.code, ended.out) == (2, "")
        assert str(version_path / name) in one_line(ended.err)


def test_models_verify_notices_a_lost_manifest_of_a_version_that_is_not_current(
    here: Run, version_path: Path
) -> None:
    other = version_path.with_name("20300101T000000Z-0123456789ab")
    shutil.copytree(version_path, other)
    (other / "manifest.json").unlink()
    ended = here("models", "verify", version_path.parent)
    assert ended.code == 2
    assert str(other) in one_line(ended.err)


def test_models_promote_what_is_not_there(here: Run, store_path: Path, tmp_path: Path) -> None:
    assert "there is no version '../x'" in one_line(here("models", "promote", store_path, "../x").err)
    assert "is no model folder; see newsdesk models list" in one_line(
        here("models", "promote", tmp_path / "no", "x").err
    )


def test_promote_and_roll_back(here: Run, three: ModelFolder) -> None:
    first, second, third = three.versions()
    for version in (second, third):
        assert here("models", "promote", three.path, version).code == 0
    for version in (second, first):
        said = f"{version} is again the current version of {three.path}\n"
        assert here("models", "rollback", three.path) == (0, said, "")
        assert f"  * {version}\n" in here("models", "list", three.path).out
    ended = here("models", "rollback", three.path)
    assert ended.code == 2
    assert "there is no earlier version to go back to; promote one" in one_line(ended.err)


def test_a_version_that_cannot_be_loaded_is_not_promoted(
    here: Run, three: ModelFolder, forge: Callable[..., None]
) -> None:
    # Its files are as the manifest says, but the manifest asks for what is not known here.
    first, second, _ = three.versions()

    def edit(manifest: dict[str, Any]) -> None:
        manifest["heads"]["sections"]["blocks"][0]["kind"] = "oracle"

    forge(three.path / second, edit)
    ended = here("models", "promote", three.path, second)
    assert ended.code == 2
    assert '"kind" must be one of' in one_line(ended.err)
    assert three.current() == first


def test_a_services_own_pointer(
    here: Run, three: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = three.versions()
    state = tmp_path / "state"
    assert here("models", "promote", three.path, second, "--state", state).code == 0
    assert f"  * {second}\n" in here("models", "list", three.path, "--state", state).out
    assert f"  * {first}\n" in here("models", "list", three.path).out
    monkeypatch.setenv("NEWSDESK_STATE", str(state))
    assert f"  * {second}\n" in here("models", "list", three.path).out
    os.utime(three.path / CURRENT, ns=(1, 1))
    assert here("models", "prune", three.path, "--keep", "0", "--json").json["kept"] == {
        first: "current",
        second: "current",
        third: "newer than the current version",
    }
    assert (
        here("models", "rollback", three.path).out
        == f"{first} is again the current version of {three.path}\n"
    )


def test_prune(here: Run, three: ModelFolder) -> None:
    first, second, third = three.versions()
    for version in (second, third):
        three.promote(version)
    dry = here("models", "prune", three.path, "--keep", "1", "--dry-run")
    assert dry.out == (f"kept     {second}  to go back to\nkept     {third}  current\nold      {first}\n")
    assert dry.err.startswith("1 version, would free ")
    assert three.versions() == [first, second, third]
    done = here("models", "prune", three.path, "--keep", "1")
    assert f"removed  {first}\n" in done.out
    assert done.err.startswith("1 version, freed ")
    assert three.versions() == [second, third]
    said = here("models", "prune", three.path, "--keep", "0", "--json").json
    assert said["removed"] == [second]
    assert said["kept"] == {third: "current"}
    assert said["freed_bytes"] > 1000


@pytest.mark.parametrize("command", ["rollback", "prune"])
def test_what_is_no_model_folder(here: Run, tmp_path: Path, command: str) -> None:
    ended = here("models", command, tmp_path / "no")
    assert ended.code == 2
    assert "is no model folder; see newsdesk models list" in one_line(ended.err)
    assert here("models", command, tmp_path).code == 2

"""Another version while requests run: no request fails, none sees half of each, the old one is released."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

import classifier
from classifier.errors import ArtifactError
from classifier.pruning import prune
from classifier.store import CURRENT, ModelFolder
from service import create_app
from service import slot as slot_module
from service.keys import KeyFile
from service.models import slot_of
from service.settings import Settings
from service.slot import ModelSlot
from service.state import StateFolder

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")
ARTICLE = {"headline": "Assembly votes on the budget bill", "source": "Tiny Gazette"}
BATCH = {"articles": [ARTICLE, {"headline": "Bank shares and exports"}, {"headline": "Senate ballot"}]}
SECONDS = 60.0


def damage(store: ModelFolder, version: str) -> None:
    file = store.path / version / "popularity.intercept.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"x")


def test_a_slot_follows_the_pointer(store: ModelFolder) -> None:
    slot, (first, _, third) = ModelSlot(store.path), store.versions()
    assert slot.current.version == first
    before = slot.current
    store.promote(third)
    assert slot.current is before
    slot.refresh()
    assert slot.current.version == third
    assert slot.current.predict(ARTICLE) != before.predict(ARTICLE)
    store.rollback()
    slot.refresh()
    assert slot.current.version == first
    assert slot.current.predict(ARTICLE) == before.predict(ARTICLE)


def test_a_state_folder_has_the_pointer(store: ModelFolder, tmp_path: Path) -> None:
    first, second, third = store.versions()
    slot = ModelSlot(store.path, tmp_path / "state")
    slot.promote(second)
    assert store.current() == first
    assert ModelSlot(store.path, tmp_path / "state").current.version == second
    store.promote(third)  # later, so it counts
    slot.refresh()
    assert slot.current.version == third


def test_a_version_that_cannot_be_loaded_changes_nothing_and_is_tried_again(
    store: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot, (first, second, _) = ModelSlot(store.path), store.versions()
    whole = (store.path / second / "popularity.intercept.npy").read_bytes()
    damage(store, second)
    (store.path / CURRENT).write_text(f"{second}\n")  # past all checks
    with pytest.raises(ArtifactError):
        slot.refresh()
    slot.refresh()  # said once
    assert slot.current.version == first
    (store.path / second / "popularity.intercept.npy").write_bytes(whole)
    slot.refresh()
    assert slot.current.version == first
    monkeypatch.setattr(slot_module.time, "monotonic", lambda: 1e12)
    slot.refresh()
    assert slot.current.version == second


@pytest.mark.parametrize("content", [b"", b"nonsense", b"20310101T000000Z-0123456789ab"])
def test_a_pointer_to_nothing_changes_nothing(store: ModelFolder, content: bytes) -> None:
    slot = ModelSlot(store.path)
    (store.path / CURRENT).write_bytes(content)
    with pytest.raises(ArtifactError):
        slot.refresh()
    assert slot.current.version == store.versions()[0]


def test_what_is_served_is_not_pruned_and_what_was_is(store: ModelFolder) -> None:
    first, second, third = store.versions()
    slot = ModelSlot(store.path)
    store.promote(second)
    store.promote(third)
    assert prune(store, keep=0).kept == {first: "being served", third: "current"}
    slot.refresh()
    assert prune(store, keep=0).removed == (first,)
    del slot


def test_a_version_folder_is_pinned(store: ModelFolder) -> None:
    first, second, _ = store.versions()
    slot = ModelSlot(store.path / first)
    store.promote(second)
    slot.refresh()
    assert slot.current.version == first


class Client:
    """The test client of an application on a store, as an admin."""

    def __init__(self, model: Path, state: Path) -> None:
        _, token = KeyFile(StateFolder(state).keys).add("admin", "admin")
        self.app = create_app(Settings(model=model, state=state))
        self.headers = {"Authorization": f"Bearer {token}"}

    def promote(self, version: str) -> Any:
        return self.app.test_client().post(f"/v1/models/{version}/promote", headers=self.headers)

    def models(self) -> Any:
        return self.app.test_client().get("/v1/models", headers=self.headers).json


def test_the_endpoint_promotes(store: ModelFolder, tmp_path: Path) -> None:
    client, (first, second, third) = Client(store.path, tmp_path / "state"), store.versions()
    answer = client.promote(second)
    assert (answer.status_code, answer.json) == (200, {"model": "tiny", "version": second, "before": first})
    assert client.models() == {
        "model": "tiny",
        "current": second,
        "versions": [
            {"version": first, "current": False},
            {"version": second, "current": True},
            {"version": third, "current": False},
        ],
    }
    assert ModelFolder(store.path, tmp_path / "state").history() == [second, first]
    assert store.history() == [first]


def test_the_endpoint_refuses_what_does_not_verify(
    store: ModelFolder, tmp_path: Path, check_problem: Callable[..., Any]
) -> None:
    client, (first, second, _) = Client(store.path, tmp_path / "state"), store.versions()
    damage(store, second)
    answer = client.promote(second)
    body = check_problem(answer.status_code, answer.content_type, answer.json, expected=409)
    assert "popularity.intercept.npy its SHA-256 is not the one in the manifest" in body["detail"]
    assert str(tmp_path) not in str(body)
    assert client.models()["current"] == first
    assert ModelFolder(store.path, tmp_path / "state").current() == first


@pytest.mark.parametrize(
    "name", ["x", "..", "..%2f..", "%2e%2e", "current", ".", "20310101T000000Z-0123456789ab", "%00"]
)
def test_only_names_in_the_store_can_be_asked_for(
    store: ModelFolder, tmp_path: Path, check_problem: Callable[..., Any], name: str
) -> None:
    client = Client(store.path, tmp_path / "state")
    answer = client.promote(name)
    check_problem(answer.status_code, answer.content_type, answer.json, expected=404)
    assert client.models()["current"] == store.versions()[0]


def test_the_endpoint_changes_nothing_of_a_pinned_version(
    store: ModelFolder, tmp_path: Path, check_problem: Callable[..., Any]
) -> None:
    first, second, _ = store.versions()
    client = Client(store.path / first, tmp_path / "state")
    answer = client.promote(second)
    check_problem(answer.status_code, answer.content_type, answer.json, expected=409)
    assert client.models()["versions"] == [{"version": first, "current": True}]


def test_a_request_keeps_its_version_to_the_end(store: ModelFolder, tmp_path: Path) -> None:
    from service.models import current_model

    client, (first, second, _) = Client(store.path, tmp_path / "state"), store.versions()
    with client.app.test_request_context("/v1/predict"):
        assert current_model().version == first
        slot_of(client.app).promote(second)
        assert current_model().version == first
    with client.app.test_request_context("/v1/predict"):
        assert current_model().version == second


class Load:
    """Clients that ask without pause, and check each answer against the version that it names."""

    def __init__(self, server: Any, store: ModelFolder, headers: dict[str, str]) -> None:
        self.server = server
        self.headers = headers
        self.expected = {}
        for version in store.versions():
            model = classifier.load(store.path / version)
            self.expected[version] = [p.to_dict() for p in model.predict(BATCH["articles"])]
        self.versions: list[str] = []
        self.wrong: list[Any] = []
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(2)]

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.done.set()
        for thread in self.threads:
            thread.join(SECONDS)

    def _ask(self) -> None:
        while not self.done.is_set():
            with self.server.connect() as connection:
                for _ in range(20):
                    connection.request("POST", "/v1/predict/batch", json.dumps(BATCH), self.headers)
                    answer = connection.getresponse()
                    body = json.loads(answer.read())
                    if answer.status != 200:
                        self.wrong.append((answer.status, body))
                        break
                    [version] = {item["version"] for item in body["predictions"]}
                    self.versions.append(version)
                    if body["predictions"] != self.expected[version]:
                        self.wrong.append(body)


def served_by_all(server: Any, headers: dict[str, str], version: str) -> float:
    """Seconds until every worker answers with the version, many connections in a row."""
    started = time.monotonic()
    same = 0
    while same < 20:
        _, _, body = server.send("/readyz", method="GET", headers=headers)
        same = same + 1 if body["version"] == version else 0
        assert time.monotonic() - started < SECONDS
    return time.monotonic() - started


@posix
def test_versions_change_under_load(
    running: Callable[..., AbstractContextManager[Any]],
    store: ModelFolder,
    tmp_path: Path,
) -> None:
    first, second, third = store.versions()
    state = tmp_path / "state"
    _, token = KeyFile(StateFolder(state).keys).add("admin", "admin", 0)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    with running(store.path, "--state", str(state)) as server:
        with Load(server, store, headers) as load:
            answer = server.send(f"/v1/models/{second}/promote", headers=headers)
            assert answer[2] == {"model": "tiny", "version": second, "before": first}
            served_by_all(server, headers, second)
            store.promote(third)
            served_by_all(server, headers, third)
            assert ModelFolder(store.path, state).rollback().version == first
            served_by_all(server, headers, first)
        assert load.wrong == []
        assert {first, second, third} >= set(load.versions) >= {second, third}
        if Path("/proc/self/maps").exists():
            maps = [Path(f"/proc/{pid}/maps").read_text() for pid in server.workers()]
            assert len(maps) == 2
            for text in maps:
                assert third not in text, "the old version is still in memory"
        assert server.stop() == 0
    assert "not taken up" not in server.stderr


@posix
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers through /proc")
def test_a_worker_that_is_replaced_serves_what_was_promoted(
    running: Callable[..., AbstractContextManager[Any]], store: ModelFolder, tmp_path: Path
) -> None:
    _, second, _ = store.versions()
    with running(store.path, "--workers", "1", "--state", str(tmp_path / "state")) as server:
        ModelFolder(store.path, tmp_path / "state").promote(second)
        [worker] = server.workers()
        os.kill(worker, signal.SIGKILL)
        end = time.monotonic() + SECONDS
        while server.workers() in ([worker], []):
            assert time.monotonic() < end
        version = None
        while version is None:
            try:
                version = server.send("/readyz", method="GET")[2]["version"]
            except OSError:
                assert time.monotonic() < end
        assert version == second


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_follows_too(store: ModelFolder, tmp_path: Path) -> None:
    # As a server does that loads the application once and then forks its workers.
    script = """
import os, sys, time
from pathlib import Path
from classifier.store import ModelFolder
from service import create_app
from service.models import slot_of
from service.settings import Settings
path, second = Path(sys.argv[1]), sys.argv[2]
app = create_app(Settings(model=path, open="always"))
child = os.fork()
if child:
    ModelFolder(path).promote(second)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
end = time.monotonic() + 60
while slot_of(app).current.version != second and time.monotonic() < end:
    time.sleep(0.05)
os._exit(0 if slot_of(app).current.version == second else 1)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(store.path), store.versions()[1]],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr

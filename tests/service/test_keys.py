"""Keys: made, found, revoked; and the command that does it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ConfigError, OutputError, UsageError
from service.keys import ROLES, Key, KeyFile, KeyRing


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "state" / "keys.json")


def test_a_key_is_found_by_what_was_printed_and_by_nothing_else(file: KeyFile) -> None:
    key, token = file.add("cms", "predict")
    other, others = file.add("desk", "editor", 10)
    ring = KeyRing(file.load())
    assert ring.find(token) == key
    assert ring.find(others) == other
    last = "A" if token[-1] != "A" else "B"
    for wrong in ("", token[:-1] + last, token[:-1], f"{token}A", token.upper(), others[:17] + token[17:]):
        assert ring.find(wrong) is None
    assert KeyRing().find(token) is None


@given(st.text())
def test_no_text_is_a_key_by_chance_and_none_crashes(text: str) -> None:
    assert KeyRing([Key("01234567", "a", "admin", "0" * 64, "", None, 0)]).find(text) is None


def test_only_hashes_are_kept_and_only_the_owner_may_read_them(file: KeyFile) -> None:
    _, token = file.add("cms", "predict")
    kept = file.path.read_text()
    assert token not in kept
    assert token.split("_", 2)[2] not in kept  # which may have "_" in it itself
    assert hashlib.sha256(token.encode()).hexdigest() in kept
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["keys.json"]


def test_a_role_includes_those_before_it() -> None:
    keys = [Key("0", "a", role, "", "", None, 0) for role in ROLES]
    assert [[key.may(role) for role in ROLES] for key in keys] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_revoking(file: KeyFile) -> None:
    assert not file.exists()
    _, token = file.add("cms", "predict")
    file.add("desk", "editor")
    file.revoke("cms")
    assert KeyRing(file.load()).find(token) is None
    assert [key.name for key in file.load()] == ["desk"]
    file.revoke("desk")
    assert file.load() == []
    assert file.exists()
    with pytest.raises(UsageError, match='no key named "cms"; see newsdesk keys list'):
        file.revoke("cms")


def test_every_key_counts_in_a_place_of_its_own(file: KeyFile) -> None:
    for name in "abc":
        file.add(name, "predict")
    file.revoke("b")
    file.add("d", "predict")
    assert sorted((key.slot, key.name) for key in file.load()) == [(0, "a"), (1, "d"), (2, "c")]


def test_keys_that_are_made_at_once_are_all_kept(file: KeyFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = [token for _, token in pool.map(lambda i: file.add(f"key {i}", "predict"), range(40))]
    ring = KeyRing(file.load())
    assert all(ring.find(token) for token in tokens)
    assert len({key.slot for key in file.load()}) == 40


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "a\0", "x" * 65])
def test_names_that_are_none(file: KeyFile, name: str) -> None:
    with pytest.raises(UsageError, match="1 to 64 printable characters"):
        file.add(name, "predict")
    assert not file.exists()


def test_a_name_is_given_once(file: KeyFile) -> None:
    file.add("Zeitungsdienst, Büro 2", "predict")
    with pytest.raises(UsageError, match="there is a key named"):
        file.add("Zeitungsdienst, Büro 2", "admin")
    assert len(file.load()) == 1


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": "01234567",
        "name": "a",
        "role": "admin",
        "sha256": "0" * 64,
        "created": "",
        "limit": None,
        "slot": 0,
    } | changes


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"format": 2, "keys": []}',
        b'{"format": 1}',
        b'{"format": 1, "keys": [1]}',
        b"[" * 100_000,
        *(
            json.dumps({"format": 1, "keys": [entry(**change)]}).encode()
            for change in (
                {"role": "root"},
                {"slot": -1},
                {"slot": 10**9},
                {"limit": "x"},
                {"more": 1},
                {"id": 1},
            )
        ),
    ],
)
def test_a_file_that_holds_something_else(file: KeyFile, content: bytes) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    for ask in (file.load, lambda: file.add("a", "predict"), lambda: file.revoke("a")):
        with pytest.raises(ConfigError, match="this is no file of keys; restore it") as caught:
            ask()
        assert caught.value.where == str(file.path)
    assert file.path.read_bytes() == content


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="make the state folder writable"):
        KeyFile(tmp_path / "file" / "keys.json").add("a", "predict")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_that_root_adds_can_be_read_by_the_service(file: KeyFile) -> None:
    file.path.parent.mkdir()
    os.chown(file.path.parent, 12345, 12346)
    file.add("a", "predict")
    assert (file.path.stat().st_uid, file.path.stat().st_gid) == (12345, 12346)


def test_the_command(here: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSDESK_STATE", str(tmp_path / "state"))
    made = here("keys", "add", "cms", "--role", "predict")
    assert (made.code, made.err) == (0, "cms may predict; the key is not shown again\n")
    assert re.fullmatch(r"newsdesk_\w{8}_[\w-]{43}\n", made.out)
    also = here("keys", "add", "boss", "--role", "admin", "--limit", "0", "--json").json
    assert {name: also[name] for name in ("name", "role", "limit")} == {
        "name": "boss",
        "role": "admin",
        "limit": 0,
    }
    listed = here("keys", "list")
    assert re.search(r"^predict  \S+  cms$", listed.out, re.M)
    assert re.search(r"^admin    \S+  boss  no limit$", listed.out, re.M)
    assert [key["name"] for key in here("keys", "list", "--json").json["keys"]] == ["cms", "boss"]
    for said in (listed.out, json.dumps(here("keys", "list", "--json").json)):
        assert "newsdesk_" not in said
        assert "sha256" not in said
    assert here("keys", "revoke", "cms").out == "cms is revoked\n"
    assert here("keys", "revoke", "cms").code == 2
    ring = KeyRing(KeyFile(tmp_path / "state" / "keys.json").load())
    assert ring.find(made.out.strip()) is None
    assert ring.find(also["key"])
    assert here("keys", "list", "--state", str(tmp_path / "none")).err.startswith("no keys in ")


def test_the_command_needs_to_know_where(here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEWSDESK_STATE", raising=False)
    for arguments in (("list",), ("add", "a", "--role", "admin"), ("revoke", "a")):
        ended = here("keys", *arguments)
        assert ended.code == 2
        assert "--state" in ended.err

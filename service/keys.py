"""API keys: who may do what. A key is shown once, when it is made; the file in the state folder holds its hash.

A key is 256 random bits, so one round of SHA-256 hides it as well as any number would.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from classifier import locks
from classifier.artifact import sync_folder, write_synced
from classifier.errors import ConfigError, OutputError, UsageError

ROLES = ("predict", "editor", "admin")  # each may do what the ones before it may
MOST_KEYS = 10_000
_FORMAT = 1
_TOKEN = re.compile(r"newsdesk_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,62}[^\s\x00-\x1f\x7f])?")


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `limit` is its own requests a minute, None for the setting's; `slot` is its place among the counters."""

    id: str
    name: str
    role: str
    sha256: str
    created: str
    limit: int | None
    slot: int

    def may(self, role: str) -> bool:
        """Whether the key's role includes `role`."""
        return ROLES.index(self.role) >= ROLES.index(role)


class KeyRing:
    """Keys by their ids, for checking."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = {key.id: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, token: str) -> Key | None:
        """The key that `token` is; takes no longer for one that is nearly right."""
        shape = _TOKEN.fullmatch(token)
        key = self._keys.get(shape[1]) if shape else None
        known = key.sha256 if key else "0" * 64
        same = hmac.compare_digest(_digest(token), known)
        return key if same else None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The keys of a service, in one file that is replaced as a whole."""

    path: Path

    def load(self) -> list[Key]:
        """The keys in the order in which they were made; none where there is no file.

        Raises:
            ConfigError: the file cannot be read, or holds something else.
        """
        try:
            data = json.loads(self.path.read_bytes())
            if data["format"] != _FORMAT:
                raise ValueError
            return [_key(item) for item in data["keys"]]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigError(
                f"the keys cannot be read ({error.strerror})",
                where=str(self.path),
                remedy="let the service's user read it",
            ) from error
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ConfigError(
                "this is no file of keys",
                where=str(self.path),
                remedy="restore it from a backup, or remove it and make new keys",
            ) from None

    def exists(self) -> bool:
        """Whether keys have ever been made here, revoked ones included."""
        return os.path.lexists(self.path)

    def add(self, name: str, role: str, limit: int | None = None) -> tuple[Key, str]:
        """A new key, and what its user sends.

        Raises:
            UsageError: the name is taken or no name, or there are too many keys.
            ConfigError: the file holds something else.
            OutputError: it cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                "a key's name must be 1 to 64 printable characters", remedy="name it after its user"
            )
        identity = secrets.token_hex(4)
        token = f"newsdesk_{identity}_{secrets.token_urlsafe(32)}"

        def extended(keys: list[Key]) -> list[Key]:
            if any(key.name == name for key in keys):
                raise UsageError(
                    f'there is a key named "{name}"', remedy="revoke it first, or choose another name"
                )
            free = set(range(MOST_KEYS)) - {key.slot for key in keys}
            if not free:
                raise UsageError(f"there are {MOST_KEYS} keys", remedy="revoke some")
            created = datetime.now(UTC).isoformat(timespec="seconds")
            return [*keys, Key(identity, name, role, _digest(token), created, limit, min(free))]

        return self._change(extended)[-1], token

    def revoke(self, name: str) -> None:
        """Remove a key, so that it opens nothing any more.

        Raises:
            UsageError: there is no such key.
            ConfigError, OutputError: as `add`.
        """

        def reduced(keys: list[Key]) -> list[Key]:
            left = [key for key in keys if key.name != name]
            if len(left) == len(keys):
                raise UsageError(f'there is no key named "{name[:64]}"', remedy="see newsdesk keys list")
            return left

        self._change(reduced)

    def _change(self, follow: Callable[[list[Key]], list[Key]]) -> list[Key]:
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.tmp")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locks.alone_in(self.path.parent):
                keys = follow(self.load())
                data = {"format": _FORMAT, "keys": [asdict(key) for key in keys]}
                write_synced(temporary, (json.dumps(data, indent=1) + "\n").encode())
                self._like_before(temporary)
                temporary.replace(self.path)
                sync_folder(self.path.parent)
        except OSError as error:
            raise OutputError(
                f"the keys cannot be written ({error.strerror})",
                where=str(self.path),
                remedy="make the state folder writable",
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink()
        return keys

    def _like_before(self, temporary: Path) -> None:
        """Only the owner may read it, and that stays who it was, also when root adds a key for the service's user."""
        temporary.chmod(0o600)
        owner = (self.path if self.path.exists() else self.path.parent).stat()
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            os.chown(temporary, owner.st_uid, owner.st_gid)


def _key(item: Any) -> Key:
    key = Key(**item)
    texts = (key.id, key.name, key.role, key.sha256, key.created)
    whole = isinstance(key.slot, int) and isinstance(key.limit, int | None)
    if not (all(isinstance(text, str) for text in texts) and whole):
        raise ValueError
    if key.role not in ROLES or not 0 <= key.slot < MOST_KEYS or (key.limit or 0) < 0:
        raise ValueError
    return key


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

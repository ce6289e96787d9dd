"""A model folder: its versions, and which of them is the current one.

artifacts/<model>/current     a text file: the current version's name, below it those that were current before, last first

A service that has a state folder keeps a pointer of its own there (STATE/models/<model>/current), so that the model folder
may be read-only. Of the two pointers the one that was written last counts. A pointer is replaced by rename, never changed.

A version in use is locked by whoever serves it (`hold`), so that `prune` leaves it, whichever pointer names it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from classifier import locks
from classifier.artifact import (
    MANIFEST,
    VERSION_NAME,
    VersionFolder,
    model_name,
    open_version,
    sync_folder,
    write_synced,
)
from classifier.errors import ArtifactDamaged, ArtifactMissing, OutputError

CURRENT = "current"
# How many earlier versions a pointer remembers, and how much of a pointer is read.
_REMEMBERED = 20
_POINTER_BYTES = 4096
Check = Callable[[VersionFolder], object]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The versions of one model; with `state` the pointer in that state folder counts, too, and is the one written."""

    path: Path
    state: Path | None = None

    def versions(self) -> list[str]:
        """Version names, oldest first; a folder so named counts even if its manifest is lost, so that it is noticed.

        Raises:
            ArtifactDamaged: the folder cannot be read.
        """
        return sorted(path.name for path in _folders(self.path) if VERSION_NAME.fullmatch(path.name))

    @property
    def pointer(self) -> Path:
        """The pointer that promoting writes."""
        if self.state is None:
            return self.path / CURRENT
        return self.state / "models" / model_name(self.path) / CURRENT

    def pointers(self) -> list[Path]:
        """The pointers that are there, the one that counts first."""
        found = [(_written(path), path) for path in dict.fromkeys((self.pointer, self.path / CURRENT))]
        return [path for at, path in sorted(found, key=lambda item: -item[0]) if at >= 0]

    def current(self) -> str | None:
        """The current version's name, None where none has been promoted.

        Raises:
            ArtifactDamaged: the pointer holds something else.
        """
        return next(iter(self.history()), None)

    def history(self) -> list[str]:
        """The current version's name and those of earlier current ones, last first; empty where none has been promoted.

        Raises:
            ArtifactDamaged: the pointer holds something else.
        """
        pointers = self.pointers()
        return _read_pointer(pointers[0]) if pointers else []

    def earlier(self) -> list[str]:
        """The versions that can be gone back to, the next one first: those that were current and are still there.

        Raises:
            ArtifactDamaged: the pointer holds something else, or the folder cannot be read.
        """
        there = set(self.versions())
        return [version for version in self.history()[1:] if version in there]

    def open(self, version: str) -> VersionFolder:
        """A version by name; only names in the store can be asked for.

        Raises:
            ArtifactMissing: there is no such version.
            ArtifactDamaged: what is there cannot be trusted.
        """
        if version not in self.versions():
            known = ", ".join(self.versions()[-3:]) or "none"
            raise ArtifactMissing(
                f"there is no version {version[:60]!r}",
                where=str(self.path),
                remedy=f"the newest are: {known}",
            )
        folder = open_version(self.path / version)
        if folder.version != version:
            raise ArtifactDamaged(
                f"holds the version {folder.version}",
                where=str(folder.path),
                remedy="rename the folder to that",
            )
        return folder

    def promote(self, version: str, *, check: Check | None = None) -> VersionFolder:
        """Make a version the current one, after checking every file of it, and whatever else `check` checks.

        Raises:
            ArtifactError: it does not verify; the pointer stays.
            OutputError: the pointer cannot be written.
        """
        folder = self._verified(version, check)
        self._point(lambda history: [version, *(name for name in history if name != version)])
        return folder

    def rollback(self, *, check: Check | None = None) -> VersionFolder:
        """Make the version that was current before the current one; a second time goes back further.

        Versions that have been removed meanwhile are passed over.

        Raises:
            ArtifactMissing: there is none.
            ArtifactError: it does not verify; the pointer stays.
            OutputError: the pointer cannot be written.
        """
        earlier = self.earlier()
        if not earlier:
            raise ArtifactMissing(
                "there is no earlier version to go back to",
                where=str(self.pointers()[0] if self.pointers() else self.path),
                remedy="promote one: newsdesk models list, newsdesk models promote",
            )
        folder = self._verified(earlier[0], check)
        self._point(lambda history: earlier)
        return folder

    def _verified(self, version: str, check: Check | None) -> VersionFolder:
        folder = self.open(version)
        folder.verify()
        if check is not None:
            check(folder)
        return folder

    def _point(self, follow: Callable[[list[str]], list[str]]) -> None:
        """Replace the pointer by what `follow` makes of the history."""
        pointer = self.pointer
        temporary = pointer.with_name(f".{CURRENT}.{secrets.token_hex(4)}.tmp")
        try:
            pointer.parent.mkdir(parents=True, exist_ok=True)
            with locks.alone_in(pointer.parent):
                try:
                    history = self.history()
                except ArtifactDamaged:  # which promoting is the remedy for
                    history = []
                names = follow(history)[: 1 + _REMEMBERED]
                write_synced(temporary, "".join(f"{name}\n" for name in names).encode())
                temporary.replace(pointer)
                sync_folder(pointer.parent)
        except OSError as error:
            raise OutputError(
                f"the current version cannot be set ({error.strerror})",
                where=str(pointer),
                remedy="make the folder writable, or name a service's state folder (--state)",
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def is_version(path: Path) -> bool:
    """Whether MODEL means one version; else it means a model folder's current one."""
    return os.path.lexists(path / MANIFEST) or VERSION_NAME.fullmatch(path.name) is not None


def resolve(path: Path, state: Path | None = None) -> VersionFolder:
    """MODEL as commands take it: a version folder, or a model folder (then its current version, also by `state`).

    Raises:
        ArtifactMissing: neither is there.
        ArtifactDamaged: what is there cannot be trusted.
    """
    if is_version(path):
        return open_version(path)
    folder = ModelFolder(path, state)
    if not os.path.isdir(path):
        raise ArtifactMissing(
            "there is no such model", where=str(path), remedy="train one: newsdesk train … --out"
        )
    current = folder.current()
    if current is None:
        versions = folder.versions()
        raise ArtifactMissing(
            "the model has no current version" if versions else "the folder holds no version of a model",
            where=str(path),
            remedy=f"newsdesk models promote {path} {versions[-1]}"
            if versions
            else "train one: newsdesk train",
        )
    return folder.open(current)


def hold(folder: VersionFolder) -> int:
    """Say that a version is in use, until the file descriptor that this gives is closed: it is not pruned.

    Raises:
        ArtifactMissing: it has just been removed.
        ArtifactDamaged: its manifest cannot be read.
    """
    try:
        return locks.hold(folder.path / MANIFEST)
    except FileNotFoundError:
        raise ArtifactMissing(
            "the version has been removed", where=str(folder.path), remedy="promote another one"
        ) from None
    except OSError as error:
        raise ArtifactDamaged(f"cannot be read ({error.strerror})", where=str(folder.path)) from error


def find_models(folder: Path) -> list[ModelFolder]:
    """The model folders directly under `folder`, by name."""
    stores = [ModelFolder(path) for path in sorted(_folders(folder))]
    return [store for store in stores if store.versions()]


def _folders(folder: Path) -> list[Path]:
    if not os.path.isdir(folder):
        return []
    try:
        return [path for path in folder.iterdir() if os.path.isdir(path)]
    except OSError as error:
        raise ArtifactDamaged(f"cannot be read ({error.strerror})", where=str(folder)) from error


def _written(pointer: Path) -> int:
    """When a pointer was written, in nanoseconds; -1 where there is none."""
    try:
        return pointer.lstat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return -1
    except (OSError, ValueError):
        return 0  # reading it says what is wrong


def _read_pointer(pointer: Path) -> list[str]:
    try:
        text = pointer.read_bytes()[:_POINTER_BYTES].decode("ascii", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ArtifactDamaged(
            f"cannot be read ({error.strerror})",
            where=str(pointer),
            remedy="remove it and promote a version: newsdesk models promote",
        ) from error
    names = text.split()
    if not names or not all(VERSION_NAME.fullmatch(name) for name in names):
        raise ArtifactDamaged(
            "holds no version name",
            where=str(pointer),
            remedy="promote a version: newsdesk models promote",
        )
    return names

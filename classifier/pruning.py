"""Removing versions that nobody needs any more."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from classifier import locks
from classifier.artifact import MANIFEST
from classifier.errors import ArtifactMissing, OutputError, UsageError
from classifier.store import ModelFolder

# Leftovers of writers that were killed; one that is still at work has been so for less.
_LEFTOVER_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of each version: `removed` (and the bytes that this freed), `kept` with the reason, oldest first."""

    removed: tuple[str, ...]
    kept: dict[str, str]
    freed: int

    def to_dict(self) -> dict[str, object]:
        return {"removed": list(self.removed), "kept": self.kept, "freed_bytes": self.freed}


def prune(store: ModelFolder, keep: int = 3, *, dry_run: bool = False) -> Pruned:
    """Remove old versions, and what killed writers left behind; with `dry_run` only say which.

    Never removed: the current version (by the pointer of the model folder and by that of the state folder), newer ones,
    the `keep` that were current last (then the newest of the others), and those that a process serves.

    Raises:
        UsageError: `keep` is negative.
        ArtifactMissing: there is no current version, so nothing says what is old.
        ArtifactDamaged: a pointer or the folder cannot be read.
        OutputError: a version cannot be removed.
    """
    if keep < 0:
        raise UsageError(f"{keep} earlier versions cannot be kept", remedy="keep 0 or more")
    kept = _needed(store, keep)
    removed: list[str] = []
    freed = 0
    for version in store.versions():
        if version in kept:
            continue
        size = _bytes(store.path / version)
        if _remove(store.path / version, dry_run):
            removed.append(version)
            freed += size
        else:
            kept[version] = "being served"
    if not dry_run:
        _sweep(store.path)
    return Pruned(tuple(removed), dict(sorted(kept.items())), freed)


def _needed(store: ModelFolder, keep: int) -> dict[str, str]:
    """The versions that stay whether or not they are served, and why."""
    current = store.current()
    if current is None:
        raise ArtifactMissing(
            "the model has no current version, so none is old",
            where=str(store.path),
            remedy="promote one: newsdesk models promote",
        )
    versions = store.versions()
    needed = {version: "newer than the current version" for version in versions if version > current}
    earlier = [version for version in store.history()[1:] if version in versions]
    older = [version for version in reversed(versions) if version < current and version not in earlier]
    needed |= dict.fromkeys([*earlier, *older][:keep], "to go back to")
    folders_own = ModelFolder(store.path).current()
    return needed | {version: "current" for version in (current, folders_own) if version is not None}


def _remove(folder: Path, dry_run: bool) -> bool:
    """Remove a version unless somebody serves it; it vanishes as a whole, before its files do."""
    doomed = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with locks.unless_held(folder / MANIFEST) as free:
                if free and not dry_run:
                    folder.rename(doomed)
        except FileNotFoundError:  # a version without its manifest cannot be served
            free = True
            if not dry_run:
                folder.rename(doomed)
        if free and not dry_run:
            shutil.rmtree(doomed)
    except OSError as error:
        raise OutputError(
            f"the version cannot be removed ({error.strerror})",
            where=str(folder),
            remedy="make the model folder writable",
        ) from error
    return free


def _sweep(folder: Path) -> None:
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > _LEFTOVER_SECONDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _bytes(folder: Path) -> int:
    found: Sequence[Path] = list(folder.iterdir()) if folder.is_dir() else ()
    return sum(path.lstat().st_size for path in found)

"""A model folder: its versions, and which of them is the current one.

artifacts/<model>/current     a text file that holds the current version's name; replaced by rename
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from classifier.artifact import MANIFEST, VERSION_NAME, VersionFolder, open_version, sync_folder, write_synced
from classifier.errors import ArtifactDamaged, ArtifactMissing, OutputError

CURRENT = "current"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The versions of one model."""

    path: Path

    def versions(self) -> list[str]:
        """Version names, oldest first; a folder so named counts even if its manifest is lost, so that it is noticed.

        Raises:
            ArtifactDamaged: the folder cannot be read.
        """
        return sorted(path.name for path in _folders(self.path) if VERSION_NAME.fullmatch(path.name))

    def current(self) -> str | None:
        """The current version's name, None where none has been promoted.

        Raises:
            ArtifactDamaged: the pointer holds something else.
        """
        try:
            name = (self.path / CURRENT).read_bytes()[:100].decode("ascii", "replace").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ArtifactDamaged(
                f"cannot be read ({error.strerror})",
                where=str(self.path / CURRENT),
                remedy="remove it and promote a version: newsdesk models promote",
            ) from error
        if not VERSION_NAME.fullmatch(name):
            raise ArtifactDamaged(
                "holds no version name",
                where=str(self.path / CURRENT),
                remedy="promote a version: newsdesk models promote",
            )
        return name

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

    def promote(self, version: str) -> VersionFolder:
        """Make a version the current one, after checking every file of it.

        Raises:
            ArtifactError: it does not verify; the pointer stays.
            OutputError: the pointer cannot be written.
        """
        folder = self.open(version)
        folder.verify()
        temporary = self.path / f".{CURRENT}.{secrets.token_hex(4)}.tmp"
        try:
            write_synced(temporary, f"{version}\n".encode())
            temporary.replace(self.path / CURRENT)
            sync_folder(self.path)
        except OSError as error:
            raise OutputError(
                f"the current version cannot be set ({error.strerror})",
                where=str(self.path / CURRENT),
                remedy="make the folder writable",
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return folder


def resolve(path: Path) -> VersionFolder:
    """MODEL as commands take it: a version folder, or a model folder (then its current version).

    Raises:
        ArtifactMissing: neither is there.
        ArtifactDamaged: what is there cannot be trusted.
    """
    if os.path.lexists(path / MANIFEST) or VERSION_NAME.fullmatch(path.name):
        return open_version(path)
    folder = ModelFolder(path)
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

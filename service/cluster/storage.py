"""Folders and files anywhere that fsspec knows, local ones among them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import fsspec

from classifier.errors import InputError, OutputError

# Their files appear when they are whole, and renaming one is to copy it.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "r2", "tos"}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to write to."""

    url: str

    def _at(self, name: str = "") -> tuple[Any, str]:
        system, path = fsspec.core.url_to_fs(self.url)
        return system, f"{path.rstrip('/')}/{name}" if name else path

    def make(self) -> None:
        system, path = self._at()
        system.makedirs(path, exist_ok=True)

    def names(self) -> list[str]:
        """What is directly in it; nothing where there is no such folder."""
        system, path = self._at()
        system.invalidate_cache()
        if not system.exists(path):
            return []
        if not system.isdir(path):
            raise OutputError("is there and is no folder", where=self.url, remedy="give another name")
        return sorted(str(name).rstrip("/").rpartition("/")[2] for name in system.ls(path, detail=False))

    def has(self, name: str) -> bool:
        system, path = self._at(name)
        return bool(system.exists(path))

    def remove(self, name: str) -> None:
        """A file or folder, if it is there."""
        system, path = self._at(name)
        if system.exists(path):
            system.rm(path, recursive=True)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file that is there under its name once the block has ended well."""
        system, path = self._at(name)
        if system.protocol and not _OBJECT_STORES.isdisjoint(_protocols(system)):
            with system.open(path, "wb") as file:
                try:
                    yield file
                except BaseException:
                    file.discard()
                    raise
            return
        folder, _, last = path.rpartition("/")
        system.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/.{last}.{secrets.token_hex(4)}.part"
        try:
            with system.open(temporary, "wb") as file:
                yield file
                file.flush()
                if "file" in _protocols(system):
                    os.fsync(file.fileno())
            if "file" in _protocols(system):
                os.replace(temporary, path)
            else:
                system.mv(temporary, path)
        except BaseException:
            if system.exists(temporary):
                system.rm(temporary)
            raise

    def write(self, name: str, data: Mapping[str, Any] | None) -> None:
        """A file of one JSON object, or an empty one."""
        with self.writing(name) as file:
            file.write(b"" if data is None else json.dumps(data, ensure_ascii=False).encode())

    def read(self, name: str) -> dict[str, Any] | None:
        """The JSON object of a file; None where it is not there, or is none."""
        system, path = self._at(name)
        try:
            with system.open(path, "rb") as file:
                return dict(json.loads(file.read()))
        except (FileNotFoundError, ValueError):
            return None


def _protocols(system: Any) -> set[str]:
    found = system.protocol
    return {found} if isinstance(found, str) else set(found)


@contextmanager
def reading(url: str) -> Iterator[BinaryIO]:
    """A file to read.

    Raises:
        InputError: it cannot be opened.
    """
    try:
        file = fsspec.open(url, "rb").open()
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"cannot be read: {error}", where=url, remedy="check it") from error
    with file:
        yield cast(BinaryIO, file)


def is_remote(path: str) -> bool:
    """Whether it names a place by a protocol."""
    return "://" in path


def absolute(path: str) -> str:
    """As workers find it, too: local paths from the root."""
    return path if is_remote(path) else os.path.abspath(path)


def listed(url: str) -> list[tuple[str, str, bool]]:
    """(name, url, whether it was named itself) of every file behind a remote file, folder or pattern; hidden ones are left
    out.

    Raises:
        InputError: nothing is there, or no package for the protocol.
    """
    try:
        system, path = fsspec.core.url_to_fs(url)
        if system.isdir(path):
            root, found = path.rstrip("/"), sorted(system.find(path))
        elif system.exists(path):
            return [(path.rpartition("/")[2], url, True)]
        else:
            root, found = path.partition("*")[0].rpartition("/")[0], sorted(system.glob(path))
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"cannot be read: {error}", where=url, remedy="check it") from error
    if not found:
        raise InputError("there is no such file or folder", where=url, remedy="check the path")
    named = [(str(file)[len(root) :].lstrip("/"), str(system.unstrip_protocol(file))) for file in found]
    return [
        (name, file, False)
        for name, file in named
        if not any(part.startswith((".", "_")) for part in name.split("/"))
    ]

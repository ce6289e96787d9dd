"""The version folder: what is in it, how it is written, what must hold before it is read.

    artifacts/<model>/<version>/
        manifest.json         format, libraries, configuration, data fingerprint, metrics, heads, SHA-256 of the others
        sections.*.npy        the section head's arrays      (memory-mapped, never pickled)
        popularity.*.npy      the popularity head's arrays
        pipeline.joblib       a scikit-learn pipeline for notebooks; never opened by Newsdesk
        card.md, report.html  for people

Reading goes in three steps: parse (JSON with the right types), audit (format, checksums, names), and only then construct,
with classes that this package names; an artifact cannot choose code.

A new format version: raise FORMAT, keep reading the old one (a branch in `classifier.model`), save a folder written by the
old code under tests/data/golden/<format>/ and let the golden test score with it. A reader for an old format must be no less
strict than the newest, because the format number is whatever the file says.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from classifier.errors import (
    ArtifactDamaged,
    ArtifactFromFuture,
    ArtifactMissing,
    OutputError,
)
from classifier.spec import Arrays, Spec

FORMAT = 6
MANIFEST = "manifest.json"
HEADS = ("sections", "popularity")
VERSION_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")

_FILE_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
# Bytes below which a memory map costs more than it saves (and an empty array cannot be mapped).
_SMALL_ARRAY = 4096
# What `array_bytes` writes: never a zip archive, a pickle or another header.
_ARRAY_MAGIC = b"\x93NUMPY\x01\x00"


@dataclass(frozen=True, slots=True)
class VersionFolder:
    """A version on disk whose manifest has been parsed and audited; `files` maps names to (SHA-256, bytes)."""

    path: Path
    manifest: Spec
    model: str
    version: str
    files: Mapping[str, tuple[str, int]]

    def check_file(self, name: str) -> None:
        """Compare one file with the manifest.

        Raises:
            ArtifactMissing, ArtifactDamaged: naming the file.
        """
        digest, size = self.files[name]
        path = self.path / name
        remedy = "restore it from a backup or train again"
        try:
            if path.is_symlink():
                raise ArtifactDamaged("is a link out of the folder", where=str(path), remedy=remedy)
            found = path.stat().st_size
            if found != size:
                raise ArtifactDamaged(
                    f"has {found} bytes, {size} were written", where=str(path), remedy=remedy
                )
            with path.open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise ArtifactMissing("the file is missing", where=str(path), remedy=remedy) from None
        except OSError as error:
            raise ArtifactDamaged(
                f"cannot be read ({error.strerror})", where=str(path), remedy=remedy
            ) from error
        if actual != digest:
            raise ArtifactDamaged(
                "its SHA-256 is not the one in the manifest", where=str(path), remedy=remedy
            )

    def document(self, name: str) -> bytes | None:
        """What one of the files for people holds, checked; None where the version has none of that name.

        Raises:
            ArtifactMissing, ArtifactDamaged: naming the file.
        """
        if name not in self.files:
            return None
        self.check_file(name)
        return (self.path / name).read_bytes()

    def verify(self) -> None:
        """Compare every file with the manifest, and refuse files that it does not name."""
        for name in self.files:
            self.check_file(name)
        try:
            present = sorted(self.path.iterdir())
        except OSError as error:
            raise ArtifactDamaged(f"cannot be read ({error.strerror})", where=str(self.path)) from error
        for path in present:
            if path.name not in self.files and path.name != MANIFEST:
                raise ArtifactDamaged("is not in the manifest", where=str(path), remedy="remove it")

    def arrays(self, head: str) -> Arrays:
        """A head's arrays by name without prefix, checked and memory-mapped read-only.

        Raises:
            ArtifactMissing, ArtifactDamaged: naming the file.
        """
        found: dict[str, NDArray[Any]] = {}
        for name in self.files:
            if name.startswith(f"{head}.") and name.endswith(".npy"):
                self.check_file(name)
                found[name.removeprefix(f"{head}.").removesuffix(".npy")] = self._array(name)
        return Arrays(found, str(self.path / f"{head}."))

    def _array(self, name: str) -> NDArray[Any]:
        path = self.path / name
        mode: Literal["r"] | None = "r" if self.files[name][1] > _SMALL_ARRAY else None
        try:
            with path.open("rb") as file:
                if file.read(len(_ARRAY_MAGIC)) != _ARRAY_MAGIC:
                    raise ValueError
            array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
        except Exception as error:  # NumPy answers a hostile header with many kinds of them
            raise ArtifactDamaged(
                "is no plain NumPy array", where=str(path), remedy="restore it from a backup or train again"
            ) from error
        return array


def open_version(path: Path) -> VersionFolder:
    """Parse and audit the manifest of a version folder; array files are checked when they are taken.

    Raises:
        ArtifactMissing: no such folder or no manifest in it.
        ArtifactFromFuture: a format that this code does not know.
        ArtifactDamaged: a manifest that is not as it was written.
    """
    file = path / MANIFEST
    text = _read_manifest(path, file)
    remedy = "restore it from a backup or train again"
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ArtifactDamaged("is not valid JSON", where=str(file), remedy=remedy) from error
    manifest = Spec(data, str(file))
    number = manifest.get("format", int)
    if number > FORMAT:
        raise ArtifactFromFuture(
            f"has format {number}, this Newsdesk reads up to {FORMAT}",
            where=str(file),
            remedy="use a newer Newsdesk or train again",
        )
    if number < 1:
        raise ArtifactDamaged(f"has format {number}", where=str(file))
    try:
        canonical = encode_manifest({name: value for name, value in data.items() if name != "digest"})
    except (ValueError, RecursionError):
        canonical = b""  # JSON can say what no manifest holds: 1e999, half a surrogate pair, deep nesting
    if text != canonical:
        raise ArtifactDamaged("has been changed", where=str(file), remedy=remedy)
    version = manifest.get("version", str)
    if not VERSION_NAME.fullmatch(version):
        raise ArtifactDamaged(f'"{version[:60]}" is no version name', where=str(file))
    return VersionFolder(path, manifest, manifest.get("model", str), version, _files(manifest))


def _read_manifest(path: Path, file: Path) -> bytes:
    remedy = "train one: newsdesk train … --out"
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        if path.is_dir():
            raise ArtifactMissing(
                "the file is missing", where=str(file), remedy="restore it from a backup or train again"
            ) from None
        raise ArtifactMissing("no version of a model is here", where=str(path), remedy=remedy) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise ArtifactMissing("is too long for a path", where=str(path), remedy=remedy) from None
        raise ArtifactDamaged(f"cannot be read ({error.strerror})", where=str(file)) from error


def encode_manifest(data: Mapping[str, Any]) -> bytes:
    """The manifest's bytes: canonical JSON with a digest of everything else in it."""
    digest = hashlib.sha256(_json(data)).hexdigest()
    return _json({**data, "digest": digest})


def _json(data: Mapping[str, Any]) -> bytes:
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _files(manifest: Spec) -> dict[str, tuple[str, int]]:
    listing = manifest.spec("files")
    found = {}
    for name in listing.data:
        if not _FILE_NAME.fullmatch(name) or name == MANIFEST:
            raise ArtifactDamaged(f"names a file it must not: {name[:60]!r}", where=manifest.place)
        entry = listing.spec(name)
        found[name] = (entry.get("sha256", str), entry.get("bytes", int))
    return found


def array_bytes(array: NDArray[Any]) -> bytes:
    """An array as the bytes of a .npy file, the same for equal arrays."""
    buffer = BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def write_version(
    model_folder: Path,
    *,
    heads: Mapping[str, dict[str, Any]],
    arrays: Mapping[str, NDArray[Any]],
    facts: Mapping[str, Any],
    documents: Mapping[str, bytes],
    created: datetime,
) -> VersionFolder:
    """Write a new version folder under `model_folder` and return it.

    `heads` are specs by head name, `arrays` have names with the head's name in front, `facts` are further manifest entries
    (configuration, data, metrics, libraries), `documents` other files by name. Everything is written under a temporary
    name, synced, and renamed: a version is there whole or not at all. The version's name is its date and a hash of
    arrays, heads and configuration.

    Raises:
        OutputError: the folder cannot be written.
    """
    files = {f"{name}.npy": array_bytes(array) for name, array in sorted(arrays.items())}
    version = version_name(created, heads, files, facts.get("configuration"))
    files.update(documents)
    manifest = {
        **facts,
        "format": FORMAT,
        "model": model_name(model_folder),
        "version": version,
        "created": created.astimezone(UTC).isoformat(timespec="seconds"),
        "heads": dict(heads),
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in files.items()
        },
    }
    files[MANIFEST] = encode_manifest(manifest)
    target = model_folder / version
    temporary = model_folder / f".{version}.{secrets.token_hex(4)}.tmp"
    missing = [folder for folder in (model_folder, *model_folder.parents) if not os.path.lexists(folder)]
    try:
        temporary.mkdir(parents=True)
        for name, data in files.items():
            write_synced(temporary / name, data)
        sync_folder(temporary)
        if target.exists():
            # The same arrays and configuration in the same second: the version is there already.
            shutil.rmtree(temporary)
        else:
            temporary.rename(target)
        sync_folder(model_folder)
    except (OSError, ValueError) as error:  # a ValueError where the path holds a NUL
        raise OutputError(
            f"the version cannot be written ({getattr(error, 'strerror', None) or error})",
            where=str(model_folder),
            remedy="choose another --out or make room there",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in missing:  # those that were made for nothing; with a version in them they stay
            with suppress(OSError, ValueError):
                folder.rmdir()
    return open_version(target)


def model_name(model_folder: Path) -> str:
    """A model is named like its folder, also where that is given as "." or "artifacts/../other"."""
    return Path(os.path.abspath(model_folder)).name.encode("utf-8", "replace").decode()


def version_name(
    created: datetime, heads: Mapping[str, Any], arrays: Mapping[str, bytes], configuration: Any
) -> str:
    """The date in UTC and 48 bits of a hash of arrays, heads and configuration."""
    digest = hashlib.sha256(_json({"heads": dict(heads), "configuration": configuration}))
    for name, data in sorted(arrays.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    return f"{created.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest.hexdigest()[:12]}"


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until a folder's entries (new names, renames) are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

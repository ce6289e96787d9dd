"""What holds the model that requests use: loaded at start, replaced as a whole after a promotion, never touched in place.

A service that was started with a version folder stays with it. One that was started with a model folder follows the
pointers (`classifier.store`): every worker looks twice a second, and loads and warms a new version beside the one in use
before it takes its place. A version that cannot be loaded changes nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from classifier.articles import Article
from classifier.errors import ArtifactError, ArtifactMissing
from classifier.model import load_version
from classifier.store import CURRENT, ModelFolder, hold, is_version, resolve
from service.errors import NoSuchVersion, OneVersionOnly, VersionUnusable
from service.logs import log
from service.watching import Watched, signature

if TYPE_CHECKING:
    from classifier.artifact import VersionFolder
    from classifier.model import Model

# After this long a version that could not be loaded is tried again: its files may still have been arriving.
_AGAIN_SECONDS = 10.0


class Loaded(NamedTuple):
    """A model, and the folder that it was loaded from."""

    model: Model
    folder: VersionFolder


class ModelSlot(Watched):
    """Holds the current model; a request takes it once and keeps that version to its end."""

    def __init__(self, path: Path, state: Path | None = None) -> None:
        """The model at `path`, checked and warm: it has scored an article before the first request comes.

        Raises:
            ArtifactError: as `classifier.load`.
        """
        self.store = None if is_version(path) else ModelFolder(path, state)
        self._changing = threading.Lock()
        self._seen = self._signature()
        self._failed: tuple[str, float] | None = None
        folder = resolve(path, state)
        self._handle = hold(folder)
        self._loaded = Loaded(_warm(folder), folder)
        self._follow: Callable[[Model], None] = _nothing

    def follow(self, told: Callable[[Model], None]) -> None:
        """Call `told` with the model in use, now and whenever it is another one."""
        self._follow = told
        told(self.current)

    @property
    def current(self) -> Model:
        return self._loaded.model

    @property
    def loaded(self) -> Loaded:
        """The model in use and its folder, which belong together whatever is promoted meanwhile."""
        return self._loaded

    def refresh(self) -> None:
        """Take up the version that the pointer names, if it is another one.

        Raises:
            ArtifactError: it cannot be loaded (said once; it is tried again after a while).
        """
        found = self._signature()
        due = self._failed is not None and time.monotonic() >= self._failed[1]
        if self.store is None or (found == self._seen and not due):
            return
        self._seen = found
        try:
            with self._changing:
                version = self.store.current()
                if version is not None and version != self.current.version:
                    self._replace(self.store.open(version))
            self._failed = None
        except ArtifactError as error:
            known = self._failed is not None and self._failed[0] == str(error)
            self._failed = (str(error), time.monotonic() + _AGAIN_SECONDS)
            if not known:
                raise

    def promote(self, version: str) -> str:
        """Make a version the current one, for every worker; gives the one that was before.

        Raises:
            OneVersionOnly: the service was started with a version folder.
            NoSuchVersion: the store has none of this name.
            VersionUnusable: it does not verify or cannot be loaded; the one in use stays.
            OutputError: the pointer cannot be written.
        """
        store = self._folder_of_versions()
        if version not in store.versions():
            raise NoSuchVersion("the model has no such version", remedy="GET /v1/models lists them")
        return self._change(lambda: store.promote(version, check=self._replace))

    def roll_back(self) -> str:
        """Make the version that was current before the current one again, for every worker; gives the one that was.

        Raises:
            NoSuchVersion: there is none to go back to.
            OneVersionOnly, VersionUnusable, OutputError: as `promote`.
        """
        store = self._folder_of_versions()
        if not store.earlier():
            raise NoSuchVersion("there is no earlier version to go back to", remedy="promote one")
        return self._change(lambda: store.rollback(check=self._replace))

    def _folder_of_versions(self) -> ModelFolder:
        if self.store is None:
            raise OneVersionOnly(
                "this service was started with one version",
                remedy="start it with the model folder to change versions",
            )
        return self.store

    def _change(self, act: Callable[[], object]) -> str:
        """Let another version be the current one; gives the one that was before."""
        with self._changing:
            before = self.current.version
            try:
                act()
            except ArtifactError as error:
                raise VersionUnusable(
                    f"the version cannot be used: {_without_folders(error)}",
                    remedy="the one in use stays; restore it or train again",
                ) from error
        return before

    def _replace(self, folder: VersionFolder) -> None:
        handle = hold(folder)
        try:
            model = _warm(folder)
        except BaseException:
            os.close(handle)
            raise
        before, self._loaded = self.current, Loaded(model, folder)
        os.close(self._handle)
        self._handle = handle
        self._follow(model)
        log(logging.INFO, "version", model=model.name, version=model.version, before=before.version)

    def _signature(self) -> tuple[object, ...]:
        return signature(self.store.pointer, self.store.path / CURRENT) if self.store else ()

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            os.close(self._handle)


def _warm(folder: VersionFolder) -> Model:
    model = load_version(folder)
    model.predict(Article(headline="A first article, so that whatever is made at first use is there"))
    return model


def _nothing(model: Model) -> None:
    """Nobody follows."""


def _without_folders(error: ArtifactError) -> str:
    """What is wrong with which file, without saying where on this machine."""
    missing = "is missing" if isinstance(error, ArtifactMissing) else error.problem
    return f"{Path(error.where).name} {missing}" if error.where else error.problem

"""From the inputs that were named (files, folders, globs, "-") to sources."""

from __future__ import annotations

import glob
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from classifier.errors import InputError
from classifier.reading.base import Source

STDIN = "-"
STDIN_NAME = "stdin"
# Pages are .txt files too; these never are.
_ABOUT = {"readme", "license", "licence", "copying", "notice", "changelog", "changes", "authors"}


@dataclass(frozen=True, slots=True)
class Found:
    """The sources, in order, and the files in folders that were passed over since no reader knows them."""

    sources: list[Source]
    skipped: list[str]


def find(inputs: Sequence[str], is_known: Callable[[Path], bool]) -> Found:
    """Every file behind `inputs`, each once.

    Names are relative to the folder (or the fixed part of the glob) that was given, a single file's is its last part.
    Hidden files in folders are left out. Where two files would have the same name, both go by their path.

    Raises:
        InputError: nothing is there.
    """
    named: dict[str, tuple[str, Path, bool]] = {}  # by real path
    skipped: list[str] = []
    stdin = False
    order: list[str | None] = []
    for given in inputs:
        if given == STDIN:
            order += [] if stdin else [None]
            stdin = True
            continue
        for name, path, explicit in _expanded(given):
            if not explicit and not _is_wanted(path, is_known):
                skipped.append(name)
                continue
            real = os.path.realpath(path)
            if real not in named:
                named[real] = (name, path, explicit)
                order.append(real)
    counts = Counter(name for name, _, _ in named.values())
    sources = []
    for real_path in order:
        if real_path is None:
            sources.append(Source(STDIN_NAME, _open_stdin))
            continue
        name, path, explicit = named[real_path]
        shown = name if counts[name] == 1 else path.as_posix()
        # A name that is no UTF-8 would not fit the table's `file` column, nor a terminal.
        shown = os.fsencode(shown).decode("utf-8", "backslashreplace")
        sources.append(Source(shown, _opener(path), explicit))
    return Found(sources, skipped)


def _is_wanted(path: Path, is_known: Callable[[Path], bool]) -> bool:
    about = path.suffix.lower() == ".txt" and path.stem.lower() in _ABOUT
    return not about and is_known(path)


def _expanded(given: str) -> Iterator[tuple[str, Path, bool]]:
    """(name, path, whether it was named itself) of every file behind one input."""
    path = Path(given)
    if path.is_dir():
        yield from ((name, file, False) for name, file in _inside(path, path))
    elif path.exists():
        yield path.name, path, True
    elif glob.has_magic(given):
        yield from _globbed(given)
    else:
        raise InputError("there is no such file or folder", where=given, remedy="check the path")


def _globbed(pattern: str) -> Iterator[tuple[str, Path, bool]]:
    parts = Path(pattern).parts
    fixed = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:fixed])
    matches = sorted(glob.glob(pattern, recursive=True), key=lambda match: Path(match).parts)
    if not matches:
        raise InputError("no file matches this pattern", where=pattern, remedy="check the path")
    for match in map(Path, matches):
        if match.is_dir():
            yield from ((name, file, False) for name, file in _inside(match, root))
        else:
            yield match.relative_to(root).as_posix(), match, False


def _inside(folder: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """The files below `folder` that are not hidden, sorted, named relative to `root`.

    What a browser saved beside a page ("Title_files" beside "Title.html": pictures, frames) is left out.
    """
    found: list[Path] = []
    for place, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".") and not _of_a_page(name, files)]
        found += [Path(place, name) for name in files if not name.startswith(".")]
    for path in sorted((path for path in found if path.is_file()), key=lambda path: path.parts):
        yield path.relative_to(root).as_posix(), path


def _of_a_page(folder: str, files: Sequence[str]) -> bool:
    page = folder.removesuffix("_files")
    return page != folder and not {f"{page}.html", f"{page}.htm"}.isdisjoint(files)


def _unreadable(error: OSError) -> None:
    raise InputError(
        f"cannot be read: {error.strerror}", where=str(error.filename), remedy="check its rights"
    )


def _opener(path: Path) -> Callable[[], AbstractContextManager[BinaryIO]]:
    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        try:
            stream = path.open("rb")
        except OSError as error:
            raise InputError(
                f"cannot be read: {error.strerror}", where=str(path), remedy="check it"
            ) from error
        with stream:
            yield stream

    return opened


@contextmanager
def _open_stdin() -> Iterator[BinaryIO]:
    yield sys.stdin.buffer

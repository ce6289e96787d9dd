"""From the file to the version folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sklearn

from classifier.artifact import VersionFolder, model_name, write_version
from classifier.errors import UsageError
from classifier.store import ModelFolder
from classifier.text.rows import TEXT
from training.conversion.card import block_line, write_compiled_card
from training.conversion.checking import Check, check_head
from training.conversion.features import Reader
from training.conversion.heads import Compiled, compile_estimator, label_names
from training.conversion.place import Place
from training.conversion.reading import Loaded, load_estimator
from training.conversion.sources import Columns
from training.fit import library_versions
from training.folders import check_model_folder


@dataclass(frozen=True, slots=True)
class CompileResult:
    """What `compile_file` wrote and found; `seconds` of wall time."""

    folder: VersionFolder
    promoted: bool
    compiled: Compiled
    facts: Mapping[str, Any]
    notes: tuple[str, ...]
    seconds: float = field(compare=False)

    @property
    def blocks(self) -> list[str]:
        """What it reads, a line a block."""
        return [block_line(block) for block in self.compiled.head.linear.blocks]

    def to_dict(self) -> dict[str, Any]:
        """The object that `compile --json` prints."""
        return {
            "model": str(self.folder.path.parent),
            "version": str(self.folder.path),
            "promoted": self.promoted,
            "sections": list(self.compiled.head.labels),
            "several": self.compiled.head.several,
            "blocks": self.blocks,
            **self.facts["data"],
            **self.facts["compiled"],
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


def compile_file(
    path: Path,
    out: Path,
    *,
    trust: bool,
    text: str = TEXT,
    columns: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
    now: datetime | None = None,
) -> CompileResult:
    """Compile the fitted pipeline in a joblib file into a version under the model folder `out`.

    `text` is the column that stands for a single text, `columns` maps the pipeline's columns to the articles', `names` are
    those of the sections where the classes are numbers. A model's first version becomes its current one; later ones wait
    for `newsdesk models promote`.

    Raises:
        UsageError: `trust` is not set, an option has no effect, or there are more or fewer names than classes.
        InputError: the file cannot be read, or holds what cannot be compiled exactly (PipelineError, FormatError).
        OutputError: the folder cannot be written.
    """
    started = time.perf_counter()
    loaded = load_estimator(path, trust=trust)
    check_model_folder(out)
    place = Place(str(path)).at(loaded.estimator)
    reader = Reader(Columns(dict(columns or {}), text), int(loaded.sha256[:16], 16))
    compiled = compile_estimator(loaded.estimator, reader, place)
    reader.columns.check_used(str(path))
    check = check_head(compiled.head, loaded.estimator, reader.columns, place)
    facts = _facts(loaded, compiled, reader.columns, check)
    if names is not None:
        compiled = renamed(compiled, names, place)
    notes = tuple(_notes(loaded, compiled, check))
    created = now or datetime.now(UTC)
    card = write_compiled_card(model_name(out), facts, compiled.head, notes, created)
    folder = write_version(
        out,
        heads={"sections": compiled.head.spec()},
        arrays={f"sections.{name}": array for name, array in compiled.head.arrays().items()},
        facts=facts,
        documents={"card.md": card.encode()},
        created=created,
    )
    store = ModelFolder(out)
    promoted = store.current() is None
    if promoted:
        store.promote(folder.version)
    return CompileResult(folder, promoted, compiled, facts, notes, time.perf_counter() - started)


def renamed(compiled: Compiled, names: Sequence[str], place: Place) -> Compiled:
    """With other names of the sections, in the order of the classes.

    Raises:
        UsageError: more or fewer names than classes, or one twice or empty.
    """
    classes = compiled.head.labels
    if len(names) != len(classes):
        raise UsageError(
            f"{len(names)} names for {len(classes)} classes",
            where=place.file,
            remedy=f"name each, in this order: {', '.join(classes[:5])}{', …' if len(classes) > 5 else ''}",
        )
    return replace(compiled, head=replace(compiled.head, labels=label_names(names, place)))


def _facts(loaded: Loaded, compiled: Compiled, columns: Columns, check: Check | None) -> dict[str, Any]:
    return {
        "libraries": library_versions(),
        "data": {"compiled_from": loaded.name, "sha256": loaded.sha256, "bytes": loaded.size},
        "metrics": {"sections": None, "popularity": None},
        "compiled": {
            "scikit_learn": loaded.written_by,
            "classifier": compiled.classifier,
            "probabilities": "predict_proba" if compiled.probable else "none",
            "columns": {name: columns.ours.get(name, name) for name in sorted(columns.asked)},
            "text": columns.text if columns.asked_text else None,
            "classes": list(compiled.head.labels),
            "check": None if check is None else check.to_dict(),
        },
    }


def _notes(loaded: Loaded, compiled: Compiled, check: Check | None) -> list[str]:
    notes = []
    if not loaded.same_version:
        notes.append(
            f"scikit-learn {loaded.written_by} wrote the file, {sklearn.__version__} has read it: what was compiled is "
            "what the pipeline answers there"
        )
    if check is None:
        notes.append(
            "not compared with the pipeline: its ColumnTransformer is not the first step of a Pipeline"
        )
    if not compiled.probable:
        notes.append(
            f"{compiled.classifier} has no probabilities: section_probability has the order of its decision values, and is "
            "no chance of being right"
        )
    notes.append(
        "every decision is review: nothing tells from which probability on the answers can be trusted; newsdesk train "
        "finds that out, newsdesk evaluate measures this version"
    )
    return notes

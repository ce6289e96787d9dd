"""Folders that commands write to: a version's is looked at before anything else, without importing what fitting needs."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.artifact import model_name
from classifier.errors import OutputError
from classifier.store import ModelFolder

if TYPE_CHECKING:
    from classifier.model import Model
    from training.evaluation import Evaluation


def check_model_folder(out: Path) -> None:
    """Refuse early what would fail late.

    Raises:
        OutputError: `out` is a file, or a folder that holds something else than a model's versions, or cannot be made.
        ArtifactDamaged: the folder's pointer to its current version is no such thing.
    """
    remedy = "name a model folder, such as artifacts/NAME"
    if not model_name(out):
        raise OutputError("is no name for a model", where=str(out), remedy=remedy)
    try:
        if out.exists() and not out.is_dir():
            raise OutputError("is a file", where=str(out), remedy=remedy)
        if (out / "manifest.json").exists():
            raise OutputError(
                "is a version folder", where=str(out), remedy="name the model folder that holds it"
            )
        store = ModelFolder(out)
        if store.current() is None and not store.versions() and out.is_dir():
            others = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
            if others:
                raise OutputError(
                    f"holds something else than versions of a model: {others[0]}",
                    where=str(out),
                    remedy=remedy,
                )
        parent = next(path for path in (out, *out.resolve().parents) if path.exists())
    except OSError as error:
        raise OutputError(f"cannot be used ({error.strerror})", where=str(out), remedy=remedy) from error
    if not parent.is_dir():
        raise OutputError(f"{parent} is a file, not a folder", where=str(out), remedy=remedy)
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{parent} cannot be written to", where=str(out), remedy="choose another --out")


def write_evaluation(folder: Path, model: Model, found: Evaluation, note: str) -> None:
    """Write `report.html` of an evaluation into `folder`, replacing an older one.

    Raises:
        OutputError: it cannot be written.
    """
    from training.inspection import report_content
    from training.report import write_report

    facts = {**model.manifest, "metrics": found.to_dict()}
    name = f"{model.name} {model.version}"
    text = write_report(name, facts, [note], datetime.now(UTC), report_content(found))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / ".report.html.tmp"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(folder / "report.html")
    except OSError as error:
        raise OutputError(
            f"the report cannot be written ({error.strerror})",
            where=str(folder),
            remedy="choose another --report",
        ) from error

"""Loading a joblib file, which runs what its writer put in it: only where the user says that it is trusted."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from classifier.errors import FormatError, InputError, PipelineError
from training.conversion.trust import check_trust


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file held: `estimator`, the SHA-256 of the file's `size` bytes, and the scikit-learn that wrote it."""

    name: str
    sha256: str
    size: int
    estimator: Any
    written_by: str

    @property
    def same_version(self) -> bool:
        """Whether the scikit-learn that is installed wrote it."""
        return self.written_by == str(sklearn.__version__)


def load_estimator(path: Path, *, trust: bool) -> Loaded:
    """The object in a joblib (or pickle) file. What it is is not looked at.

    Raises:
        UsageError: `trust` is not set.
        InputError: the file cannot be read.
        FormatError: it is no joblib file.
        PipelineError: it needs code that is not installed here.
    """
    check_trust(path, trust=trust)
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # a ValueError where the path holds a NUL
        problem = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read ({problem})", where=str(path), remedy="check the path") from error
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator = _unpickled(data, path)
    messages = [one.message for one in caught]
    versions = [
        str(message.original_sklearn_version)
        for message in messages
        if isinstance(message, InconsistentVersionWarning)
    ]
    digest = hashlib.sha256(data).hexdigest()
    return Loaded(path.name, digest, len(data), estimator, versions[0] if versions else sklearn.__version__)


def _unpickled(data: bytes, path: Path) -> Any:
    try:
        return joblib.load(BytesIO(data))
    except (ImportError, AttributeError) as error:
        raise PipelineError(
            f"needs code that is not here ({_one_line(error)})",
            where=str(path),
            remedy="functions and classes of your own cannot be compiled; fit the pipeline with scikit-learn's alone, or "
            "install the scikit-learn that wrote the file",
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # bytes that are no pickle fail in every way there is
        raise FormatError(
            f"is no joblib file, or not a whole one ({_one_line(error)})",
            where=str(path),
            remedy="write it with joblib.dump(pipeline, path)",
        ) from error


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:120]}" if text else type(error).__name__

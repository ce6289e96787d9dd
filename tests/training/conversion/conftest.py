"""Small texts with something to learn in them, and what a pipeline of scikit-learn is compiled to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pytest
from numpy.typing import NDArray

from classifier.articles import Article
from classifier.text.rows import Rows
from training.conversion.features import Reader
from training.conversion.heads import Compiled, compile_estimator
from training.conversion.place import Place
from training.conversion.sources import Columns

WORDS = [f"word{number}" for number in range(40)] + ["Żółw", "naïve", "the", "and"]
SECTIONS = ["Economy", "Politics", "Sports"]


class Texts(NamedTuple):
    """Texts to fit on, a section of each, two numbers for labels, an indicator of four labels; and other texts."""

    train: list[str]
    sections: list[str]
    flags: NDArray[np.int64]
    several: NDArray[np.int64]
    test: list[str]


@pytest.fixture(scope="session")
def texts() -> Texts:
    random = np.random.default_rng(7)

    def some(count: int) -> list[str]:
        sizes = random.integers(2, 25, count)
        return [" ".join(random.choice(WORDS, size)) for size in sizes]

    train = some(240)
    sums = [sum(WORDS.index(word) for word in text.split()) for text in train]
    several = np.array([[word in text.split() for word in WORDS[:4]] for text in train]).astype(int)
    return Texts(
        train,
        [SECTIONS[total % 3] for total in sums],
        np.array([total % 2 for total in sums]),
        several,
        [*some(150), "", "nothing of it is known"],
    )


@pytest.fixture(scope="session")
def compiled() -> Callable[..., Compiled]:
    """Compiles a fitted pipeline; `ours` maps its columns to the articles'."""

    def run(pipeline: Any, ours: dict[str, str] | None = None, text: str = "text") -> Compiled:
        return compile_estimator(pipeline, Reader(Columns(ours or {}, text), 5), Place("a.joblib"))

    return run


@pytest.fixture(scope="session")
def rows_of() -> Callable[[Sequence[str]], Rows]:
    """Articles whose bodies are these texts."""
    return lambda given: Rows.from_articles([Article(body=text) for text in given])


@pytest.fixture
def dumped(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes an object with joblib."""

    def write(given: Any) -> Path:
        path = tmp_path / "model.joblib"
        joblib.dump(given, path)
        return path

    return write

"""What the parts of benchmarks.text_core share: articles, models and files, and the rows found so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.speed.models import (
    CHARACTERS,
    WORDS,
    fit_fasttext,
    fit_pipeline,
    prepared,
    write_fasttext,
)
from benchmarks.speed.rows import row, say, written
from benchmarks.speed.texts import (
    Articles,
    long_articles,
    one_line,
    repeated,
    size_of,
    write_column,
    write_lines,
)
from benchmarks.speed.workers import Absent, Lane, Worker

MB = 1e6
DIMENSIONS = 10  # of fastText's vectors
_ARTICLE_WORDS, _ARTICLES = 200, 100


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: bytes that are scored, rounds (of fitting fewer), calls with one article, multiples of the test
    part, and numbers of articles that are fitted."""

    scored: float = 100 * MB
    rounds: int = 3
    fits: int = 3
    calls: int = 1000
    multiples: tuple[int, ...] = (1, 4, 16)
    growth: tuple[int, ...] = (10_000, 30_000, 100_000, 300_000, 1_000_000)


QUICK = Size(1.0, 1, 1, 20, (1, 4), (100, 1000))


@dataclass(slots=True)
class Bench:
    """Texts, a folder for files, and what was found: rows, notes on what was left out, shares by name."""

    folder: Path
    size: Size
    articles: Articles
    titles: Articles
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)
    scored: int = 0  # bytes

    def path(self, name: str) -> Path:
        return self.folder / name

    def lanes(self, worker: Worker, name: str, *making: Any) -> list[Lane]:
        """The contender's; none where it is not installed, which is noted."""
        try:
            worker.add(name, *making)
        except Absent as error:
            self.note(f"{name}: left out; {error}")
            return []
        return [(worker, name)]

    def note(self, text: str) -> None:
        self.notes.append(text)
        say(text)

    def found(self, *figures: Any, **options: Any) -> None:
        """One more row."""
        self.rows.append(row(*figures, **options))
        say(written(self.rows[-1]))

    def prepare(self) -> None:
        """Fit the models that are compared, and write the texts to files."""
        say("fitting the models that are compared")
        for name, cut, articles in (
            ("words", WORDS, self.articles),
            ("characters", CHARACTERS, self.titles),
        ):
            fit_pipeline(cut, articles, self.path(f"{name}.joblib"))
            write_column(self.path(f"{name}.train"), [pa.array(articles.train)])
            write_column(self.path(f"{name}.test"), [pa.array(articles.test)])
        scored = repeated(self.articles.test, int(self.size.scored))
        self.scored = size_of(scored)
        write_column(self.path("scored"), [pa.array(scored)])
        write_lines(self.path("scored.txt"), scored, one_line)
        write_lines(self.path("prepared.txt"), scored, prepared)
        write_lines(self.path("nothing.txt"), [], prepared)
        long = long_articles(self.articles.test, _ARTICLE_WORDS, _ARTICLES)
        write_column(self.path("long"), [pa.array(long)])
        try:
            write_fasttext(self.path("train.txt"), self.articles.train, self.articles.train_labels)
            fit_fasttext(self.path("train.txt"), DIMENSIONS, 1).save_model(str(self.path("fasttext.bin")))
        except Absent as error:
            self.note(str(error))

    @property
    def has_fasttext(self) -> bool:
        """Whether there is a model of it."""
        return self.path("fasttext.bin").exists()

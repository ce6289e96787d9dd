"""What a step is given: an article, one of its texts, or some of its columns; and which of the article's they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from classifier.articles import ARTICLE_FIELDS, TEXT_FIELDS
from classifier.errors import UsageError
from classifier.text.rows import TEXT
from training.config import CATEGORICAL
from training.conversion.place import Place


@dataclass(frozen=True, slots=True)
class WholeArticle:
    """What the whole pipeline is given: a text, or a table of columns, as its first step takes it."""


@dataclass(frozen=True, slots=True)
class OneColumn:
    """One column, as a sequence of values; its name in the pipeline."""

    name: str


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by their names in the pipeline, behind a SimpleImputer where there is one."""

    names: tuple[str, ...]
    imputer: Any = None


Source = WholeArticle | OneColumn | Table


@dataclass(slots=True)
class Columns:
    """Which columns of the articles the pipeline's are: `ours` by its names, others are called alike. `text` is the column
    that stands for a single text. What was asked for is kept: an option without effect is a mistake."""

    ours: Mapping[str, str]
    text: str = TEXT
    asked: set[str] = field(default_factory=set)
    asked_text: bool = False
    numbers: set[str] = field(default_factory=set)

    def text_column(self, source: Source, place: Place) -> str:
        """Where a vectorizer's texts come from.

        Raises:
            PipelineError: from no text of an article.
        """
        if isinstance(source, WholeArticle):
            self.asked_text = True
            return self.text
        if isinstance(source, Table):
            raise place.refuse(
                "reads texts from a list of columns", 'name one column, as "headline", not as ["headline"]'
            )
        name = self._ours(source.name)
        if name == TEXT:
            self.asked_text = True
            return self.text
        if name not in TEXT_FIELDS:
            raise place.refuse(
                f'reads texts from the column "{source.name}", which articles do not have',
                f"say which it is: --column headline={source.name} (or summary, body, text)",
            )
        return name

    def category_column(self, name: str, place: Place) -> str:
        """The article's column of categories.

        Raises:
            PipelineError: it is a text, a label, an id, or a time.
        """
        ours = self._ours(name)
        if ours in {*ARTICLE_FIELDS, TEXT, "file"}.difference(CATEGORICAL):
            raise place.refuse(
                f'takes the column "{ours}" for a category, which in an article is a text, a label, an id or a time',
                f"fit it on {' or '.join(CATEGORICAL)} or on a column of your own; if it is another column that is only "
                f"called so, say which: --column desk={name}",
            )
        return ours

    def as_given(self, name: str, values: Sequence[Any]) -> list[Any]:
        """An article's categories as the pipeline has them."""
        return [int(value) if name in self.numbers and value is not None else value for value in values]

    def check_used(self, file: str) -> None:
        """Every option must have had an effect.

        Raises:
            UsageError: naming the one that had none.
        """
        for theirs, ours in self.ours.items():
            if theirs not in self.asked:
                known = ", ".join(sorted(self.asked)) or "none, it takes a single text (--text says which)"
                raise UsageError(
                    f'--column {ours}={theirs}: the pipeline reads no column "{theirs}"',
                    where=file,
                    remedy=f"its columns are: {known}",
                )
        if self.text != TEXT and not self.asked_text:
            raise UsageError(
                f"--text {self.text}: the pipeline takes no single text",
                where=file,
                remedy="leave it out: it names the columns that it reads",
            )

    def _ours(self, name: str) -> str:
        self.asked.add(name)
        return self.ours.get(name, name)


def parse_columns(pairs: tuple[str, ...]) -> dict[str, str]:
    """OURS=THEIRS pairs as a dict from theirs to ours.

    Raises:
        UsageError: a pair without "=", or a column named twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        ours, _, theirs = pair.partition("=")
        if not ours or not theirs:
            raise UsageError(f'--column "{pair}" is no mapping', remedy="write it like headline=title")
        if theirs in found:
            raise UsageError(f'--column names "{theirs}" twice', remedy="leave one out")
        found[theirs] = ours
    return found

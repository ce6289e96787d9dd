"""A loaded version: articles in, predictions out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from classifier.articles import Article
from classifier.artifact import HEADS, VersionFolder
from classifier.errors import ArtifactDamaged, UsageError
from classifier.popularity import PopularityHead, PopularityResult
from classifier.results import Contribution, Prediction
from classifier.sections import SectionHead, SectionResult
from classifier.store import resolve
from classifier.text.fused import FusedText, TextSums
from classifier.text.rows import Rows

if TYPE_CHECKING:
    import pyarrow as pa

    from classifier.reading.base import Rejection

OneArticle = Article | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """One version in memory: one or both heads. Immutable, so threads may share it."""

    name: str
    version: str
    manifest: Mapping[str, Any]
    sections: SectionHead | None
    popularity: PopularityHead | None
    _text: FusedText | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sections, popularity, text = self.sections, self.popularity, None
        # Where the texts' part of popularity wants the predicted section, that must be found before.
        if sections is not None and popularity is not None and not popularity.reads_in_text("section"):
            text = FusedText(sections.linear.text, popularity.linear.text)
        object.__setattr__(self, "_text", text)

    @overload
    def predict(self, articles: OneArticle) -> Prediction: ...
    @overload
    def predict(self, articles: Sequence[OneArticle]) -> list[Prediction]: ...
    @overload
    def predict(self, articles: pa.RecordBatch) -> pa.RecordBatch: ...
    def predict(self, articles: Any) -> Any:
        """Score one article (`Article` or mapping), a list of them, or a record batch of the article table.

        Raises:
            FieldError: an article that breaks the rules of the article table.
            UsageError: neither of these was given.
        """
        if isinstance(articles, Article | Mapping):
            article = _article(articles)
            return self._prediction(article.id, *self.results(article))
        if isinstance(articles, Sequence) and not isinstance(articles, str | bytes):
            return self._predict([_article(article) for article in articles])
        if not hasattr(articles, "schema"):  # PyArrow may never have been imported
            raise _no_article(articles)
        return self._predict_batch(articles)

    def score_batches(
        self,
        reader: Any,
        *,
        columns: Mapping[str, str] | None = None,
        keep: Sequence[str] = (),
        timezone: tzinfo | None = None,
        on_rejected: Callable[[Rejection], None] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Record batches of scored rows, in order and as they are asked for.

        `reader` is a record batch reader, anything else that gives Arrow batches (a table, a Polars or pandas frame), or an
        iterable of batches. `columns` maps our column names to its names. `keep` are columns (our names) that are carried
        along behind the prediction, as text. Times without a zone are read in `timezone`. Rows that break the rules of the
        article table are left out and handed to `on_rejected`; without it the first one ends everything.

        Raises:
            FormatError: columns that do not fit, or a row that breaks the rules while there is no `on_rejected`.
            UsageError: `keep` names a column of the prediction, or `reader` holds no batches.
        """
        from classifier.batches import score_batches

        return score_batches(
            self, reader, columns=columns, keep=keep, timezone=timezone, on_rejected=on_rejected
        )

    @overload
    def prediction_sets(self, articles: OneArticle, coverage: float = 0.95) -> tuple[str, ...]: ...
    @overload
    def prediction_sets(
        self, articles: Sequence[OneArticle], coverage: float = 0.95
    ) -> list[tuple[str, ...]]: ...
    def prediction_sets(self, articles: Any, coverage: float = 0.95) -> Any:
        """The sections that one article (`Article` or mapping), or each of a list, may belong to, best first.

        Of many articles like those in training, a share of `coverage` has its section in its set. A set is never empty:
        short where the model is sure, long where it is not, every section where training had too few articles.

        Raises:
            FieldError: an article that breaks the rules of the article table.
            UsageError: no article was given, or the version has no sets of this coverage (`decisions.coverages` of the
                configuration; only with one section an article).
        """
        if self.sections is None:
            raise UsageError(
                "the version has no section head",
                remedy="prediction sets need articles with sections in training",
            )
        if isinstance(articles, Article | Mapping):
            return self.sections.sets(Rows.from_articles([_article(articles)]), coverage)[0]
        if not isinstance(articles, Sequence) or isinstance(articles, str | bytes):
            raise _no_article(articles, "an Article or a mapping, or a list of them")
        return self.sections.sets(Rows.from_articles([_article(article) for article in articles]), coverage)

    def explain(self, article: OneArticle) -> list[Contribution]:
        """What each feature, "(intercept)" among them, adds to the best section's score and, `against`, to its lead over
        the runner-up, and to the popularity score; largest effect first."""
        rows = Rows.from_articles([_article(article)])
        found: list[Contribution] = []
        if self.sections is not None:
            found.extend(self.sections.explain(rows))
        if self.popularity is not None:
            found.extend(self.popularity.explain(self.popularity_rows(rows)))
        return found

    def popularity_rows(self, rows: Rows) -> Rows:
        """The rows as the popularity head wants them: articles without a section have the predicted one."""
        if self.popularity is None or not self.popularity.reads("section"):
            return rows
        found = self.sections.results(rows) if self.sections else [None] * len(rows)
        return with_sections(rows, [result.section if result else None for result in found])

    def _predict_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        from classifier.batches import predict_batch

        return predict_batch(self, batch)

    def text_sums(self, rows: Rows) -> tuple[TextSums | None, TextSums | None]:
        """What the texts add to both heads' scores, each text read once; nothing where each head is to read for itself.

        Raises:
            FieldError: a text that cannot be read.
        """
        if self._text is None:
            return None, None
        of_sections, of_popularity = self._text.sums(rows)
        return of_sections, of_popularity

    def results(self, article: Article) -> tuple[SectionResult | None, PopularityResult | None]:
        """Both heads' answers, to the same bits as those of many articles, without what arrays cost.

        Raises:
            InputError: the article holds what the model cannot take.
        """
        rows = Rows.from_articles([article])
        of_sections, of_popularity = (None, None) if self._text is None else self._text.one(rows)
        section = self.sections.one(rows, of_sections) if self.sections else None
        if self.popularity is None:
            return section, None
        if self.popularity.reads("section"):
            rows = with_sections(rows, [section.section if section else None])
        return section, self.popularity.one(rows, of_popularity)

    def _predict(self, articles: list[Article]) -> list[Prediction]:
        rows, count = Rows.from_articles(articles), len(articles)
        of_sections, of_popularity = self.text_sums(rows)
        sections = self.sections.results(rows, of_sections) if self.sections else [None] * count
        popularity: Sequence[PopularityResult | None] = [None] * count
        if self.popularity:
            best = [section.section if section else None for section in sections]
            popularity = self.popularity.results(with_sections(rows, best), of_popularity)
        ids = [article.id for article in articles]
        return [self._prediction(*item) for item in zip(ids, sections, popularity, strict=True)]

    def _prediction(
        self, id_: str, section: SectionResult | None, popularity: PopularityResult | None
    ) -> Prediction:
        return Prediction(
            id=id_,
            section=section.section if section else None,
            section_probability=section.probability if section else None,
            decision=section.decision if section else None,
            section_scores=section.scores if section else None,
            popularity_score=popularity.score if popularity else None,
            popularity_percentile=popularity.percentile if popularity else None,
            top5_probability=popularity.top5_probability if popularity else None,
            model=self.name,
            version=self.version,
        )


def load(path: str | os.PathLike[str]) -> Model:
    """Load a version folder, or a model folder's current version. Nothing is unpickled; every array is checked first.

    Raises:
        ArtifactError: missing, damaged, or from a newer Newsdesk; the message names the file.
    """
    return load_version(resolve(Path(path)))


def load_version(folder: VersionFolder) -> Model:
    """Construct the heads of an audited version folder.

    Raises:
        ArtifactError: as `load`.
    """
    heads = folder.manifest.spec("heads")
    if not heads.data or not set(heads.data) <= set(HEADS):
        raise ArtifactDamaged(f"heads must be one or both of {list(HEADS)}", where=folder.manifest.place)
    sections = popularity = None
    if "sections" in heads.data:
        sections = SectionHead.load(heads.spec("sections"), folder.arrays("sections"))
    if "popularity" in heads.data:
        popularity = PopularityHead.load(heads.spec("popularity"), folder.arrays("popularity"))
    return Model(folder.model, folder.version, folder.manifest.data, sections, popularity)


def with_sections(rows: Rows, predicted: Sequence[str | None]) -> Rows:
    """The rows with one `section` each: the article's own, else the first of its own `sections`, else the predicted one."""
    own = zip(rows.values("section"), rows.values("sections"), predicted, strict=True)
    return rows.with_values("section", [one or (many[0] if many else best) for one, many, best in own])


def _article(article: OneArticle) -> Article:
    if isinstance(article, Article):
        return article
    if not isinstance(article, Mapping):
        raise _no_article(article)
    return Article.from_mapping(article)


def _no_article(
    value: object, forms: str = "an Article or a mapping, a list of them, or a record batch"
) -> UsageError:
    return UsageError(f"a {type(value).__name__} is no article", remedy=f"give {forms}")

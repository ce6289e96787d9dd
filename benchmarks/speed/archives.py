"""Archives to score in batch, the models that score them, and the contenders: Newsdesk, its text core alone, and a
script by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

import classifier
from benchmarks.speed.models import WORDS, fit_pipeline, load_pipeline, same_model, vectorizer
from benchmarks.speed.texts import Articles, data_folder
from benchmarks.speed.workers import Absent, Contender
from classifier.artifact import write_version
from classifier.calibration import Calibration
from classifier.decisions import Decisions, Threshold
from classifier.popularity import DAYS, QUANTILES, PopularityHead, Top5Curve
from classifier.reading import read_all
from classifier.reading.encoders import GROUP_ROWS
from classifier.reading.json_lines import json_lines
from classifier.sections import SectionHead
from classifier.text.rows import TEXT, Rows
from service.batch import score_files
from training.sample import PAGES

COLUMNS = ("id", "headline", "summary", "body", "published_at", "source", "url")
_GROUP = 100_000  # rows of a group of the archive


def fit_models(articles: Articles, counts: tuple[list[str], list[float]], folder: Path) -> None:
    """Both models as scikit-learn's pipelines (`sections.joblib`, `popularity.joblib`), and the same weights as a version
    under `model`."""
    fit_pipeline(WORDS, articles, folder / "sections.joblib")
    popular = make_pipeline(vectorizer(WORDS), Ridge(alpha=4.0, solver="sparse_cg", tol=1e-3))
    joblib.dump(popular.fit(counts[0], np.log1p(counts[1])), folder / "popularity.joblib")
    sections = load_pipeline(folder / "sections.joblib")
    heads: dict[str, Any] = {
        "sections": _section_head(sections),
        "popularity": _popularity_head(load_pipeline(folder / "popularity.joblib")),
    }
    arrays = {f"{name}.{own}": a for name, head in heads.items() for own, a in head.arrays().items()}
    version = write_version(
        folder / "model",
        heads={name: head.spec() for name, head in heads.items()},
        arrays=arrays,
        facts={},
        documents={},
        created=datetime.now(UTC),
    )
    (folder / "version").write_text(str(version.path), "utf-8")


def _section_head(pipeline: Any) -> SectionHead:
    labels = tuple(map(str, pipeline[-1].classes_))
    calibration = Calibration("temperature", False, np.ones(len(labels)), np.zeros(len(labels)))
    decisions = Decisions(0.95, (Threshold(0.95, 0.8),))
    return SectionHead(same_model(pipeline, TEXT), labels, False, calibration, decisions)


def _popularity_head(pipeline: Any) -> PopularityHead:
    linear = same_model(pipeline, TEXT)
    quantiles = np.linspace(-1.0, 1.0, QUANTILES)[None, :] + linear.intercept[0]
    sizes = np.full((1, DAYS), 50.0)
    curve = Top5Curve(-linear.intercept[0], 1.0, -0.5)
    return PopularityHead(linear, (), quantiles, sizes, curve, np.zeros(linear.width))


def load_articles(name: str | None) -> pa.Table:
    """The test part of a data set, or the bundled newspaper: the archive is this, again and again."""
    if name is None:
        table = read_all([str(PAGES)]).articles
    else:
        table = pq.read_table(data_folder() / f"{name}.parquet")
        table = table.filter(pc.equal(table.column("split"), "test"))
    columns = {column: table.column(column) for column in COLUMNS if column in table.column_names}
    strings = {
        column: own if pa.types.is_timestamp(own.type) else own.cast(pa.string())
        for column, own in columns.items()
    }
    return pa.table(strings)


def load_counts(name: str | None) -> tuple[list[str], list[float]]:
    """Texts and counts of the training part that the popularity model learns from."""
    if name is None:
        table = read_all([str(PAGES)]).articles
        texts = table.column("headline").to_pylist()
        return texts, [float(len(text)) for text in texts]
    table = pq.read_table(data_folder() / f"{name}.parquet")
    table = table.filter(pc.not_equal(table.column("split"), "test"))
    texts = [
        f"{a or ''}\n{b or ''}"
        for a, b in zip(*(table.column(c).to_pylist() for c in ("headline", "summary")), strict=True)
    ]
    return texts, table.column("popularity").to_pylist()


def _repeated(articles: pa.Table, count: int) -> Iterator[pa.Table]:
    """`count` rows in pieces, with ids of their own."""
    made = 0
    while made < count:
        piece = articles.slice(0, min(len(articles), count - made))
        ids = pc.binary_join_element_wise(piece.column("id").cast(pa.string()), str(made), "-")
        made += len(piece)
        yield piece.set_column(piece.schema.get_field_index("id"), "id", ids)


def write_archive(path: Path, articles: pa.Table, count: int) -> None:
    """`count` articles as Parquet or JSON Lines."""
    if path.suffix == ".jsonl":
        with path.open("wb") as file:
            for piece in _repeated(articles, count):
                for batch in piece.combine_chunks().to_batches():
                    file.write(json_lines(batch))
        return
    with pq.ParquetWriter(path, articles.schema, compression="zstd") as writer:
        for piece in _repeated(articles, count):
            writer.write_table(piece.combine_chunks(), row_group_size=_GROUP)


def newsdesk_batch(folder: Path, archive: Path, output: str) -> Contender:
    """`newsdesk score`, from file to file; how many articles."""
    model = classifier.load((folder / "version").read_text("utf-8"))

    def run() -> int:
        target = folder / output
        target.unlink(missing_ok=True)
        return score_files(model, [str(archive)], str(target)).articles

    return run


def text_core(folder: Path, archive: Path, count: int) -> Contender:
    """Scores of both heads of articles in memory; how many."""
    model = classifier.load((folder / "version").read_text("utf-8"))
    table = pq.read_table(archive).slice(0, count).combine_chunks()
    batches = table.to_batches(GROUP_ROWS)
    heads = [head.linear for head in (model.sections, model.popularity) if head is not None]

    def run() -> int:
        for batch in batches:
            for head in heads:
                head.scores(Rows.from_batch(batch))
        return len(table)

    return run


def by_hand(folder: Path, archive: Path, count: int) -> Contender:
    """What one writes with pandas and scikit-learn, of the first `count` articles; how many.

    Raises:
        Absent: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise Absent(f"pandas is not installed ({error}): pip install -e '.[bench]'") from error
    sections, popularity = (load_pipeline(folder / f"{name}.joblib") for name in ("sections", "popularity"))
    part = folder / "part.parquet"
    pq.write_table(pq.read_table(archive).slice(0, count), part)

    def run() -> int:
        frame = pd.read_parquet(part)
        text = frame["headline"] + "\n" + frame["summary"] + "\n" + frame["body"]
        scores = sections.decision_function(text)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        frame["section"] = sections[-1].classes_[shares.argmax(axis=1)]
        frame["section_probability"] = shares.max(axis=1)
        frame["popularity_score"] = popularity.predict(text)
        frame[["id", "section", "section_probability", "popularity_score"]].to_parquet(
            folder / "hand.parquet"
        )
        return len(frame)

    return run

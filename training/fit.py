"""Training from start to end: a dataset becomes a version folder, whole or not at all."""

from __future__ import annotations

import difflib
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from classifier.articles import ARTICLE_FIELDS
from classifier.artifact import VersionFolder, model_name, write_version
from classifier.errors import ConfigError, LabelError
from classifier.model import Model
from classifier.reading import Reading
from classifier.store import ModelFolder
from classifier.text.rows import LENGTHS, NO_URL, START, TEXT
from classifier.text.values import as_number
from training.baselines import popularity_tables, section_tables
from training.config import ALWAYS, CATEGORICAL, Config
from training.corpus import Corpus, Ids
from training.dataset import Dataset, build_dataset, describe, fingerprint, judgements_of
from training.evaluation import Evaluation, evaluate
from training.folders import check_model_folder
from training.hygiene import FILE_NAME as HYGIENE_FILE
from training.inspection import inspect_training, report_content
from training.labels import NO_JUDGEMENTS, Judgements, label_notes, standardised_targets, training_targets
from training.notes import section_notes
from training.popularity.head import FittedPopularity, fit_popularity
from training.popularity.recipes import BUILT_IN, Feature
from training.recipes import BlockRecipe
from training.report import write_card, write_report
from training.report.content import ReportContent
from training.sections import FittedSections, fit_sections

Progress = Callable[[str], None]
_MADE = (*BUILT_IN, TEXT, START, NO_URL)  # columns that rows have, whatever the articles have
_LIBRARIES = ("numpy", "pyarrow", "scikit-learn", "scipy", "joblib")


@dataclass(frozen=True, slots=True)
class Fitted:
    """Both heads (None where there was nothing to learn from) and the notes that the user should see.

    `corpus` and `clusters` (n,) are the training articles that both heads were fitted on.
    """

    sections: FittedSections | None
    popularity: FittedPopularity | None
    baselines: dict[str, Any]
    notes: tuple[str, ...]
    corpus: Corpus
    clusters: Ids


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What `train` wrote and found; `seconds` of wall time."""

    folder: VersionFolder
    promoted: bool
    evaluation: Evaluation
    data: dict[str, Any]
    notes: tuple[str, ...]
    seconds: float = field(compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The object that `train --json` prints."""
        return {
            **self.evaluation.to_dict(),
            "seconds": round(self.seconds, 3),
            "model": str(self.folder.path.parent),
            "version": str(self.folder.path),
            "promoted": self.promoted,
            "data": self.data,
            "notes": list(self.notes),
        }


def fit(
    dataset: Dataset, config: Config, *, progress: Progress = lambda step: None, hash_key: int = 0
) -> Fitted:
    """Fit every head that the training part has labels for, on one BLAS thread so that the arrays are reproducible.
    `hash_key` keys the hashes of n-grams.

    The same articles in another order give other folds and so other arrays, though of the same quality.

    Raises:
        LabelError: neither head can be fitted; the message says why for each.
        ConfigError: a column that the configuration names is not there.
    """
    check_columns(dataset.corpus, config)
    corpus = replace(dataset.corpus.take(dataset.split.train), hash_key=hash_key)
    clusters = dataset.clusters[dataset.split.train]
    notes: list[str] = []
    failures: list[LabelError] = []
    sections = popularity = None
    judgements, others, boxes = judgements_of(
        dataset.corpus, dataset.train_boxes, config, dataset.split.train
    )
    if len(others) and not np.isfinite(standardised_targets(judgements, len(corpus))).any():
        judgements, others = others, NO_JUDGEMENTS  # counts that are all equal decide nothing
    targets = training_targets(judgements, others, len(corpus))
    with threadpool_limits(1):
        try:
            progress("fitting the section head")
            sections = fit_sections(corpus, clusters, config, progress)
            notes += section_notes(sections, dataset, config)
        except LabelError as error:
            failures.append(error)
        try:
            progress("fitting the popularity head")
            popularity = _popularity(corpus, targets, judgements, config, progress)
        except LabelError as error:
            failures.append(error)
    if sections is None and popularity is None:
        raise LabelError(
            " and ".join(error.problem for error in failures),
            remedy=" or ".join(error.remedy for error in failures if error.remedy),
        )
    missing = "section" if sections is None else "popularity"
    notes += [f"no {missing} head: {error.problem}" for error in failures]
    notes += label_notes(dataset.corpus, boxes)
    baselines = {"sections": section_tables(corpus), "popularity": popularity_tables(corpus, targets)}
    return Fitted(sections, popularity, baselines, tuple(notes), corpus, clusters)


def _popularity(
    corpus: Corpus,
    targets: NDArray[np.float64],
    judgements: Judgements,
    config: Config,
    progress: Progress,
) -> FittedPopularity:
    if not len(judgements) and np.isfinite(corpus.popularity).any():
        raise LabelError(
            "no training article with a popularity has a group or a time to compare it within",
            remedy="give published_at, or a popularity_group column",
        )
    if not len(judgements):
        raise LabelError(
            "no training article has a popularity, is listed in a ranking box or is told apart by clicks",
            remedy="give a popularity column (or map one: --column popularity=…), ranking boxes or clicks",
        )
    return fit_popularity(corpus, targets, judgements, config, progress)


def check_columns(corpus: Corpus, config: Config) -> None:
    """Every column that is to be a feature must be there, and one of numbers must hold some.

    Raises:
        ConfigError: naming the one that is not, and the closest.
    """
    names = [name for name in corpus.table.schema.names if name not in ARTICLE_FIELDS or name in CATEGORICAL]
    for column, setting, is_number in _named(config):
        if column == "section" and setting != "fit.section_blocks":
            continue
        if column in _MADE and setting != "fit.section_blocks":
            raise ConfigError(
                f'{setting}: "{column}" is the name of a feature that is made without a column',
                remedy="give the column another name",
            )
        if column in LENGTHS and not is_number:
            raise ConfigError(
                f'{setting}: "{column}" is a number',
                remedy=f'name it in features.numeric, or write "{column} numeric" in fit.popularity_features',
            )
        known = [*names, *LENGTHS] if is_number else names
        if column not in known:
            close = difflib.get_close_matches(column, known, n=1)
            raise ConfigError(
                f'{setting}: the articles have no column "{column}"',
                remedy=f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(names)}",
            )
        if is_number and all(as_number(value) is None for value in corpus.rows.values(column)):
            raise ConfigError(
                f'{setting}: the column "{column}" holds no numbers',
                remedy="name it as a category: features.categorical",
            )


def _named(config: Config) -> Iterator[tuple[str, str, bool]]:
    """Every column that is to be a feature, the setting that names it, and whether as a number."""
    features = config.features
    for name in features.categorical:
        if name not in ALWAYS:
            yield name, "features.categorical", False
    for name in features.numeric:
        yield name, "features.numeric", True
    for name in features.nuisance:
        yield name, "features.nuisance", False
    for feature in map(Feature.parse, config.fit.popularity_features):
        for column in feature.columns:
            is_number = feature.kind == "numeric" and column == feature.block.column
            yield column, "fit.popularity_features", is_number
    for block in map(BlockRecipe.parse, config.fit.section_blocks):
        if block.analyzer is None:
            yield block.column, "fit.section_blocks", False


def train(
    reading: Reading,
    out: Path,
    config: Config,
    *,
    now: datetime | None = None,
    progress: Progress = lambda step: None,
    command: str = "",
) -> TrainResult:
    """Fit, evaluate on what is held out, and write a version under the model folder `out`.

    `command` is how training was called, for the model card. A model's first version becomes its current one; later ones
    wait for `newsdesk models promote`.

    Raises:
        LabelError: nothing to learn from.
        OutputError: the folder cannot be written.
    """
    started = time.perf_counter()
    check_model_folder(out)
    progress("finding near-duplicates, splitting")
    dataset = build_dataset(reading, config)
    data_fingerprint = fingerprint(reading.articles, reading.boxes, reading.clicks)
    fitted = fit(dataset, config, progress=progress, hash_key=int(data_fingerprint[:16], 16))
    created = now or datetime.now(UTC)
    facts: dict[str, Any] = {
        "configuration": config.to_dict(),
        "libraries": library_versions(),
        "data": {
            "fingerprint": data_fingerprint,
            "split": dataset.split.how,
            "train": describe(dataset.corpus, dataset.split.train),
            "test": describe(dataset.corpus, dataset.split.test),
            "train_boxes": len(dataset.train_boxes),
            "test_boxes": len(dataset.test_boxes),
            "timezone": dataset.corpus.timezone,
        },
        "sections": fitted.sections.facts() if fitted.sections else None,
        "popularity": fitted.popularity.facts() if fitted.popularity else None,
        "baselines": fitted.baselines,
    }
    model = Model(
        model_name(out),
        "",
        facts,
        fitted.sections.head if fitted.sections else None,
        fitted.popularity.head if fitted.popularity else None,
    )
    progress("evaluating on the held-out articles")
    evaluation = evaluate_test(model, dataset, config)
    facts["metrics"] = evaluation.to_dict()
    inspection = None
    if fitted.sections is not None:
        progress("looking for doubtful labels")
        with threadpool_limits(1):
            inspection = inspect_training(fitted.sections, fitted.corpus, fitted.clusters)
    content = report_content(evaluation, inspection=inspection, command=command)
    progress("writing the version")
    documents = _documents(model_name(out), fitted, facts, content, created)
    if inspection is not None:
        documents[HYGIENE_FILE] = inspection.hygiene_jsonl
    folder = _write(out, fitted, facts, documents, created)
    store = ModelFolder(out)
    promoted = store.current() is None
    if promoted:
        store.promote(folder.version)
    seconds = time.perf_counter() - started
    return TrainResult(folder, promoted, evaluation, facts["data"], fitted.notes, seconds)


def evaluate_test(model: Model, dataset: Dataset, config: Config) -> Evaluation:
    """The metrics on the test part of a dataset."""
    test = dataset.split.test
    judgements, _, _ = judgements_of(dataset.corpus, dataset.test_boxes, config, test)
    return evaluate(model, dataset.corpus.take(test), judgements, leaked=dataset.split.leaked[test])


def library_versions() -> dict[str, str]:
    """Versions of Python, Newsdesk and the libraries that decide the arrays."""
    found = {"python": platform.python_version()}
    for name in ("newsdesk", *_LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def _documents(
    name: str, fitted: Fitted, facts: dict[str, Any], content: ReportContent, created: datetime
) -> dict[str, bytes]:
    """What stands beside the arrays, for people."""
    found: dict[str, bytes] = {}
    if fitted.sections is not None:
        buffer = BytesIO()
        joblib.dump(fitted.sections.pipeline, buffer)
        found["pipeline.joblib"] = buffer.getvalue()
    found["card.md"] = write_card(name, facts, fitted.notes, created, content).encode()
    found["report.html"] = write_report(name, facts, fitted.notes, created, content).encode()
    return found


def _write(
    out: Path, fitted: Fitted, facts: dict[str, Any], documents: dict[str, bytes], created: datetime
) -> VersionFolder:
    heads: dict[str, dict[str, Any]] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for name, part in (("sections", fitted.sections), ("popularity", fitted.popularity)):
        if part is not None:
            heads[name] = part.head.spec()
            arrays.update({f"{name}.{key}": array for key, array in part.head.arrays().items()})
    return write_version(out, heads=heads, arrays=arrays, facts=facts, documents=documents, created=created)

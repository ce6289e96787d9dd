"""How right the predictions are, on real articles, beside what a newsroom would do by hand.

    NEWSDESK_DATA=/path/to/data python -m benchmarks.quality           everything, about half an hour on two cores
    NEWSDESK_DATA=/path/to/data python -m benchmarks.quality bbc sets  those parts; the other figures stay

Trains with default settings, evaluates on each data set's test part, prints a table, and keeps the figures in
benchmarks/results/quality.json, from which `python -m benchmarks.tables` makes README's table. Every run is a run on a test
part: log it in docs/TEST_RUNS.md.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.svm import LinearSVC

from classifier.model import Model, load_version
from classifier.reading import Reading, read_all
from classifier.reading.base import ReadOptions
from training.baselines import popularity_tables
from training.config import Config, parse_config
from training.corpus import Corpus, make_corpus
from training.dataset import build_dataset, judgements_of
from training.duplicates import near_duplicates
from training.evaluation import evaluate_reading
from training.fit import evaluate_test, train
from training.labels import training_targets
from training.metrics import accuracy, evaluate_popularity, macro_f1, micro_f1
from training.popularity.head import fit_popularity
from training.popularity.sources import group_sizes, source_names, weekdays
from training.refit import evaluate_folds, evaluate_forward
from training.splits import stratified_folds

BY_HAND = "scikit-learn by hand"
RESULTS = Path(__file__).parent / "results" / "quality.json"
ORDER = (("ndcg_at_10", "popularity, nDCG@10"), ("top5_overlap", "popularity, top-5 overlap"))
BRIER, CALIBRATION = "chance of the top 5, Brier score", "chance of the top 5, calibration error"
SECTION_SETS = ("headlines_in", "naver_most_viewed", "nyt_popular")
_SETS_OF = 0.2  # the share of headlines_in that is held out at random for the prediction sets


def sections(data: Path, name: str, scratch: Path) -> Iterator[dict[str, Any]]:
    """Newsdesk and a plain scikit-learn pipeline on the same split of single labels."""
    # Popularity has rows of its own.
    reading = read_all([str(data / f"{name}.parquet")], ReadOptions(ignore=frozenset({"popularity"})))
    found = train(reading, scratch / name, Config()).evaluation.sections or {}
    yield _row(name, "section, accuracy", "Newsdesk", found["accuracy"], found["intervals"]["accuracy"])
    dataset = build_dataset(reading, Config())
    train_part, test_part = (dataset.corpus.take(mask) for mask in (dataset.split.train, dataset.split.test))
    yield _row(name, "section, accuracy", BY_HAND, _by_hand(train_part, test_part))
    yield _row(name, "section, calibration error", "Newsdesk", found["ece"])
    surest = found["file"][-1]
    if surest["precision"] is not None:
        yield _row(name, "filed at target 0.99: precision", "Newsdesk", surest["precision"])
        yield _row(name, "filed at target 0.99: coverage", "Newsdesk", surest["coverage"])


def folds(data: Path, name: str, count: int) -> Iterator[dict[str, Any]]:
    """The same in stratified folds, copies dropped: each fold chooses its recipe anew."""
    reading = read_all([str(data / f"{name}.parquet")])
    found = evaluate_folds(reading, Config(), count).sections or {}
    metric = f"section, accuracy in {count} folds"
    yield _row(name, metric, "Newsdesk", found["accuracy"], found["intervals"]["accuracy"])
    corpus = make_corpus(reading.articles)
    _, first = np.unique(corpus.texts, return_index=True)
    corpus = corpus.take(np.sort(first))
    fold = stratified_folds(near_duplicates(corpus.texts), corpus.labels, count)
    right = sum(
        _by_hand(corpus.take(fold != number), corpus.take(fold == number)) * (fold == number).sum()
        for number in range(count)
    )
    yield _row(name, metric, BY_HAND, float(right) / len(corpus))


def topics(data: Path, scratch: Path) -> Iterator[dict[str, Any]]:
    """Several labels a text, beside one machine a label that says yes above 0."""
    name = "reuters90"
    reading = read_all([str(data / f"{name}.parquet")])
    found = train(reading, scratch / name, Config()).evaluation.sections or {}
    dataset = build_dataset(reading, Config())
    parts = [dataset.corpus.take(mask) for mask in (dataset.split.train, dataset.split.test)]
    binarizer = MultiLabelBinarizer().fit([*parts[0].labels, *parts[1].labels])
    truth = [binarizer.transform(part.labels).astype(bool) for part in parts]
    plain = make_pipeline(_tfidf((1, 1)), OneVsRestClassifier(LinearSVC()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # labels that only the test part has
        plain.fit(parts[0].texts, truth[0])
    by_hand = plain.predict(parts[1].texts).astype(bool)
    for metric, value, other in (
        ("sections, micro-F1", found["micro_f1"], micro_f1(truth[1], by_hand)),
        ("sections, macro-F1", found["macro_f1"], macro_f1(truth[1], by_hand)),
    ):
        yield _row(name, metric, "Newsdesk", value)
        yield _row(name, metric, BY_HAND, other)


def exchangeable(data: Path, scratch: Path) -> Iterator[dict[str, Any]]:
    """Prediction sets where their guarantee applies: a random split, whatever the time."""
    reading = read_all([str(data / "headlines_in.parquet")])
    articles = reading.articles
    held = np.random.default_rng(0).random(articles.num_rows) < _SETS_OF
    sides = pa.array(np.where(held, "test", "train").tolist(), articles.schema.field("split").type)
    at = articles.schema.get_field_index("split")
    mixed = replace(reading, articles=articles.set_column(at, "split", sides))
    found = train(mixed, scratch / "mixed", Config()).evaluation.sections or {}
    for item in found["sets"]:
        metric = f"prediction sets of {item['level']:g}"
        yield _row("headlines_in, random split", f"{metric}: coverage", "Newsdesk", item["coverage"])
        yield _row("headlines_in, random split", f"{metric}: sections", "Newsdesk", item["mean_size"])


def _tfidf(ngrams: tuple[int, int]) -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=ngrams, min_df=2, sublinear_tf=True)


def _by_hand(train_part: Corpus, test_part: Corpus) -> float:
    """The accuracy of what the documentation of scikit-learn suggests, on the articles that have a section."""
    labelled = [
        part.take(np.array([bool(own) for own in part.labels], np.bool_)) for part in (train_part, test_part)
    ]
    pipeline = make_pipeline(_tfidf((1, 2)), LinearSVC())
    pipeline.fit(labelled[0].texts, [own[0] for own in labelled[0].labels])
    return accuracy([own[0] for own in labelled[1].labels], pipeline.predict(labelled[1].texts))


def popularity(data: Path, scratch: Path) -> Iterator[dict[str, Any]]:
    """Trained from counts, and from ranking boxes alone; the same test days, counts the truth of both."""
    articles = str(data / "outlets_reactions.parquet")
    reading = read_all([articles])
    counts = train(reading, scratch / "counts", Config()).evaluation.popularity or {}
    blind = read_all(
        [articles, str(data / "outlets_ranking_boxes.parquet")], ReadOptions(ignore=frozenset({"popularity"}))
    )
    boxes = train(blind, scratch / "boxes", Config())
    from_boxes = evaluate_reading(load_version(boxes.folder), reading, Config(), "test").popularity or {}
    yield from _chances("outlets_reactions", counts, _brier_of_usual_sizes(reading))
    for metric, shown in ORDER:
        for who, found in (
            ("Newsdesk, from counts", counts),
            ("Newsdesk, from printed boxes alone", from_boxes),
        ):
            yield _row("outlets_reactions", shown, who, found[metric], found["intervals"][metric])
        for baseline in ("source_hour", "random"):
            shown_name = baseline.replace("source_hour", "source × hour")
            yield _row("outlets_reactions", shown, shown_name, counts["baselines"][baseline][metric])


def forward(data: Path) -> Iterator[dict[str, Any]]:
    """The same days, each predicted by a fit on everything before it, as a newsroom that trains every night would."""
    reading = read_all([str(data / "outlets_reactions.parquet")])
    found = evaluate_forward(reading, Config(), 1).popularity or {}
    who = "Newsdesk, trained every night"
    yield _row("outlets_reactions", BRIER, who, found["top5_brier"], found["intervals"]["top5_brier"])
    yield _row("outlets_reactions", CALIBRATION, who, found["top5_ece"])
    for metric, shown in ORDER:
        yield _row("outlets_reactions", shown, who, found[metric], found["intervals"][metric])


def views(data: Path) -> Iterator[dict[str, Any]]:
    """Page views of a Korean portal's most viewed articles: the order within the list."""
    name = "naver_most_viewed"
    found = popularity_only(data, name, Config())
    for metric, shown in ORDER:
        yield _row(name, shown, "Newsdesk", found[metric], found["intervals"][metric])
        for baseline in ("source", "random"):
            yield _row(name, shown, baseline, found["baselines"][baseline][metric])


def flags(data: Path) -> Iterator[dict[str, Any]]:
    """Many comments or not, with what a desk knows of an item before it is published."""
    name = "nyt_popular"
    named = {"categorical": ["section", "desk", "subsection", "hour"], "numeric": ["word_count"]}
    found = popularity_only(data, name, parse_config({"features": named}))
    yield _row(name, "popularity, AUC", "Newsdesk", found["auc"], found["intervals"]["auc"])


def popularity_only(data: Path, name: str, config: Config) -> dict[str, Any]:
    """Without a section head: sections have rows of their own. They stay features."""
    dataset = build_dataset(read_all([str(data / f"{name}.parquet")]), config)
    train_part = dataset.split.train
    judgements, others, _ = judgements_of(dataset.corpus, (), config, train_part)
    corpus = dataset.corpus.take(train_part)
    targets = training_targets(judgements, others, len(corpus))
    head = fit_popularity(corpus, targets, judgements, config).head
    tables = {"baselines": {"popularity": popularity_tables(corpus, targets)}}
    found = evaluate_test(Model(name, "", tables, None, head), dataset, config).popularity
    return found or {}


def _chances(name: str, found: dict[str, Any], usual: float) -> Iterator[dict[str, Any]]:
    yield _row(name, BRIER, "Newsdesk", found["top5_brier"], found["intervals"]["top5_brier"])
    yield _row(name, BRIER, "always 5 over the group's size", found["top5_brier_size"])
    yield _row(name, BRIER, "always 5 over the usual size, as known beforehand", usual)
    yield _row(name, BRIER, "always the base rate", found["top5_brier_base_rate"])
    yield _row(name, CALIBRATION, "Newsdesk", found["top5_ece"])


def _brier_of_usual_sizes(reading: Reading) -> float:
    """Of the chance 5 over the size that a source's days usually have, which is all that is known before a day is over: the
    sizes that a head keeps, without its scores."""
    dataset = build_dataset(reading, Config())
    train_part, test_part = (dataset.corpus.take(mask) for mask in (dataset.split.train, dataset.split.test))
    taught, asked = (
        judgements_of(dataset.corpus, (), Config(), mask)[0]
        for mask in (dataset.split.train, dataset.split.test)
    )
    names, source = source_names(train_part)
    _, group, counts = np.unique(taught.groups, return_inverse=True, return_counts=True)
    sizes = group_sizes(train_part, taught, counts[group].astype(float), source, len(names))
    place = {name: i + 1 for i, name in enumerate(names)}
    of_test = np.array([place.get(str(one), 0) for one in test_part.rows.values("source")])
    chances = np.minimum(5.0 / sizes[of_test, weekdays(test_part)], 1.0)[asked.rows]
    nothing = np.zeros(len(asked))
    found = evaluate_popularity(
        asked.values, nothing, asked.groups, flags=asked.flags, top5_probability=chances
    ).top5_brier
    return float("nan") if found is None else found


def _row(
    data: str, metric: str, who: str, value: float, interval: list[float] | None = None
) -> dict[str, Any]:
    rounded = [round(end, 4) for end in interval] if interval else None
    return {"data": data, "metric": metric, "who": who, "value": round(value, 4), "interval": rounded}


def parts(data: Path, scratch: Path) -> dict[str, Callable[[], Iterator[dict[str, Any]]]]:
    """What can be asked for by name, in the order of the table."""
    return {
        "bbc": lambda: folds(data, "bbc", 10),
        **{name: partial(sections, data, name, scratch) for name in SECTION_SETS},
        "sets": lambda: exchangeable(data, scratch),
        "reuters90": lambda: topics(data, scratch),
        "outlets_reactions": lambda: popularity(data, scratch),
        "every_night": lambda: forward(data),
        "naver_views": lambda: views(data),
        "nyt_flags": lambda: flags(data),
    }


def main(names: list[str]) -> None:
    """Run those parts (all if none is named), print as it goes, keep the figures beside those of the others."""
    data = Path(os.environ["NEWSDESK_DATA"])
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        every = parts(data, Path(folder))
        for name in names or every:
            found[name] = []
            for row in every[name]():
                found[name].append(row)
                sys.stdout.write(
                    f"{row['data']:<28} {row['metric']:<34} {row['who']:<36} {row['value']:.4f}\n"
                )
                sys.stdout.flush()
    # Only now: another part may have been run meanwhile.
    others = json.loads(RESULTS.read_text(encoding="utf-8")) if names and RESULTS.exists() else {}
    known = {**others, **found}
    ordered = {name: known[name] for name in every if name in known}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

"""How right the predictions are, on real articles, beside what a newsroom would do by hand.

    NEWSDESK_DATA=/path/to/data python -m benchmarks.quality

Trains with default settings, evaluates on each data set's test part, prints a table, and keeps the figures in
benchmarks/results/quality.json, from which `python -m benchmarks.tables` makes README's table. Every run is a run on a test
part: log it in docs/TEST_RUNS.md.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from classifier.model import load_version
from classifier.reading import read_all
from classifier.reading.base import ReadOptions
from training.config import Config
from training.dataset import build_dataset
from training.evaluation import evaluate_reading
from training.fit import train
from training.metrics import accuracy

RESULTS = Path(__file__).parent / "results" / "quality.json"
SECTION_SETS = ("bbc", "headlines_in")


def sections(data: Path, name: str, scratch: Path) -> Iterator[dict[str, Any]]:
    """Newsdesk and a plain scikit-learn pipeline on the same split."""
    reading = read_all([str(data / f"{name}.parquet")])
    result = train(reading, scratch / name, Config())
    found = result.evaluation.sections or {}
    yield _row(name, "section, accuracy", "Newsdesk", found["accuracy"], found["intervals"]["accuracy"])
    dataset = build_dataset(reading, Config())
    part = [dataset.corpus.take(mask) for mask in (dataset.split.train, dataset.split.test)]
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), LinearSVC())
    pipeline.fit(part[0].texts, [labels[0] for labels in part[0].labels])
    by_hand = accuracy([labels[0] for labels in part[1].labels], pipeline.predict(part[1].texts))
    yield _row(name, "section, accuracy", "scikit-learn by hand", by_hand)


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
    for metric, shown in (
        ("ndcg_at_10", "popularity, nDCG@10"),
        ("top5_overlap", "popularity, top-5 overlap"),
    ):
        for who, found in (
            ("Newsdesk, from counts", counts),
            ("Newsdesk, from printed boxes alone", from_boxes),
        ):
            yield _row("outlets_reactions", shown, who, found[metric], found["intervals"][metric])
        for baseline in ("source_hour", "random"):
            shown_name = baseline.replace("source_hour", "source × hour")
            yield _row("outlets_reactions", shown, shown_name, counts["baselines"][baseline][metric])


def _row(
    data: str, metric: str, who: str, value: float, interval: list[float] | None = None
) -> dict[str, Any]:
    rounded = [round(end, 4) for end in interval] if interval else None
    return {"data": data, "metric": metric, "who": who, "value": round(value, 4), "interval": rounded}


def main() -> None:
    """Run everything, print as it goes, keep the figures."""
    data = Path(os.environ["NEWSDESK_DATA"])
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        parts = [sections(data, name, Path(folder)) for name in SECTION_SETS] + [
            popularity(data, Path(folder))
        ]
        for part in parts:
            for row in part:
                rows.append(row)
                sys.stdout.write(
                    f"{row['data']:<20} {row['metric']:<28} {row['who']:<36} {row['value']:.4f}\n"
                )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

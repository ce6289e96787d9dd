"""The popularity head beside boosted trees: LightGBM's lambdarank and XGBoost's rank:ndcg.

    NEWSDESK_DATA=/path/to/data python -m benchmarks.popularity            both data sets, half an hour on two cores
    NEWSDESK_DATA=/path/to/data python -m benchmarks.popularity --data naver_most_viewed --trials 5
    python -m benchmarks.popularity --quick --data sample                  does it run? Nothing is kept

Needs the `bench` extra. Newsdesk is trained with default settings. Each library gets 30 trials, on 150 SVD dimensions of
the text and on the very features of Newsdesk's head; its settings are chosen by walking forward inside the training part
(fitted on the older 80 % of its days, judged on the newest 20 %), and it is fitted once more on all of it. The figures are
kept in benchmarks/results/popularity.json (not those of fewer trials), from which `python -m benchmarks.tables` makes the
tables. Every run without --quick is a run on a test part: log it in docs/TEST_RUNS.md. With --quick only the newest tenth
of the training days is used, part of it as the test.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.boosting.rankers import RANKERS, Ranker, choose
from benchmarks.boosting.views import VIEWS, Side, View, make_sides, seconds_of_text
from classifier.reading import Reading, read_all
from training.config import Config, parse_config
from training.corpus import Mask
from training.dataset import Dataset, build_dataset, judgements_of
from training.fit import fit
from training.labels import Judgements
from training.metrics import PopularityMetrics, bootstrap_mean, evaluate_popularity, paired_difference
from training.popularity.head import FittedPopularity
from training.sample import PAGE_VIEWS, PAGES

RESULTS = Path(__file__).parent / "results" / "popularity.json"
DATA = ("outlets_reactions", "naver_most_viewed")
SAMPLE = "sample"
TRIALS, QUICK_TRIALS = 30, 2
_QUICK_DAYS, _QUICK_SHARE = 30, 0.1
_OLDER = 0.8
METRICS = ("ndcg_at_10", "top5_overlap", "pairwise_accuracy")
# Nobody asks for sections here: their recipe is given, so that none is chosen. The popularity head keeps its defaults.
_SECTIONS = {
    "section_blocks": ["headline word(1,1)"],
    "section_c": 1.0,
    "section_balance": 0.0,
    "section_half_life": 0.0,
}


def say(line: str) -> None:
    sys.stderr.write(line + "\n")


def read(name: str) -> Reading:
    """A data set by name."""
    if name == SAMPLE:
        return read_all([str(PAGES), str(PAGE_VIEWS)])
    return read_all([str(Path(os.environ["NEWSDESK_DATA"]) / f"{name}.parquet")])


def few_days(reading: Reading) -> Reading:
    """The newest tenth of the training part's days, at least 30, without a split: the test part stays unseen."""
    dataset = build_dataset(reading, Config())
    train = dataset.corpus.take(dataset.split.train & ~dataset.corpus.from_box)
    days = np.array([day or "" for day in train.days], np.str_)
    known = np.unique(days)
    kept = days >= known[-min(len(known), max(_QUICK_DAYS, round(len(known) * _QUICK_SHARE)))]
    articles = train.take(kept).table
    none = pa.nulls(articles.num_rows, articles.schema.field("split").type)
    articles = articles.set_column(articles.schema.get_field_index("split"), "split", none)
    return replace(reading, articles=articles, boxes=reading.boxes.slice(0, 0))


class _Stopwatch:
    """Hears of each step of `fit`; `seconds` since the popularity head's turn."""

    def __init__(self) -> None:
        self._started: float | None = None

    def __call__(self, step: str) -> None:
        if self._started is None and "popularity head" in step:
            self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        if self._started is None:
            raise RuntimeError("training.fit.fit did not say when it came to the popularity head")
        return time.perf_counter() - self._started


def newsdesk(dataset: Dataset, settings: dict[str, Any]) -> tuple[FittedPopularity, float]:
    """The popularity head with settings of [fit], and the seconds it took from text to calibrated head."""
    watch = _Stopwatch()
    fitted = fit(dataset, parse_config({"fit": {**_SECTIONS, **settings}}), progress=watch)
    if fitted.popularity is None:
        raise SystemExit("; ".join(fitted.notes))
    return fitted.popularity, watch.seconds


@dataclass(frozen=True, slots=True)
class Race:
    """A data set's two sides, Newsdesk's metrics on the test side, the seconds of one fit of its popularity head with the
    recipe known and of choice and fit together, and those that scikit-learn takes for the same TF-IDF."""

    data: str
    train: Side
    test: Side
    ours: PopularityMetrics
    seconds_fit: float
    seconds_all: float
    seconds_text: float
    recipe: dict[str, Any]

    @classmethod
    def prepare(cls, name: str, *, quick: bool) -> Race:
        """Read, split, fit Newsdesk."""
        reading = read(name)
        dataset = build_dataset(few_days(reading) if quick else reading, Config())
        corpus, split = dataset.corpus, dataset.split
        (train, taught), (test, asked) = (
            (corpus.take(mask), judgements_of(corpus, (), Config(), mask)[0])
            for mask in (split.train & ~corpus.from_box, split.test)
        )
        say(f"{name}: {len(train)} training articles, {len(test)} test articles")
        found, seconds_all = newsdesk(dataset, {})
        _, seconds_fit = newsdesk(dataset, found.recipe.to_dict())
        blocks = found.head.linear.blocks
        return cls(
            name,
            *make_sides(blocks, (train, taught), (test, asked)),
            measured(asked, found.head.scores(test.rows)),
            seconds_fit,
            seconds_all,
            seconds_of_text(blocks, train),
            found.recipe.to_dict(),
        )

    def newsdesk(self) -> dict[str, Any]:
        """Newsdesk's row."""
        return {
            **_figures(self.data, "Newsdesk", self.ours),
            "ahead": None,
            "seconds_fit": round(self.seconds_fit, 2),
            "seconds_all": round(self.seconds_all, 2),
            "settings": self.recipe,
        }

    def beside(self, ranker: Ranker, view: View, trials: int) -> dict[str, Any]:
        """The row of one library on one view: choose, fit on the whole training part, measure on the test part.

        TF-IDF, SVD, binning and boosting are in its seconds; crosses of the head it gets for nothing.
        """
        older = older_days(self.train)
        started = time.perf_counter()
        make = view.fit(self.train, older)
        old, new = view.part(make, self.train, older), view.part(make, self.train, ~older)
        say(f"{ranker.name} on {view.name}: {old.features.shape[1]} columns")
        chosen = choose(ranker, old, new, trials, say)
        middle = time.perf_counter()
        make = view.fit(self.train, np.ones(len(older), np.bool_))
        trees = ranker.fit(view.part(make, self.train), chosen.settings, chosen.rounds)
        ended = time.perf_counter()
        theirs = measured(self.test.judgements, trees.scores(make(self.test)))
        seconds_fit, seconds_all = (ended - since + self.seconds_text for since in (middle, started))
        return {
            **_figures(self.data, f"{ranker.name}, {view.name}", theirs),
            "ahead": {metric: self._ahead(theirs, metric) for metric in METRICS},
            "seconds_fit": round(seconds_fit, 2),
            "seconds_all": round(seconds_all, 2),
            "seconds_text": round(self.seconds_text, 2),
            "times_fit": round(seconds_fit / self.seconds_fit, 1),
            "times_all": round(seconds_all / self.seconds_all, 1),
            "settings": {**chosen.settings, "rounds": chosen.rounds},
            "validation_ndcg_at_10": round(chosen.ndcg, 4),
            "columns": old.features.shape[1],
            "version": ranker.version,
        }

    def _ahead(self, theirs: PopularityMetrics, metric: str) -> list[float]:
        """By how much Newsdesk is better, and the interval of that, over groups."""
        found = paired_difference(self.ours.per_group[metric], theirs.per_group[metric])
        return [round(value, 4) for value in (found.mean, found.low, found.high)]


def measured(judgements: Judgements, scores: Any) -> PopularityMetrics:
    """The project's metrics of scores (n,) of all articles of a side."""
    asked = judgements.rows
    return evaluate_popularity(judgements.values, scores[asked], judgements.groups, flags=False)


def older_days(side: Side) -> Mask:
    """(n,) which articles are of the older days, that trials learn from."""
    known = np.unique(side.days)
    return np.asarray(side.days < known[round(len(known) * _OLDER)])


def compare(name: str, *, trials: int, quick: bool) -> Iterator[dict[str, Any]]:
    """Newsdesk's row, then a row a view and library."""
    race = Race.prepare(name, quick=quick)
    yield race.newsdesk()
    for view in VIEWS:
        for ranker in RANKERS:
            yield race.beside(ranker, view, trials)


def _figures(name: str, who: str, metrics: PopularityMetrics) -> dict[str, Any]:
    interval = bootstrap_mean(metrics.per_group["ndcg_at_10"])
    return {
        "data": name,
        "who": who,
        "groups": metrics.groups,
        **{metric: round(getattr(metrics, metric), 4) for metric in METRICS},
        "interval": [round(end, 4) for end in interval],
    }


def keep(name: str, rows: list[dict[str, Any]], trials: int) -> None:
    """Put one data set's figures beside those of the others."""
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    known[name] = {"trials": trials, "cores": os.cpu_count(), "rows": rows}
    ordered = {one: known[one] for one in DATA if one in known}
    RESULTS.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Run, print a JSON object a row as it goes, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.popularity")
    parser.add_argument(
        "--data", action="append", choices=(*DATA, SAMPLE), help="one of them (may be repeated)"
    )
    parser.add_argument("--trials", type=int, help=f"settings tried a library and view (usually {TRIALS})")
    parser.add_argument(
        "--quick", action="store_true", help="two trials on a tenth of the days; nothing is kept"
    )
    asked = parser.parse_args(arguments)
    names = asked.data or DATA
    if "NEWSDESK_DATA" not in os.environ and set(names) & set(DATA):
        parser.error("NEWSDESK_DATA must name the folder of the real articles; see docs/BENCHMARKS.md")
    if asked.trials is not None and asked.trials < 1:
        parser.error("--trials must be 1 or more")
    trials = asked.trials or (QUICK_TRIALS if asked.quick else TRIALS)
    for name in names:
        rows = []
        for row in compare(name, trials=trials, quick=asked.quick):
            rows.append(row)
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        if name in DATA and not asked.quick and trials >= TRIALS:
            keep(name, rows, trials)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Evaluating a configuration by fitting it again: in folds, or walking forward through time as a newsroom would.

Both answer about articles that the fit in question did not see, pool those answers, and measure them once. Each fit
chooses its recipe inside what it learns from (walking forward the first does), but never searches, whatever `[fit] search`
says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from classifier.errors import LabelError, UsageError
from classifier.model import Model
from classifier.reading import Reading
from classifier.text.times import zone
from training.answers import Answers, answers_of, pool
from training.config import MAX_WINDOW_DAYS, Config
from training.corpus import Corpus, Ids, Mask
from training.dataset import Dataset, boxes_in_test, judgements_of, place_box_articles, read_corpus
from training.duplicates import near_duplicates
from training.evaluation import Evaluation, check_evaluation, evaluate_answers, part_of
from training.fit import Fitted, fit
from training.labels import Box, add_box_articles
from training.splits import Split, split_corpus, stratified_folds

Progress = Callable[[str], None]
_LABELS = ("section", "sections", "popularity", "popularity_group")


@dataclass(frozen=True, slots=True)
class _Refit:
    """What is fitted (`learnt`, without the columns that training ignored) and what is measured (`truth`): the same n
    articles, those made from boxes behind."""

    learnt: Corpus
    truth: Corpus
    read: Corpus
    boxes: tuple[Box, ...]
    clusters: Ids
    config: Config


def evaluate_folds(
    reading: Reading,
    config: Config,
    folds: int,
    *,
    split: str | None = None,
    ignored: tuple[str, ...] = (),
    progress: Progress = lambda step: None,
) -> Evaluation:
    """Every article's answer comes from a fit on the other folds: all articles, or those of the part `split`.

    Folds are stratified by label, shuffled with the configured seed, and keep near-duplicates together. They know
    nothing of time. Exact copies of an article count once. What is left of a popularity group for training is smaller
    than the group: read the chances of the top five from walking forward. Ranking boxes teach about the articles outside
    the fold; headline-only articles made from their titles do not teach here, since a title may belong to a page of the
    fold. `ignored` are label columns
    that fitting must not see, though they are measured against.

    Raises:
        UsageError: fewer than two folds, or more than there are articles.
        LabelError: nothing to learn from, or nothing to measure.
    """
    base = _prepare(reading, config, ignored)
    asked = part_of(base.read, split or "all")
    asked = np.append(asked, np.zeros(len(base.truth) - len(asked), np.bool_))
    asked &= _first_of_copies(base.truth)
    labels = [base.truth.labels[i] for i in np.flatnonzero(asked)]
    distinct = len(np.unique(base.clusters[asked]))
    if not 2 <= folds <= distinct:
        raise UsageError(
            f"--folds is {folds}, and there are {distinct} different articles",
            remedy=f"give 2 to {distinct} folds" if distinct > 1 else "give more articles",
        )
    fold = np.full(len(base.truth), -1)
    fold[asked] = stratified_folds(base.clusters[asked], labels, folds, config.fit.seed)
    parts = []
    for number in range(folds):
        progress(f"fold {number + 1} of {folds}")
        split_ = _split(base, asked & (fold != number), fold == number, f"fold {number + 1} of {folds}")
        parts.append(_answers(base, Dataset(base.learnt, base.clusters, split_, base.boxes, ()))[0])
    return _measured(base, parts, asked, np.zeros(len(asked), np.bool_))


def evaluate_forward(
    reading: Reading,
    config: Config,
    days: int,
    *,
    ignored: tuple[str, ...] = (),
    progress: Progress = lambda step: None,
) -> Evaluation:
    """Through the test part (as given, else the newest share): fit on everything published before, answer about the next
    `days` local days, move on.

    Recipes are chosen once, in the first fit, which knows none of the days that are asked about. Articles without a time
    always teach, unless they are in a given test part. Near-duplicates of an earlier article
    stay in, and the figures without them are given too. Boxes teach once they have been printed; those without a time
    when the page that carries them has been published.

    Raises:
        UsageError: `days` is out of range.
        LabelError: the test part has no times, nothing comes before it, or nothing to measure.
    """
    if not 1 <= days <= MAX_WINDOW_DAYS:
        raise UsageError(f"--walk-forward is {days}", remedy=f"give 1 to {MAX_WINDOW_DAYS} days")
    base = _prepare(reading, config, ignored)
    corpus = base.truth
    test = split_corpus(
        corpus, base.clusters, test_share=config.data.test_share, seed=config.fit.seed
    ).test & np.isfinite(corpus.instants)
    if not test.any():
        raise LabelError(
            "walking forward needs the times of the test part, and there are none",
            remedy="give published_at, or use --folds",
        )
    parts: list[Answers] = []
    leaked = np.zeros(len(corpus), np.bool_)
    for first, end, name in _windows(corpus, test, days):
        progress(f"fitting on what came before {name}")
        held = test & (corpus.instants >= first) & (corpus.instants < end)
        dataset = _before(base, first, held, name)
        leaked |= dataset.split.leaked
        answers, fitted = _answers(base, dataset)
        parts.append(answers)
        base = replace(base, config=_settled(base.config, fitted))
    return _measured(base, parts, test, leaked)


def _prepare(reading: Reading, config: Config, ignored: tuple[str, ...]) -> _Refit:
    # A search for every fold would take folds times as long, and what a search found knows the folds' articles.
    config = replace(config, fit=replace(config.fit, search=0))
    read, found = read_corpus(reading, config)
    boxes = tuple(found)
    truth = add_box_articles(read, boxes)
    learnt = truth
    for name in set(ignored).intersection(_LABELS):
        learnt = learnt.with_column(name, [None] * len(learnt))
    clusters = near_duplicates(truth.texts, seed=config.fit.seed)
    return _Refit(learnt, truth, read, boxes, clusters, config)


def _first_of_copies(corpus: Corpus) -> Mask:
    """(n,) whether an article is the first with its texts, labels and popularity: copies count once."""
    seen: set[object] = set()
    first = np.ones(len(corpus), np.bool_)
    rows = zip(corpus.texts, corpus.labels, corpus.popularity.tolist(), corpus.groups, strict=True)
    for i, (text, labels, popularity, group) in enumerate(rows):
        key = (text, labels, None if popularity != popularity else popularity, group)
        first[i] = key not in seen
        seen.add(key)
    return first


def _split(base: _Refit, train: Mask, test: Mask, how: str) -> Split:
    return Split(train, test, how, test & np.isin(base.clusters, base.clusters[train & ~base.truth.from_box]))


def _windows(corpus: Corpus, test: Mask, days: int) -> Iterator[tuple[float, float, str]]:
    """(first instant, instant after the last, first day) of each run of `days` local days that has test articles."""
    own = sorted({date.fromisoformat(day) for day in np.array(corpus.days, object)[test] if day})
    done = date.min
    for day in own:
        if day < done:
            continue
        done = day + timedelta(days=days)
        yield _midnight(day, corpus.timezone), _midnight(done, corpus.timezone), day.isoformat()


def _midnight(day: date, timezone: str) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone(timezone)).timestamp()


def _before(base: _Refit, first: float, held: Mask, name: str) -> Dataset:
    """What was there at the instant `first`."""
    corpus = base.truth
    given = np.array([value or "" for value in corpus.rows.values("split")])
    undated = ~np.isfinite(corpus.instants) & ~corpus.from_box & (given != "test")
    if (given != "").any():
        undated &= given == "train"
    train = undated | (corpus.instants < first)
    later = ~train & ~corpus.from_box
    sides = Split(train, later, name, later)
    known = boxes_in_test(corpus, sides, base.boxes)
    printed = [
        not test and (box.taken_at is None or box.taken_at.timestamp() <= first)
        for box, test in zip(base.boxes, known, strict=True)
    ]
    # The titles' labels, too, are only those of boxes that had been printed.
    read = replace(base.read, table=base.learnt.table.slice(0, len(base.read)))
    learnt = add_box_articles(read, base.boxes, printed)
    split = place_box_articles(
        learnt, base.clusters, _split(base, train, held, name), base.boxes, [not p for p in printed]
    )
    boxes = tuple(box for box, own in zip(base.boxes, printed, strict=True) if own)
    return Dataset(learnt, base.clusters, split, boxes, ())


def _settled(config: Config, fitted: Fitted) -> Config:
    """With the recipes that a fit chose."""
    chosen: dict[str, Any] = {}
    for part in (fitted.sections, fitted.popularity):
        if part is not None:
            recipe = part.recipe.to_dict()
            chosen.update({name: tuple(v) if isinstance(v, list) else v for name, v in recipe.items()})
    return replace(config, fit=replace(config.fit, **chosen))


def _answers(base: _Refit, dataset: Dataset) -> tuple[Answers, Fitted]:
    if not dataset.split.train.any():
        raise LabelError(
            f"there is nothing to learn from before {dataset.split.how}", remedy="give earlier articles, too"
        )
    fitted = fit(dataset, base.config)
    model = Model(
        "refit",
        "",
        {"baselines": fitted.baselines},
        fitted.sections.head if fitted.sections else None,
        fitted.popularity.head if fitted.popularity else None,
    )
    # Of the measured corpus: labels say which articles to ask about, and the section baseline uses the true one.
    return answers_of(model, base.truth, dataset.split.test), fitted


def _measured(base: _Refit, parts: list[Answers], asked: Mask, leaked: Mask) -> Evaluation:
    counted = np.isfinite(base.truth.popularity[asked]).any()
    judgements, _, _ = judgements_of(base.truth, () if counted else base.boxes, base.config, asked)
    rows = np.flatnonzero(asked)[judgements.rows]
    found = evaluate_answers(
        pool(parts), base.truth, replace(judgements, rows=rows), leaked=leaked if leaked.any() else None
    )
    return check_evaluation(found)

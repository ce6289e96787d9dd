"""What the service counts, right under several workers, also those that were killed.

Not prometheus_client's multi-process mode: its files of ended processes stay for ever, it is set up by an environment
variable before it is imported, once a process, and costs several times as much a request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, current_app

from classifier.unknown import count_words
from service.metrics.cells import Cells, collect
from service.metrics.definitions import (
    ARTICLES,
    DECISIONS,
    REJECTED,
    REQUEST_SECONDS,
    UNKNOWN_WORDS,
    VERSION,
    WORDS,
)
from service.metrics.exposition import SUM, exposition, key_of

if TYPE_CHECKING:
    from classifier.articles import Article
    from classifier.model import Model

Decided = tuple[str | None, str | None]  # the best section of an article, and the decision
_KEY = "newsdesk.metrics"
_EVERY = 64  # the share of unknown words is that of every so many articles: looking costs as much as scoring
_ARTICLES, _REJECTED = key_of(ARTICLES), key_of(REJECTED)
_WORDS, _UNKNOWN = key_of(WORDS), key_of(UNKNOWN_WORDS)


class Metrics:
    """The counters of this process, and the sums over all that count in the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cells = Cells(folder)
        self._asked = count()
        self._version: bytes | None = None

    def request(self, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        buckets, total = _request_keys(route, status)
        self._cells.add(((buckets[bisect_left(REQUEST_SECONDS.bounds, seconds)], 1.0), (total, seconds)))

    def scored(self, decided: Sequence[Decided], rejected: int = 0) -> None:
        """Articles were scored, others were not."""
        if len(decided) == 1 and not rejected:  # the usual case, without a detour
            self._cells.add(((_ARTICLES, 1.0), (_decision_key(*decided[0]), 1.0)))
            return
        amounts = [(_ARTICLES, float(len(decided)))]
        if rejected:
            amounts.append((_REJECTED, float(rejected)))
        found = Counter(decided)
        amounts += [(_decision_key(*what), float(number)) for what, number in found.items()]
        self._cells.add(amounts)

    def words(self, model: Model, count: int, article_at: Callable[[int], Article]) -> None:
        """Look at some of these articles, numbered from 0, for words that the model does not know."""
        for number in range(count):
            if next(self._asked) % _EVERY == 0:
                words, unknown = count_words(model, article_at(number))
                self._cells.add(((_WORDS, float(words)), (_UNKNOWN, float(unknown))))

    def version(self, model: Model) -> None:
        """This worker has another version in use."""
        key = key_of(VERSION, (model.name, model.version))
        if self._version is not None and self._version != key:
            self._cells.put(self._version, 0.0)
        self._cells.put(key, 1.0)
        self._version = key

    def text(self) -> str:
        """Everything as Prometheus reads it."""
        return exposition(*collect(self._folder))


@lru_cache(4096)
def _request_keys(route: str, status: int) -> tuple[tuple[bytes, ...], bytes]:
    labels = (route, str(status))
    buckets = range(len(REQUEST_SECONDS.bounds) + 1)
    return tuple(key_of(REQUEST_SECONDS, labels, bucket) for bucket in buckets), key_of(
        REQUEST_SECONDS, labels, SUM
    )


@lru_cache(65536)
def _decision_key(section: str | None, decision: str | None) -> bytes:
    return key_of(DECISIONS, (section or "", decision or ""))


def init_app(app: Flask, folder: Path) -> Metrics:
    """Count in this folder, which must be there."""
    metrics = app.extensions[_KEY] = Metrics(folder)
    return metrics


def metrics_of(app: Flask) -> Metrics:
    """The counters of an application."""
    metrics: Metrics = app.extensions[_KEY]
    return metrics


def current_metrics() -> Metrics:
    """The counters of the application that serves this request."""
    return metrics_of(current_app)

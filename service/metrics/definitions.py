"""What is counted: one table, for the text that Prometheus reads and for the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `bounds` are the upper bounds of a histogram's buckets, without the last, infinite one."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


REQUEST_SECONDS = Metric(
    "newsdesk_request_seconds",
    "histogram",
    "Seconds from a request's head to its answer, that of a stream to its last line.",
    ("route", "status"),
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
ARTICLES = Metric("newsdesk_articles_total", "counter", "Articles that were scored.")
REJECTED = Metric("newsdesk_rejected_articles_total", "counter", "Articles of a batch that got an error.")
DECISIONS = Metric(
    "newsdesk_decisions_total",
    "counter",
    "Predictions, by best section and decision.",
    ("section", "decision"),
)
WORDS = Metric("newsdesk_words_total", "counter", "Words that were looked at for the share of unknown ones.")
UNKNOWN_WORDS = Metric(
    "newsdesk_unknown_words_total", "counter", "Those of them that the version in use does not know."
)
VERSION = Metric(
    "newsdesk_model_version", "gauge", "Workers that have this version in use.", ("model", "version")
)

METRICS = (REQUEST_SECONDS, ARTICLES, REJECTED, DECISIONS, WORDS, UNKNOWN_WORDS, VERSION)

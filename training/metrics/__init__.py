"""The figures that `train` and `evaluate` report, and their intervals: pure functions of arrays."""

from __future__ import annotations

from training.metrics.intervals import (
    Difference,
    bootstrap_mean,
    bootstrap_statistic,
    paired_difference,
    wilson,
)
from training.metrics.popularity import (
    SMALLEST_GROUP,
    PopularityMetrics,
    auc_interval,
    evaluable_groups,
    evaluate_popularity,
    is_flag,
    top5_constants,
)
from training.metrics.ranking import (
    auc,
    gains,
    mrr,
    ndcg_at,
    pairwise_accuracy,
    top_k_membership,
    top_k_overlap,
)
from training.metrics.sections import accuracy, coverage_precision, ece, log_loss, macro_f1, micro_f1

__all__ = [
    "SMALLEST_GROUP",
    "Difference",
    "PopularityMetrics",
    "accuracy",
    "auc",
    "auc_interval",
    "bootstrap_mean",
    "bootstrap_statistic",
    "coverage_precision",
    "ece",
    "evaluable_groups",
    "evaluate_popularity",
    "gains",
    "is_flag",
    "log_loss",
    "macro_f1",
    "micro_f1",
    "mrr",
    "ndcg_at",
    "paired_difference",
    "pairwise_accuracy",
    "top5_constants",
    "top_k_membership",
    "top_k_overlap",
    "wilson",
]

"""Articles as rankers take them: features, popularity, groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from training.labels import Judgements
from training.metrics import evaluate_popularity, gains
from training.metrics.popularity import SMALLEST_GROUP

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Grading = Literal["metric", "tenths"]

SEED = 0
# How much each grade is worth.
WORTH: dict[Grading, list[int]] = {"metric": [0, 1, 3, 7, 15], "tenths": list(range(10))}


@dataclass(frozen=True)
class Part:
    """n articles, those of a group together: `features` (n, width), dense or CSR, popularity `truth` (n,) and the names
    of their `groups` (n,). Columns named in `categories` hold codes, NaN where unknown."""

    features: Any
    truth: Floats
    groups: NDArray[np.str_]
    categories: tuple[int, ...] = ()

    @classmethod
    def judged(cls, features: Any, judgements: Judgements, categories: Sequence[int] = ()) -> Part:
        """The articles that judgements are about, in an order that is chance within a group: where trees cannot tell two
        articles apart, the table's order must not."""
        drawn = np.random.default_rng(SEED).permutation(len(judgements))
        order = drawn[np.argsort(judgements.groups[drawn], kind="stable")]
        rows = judgements.rows[order]
        return cls(features[rows], judgements.values[order], judgements.groups[order], tuple(categories))

    @property
    def sparse(self) -> bool:
        return bool(sp.issparse(self.features))

    @cached_property
    def codes(self) -> Ints:
        """(n,) numbers of the groups, rising."""
        return np.cumsum(np.concatenate([[0], (self.groups[1:] != self.groups[:-1]).astype(np.int64)]))

    @cached_property
    def sizes(self) -> Ints:
        """(groups,) articles."""
        return np.bincount(self.codes)

    @cached_property
    def starts(self) -> Ints:
        """(groups,) the first row of each."""
        return np.cumsum(self.sizes) - self.sizes

    def grades(self, grading: Grading) -> Ints:
        """(n,) what trees learn: the metric's gains, 0 to 4, or how many tenths of its group an article is ahead of."""
        split = np.split(self.truth, self.starts[1:])
        if grading == "metric":
            return np.concatenate([gains(truth, False) for truth in split]).astype(np.int64)
        ahead = [np.searchsorted(np.sort(truth), truth) / len(truth) for truth in split]
        return np.asarray(np.concatenate(ahead) * 10, np.int64)

    def ndcg(self, scores: Floats) -> float:
        """The project's nDCG@10 of scores (n,)."""
        return evaluate_popularity(self.truth, scores, self.groups, flags=False).ndcg_at_10

    @cached_property
    def quick_ndcg(self) -> Callable[[Floats], float]:
        """The same but for ties, in a millisecond: for every round of boosting."""
        worth = np.asarray(2.0 ** self.grades("metric") - 1.0, np.float64)
        counted = self.sizes >= SMALLEST_GROUP
        place = np.arange(len(worth)) - self.starts[self.codes]
        discount = np.where(place < 10, 1.0 / np.log2(place + 2.0), 0.0)

        def dcg(scores: Floats) -> Floats:
            order = np.lexsort((-scores, self.codes))
            return np.asarray(np.bincount(self.codes, worth[order] * discount)[counted], np.float64)

        best = dcg(worth)

        def mean(scores: Floats) -> float:
            return float((dcg(scores) / best).mean())

        return mean

"""How sure a difference of scores makes of the order of two articles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from training.labels import Judgements

Floats = NDArray[np.float64]
_PAIRS = 200_000
_MOST = 100.0  # a slope beyond it says "certain"


def fit_pair_slope(scores: Floats, judgements: Judgements) -> float:
    """The slope of logistic(slope · difference) as the chance that the higher score is the more popular one of a group
    (Bradley & Terry 1952), by maximum likelihood on pairs of held-out `scores` (m,; NaN: not held out) of the judgements.

    1 without any pair. A little ridge keeps pairs that are all in order finite.
    """
    generator = np.random.default_rng(0)
    _, group = np.unique(judgements.groups, return_inverse=True)
    order = np.lexsort((generator.random(len(group)), group))
    # Neighbours at every distance in a shuffled group are random pairs of it.
    leads: list[Floats] = []
    count = 0
    distance = 1
    while distance < len(order) and count < _PAIRS:
        first, second = order[:-distance], order[distance:]
        same = group[first] == group[second]
        if not same.any():
            break
        told = same & (judgements.values[first] != judgements.values[second])
        sign = np.where(judgements.values[first] > judgements.values[second], 1.0, -1.0)
        lead = ((scores[first] - scores[second]) * sign)[told]
        leads.append(lead[np.isfinite(lead)])
        count += len(leads[-1])
        distance += 1
    lead = np.concatenate(leads)[:_PAIRS] if leads else np.empty(0)
    if not len(lead) or not np.any(lead):
        return 1.0

    def loss(slope: float) -> float:
        return float(np.logaddexp(0.0, -slope * lead).sum() + 1e-3 * slope**2)

    return float(minimize_scalar(loss, bounds=(0.0, _MOST), method="bounded").x)

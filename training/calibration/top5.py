"""The chance of a group's top five, from out-of-fold scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from classifier.popularity import Top5Curve

Floats = NDArray[np.float64]


def fit_top5(scores: Floats, sizes: Floats, hits: Floats) -> Top5Curve:
    """Logistic regression of being in a group's top five on the score and the log of the group's size.

    `scores`, `sizes`, `hits` are (n,); hits in 0–1, fractional where ties leave it open. Only groups with more than five
    articles should be given. A little ridge keeps separable data finite, and more popular never means less likely.
    """
    if not len(scores):
        return Top5Curve(0.0, 0.0, 0.0)
    design = np.column_stack([scores, np.log(sizes)])
    mean, deviation = design.mean(axis=0), design.std(axis=0)
    told = deviation > 1e-9  # groups of one size say nothing about size
    scale = np.where(told, deviation, 1.0)
    scaled = np.column_stack([np.ones(len(scores)), np.where(told, (design - mean) / scale, 0.0)])

    def loss(weights: Floats) -> tuple[float, Floats]:
        logit = scaled @ weights
        value = np.logaddexp(0.0, logit) - hits * logit
        gradient = scaled.T @ (0.5 * (1.0 + np.tanh(0.5 * logit)) - hits)
        penalty = 1e-3 * weights * np.array([0.0, 1.0, 1.0])
        return float(value.sum() + 0.5 * penalty @ weights), gradient + penalty

    bounds = [(None, None), (0.0, None), (None, None)]
    found = minimize(loss, np.zeros(3), jac=True, method="L-BFGS-B", bounds=bounds)
    slopes = found.x[1:] / scale
    intercept = float(found.x[0] - slopes @ mean)
    return Top5Curve(intercept, float(slopes[0]), float(slopes[1]))

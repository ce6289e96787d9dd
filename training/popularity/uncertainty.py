"""How unsure a fit is of its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.blocks import side_by_side
from training.popularity.design import Design
from training.popularity.material import FittedWeights, Material
from training.popularity.recipes import PopularityRecipe

Floats = NDArray[np.float64]
_PAIRS = 4000
_LEAST_FITS = 3


def weight_variance(
    material: Material,
    recipe: PopularityRecipe,
    fitted: FittedWeights,
    held: Floats,
    fits: Sequence[FittedWeights],
) -> Floats:
    """(width,) the variance of each weight: sigma² / (sum of the feature's squares + alpha), the posterior variance of
    ridge regression for one feature with the others known, where sigma² is the variance of what held-out scores (n,) leave
    of the targets; times a factor that lets differences of articles vary as they do from fit to fit (the jackknife that
    leaves a fold out, Tukey 1958), since features that occur together share what there is to know.
    """
    features = material.predicting(recipe)
    plain = [one.matrix for one in features]
    scores = np.where(np.isfinite(held), held, fitted.scores)
    spread = float(scores.var())
    slope = float(np.cov(scores, material.targets)[0, 1] / spread) if spread > 1e-12 else 0.0
    left = float((material.targets - slope * scores).var())
    # Logistic and other scores have a unit of their own.
    unit = 1.0 / max(slope, 0.1)
    count = len(held)
    design = Design([one.columns for one in features], np.arange(count), whole=count)
    with design.pool() as pool:
        squares = design.moments(pool, np.ones(count), np.zeros(count))[1]
    variance = left * unit**2 / (squares + recipe.plain_alpha)
    if len(fits) < _LEAST_FITS:
        return np.asarray(variance)
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, len(held), (2, _PAIRS))
    differences = side_by_side([own[first] - own[second] for own in plain])
    predicted = differences.multiply(differences) @ variance
    by_fit = np.array([fit.scores[first] - fit.scores[second] for fit in fits])
    found = (len(fits) - 1) * by_fit.var(axis=0)
    told = predicted > 0
    factor = float(found[told].sum() / predicted[told].sum()) if told.any() else 1.0
    return np.asarray(variance * factor)

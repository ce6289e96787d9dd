"""The variance of weights: that of ridge regression, brought to how differences vary from fit to fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training.corpus import Corpus
from training.popularity.features import FeatureCache
from training.popularity.material import FittedWeights, Material, fit_weights
from training.popularity.recipes import Feature, PopularityRecipe
from training.popularity.uncertainty import weight_variance

Make = Callable[..., Corpus]
WORDS = PopularityRecipe((Feature.parse("headline word(1,1)"),), alpha=1.0)


def single(corpus_of: Make, words: int, count: int, noise: float, seed: int) -> tuple[Corpus, Any]:
    """Articles of one word each, the words ever rarer; a word's number is its worth."""
    draw = np.random.default_rng(seed)
    share = 0.7 ** np.arange(words)
    which = draw.choice(words, count, p=share / share.sum())
    corpus = corpus_of([{"headline": f"word{word:02d}"} for word in which])
    worth = np.random.default_rng(99).normal(size=words)
    return corpus, (worth[which] + noise * draw.normal(size=count))


def frequencies(corpus: Corpus) -> dict[str, int]:
    """Of each word, in the order of the features: the most frequent first."""
    counts = Counter(corpus.texts)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def fitted(corpus: Corpus, targets: Any) -> tuple[Material, FittedWeights, Any, list[FittedWeights]]:
    """A fit on all, and five folds: held-out scores and the fits."""
    count = len(corpus)
    cache = FeatureCache(corpus.rows, "UTC", np.zeros(count))
    material = Material(cache, targets, np.zeros(count, np.int64), np.zeros(count), False)
    whole = fit_weights(material, WORDS, tolerance=1e-10)
    assert whole is not None
    fold, held, fits = np.arange(count) % 5, np.full(count, np.nan), []
    for k in range(5):
        part = fit_weights(material, WORDS, fold != k, features_of=np.ones(count, np.bool_), tolerance=1e-10)
        assert part is not None
        held[fold == k] = part.scores[fold == k]
        fits.append(part)
    return material, whole, held, fits


def test_rarer_words_are_less_sure(corpus_of: Make) -> None:
    corpus, targets = single(corpus_of, 8, 600, 1.0, 0)
    material, whole, held, fits = fitted(corpus, targets)
    for some in ([], fits):
        variance = weight_variance(material, WORDS, whole, held, some)
        assert variance.shape == whole.weights.shape
        assert (variance > 0).all()
        assert (np.diff(variance) >= 0).all()
        assert variance[-1] > 3 * variance[0]


def test_without_folds_it_is_that_of_ridge_regression(corpus_of: Make) -> None:
    corpus, targets = single(corpus_of, 6, 500, 0.8, 0)
    material, whole, held, fits = fitted(corpus, targets)
    found = weight_variance(material, WORDS, whole, held, fits[:2])
    counts = np.array([*frequencies(corpus).values()])
    slope = np.cov(held, targets)[0, 1] / held.var()
    left = np.var(targets - slope * held)
    np.testing.assert_allclose(found, left / slope**2 / (counts + 1.0))
    assert found == pytest.approx(0.64 / (counts + 1.0), rel=0.15)


def test_differences_vary_as_much_as_is_said(corpus_of: Make) -> None:
    """Of two words, on many draws of the same truth: the standard error is that of the differences found."""
    found, said = [], []
    for seed in range(30):
        corpus, targets = single(corpus_of, 5, 200, 1.0, seed)
        material, whole, held, fits = fitted(corpus, targets)
        variance = weight_variance(material, WORDS, whole, held, fits)
        words = [*frequencies(corpus)]
        one, other = words.index("word01"), words.index("word03")
        found.append(whole.weights[one] - whole.weights[other])
        said.append(variance[one] + variance[other])
    assert np.mean(said) ** 0.5 == pytest.approx(np.std(found), rel=0.35)


def test_it_grows_with_how_much_fits_differ(corpus_of: Make) -> None:
    corpus, targets = single(corpus_of, 5, 200, 1.0, 0)
    material, whole, held, fits = fitted(corpus, targets)
    mean = np.mean([fit.scores for fit in fits], axis=0)
    apart = [replace(fit, scores=mean + 3 * (fit.scores - mean)) for fit in fits]
    one, other = (weight_variance(material, WORDS, whole, held, some) for some in (fits, apart))
    np.testing.assert_allclose(other, 9 * one)
    # The jackknife: four fifths of five times the variance of fits that leave a fifth out.
    first, second = np.random.default_rng(1).integers(0, 200, (2, 5000))
    found = np.mean(
        [(fit.scores[first] - fit.scores[second]) - (mean[first] - mean[second]) for fit in fits], axis=0
    )
    assert np.abs(found).max() < 1e-9
    jackknife = 4 * np.var([fit.scores[first] - fit.scores[second] for fit in fits], axis=0)
    by_word = one[np.unique(corpus.texts, return_inverse=True)[1]]
    same = np.array(corpus.texts)[first] == np.array(corpus.texts)[second]
    said = np.where(same, 0.0, by_word[first] + by_word[second])
    assert said.mean() == pytest.approx(jackknife.mean(), rel=0.05)


def test_scores_that_say_nothing_leave_a_finite_variance(corpus_of: Make) -> None:
    corpus, targets = single(corpus_of, 4, 60, 1.0, 0)
    material, whole, held, fits = fitted(corpus, targets)
    for scores in (np.full(60, np.nan), np.zeros(60), -held):
        variance = weight_variance(material, WORDS, whole, scores, fits)
        assert np.isfinite(variance).all()
        assert (variance > 0).all()
    still = [fits[0]] * 5  # fits that are all alike
    assert np.isfinite(weight_variance(material, WORDS, whole, held, still)).all()


def test_the_same_articles_give_the_same_variance(corpus_of: Make) -> None:
    corpus, targets = single(corpus_of, 6, 200, 1.0, 0)
    one, other = (
        weight_variance(material, WORDS, whole, held, fits)
        for material, whole, held, fits in (fitted(corpus, targets), fitted(corpus, targets))
    )
    assert one.tobytes() == other.tobytes()

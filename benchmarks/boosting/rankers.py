"""LightGBM's lambdarank and XGBoost's rank:ndcg, tuned over spaces of the same kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import lightgbm
import numpy as np
import optuna
import xgboost
from optuna.samplers import TPESampler

from benchmarks.boosting.parts import SEED, WORTH, Floats, Grading, Part

Settings = dict[str, Any]

MOST_ROUNDS = 400
PATIENCE = 30  # rounds without a better nDCG@10 after which boosting stops
_DENSE_BINS, _SPARSE_BINS = 63, 15  # of a feature; most articles have no sparse one at all
_RANDOM_TRIALS = 10  # drawn before what was found guides the draws
_GRADING = "grading"  # the one setting that is not the library's: which grades the trees learn


@dataclass(frozen=True, slots=True)
class Fit:
    """Trees: `scores` of features (n, width), and how many rounds of boosting are used."""

    scores: Callable[[Any], Floats]
    rounds: int


class Ranker(Protocol):
    """A library; `usual` are its defaults, within the space that `settings` draws from."""

    name: str
    version: str
    usual: Mapping[str, Any]

    def settings(self, trial: optuna.Trial) -> Settings: ...

    def fit(self, train: Part, settings: Settings, rounds: int, held: Part | None = None) -> Fit:
        """At most `rounds` of boosting; with `held`, as many as are best there."""


class LightGBM:
    name = "LightGBM"
    version = str(lightgbm.__version__)
    usual: Mapping[str, Any] = {
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": 20,
        "lambda_l2": 0.001,  # 0 in truth, which no logarithmic scale has
        "feature_fraction": 1.0,
        "bagging_fraction": 1.0,
        "lambdarank_truncation_level": 30,
        _GRADING: "metric",
    }

    def settings(self, trial: optuna.Trial) -> Settings:
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 7, 127, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 20, 200, log=True),
            "lambda_l2": trial.suggest_float("lambda_l2", 0.001, 30.0, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
            "lambdarank_truncation_level": trial.suggest_int("lambdarank_truncation_level", 10, 30, step=5),
            _GRADING: trial.suggest_categorical(_GRADING, list(WORTH)),
        }

    def fit(self, train: Part, settings: Settings, rounds: int, held: Part | None = None) -> Fit:
        grading, own = _split(settings)
        parameters = {
            **own,
            "objective": "lambdarank",
            "label_gain": WORTH[grading],
            "bagging_freq": 1,
            "metric": "None",
            "max_bin": _bins(train),
            "seed": SEED,
            "verbosity": -1,
        }

        def data(part: Part, like: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
            return lightgbm.Dataset(
                part.features,
                part.grades(grading),
                group=part.sizes,
                reference=like,
                categorical_feature=list(part.categories),
                params=parameters,
            )

        learnt = data(train)
        watching: Settings = {}
        if held is not None:
            measure = held.quick_ndcg
            watching = {
                "valid_sets": [data(held, learnt)],
                "feval": lambda scores, _: ("ndcg", measure(scores), True),
                "callbacks": [lightgbm.early_stopping(PATIENCE, verbose=False)],
            }
        trees = lightgbm.train(parameters, learnt, rounds, **watching)
        best = rounds if held is None else trees.best_iteration
        return Fit(lambda features: np.asarray(trees.predict(features, num_iteration=best)), best)


class XGBoost:
    name = "XGBoost"
    version = str(xgboost.__version__)
    usual: Mapping[str, Any] = {
        "eta": 0.3,
        "max_depth": 6,
        "min_child_weight": 1.0,
        "reg_lambda": 1.0,
        "colsample_bytree": 1.0,
        "subsample": 1.0,
        "lambdarank_num_pair_per_sample": 30,
        _GRADING: "metric",
    }

    def settings(self, trial: optuna.Trial) -> Settings:
        pairs = "lambdarank_num_pair_per_sample"
        return {
            "eta": trial.suggest_float("eta", 0.03, 0.3, log=True),
            "max_depth": trial.suggest_int("max_depth", 3, 9),
            "min_child_weight": trial.suggest_float("min_child_weight", 0.1, 30.0, log=True),
            "reg_lambda": trial.suggest_float("reg_lambda", 0.001, 30.0, log=True),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 1.0),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            pairs: trial.suggest_int(pairs, 10, 30, step=5),
            _GRADING: trial.suggest_categorical(_GRADING, list(WORTH)),
        }

    def fit(self, train: Part, settings: Settings, rounds: int, held: Part | None = None) -> Fit:
        grading, own = _split(settings)
        bins = _bins(train)
        parameters = {
            **own,
            "objective": "rank:ndcg",
            "ndcg_exp_gain": grading == "metric",
            "lambdarank_pair_method": "topk",
            "tree_method": "hist",
            "max_bin": bins,
            "disable_default_eval_metric": True,
            "seed": SEED,
            "verbosity": 0,
        }
        types = self._types(train)

        def matrix(features: Any, **options: Any) -> xgboost.DMatrix:
            return xgboost.DMatrix(features, **types, **options)

        learnt = xgboost.QuantileDMatrix(
            train.features, train.grades(grading), group=train.sizes, max_bin=bins, **types
        )
        watching: Settings = {}
        if held is not None:
            measure = held.quick_ndcg
            # No QuantileDMatrix: to predict from a sparse one takes seconds a round.
            asked = matrix(held.features, label=held.grades(grading), group=held.sizes)
            watching = {
                "evals": [(asked, "held")],
                "custom_metric": lambda scores, _: ("ndcg", measure(scores)),
                "callbacks": [xgboost.callback.EarlyStopping(rounds=PATIENCE, maximize=True)],
                "verbose_eval": False,
            }
        trees = xgboost.train(parameters, learnt, num_boost_round=rounds, **watching)
        best = rounds if held is None else trees.best_iteration + 1
        return Fit(
            lambda features: np.asarray(
                trees.predict(matrix(features), iteration_range=(0, best)), np.float64
            ),
            best,
        )

    @staticmethod
    def _types(part: Part) -> Settings:
        if not part.categories:
            return {}
        kinds = ["c" if i in part.categories else "q" for i in range(part.features.shape[1])]
        return {"feature_types": kinds, "enable_categorical": True}


RANKERS: tuple[Ranker, ...] = (LightGBM(), XGBoost())


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings and rounds with the best nDCG@10 on what was held out."""

    settings: Settings
    rounds: int
    ndcg: float


def choose(
    ranker: Ranker, older: Part, newer: Part, trials: int, say: Callable[[str], None] = lambda line: None
) -> Chosen:
    """Try so many settings, the library's own first, then what Optuna proposes: fit on `older`, measure on `newer`."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", sampler=TPESampler(seed=SEED, n_startup_trials=_RANDOM_TRIALS)
    )
    study.enqueue_trial(dict(ranker.usual))
    tried: list[Chosen] = []

    def measured(trial: optuna.Trial) -> float:
        settings = {name: _short(value) for name, value in ranker.settings(trial).items()}
        started = time.perf_counter()
        fitted = ranker.fit(older, settings, MOST_ROUNDS, newer)
        tried.append(Chosen(settings, fitted.rounds, newer.ndcg(fitted.scores(newer.features))))
        seconds = time.perf_counter() - started
        say(f"trial {len(tried)} of {trials}: {tried[-1].ndcg:.4f}, {fitted.rounds} rounds, {seconds:.1f} s")
        return tried[-1].ndcg

    study.optimize(measured, n_trials=trials)
    return max(tried, key=lambda one: one.ndcg)


def _split(settings: Settings) -> tuple[Grading, Settings]:
    """The grading, and what is the library's own."""
    return settings[_GRADING], {name: value for name, value in settings.items() if name != _GRADING}


def _short(value: Any) -> Any:
    """Three digits of a number say all."""
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _bins(part: Part) -> int:
    return _SPARSE_BINS if part.sparse else _DENSE_BINS

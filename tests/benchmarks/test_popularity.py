"""The benchmark of popularity: its parts give what they promise, and the whole runs on the bundled newspaper."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from training.labels import Judgements
from training.metrics import gains

ROOT = Path(__file__).parent.parent.parent
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The benchmark's modules: they are no part of the wheel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        yield SimpleNamespace(
            parts=importlib.import_module("benchmarks.boosting.parts"),
            views=importlib.import_module("benchmarks.boosting.views"),
        )


@pytest.fixture(scope="module")
def boosted(bench: Any) -> Any:
    """Those that need the libraries, too."""
    for name in ("lightgbm", "xgboost", "optuna"):
        try:
            importlib.import_module(name)
        except (ImportError, OSError) as error:  # OSError: LightGBM without the system's OpenMP
            pytest.skip(f"the bench extra is not here: {error}")
    bench.rankers = importlib.import_module("benchmarks.boosting.rankers")
    bench.popularity = importlib.import_module("benchmarks.popularity")
    return bench


def make_judgements(generator: np.random.Generator, sizes: list[int], most: int = 50) -> Judgements:
    """Of sum(sizes) articles, shuffled, with ties among the counts."""
    groups = np.repeat([f"group {i}" for i in range(len(sizes))], sizes)
    rows = generator.permutation(len(groups))
    return Judgements(rows, generator.integers(0, most, len(groups)).astype(float), groups, False)


def make_part(bench: Any, seed: int, sizes: list[int]) -> Any:
    """Its one feature is the popularity."""
    judgements = make_judgements(np.random.default_rng(seed), sizes)
    features = np.empty((len(judgements), 1))
    features[judgements.rows, 0] = judgements.values
    return bench.parts.Part.judged(features, judgements)


@given(seed=SEEDS, sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_a_part_has_each_articles_own_features_and_groups_together(
    bench: Any, seed: int, sizes: list[int]
) -> None:
    part = make_part(bench, seed, sizes)
    assert (part.features[:, 0] == part.truth).all()
    assert sorted(part.sizes) == sorted(sizes)
    assert (np.diff(part.codes) >= 0).all()
    assert len(set(zip(part.codes.tolist(), part.groups.tolist(), strict=True))) == len(sizes)


@given(seed=SEEDS, sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_the_quick_ndcg_is_the_projects_where_no_scores_are_tied(
    bench: Any, seed: int, sizes: list[int]
) -> None:
    part = make_part(bench, seed, [*sizes, 10])
    scores = np.random.default_rng(seed).permutation(len(part.truth)).astype(float)
    assert part.quick_ndcg(scores) == pytest.approx(part.ndcg(scores), abs=1e-12)


def test_grades_are_the_metrics_or_tenths_of_the_group(bench: Any) -> None:
    part = make_part(bench, 0, [30, 12])
    for group in (0, 1):
        own = part.codes == group
        assert (part.grades("metric")[own] == gains(part.truth[own], False)).all()
    judgements = Judgements(np.arange(10), np.array([*range(9), 8.0]), np.array(["one"] * 10), False)
    tenths = bench.parts.Part.judged(np.zeros((10, 1)), judgements)
    order = np.argsort(tenths.truth)
    assert tenths.grades("tenths")[order].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8]


def make_side(bench: Any, with_last: int) -> Any:
    """200 articles in groups of ten; the last word is in the first `with_last` of them."""
    generator = np.random.default_rng(0)
    texts = sp.random(200, 60, 0.3, "lil", dtype=np.float32, random_state=generator)
    texts[:, -1] = (np.arange(200) < with_last).astype(np.float32)[:, None]
    columns = generator.random((200, 4)).astype(np.float32)
    days = np.array(["2031-01-01"] * 200)
    judgements = make_judgements(generator, [10] * 20)
    return bench.views.Side(judgements, days, texts.tocsr(), texts.tocsr(), columns)


@pytest.mark.parametrize("number", [0, 1], ids=["svd", "sparse"])
def test_a_view_learns_from_the_articles_of_its_mask_alone(bench: Any, number: int) -> None:
    view = bench.views.VIEWS[number]
    one = make_side(bench, 15)
    learnt = np.arange(200) < 120
    texts = one.texts.tolil()
    texts[120:] = texts[120:] * 3.0
    texts[120:, -1] = 1.0
    other = bench.views.Side(one.judgements, one.days, texts.tocsr(), texts.tocsr(), one.columns)
    made = [view.fit(side, learnt)(side)[:120] for side in (one, other)]
    first, second = (matrix.toarray() if sp.issparse(matrix) else matrix for matrix in made)
    assert first.shape == second.shape
    assert first == pytest.approx(second, abs=1e-5)
    if number == 0:
        assert (first[:, :4] == one.columns[:120]).all()


def test_trees_see_no_feature_that_few_articles_have(bench: Any) -> None:
    everything = np.ones(200, np.bool_)
    widths = []
    for count in (19, 20):
        side = make_side(bench, count)
        widths.append(bench.views.VIEWS[1].fit(side, everything)(side).shape[1])
    assert widths == [59, 60]


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("number", [0, 1], ids=["LightGBM", "XGBoost"])
@pytest.mark.parametrize("grading", ["metric", "tenths"])
def test_a_ranker_learns_an_order(boosted: Any, number: int, grading: str, sparse: bool) -> None:
    ranker = boosted.rankers.RANKERS[number]
    parts = []
    for seed in (1, 2):
        part = make_part(boosted, seed, [20] * 20)
        noise = np.random.default_rng(seed).random((len(part.truth), 2))
        features = np.hstack([part.features + noise[:, :1], noise])
        parts.append(
            boosted.parts.Part(sp.csr_matrix(features) if sparse else features, part.truth, part.groups)
        )
    settings = {**ranker.usual, "grading": grading}
    found = ranker.fit(parts[0], settings, 40, parts[1])
    again = ranker.fit(parts[0], settings, found.rounds)
    assert 1 <= found.rounds <= 40
    assert parts[1].ndcg(found.scores(parts[1].features)) > 0.9
    assert found.scores(parts[1].features) == pytest.approx(again.scores(parts[1].features), abs=1e-5)


def test_the_librarys_own_settings_are_tried_first_and_the_best_are_kept(boosted: Any) -> None:
    ranker = boosted.rankers.RANKERS[0]
    older, newer = make_part(boosted, 1, [20] * 10), make_part(boosted, 2, [20] * 10)
    lines: list[str] = []
    chosen = boosted.rankers.choose(ranker, older, newer, 3, lines.append)
    assert len(lines) == 3
    alone = boosted.rankers.choose(ranker, older, newer, 1)
    assert alone.settings == dict(ranker.usual)
    assert chosen.ndcg == pytest.approx(max(float(line.split()[4].rstrip(",")) for line in lines), abs=1e-4)
    assert chosen.ndcg >= alone.ndcg


def test_a_quick_run_sees_no_test_article(boosted: Any) -> None:
    from training.config import Config
    from training.dataset import build_dataset

    reading = boosted.popularity.read("sample")
    dataset = build_dataset(reading, Config())
    held = set(dataset.corpus.take(dataset.split.test).rows.values("id"))
    few = boosted.popularity.few_days(reading)
    assert few.articles.num_rows
    assert not held & set(few.articles["id"].to_pylist())


def test_it_runs_on_the_bundled_newspaper(boosted: Any) -> None:
    kept = ROOT / "benchmarks" / "results" / "popularity.json"
    before = kept.read_bytes() if kept.exists() else None
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.popularity", "--quick", "--data", "sample"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    ours, *others = (json.loads(line) for line in ran.stdout.splitlines())
    views = [view.name for view in boosted.views.VIEWS]
    assert ours["who"] == "Newsdesk"
    assert [row["who"] for row in others] == [
        f"{ranker}, {view}" for view in views for ranker in ("LightGBM", "XGBoost")
    ]
    for row in others:
        for metric, (mean, low, high) in row["ahead"].items():
            assert mean == pytest.approx(ours[metric] - row[metric], abs=2e-4)
            assert low <= mean <= high
        assert row["groups"] == ours["groups"] > 0
        assert 0 < row["seconds_fit"] < row["seconds_all"]
        rounded = 0.006 / ours["seconds_all"] + 0.01  # a tenth of a second is written with two digits
        assert row["times_all"] == pytest.approx(
            row["seconds_all"] / ours["seconds_all"], rel=rounded, abs=0.06
        )
    assert (kept.read_bytes() if kept.exists() else None) == before

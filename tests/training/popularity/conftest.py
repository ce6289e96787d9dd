"""Corpora whose popularity follows a known rule, and what recipes are fitted on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from training.config import parse_config
from training.corpus import Corpus
from training.labels import NO_JUDGEMENTS, Judgements, count_judgements, training_targets
from training.popularity.head import _days, _material, with_one_section
from training.popularity.material import Material

Row = dict[str, Any]
Rows = list[Row]
Lift = Callable[[Row], float]
WORDS = [f"word{i}" for i in range(30)]
START = datetime.fromisoformat("2031-03-03T06:00:00+00:00")  # a Monday


@pytest.fixture(scope="session")
def simulate() -> Callable[..., Rows]:
    """Rows of `days` days with `daily` articles each: four words, a source, a section, the log of the count `lift` and
    normal noise; what `lift` needs of its own it may add to the row."""

    def make(lift: Lift, days: int = 20, daily: int = 15, noise: float = 0.5, seed: int = 0) -> Rows:
        draw = np.random.default_rng(seed)
        rows: Rows = []
        for i in range(days * daily):
            day, place = divmod(i, daily)
            row: Row = {
                "id": f"s{i}",
                "headline": " ".join(draw.choice(WORDS, 4, replace=False)),
                "source": "north",
                "section": str(draw.choice(["Politics", "Sports"])),
                "published_at": (START + timedelta(days=day, minutes=40 * place)).isoformat(),
                "day": day,
                "luck": float(draw.normal()),
            }
            row["popularity"] = float(np.expm1(5.0 + lift(row) + noise * draw.normal()))
            rows.append(row)
        for row in rows:
            del row["day"], row["luck"]
        return rows

    return make


@pytest.fixture(scope="session")
def judged() -> Callable[[Corpus], tuple[Judgements, Any]]:
    """The judgements of a corpus's counts, and the targets from them."""

    def make(corpus: Corpus) -> tuple[Judgements, Any]:
        judgements = count_judgements(corpus)
        return judgements, training_targets(judgements, NO_JUDGEMENTS, len(corpus))

    return make


@pytest.fixture(scope="session")
def material_of(judged: Any) -> Callable[..., tuple[Corpus, Judgements, Any, Material]]:
    """Corpus, judgements, days and material, as the head makes them of a corpus with counts."""

    def make(corpus: Corpus, **settings: Any) -> tuple[Corpus, Judgements, Any, Material]:
        judgements, targets = judged(corpus)
        known = np.isfinite(targets)
        corpus, judgements = with_one_section(corpus.take(known)), judgements.within(known)
        days = _days(corpus, judgements)
        return corpus, judgements, days, _material(corpus, targets[known], judgements, parse_config(settings))

    return make

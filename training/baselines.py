"""What a model must beat: orderings and labels that need no text. Their tables travel in the manifest, so that
`newsdesk evaluate` can print them beside any version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.corpus import Corpus

Floats = NDArray[np.float64]
POPULARITY_BASELINES = ("random", "recency", "source", "section", "source_hour")
_KEYS = ("source", "section", "source_hour")
_SHRINKAGE = 5.0  # articles' worth of the wider mean in a narrower one


def popularity_tables(corpus: Corpus, targets: Floats) -> dict[str, dict[str, float]]:
    """Mean training target by source, by section, and by source and local hour (shrunk to the source's)."""
    known = np.isfinite(targets)
    tables: dict[str, dict[str, float]] = {}
    keys = _keys(corpus) if known.any() else dict.fromkeys(_KEYS, ())
    for name, wider in (("source", None), ("section", None), ("source_hour", "source")):
        groups: dict[str, list[int]] = {}
        for i in np.flatnonzero(known).tolist():
            groups.setdefault(keys[name][i], []).append(i)
        table = {}
        for key, members in sorted(groups.items()):
            prior = 0.0 if wider is None else tables[wider].get(keys[wider][members[0]], 0.0)
            table[key] = float((targets[members].sum() + _SHRINKAGE * prior) / (len(members) + _SHRINKAGE))
        tables[name] = table
    return tables


def popularity_scores(corpus: Corpus, tables: Mapping[str, Mapping[str, float]]) -> dict[str, Floats]:
    """(n,) scores of every baseline; higher is more popular. A constant stands for a random order (metrics take the
    expectation over ties)."""
    instants = corpus.instants
    oldest = np.nanmin(instants, initial=0.0) if np.isfinite(instants).any() else 0.0
    found = {
        "random": np.zeros(len(corpus)),
        "recency": np.where(np.isfinite(instants), instants, oldest - 1.0),
    }
    keys = _keys(corpus)
    for name in ("source", "section"):
        found[name] = np.array([tables.get(name, {}).get(key, 0.0) for key in keys[name]])
    wider = found["source"]
    narrow = tables.get("source_hour", {})
    found["source_hour"] = np.array(
        [narrow.get(key, float(wider[i])) for i, key in enumerate(keys["source_hour"])]
    )
    return found


def section_tables(corpus: Corpus) -> dict[str, Any]:
    """The most frequent label in all and by source."""
    overall: dict[str, int] = {}
    by_source: dict[str, dict[str, int]] = {}
    for labels, source in zip(corpus.labels, corpus.rows.values("source"), strict=True):
        for label in labels:
            overall[label] = overall.get(label, 0) + 1
            if source:
                counts = by_source.setdefault(source, {})
                counts[label] = counts.get(label, 0) + 1
    return {
        "majority": _most(overall),
        "source": {source: _most(counts) for source, counts in sorted(by_source.items())},
    }


def section_labels(corpus: Corpus, tables: Mapping[str, Any]) -> dict[str, list[str]]:
    """Each baseline's label an article."""
    majority = str(tables.get("majority", ""))
    by_source = tables.get("source", {})
    return {
        "majority": [majority] * len(corpus),
        "source": [str(by_source.get(source, majority)) for source in corpus.rows.values("source")],
    }


def _most(counts: Mapping[str, int]) -> str:
    return min(counts, key=lambda label: (-counts[label], label)) if counts else ""


def _keys(corpus: Corpus) -> dict[str, Sequence[str]]:
    sources = [str(value or "") for value in corpus.rows.values("source")]
    sections = [labels[0] if labels else "" for labels in corpus.labels]
    hours = ["" if local is None else f"{local:02d}" for local in corpus.hours]
    pairs = [f"{source} {hour}" for source, hour in zip(sources, hours, strict=True)]
    return dict(zip(_KEYS, (sources, sections, pairs), strict=True))

"""Label hygiene: what in the labels themselves looks wrong, for an editor to look at. Nothing is changed here.

Suspected labels follow confident learning (Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in
dataset labels"): a label's threshold is the mean probability that articles with it get for it, from fits that did not see
them; an article that reaches the threshold of a label it does not have, and not that of its own, is suspected.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from classifier.errors import UsageError
from training.metrics import wilson

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
Ids = NDArray[np.int64]

CONFUSED_FROM = (
    0.10  # the share of a section's articles that another must surely take before the pair is named
)
_FEWEST = 5  # mistaken articles: of three in three nothing follows, and there are many pairs
_CELLS = 1 << 22  # probabilities that are looked at a time: 32 MB


@dataclass(frozen=True, slots=True)
class Suspect:
    """An article whose labels are likely wrong.

    "wrong": `predicted` should stand for `label`. With several labels an article also "missing": `predicted` should be
    added (`label` is None), and "extra": `label` should go (`predicted` is None). `probability` is that of `predicted`,
    `label_probability` that of `label`; None where there is none. `margin` is by how much the evidence for the change
    outweighs that against it, in 0–1.
    """

    kind: Literal["wrong", "missing", "extra"]
    id: str
    headline: str
    label: str | None
    predicted: str | None
    probability: float | None
    label_probability: float | None
    margin: float


@dataclass(frozen=True, slots=True)
class Conflict:
    """Near-duplicates with different labels: `ids`, `headlines` and `labels` of the same articles, ids rising."""

    ids: tuple[str, ...]
    headlines: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Direction:
    """Of `articles` with a section (and not the other) `mistaken` went to the other; the share with its 95 % interval."""

    articles: int
    mistaken: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Confusable:
    """Two sections that the model cannot tell apart: `forth` is `first` taken for `second`, `back` the reverse."""

    first: str
    second: str
    forth: Direction
    back: Direction

    @property
    def worse(self) -> Direction:
        """The direction that pairs are judged by: with the higher lower limit among those with at least five mistakes."""
        return max(self.forth, self.back, key=lambda way: (way.mistaken >= _FEWEST, way.low))


@dataclass(frozen=True, slots=True)
class SimilarNames:
    """Label names that differ only by case, spaces or Unicode form, the most frequent first, their counts, and a remedy."""

    names: tuple[str, ...]
    counts: tuple[int, ...]
    remedy: str


def suspected_labels(
    held_probability: Floats,
    truth: Truth,
    ids: Sequence[str],
    headlines: Sequence[str],
    labels: Sequence[str],
    *,
    several: bool = False,
    most: int = 200,
) -> list[Suspect]:
    """The articles that are most likely mislabelled, at most `most`, the largest margin first (equal ones by id).

    With several labels each is a question of its own: has the article it or not. Articles without any of `labels` are left
    out unless `several`.

    Args:
        held_probability: (n, k) calibrated out-of-fold probabilities.
        truth: (n, k) which labels each article has; at most one unless `several`.
        ids, headlines: (n,)
        labels: (k,)

    Raises:
        UsageError: shapes that do not fit, or something that is no probability.
    """
    _check(held_probability, truth, labels, ids, headlines)
    positives = truth.sum(axis=0)
    total = np.where(truth, held_probability, 0.0).sum(axis=0)
    # A label without articles has no threshold, and so is never suggested.
    threshold = np.divide(total, positives, out=np.full(len(labels), np.inf), where=positives > 0)
    find = _suspects_of_several if several else _suspects
    found = find(held_probability, truth, threshold)
    found.sort(key=lambda item: (-item[0], ids[item[1]], item[2], item[3]))
    result = []
    for margin, row, own, other in found[: max(most, 0)]:
        result.append(
            Suspect(
                "wrong" if own >= 0 and other >= 0 else "missing" if own < 0 else "extra",
                ids[row],
                headlines[row],
                labels[own] if own >= 0 else None,
                labels[other] if other >= 0 else None,
                float(held_probability[row, other]) if other >= 0 else None,
                float(held_probability[row, own]) if own >= 0 else None,
                margin,
            )
        )
    return result


_Found = list[tuple[float, int, int, int]]  # margin, article, own label or -1, other label or -1


def _suspects(probability: Floats, truth: Truth, threshold: Floats) -> _Found:
    own = truth.argmax(axis=1)
    labelled = np.flatnonzero(truth.any(axis=1))
    found: _Found = []
    step = max(1, _CELLS // probability.shape[1])
    for start in range(0, len(labelled), step):
        rows = labelled[start : start + step]
        p = probability[rows]
        mine = p[np.arange(len(rows)), own[rows]]
        reached = np.where((p >= threshold) & ~truth[rows], p, -1.0)
        other = reached.argmax(axis=1)
        theirs = reached[np.arange(len(rows)), other]
        hit = np.flatnonzero((theirs > mine) & (mine < threshold[own[rows]]))
        for i in hit.tolist():
            found.append((float(theirs[i] - mine[i]), int(rows[i]), int(own[rows[i]]), int(other[i])))
    return found


def _suspects_of_several(probability: Floats, truth: Truth, threshold: Floats) -> _Found:
    """Having and not having a label are its two classes; both thresholds are as in `suspected_labels`."""
    negatives = len(truth) - truth.sum(axis=0)
    total = np.where(truth, 0.0, 1.0 - probability).sum(axis=0)
    without = np.divide(total, negatives, out=np.full(len(negatives), np.inf), where=negatives > 0)
    found: _Found = []
    step = max(1, _CELLS // max(len(truth), 1))
    for start in range(0, truth.shape[1], step):
        part = slice(start, start + step)
        p, has = probability[:, part], truth[:, part]
        away = 1.0 - p
        missing = ~has & (p >= threshold[part]) & (away < without[part]) & (p > 0.5)
        extra = has & (away >= without[part]) & (p < threshold[part]) & (p < 0.5)
        for row, label in np.argwhere(missing).tolist():
            found.append((float(2.0 * p[row, label] - 1.0), row, -1, start + label))
        for row, label in np.argwhere(extra).tolist():
            found.append((float(1.0 - 2.0 * p[row, label]), row, start + label, -1))
    return found


def conflicting_duplicates(
    clusters: Ids, labels: Sequence[Sequence[str]], ids: Sequence[str], headlines: Sequence[str]
) -> list[Conflict]:
    """Clusters whose labelled articles have not all the same labels, the largest first (equal ones by id).

    Args:
        clusters: (n,) near-duplicate clusters.
        labels: (n,) the labels of each article; those without any do not count.
        ids, headlines: (n,)

    Raises:
        UsageError: the lengths differ.
    """
    lengths = {len(clusters), len(labels), len(ids), len(headlines)}
    if len(lengths) > 1:
        raise UsageError(f"the lengths differ: {sorted(lengths)}", remedy="give one value an article in each")
    members: dict[int, list[int]] = {}
    for row, cluster in enumerate(clusters.tolist()):
        if labels[row]:
            members.setdefault(cluster, []).append(row)
    found = []
    for rows in members.values():
        if len({frozenset(labels[row]) for row in rows}) > 1:
            rows.sort(key=lambda row: ids[row])
            found.append(
                Conflict(
                    tuple(ids[row] for row in rows),
                    tuple(headlines[row] for row in rows),
                    tuple(tuple(labels[row]) for row in rows),
                )
            )
    return sorted(found, key=lambda conflict: (-len(conflict.ids), conflict.ids))


def confusable(
    held_probability: Floats, truth: Truth, labels: Sequence[str], *, level: float = CONFUSED_FROM
) -> list[Confusable]:
    """Pairs of sections that the model cannot tell apart, the worst first.

    An article of one section is mistaken for the other if that one is the best of those it does not have and better than
    its own. A pair is named where, in one direction at least, there are five mistakes and the lower limit of their share is
    above `level`: a small section that a large one takes in is found as well.

    Args:
        held_probability: (n, k) out-of-fold probabilities.
        truth: (n, k) which labels each article has, one or several.
        labels: (k,)

    Raises:
        UsageError: shapes that do not fit, or something that is no probability.
    """
    _check(held_probability, truth, labels)
    if len(labels) < 2:
        return []
    mistaken: dict[tuple[int, int], int] = {}
    step = max(1, _CELLS // len(labels))
    for start in range(0, len(truth), step):
        p, has = held_probability[start : start + step], truth[start : start + step]
        others = np.where(has, -1.0, p)
        best = others.argmax(axis=1)
        rows, own = np.nonzero(has)
        wrong = others[rows, best[rows]] > p[rows, own]
        for pair in zip(own[wrong].tolist(), best[rows[wrong]].tolist(), strict=True):
            mistaken[pair] = mistaken.get(pair, 0) + 1
    counts = truth.sum(axis=0)
    found = []
    for first, second in sorted({(min(pair), max(pair)) for pair in mistaken}):
        both = int(np.count_nonzero(truth[:, first] & truth[:, second]))
        forth = _direction(mistaken.get((first, second), 0), int(counts[first]) - both)
        back = _direction(mistaken.get((second, first), 0), int(counts[second]) - both)
        found.append(Confusable(labels[first], labels[second], forth, back))
    found = [pair for pair in found if pair.worse.mistaken >= _FEWEST and pair.worse.low > level]
    return sorted(found, key=lambda pair: (-pair.worse.low, pair.first, pair.second))


def _direction(mistaken: int, articles: int) -> Direction:
    rate = mistaken / articles if articles else 0.0
    low, high = wilson([mistaken], [articles])
    return Direction(articles, mistaken, rate, float(low[0]), float(high[0]))


def similar_names(counts: Mapping[str, int]) -> list[SimilarNames]:
    """Groups of label names that differ only by case, spaces or Unicode form (full width, invisible marks, …).

    The group with the most articles comes first; `counts` are articles by name.
    """
    groups: dict[str, list[str]] = {}
    for name in counts:
        groups.setdefault(_key(name), []).append(name)
    found = []
    for names in groups.values():
        if len(names) > 1:
            names.sort(key=lambda name: (-counts[name], name))
            listed = ", ".join(f"{json.dumps(name, ensure_ascii=False)} ({counts[name]})" for name in names)
            remedy = (
                f"{listed} differ only by case, spaces or Unicode form; if they are one section, write "
                f"{json.dumps(names[0].strip(), ensure_ascii=False)} for all of them in the data"
            )
            found.append(SimilarNames(tuple(names), tuple(counts[name] for name in names), remedy))
    return sorted(found, key=lambda group: (-sum(group.counts), group.names))


def _key(name: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")


def write_jsonl(
    suspects: Iterable[Suspect] = (),
    conflicts: Iterable[Conflict] = (),
    confused: Iterable[Confusable] = (),
    similar: Iterable[SimilarNames] = (),
) -> bytes:
    """Every finding as one line of UTF-8 JSON. `finding` says what it is:

    "suspected label" (the fields of `Suspect`), "conflicting duplicates" (`id`, `headline` of the first; `ids`,
    `headlines`, `labels`), "confusable sections" (`label`, `predicted`, `probability`: the worse direction and its share;
    `forth`, `back`), "similar names" (`labels`, `counts`, `remedy`).
    """
    lines: list[dict[str, Any]] = []
    lines += [{"finding": "suspected label", **asdict(suspect)} for suspect in suspects]
    for conflict in conflicts:
        first = {"id": conflict.ids[0], "headline": conflict.headlines[0]}
        lines.append({"finding": "conflicting duplicates", **first, **asdict(conflict)})
    for pair in confused:
        names = (pair.first, pair.second) if pair.worse is pair.forth else (pair.second, pair.first)
        facts = {"label": names[0], "predicted": names[1], "probability": pair.worse.rate}
        lines.append({"finding": "confusable sections", **facts, **asdict(pair)})
    for group in similar:
        facts = {"labels": group.names, "counts": group.counts, "remedy": group.remedy}
        lines.append({"finding": "similar names", **facts})
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)


def _check(probability: Floats, truth: Truth, labels: Sequence[str], *of_articles: Sequence[str]) -> None:
    if probability.ndim != 2 or probability.shape != truth.shape or truth.dtype != np.bool_:
        raise UsageError(
            f"probabilities have the shape {probability.shape}, truth {truth.shape} of {truth.dtype}",
            remedy="give two matrices (articles, labels), truth of booleans",
        )
    wanted = [probability.shape[1], *[len(probability)] * len(of_articles)]
    if [len(labels), *map(len, of_articles)] != wanted:
        raise UsageError(
            "labels, ids or headlines do not fit the probabilities", remedy="give one for each column or row"
        )
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise UsageError("a probability is not between 0 and 1", remedy="give calibrated probabilities")

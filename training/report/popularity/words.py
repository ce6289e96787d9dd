"""Which features of a linear popularity head lift and which sink, and what set one article apart from its group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from classifier.display import word_contributions
from classifier.linear import INTERCEPT, Linear
from classifier.popularity import PopularityHead
from classifier.reading.rows import to_articles
from classifier.results import Contribution
from classifier.text.blocks import Block, CrossBlock, TextBlock
from classifier.text.rows import URL
from classifier.text.sparse import SparseRows
from training.corpus import Corpus
from training.report.popularity.content import Floats, Ints, WordEffect, WordPanel

_Found = tuple[float, str, int]
_MOST_LOOKED_AT = 1500  # articles; more would only sharpen how often words occur
_MOST_MEMBERS = 200  # of a group; a box may stand for thousands
_MOST_FEATURES = 20
_MOST_OTHERS = 10
_WORDS, _COMBINATIONS, _OTHERS = ("Words", "Combinations", "Other features")


def word_panels(linear: Linear, corpus: Corpus, articles: Ints) -> tuple[tuple[WordPanel, ...], int]:
    """The features that move the scores of `articles` (positions) most within their groups, by kind, and how many articles
    were looked at.

    A feature's effect is the standard deviation, within groups, of what it adds: it counts how heavy the feature is, how
    strongly it occurs and how often, and nothing that whole groups share (such as their source), which decides no order.
    Words come from the blocks of whole words where there are any: parts of words say little to a reader.
    """
    looked_at, group = _some_groups(corpus, articles)
    rows = corpus.take(looked_at).rows
    whole = {_kind(block) for block in linear.blocks if _is_text(block) and not _cuts_words(block)}
    kinds: dict[str, list[_Found]] = {}
    at = 0
    for block in linear.blocks:
        weights = linear.weights[at : at + block.width, 0]
        at += block.width
        if _cuts_words(block) and _kind(block) in whole:
            continue
        effects, seen = weights, np.zeros(block.width, np.int64)
        if len(looked_at):
            features = block.transform(rows)
            np.add.at(seen, features.indices, 1)
            effects = weights * _spread(features, group)
        kinds.setdefault(_kind(block), []).extend(_heaviest(block, effects, seen))
    most = {_WORDS: _MOST_FEATURES, _COMBINATIONS: _MOST_OTHERS, _OTHERS: _MOST_OTHERS}
    panels = (_panel(kind, kinds.get(kind, ()), most[kind]) for kind in most)
    return tuple(panel for panel in panels if panel.lift or panel.sink), len(looked_at)


def _some_groups(corpus: Corpus, articles: Ints) -> tuple[Ints, Ints]:
    """About `_MOST_LOOKED_AT` of the articles, whole groups where these are small, and the number of each one's group.
    Without groups of two everything is one group."""
    names = [corpus.groups[i] or "" for i in articles.tolist()]
    _, group = np.unique(np.array(names, np.str_), return_inverse=True)
    sizes = np.bincount(group)
    if not (sizes > 1).any():
        group, sizes = np.zeros(len(articles), np.int64), np.array([len(articles)])
    order = np.random.default_rng(0).permutation(len(sizes))
    before = np.cumsum(sizes[order]) - sizes[order]
    at = np.flatnonzero(np.isin(group, order[before < _MOST_LOOKED_AT]))
    if len(at) > 2 * _MOST_LOOKED_AT:
        at = at[np.linspace(0, len(at) - 1, _MOST_LOOKED_AT).astype(int)]
    return articles[at], group[at]


def _spread(features: SparseRows, group: Ints) -> Floats:
    """(width,) the standard deviation of each feature's value within groups (n,), pooled over them."""
    row = np.repeat(np.arange(len(features)), np.diff(features.indptr))
    sizes = np.bincount(group)
    keys, at = np.unique(group[row] * features.width + features.indices, return_inverse=True)
    total, square = np.bincount(at, features.values), np.bincount(at, features.values**2)
    apart = square - total**2 / sizes[keys // features.width]
    apart[apart < 1e-9 * square] = 0.0  # what is left of numbers that are all equal
    return np.sqrt(
        np.bincount(keys % features.width, apart, minlength=features.width) / max(len(features), 1)
    )


def _kind(block: Block) -> str:
    if isinstance(block, CrossBlock):
        return _COMBINATIONS
    return _WORDS if _is_text(block) else _OTHERS


def _is_text(block: Block) -> bool:
    """Whether its features are words that readers see."""
    inner = block.inner if isinstance(block, CrossBlock) else block
    return isinstance(inner, TextBlock) and inner.column != URL


def _cuts_words(block: Block) -> bool:
    """Whether its features are parts of words."""
    inner = block.inner if isinstance(block, CrossBlock) else block
    return isinstance(inner, TextBlock) and inner.analyzer.kind != "word"


def _heaviest(block: Block, effects: Floats, seen: Ints) -> Iterator[_Found]:
    most = min(_MOST_FEATURES, block.width)
    for part in (np.argsort(-effects, kind="stable")[:most], np.argsort(effects, kind="stable")[:most]):
        for i in part.tolist():
            yield float(effects[i]), block.feature_name(i), int(seen[i])


def _panel(title: str, found: Iterable[_Found], most: int) -> WordPanel:
    every = sorted(set(found), key=lambda item: (-abs(item[0]), item[1]))

    def first(sign: float) -> tuple[WordEffect, ...]:
        own = [WordEffect(name, effect, seen) for effect, name, seen in every if sign * effect > 0]
        return tuple(own[:most])

    return WordPanel(title, first(1.0), first(-1.0))


def words_apart(head: PopularityHead, corpus: Corpus, article: int, members: Ints) -> list[tuple[str, float]]:
    """What an article's words (and features without words) add to its score beyond the average of its group's `members`:
    what the whole group has, such as its source, decides nothing within it."""
    own = corpus.take(np.array([article]))
    parts = [part for part in head.explain(own.rows) if part.feature != INTERCEPT]
    members = np.unique(members)
    members = members[np.linspace(0, len(members) - 1, min(len(members), _MOST_MEMBERS)).astype(int)]
    typical = _typical(head.linear, corpus.take(members), {part.feature for part in parts})
    apart = [
        Contribution(part.head, part.feature, part.contribution - typical.get(part.feature, 0.0), part.spans)
        for part in parts
    ]
    (row,) = to_articles(own.table.combine_chunks().to_batches()[0])
    return word_contributions(row, apart, "popularity")


def _typical(linear: Linear, members: Corpus, wanted: set[str]) -> dict[str, float]:
    """The mean contribution of the wanted features over the members."""
    found: dict[str, float] = {}
    at = 0
    for block in linear.blocks:
        features = block.transform(members.rows)
        total = np.bincount(features.indices, features.values, minlength=block.width)
        for i in np.flatnonzero(total).tolist():
            name = block.feature_name(i)
            if name in wanted:
                found[name] = found.get(name, 0.0) + float(total[i] * linear.weights[at + i, 0]) / len(
                    members
                )
        at += block.width
    return found

"""Headlines scored as headlines of the same article, and compared.

Two of them differ by the features that differ; the variance of the weights says how much of such a difference may be
noise (weights taken as independent).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from classifier.articles import Article
from classifier.errors import UsageError
from classifier.headlines.checks import distinct_headlines
from classifier.headlines.results import HeadlineRanking, RankedHeadline, Word
from classifier.popularity import PopularityHead, PopularityResult
from classifier.text.blocks import Block, CrossBlock, FieldSpan, NumericBlock
from classifier.text.rows import Rows

if TYPE_CHECKING:
    from classifier.model import Model

MAX_WORDS = 10
Z = 1.64  # standard errors that a difference must exceed: one-sided, 95 %
LENGTH = "headline length"
NOTHING = 1e-9  # what rounding alone may make of equal scores

_WORD = re.compile(r"\w+")


def rank_headlines(model: Model, headlines: Sequence[str], story: Article | None = None) -> HeadlineRanking:
    """Score each headline as that of `story` (whose own headline is not looked at), best first.

    White space is squeezed and Unicode composed (NFC); headlines that are then the same are listed once. Equal scores are
    ordered by a hash of the headline, so input order never decides.

    Raises:
        FieldError: fewer than 2 or more than 20 headlines, or one that is none; the field is headlines or headlines[3].
        UsageError: the model has no popularity head.
    """
    found = distinct_headlines(headlines)
    if model.popularity is None:
        raise UsageError(
            "the model has no popularity head",
            remedy="train one from articles with popularity counts or ranking boxes",
        )
    scored = _score(model.popularity, list(found), _in_a_section(model, list(found), story or Article()))
    scored.sort(key=lambda item: (-item.result.score, _tie(item.headline)))
    ranked = [
        _beside(scored[0], item, rank, found[item.headline], model.popularity)
        for rank, item in enumerate(scored, 1)
    ]
    return HeadlineRanking(tuple(ranked), model.name, model.version)


@dataclass(slots=True)
class _Scored:
    """A headline with what the head made of it.

    `features`: id to (value, contribution) of the whole article. `names`: id to the words of the headline on which the
    feature stands, or its own name; features of the headline only. `places`: word to its places in the headline.
    """

    headline: str
    result: PopularityResult
    features: dict[int, tuple[float, float]]
    names: dict[int, list[str]]
    places: dict[str, set[FieldSpan]]


def _in_a_section(model: Model, headlines: Sequence[str], story: Article) -> Article:
    """The story with one section, whatever its headline: its own, else the one predicted with most of them."""
    if model.popularity is None or not model.popularity.reads("section"):
        return story
    if story.labels:
        return replace(story, section=story.labels[0], sections=None)
    if model.sections is None:
        return story
    rows = Rows.from_articles([replace(story, headline=headline) for headline in headlines])
    counts = Counter(result.section for result in model.sections.results(rows))
    return replace(story, section=min(counts, key=lambda name: (-counts[name], name)))


def _score(head: PopularityHead, headlines: Sequence[str], story: Article) -> list[_Scored]:
    articles = [replace(story, headline=headline) for headline in headlines]
    whole = Rows.from_articles(articles)
    # What the headline alone has tells its features from those that only summary and body have.
    alone = Rows.from_articles([replace(article, summary="", body="") for article in articles])
    scored = [_Scored(h, r, {}, {}, {}) for h, r in zip(headlines, head.results(whole), strict=True)]
    at = 0
    for place, block in enumerate(head.linear.blocks):
        features, own = block.transform(whole), block.transform(alone)
        for number, item in enumerate(scored):
            indices, values = features.row(number)
            effects = values * head.linear.weights_at(place, indices)[:, 0]
            for i, value, effect in zip(indices.tolist(), values.tolist(), effects.tolist(), strict=True):
                item.features[at + i] = (value, effect)
            _name(item, block, own.row(number)[0].tolist(), block.feature_spans(alone, number), at)
        at += block.width
    return scored


def _name(
    item: _Scored, block: Block, features: Sequence[int], spans: Mapping[int, list[FieldSpan]], at: int
) -> None:
    words = [(match.group().lower(), match.start(), match.end()) for match in _WORD.finditer(item.headline)]
    for feature in features:
        places = spans.get(feature, [])
        covered = [
            (word, ("headline", start, end))
            for _, low, high in places
            for word, start, end in words
            if start < high and low < end
        ]
        if not covered:  # it stands nowhere, or between words
            covered = [(block.feature_name(feature), place) for place in places]
        item.names[at + feature] = [name for name, _ in covered] or [_own_name(block, feature)]
        for name, place in covered:
            item.places.setdefault(name, set()).add(place)


def _own_name(block: Block, feature: int) -> str:
    """Of what stands nowhere. The length is one thing, whichever knots it lies between and whoever's readers count."""
    inner = block.inner if isinstance(block, CrossBlock) else block
    is_length = isinstance(inner, NumericBlock) and inner.column == LENGTH
    return LENGTH if is_length else block.feature_name(feature)


def _beside(
    first: _Scored, item: _Scored, rank: int, positions: tuple[int, ...], head: PopularityHead
) -> RankedHeadline:
    behind = first.result.score - item.result.score
    differing = [
        (feature, item.features.get(feature, (0.0, 0.0)), first.features.get(feature, (0.0, 0.0)))
        for feature in sorted(item.features.keys() | first.features.keys())
    ]
    error = math.sqrt(math.fsum((x - y) ** 2 * head.variance[f] for f, (x, _), (y, _) in differing))
    words, rest = _words(first, item, [(f, a, b) for f, (_, a), (_, b) in differing])
    return RankedHeadline(
        rank=rank,
        headline=item.headline,
        positions=positions,
        popularity_score=item.result.score,
        popularity_percentile=item.result.percentile,
        top5_probability=item.result.top5_probability,
        behind=behind,
        standard_error=error if head.variance.any() else None,
        better_chance=None if item is first else 0.5 * (1.0 + math.tanh(0.5 * head.pair_slope * behind)),
        told_apart=behind > max(Z * error, NOTHING),
        words=words,
        rest=rest,
    )


def _words(
    first: _Scored, item: _Scored, contributions: Sequence[tuple[int, float, float]]
) -> tuple[tuple[Word, ...], float]:
    """Differences in contribution gathered by word; those of features that no headline of the two has go to the rest.

    A feature's contribution is shared equally by the words that it stands on. One that the body also has may be gone from
    one of the two headlines: then the other's words are where its difference comes from.
    """
    totals: dict[str, list[float]] = {}
    rest: list[float] = []
    for feature, mine, theirs in contributions:
        own, other = item.names.get(feature), first.names.get(feature)
        for amount, names in ((mine, own or other), (-theirs, other or own)):
            for name in names or ():
                totals.setdefault(name, []).append(amount / len(names or ()))
            if not names:
                rest.append(amount)
    sums = sorted(((name, math.fsum(parts)) for name, parts in totals.items()), key=_largest_first)
    listed = [pair for pair in sums[:MAX_WORDS] if abs(pair[1]) > NOTHING]
    words = [Word(name, amount, _places(item, name), _places(first, name)) for name, amount in listed]
    return tuple(words), math.fsum([*rest, *(amount for _, amount in sums[len(listed) :])])


def _places(item: _Scored, name: str) -> tuple[FieldSpan, ...]:
    return tuple(sorted(item.places.get(name, ())))


def _largest_first(pair: tuple[str, float]) -> tuple[float, str]:
    return -abs(pair[1]), pair[0]


def _tie(headline: str) -> bytes:
    return hashlib.blake2b(headline.encode(), digest_size=8).digest()

"""Features of a part of the articles are those of a fit on that part alone; a head's blocks make the same of all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.linear import Linear
from classifier.spec import Arrays, Spec
from classifier.text.rows import Rows
from training.blocks import block_matrix, count_text, fit_numeric
from training.corpus import Corpus
from training.popularity import features as module
from training.popularity.design import Design
from training.popularity.features import SMALL, FeatureCache, FittedFeature, to_blocks
from training.popularity.recipes import Feature

Make = Callable[..., Corpus]
ALL = (
    "text word(1,2)",
    "headline char_wb(2,3) * 0.5",
    "headline shape * 0.05",
    "time * 0.1",
    "source * 0.5",
    "desk * 1",
    "words numeric * 2",
    "source x text word(1,2) * 3",
    "desk x words numeric",
    "source x time * 0.5",
    "desk x source",
)
ROW = st.fixed_dictionaries(
    {
        "headline": st.lists(
            st.sampled_from(["bank", "Storm", "vote", "votes", "日本", "x9"]), max_size=4
        ).map(" ".join),
        "body": st.sampled_from(["", "storm again", "votes"]),
        "source": st.sampled_from(["north", "south", None]),
        "desk": st.sampled_from(["city", "world"]),
        "words": st.sampled_from([None, 1.0, 5.0, 20.0, 100.0]),
        "published_at": st.sampled_from(
            ["2031-03-03T06:10:00+00:00", "2031-03-04T16:10:00+00:00", "2031-03-08T23:50:00+00:00", None]
        ),
    }
)
PROPERTY = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


def parsed(*features: str) -> tuple[Feature, ...]:
    return tuple(map(Feature.parse, features))


def cache_of(corpus: Corpus, ages: Any = None) -> FeatureCache:
    return FeatureCache(corpus.rows, "Asia/Tokyo", np.zeros(len(corpus)) if ages is None else ages)


def matrix_of(cache: FeatureCache, features: tuple[Feature, ...], train: Any = None) -> Any:
    """(n, width) of the features side by side, as the kernel has them."""
    columns = [own for _, own in cache.columns(features, train)]
    design = Design(columns, np.arange(len(cache)))
    return design.table(np.arange(design.width)).toarray() if columns else None


def told(one: FittedFeature | None, over: Rows) -> Any:
    """(over, width) of a feature fitted on other articles; without columns where it gives nothing."""
    if one is None:
        return np.empty((len(over), 0))
    assert one.block is not None
    return block_matrix(one.block, over).toarray()


@given(st.lists(ROW, min_size=4, max_size=16), st.data(), st.sampled_from(ALL), st.booleans())
@PROPERTY
def test_as_if_fitted_on_a_part_alone(
    corpus_of: Make, rows: list[dict[str, Any]], data: st.DataObject, written: str, few: bool
) -> None:
    masks = st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)).filter(lambda m: sum(m) > 1)
    train = np.array(data.draw(masks))
    rows[0]["words"] = rows[0]["words"] or 3.0  # else the column would be of strings
    feature = Feature.parse(written)
    corpus = corpus_of(rows)
    before = module.SMALL
    module.SMALL = SMALL if few else 0  # of many articles words and combinations of one are left out
    try:
        found = cache_of(corpus)._one(feature, train)
        alone = cache_of(corpus.take(train))._one(feature, None)
    finally:
        module.SMALL = before
    expected = told(alone, corpus.rows)
    own = np.empty((len(rows), 0)) if found is None else found.matrix.toarray()
    # Terms that the part does not know are columns of zeros; which of two is the more frequent may differ, too.
    if feature.is_text:
        own, expected = (_seen(table, train) for table in (own, expected))
    np.testing.assert_allclose(own, expected, rtol=0, atol=1e-9)


def _seen(table: Any, train: Any) -> Any:
    """The columns that are not zero in training, in the order of what stands in them."""
    kept = table[:, (table[train] != 0).any(axis=0)]
    return kept[:, np.lexsort(np.round(kept, 9))]


@given(st.lists(ROW, min_size=4, max_size=12))
@PROPERTY
def test_the_blocks_of_a_head_make_the_matrix_that_was_fitted(
    corpus_of: Make, rows: list[dict[str, Any]]
) -> None:
    rows[0]["words"] = 3.0
    corpus = corpus_of(rows)
    cache = cache_of(corpus)
    fitted = cache.fitted(parsed(*ALL))
    if not fitted:
        return
    blocks = to_blocks(fitted)
    matrix = matrix_of(cache, parsed(*ALL))
    np.testing.assert_allclose(
        np.hstack([block_matrix(block, corpus.rows).toarray() for block in blocks]),
        matrix,
        rtol=1e-6,
    )
    weights = np.random.default_rng(0).normal(size=(matrix.shape[1], 1))
    linear = Linear(blocks, weights, np.array([0.5]))
    scores = linear.scores(corpus.rows)
    np.testing.assert_allclose(scores, matrix @ linear.weights + 0.5, rtol=0, atol=1e-5)
    back = Linear.load(Spec(linear.spec(), "here"), Arrays(linear.arrays()), 1)
    assert back.scores(corpus.rows).tobytes() == scores.tobytes()
    for number in range(len(rows)):
        parts = linear.parts(corpus.rows, number)
        assert sum(float(part.contributions[0]) for part in parts) == pytest.approx(
            float(scores[number, 0]), abs=1e-9
        )


STORIES = [
    {"headline": "Storm hits", "source": "north", "words": 5.0},
    {"headline": "Storm and votes", "source": "north", "words": 10.0},
    {"headline": "Votes", "source": "north", "words": None},
    {"headline": "Votes again", "source": "south", "words": 20.0},
    {"headline": "", "source": "south", "words": 40.0},
    {"headline": "Storm", "source": "south", "words": 50.0},
]


def test_what_fades_counts_by_age_before_the_newest_of_the_part(corpus_of: Make) -> None:
    corpus = corpus_of(STORIES)
    ages = np.array([14.0, 7.0, 7.0, 3.5, 3.5, 0.0])
    cache = cache_of(corpus, ages)
    features = parsed("source * 0.5", "source * 2, recent 7", "source * 1, recent 14")
    matrix = matrix_of(cache, features)
    north = np.array([1, 1, 1, 0, 0, 0])
    for at, (weight, days) in enumerate([(0.5, np.inf), (2.0, 7.0), (1.0, 14.0)]):
        expected = weight * 0.5 ** (ages / days)
        np.testing.assert_allclose(
            matrix[:, 2 * at : 2 * at + 2], np.array([north, 1 - north]).T * expected[:, None]
        )
    part = np.arange(6) < 5  # the newest of it is half a week old; what is newer counts as much
    table = matrix_of(cache, parsed("source", "source, recent 7"), part)
    assert table[:3, 1] == pytest.approx(0.5 ** (np.array([10.5, 3.5, 3.5]) / 7))
    words = matrix_of(cache, parsed("text word(1,1)", "text word(1,1), recent 7"))
    width = words.shape[1] // 2
    np.testing.assert_allclose(words[:, width:], words[:, :width] * 0.5 ** (ages / 7)[:, None])


def test_what_gives_nothing_is_left_out(corpus_of: Make) -> None:
    rows = [{"headline": "one two", "words": 3.0}, {"headline": "two three", "words": 3.0}]
    cache = cache_of(corpus_of(rows))
    none = parsed(
        "body word(1,1)",
        "source * 1",
        "source * 1, recent 7",
        "time * 1",
        "words numeric * 1",
        "source x text word(1,1)",
        "source x time",
    )
    assert cache.fitted(none) == []
    assert matrix_of(cache, none) is None
    words = parsed("text word(1,1)")
    found = matrix_of(cache, (*none, *words))
    assert found.shape == (2, 3)
    (one,) = cache.fitted((*none, *words))
    assert one.feature == words[0]


def test_a_text_is_counted_once_whatever_is_fitted_on_which_part(
    corpus_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []

    def count(rows: Any, column: str, *rest: Any, **more: Any) -> Any:
        counted.append(column)
        return count_text(rows, column, *rest, **more)

    monkeypatch.setattr(module, "count_text", count)
    cache = cache_of(corpus_of(STORIES))
    features = parsed("text word(1,1) * 2", "summary word(1,1)", "source x text word(1,1)")
    cache.prepare(features)
    for train in (None, np.arange(6) < 3, np.arange(6) >= 2):
        matrix_of(cache, features, train)
        matrix_of(cache, (*features, *parsed("text word(1,1), recent 7")), train)
    cache.forget()
    assert matrix_of(cache, features) is not None
    assert counted == ["text", "summary"]


def test_rare_combinations_are_left_out_of_many_articles(
    corpus_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = parsed("headline word(1,1)", "source x headline word(1,1)")
    corpus = corpus_of(STORIES)
    few = to_blocks(cache_of(corpus).fitted(features))[1]
    assert [few.feature_name(i) for i in range(few.width)] == [
        *[f"source north × headline: {word}" for word in ("storm", "votes", "and", "hits")],
        *[f"source south × headline: {word}" for word in ("storm", "votes", "again")],
    ]
    monkeypatch.setattr(module, "SMALL", 0)
    many = to_blocks(cache_of(corpus).fitted(features))[1]
    assert [many.feature_name(i) for i in range(many.width)] == [
        f"source north × headline: {word}" for word in ("storm", "votes")
    ]


def test_where_all_times_are_known_a_part_needs_no_average_of_its_own(corpus_of: Make) -> None:
    rows = [{**row, "published_at": f"2031-03-0{3 + i}T1{i}:00:00+00:00"} for i, row in enumerate(STORIES)]
    corpus = corpus_of(rows)
    train = np.arange(6) < 3
    for written in ("time * 0.5", "source x time"):
        feature = Feature.parse(written)
        found = cache_of(corpus)._one(feature, train)
        alone = cache_of(corpus.take(train))._one(feature, None)
        assert found is not None
        np.testing.assert_allclose(found.matrix.toarray(), told(alone, corpus.rows))


def test_threads_share_the_cache(corpus_of: Make) -> None:
    cache = cache_of(corpus_of(STORIES))
    features = parsed("headline word(1,1)", "source * 1", "source * 1, recent 7")
    parts = [np.arange(6) != k for k in range(6)]
    expected = [matrix_of(cache_of(corpus_of(STORIES)), features, part) for part in parts]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda k: matrix_of(cache, features, parts[k % 4]), range(200)))
    for k, own in enumerate(found):
        assert own.tobytes() == expected[k % 4].tobytes()
    twice = [cache.columns(features, parts[0]) for _ in range(2)]
    assert all(a is b for (_, a), (_, b) in zip(*twice, strict=True))  # made once


def test_numbers_have_knots_at_their_quantiles_and_an_average(corpus_of: Make) -> None:
    rows = [{"headline": "x", "words": float(i * i)} for i in range(101)] + [{"headline": "x", "words": None}]
    of = corpus_of(rows).rows
    block = fit_numeric(of, "words", weight=2.0)
    assert block is not None
    np.testing.assert_allclose(block.knots, [float(i * i) for i in range(0, 101, 10)])
    assert block.average.sum() == pytest.approx(1.0)
    matrix = block_matrix(block, of).toarray()
    np.testing.assert_allclose(matrix[-1], matrix[:-1].mean(axis=0))
    # Many equal values make fewer knots, all equal none, and so do words.
    twos = fit_numeric(Rows({"words": [1, 1, 1, 1, 9]}, 5), "words")
    assert twos is not None
    assert (np.diff(twos.knots) > 0).all()
    assert (twos.knots[0], twos.knots[-1]) == (1.0, 9.0)
    for values in ([7, 7, None], [None, None, None], ["a", "b", True]):
        assert fit_numeric(Rows({"words": values}, 3), "words") is None
    strings = fit_numeric(Rows({"words": ["1", "9", "x"]}, 3), "words")
    assert strings is not None
    assert (strings.knots[0], strings.knots[-1]) == (1.0, 9.0)
    half = fit_numeric(of, "words", train=np.arange(102) < 51)
    assert half is not None
    assert half.knots[-1] == 2500.0

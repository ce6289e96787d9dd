"""The popularity head on tiny corpora: what it learns, what makes of its scores chances, and that it does so again."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.articles import Article
from classifier.errors import ConfigError, LabelError
from classifier.linear import INTERCEPT
from classifier.popularity import DAYS, QUANTILES, PopularityHead
from classifier.spec import Arrays, Spec
from classifier.text.blocks import CategoryBlock, CrossBlock, NumericBlock, TextBlock, TimeBlock
from classifier.text.rows import Rows
from training.config import Config, parse_config
from training.corpus import Corpus
from training.fit import check_columns
from training.labels import NO_JUDGEMENTS, Judgements, count_judgements, training_targets
from training.metrics import ece
from training.popularity import head as module
from training.popularity.choice import choose_recipe
from training.popularity.head import FittedPopularity, fit_popularity

Make = Callable[..., Corpus]
Row = dict[str, Any]
Stories = Callable[..., list[dict[str, Any]]]


def fitted(corpus: Corpus, config: Config | None = None) -> FittedPopularity:
    judgements = count_judgements(corpus)
    targets = training_targets(judgements, NO_JUDGEMENTS, len(corpus))
    return fit_popularity(corpus, targets, judgements, config or Config())


def test_what_lifts_articles_is_learned(corpus_of: Make, stories: Stories) -> None:
    rows = stories()
    corpus = corpus_of(rows, column_zone="Asia/Tokyo")
    found = fitted(corpus)
    results = found.head.results(corpus.rows)
    lifted = np.array(["storm" in row["body"] for row in rows])
    scores = np.array([result.score for result in results])
    assert scores[lifted].min() > scores[~lifted].max()
    assert (found.articles, found.groups) == (96, 8)
    chances = np.array([result.top5_probability for result in results])
    assert chances[lifted].mean() > 0.6 > 0.4 > chances[~lifted].mean()
    assert chances.mean() == pytest.approx(5 / 12, abs=0.08)
    assert found.head.sources == ("Tiny Gazette",)
    assert found.head.group_sizes.tolist() == [[12.0] * DAYS] * 2
    assert found.head.quantiles.shape == (2, QUANTILES)
    assert (np.diff(found.head.quantiles, axis=1) >= 0).all()


def test_percentiles_of_the_training_articles_are_even(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of(stories(days=20), column_zone="Asia/Tokyo")
    percentiles = [result.percentile for result in fitted(corpus).head.results(corpus.rows)]
    assert np.mean(percentiles) == pytest.approx(50, abs=5)
    assert max(percentiles) > 90
    assert min(percentiles) < 10


def test_without_headlines_and_without_times(corpus_of: Make, stories: Stories) -> None:
    rows = [
        {**row, "headline": "", "published_at": None, "popularity_group": row["published_at"][:10]}
        for row in stories()
    ]
    corpus = corpus_of(rows)
    head = fitted(corpus).head
    assert not [block for block in head.linear.blocks if isinstance(block, TimeBlock)]
    assert {block.column for block in head.linear.blocks if isinstance(block, TextBlock)} == {"text"}
    scores = head.scores(corpus.rows)
    lifted = np.array(["storm" in row["body"] for row in rows])
    assert scores[lifted].mean() > scores[~lifted].mean() + 1


def test_the_source_is_one_feature_however_often_it_is_named(corpus_of: Make, stories: Stories) -> None:
    rows = [{**row, "source": f"Paper {i % 2}", "desk": f"d{i % 3}"} for i, row in enumerate(stories())]
    config = parse_config({"features": {"categorical": ["source", "desk"]}})
    blocks = fitted(corpus_of(rows), config).head.linear.blocks
    named = [block.column for block in blocks if isinstance(block, CategoryBlock)]
    assert sorted(named) == ["desk", "section", "source"]


def test_one_day_gives_everybody_the_groups_chance(corpus_of: Make, stories: Stories) -> None:
    """Nothing can be held out, so nothing is known of how well scores tell the top five."""
    corpus = corpus_of(stories(days=1, daily=12), column_zone="Asia/Tokyo")
    head = fitted(corpus).head
    assert head.top5.score_slope == 0.0
    chances = [result.top5_probability for result in head.results(corpus.rows)]
    np.testing.assert_allclose(chances, 5 / 12, atol=0.01)


def test_equal_counts_say_nothing(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of([{**row, "popularity": 7.0} for row in stories()])
    with pytest.raises(LabelError, match="no group of articles has differing popularity") as caught:
        fitted(corpus)
    assert "popularity_group" in str(caught.value)


def test_flags(corpus_of: Make, stories: Stories) -> None:
    rows = [{**row, "popularity": float("storm" in row["body"])} for row in stories()]
    corpus = corpus_of(rows, column_zone="Asia/Tokyo")
    scores = fitted(corpus).head.scores(corpus.rows)
    flags = corpus.popularity
    assert scores[flags == 1].min() > scores[flags == 0].max()


# Recipes

EVERYTHING = [
    "source x text word(1,1)",  # before what it crosses: in the head it stands behind
    "text word(1,1)",
    "headline shape * 0.05",
    "time * 0.1",
    "source * 0.5",
    "section * 0.5",
    "words numeric * 1",
    "section x words numeric * 2",
    "source x time * 0.5",
    "section x source * 1",
    "source * 1, recent 7",
    "text word(1,1) * 0.5, recent 30",
]


def busy(row: Row) -> float:
    row["source"] = ("north", "south")[row["day"] % 2]
    row["words"] = None if row["luck"] > 1 else float(abs(int(300 * row["luck"])))
    row["desk"] = ("city", "world")[row["luck"] > 0]
    return 0.1 * int(row["headline"].split()[0].removeprefix("word")) - (row["words"] or 0.0) / 300


def told(head: PopularityHead, rows: list[Row]) -> list[float]:
    own = [{name: value for name, value in row.items() if value is not None} for row in rows]
    scores: list[float] = head.scores(Rows.from_articles([Article.from_mapping(row) for row in own])).tolist()
    return scores


@pytest.mark.parametrize("learner", ["squares", "pairwise"])
def test_every_kind_of_feature_in_one_head(simulate: Any, corpus_of: Make, learner: str) -> None:
    rows = simulate(busy)
    corpus = corpus_of(rows)
    config = parse_config({"fit": {"popularity_features": EVERYTHING, "popularity_learner": learner}})
    check_columns(corpus, config)
    found = fitted(corpus, config)
    kinds = {type(block) for block in found.head.linear.blocks}
    assert {CategoryBlock, CrossBlock, NumericBlock, TextBlock, TimeBlock} < kinds
    assert sorted(map(str, found.recipe.features)) == sorted(EVERYTHING)
    assert found.recipe.learner == learner
    head = found.head
    back = PopularityHead.load(Spec(head.spec(), "here"), Arrays(head.arrays()))
    some = [*rows[:20], {"headline": "word1 unheard of", "body": "x"}, {"body": "word3", "words": "12"}]
    assert told(back, some) == told(head, some)
    for row, score in zip(some, told(head, some), strict=True):
        own = {name: value for name, value in row.items() if value is not None}
        parts = head.explain(Rows.from_articles([Article.from_mapping(own)]))
        assert sum(part.contribution for part in parts) == pytest.approx(score, abs=1e-9)
        assert [part.feature for part in parts].count(INTERCEPT) == 1
    named = {part.feature for part in head.explain(Rows.from_articles([Article.from_mapping(rows[1])]))}
    first = rows[1]["headline"].split()[0]
    assert {f"text: {first}", f"source north × text: {first}", "source: north"} <= named


def test_the_manifest_holds_the_recipe_as_settings_that_fix_it(simulate: Any, corpus_of: Make) -> None:
    corpus = corpus_of(simulate(busy))
    found = fitted(corpus)
    facts = found.facts()
    assert (facts["articles"], facts["groups"]) == (300, 20)
    assert facts["recipes_tried"] == found.tried > 10
    again = fitted(corpus, parse_config({"fit": facts["recipe"]}))
    assert again.recipe == found.recipe
    assert again.tried == 0
    for name, array in again.head.linear.arrays().items():
        np.testing.assert_array_equal(array, found.head.linear.arrays()[name])


def test_few_groups_take_the_start_as_it_is(simulate: Any, corpus_of: Make) -> None:
    found = fitted(corpus_of(simulate(busy, days=7)))
    assert found.tried == 0
    assert [str(feature) for feature in found.recipe.features] == [
        "text word(1,2)",
        "headline shape * 0.05",
        "time * 0.1",
        "source * 0.5",
        "section * 0.5",
    ]


def test_columns_of_numbers_and_categories(simulate: Any, corpus_of: Make) -> None:
    corpus = corpus_of(simulate(busy, noise=0.1))
    config = parse_config(
        {
            "features": {
                "numeric": ["words", "words", "headline length"],
                "categorical": ["desk", "section", "hour"],
            }
        }
    )
    check_columns(corpus, config)
    found = fitted(corpus, config)
    written = [str(feature) for feature in found.recipe.features]
    assert written.count("words numeric * 1") == 1
    assert [feature for feature in written if "headline length" in feature] == ["headline length numeric * 1"]
    assert {"desk * 1", "section * 1", "source * 0.5"} <= set(written)
    story = {"headline": "word5 word6", "source": "north", "section": "Sports"}
    scores = told(found.head, [{**story, "words": words} for words in (0, 150, 700, 9000, 10**9)])
    assert scores[0] > scores[1] > scores[2]
    assert scores[3] == scores[4]  # what is longer than all counts as the longest
    assert told(found.head, [story]) == told(found.head, [{**story, "words": "many"}])


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"features": {"numeric": ["wrods"]}}, 'features.numeric: the articles have no column "wrods"'),
        ({"features": {"nuisance": ["place"]}}, 'features.nuisance: the articles have no column "place"'),
        ({"features": {"numeric": ["desk"]}}, 'features.numeric: the column "desk" holds no numbers'),
        (
            {"fit": {"popularity_features": ["text word(1,1)", "desk numeric"]}},
            'fit.popularity_features: the column "desk" holds no numbers',
        ),
        (
            {"fit": {"popularity_features": ["text word(1,1)", "dsek x text word(1,1)"]}},
            'fit.popularity_features: the articles have no column "dsek"',
        ),
        (
            {"features": {"categorical": ["daypart"]}},
            'features.categorical: "daypart" is the name of a feature',
        ),
        ({"features": {"nuisance": ["time"]}}, 'features.nuisance: "time" is the name of a feature'),
        (
            {"features": {"categorical": ["headline start"]}},
            'features.categorical: "headline start" is the name of a feature',
        ),
        ({"features": {"nuisance": ["text"]}}, 'features.nuisance: "text" is the name of a feature'),
        (
            {"fit": {"popularity_features": ["text word(1,1)", "source without url * 1"]}},
            'fit.popularity_features: "source without url" is the name of a feature',
        ),
        ({"features": {"categorical": ["headline length"]}}, 'categorical: "headline length" is a number'),
        ({"features": {"numeric": ["headline lenght"]}}, 'the articles have no column "headline lenght"'),
        (
            {"fit": {"popularity_features": ["text word(1,1)", "headline length * 0.3"]}},
            'fit.popularity_features: "headline length" is a number',
        ),
        (
            {"fit": {"popularity_features": ["text word(1,1)", "headline length x text word(1,1)"]}},
            'fit.popularity_features: "headline length" is a number',
        ),
        (
            {"fit": {"section_blocks": ["text word(1,1)", "body length * 1"]}},
            'fit.section_blocks: "body length" is a number',
        ),
    ],
)
def test_columns_that_cannot_be_features(
    simulate: Any, corpus_of: Make, config: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        check_columns(corpus_of(simulate(busy, days=2)), parse_config(config))
    assert caught.value.remedy


def test_without_an_address_its_source_s_average_stands_in(simulate: Any, corpus_of: Make) -> None:
    def own(row: dict[str, Any]) -> float:
        number = int(row["id"][1:])
        row["source"] = ("north", "south")[number % 2]
        row["url"] = (
            f"https://{row['source']}.example/{('live', 'gallery', 'news')[number % 3]}/{number}?ref=top"
        )
        return 2.0 * (number % 3 == 0)

    rows = simulate(own, daily=24)
    config = parse_config(
        {
            "fit": {
                "popularity_features": [
                    "text word(1,1)",
                    "source * 0.5",
                    "url word(1,1)",
                    "source x url word(1,1)",
                ]
            }
        }
    )
    corpus = corpus_of(rows)
    head = fitted(corpus, config).head
    scores, bare = (head.scores(Rows.from_articles(articles)) for articles in with_and_without(rows))
    assert scores.std() > bare.std() + 0.1  # the address says something
    for source in ("north", "south"):
        mine = np.array([row["source"] == source for row in rows])
        assert bare[mine].mean() == pytest.approx(scores[mine].mean(), abs=1e-6)
    unknown = Article(headline="x", source="nobody")
    assert not [part for part in head.explain(Rows.from_articles([unknown])) if "without" in part.feature]
    known = Article(headline="x", source="north")
    (part,) = [part for part in head.explain(Rows.from_articles([known])) if "url" in part.feature]
    assert part.feature == "source without url: north"


def with_and_without(rows: list[dict[str, Any]]) -> tuple[list[Article], list[Article]]:
    """The articles, and the same without addresses."""
    names = ("headline", "source", "section", "url")
    articles = [Article(**{name: row[name] for name in names}) for row in rows]
    return articles, [replace(article, url=None) for article in articles]


@pytest.mark.parametrize("names", [["placement"], ["slot", "placement"], ["source"]])
def test_a_nuisance_is_nothing_that_scoring_asks_for(
    simulate: Any, corpus_of: Make, names: list[str]
) -> None:
    def placed(row: Row) -> float:
        row["placement"] = float(int(row["id"][1:]) * 7 % 15)
        row["slot"] = ("top", "bottom")[row["placement"] > 7]
        row["source"] = ("north", "south")[int(row["id"][1:]) % 2]
        return 0.15 * int(row["headline"].split()[0].removeprefix("word")) - 0.5 * float(row["placement"])

    rows = [
        {**row, "popularity_group": row["published_at"][:10]} for row in simulate(placed, days=30, noise=0.1)
    ]
    # A name that is a feature, too, is a nuisance all the same.
    config = parse_config(
        {"features": {"nuisance": names, "numeric": ["placement"], "categorical": ["slot"]}}
    )
    head = fitted(corpus_of(rows), config).head
    for name in names:
        assert not head.reads(name)
    plain = [{key: value for key, value in row.items() if key not in names} for row in rows]
    moved = [{**row, **dict.fromkeys(names, "9" if "placement" in names else "elsewhere")} for row in rows]
    assert told(head, rows) == told(head, plain) == told(head, moved)
    if "placement" in names and "slot" in names:
        words = [told(head, [{"headline": f"word{i}"}])[0] for i in range(30)]
        assert np.corrcoef(words, np.arange(30))[0, 1] > 0.6


def test_of_very_many_articles_the_newest_decide_what_is_chosen(
    simulate: Any, corpus_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = corpus_of(simulate(busy, days=80))
    seen: list[Any] = []
    choose = choose_recipe

    def looked_at(start: Any, trials: Any, **more: Any) -> Any:
        seen.append(trials)
        return choose(start, trials, **more)

    monkeypatch.setattr(module, "choose_recipe", looked_at)
    monkeypatch.setattr(module, "_MANY", 450)
    found = fitted(corpus)
    (trials,) = seen
    assert len(trials.material.targets) == 450
    assert (found.articles, found.groups) == (1200, 80)
    assert len(trials.validation.asked) == 450
    assert trials.material.ages.max() == pytest.approx(30, abs=1)


# Chances


def liked(row: Row) -> float:
    return 0.2 * int(row["headline"].split()[0].removeprefix("word"))


def test_chances_of_days_to_come_are_true(simulate: Any, corpus_of: Make) -> None:
    rows = simulate(liked, days=90, daily=20)
    train, test = rows[:1000], rows[1000:]
    found = fitted(corpus_of(train))
    head = found.head
    fresh = corpus_of(test)
    results = head.results(fresh.rows)
    scores = np.array([result.score for result in results])
    chances = np.array([result.top5_probability for result in results])
    counts = fresh.popularity.reshape(-1, 20)
    hits = (np.argsort(np.argsort(-counts, axis=1), axis=1) < 5).astype(float).ravel()
    assert ece(chances, hits) < 0.06
    assert chances.mean() == pytest.approx(5 / 20, abs=0.03)
    assert np.mean((chances - hits) ** 2) < 0.95 * 0.25 * 0.75
    by_day = scores.reshape(-1, 20)
    lead = (by_day[:, :-1] - by_day[:, 1:]).ravel()
    won = (counts[:, :-1] > counts[:, 1:]).ravel()
    chance = 1 / (1 + np.exp(-head.pair_slope * lead))
    assert ece(chance, won.astype(float)) < 0.06
    sure = np.abs(lead) > np.median(np.abs(lead))
    assert (won == (lead > 0))[sure].mean() > (won == (lead > 0))[~sure].mean()


def test_small_groups_say_nothing_of_the_top_five(
    simulate: Any, corpus_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[Any, Any, Any]] = []
    fit = module.fit_top5

    def looked_at(scores: Any, sizes: Any, hits: Any) -> Any:
        given.append((scores, sizes, hits))
        return fit(scores, sizes, hits)

    monkeypatch.setattr(module, "fit_top5", looked_at)
    rows = simulate(liked, days=50, daily=12)
    small = [
        {**row, "source": "small", "popularity": row["popularity"] + 1e6}
        for i, row in enumerate(simulate(liked, days=50, daily=12, seed=1))
        if i % 12 < 5
    ]
    corpus = corpus_of([*rows, *small])
    fitted(corpus)
    ((scores, sizes, hits),) = given
    assert set(sizes.tolist()) == {12.0}
    assert len(scores) == 240  # of the newest two fifths, each by a fit of what was before
    assert hits.sum() == 100
    monkeypatch.setattr(module, "_MANY_JUDGED", 120)
    fitted(corpus)
    assert len(given[1][0]) == 120  # of the newest window, which is now large enough
    monkeypatch.setattr(module, "_MANY_JUDGED", 121)
    fitted(corpus)
    assert len(given[2][0]) == 240


def test_the_spread_is_that_of_log_counts_within_a_group(corpus_of: Make) -> None:
    rows = [
        {
            "headline": f"word{i} here",
            "published_at": f"2031-03-{day + 1:02d}T10:00:00+00:00",
            "popularity": float(np.expm1(5 + day + scale * (-1) ** i)),
        }
        for day, scale in enumerate([0.5, 1.0, 3.0])
        for i in range(10)
    ]
    assert fitted(corpus_of(rows)).head.spread == pytest.approx(1.0)
    flags = [{**row, "popularity": float(i % 2)} for i, row in enumerate(rows)]
    assert fitted(corpus_of(flags)).head.spread == 1.0


def test_places_of_boxes_have_no_spread(simulate: Any, corpus_of: Make) -> None:
    corpus = corpus_of(simulate(liked, days=3))
    counts = count_judgements(corpus)
    order = np.argsort(np.argsort(counts.values.reshape(3, 15), axis=1), axis=1).ravel() / 15
    boxes = Judgements(counts.rows, order, counts.groups, False, places=True)
    targets = training_targets(boxes, NO_JUDGEMENTS, len(corpus))
    assert fit_popularity(corpus, targets, boxes, Config()).head.spread == 1.0


def test_each_feature_has_a_variance_and_rare_words_the_largest(simulate: Any, corpus_of: Make) -> None:
    rows = simulate(liked, days=30)
    rows[7]["headline"] += " unique"
    config = parse_config({"fit": {"popularity_features": ["text word(1,1)"], "popularity_alpha": 1}})
    head = fitted(corpus_of(rows), config).head
    assert head.variance.shape == (len(head.linear.weights),)
    assert (head.variance > 0).all()
    by_name = {head.linear.blocks[0].feature_name(i): v for i, v in enumerate(head.variance.tolist())}
    assert max(by_name, key=lambda name: by_name[name]) == "text: unique"


# Again

CODE = """
import sys, hashlib
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import pyarrow.parquet as pq
from training.config import parse_config
from training.corpus import make_corpus
from training.labels import NO_JUDGEMENTS, count_judgements, training_targets
from training.popularity.head import fit_popularity
corpus = make_corpus(pq.read_table(sys.argv[2]))
judgements = count_judgements(corpus)
config = parse_config({"features": {"numeric": ["words"], "categorical": ["desk"], "nuisance": ["slot"]}})
head = fit_popularity(corpus, training_targets(judgements, NO_JUDGEMENTS, len(corpus)), judgements, config).head
digest = hashlib.sha256(repr(head.spec()).encode())
for name, array in sorted(head.arrays().items()):
    digest.update(name.encode() + array.tobytes())
print(digest.hexdigest())
"""


def test_the_same_articles_make_the_same_arrays_under_any_hash_seed(
    simulate: Any, corpus_of: Make, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    def lift(row: Row) -> float:
        found = busy(row)
        row["slot"] = ("top", "bottom")[int(row["id"][1:]) % 2]
        return found

    corpus = corpus_of(simulate(lift, days=24))
    pq.write_table(corpus.table, tmp_path / "articles.parquet")
    config = parse_config({"features": {"numeric": ["words"], "categorical": ["desk"], "nuisance": ["slot"]}})
    found = set()
    for _ in range(2):
        head = fitted(corpus, config).head
        digest = hashlib.sha256(repr(head.spec()).encode())
        for name, array in sorted(head.arrays().items()):
            digest.update(name.encode() + array.tobytes())
        found.add(digest.hexdigest())
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(Path(__file__).parents[3]), str(tmp_path / "articles.parquet")],
        env={**os.environ, "PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    found.add(done.stdout.strip())
    assert len(found) == 1

"""Ranking headlines for one story: order, noise, the words behind, what may be given, and what an editor reads."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import FieldError, UsageError
from classifier.headlines import HeadlineRanking, RankedHeadline, rank_headlines
from classifier.headlines.checks import MAX_LENGTH, distinct_headlines, story_of
from classifier.headlines.scoring import MAX_WORDS, Z
from classifier.headlines.text import headlines_text
from classifier.linear import Linear
from classifier.model import Model
from classifier.popularity import DAYS, QUANTILES, PopularityHead, Top5Curve
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import (
    Block,
    CategoryBlock,
    CrossBlock,
    NumericBlock,
    ShapeBlock,
    TextBlock,
)
from classifier.text.shape import SHAPE_FEATURES

WORDS = [
    "minister",
    "assembly",
    "vote",
    "bank",
    "shares",
    "Storm",
    "school",
    "zzz",
    "who?",
    "12",
    "“quoted”",
    "市場",
]
HEADLINES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
LISTS = st.lists(HEADLINES, min_size=2, max_size=8, unique=True)
STORY = Article(
    headline="Not looked at",
    body="The bank met the minister with a storm warning for every school.",
    source="Tiny Gazette",
)
# `tiny` is one model for all examples, and keeps nothing between them.
PROPERTY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def text_block(*terms: str, column: str = "text", kind: Any = "word") -> TextBlock:
    """TF-IDF with idf 1: a feature weighs 1 / sqrt(their number) where each is there once."""
    return TextBlock.of(column, Analyzer(kind, (1, 1)), terms, np.ones(len(terms)))


def model_of(blocks: Sequence[Block], weights: Sequence[float], **changes: Any) -> Model:
    """A model of these blocks; its scores' percentiles run from -1 to 1."""
    head = PopularityHead(
        Linear(blocks, np.array(weights)[:, None], np.array([0.25])),
        sources=(),
        quantiles=np.linspace(-1, 1, QUANTILES)[None, :],
        group_sizes=np.full((1, DAYS), 20.0),
        top5=Top5Curve(0.0, 1.0, 0.0),
        variance=changes.pop("variance", np.zeros(len(weights))),
        **changes,
    )
    return Model("hand", "1", {}, None, head)


def with_head(model: Model, **changes: Any) -> Model:
    assert model.popularity is not None
    return replace(model, popularity=replace(model.popularity, **changes))


def by_headline(ranking: HeadlineRanking) -> dict[str, RankedHeadline]:
    return {item.headline: item for item in ranking.headlines}


def test_the_storys_own_section_counts_even_where_none_can_be_predicted() -> None:
    model = model_of([CategoryBlock("section", 1.0, ("World",)), text_block("vote")], [2.0, 1.0])
    assert model.sections is None
    for story, extra in ((Article(body="x", sections=("World",)), 2.0), (Article(body="x"), 0.0)):
        found = by_headline(rank_headlines(model, ["Vote", "Other"], story))
        assert found["Vote"].popularity_score == pytest.approx(1.25 + extra)
        assert found["Other"].popularity_score == pytest.approx(0.25 + extra)


# Order and numbers


@PROPERTY
@given(LISTS)
def test_scores_are_those_of_articles_with_the_headline(tiny: Model, headlines: list[str]) -> None:
    ranking = rank_headlines(with_head(tiny, pair_slope=2.0), headlines, STORY)
    found = ranking.headlines
    assert [item.rank for item in found] == list(range(1, len(headlines) + 1))
    assert sorted(item.headline for item in found) == sorted(headlines)
    # One story has one section, whatever its headline: the one that most of them are taken for.
    counts = Counter(str(tiny.predict(replace(STORY, headline=headline)).section) for headline in headlines)
    section = min(counts, key=lambda name: (-counts[name], name))
    for item in found:
        predicted = tiny.predict(replace(STORY, headline=item.headline, section=section))
        assert (item.popularity_score, item.popularity_percentile, item.top5_probability) == (
            predicted.popularity_score,
            predicted.popularity_percentile,
            predicted.top5_probability,
        )
        assert item.behind == found[0].popularity_score - item.popularity_score >= 0
        if item.rank > 1:
            assert item.better_chance == pytest.approx(1 / (1 + math.exp(-2.0 * item.behind)))
    assert [item.behind for item in found] == sorted(item.behind for item in found)
    assert (found[0].behind, found[0].better_chance, found[0].told_apart, found[0].words) == (
        0,
        None,
        False,
        (),
    )
    assert (ranking.model, ranking.version) == (tiny.name, tiny.version)


@PROPERTY
@given(LISTS, st.data())
def test_input_order_never_matters(tiny: Model, headlines: list[str], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(headlines))
    one, other = rank_headlines(tiny, headlines, STORY), rank_headlines(tiny, mixed, STORY)
    assert [replace(item, positions=()) for item in one.headlines] == [
        replace(item, positions=()) for item in other.headlines
    ]
    for ranking, given_order in ((one, headlines), (other, mixed)):
        assert all(item.headline == given_order[i] for item in ranking.headlines for i in item.positions)


def test_equal_scores_are_ordered_by_the_headline_alone(tiny: Model) -> None:
    unknown = [f"qqq{letter}" for letter in "abcdefgh"]
    order = [item.headline for item in rank_headlines(tiny, unknown).headlines]
    assert order == [item.headline for item in rank_headlines(tiny, unknown[::-1]).headlines]
    assert order not in (sorted(order), sorted(order, reverse=True))  # nor is it the alphabet


def test_the_story_counts_but_for_its_headline(tiny: Model) -> None:
    headlines = ["Minister and vote", "Bank and shares"]
    own = rank_headlines(tiny, headlines, STORY)
    assert rank_headlines(tiny, headlines, replace(STORY, headline="Storm warning for every school")) == own
    assert rank_headlines(tiny, headlines) != own


def test_a_model_without_a_popularity_head(tiny: Model) -> None:
    with pytest.raises(UsageError, match="no popularity head; train one"):
        rank_headlines(replace(tiny, popularity=None), ["a b", "c d"])


def test_a_model_that_never_saw_headlines_of_their_own() -> None:
    model = model_of(
        [text_block("storm", "bank"), CategoryBlock("source", 1.0, ("Gazette",))], [1.0, -1.0, 3.0]
    )
    ranking = rank_headlines(model, ["A bank", "A storm"], Article(source="Gazette"))
    assert [(item.headline, item.popularity_score) for item in ranking.headlines] == [
        ("A storm", 4.25),
        ("A bank", 2.25),
    ]


# Noise


def test_the_standard_error_is_that_of_the_weights_that_differ() -> None:
    block = text_block("storm", "bank", "vote")
    model = model_of([block], [1.0, 0.5, 2.0], variance=np.array([0.04, 0.09, 100.0]))
    # The vote is in both with the same value, so how unsure its weight is does not matter.
    first, second = rank_headlines(model, ["storm vote", "bank vote"]).headlines
    assert (first.headline, first.standard_error) == ("storm vote", 0.0)
    assert second.standard_error == pytest.approx(math.sqrt(0.5 * 0.04 + 0.5 * 0.09))


@pytest.mark.parametrize(("factor", "apart"), [(0.99, True), (1.01, False)])
def test_a_difference_counts_beyond_the_noise_only(factor: float, apart: bool) -> None:
    # The difference is 1, its standard error the square root of the variance.
    model = model_of([text_block("storm")], [1.0], variance=np.array([(factor / Z) ** 2]))
    ranking = rank_headlines(model, ["storm", "qqq", "xxx"])
    assert [item.told_apart for item in ranking.headlines] == [False, apart, apart]
    assert len(ranking.tied) == (1 if apart else 3)


def test_without_variances_every_difference_counts_and_no_error_is_named() -> None:
    model = model_of([text_block("storm", "bank")], [1.0, 1.0 - 1e-6])
    ranking = rank_headlines(model, ["storm", "bank", "qqq storm"])
    assert [item.told_apart for item in ranking.headlines] == [False, False, True]
    assert {item.standard_error for item in ranking.headlines} == {None}
    assert {item.headline for item in ranking.tied} == {"storm", "qqq storm"}


def test_what_rounding_may_make_of_equal_scores_is_no_difference() -> None:
    model = model_of([text_block("storm", "bank")], [1e-10, -1e-10])
    _, second = rank_headlines(model, ["storm", "bank"]).headlines
    assert second.behind == pytest.approx(2e-10, rel=1e-3)
    assert (second.told_apart, second.words) == (False, ())
    assert second.rest == pytest.approx(-2e-10, rel=1e-3)


# Words


@PROPERTY
@given(LISTS, st.floats(0, 5))
def test_words_and_the_rest_sum_to_the_difference(tiny: Model, headlines: list[str], scale: float) -> None:
    assert tiny.popularity is not None
    linear = tiny.popularity.linear
    weights = np.random.default_rng(0).normal(scale=scale, size=linear.weights.shape)
    other = Linear(linear.blocks, weights, linear.intercept)
    ranking = rank_headlines(with_head(tiny, linear=other), headlines, STORY)
    first = ranking.headlines[0].headline
    for item in ranking.headlines:
        amounts = [word.difference for word in item.words]
        assert math.fsum([*amounts, item.rest]) == pytest.approx(-item.behind, abs=1e-9)
        assert len(amounts) <= MAX_WORDS
        assert [abs(amount) for amount in amounts] == sorted(map(abs, amounts), reverse=True)
        assert all(amounts)
        for word in item.words:
            for text, spans in ((item.headline, word.spans), (first, word.first_spans)):
                for field, start, end in spans:
                    assert field == "headline"
                    assert text[start:end].lower() == word.feature
        named = [word.feature for word in item.words]
        assert len(set(named)) == len(named)


def test_what_is_behind_a_difference_is_named_by_word() -> None:
    blocks = [text_block("storm", "bank"), text_block("storm", "bank", column="headline")]
    model = model_of(blocks, [1.0, 0.5, 2.0, 0.25])
    first, second = rank_headlines(model, ["Storm at last", "At the bank"]).headlines
    assert first.headline == "Storm at last"
    without, plus = second.words
    assert (without.feature, without.difference) == ("storm", -3.0)
    assert (without.spans, without.first_spans) == ((), (("headline", 0, 5),))
    assert (plus.feature, plus.difference) == ("bank", 0.75)
    assert (plus.spans, plus.first_spans) == ((("headline", 7, 11),), ())
    assert second.rest == 0


def test_a_word_of_the_body_counts_for_the_headline_as_far_as_the_headline_changes_it() -> None:
    block = text_block("storm", "bank", "vote")
    model = model_of([block], [0.8, 0.1, 0.6])
    # Texts are "storm bank bank vote" with storm in one headline, bank and vote in the body, and the same without it.
    found = by_headline(rank_headlines(model, ["A storm", "A bank"], Article(body="bank vote")))
    better, worse = found["A storm"], found["A bank"]
    words = {word.feature: word.difference for word in worse.words}
    assert better.rank == 1
    # (storm, bank, vote): 1, 1, 1 over √3 against 0, 2, 1 over √5.
    assert words["storm"] == pytest.approx(-0.8 / math.sqrt(3))
    assert words["bank"] == pytest.approx(0.1 * (2 / math.sqrt(5) - 1 / math.sqrt(3)))
    assert worse.rest == pytest.approx(
        0.6 * (1 / math.sqrt(5) - 1 / math.sqrt(3))
    )  # the vote is in no headline
    assert set(words) == {"storm", "bank"}


def test_pieces_of_words_are_gathered_by_word() -> None:
    pieces = TextBlock.of("headline", Analyzer("char_wb", (2, 3)), ("st", "to", "sto", "rm"), np.ones(4))
    model = model_of([pieces], [1.0, 1.0, 1.0, 1.0])
    _, second = rank_headlines(model, ["Storm, stop", "A farm"]).headlines
    assert {word.feature: len(word.first_spans) for word in second.words if word.first_spans} == {
        "storm": 1,
        "stop": 1,
    }
    assert {word.feature: word.spans for word in second.words if word.spans} == {
        "farm": (("headline", 2, 6),)
    }
    assert second.rest == pytest.approx(0)


def test_features_that_stand_nowhere_keep_their_name() -> None:
    shape = ShapeBlock(1.0, np.zeros(len(SHAPE_FEATURES)), np.ones(len(SHAPE_FEATURES)))
    weights = [2.0 if name == "question" else 0.0 for name in SHAPE_FEATURES]
    _, second = rank_headlines(model_of([shape], weights), ["Who?", "You"]).headlines
    (word,) = second.words
    assert (word.feature, word.difference, word.spans, word.first_spans) == (
        "headline shape: question",
        -2.0,
        (),
        (),
    )


def test_the_length_is_one_thing_for_whoever_reads() -> None:
    """Whichever knots it lies between, for all and for the readers of one source."""
    length = NumericBlock("headline length", 1.0, np.array([0.0, 10.0, 20.0]), np.zeros(3))
    own = CrossBlock("source", 1.0, ("Gazette",), length, np.arange(3))
    model = model_of([length, own], [0.0, 1.0, 0.5, 0.0, 0.2, 0.0])
    ranking = rank_headlines(model, ["A vote", "A late vote in town"], Article(body="x", source="Gazette"))
    _, second = ranking.headlines
    assert second.headline == "A late vote in town"
    (word,) = second.words
    assert (word.feature, word.spans, word.first_spans) == ("headline length", (), ())
    assert word.difference == pytest.approx(-second.behind)
    assert "headline length: 19 (the first: 6)" in headlines_text(ranking)


def test_many_words_leave_a_rest() -> None:
    words = [f"word{i}" for i in range(MAX_WORDS + 5)]
    model = model_of([text_block(*words)], [float(i + 1) for i in range(len(words))])
    _, second = rank_headlines(model, [" ".join(words), "qqq"]).headlines
    assert [word.feature for word in second.words] == words[:4:-1]
    assert second.rest == pytest.approx(-sum(range(1, 6)) / math.sqrt(len(words)))


# What may be given


def test_repetitions_are_listed_once_with_every_position(tiny: Model) -> None:
    composed = "Café vote"
    given_ = [
        " Bank\u00a0 and\tshares\n",
        unicodedata.normalize("NFD", composed),
        "Bank and shares",
        composed,
        "Vote",
    ]
    found = by_headline(rank_headlines(tiny, given_))
    assert {name: item.positions for name, item in found.items()} == {
        "Bank and shares": (0, 2),
        composed: (1, 3),
        "Vote": (4,),
    }


@pytest.mark.parametrize(
    ("headlines", "field", "says"),
    [
        ([], "headlines", "holds 0; give 2 to 20 headlines"),
        (["Vote"], "headlines", "holds 1; give 2 to 20 headlines"),
        ([f"Vote {i}" for i in range(21)], "headlines", "holds 21; give 2 to 20 headlines"),
        (["Vote", " Vote "], "headlines", "holds 2 times the same headline"),
        ("Vote and bank", "headlines", "is a str"),
        ({"a": 1, "b": 2}, "headlines", "is a dict"),
        (["Vote", 5], r"headlines\[1\]", "is a int"),
        (["Vote", None], r"headlines\[1\]", "is a NoneType"),
        (["Vote", "Bank", " \t\u00a0"], r"headlines\[2\]", "is empty"),
        (["\u200b\u2060", "Bank"], r"headlines\[0\]", "is empty"),
        (["a" * (MAX_LENGTH + 1), "Bank"], r"headlines\[0\]", "is longer than 500 characters"),
        (["Vote", "Ba\x00nk"], r"headlines\[1\]", "holds a NUL character at position 2"),
        (["Vote", "Ba\ud800nk"], r"headlines\[1\]", "holds half of a surrogate pair"),
    ],
)
def test_what_is_no_list_of_headlines(tiny: Model, headlines: Any, field: str, says: str) -> None:
    with pytest.raises(FieldError, match=f"^{field}: {says}"):
        rank_headlines(tiny, headlines)


def test_limits_are_inclusive(tiny: Model) -> None:
    assert len(rank_headlines(tiny, [f"Vote {i}" for i in range(20)]).headlines) == 20
    assert len(rank_headlines(tiny, ["a" * MAX_LENGTH, "b"]).headlines) == 2


def test_errors_say_where() -> None:
    with pytest.raises(FieldError, match=r"^titles\.txt, line 9: headlines\[1\]: is empty; leave it out"):
        distinct_headlines(["Vote", ""], "titles.txt", [3, 9])
    with pytest.raises(FieldError, match=r"^titles\.json: headlines\[1\]: is empty"):
        distinct_headlines(["Vote", ""], "titles.json")
    with pytest.raises(FieldError, match=r"^titles\.txt: headlines: holds 1"):
        distinct_headlines(["Vote"], "titles.txt", [3])


def test_the_story_is_checked_as_any_article() -> None:
    assert story_of({}) == Article(id=story_of({}).id)
    story = story_of({"body": "Text", "desk": "city", "headline": None})
    assert (story.headline, story.body, story.extra) == ("", "Text", {"desk": "city"})
    with pytest.raises(FieldError, match=r"^x: summary: is a int"):
        story_of({"summary": 5}, where="x")
    with pytest.raises(FieldError, match=r"^headline: does not belong here; put it into headlines"):
        story_of({"headline": "Vote"})


# As JSON and as text


def test_as_a_dict(tiny: Model) -> None:
    row = rank_headlines(tiny, ["Minister and vote", "Bank and shares"], STORY).to_dict()
    assert list(row) == ["headlines", "model", "version"]
    for item in row["headlines"]:
        assert list(item) == [field.name for field in fields(RankedHeadline)]
    (word, *_) = row["headlines"][1]["words"]
    assert list(word) == ["feature", "difference", "spans", "first_spans"]


def editors_model(variance: float) -> Model:
    shape = ShapeBlock(1.0, np.zeros(len(SHAPE_FEATURES)), np.ones(len(SHAPE_FEATURES)))
    shapes = {"question": 0.5, "words": 0.125}
    weights = [1.0, -0.25, 0.001, *(shapes.get(name, 0.0) for name in SHAPE_FEATURES)]
    unsure = np.array([0.0, variance, 0.0, *np.zeros(len(SHAPE_FEATURES))])
    return model_of([text_block("storm", "bank", "vote", column="headline"), shape], weights, variance=unsure)


def test_what_an_editor_reads() -> None:
    ranking = rank_headlines(editors_model(0.01), ["The bank", "Storm now?", "The bank", "Vote and storm"])
    assert (
        headlines_text(ranking)
        == """\
By this model the first of these 3 headlines is the best.

 1  Storm now?
    88% chance of its source's daily top five; ahead of 100 % of the training articles

 2  Vote and storm
    79% chance of its source's daily top five; ahead of 100 % of the training articles
    0.667 behind: of 100 such pairs of articles, the first is read more in 66
      -0.500  question: no (the first: yes)
      -0.293  “storm” (in both)
      +0.125  words: 3 (the first: 2)
      +0.001  everything else

 3  The bank
    56% chance of its source's daily top five; ahead of 62 % of the training articles
    given 2 times, listed once
    1.750 behind: of 100 such pairs of articles, the first is read more in 85
      -1.000  without “storm”
      -0.500  question: no (the first: yes)
      -0.250  with “bank”
"""
    )


@pytest.mark.parametrize(
    ("headlines", "variance", "says"),
    [
        (["Storm", "A bank"], 0.01, "By this model the first one is better.\n"),
        (["Storm", "Bank"], 9.0, "The model cannot tell these 2 headlines apart: take the one you like.\n"),
        (["Storm", "Storm storm", "No"], 0.01, "By this model the first of these 3 headlines is the best.\n"),
        (
            ["Storm", "Storm bank", "Qqq"],
            4.0,
            "Number 1 cannot be told apart from 2: take the one of them you like.\n",
        ),
        (
            ["Storm", "Storm bank", "Storm bank bank", "Qqq", "Bank"],
            4.0,
            "Number 1 cannot be told apart from 2, 3 and 5: take the one of them you like.\n",
        ),
        (["Storm", "Bank"], 0.0, "2 headlines, best first. This version does not know its noise: "),
    ],
)
def test_the_verdict_comes_first(headlines: list[str], variance: float, says: str) -> None:
    text = headlines_text(rank_headlines(editors_model(variance), headlines))
    assert text.startswith(says)


def test_what_cannot_be_told_apart_is_said_plainly() -> None:
    text = headlines_text(rank_headlines(editors_model(9.0), ["Storm", "Bank"]))
    assert "\n    1.250 behind: cannot be told apart from the first\n" in text

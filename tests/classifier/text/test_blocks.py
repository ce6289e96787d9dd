"""Feature blocks: TF-IDF equal to scikit-learn's, the other features, and what an artifact holds of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.articles import Article
from classifier.errors import ArtifactDamaged, ArtifactError
from classifier.spec import Arrays, Spec
from classifier.text.analyzer import ANALYZERS, Analyzer, AnalyzerName
from classifier.text.blocks import (
    Block,
    CategoryBlock,
    DaypartBlock,
    HardDaypartBlock,
    NumericBlock,
    ShapeBlock,
    TextBlock,
    TimeBlock,
    load_block,
    pack_strings,
    unpack_strings,
)
from classifier.text.rows import Rows
from classifier.text.shape import SHAPE_FEATURES
from classifier.text.times import DAYPARTS, HARD_DAYPARTS, TIME_FEATURES

CORPUS = [
    "The Assembly votes on the budget, and votes again",
    "Budget talks: the minister votes",
    "Markets fall as the bank waits; markets, markets",
    "日本の市場 ΟΔΟΣ İstanbul",
]
WORDS = ("the", "Votes", "budget", "markets", "unknown", "ΟΔΟΣ", "İstanbul", "日本の市場", "a", ",", "\n")
DOCUMENTS = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
SMALL_SHAPE = ShapeBlock(0.5, np.zeros(len(SHAPE_FEATURES)), np.ones(len(SHAPE_FEATURES)))


def rows(*articles: dict[str, Any]) -> Rows:
    return Rows.from_articles([Article(**article) for article in articles])


def dense(block: Block, of: Rows) -> np.ndarray[Any, Any]:
    found = block.transform(of)
    out = np.zeros((len(of), block.width))
    found.add_product(np.eye(block.width), out)
    return out


@given(
    st.lists(DOCUMENTS, min_size=1, max_size=4),
    st.sampled_from(ANALYZERS),
    st.booleans(),
    st.floats(0.1, 4.0),
)
@example([""], "word", True, 1.0)
@example(["unknown"], "word", False, 2.0)
@example([" ", "the the the the votes"], "char_wb", True, 1.0)
def test_tfidf_is_that_of_scikit_learn(
    documents: list[str], kind: AnalyzerName, sublinear: bool, weight: float
) -> None:
    vectorizer = TfidfVectorizer(analyzer=kind, ngram_range=(1, 3), sublinear_tf=sublinear).fit(CORPUS)
    terms = tuple(vectorizer.get_feature_names_out().tolist())
    block = TextBlock.of(
        "body", Analyzer(kind, (1, 3)), terms, vectorizer.idf_, sublinear_tf=sublinear, weight=weight
    )
    theirs = vectorizer.transform(documents).toarray() * weight
    ours = dense(block, rows(*[{"body": text} for text in documents]))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@given(
    st.lists(st.text("abvé日.'", min_size=1, max_size=9), min_size=1, max_size=20),
    st.lists(st.integers(0, 19), min_size=60, max_size=300),
    st.sampled_from([(1, 1), (2, 4), (3, 5), (6, 9)]),
    st.booleans(),
)
def test_a_word_that_stands_in_a_long_text_again_counts_again(
    words: list[str], drawn: list[int], ngrams: tuple[int, int], sublinear: bool
) -> None:
    """The kernel cuts it once."""
    text = " ".join(words[number % len(words)] for number in drawn)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=ngrams, sublinear_tf=sublinear)
    theirs = vectorizer.fit_transform([text, *words]).toarray()
    block = TextBlock.of(
        "body",
        Analyzer("char_wb", ngrams),
        tuple(vectorizer.get_feature_names_out().tolist()),
        vectorizer.idf_,
        sublinear_tf=sublinear,
    )
    ours = dense(block, rows({"body": text}, *[{"body": word} for word in words]))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_text_is_the_join_of_its_fields_and_spans_lie_in_them() -> None:
    block = TextBlock.of("text", Analyzer("word", (1, 2)), ("budget", "vote budget"), np.ones(2))
    of = rows({"headline": "Vote", "body": "Budget: a budget"})
    assert block.transform(of).row(0)[0].tolist() == [0, 1]
    assert block.feature_spans(of, 0) == {
        0: [("body", 0, 6), ("body", 10, 16)],
        1: [("headline", 0, 4), ("body", 0, 6)],
    }
    assert block.feature_name(1) == "text: vote budget"


def test_a_category_is_one_feature_and_nothing_is_none() -> None:
    block = CategoryBlock("desk", 0.5, ("None", "city", "5"))
    values: list[Any] = ["city", None, "None", 5, "elsewhere"]
    of = Rows.from_articles([Article(headline="x", extra={"desk": value}) for value in values])
    expected = [[0, 0.5, 0], [0, 0, 0], [0.5, 0, 0], [0, 0, 0.5], [0, 0, 0]]
    assert dense(block, of).tolist() == expected
    assert dense(block, rows({"headline": "x"})).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("column", ["url", "language", "popularity_group", "source"])
def test_a_category_may_be_any_column_of_the_article_table(column: str) -> None:
    block = CategoryBlock(column, 1.0, ("known",))
    assert dense(block, rows({"headline": "x", column: "known"})).tolist() == [[1.0]]


def test_hour_and_weekday_are_local_and_average_without_a_time() -> None:
    average = np.linspace(0, 1, len(TIME_FEATURES))
    block = TimeBlock("Asia/Tokyo", 2.0, average)
    time = datetime.fromisoformat("2022-02-01T15:36:00+00:00")  # Wednesday 00:36 in Tokyo
    found = dense(block, rows({"headline": "x", "published_at": time}, {"headline": "x"}))
    assert {TIME_FEATURES[i]: found[0, i] for i in np.flatnonzero(found[0])} == {
        "hour: 00": 2.0,
        "weekday: Wednesday": 2.0,
    }
    np.testing.assert_array_equal(found[1], average * 2.0)


FRIDAY_NIGHT = [  # and Saturday morning, to 03:00 in Tokyo
    {"headline": "x", "published_at": datetime.fromisoformat(f"2022-02-04T{hour}:00+00:00")}
    for hour in ("14:59", "15:00", "17:59", "18:00")
]


def test_an_hour_has_a_share_of_the_two_points_of_the_day_next_to_it() -> None:
    average = np.linspace(0, 1, len(DAYPARTS.names))
    found = dense(DaypartBlock("Asia/Tokyo", 6.0, average), rows(*FRIDAY_NIGHT, {"headline": "x"}))
    assert [{DAYPARTS.names[i]: row[i] for i in np.flatnonzero(row)} for row in found[:4]] == [
        {
            "daypart: around 00, Monday to Friday": pytest.approx(5.0),
            "daypart: around 21, Monday to Friday": pytest.approx(1.0),
        },
        {
            "daypart: around 00, weekend": pytest.approx(5.0),
            "daypart: around 03, weekend": pytest.approx(1.0),
        },
        {
            "daypart: around 00, weekend": pytest.approx(1.0),
            "daypart: around 03, weekend": pytest.approx(5.0),
        },
        {
            "daypart: around 03, weekend": pytest.approx(5.0),
            "daypart: around 06, weekend": pytest.approx(1.0),
        },
    ]
    np.testing.assert_array_equal(found[4], average * 6.0)
    # Over a day every point has as much as another, and over a week a kind of day as its days.
    shares = np.bincount(DAYPARTS.places.ravel(), DAYPARTS.shares.ravel())
    np.testing.assert_allclose(shares, [3 * 5] * 8 + [3 * 2] * 8)


def test_the_part_of_the_day_of_format_5_ends_at_once() -> None:
    average = np.linspace(0, 1, len(HARD_DAYPARTS.names))
    block = HardDaypartBlock("Asia/Tokyo", 2.0, average)
    found = dense(block, rows(*FRIDAY_NIGHT, {"headline": "x"}))
    assert [[HARD_DAYPARTS.names[i] for i in np.flatnonzero(row)] for row in found[:4]] == [
        ["daypart: 21 to 24", "daypart: Monday to Friday"],
        ["daypart: 00 to 03", "daypart: weekend"],
        ["daypart: 00 to 03", "daypart: weekend"],
        ["daypart: 03 to 06", "daypart: weekend"],
    ]
    assert set(found[:4].ravel().tolist()) == {0.0, 2.0}
    np.testing.assert_array_equal(found[4], average * 2.0)


@pytest.mark.parametrize(
    ("time", "zone"), [("9999-12-31T23:30:00+00:00", "+09:00"), ("0001-01-01T00:30:00+00:00", "-05:00")]
)
def test_a_time_without_a_local_one_is_average(time: str, zone: str) -> None:
    block = TimeBlock(zone, 1.0, np.full(len(TIME_FEATURES), 0.25))
    found = dense(block, rows({"headline": "x", "published_at": datetime.fromisoformat(time)}))
    assert (found == 0.25).all()


def test_shape_is_standardised_and_nothing_without_a_headline() -> None:
    mean, scale = np.arange(len(SHAPE_FEATURES)), np.full(len(SHAPE_FEATURES), 2.0)
    block = ShapeBlock(0.5, mean.astype(np.float64), scale)
    found = dense(block, rows({"headline": "5 ways: who pays?"}, {"headline": " \n"}, {"body": "x"}))
    named = dict(zip(SHAPE_FEATURES, found[0] / 0.5 * 2.0 + mean, strict=True))
    assert {name: named[name] for name in ("words", "characters", "question", "colon", "dash")} == {
        "words": 4,
        "characters": 17,
        "question": 1,
        "colon": 1,
        "dash": 0,
    }
    assert named["starts with a number"] == named["holds a number"] == 1
    assert not found[1:].any()


BLOCKS: list[Block] = [
    TextBlock.of(
        "summary",
        Analyzer("char_wb", (2, 4)),
        ("ab", "é", ""),
        np.array([1.0, 2.0, 3.0]),
        sublinear_tf=True,
        weight=0.5,
    ),
    CategoryBlock("desk", 0.25, ("city", "日本", "")),
    TimeBlock("+09:00", 1.0, np.zeros(len(TIME_FEATURES))),
    SMALL_SHAPE,
    DaypartBlock("Asia/Tokyo", 0.3, np.zeros(len(DAYPARTS.names))),
    HardDaypartBlock("Asia/Tokyo", 0.3, np.zeros(len(HARD_DAYPARTS.names))),
    NumericBlock("headline length", 0.3, np.array([1.0, 2.0]), np.array([0.5, 0.5])),
]


def load(block: Block, spec: dict[str, Any], arrays: dict[str, Any]) -> Block:
    """As `Linear.load` does it: idf and the tables of characters lie elsewhere."""
    own = Spec(spec, "here"), Arrays(arrays, "folder/sections.0.")
    if not isinstance(block, TextBlock):
        return load_block(*own)
    return load_block(*own, characters=block.analyzer.characters, idf=block.idf)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.kind)
def test_a_block_comes_back_from_its_spec_and_arrays(block: Block) -> None:
    back = load(block, block.spec(), block.arrays())
    assert back.spec() == block.spec()
    assert back.arrays().keys() == block.arrays().keys()
    for name, array in block.arrays().items():
        np.testing.assert_array_equal(back.arrays()[name], array)
    assert [back.feature_name(i) for i in range(back.width)] == [
        block.feature_name(i) for i in range(block.width)
    ]


@pytest.mark.parametrize(
    ("number", "change", "says"),
    [
        (0, {"kind": "os.system"}, '"kind" must be one of'),
        (0, {"kind": ["text"]}, '"kind" must be one of'),
        (0, {"column": "id"}, '"column" must be one of'),
        (0, {"analyzer": "words"}, '"analyzer" must be one of'),
        (0, {"ngrams": [0, 1]}, '"ngrams" must be two rising positive numbers'),
        (0, {"ngrams": [2, 1]}, '"ngrams" must be two rising positive numbers'),
        (0, {"ngrams": [1, 10**9]}, '"ngrams" must be two rising positive numbers'),
        (0, {"ngrams": [True, 2]}, '"ngrams" must be two rising positive numbers'),
        (0, {"ngrams": "12"}, '"ngrams" must be a list'),
        (0, {"sublinear_tf": 1}, '"sublinear_tf" must be a bool'),
        (0, {"lowercase": None}, '"lowercase" must be a bool'),
        (0, {"strip_accents": "all"}, '"strip_accents" must be one of'),
        (0, {"stop_words": "the"}, '"stop_words" must be a list'),
        (0, {"hash_key": "hash"}, '"hash_key" must be a hexadecimal number'),
        (0, {"norm": "max"}, '"norm" must be one of'),
        (0, {"weight": float("nan")}, '"weight" must be a float'),
        (0, {"weight": 10**400}, '"weight" must be a float'),
        (1, {"column": None}, '"column" must be a str'),
        (2, {"timezone": 9}, '"timezone" must be a str'),
    ],
)
def test_a_spec_that_was_never_written(number: int, change: dict[str, Any], says: str) -> None:
    block = BLOCKS[number]
    with pytest.raises(ArtifactDamaged, match=says) as caught:
        load(block, {**block.spec(), **change}, block.arrays())
    assert caught.value.where == "here"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", ""])
def test_a_time_zone_that_this_system_lacks(name: str) -> None:
    spec = Spec({**BLOCKS[2].spec(), "timezone": name}, "here")
    with pytest.raises(ArtifactError, match=r"not a known time zone.*tzdata") as caught:
        load_block(spec, Arrays(BLOCKS[2].arrays()))
    assert not isinstance(caught.value, ArtifactDamaged)


@pytest.mark.parametrize(
    ("number", "name", "value", "says"),
    [
        (0, "terms.offsets", np.array([0, 5, 2, 4]), "offsets do not fit"),
        (0, "terms.offsets", np.array([1, 2, 4, 4]), "offsets do not fit"),
        (0, "terms.offsets", np.array([0, 2, 4, 400]), "offsets do not fit"),
        (0, "terms.offsets", np.array([], np.int64), "offsets do not fit"),
        (0, "terms.offsets", np.array([0, 2, 3, 4]), "offsets do not fit"),
        (0, "terms.bytes", np.array([255] * 4, np.uint8), "no UTF-8"),
        (0, "slots", np.zeros(8, np.uint64), "no table of terms"),
        (0, "slots", np.zeros(24, np.uint64), "no table of terms"),
        (0, "slots", np.zeros(16, np.int64), "expected uint64"),
        (0, "slots", None, "the array is missing"),
        (2, "average", np.zeros(3), "expected float64"),
        (4, "average", np.zeros(len(TIME_FEATURES)), "expected float64"),
        (3, "scale", np.zeros(len(SHAPE_FEATURES)), "not positive"),
        (3, "mean", np.full(len(SHAPE_FEATURES), np.nan), "not finite"),
    ],
)
def test_arrays_that_were_never_written(number: int, name: str, value: Any, says: str) -> None:
    block = BLOCKS[number]
    arrays = {key: array for key, array in block.arrays().items() if key != name or value is not None}
    if value is not None:
        arrays[name] = value
    with pytest.raises(ArtifactDamaged, match=says) as caught:
        load(block, block.spec(), arrays)
    assert str(caught.value.where).startswith(f"folder/sections.0.{name.partition('.')[0]}")
    assert str(caught.value.where).endswith(".npy")


@pytest.mark.parametrize(
    ("idf", "says"),
    [
        (np.ones(2), "expected float64"),
        (np.ones(3, np.float32), "holds float32"),
        (np.ones((3, 1)), "expected float64"),
        (np.array([1.0, np.nan, 1.0]), "not finite"),
        (np.array([1.0, np.inf, 1.0]), "not finite"),
        (None, "the array is missing"),
    ],
)
def test_the_idf_of_an_older_format_that_was_never_written(idf: Any, says: str) -> None:
    block = BLOCKS[0]
    arrays = block.arrays() if idf is None else {**block.arrays(), "idf": idf}
    with pytest.raises(ArtifactDamaged, match=says) as caught:
        load_block(Spec(block.spec(), "here"), Arrays(arrays, "folder/sections.0."))
    assert caught.value.where == "folder/sections.0.idf.npy"


@given(st.lists(st.text(max_size=8)).map(tuple))
def test_strings_come_back(strings: tuple[str, ...]) -> None:
    assert unpack_strings(Arrays(pack_strings("terms", strings)), "terms") == strings

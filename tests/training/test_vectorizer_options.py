"""Options, vocabularies and texts that are wrong: each error says which, and how to mend it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from classifier.errors import FieldError, UsageError
from training.vectorizer import NgramTfidf

TEXTS = ["The bank and the vote", "A vote of the Assembly", "", "bank, bank; ΟΔΟΣ"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"analyzer": "words"},
            'analyzer: \'words\' is not supported; give one of "word", "char", "char_wb"',
        ),
        ({"analyzer": str.split}, "analyzer: <method 'split'"),
        (
            {"preprocessor": str.lower},
            "preprocessor: functions of one's own are not supported; apply it to the texts",
        ),
        ({"tokenizer": str.split}, "tokenizer: functions of one's own"),
        ({"token_pattern": r"\w+"}, "token_pattern: '\\\\w+' is not supported; leave the default, (?u)"),
        ({"token_pattern": None}, "token_pattern: None"),
        (
            {"ngram_range": (2, 1)},
            "ngram_range: (2, 1) is not supported; give two whole numbers, 1 ≤ least ≤ most",
        ),
        ({"ngram_range": (0, 1)}, "ngram_range: (0, 1)"),
        ({"ngram_range": (1, 65)}, "ngram_range: (1, 65)"),
        ({"ngram_range": 2}, "ngram_range: 2"),
        ({"ngram_range": (1.0, 2.0)}, "ngram_range: (1.0, 2.0)"),
        ({"lowercase": 1}, "lowercase: 1 is not supported; give True or False"),
        ({"binary": None}, "binary: None"),
        ({"use_idf": "yes"}, "use_idf: 'yes'"),
        ({"smooth_idf": 0}, "smooth_idf: 0"),
        ({"sublinear_tf": 0}, "sublinear_tf: 0"),
        (
            {"strip_accents": "latin"},
            'strip_accents: \'latin\' is not supported; give one of None, "ascii", "unicode"',
        ),
        ({"strip_accents": str.upper}, "strip_accents: <method 'upper'"),
        (
            {"stop_words": "german"},
            "stop_words: 'german' is not supported; give a list of words, \"english\" or None",
        ),
        ({"stop_words": 5}, "stop_words: 5"),
        ({"stop_words": ["the", 5]}, "stop_words: 5 is not supported; give words that are strings"),
        (
            {"min_df": 0},
            "min_df: 0 is not supported; give a whole number of texts from 1, or a share from 0.0 to 1.0",
        ),
        ({"min_df": 1.5}, "min_df: 1.5"),
        ({"max_df": -0.1}, "max_df: -0.1"),
        ({"max_df": float("nan")}, "max_df: nan"),
        ({"max_df": "all"}, "max_df: 'all'"),
        ({"max_features": 0}, "max_features: 0 is not supported; give a whole number from 1, or None"),
        ({"max_features": 2.0}, "max_features: 2.0"),
        ({"norm": "max"}, 'norm: \'max\' is not supported; give one of "l1", "l2", None'),
        ({"dtype": np.int64}, "dtype: <class 'numpy.int64'> is not supported; give float64 or float32"),
        ({"dtype": "no type"}, "dtype: 'no type'"),
        ({"vocabulary": []}, "vocabulary: it is empty; give terms, or None to learn them"),
        ({"vocabulary": "bank"}, "vocabulary: 'bank' is not supported; give a list of terms"),
        ({"vocabulary": 5}, "vocabulary: 5"),
        ({"vocabulary": ["bank", 5]}, "vocabulary: 5 is not supported; give terms that are strings"),
        ({"vocabulary": ["aa", "bb", "aa"]}, "vocabulary: 'aa' stands there twice; give each term once"),
        (
            {"vocabulary": {"aa": 0, "bb": 2}},
            "vocabulary: of 2 terms none has column 1; number the terms from 0",
        ),
        ({"vocabulary": {"aa": 0, "bb": 0}}, "vocabulary: of 2 terms none has column 1"),
        (
            {"vocabulary": ["bank", "storm"], "smooth_idf": False},
            "1 of 2 given terms are in none of the texts, so their idf is infinite; give smooth_idf=True",
        ),
        (
            {"stop_words": ["the", "bank", "vote", "and", "of", "assembly", "οδος"]},
            "none of 4 texts has an n-gram; ",
        ),
        ({"min_df": 4}, "min_df (4) and max_df (1.0) leave none of 7 terms; lower min_df or raise max_df"),
        (
            {"min_df": 2, "max_df": 0.25},
            "max_df (0.25) allows fewer of the 4 texts than min_df (2) asks for; raise max_df or lower min_df",
        ),
    ],
)
def test_options_that_are_wrong(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        NgramTfidf(**options).fit(TEXTS)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("one text", "one text was given; give a list of texts"),
        (None, "a NoneType was given"),
        (["bank", None], "text 1 is a NoneType, not a string"),
        ([np.nan], "text 0 is a float, not a string"),
        ([b"bank"], "text 0 is a bytes, not a string"),
        ([["bank", "vote"]], "text 0 is a list"),
        (pa.array([1]), "a column of int64 holds no texts"),
        (pa.table({"a": ["bank"]}), "a Table was given; give one column of it"),
    ],
)
def test_what_holds_no_texts(texts: Any, says: str) -> None:
    given_vocabulary = NgramTfidf(vocabulary=["bank"])
    uses = [
        NgramTfidf().fit,
        NgramTfidf().fit_transform,
        given_vocabulary.fit,
        NgramTfidf().fit(TEXTS).transform,
    ]
    for use in [*uses, lambda texts: NgramTfidf().fit_batches([texts])]:
        with pytest.raises(UsageError) as caught:
            use(texts)
        assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    "texts", [[], (), iter([]), pa.array([], pa.string()), pa.chunked_array([], pa.string())]
)
def test_no_texts_to_learn_from(texts: Any) -> None:
    with pytest.raises(UsageError, match="none of 0 texts has an n-gram; give texts of more than stop words"):
        NgramTfidf().fit(texts)
    with pytest.raises(UsageError, match="no texts were given; give some to learn from"):
        NgramTfidf(vocabulary=["bank"]).fit(texts)


def test_bytes_that_are_no_utf8_are_named() -> None:
    column = pa.chunked_array(
        [pa.array(["bank"]), pa.array([b"vote", b"\xff"], pa.binary()).view(pa.string())]
    )
    for use in (
        NgramTfidf().fit,
        NgramTfidf().fit(TEXTS).transform,
        NgramTfidf(vocabulary=["bank"]).fit_transform,
    ):
        with pytest.raises(FieldError, match="text 2 holds bytes that are no UTF-8"):
            use(column)

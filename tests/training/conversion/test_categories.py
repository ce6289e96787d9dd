"""OneHotEncoder with its many options: every value an article may have weighs what it weighs for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from classifier.articles import Article
from classifier.errors import PipelineError
from classifier.text.rows import Rows

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

OURS = {"0": "headline", "1": "desk", "2": "source"}
KNOWN = ["city", "city", "city", "world", "world", "arts", "rare", "rarer"]
LABELS = [0, 1, 2, 0, 1, 2, 2, 0]


def fitted(encoder: Any, values: list[Any] = KNOWN, sources: list[Any] | None = None) -> Any:
    found = np.empty((len(LABELS), 3), dtype=object)
    found[:, 0], found[:, 1] = "some words", values
    found[:, 2] = sources or ["Gazette", "Herald"] * 4
    transformer = ColumnTransformer([("text", CountVectorizer(), 0), ("more", encoder, [1, 2])])
    return make_pipeline(transformer, LogisticRegression(C=10.0)).fit(found, LABELS)


def scored(pipeline: Any, values: list[Any], missing: Any = None) -> Any:
    """Of articles with each value as desk; `missing` is what null is to the pipeline."""
    found = np.empty((len(values), 3), dtype=object)
    found[:, 0], found[:, 2] = "words", "Herald"
    found[:, 1] = [missing if value is None else value for value in values]
    return pipeline.decision_function(found)


def ours(head: Any, values: list[Any]) -> Any:
    articles = [
        Article(headline="words", source="Herald", extra={} if value is None else {"desk": value})
        for value in values
    ]
    return head.linear.scores(Rows.from_articles(articles))


IGNORE: dict[str, Any] = {"handle_unknown": "ignore"}
RARE: dict[str, Any] = {"handle_unknown": "infrequent_if_exist"}


@pytest.mark.parametrize(
    ("options", "unknown"),
    [
        ({}, False),
        ({"drop": "first"}, False),
        ({"drop": "if_binary"}, False),
        ({"drop": ["world", "Herald"]}, False),
        (IGNORE, True),
        ({**IGNORE, "drop": "first"}, True),
        ({**IGNORE, "min_frequency": 2}, True),
        ({**IGNORE, "max_categories": 3}, True),
        ({**RARE, "min_frequency": 2}, True),
        ({**RARE, "max_categories": 2, "drop": "first"}, True),
        (RARE, True),
        ({"categories": [["city", "world", "arts", "rare", "rarer", "never"], ["Herald", "Gazette"]]}, False),
        ({"sparse_output": False, "dtype": np.float32}, False),
    ],
    ids=str,
)
def test_options(compiled: Callable[..., Any], options: dict[str, Any], unknown: bool) -> None:
    pipeline = fitted(OneHotEncoder(**options))
    head = compiled(pipeline, OURS).head
    values = [*dict.fromkeys(KNOWN), *(["unheard of", ""] if unknown else [])]
    assert ours(head, values) == pytest.approx(scored(pipeline, values), abs=1e-6)
    if unknown:  # a missing value is one that nobody knew
        assert ours(head, [None]) == pytest.approx(scored(pipeline, ["unheard of"]), abs=1e-6)


@pytest.mark.parametrize("missing", [None, float("nan")], ids=str)
@pytest.mark.parametrize(
    "options",
    [{}, IGNORE, {**RARE, "min_frequency": 2}, {**RARE, "min_frequency": 3}, {"drop": ["city", "Herald"]}],
    ids=str,
)
def test_a_missing_value_that_training_knew(
    compiled: Callable[..., Any], options: dict[str, Any], missing: Any
) -> None:
    values = ["city", missing, missing, "world", "world", "arts", missing, "rarer"]
    pipeline = fitted(OneHotEncoder(**options), values)
    head = compiled(pipeline, OURS).head
    asked = ["city", None, "world", "arts", "rarer", *([] if options.keys() <= {"drop"} else ["unheard of"])]
    assert ours(head, asked) == pytest.approx(scored(pipeline, asked, missing), abs=1e-6)


@pytest.mark.parametrize(
    ("imputer", "missing"),
    [
        (SimpleImputer(strategy="most_frequent"), float("nan")),
        (SimpleImputer(strategy="constant", fill_value="arts"), float("nan")),
        (SimpleImputer(strategy="constant", fill_value="none", missing_values=None), None),
        (SimpleImputer(strategy="constant", fill_value="none", missing_values=""), ""),
    ],
    ids=str,
)
@pytest.mark.parametrize("options", [{}, IGNORE, {**RARE, "min_frequency": 2}], ids=str)
def test_what_stands_in_for_a_missing_value(
    compiled: Callable[..., Any], imputer: Any, missing: Any, options: dict[str, Any]
) -> None:
    values = ["city", missing, missing, "world", "world", "arts", missing, "rarer"]
    pipeline = fitted(make_pipeline(imputer, OneHotEncoder(**options)), values)
    head = compiled(pipeline, OURS).head
    asked = [
        "city",
        "" if missing == "" else None,
        "world",
        "arts",
        "rarer",
        *(["unheard of"] if options else []),
    ]
    assert ours(head, asked) == pytest.approx(scored(pipeline, asked, missing), abs=1e-6)


def test_what_stands_in_and_is_not_known_weighs_nothing(compiled: Callable[..., Any]) -> None:
    imputer = SimpleImputer(strategy="constant", fill_value="never")
    pipeline = fitted(make_pipeline(imputer, OneHotEncoder()))
    with pytest.raises(ValueError, match="unknown categories"):
        scored(pipeline, [None], float("nan"))
    head = compiled(pipeline, OURS).head
    assert ours(head, [None]).tolist() == ours(head, ["unheard of"]).tolist()


def test_whole_numbers(compiled: Callable[..., Any]) -> None:
    values = [3, 3, 3, 20, 20, -1, 5, 6]
    for options in (IGNORE, {**RARE, "min_frequency": 2}):
        pipeline = fitted(OneHotEncoder(**options), values)
        head = compiled(pipeline, OURS).head
        asked = [3, 20, -1, 5, 6, 7]
        assert ours(head, asked) == pytest.approx(scored(pipeline, asked), abs=1e-6)
        assert ours(head, [str(value) for value in asked]).tolist() == ours(head, asked).tolist()


def test_a_category_that_is_called_as_none_is(compiled: Callable[..., Any]) -> None:
    values = ["(none)", None, None, "world", "world", "arts", None, "((none))"]
    pipeline = fitted(OneHotEncoder(**IGNORE), values)
    head = compiled(pipeline, OURS).head
    asked = ["(none)", None, "((none))", "(((none)))"]
    assert ours(head, asked) == pytest.approx(scored(pipeline, asked), abs=1e-6)


def test_explanations_name_categories(compiled: Callable[..., Any]) -> None:
    head = compiled(fitted(OneHotEncoder(**IGNORE)), OURS).head
    parts = head.explain(
        Rows.from_articles([Article(headline="words", source="Herald", extra={"desk": "arts"})])
    )
    assert {"desk: arts", "source: Herald", "headline: words"} <= {part.feature for part in parts}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1.5, 1.5, 2.0, 2.0, 2.5, 2.5, 1.5, 2.0], 'of the column "1" that are float; turn them into text'),
        ([True, False] * 4, "that are bool"),
        (["a", None, float("nan"), "b", "a", "a", "b", "a"], 'tells None and NaN apart in the column "1"'),
        (["\ud800", "b"] * 4, "half a surrogate pair"),
    ],
    ids=["floats", "truth", "two nulls", "surrogate"],
)
def test_categories_that_an_article_cannot_have(
    compiled: Callable[..., Any], values: list[Any], says: str
) -> None:
    with pytest.raises(PipelineError, match=says):
        compiled(fitted(OneHotEncoder(), values), OURS)


def test_columns_that_may_not_be_categories(compiled: Callable[..., Any]) -> None:
    pipeline = fitted(OneHotEncoder())
    for name in ("section", "id", "headline", "text", "published_at", "popularity", "url"):
        with pytest.raises(PipelineError, match=f'takes the column "{name}" for a category.*--column desk=1'):
            compiled(pipeline, {**OURS, "1": name})


@pytest.mark.parametrize(
    ("imputer", "says"),
    [
        (SimpleImputer(strategy="most_frequent", add_indicator=True), "adds or drops columns"),
        (SimpleImputer(strategy="median"), "the strategy 'median', which is of numbers"),
    ],
    ids=["indicator", "median"],
)
def test_imputers_that_cannot_be_compiled(compiled: Callable[..., Any], imputer: Any, says: str) -> None:
    pipeline = fitted(
        make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore")), [1, 1, 2, 2, 3, 3, 1, 2], [4] * 8
    )
    with pytest.raises(PipelineError, match=says):
        compiled(pipeline, OURS)

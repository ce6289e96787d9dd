"""What cannot be compiled is refused by name: which step, which class, which option, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

from classifier.errors import PipelineError

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::FutureWarning", "ignore::RuntimeWarning"
)


def split(text: str) -> list[str]:
    return text.split()


class Stemmed(TfidfVectorizer):
    def build_analyzer(self) -> Any:
        return split


class Own(LinearSVC):
    pass


VECTORIZERS = {
    "tokenizer": (TfidfVectorizer(tokenizer=split), "tokenizer: functions of one's own are not supported"),
    "preprocessor": (CountVectorizer(preprocessor=str.upper), "preprocessor: functions of one's own"),
    "analyzer": (TfidfVectorizer(analyzer=split), "analyzer: .* is not supported; give one of"),
    "pattern": (
        TfidfVectorizer(token_pattern=r"(?u)\b\w+\b"),
        "token_pattern: .* is not supported; leave the default",
    ),
    "accents": (TfidfVectorizer(strip_accents=str.lower), "strip_accents: .* is not supported"),
    "dtype": (CountVectorizer(dtype=np.uint8), "counts in uint8, which overflows; fit it with dtype int32"),
    "norm of the largest": (
        make_pipeline(CountVectorizer(), Normalizer("max")),
        r"pipeline › normalizer \(Normalizer\): has the norm 'max'; fit it with \"l1\"",
    ),
    "idf of nothing": (
        make_pipeline(CountVectorizer(vocabulary=["word1", "never"]), TfidfTransformer(smooth_idf=False)),
        "infinite idf for 1 terms, which no training text holds; fit it with smooth_idf=True",
    ),
    "subclass": (Stemmed(), r"\.Stemmed cannot be compiled; known are TfidfVectorizer"),
    "hashing": (
        HashingVectorizer(n_features=64),
        "HashingVectorizer cannot be compiled; it forgets its terms",
    ),
    "svd": (
        make_pipeline(TfidfVectorizer(), TruncatedSVD(2)),
        "TruncatedSVD cannot be compiled; leave it out",
    ),
    "scaler": (
        make_pipeline(TfidfVectorizer(), StandardScaler(with_mean=False)),
        "StandardScaler cannot be compiled; leave it out",
    ),
    "idf twice": (
        make_pipeline(TfidfVectorizer(), TfidfTransformer()),
        "does not follow a CountVectorizer directly; put each CountVectorizer",
    ),
    "idf of a union": (
        make_pipeline(make_union(CountVectorizer(), CountVectorizer()), TfidfTransformer()),
        r"a.joblib, pipeline › tfidftransformer \(TfidfTransformer\): does not follow a CountVectorizer",
    ),
    "scaled before idf": (
        make_pipeline(CountVectorizer(), MaxAbsScaler(), TfidfTransformer()),
        "does not follow a CountVectorizer",
    ),
    "norm of a union": (
        make_pipeline(make_union(CountVectorizer(), CountVectorizer()), Normalizer()),
        "Normalizer cannot be compiled; it may only follow a vectorizer directly",
    ),
    "function": (
        make_pipeline(TfidfVectorizer(), FunctionTransformer(abs)),
        "FunctionTransformer cannot be compiled; a function cannot be compiled",
    ),
    "in a union": (
        FeatureUnion([("a", TfidfVectorizer()), ("b", TfidfVectorizer(tokenizer=split))]),
        r"featureunion › b \(TfidfVectorizer\): tokenizer: functions",
    ),
}


@pytest.mark.parametrize("name", VECTORIZERS)
def test_features(texts: Any, compiled: Callable[..., Any], name: str) -> None:
    step, says = VECTORIZERS[name]
    pipeline = make_pipeline(step, LogisticRegression()).fit(texts.train, texts.sections)
    with pytest.raises(PipelineError, match=says) as caught:
        compiled(pipeline)
    assert str(caught.value).startswith("a.joblib, ")
    assert caught.value.remedy


def test_texts_in_files(texts: Any, compiled: Callable[..., Any]) -> None:
    vectorizer = TfidfVectorizer().fit(texts.train)
    pipeline = make_pipeline(vectorizer, LinearSVC())
    pipeline.fit(texts.train, texts.sections)
    vectorizer.input = "filename"
    with pytest.raises(PipelineError, match="input: 'filename' is not supported"):
        compiled(pipeline)


CLASSIFIERS = {
    "bayes": (MultinomialNB(), "MultinomialNB cannot be compiled; fit LogisticRegression instead"),
    "complement": (ComplementNB(), "ComplementNB cannot be compiled; fit LinearSVC instead"),
    "forest": (
        RandomForestClassifier(2),
        "RandomForestClassifier cannot be compiled; known are LogisticRegression",
    ),
    "dummy": (DummyClassifier(), "DummyClassifier cannot be compiled; known are"),
    "kernel": (SVC(kernel="linear"), "SVC cannot be compiled; fit LinearSVC instead"),
    "one against one": (OneVsOneClassifier(LinearSVC()), "OneVsOneClassifier cannot be compiled; known are"),
    "own": (Own(), r"\.Own cannot be compiled; known are LogisticRegression"),
    "rest of bayes": (
        OneVsRestClassifier(MultinomialNB()),
        r"onevsrestclassifier › Economy \(MultinomialNB\): MultinomialNB cannot be compiled",
    ),
    "search": (
        GridSearchCV(LinearSVC(), {"C": [1.0]}, cv=2),
        "GridSearchCV .*; save its best_estimator_ instead",
    ),
    "rest of pipelines": (
        OneVsRestClassifier(make_pipeline(RandomForestClassifier(2))),
        "RandomForestClassifier cannot be compiled",
    ),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(texts: Any, compiled: Callable[..., Any], name: str) -> None:
    classifier, says = CLASSIFIERS[name]
    pipeline = make_pipeline(TfidfVectorizer(), classifier).fit(texts.train, texts.sections)
    with pytest.raises(PipelineError, match=says):
        compiled(pipeline)


def test_regressors_and_many_outputs(texts: Any, compiled: Callable[..., Any]) -> None:
    for machine in (LinearRegression(), Ridge()):
        pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.flags)
        with pytest.raises(PipelineError, match="cannot be compiled; known are"):
            compiled(pipeline)
    pipeline = make_pipeline(TfidfVectorizer(), MultiOutputClassifier(LinearSVC())).fit(
        texts.train, texts.several
    )
    with pytest.raises(PipelineError, match="fit OneVsRestClassifier on the indicator matrix"):
        compiled(pipeline)


def test_search_over_a_pipeline(texts: Any, compiled: Callable[..., Any]) -> None:
    search = GridSearchCV(make_pipeline(TfidfVectorizer(), LinearSVC()), {"linearsvc__C": [1.0]}, cv=2)
    search.fit(texts.train, texts.sections)
    with pytest.raises(PipelineError, match=r"^a.joblib, GridSearchCV: .*save its best_estimator_"):
        compiled(search)
    assert compiled(search.best_estimator_).probable is False


@pytest.mark.parametrize("given", [[1, 2], {"a": 1}, "text", None, np.zeros(3), LinearSVC], ids=str)
def test_things_that_are_no_estimators(compiled: Callable[..., Any], given: Any) -> None:
    with pytest.raises(PipelineError, match=r"no scikit-learn pipeline; save the fitted Pipeline itself"):
        compiled(given)


def test_parts_of_a_pipeline(texts: Any, compiled: Callable[..., Any]) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    with pytest.raises(
        PipelineError, match=r"LinearSVC: is not given features of a text; save the whole Pipeline"
    ):
        compiled(pipeline[-1])
    with pytest.raises(
        PipelineError, match="TfidfVectorizer cannot be compiled; known are LogisticRegression"
    ):
        compiled(pipeline[0])
    rest = OneVsRestClassifier(make_pipeline(TfidfVectorizer(), LinearSVC())).fit(texts.train, texts.sections)
    with pytest.raises(PipelineError, match="OneVsRestClassifier: is not given features of a text"):
        compiled(rest)


UNFITTED = {
    "all": (
        make_pipeline(TfidfVectorizer(), LinearSVC()),
        "TfidfVectorizer.*: is not fitted: it has no vocabulary_",
    ),
    "idf": (
        Pipeline(
            [("a", CountVectorizer().fit(["some text"])), ("b", TfidfTransformer()), ("c", LinearSVC())]
        ),
        "TfidfTransformer.*: is not fitted: it has no idf_",
    ),
    "end": (Pipeline([("a", CountVectorizer().fit(["some text"])), ("c", LinearSVC())]), "it has no coef_"),
    "logistic": (
        Pipeline([("a", CountVectorizer().fit(["some text"])), ("c", LogisticRegression())]),
        "it has no classes_",
    ),
    "rest": (
        Pipeline([("a", CountVectorizer().fit(["some text"])), ("c", OneVsRestClassifier(LinearSVC()))]),
        "it has no estimators_",
    ),
    "columns": (
        make_pipeline(ColumnTransformer([("a", TfidfVectorizer(), "headline")]), LinearSVC()),
        "it has no transformers_",
    ),
    "scale": (
        make_pipeline(CountVectorizer().fit(["some text"]), MaxAbsScaler(), LinearSVC()),
        "it has no scale_",
    ),
    "selection": (
        make_pipeline(CountVectorizer().fit(["some text"]), SelectKBest(), LinearSVC()),
        r"selectkbest \(SelectKBest\): is not fitted",
    ),
}


@pytest.mark.parametrize("name", UNFITTED)
def test_what_is_not_fitted(compiled: Callable[..., Any], name: str) -> None:
    pipeline, says = UNFITTED[name]
    with pytest.raises(PipelineError, match=f"{says}; call fit before joblib.dump"):
        compiled(pipeline)


def test_parts_that_do_not_fit_each_other(texts: Any, compiled: Callable[..., Any]) -> None:
    pipeline = make_pipeline(CountVectorizer(), TfidfTransformer(), LinearSVC()).fit(
        texts.train, texts.sections
    )
    other = make_pipeline(CountVectorizer(max_features=5), TfidfTransformer(), LinearSVC())
    other.fit(texts.train, texts.sections)
    steps = [*pipeline.steps[:2], other.steps[2]]
    with pytest.raises(PipelineError, match="has weights of 5 features, is given 44; fit the pipeline again"):
        compiled(Pipeline(steps))
    with pytest.raises(PipelineError, match="has 5 idf values for 44 terms; fit the pipeline again"):
        compiled(Pipeline([pipeline.steps[0], *other.steps[1:]]))
    chosen = make_pipeline(CountVectorizer(max_features=5), SelectKBest(k=5), LinearSVC())
    chosen.fit(texts.train, texts.sections)
    with pytest.raises(PipelineError, match="selects of 5 features, is given 44; fit it again"):
        compiled(Pipeline([pipeline.steps[0], *chosen.steps[1:]]))
    machine = pipeline.steps[-1][1]
    machine.coef_, machine.intercept_ = machine.coef_[:2], machine.intercept_[:2]
    with pytest.raises(PipelineError, match="has 2 rows of weights for 3 classes; fit it again"):
        compiled(pipeline)


def test_one_against_the_rest_of_what_it_is_not_for(texts: Any, compiled: Callable[..., Any]) -> None:
    rest = OneVsRestClassifier(LinearSVC())
    pipeline = make_pipeline(TfidfVectorizer(), rest).fit(texts.train, ["the same"] * len(texts.train))
    with pytest.raises(
        PipelineError, match="knows one answer only; fit it on articles of two sections or more"
    ):
        compiled(pipeline)
    pipeline.fit(texts.train, texts.sections)
    rest.estimators_[1].fit(pipeline[0].transform(texts.train), texts.sections)
    with pytest.raises(PipelineError, match=r"Politics \(LinearSVC\): tells more than two classes apart"):
        compiled(pipeline)


def test_classes_that_are_no_names(texts: Any, compiled: Callable[..., Any]) -> None:
    for labels, says in (
        (["", "a", "b"], "has the class '', which is no name"),
        (["a\ud800", "a", "b"], "which is no name"),
    ):
        chosen = [labels[number % 3] for number in range(len(texts.train))]
        pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, chosen)
        with pytest.raises(PipelineError, match=says):
            compiled(pipeline)
    pipeline.steps[-1][1].classes_ = np.array([1, "1", "b"], dtype=object)
    with pytest.raises(PipelineError, match="two classes that are written alike"):
        compiled(pipeline)


# Columns

TABLE = np.array(
    [["one text", "city", 4], ["more text", "world", 5], ["last words", "city", 6]] * 2, dtype=object
)
LABELS = [0, 1, 2, 0, 1, 2]
OURS = {"0": "headline", "1": "desk", "2": "views"}
COLUMNS: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "number": (
        [("text", TfidfVectorizer(), 0), ("views", "passthrough", [2])],
        {},
        r"columntransformer › views .*: passes columns through as they are: 2; only texts and categories",
    ),
    "remainder": (
        [("text", TfidfVectorizer(), 0), ("more", OneHotEncoder(), [1])],
        {"remainder": "passthrough"},
        "remainder .*passes columns through as they are: 2",
    ),
    "scaled number": (
        [("text", TfidfVectorizer(), 0), ("views", MaxAbsScaler(), [2])],
        {},
        r"views \(MaxAbsScaler\): MaxAbsScaler cannot be compiled",
    ),
    "ordinal": (
        [("text", TfidfVectorizer(), 0), ("more", OrdinalEncoder(), [1])],
        {},
        "OrdinalEncoder cannot be compiled; known are",
    ),
    "imputed number": (
        [("text", TfidfVectorizer(), 0), ("views", SimpleImputer(strategy="most_frequent"), [2])],
        {},
        r"views \(SimpleImputer\): makes no features of what it is given; give it a vectorizer or a OneHotEncoder",
    ),
    "text of another column": (
        [("text", TfidfVectorizer(), 0), ("more", TfidfVectorizer(), 1)],
        {},
        'reads texts from the column "1", which articles do not have; say which it is: --column headline=1',
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns(compiled: Callable[..., Any], name: str) -> None:
    parts, options, says = COLUMNS[name]
    pipeline = make_pipeline(ColumnTransformer(parts, **options), LogisticRegression()).fit(TABLE, LABELS)
    with pytest.raises(PipelineError, match=says):
        compiled(pipeline, OURS)


def test_a_vectorizer_of_a_list_of_columns(compiled: Callable[..., Any]) -> None:
    transformer = ColumnTransformer([("text", TfidfVectorizer(), 0)])
    pipeline = make_pipeline(transformer, LogisticRegression()).fit(TABLE, LABELS)
    transformer.transformers_ = [("text", transformer.transformers_[0][1], [0])]
    with pytest.raises(PipelineError, match=r'from a list of columns; name one column, as "headline"'):
        compiled(pipeline, OURS)


def test_an_encoder_without_a_table(texts: Any, compiled: Callable[..., Any]) -> None:
    encoder = OneHotEncoder(handle_unknown="ignore")
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(TABLE[:, 1:2], LABELS)
    with pytest.raises(
        PipelineError, match="is not given a table of columns; put it into a ColumnTransformer"
    ):
        compiled(pipeline)


def test_texts_as_they_are_and_nothing(texts: Any, compiled: Callable[..., Any]) -> None:
    pipeline = make_pipeline(FeatureUnion([("a", TfidfVectorizer())]), LinearSVC()).fit(
        texts.train, texts.sections
    )
    union = pipeline.steps[0][1]
    union.transformer_list.append(("b", "passthrough"))
    with pytest.raises(
        PipelineError, match=r"b .*: passes texts through as they are; give it a vectorizer, or drop it"
    ):
        compiled(pipeline)
    union.transformer_list[:] = [("a", "drop")]
    with pytest.raises(PipelineError, match="has no parts; give it a vectorizer"):
        compiled(pipeline)

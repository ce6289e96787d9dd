"""The steps before the classifier as nodes: which of scikit-learn's transformers are known, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_selection import SelectorMixin

from training.conversion.categories import check_imputer, one_hot
from training.conversion.nodes import Node, Picked, Scaled, Side, TextNode
from training.conversion.place import Place, class_name, is_sklearn
from training.conversion.sources import Columns, OneColumn, Source, Table, WholeArticle
from training.conversion.texts import is_vectorizer, normalised, picked, text_block, weighted

Given = Source | Node

# What to do instead; of what is not here, the list of what is known.
_INSTEAD = {
    "HashingVectorizer": "it forgets its terms, which explanations name: use TfidfVectorizer",
    "FunctionTransformer": "a function cannot be compiled: prepare the articles before, or use a ColumnTransformer",
    "TruncatedSVD": "leave it out: a linear classifier takes the sparse features as they are",
    "StandardScaler": "leave it out, or use MaxAbsScaler",
    "SimpleImputer": "it may only stand before a OneHotEncoder",
    "Normalizer": "it may only follow a vectorizer directly",
}
_KNOWN = (
    "known are TfidfVectorizer, CountVectorizer, TfidfTransformer, FeatureUnion, ColumnTransformer, OneHotEncoder, "
    "MaxAbsScaler, Normalizer and feature selection"
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads steps; `columns` say what the pipeline's columns are, `seed` keys the hashes of n-grams."""

    columns: Columns
    seed: int

    def steps(self, steps: Iterable[tuple[str, Any]], given: Given, place: Place) -> Given:
        """What a Pipeline's steps, one after the other, make of what they are given.

        Raises:
            PipelineError: naming the one that cannot be compiled, and why.
        """
        for name, estimator in steps:
            if not _is_word(estimator, "passthrough"):
                given = self.step(estimator, given, place.inside(name, estimator))
        return given

    def step(self, estimator: Any, given: Given, place: Place) -> Given:
        """What one step makes of what it is given.

        Raises:
            PipelineError: it cannot be compiled.
        """
        if is_sklearn(estimator, "Pipeline"):
            return self.steps(estimator.steps, given, place)
        if is_sklearn(estimator, "SimpleImputer") and isinstance(given, Table) and given.imputer is None:
            check_imputer(estimator, place)
            return Table(given.names, estimator)
        if isinstance(given, WholeArticle | OneColumn | Table):
            return self._first(estimator, given, place)
        return _further(estimator, given, place)

    def _first(self, estimator: Any, given: Source, place: Place) -> Node:
        """Of columns."""
        if is_vectorizer(estimator):
            block = text_block(estimator, self.columns.text_column(given, place), self.seed, place)
            return TextNode(block, is_sklearn(estimator, "CountVectorizer"))
        if is_sklearn(estimator, "FeatureUnion"):
            return self._union(estimator, given, place)
        if is_sklearn(estimator, "ColumnTransformer") and isinstance(given, WholeArticle):
            return self._column_transformer(estimator, place)
        if is_sklearn(estimator, "OneHotEncoder") and isinstance(given, Table):
            return one_hot(estimator, given, self.columns, place)
        if is_sklearn(estimator, "OneHotEncoder") or is_sklearn(estimator, "ColumnTransformer"):
            raise place.refuse(
                "is not given a table of columns", "put it into a ColumnTransformer that is the first step"
            )
        raise _unknown(estimator, place)

    def _union(self, union: Any, given: Source, place: Place) -> Node:
        factors = union.transformer_weights or {}
        parts = []
        for name, estimator in union.transformer_list:
            if _is_word(estimator, "drop"):
                continue
            inside = place.inside(name, estimator)
            if _is_word(estimator, "passthrough"):
                raise inside.refuse("passes texts through as they are", "give it a vectorizer, or drop it")
            parts.append((float(factors.get(name, 1.0)), _node(self.step(estimator, given, inside), inside)))
        return _side(parts, place)

    def _column_transformer(self, transformer: Any, place: Place) -> Node:
        place.take(transformer, "transformers_")
        names = column_names(transformer)
        factors = transformer.transformer_weights or {}
        parts = []
        for name, estimator, given in transformer.transformers_:
            source = source_of(given, names)
            if _is_word(estimator, "drop") or source == Table(()):
                continue
            inside = place.inside(name, estimator)
            identity = is_sklearn(estimator, "FunctionTransformer") and estimator.func is None
            if identity or _is_word(estimator, "passthrough"):
                shown = source.names if isinstance(source, Table) else (source.name,)
                raise inside.refuse(
                    f"passes columns through as they are: {', '.join(shown)}",
                    "only texts and categories can be compiled; drop them, or encode them with a OneHotEncoder",
                )
            parts.append((float(factors.get(name, 1.0)), _node(self.step(estimator, source, inside), inside)))
        return _side(parts, place)


def _further(estimator: Any, given: Node, place: Place) -> Node:
    """Of features."""
    if is_sklearn(estimator, "TfidfTransformer"):
        if not isinstance(given, TextNode) or not given.counts:
            raise place.refuse(
                "does not follow a CountVectorizer directly",
                "put each CountVectorizer and a TfidfTransformer into a Pipeline of their own",
            )
        return TextNode(weighted(given.block, estimator, place), False)
    if is_sklearn(estimator, "Normalizer") and isinstance(given, TextNode):
        return TextNode(normalised(given.block, estimator, place), False)
    if is_sklearn(estimator, "MaxAbsScaler") and not getattr(estimator, "clip", False):
        return Scaled(given, np.asarray(place.take(estimator, "scale_"), np.float64))
    if isinstance(estimator, SelectorMixin) and type(estimator).__module__.partition(".")[0] == "sklearn":
        kept = np.asarray(_support(estimator, place), np.bool_)
        if len(kept) != given.width:
            raise place.refuse(f"selects of {len(kept)} features, is given {given.width}", "fit it again")
        if isinstance(given, TextNode) and given.counts and kept.any():
            return TextNode(picked(given.block, kept), True)
        return Picked(given, kept)
    raise _unknown(estimator, place)


def _support(selector: Any, place: Place) -> Any:
    found: Callable[[], Any] = place.take(selector, "get_support")
    try:
        return found()
    except Exception as error:  # each kind looks for attributes of its own
        raise place.refuse("is not fitted", "call fit before joblib.dump") from error


def _node(given: Given, place: Place) -> Node:
    if isinstance(given, WholeArticle | OneColumn | Table):
        raise place.refuse("makes no features of what it is given", "give it a vectorizer or a OneHotEncoder")
    return given


def _side(parts: list[tuple[float, Node]], place: Place) -> Node:
    if not parts:
        raise place.refuse("has no parts", "give it a vectorizer")
    return Side(tuple(parts))


def column_names(transformer: Any) -> list[str]:
    """Of all columns that a ColumnTransformer was fitted on; their numbers where the table had no names."""
    names = getattr(transformer, "feature_names_in_", range(transformer.n_features_in_))
    return [str(name) for name in names]


def source_of(columns: Any, names: list[str]) -> OneColumn | Table:
    """The columns that a ColumnTransformer names in one of its many ways."""
    if isinstance(columns, str):
        return OneColumn(columns)
    if isinstance(columns, int | np.integer):
        return OneColumn(names[int(columns)])
    if isinstance(columns, slice):
        ends = [columns.start, columns.stop]
        places = [names.index(end) if isinstance(end, str) else end for end in ends]
        if isinstance(columns.stop, str):  # as in pandas the last one is part of it
            places[1] += 1
        return Table(tuple(names[places[0] : places[1] : columns.step]))
    chosen = list(columns)
    if chosen and all(isinstance(one, bool | np.bool_) for one in chosen):
        return Table(tuple(name for name, wanted in zip(names, chosen, strict=True) if wanted))
    return Table(tuple(one if isinstance(one, str) else names[int(one)] for one in chosen))


def _is_word(estimator: object, word: str) -> bool:
    """Whether it is this word that stands for a step, or None, which once meant the same."""
    return estimator is None or (isinstance(estimator, str) and estimator == word)


def _unknown(estimator: object, place: Place) -> Exception:
    name = class_name(estimator)
    return place.refuse(f"{name} cannot be compiled", _INSTEAD.get(name, _KNOWN))

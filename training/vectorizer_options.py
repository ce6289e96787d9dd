"""The options of a vectorizer, ours or scikit-learn's: checked, and as the kernel takes them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from classifier.errors import UsageError
from classifier.text.analyzer import ANALYZERS, MOST_NGRAM, Analyzer
from classifier.text.blocks import Weighting

TOKEN_PATTERN = r"(?u)\b\w\w+\b"


def analyzer_of(options: Any, seed: int = 0) -> Analyzer:
    """How texts are cut, by the attributes of `options` that are named as TfidfVectorizer's; `seed` keys the hashes.

    Raises:
        UsageError: an option that is wrong, or not supported.
    """
    kind = _choice("analyzer", options.analyzer, ANALYZERS)
    for name in ("preprocessor", "tokenizer"):
        if getattr(options, name) is not None:
            raise UsageError(
                "functions of one's own are not supported", where=name, remedy="apply it to the texts first"
            )
    _choice("input", getattr(options, "input", "content"), ("content",))
    if kind == "word" and options.token_pattern != TOKEN_PATTERN:
        raise UsageError(
            f"{options.token_pattern!r} is not supported",
            where="token_pattern",
            remedy=f"leave the default, {TOKEN_PATTERN}",
        )
    return Analyzer(
        kind,
        _ngrams(options.ngram_range),
        _flag("lowercase", options.lowercase),
        _choice("strip_accents", options.strip_accents, (None, "ascii", "unicode")),
        _stop_words(options.stop_words) if kind == "word" else (),
        seed,
    )


def weighting_of(vectorizer: Any, transformer: Any) -> Weighting:
    """How counts are weighed, by the attributes of TfidfVectorizer, or of CountVectorizer and TfidfTransformer (or None).

    Raises:
        UsageError: an option that is wrong.
    """
    binary = _flag("binary", vectorizer.binary)
    if transformer is None:
        return Weighting(binary=binary, norm=None)
    norm = _choice("norm", transformer.norm, ("l1", "l2", None))
    return Weighting(_flag("sublinear_tf", transformer.sublinear_tf), binary, norm)


def check_options(options: Any) -> None:
    """Those that `analyzer_of` and `weighting_of` do not see.

    Raises:
        UsageError: an option that is wrong.
    """
    for name in ("use_idf", "smooth_idf"):
        _flag(name, getattr(options, name))
    for name in ("min_df", "max_df"):
        value = getattr(options, name)
        if not (value >= 1 if _is_whole(value) else _is_share(value)):
            raise _wrong(name, value, "give a whole number of texts from 1, or a share from 0.0 to 1.0")
    most = options.max_features
    if most is not None and not (_is_whole(most) and most >= 1):
        raise _wrong("max_features", most, "give a whole number from 1, or None")
    dtype_of(options)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral)


def _is_share(value: Any) -> bool:
    return isinstance(value, Real) and bool(0.0 <= float(value) <= 1.0)


def dtype_of(options: Any) -> np.dtype[np.float32] | np.dtype[np.float64]:
    """float32 or float64.

    Raises:
        UsageError: another one.
    """
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        try:
            if np.dtype(options.dtype) == dtype:
                return dtype
        except TypeError:
            break
    raise _wrong("dtype", options.dtype, "give float64 or float32")


def document_limits(options: Any, texts: int) -> tuple[int, int]:
    """In how many of `texts` a term must be at least, and at most.

    Raises:
        UsageError: the one is above the other.
    """
    low, high = (value if _is_whole(value) else value * texts for value in (options.min_df, options.max_df))
    if high < low:
        raise UsageError(
            f"max_df ({options.max_df!r}) allows fewer of the {texts} texts than min_df ({options.min_df!r}) asks for",
            remedy="raise max_df or lower min_df",
        )
    return math.ceil(low), math.floor(high)


def fixed_terms(vocabulary: Any) -> list[str]:
    """The terms of a given vocabulary by their columns; a set is put in order.

    Raises:
        UsageError: no terms, no strings, a term twice, columns that are not 0, 1, 2 and so on.
    """
    if isinstance(vocabulary, str | bytes) or not isinstance(vocabulary, Iterable):
        raise _wrong(
            "vocabulary", vocabulary, "give a list of terms, a mapping from terms to columns, or a set"
        )
    terms = list(vocabulary)
    for term in terms:
        if not isinstance(term, str):
            raise _wrong("vocabulary", term, "give terms that are strings")
    if not terms:
        raise UsageError("it is empty", where="vocabulary", remedy="give terms, or None to learn them")
    if isinstance(vocabulary, Mapping):
        return _by_column(vocabulary)
    if len(set(terms)) < len(terms):
        twice = next(term for number, term in enumerate(terms) if term in terms[:number])
        raise UsageError(f"{twice!r} stands there twice", where="vocabulary", remedy="give each term once")
    return sorted(terms) if isinstance(vocabulary, set | frozenset) else terms


def _by_column(vocabulary: Mapping[str, Any]) -> list[str]:
    terms = {column: term for term, column in vocabulary.items()}
    missing = next((column for column in range(len(vocabulary)) if column not in terms), None)
    if missing is not None:
        raise UsageError(
            f"of {len(vocabulary)} terms none has column {missing}",
            where="vocabulary",
            remedy="number the terms from 0 without gaps or repetitions",
        )
    return [terms[column] for column in range(len(vocabulary))]


def _ngrams(given: Any) -> tuple[int, int]:
    if isinstance(given, tuple | list) and len(given) == 2 and all(_is_whole(n) for n in given):
        low, high = map(int, given)
        if 1 <= low <= high <= MOST_NGRAM:
            return low, high
    raise _wrong("ngram_range", given, f"give two whole numbers, 1 ≤ least ≤ most ≤ {MOST_NGRAM}")


def _stop_words(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str) and given == "english":
        given = ENGLISH_STOP_WORDS
    if isinstance(given, str | bytes) or not isinstance(given, Collection):
        raise _wrong("stop_words", given, 'give a list of words, "english" or None')
    for word in given:
        if not isinstance(word, str):
            raise _wrong("stop_words", word, "give words that are strings")
    return tuple(sorted(set(given)))


def _choice(name: str, value: Any, allowed: Collection[Any]) -> Any:
    if (value is None or isinstance(value, str)) and value in allowed:
        return value
    names = ", ".join("None" if one is None else f'"{one}"' for one in allowed)
    raise _wrong(name, value, f"give {names}" if len(allowed) == 1 else f"give one of {names}")


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise _wrong(name, value, "give True or False")


def _wrong(name: str, value: Any, remedy: str) -> UsageError:
    return UsageError(f"{value!r} is not supported", where=name, remedy=remedy)

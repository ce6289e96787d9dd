"""What every metric asks of its arrays before it counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.errors import LabelError, UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def numbers(values: npt.ArrayLike, name: str, *, labels: bool = False) -> Floats:
    """`values` as a vector (n,) of doubles without NaN.

    Raises:
        LabelError: `labels` (the values are truth, not a model's) and a value is missing.
        UsageError: `values` are no vector of numbers, or a score is NaN.
    """
    array = as_array(values, name)
    if array.ndim != 1:
        raise UsageError(f"{name} has the shape {array.shape}", remedy="give a vector, one number an article")
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "O" and any(value is None for value in array):
            raise _missing(name, labels)
        raise UsageError(f"{name} holds {array.dtype}", remedy="give numbers")
    result = array.astype(np.float64)
    if np.isnan(result).any():
        raise _missing(name, labels)
    return result


def as_array(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """`values` as an array of any shape and type.

    Raises:
        UsageError: rows of different lengths.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        raise UsageError(f"{name} is no array: {error}", remedy="give rows of one length") from error


def same_length(**arrays: npt.NDArray[Any]) -> int:
    """The common number of rows.

    Raises:
        UsageError: the numbers of rows differ.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise UsageError(f"the lengths differ: {listed}", remedy="give one value an article in each")
    return next(iter(lengths.values()))


def not_empty(n: int) -> None:
    """
    Raises:
        LabelError: there is no article to evaluate on.
    """
    if n == 0:
        raise LabelError("there are no labelled articles to evaluate on", remedy="give at least one")


def within_unit(values: Floats, name: str) -> None:
    """
    Raises:
        UsageError: a value lies outside 0–1.
    """
    if values.size and (values.min() < 0 or values.max() > 1):
        raise UsageError(
            f"{name} reaches from {values.min():g} to {values.max():g}",
            remedy="give probabilities between 0 and 1",
        )


def at_least_one(value: int, name: str) -> None:
    """
    Raises:
        UsageError: `value` is under 1.
    """
    if value < 1:
        raise UsageError(f"{name} is {value}", remedy="it must be 1 or more")


def _missing(name: str, labels: bool) -> LabelError | UsageError:
    if labels:
        return LabelError(f"{name} has a missing value", remedy="leave out the articles without a label")
    return UsageError(f"{name} holds NaN", remedy="every article needs a score that is a number")

"""scikit-learn's OneHotEncoder as category blocks: what each value becomes is asked of the encoder itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.text.blocks import CategoryBlock
from training.conversion.nodes import CategoryNode, Encoded
from training.conversion.place import Place
from training.conversion.sources import Columns, Table

Floats = NDArray[np.float64]


def one_hot(encoder: Any, table: Table, columns: Columns, place: Place) -> CategoryNode:
    """The blocks of a fitted OneHotEncoder, one a column.

    Raises:
        PipelineError: it is not fitted, or holds categories that are neither text nor whole numbers.
    """
    categories = [list(found) for found in place.take(encoder, "categories_")]
    widths = _output_widths(encoder, categories)
    first = [_filler(found) for found in categories]
    found = []
    for number, name in enumerate(table.names):
        ours = columns.category_column(name, place)
        values = _values(categories[number], name, place)
        nulls = _nulls(categories[number], name, table.imputer, place)
        takes_unknown = encoder.handle_unknown != "error"
        if table.imputer is not None:
            known = takes_unknown or table.imputer.statistics_[number] in values
            values, nulls = _with_missing(values, nulls, table.imputer.missing_values, known)
        if values and isinstance(values[0], int):
            columns.numbers.add(name)
        start = sum(widths[:number])
        own = slice(start, start + widths[number])

        def outputs(probes: list[Any], number: int = number, own: slice = own) -> Floats:
            rows = np.empty((len(probes), len(first)), dtype=object)
            rows[:] = first
            rows[:, number] = probes
            return _transformed(encoder, table.imputer, rows)[:, own]

        found.append(_encoded(ours, values, nulls, outputs, takes_unknown))
    return CategoryNode(tuple(found))


def check_imputer(imputer: Any, place: Place) -> None:
    """A SimpleImputer that a OneHotEncoder may follow.

    Raises:
        PipelineError: it is not fitted, computes with numbers, or adds or drops columns.
    """
    statistics = place.take(imputer, "statistics_")
    if imputer.strategy not in ("constant", "most_frequent"):
        raise place.refuse(
            f"has the strategy {imputer.strategy!r}, which is of numbers", 'use "constant" or "most_frequent"'
        )
    if imputer.add_indicator or any(_is_null(value) for value in statistics):
        raise place.refuse(
            "adds or drops columns", "fit it with add_indicator=False, on columns that hold values"
        )


def _encoded(column: str, values: list[Any], nulls: list[Any], outputs: Any, takes_unknown: bool) -> Encoded:
    """`outputs(values)` are what the encoder makes of values (m, own width)."""
    table = outputs([*values, *nulls])
    otherwise = np.zeros(table.shape[1])
    if takes_unknown:
        otherwise = outputs([_unknown(values)])[0]
    names = [str(value) for value in values]
    null = None
    if nulls and (table[-1] != otherwise).any():
        null = len(names)
        names.append(_new_name(names))
    return Encoded(CategoryBlock(column, 1.0, tuple(names), null), table[: len(names)], otherwise)


def _transformed(encoder: Any, imputer: Any, rows: NDArray[np.object_]) -> Floats:
    import warnings

    if not len(rows):
        return np.zeros((0, sum(_output_widths(encoder, [list(c) for c in encoder.categories_]))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unknown categories, which are asked about on purpose
        found = encoder.transform(rows if imputer is None else imputer.transform(rows))
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found, np.float64)


def _output_widths(encoder: Any, categories: Sequence[Sequence[Any]]) -> list[int]:
    """Outputs a column: one a category, rare ones together, without the one that is dropped."""
    rare = getattr(encoder, "infrequent_categories_", None) or [None] * len(categories)
    dropped = [None] * len(categories) if encoder.drop_idx_ is None else encoder.drop_idx_
    widths = []
    for known, together, drop in zip(categories, rare, dropped, strict=True):
        fewer = 0 if together is None or not len(together) else len(together) - 1
        widths.append(len(known) - fewer - (drop is not None))
    return widths


def _with_missing(
    values: list[Any], nulls: list[Any], missing: Any, known: bool
) -> tuple[list[Any], list[Any]]:
    """With what an imputer takes for `missing`; where what stands in for it is not `known` to the encoder, scikit-learn
    refuses both."""
    if not known:
        return [value for value in values if value != missing], []
    if isinstance(missing, str) and missing not in values:
        return [*values, missing], nulls
    return values, nulls


def _values(categories: Sequence[Any], name: str, place: Place) -> list[Any]:
    """What an article's column may hold that the encoder knows."""
    values = [_plain(value) for value in categories if not _is_null(value)]
    kinds = {type(value) for value in values}
    if not kinds <= {str} and not kinds <= {int}:
        shown = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise place.refuse(
            f'has categories of the column "{name}" that are {shown}', "turn them into text before fitting"
        )
    if any(_is_no_text(value) for value in values):
        raise place.refuse(
            f'has a category of the column "{name}" with half a surrogate pair',
            "mend the encoding before fitting",
        )
    return values


def _nulls(categories: Sequence[Any], name: str, imputer: Any, place: Place) -> list[Any]:
    """What stands for an article's missing value, where the encoder (or what is before it) knows it; at most one."""
    found = [value for value in categories if _is_null(value)]
    if imputer is not None and _is_null(imputer.missing_values):
        found.append(imputer.missing_values)
    if len(found) > 1:
        raise place.refuse(
            f'tells None and NaN apart in the column "{name}", which an article cannot', "use one of them"
        )
    return found


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _is_null(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)


def _is_no_text(value: Any) -> bool:
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def _filler(categories: Sequence[Any]) -> Any:
    return next(iter(categories), None)


def _unknown(values: Sequence[Any]) -> Any:
    """A value that is none of these."""
    if values and isinstance(values[0], int):
        return max(values) + 1
    return _new_name([str(value) for value in values])


def _new_name(names: Sequence[str]) -> str:
    name = "(none)"
    while name in names:
        name = f"({name})"
    return name

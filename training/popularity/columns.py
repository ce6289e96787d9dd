"""What kind a column is of."""

from __future__ import annotations

from collections.abc import Sequence


def is_numeric(values: Sequence[object]) -> bool:
    """Whether a column holds numbers (truth values are categories)."""
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in known
    )

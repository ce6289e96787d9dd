"""Reading the JSON of a manifest: every value is looked up with the type it must have, or the artifact is damaged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged

T = TypeVar("T")

_LARGEST = 2**63  # an integer beyond this is no number that Newsdesk wrote, and may be too large for a float


class Spec:
    """A JSON object of a manifest, at `place` (for errors)."""

    def __init__(self, data: object, place: str) -> None:
        if not isinstance(data, Mapping):
            raise ArtifactDamaged("must be an object", where=place)
        self.data: Mapping[str, Any] = data
        self.place = place

    def get(self, name: str, kind: type[T]) -> T:
        """The value of `name`, exactly of type `kind` (a float may be written as an integer, never as NaN).

        Raises:
            ArtifactDamaged: it is missing or of another type.
        """
        value = self.data.get(name)
        if kind is float and type(value) is int and abs(value) <= _LARGEST:
            value = float(value)
        if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
            raise ArtifactDamaged(f'"{name}" must be a {kind.__name__}', where=self.place)
        return value

    def spec(self, name: str) -> Spec:
        return Spec(self.data.get(name), f"{self.place}.{name}")

    def specs(self, name: str) -> list[Spec]:
        return [Spec(item, f"{self.place}.{name}[{i}]") for i, item in enumerate(self.get(name, list))]

    def strings(self, name: str) -> list[str]:
        values = self.get(name, list)
        if not all(type(value) is str for value in values):
            raise ArtifactDamaged(f'"{name}" must be a list of strings', where=self.place)
        return values

    def choice(self, name: str, allowed: tuple[T, ...]) -> T:
        value = self.data.get(name)
        if value not in allowed:
            raise ArtifactDamaged(f'"{name}" must be one of {list(allowed)}', where=self.place)
        return value


class Arrays(Mapping[str, NDArray[Any]]):
    """Arrays by name; `prefix` is what stands before the name in a file's path (for errors)."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> None:
        self._arrays = arrays
        self._prefix = prefix

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def under(self, start: str) -> Arrays:
        """The arrays whose names begin with `start`, by what follows it."""
        own = {name.removeprefix(start): array for name, array in self.items() if name.startswith(start)}
        return Arrays(own, self._prefix + start)

    def file(self, name: str) -> str:
        """The file of an array."""
        return f"{self._prefix}{name}.npy"


def take_array(
    arrays: Arrays, name: str, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """The named array, of that type and shape (None: any length).

    Raises:
        ArtifactDamaged: it is missing, of another type or shape, or not finite.
    """
    array = arrays.get(name)
    if array is None:
        raise ArtifactDamaged("the array is missing", where=arrays.file(name))
    fits = array.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(array.shape, shape, strict=True)
    )
    if array.dtype != np.dtype(dtype) or not fits:
        raise ArtifactDamaged(
            f"holds {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}", where=arrays.file(name)
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ArtifactDamaged("holds a number that is not finite", where=arrays.file(name))
    return array

"""What every feature block is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from numpy.typing import NDArray

from classifier.text.rows import Rows
from classifier.text.sparse import SparseRows

FieldSpan = tuple[str, int, int]
FewFeatures = tuple[Sequence[int], Sequence[float]]


class Block(Protocol):
    """Rows in, `width` features out."""

    kind: ClassVar[str]

    @property
    def width(self) -> int: ...
    def transform(self, rows: Rows) -> SparseRows: ...
    def feature_name(self, feature: int) -> str: ...
    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]: ...
    def spec(self) -> dict[str, Any]: ...
    def arrays(self) -> dict[str, NDArray[Any]]: ...


@runtime_checkable
class FewBlock(Block, Protocol):
    """A block that gives a row a handful of features."""

    def one(self, rows: Rows) -> FewFeatures:
        """Those of a single row, and their values: `transform` without arrays."""
        ...

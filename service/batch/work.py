"""One block: articles to the bytes of scored rows. Threads do it side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from classifier.batches import score_checked, scored_schema, with_kept
from classifier.model import Model
from classifier.reading.binary_tables import Block
from classifier.reading.encoders import Encoder
from service.batch.blocks import Rows
from service.batch.duplicates import hash_ids


@dataclass(frozen=True, slots=True)
class Done:
    """A block as it is written; None where it has no rows. `hashes` (rows,) stand for the ids, `seen` are the columns to
    keep that its articles had."""

    block: Block | None
    rows: int
    sections: Counter[str]
    decisions: Counter[str]
    hashes: NDArray[np.uint64]
    seen: frozenset[str]


class Worker:
    """Scores and encodes; threads may share it.

    Raises:
        UsageError: `keep` names a column of the prediction.
    """

    def __init__(self, model: Model, keep: Sequence[str]) -> None:
        self.model = model
        self.keep = keep
        self.schema = scored_schema(keep)

    def scored(self, pieces: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Piece by piece: columns that the pieces do not share need no common type."""
        for piece in pieces:
            yield with_kept(score_checked(self.model, piece), piece, self.schema)

    def work(self, rows: Rows, encoder: Encoder) -> Done:
        if not rows.pieces:
            return Done(None, 0, Counter(), Counter(), np.empty(0, np.uint64), frozenset())
        batch = pa.concat_batches(list(self.scored(rows.pieces)))
        names = {name for piece in rows.pieces for name in piece.schema.names}
        return Done(
            encoder.block(batch),
            len(batch),
            counted(batch.column("section")),
            counted(batch.column("decision")),
            hash_ids(batch.column("id")),
            frozenset(names & set(self.keep)),
        )


def counted(column: pa.Array) -> Counter[str]:
    """How often each value is there; null is not counted."""
    found: list[dict[str, Any]] = pc.value_counts(column.drop_null()).to_pylist()
    return Counter({item["values"]: item["counts"] for item in found})

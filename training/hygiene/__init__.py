"""Label hygiene: what in the labels themselves looks wrong, for an editor to look at. Nothing is changed here."""

from __future__ import annotations

from training.hygiene.conflicts import Conflict, conflicting_duplicates
from training.hygiene.jsonl import FILE_NAME, write_jsonl
from training.hygiene.names import SimilarNames, similar_names
from training.hygiene.pairs import CONFUSED_FROM, Confusable, Direction, confusable
from training.hygiene.suspects import Suspect, suspected_labels

__all__ = [
    "CONFUSED_FROM",
    "FILE_NAME",
    "Conflict",
    "Confusable",
    "Direction",
    "SimilarNames",
    "Suspect",
    "conflicting_duplicates",
    "confusable",
    "similar_names",
    "suspected_labels",
    "write_jsonl",
]

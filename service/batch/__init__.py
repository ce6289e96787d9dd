"""Batch scoring on one machine: any supported input to a file of scored rows, in memory that does not grow with it.

`run.score_files` ties together: `sources` (what is read, and whether it stays what it was) → `blocks` (rows in equal
pieces, each with the place where reading stands behind it) → `pipeline` (threads) → `work` (a block scored and encoded) →
`target` (standard output, or a hidden folder whose durable part a later run goes on from: `parts`, `journal`).
"""

from __future__ import annotations

from service.batch.asked import Listener, Scoring
from service.batch.run import score_files
from service.batch.summary import Progress, Summary

__all__ = ["Listener", "Progress", "Scoring", "Summary", "score_files"]

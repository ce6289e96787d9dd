"""What is asked of a run, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from classifier.reading.base import Note, ReadOptions, Rejection
from classifier.reading.encoders import GROUP_ROWS
from service.batch.summary import Progress


@dataclass(frozen=True, slots=True)
class Scoring:
    """How a run is done: `keep` are input columns carried along behind the prediction, as text; `resume` goes on with an
    interrupted run; `force` overwrites an existing target. `pace`: seconds between durable parts, at least (0: every block
    is one). `block_rows`: rows of a block; another number gives other bytes."""

    options: ReadOptions = field(default_factory=ReadOptions)
    keep: Sequence[str] = ()
    resume: bool = False
    force: bool = False
    pace: float = 1.0
    block_rows: int = GROUP_ROWS


@dataclass(frozen=True, slots=True)
class Listener:
    """What is told on the way: every rejected row, how far the run is after each block, what was read otherwise than may
    have been meant. `on_stop`: how many articles are safe after an error or an interruption."""

    on_rejected: Callable[[Rejection], None] = lambda rejection: None
    on_progress: Callable[[Progress], None] = lambda progress: None
    on_stop: Callable[[int], None] = lambda articles: None
    on_note: Callable[[Note], None] = lambda note: None
    wants_size: bool = False

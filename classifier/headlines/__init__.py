"""Two to twenty headlines for one story: which will do best, by how much, because of which words, and whether the model
can tell at all."""

from __future__ import annotations

from classifier.headlines.results import HeadlineRanking, RankedHeadline, Word
from classifier.headlines.scoring import rank_headlines

__all__ = ["HeadlineRanking", "RankedHeadline", "Word", "rank_headlines"]

"""How much of an article's text a model knows: drift shows there first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from classifier.text.blocks import TextBlock
from classifier.text.rows import Rows

if TYPE_CHECKING:
    from classifier.articles import Article
    from classifier.model import Model

_WORD = re.compile(r"\b\w\w+\b")  # scikit-learn's default


def count_words(model: Model, article: Article) -> tuple[int, int]:
    """How many words of two letters or more the article has, and in how many of them the model knows nothing: neither the
    word nor, where it is cut into parts of words, a part. Its first text block is asked."""
    block = _first_text_block(model)
    if block is None:
        return 0, 0
    rows = Rows.from_articles([article])
    text = "\n".join([part for _, part in rows.text_parts(block.column, 0) if part])
    words = np.array([match.span() for match in _WORD.finditer(text)], np.int64).reshape(-1, 2)
    places = block.places(rows, 0).astype(np.int64)
    starts, ends = places[:, 1] + 1, places[:, 2] - 1  # parts of words may have a space before and after
    at = np.searchsorted(words[:, 0], starts, side="right") - 1
    inside = at >= 0
    inside[inside] = ends[inside] <= words[at[inside], 1]
    return len(words), len(words) - len(set(at[inside].tolist()))


def _first_text_block(model: Model) -> TextBlock | None:
    heads = [head for head in (model.sections, model.popularity) if head is not None]
    blocks = [block for head in heads for block in head.linear.blocks]
    return next((block for block in blocks if isinstance(block, TextBlock)), None)

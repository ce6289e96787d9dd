"""The ids of articles that have none, a column at once: what `classifier.articles.content_hash` gives each."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from classifier.text.native import kernel
from classifier.text.strings import Texts

_DIGITS = 32  # of an id


def content_ids(url: pa.Array, headline: pa.Array, summary: pa.Array, body: pa.Array) -> pa.Array:
    """(n,) strings, from columns (n,) of strings: of the url, or of the texts where there is none (null is empty)."""
    rows = len(url)
    texts = Texts.from_arrow(url, headline, summary, body)
    digits = np.empty(rows * _DIGITS, np.uint8)
    if rows:
        kernel.nd_content_ids(texts.columns, rows, digits.ctypes.data)
    offsets = np.arange(0, digits.size + 1, _DIGITS, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(digits))

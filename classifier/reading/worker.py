"""A process that reads HTML pages for `classifier.reading.parallel`: pages come in, chunks go out."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from classifier.errors import ConfigError
from classifier.reading.base import Chunk, ReadOptions
from classifier.reading.columns import concat
from classifier.reading.documents import refusals
from classifier.reading.html_pages import page_chunk
from classifier.reading.messages import receive_options, receive_pages, send_answer


def main() -> None:
    """Answer until standard input ends. Interruptions are the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not come between answers.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    try:
        pages_in = sys.stdin.buffer
        options = receive_options(pages_in)
        while True:
            pages = receive_pages(pages_in)
            answer: list[Chunk] | ConfigError
            try:
                answer = read_batch(pages, options)
            except ConfigError as error:
                answer = error
            send_answer(answers, answer)
    except (EOFError, BrokenPipeError):
        return


def read_batch(pages: Sequence[tuple[str, bytes]], options: ReadOptions) -> list[Chunk]:
    """The pages as one chunk (and what of it cannot be one)."""
    chunks: list[Chunk] = []
    for name, data in pages:
        with refusals(name, chunks):
            chunks.append(page_chunk(data, name, options))
    return [_together(chunks)] if chunks else []


def _together(chunks: Sequence[Chunk]) -> Chunk:
    articles = [chunk.articles for chunk in chunks if chunk.articles is not None]
    boxes = [chunk.boxes for chunk in chunks if chunk.boxes is not None]
    return Chunk(
        articles=concat(articles).combine_chunks().to_batches()[0] if articles else None,
        boxes=concat(boxes).combine_chunks().to_batches()[0] if boxes else None,
        rejected=tuple(item for chunk in chunks for item in chunk.rejected),
        notes=tuple(note for chunk in chunks for note in chunk.notes),
    )

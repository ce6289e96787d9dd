"""A process that reads HTML pages for `classifier.reading.parallel`: pages come in, chunks go out."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder

from classifier.errors import ConfigError, FieldError
from classifier.reading.base import Chunk, ReadOptions
from classifier.reading.documents import refusals
from classifier.reading.html_pages import ReadPage, pages_chunk, read_page
from classifier.reading.messages import receive_options, receive_pages, send_answer


def main() -> None:
    """Answer until standard input ends. Interruptions are the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.meta_path.insert(0, _WithoutPandas())
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


class _WithoutPandas(MetaPathFinder):
    """PyArrow imports pandas wherever it is installed, to ask whether values are of it: as long as a hundred pages take."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """Refuse pandas.

        Raises:
            ModuleNotFoundError: as if it were not installed.
        """
        if fullname == "pandas":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def read_batch(pages: Sequence[tuple[str, bytes]], options: ReadOptions) -> list[Chunk]:
    """The pages in one chunk (page by page where a string of one is not Unicode text), and what is refused of them."""
    found: list[ReadPage] = []
    chunks: list[Chunk] = []
    for name, data in pages:
        with refusals(name, chunks):
            found.append(read_page(data, name, options))
    try:
        chunks += [pages_chunk(found)] if found else []
    except FieldError:
        for page in found:
            with refusals(page.name, chunks):
                chunks.append(pages_chunk([page]))
    return chunks

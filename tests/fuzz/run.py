"""Fuzz the readers: `python -m tests.fuzz.run page.html --inputs 1000000`, from the root of the repository.

Needs atheris (`pip install atheris`; Linux and macOS), which is no dependency of the tests. Inputs are read in this
process, from memory; watched are our own modules. Most of the time would go into what readers share or do not do
themselves: so only one input in `--whole` becomes a checked table and has its text looked for by trafilatura, the others
end before that.

An input that breaks a reader, or takes it more than a second of processor time, is written to `tests/fuzz/found/` and ends
the run; what was mended is kept as a case in `tests/classifier/reading/test_documents_properties.py`.
"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import atheris

# Watched before the readers import them lazily; what they share would cost more than it tells.
_SHARED = ("rows", "layout", "sections", "html_tree", "markup")
_WATCHED = (
    *("html_pages", "html_boxes", "html_metadata", "box_headings", "feeds", "ninjs", "newsml", "wire", "topics", "looking"),
    *("jsonl", "json_cells", "json_rows", "json_arrays", "delimited", "dialects", "mind", "columnar", "pages"),
    *("page_boxes", "datelines", "compressed"),
)  # fmt: skip
for _module in _SHARED:
    import_module(f"classifier.reading.{_module}")
with atheris.instrument_imports(include=["classifier"]):
    for _module in _WATCHED:
        import_module(f"classifier.reading.{_module}")

from classifier.reading import delimited, html_pages, html_tree, json_arrays, jsonl, layout, rows  # noqa: E402
from classifier.reading.base import Chunk  # noqa: E402
from tests.fuzz import mutators  # noqa: E402
from tests.fuzz.documents import BINARY, COMPRESSED, SEEDS, checker, compressed_seeds  # noqa: E402

HERE = Path(__file__).parent
HANG = 1.0  # seconds of processor time
MUTATORS: dict[str, mutators.Mutator] = {
    **dict.fromkeys(("page.html", "feed.rss", "items.newsml"), mutators.of_markup),
    **dict.fromkeys(("items.ninjs", "table.json"), mutators.of_json),
    **dict.fromkeys(("table.csv", "table.tsv", "news.tsv", "behaviors.tsv"), mutators.of_table),
    "table.jsonl": mutators.of_json_lines,
    "page.txt": mutators.of_page,
    "unknown": mutators.of_any,
}


class Hang(BaseException):
    """An input takes too long; not to be caught by who catches whatever a library raises."""


class Thinned:
    """Lets only one input in `whole` through what most readers share and what is not theirs; the bytes say which."""

    def __init__(self, check: Callable[[bytes], object], whole: int) -> None:
        self._check = check
        self._rate = whole
        self.whole = True
        self._thin(layout.Layout, "chunk", lambda *_: Chunk())
        self._thin(delimited._Table, "flush", lambda *_: Chunk())
        self._thin(jsonl, "_chunk", lambda *_: Chunk())
        self._thin(json_arrays, "columns_of", lambda _rows, _names, _layout, where: ({}, where, []))
        self._thin(rows, "to_batch", lambda *_, **__: None)
        self._thin(rows, "to_box_batch", lambda *_, **__: None)
        self._thin(html_pages, "extracted", _paragraphs)

    def _thin(self, holder: Any, name: str, instead: Callable[..., Any]) -> None:
        full = getattr(holder, name)
        setattr(holder, name, lambda *args, **named: (full if self.whole else instead)(*args, **named))

    def __call__(self, data: bytes) -> None:
        self.whole = zlib.crc32(data) % self._rate == 0
        signal.setitimer(signal.ITIMER_PROF, HANG)
        self._check(data)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _paragraphs(tree: Any, name: str) -> list[str]:
    return [line for element in tree.iter("p") if (line := html_tree.text_of(element))]


def _hung(*_: object) -> None:
    raise Hang(f"more than {HANG:.0f} s of processor time")


def mutating(mutate: mutators.Mutator) -> Callable[[bytes, int, int], bytes]:
    """The mutator as atheris calls it: at times, and where there is nothing to change, byte by byte."""

    def one(data: bytes, most: int, seed: int) -> bytes:
        chance = Random(seed)
        changed = mutate(data, chance) if data and chance.randrange(6) else None
        return atheris.Mutate(data, most) if changed is None else changed[:most]

    return one


def main() -> None:
    """Fuzz one reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = (*SEEDS, *BINARY, COMPRESSED)
    parser.add_argument("name", choices=known, help="what the reader is to take the inputs for")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=0, help="0: until all inputs are read")
    parser.add_argument("--longest", type=int, default=1024, help="bytes of an input")
    parser.add_argument("--whole", type=int, default=16, help="one input in so many goes all the way")
    arguments = parser.parse_args()
    corpus, found = HERE / "corpus" / arguments.name, HERE / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    check = checker(arguments.name)
    for number, seed in enumerate(seeds_of(arguments.name)):
        check(seed)  # what is imported at first use takes its time
        (corpus / f"seed{number}").write_bytes(seed)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGPROF, _hung)
    mutate = MUTATORS.get(arguments.name)
    options = [
        sys.argv[0],
        str(corpus),
        f"-runs={arguments.inputs}",
        f"-max_total_time={arguments.seconds}",
        f"-max_len={arguments.longest}",
        f"-artifact_prefix={found}/{arguments.name}-",
        "-timeout=300",  # on the clock, where a library does not come back; what can be interrupted is sooner
        "-rss_limit_mb=4096",
        "-len_control=0",
        "-print_final_stats=1",
    ]
    more = {"custom_mutator": mutating(mutate)} if mutate else {}
    atheris.Setup(options, Thinned(check, arguments.whole), **more)
    atheris.Fuzz()


def seeds_of(name: str) -> list[bytes]:
    """What the fuzzer begins with."""
    if name == COMPRESSED:
        return compressed_seeds()
    return [
        seed.encode() if isinstance(seed, str) else seed
        for seed in (*SEEDS.get(name, ()), *BINARY.get(name, ()))
    ]


if __name__ == "__main__":
    main()

"""Fuzz the readers of documents: `python -m tests.fuzz.run page.html --inputs 1000000`, from the root of the repository.

Needs atheris (`pip install atheris`; Linux and macOS), which is no dependency of the tests. An input that breaks a reader,
or takes more than ten seconds, is written to `tests/fuzz/found/` and ends the run; what was mended is kept as a case in
`tests/classifier/reading/test_documents_properties.py`.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

import atheris

# Before the readers import them lazily, as only here they are watched.
_WATCHED = ("html_pages", "feeds", "ninjs", "newsml", "looking", "jsonl", "json_arrays", "rows")
with atheris.instrument_imports(include=["classifier.reading", "trafilatura", "feedparser"]):
    for _module in _WATCHED:
        import_module(f"classifier.reading.{_module}")
    import_module("trafilatura")
    import_module("feedparser")
    from tests.fuzz.documents import SEEDS, checker

HERE = Path(__file__).parent


def main() -> None:
    """Fuzz one reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=SEEDS, help="what the reader is to take the inputs for")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=0, help="0: until all inputs are read")
    parser.add_argument("--longest", type=int, default=4096, help="bytes of an input")
    arguments = parser.parse_args()
    corpus = HERE / "corpus" / arguments.name
    found = HERE / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    for number, seed in enumerate(SEEDS[arguments.name]):
        (corpus / f"seed{number}").write_text(seed, "utf-8")
    options = [
        sys.argv[0],
        str(corpus),
        f"-runs={arguments.inputs}",
        f"-max_total_time={arguments.seconds}",
        f"-max_len={arguments.longest}",
        f"-artifact_prefix={found}/{arguments.name}-",
        "-timeout=10",
        "-rss_limit_mb=4096",
    ]
    atheris.Setup(options, checker(arguments.name))
    atheris.Fuzz()


if __name__ == "__main__":
    main()

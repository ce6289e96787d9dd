"""How soon the editors' page answers: from the last key to the answer on the screen, in the system's Chromium.

    python -m benchmarks.page                       two minutes on a machine that does nothing else
    python -m benchmarks.page --model artifacts/X   the same with a model of your own
    python -m benchmarks.page --quick               does it run? A few keys; nothing is kept

Needs the `test` extra and Chromium as a system package. An article of the bundled newspaper, made as long as asked, stands
in the page; letters are typed at its end, one by one, each once the page has come to rest. Server, browser and this share
the machine. The figures are kept in benchmarks/results/page.json, from which `python -m benchmarks.tables` makes the table.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.speed.command import parser_of
from benchmarks.speed.rows import Asked, keep, machine, row, say, written
from benchmarks.speed.texts import load_sample, long_articles
from benchmarks.web import servers
from classifier.reading import read_all
from training.config import Config
from training.fit import train
from training.sample import PAGES as SAMPLE

NAME = "page"
LENGTHS = (1_000, 5_000)  # words
KEYS, FEW_KEYS = 40, 4
_LONGEST = 3_000  # milliseconds that a key's answer may take
_BETWEEN = 150  # milliseconds between an answer and the next key
_LIMIT = 100.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Notes when a key went down and when, after it, the screen shows what the page made of the answer.
_WATCH = """() => {
    window.seen = [];
    const painted = (name) => requestAnimationFrame(() => setTimeout(() => {
        const last = window.seen.at(-1);
        if (last && !(name in last)) last[name] = performance.now() - last.key;
    }));
    const watch = (id, name) => new MutationObserver(() => painted(name))
        .observe(document.getElementById(id), { childList: true, subtree: true });
    watch("answer-section", "answered");
    watch("answer-readers-words", "explained");
    document.getElementById("body").addEventListener("keydown", (event) => window.seen.push({ key: event.timeStamp }));
}"""


@contextmanager
def tab(port: int) -> Iterator[Page]:
    """The page in a browser without a window."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("there is no Chromium on the PATH")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if root else [])
        page = browser.new_page(locale="en-GB", viewport={"width": 1280, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/")
        page.evaluate(_WATCH)
        yield page
        browser.close()


def type_keys(page: Page, text: str, keys: int) -> list[dict[str, float]]:
    """Milliseconds from each of so many keys to the answer, and to the words that are marked."""
    page.locator("#headline").fill(text[:70])
    with page.expect_response("**/v1/predict?explain=true"):
        page.locator("#body").fill(text)
    page.locator("#body").press("ControlOrMeta+End")
    page.wait_for_timeout(1000)
    page.evaluate("() => (window.seen = [])")
    for number in range(keys):
        page.keyboard.press("abcdefgh "[number % 9])
        page.wait_for_function("() => 'explained' in window.seen.at(-1)", timeout=_LONGEST)
        page.wait_for_timeout(_BETWEEN)
    found: list[dict[str, float]] = page.evaluate("() => window.seen")
    return found


def measure(model: Path, keys: int) -> list[dict[str, Any]]:
    """A row a length and a figure."""
    rows = []
    texts = long_articles(load_sample().test, max(LENGTHS), 1)
    port = servers.free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = servers.newsdesk(model, Path(folder) / "state", port, "--workers", "2")
        command[command.index("never")] = "always"
        with (
            servers.started(command, Path(folder) / "log", port=port, probe="/readyz"),
            tab(port) as page,
        ):
            for length in LENGTHS:
                seen = type_keys(page, " ".join(texts[0].split()[:length]), keys)
                for name, what in (("answered", "answer"), ("explained", "answer with its words marked")):
                    times = sorted(one[name] for one in seen)
                    asked = Asked(1, at_most=True) if length == LENGTHS[0] else None
                    for figure, value in (
                        ("median", statistics.median(times)),
                        ("slowest of 20", times[-1 - len(times) // 20]),
                    ):
                        label = f"{what}, {length:,} words, {figure}"
                        rows.append(row(label, value, "asked", _LIMIT, "ms", asked=asked))
                        say(written(rows[-1]))
    return rows


def main(arguments: Sequence[str]) -> None:
    """Run, say what is found, keep it."""
    parser = parser_of(NAME)
    parser.add_argument("--model", type=Path, help="a model folder; default: one of the bundled newspaper")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        model = asked.model or Path(folder) / "courier"
        if asked.model is None:
            say("training on the bundled newspaper")
            train(read_all([str(SAMPLE)]), model, Config())
        found = {"machine": machine(), "rows": measure(model, FEW_KEYS if asked.quick else KEYS)}
    if not asked.quick:
        keep(NAME, found)
    if asked.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

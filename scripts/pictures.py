"""Makes the pictures of the editors' page in docs/pictures.

    python scripts/pictures.py artifacts/quickstart                     a model of the bundled newspaper
    python scripts/pictures.py artifacts/quickstart --all FOLDER        every view, in both widths and both themes

Needs the `test` extra and Chromium as a system package.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "training" / "sample" / "pages"
PICTURES = ROOT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
COLOURS = 64
PAGE = SAMPLE / "2031-04-21" / "03.txt"  # training never saw it
DAYS = [SAMPLE / f"2031-04-{day}" for day in (29, 30)]
LINES = [
    "Fish quota bill angers skippers and pleases almost nobody else",
    "Who gets the mackerel? Skippers sound their horns",
    "60 boats protest fish quota bill in Norrick harbour",
    "Assembly receives mackerel bill",
]


@contextmanager
def served(model: Path) -> Iterator[str]:
    """The address of a server of that model."""
    command = [sys.executable, "-c", "from classifier.cli import main; main()", "serve", str(model)]
    options = ["--port", "0", "--workers", "1", "--log-level", "error"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process.stderr.readline().rsplit(maxsplit=1)[-1]
        finally:
            process.terminate()


def open_tab(browser: Browser, size: dict[str, int], theme: str) -> Page:
    """An empty tab."""
    phone = size is PHONE
    context = browser.new_context(
        viewport=size,
        color_scheme=theme,  # type: ignore[arg-type]
        locale="en-GB",
        timezone_id="Asia/Tokyo",
        is_mobile=phone,
        has_touch=phone,
    )
    return context.new_page()


def show_article(page: Page, address: str) -> None:
    """One article, read from a page."""
    page.goto(f"{address}/")
    page.locator("#article-files").set_input_files(PAGE)
    page.locator("#marks-legend:not(:empty)").wait_for()


def show_ranking(page: Page, address: str) -> None:
    """Two days' articles."""
    page.goto(f"{address}/ranking")
    page.locator("#ranking-files").set_input_files(sorted(file for day in DAYS for file in day.glob("*.txt")))
    page.locator(".board").nth(3).wait_for()


def show_headlines(page: Page, address: str) -> None:
    """Four headlines for that article."""
    show_article(page, address)
    page.locator("nav [data-go=headlines]").click()
    page.locator("#lines").fill("\n".join(LINES))
    page.locator("#headlines-given .title").nth(3).wait_for()


def show_model(page: Page, address: str) -> None:
    """The model with its pictures."""
    page.goto(f"{address}/model")
    page.locator(".pictures img").first.wait_for()
    # Not only those that are in sight.
    page.evaluate(
        "() => document.querySelectorAll('.pictures img').forEach((img) => (img.loading = 'eager'))"
    )
    page.wait_for_function("() => [...document.images].every((img) => img.complete)")


VIEWS = {"article": show_article, "ranking": show_ranking, "headlines": show_headlines, "model": show_model}


def save(page: Page, path: Path, *, whole: bool = False) -> None:
    """A picture with few colours, which is what a page has."""
    page.mouse.move(0, 0)
    page.evaluate("() => document.activeElement?.blur()")
    page.wait_for_timeout(500)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(BytesIO(page.screenshot(full_page=whole, animations="disabled"))).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def everything(browser: Browser, address: str, folder: Path) -> None:
    """Every view in both widths and both themes."""
    for size, width in ((WIDE, "wide"), (PHONE, "phone")):
        for theme in ("light", "dark"):
            for name, show in VIEWS.items():
                page = open_tab(browser, size, theme)
                show(page, address)
                save(page, folder / f"{name}-{width}-{theme}.png", whole=True)
                page.context.close()


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        parser.error("there is no Chromium on the PATH")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with served(asked.model) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if root else [])
        if asked.all:
            everything(browser, address, asked.all)
        else:
            for name, theme in (("article", "light"), ("ranking", "dark")):
                page = open_tab(browser, WIDE, theme)
                VIEWS[name](page, address)
                save(page, PICTURES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()

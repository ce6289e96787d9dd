"""The page in the system's Chromium, against real servers. Where there is no browser these tests are skipped and say so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MILLISECONDS = 30_000
MOST_ARTICLES = 60  # in one ranking
# No name leads anywhere but to this machine, whatever the browser may want on its own.
ARGUMENTS = [
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
]
# Our own requests that fail on purpose; everything else that the console calls an error is one.
EXPECTED = "Failed to load resource"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("there is no Chromium on the PATH: the editors' page is not tested in a browser")
    expect.set_options(timeout=MILLISECONDS)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS, *(["--no-sandbox"] if root else [])]
        )
        yield browser
        browser.close()


@dataclass
class Desk:
    """A tab of a browser of its own, and what happened in it."""

    page: Page
    origin: str
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        """The tab, with a view that works."""
        self.page.goto(self.origin + path)
        self.page.locator("#who button").first.wait_for()
        return self.page

    def write(self, headline: str, body: str = "") -> None:
        """Into the article, and wait until the words of it are there."""
        self.page.locator("#headline").fill(headline)
        self.page.locator("#body").fill(body)
        self.explained()

    def explained(self) -> None:
        """Wait until nothing is being asked, and the answer stands there."""
        self.page.locator("#answer-given").wait_for()
        self.page.locator("#marks-legend:not(:empty)").wait_for()
        self.page.wait_for_load_state("networkidle")

    def drop(self, *files: Path) -> None:
        """Let files fall onto the page."""
        content = [{"name": file.name, "data": list(file.read_bytes())} for file in files]
        transfer = self.page.evaluate_handle(
            """(files) => {
                const transfer = new DataTransfer();
                for (const { name, data } of files) transfer.items.add(new File([new Uint8Array(data)], name));
                return transfer;
            }""",
            content,
        )
        for event in ("dragenter", "dragover", "drop"):
            self.page.dispatch_event("body", event, {"dataTransfer": transfer})

    def paste(self, place: str, text: str) -> None:
        """As from another program."""
        self.page.locator(place).focus()
        self.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        self.page.keyboard.press("ControlOrMeta+v")

    def check(self) -> None:
        """Nothing went wrong, nothing was against the page's policy, and nobody else was asked for anything."""
        assert self.errors == []
        assert [
            address for address in self.asked if not address.startswith((self.origin, "blob:", "data:"))
        ] == []


Open = Callable[..., Desk]


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Open]:
    """Opens tabs (`browse(port, **options)`), each in a browser session of its own, and checks them in the end."""
    desks: list[Desk] = []

    def open_tab(port: int, **options: Any) -> Desk:
        origin = f"http://127.0.0.1:{port}"
        settings = {
            "locale": "en-GB",
            "timezone_id": "UTC",
            "viewport": {"width": 1280, "height": 900},
            **options,
        }
        context = chromium.new_context(**settings)
        context.set_default_timeout(MILLISECONDS)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
        desk = Desk(context.new_page(), origin)
        desk.page.on("request", lambda request: desk.asked.append(request.url))
        desk.page.on("pageerror", lambda error: desk.errors.append(str(error)))
        desk.page.on(
            "console",
            lambda said: (
                desk.errors.append(said.text)
                if said.type in ("error", "warning") and EXPECTED not in said.text
                else None
            ),
        )
        desks.append(desk)
        return desk

    yield open_tab
    for desk in desks:
        desk.page.context.close()
    for desk in desks:
        desk.check()


@pytest.fixture(scope="session")
def port(running: Callable[..., AbstractContextManager[Any]], tiny_model_path: Path) -> Iterator[int]:
    """Of a server that needs no key."""
    with running(tiny_model_path, "--workers", "1", "--max-articles", str(MOST_ARTICLES)) as server:
        yield server.port


@pytest.fixture
def desk(browse: Open, port: int) -> Desk:
    return browse(port)

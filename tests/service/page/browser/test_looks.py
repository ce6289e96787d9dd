"""Every view for everybody: with the keyboard, on a phone, dark and light, and by the rules that axe-core knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

VIEWS = ("article", "ranking", "headlines", "model")
PHONES = ((390, 844), (360, 640))
MOST_BYTES = 100_000


def fill(desk: Any, view: str, folder: Path) -> Any:
    """A view with something in it."""
    page = desk.open("/" if view == "article" else f"/{view}")
    if view == "article":
        desk.write("Minister loses the vote on the market", "The bank met the coalition. " * 30)
        page.locator("summary").first.click()
    elif view == "ranking":
        file = folder / "today.jsonl"
        file.write_text("\n".join(json.dumps({"headline": f"Bank and ballot in case {i}"}) for i in range(9)))
        desk.drop(file)
        expect(page.locator(".board.site .title")).to_have_count(5)
        page.locator("#ranking-count").click()
    elif view == "headlines":
        page.locator("#lines").fill("Bank falls in a storm warning\nMinister speaks\nQuuxel frobs")
        expect(page.locator("#headlines-given .title").first).to_be_visible()
    else:
        expect(page.locator(".versions")).to_be_visible()
        for summary in page.locator(".card summary").all():
            summary.click()
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(desk: Any, tmp_path: Path, theme: str) -> None:
    desk.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    for view in VIEWS:
        found = Axe().run(fill(desk, view, tmp_path))
        assert found.violations_count == 0, (view, found.generate_report())


def test_axe_finds_nothing_before_there_is_anything(desk: Any) -> None:
    for view in VIEWS:
        found = Axe().run(desk.open("/" if view == "article" else f"/{view}"))
        assert found.violations_count == 0, (view, found.generate_report())


def test_axe_finds_nothing_where_a_key_is_asked_for(browse: Any, guarded: Any) -> None:
    page = browse(guarded.port).page
    page.goto(f"http://127.0.0.1:{guarded.port}/")
    expect(page.locator("#sign-in")).to_be_visible()
    page.get_by_label("Key", exact=True).fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-error")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("size", PHONES, ids=["390", "360"])
def test_nothing_is_wider_than_a_phone(browse: Any, port: int, tmp_path: Path, size: tuple[int, int]) -> None:
    desk = browse(port, viewport={"width": size[0], "height": size[1]}, has_touch=True, is_mobile=True)
    for view in VIEWS:
        page = fill(desk, view, tmp_path)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
        assert beyond(page, size[0]) == [], view
        for part in page.locator(".columns > *, .ranking-form > *").locator("visible=true").all():
            assert part.bounding_box()["width"] > 0.85 * size[0]


def beyond(page: Any, width: int) -> Any:
    """What reaches over the right edge."""
    return page.evaluate(
        """(width) => [...document.querySelectorAll("body *")].filter((element) =>
            !element.closest(".scroll, .visually-hidden, .skip, pre") && element.getBoundingClientRect().right > width + 1)
            .map((element) => element.outerHTML.slice(0, 80))""",
        width,
    )


def test_the_keyboard_alone(desk: Any) -> None:
    page = desk.open()
    focused = page.locator(":focus")
    page.keyboard.press("Tab")
    expect(focused).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if focused.get_attribute("id") == "headline":
            break
    page.keyboard.type("Minister loses the vote")
    page.keyboard.press("Enter")
    expect(focused).to_have_attribute("id", "summary")
    page.keyboard.press("Enter")
    expect(focused).to_have_attribute("id", "body")
    page.keyboard.type("The bank\nand the market.")
    desk.explained()
    expect(page.locator("#body")).to_have_value("The bank\nand the market.")
    page.keyboard.press("Control+Enter")
    expect(focused).to_have_attribute("id", "answer")
    page.keyboard.press("Tab")
    expect(focused).to_have_attribute("value", "section")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("value", "popularity")
    expect(page.locator("#marks-legend")).to_contain_text("lifts it")
    outline = focused.evaluate("(element) => getComputedStyle(element).outlineStyle")
    assert outline != "none"


def test_views_have_addresses(desk: Any) -> None:
    page = desk.open()
    focused = page.locator(":focus")
    for view in (*VIEWS[1:], VIEWS[0]):
        page.get_by_role("navigation").get_by_role("link", name=view.capitalize()).press("Enter")
        expect(focused).to_have_id(f"{view}-title")
        expect(page.locator("nav [aria-current]")).to_have_text(view.capitalize())
        expect(page).to_have_title(f"{view.capitalize()} · Newsdesk")
    for view in reversed(VIEWS[1:]):
        page.go_back()
        expect(page.locator(f"#{view}")).to_be_visible()
        assert page.url == f"{desk.origin}/{view}"
    page.reload()
    expect(page.locator("#ranking")).to_be_visible()
    expect(page.locator("#article")).to_be_hidden()


def background(page: Any) -> tuple[int, ...]:
    colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return tuple(int(part) for part in colour[4:-1].split(","))


def test_light_and_dark(desk: Any) -> None:
    page = desk.page
    page.emulate_media(color_scheme="dark")
    desk.open()
    assert max(background(page)) < 64
    page.emulate_media(color_scheme="light")
    assert min(background(page)) > 192
    page.get_by_label("Appearance").select_option("dark")
    assert max(background(page)) < 64
    page.reload()
    assert max(background(page)) < 64
    expect(page.get_by_label("Appearance")).to_have_value("dark")
    page.get_by_label("Appearance").select_option("")
    assert min(background(page)) > 192


def test_nothing_moves_for_those_who_do_not_want_it(desk: Any) -> None:
    page = desk.page
    page.emulate_media(reduced_motion="reduce")
    desk.open()
    desk.write("Minister loses the vote")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((element) => {
            const style = getComputedStyle(element);
            return style.transitionDuration !== "0s" || style.animationName !== "none";
        }).length"""
    )
    assert moving == 0


def test_the_first_view_is_light(desk: Any) -> None:
    page = desk.page
    sizes: dict[str, int] = {}
    page.on("response", lambda response: sizes.__setitem__(response.url, len(response.body())))
    desk.open()
    page.wait_for_load_state("networkidle")
    assert len(sizes) >= 10
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_without_scripts_the_page_says_what_it_needs(browse: Any, port: int) -> None:
    desk = browse(port, java_script_enabled=False)
    desk.page.goto(desk.origin)
    said = desk.page.locator("noscript")
    expect(said).to_be_visible()
    assert "needs JavaScript" in said.inner_html()

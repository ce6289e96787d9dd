"""The views of many articles, of headlines, and of the model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from classifier.store import ModelFolder
from service.keys import KeyFile
from service.state import StateFolder

ARTICLES = [
    {
        "headline": f"{word} in case {i}",
        "source": "Gazette",
        "published_at": f"2031-05-0{i % 8 + 1}T08:00:00Z",
    }
    for i, word in enumerate(["Bank storm warning", "Senate vote", "Market prices", "Mayor and minister"] * 2)
]


def table(folder: Path) -> Path:
    path = folder / "today.jsonl"
    path.write_text("\n".join(map(json.dumps, ARTICLES)))
    return path


def titles(page: Any, board: str = ".board.site") -> list[str]:
    return [str(text) for text in page.locator(f"{board} .title").all_inner_texts()]


def test_the_lists_are_those_of_the_service(desk: Any, tmp_path: Path) -> None:
    page = desk.open("/ranking")
    expect(page.locator("#ranking-nothing")).to_be_visible()
    desk.drop(table(tmp_path))
    expect(page.locator("#ranking-count")).to_have_text("8 articles")
    expect(page.locator(".board.site .title")).to_have_count(5)
    asked = page.request.post(f"{desk.origin}/v1/rank", data={"articles": ARTICLES, "top": 5}).json()
    assert titles(page) == [entry["headline"] for entry in asked["site"]]
    expect(page.locator(".board h2")).to_have_text(
        ["Access ranking", *[f"Popular in {n}" for n in asked["by_section"]]]
    )
    bars = page.locator(".board.site .bar i").evaluate_all(
        "(bars) => bars.map((bar) => parseFloat(bar.style.width))"
    )
    assert bars == sorted(bars, reverse=True)


def test_size_freshness_and_clock(desk: Any, tmp_path: Path) -> None:
    page = desk.open("/ranking")
    desk.drop(table(tmp_path))
    page.get_by_label("Length of each list").fill("2")
    expect(page.locator(".board.site .title")).to_have_count(2)
    expect(page.locator("#now")).to_be_disabled()
    page.get_by_label("Half-life in hours").fill("1")
    expect(page.locator(".board.site .title").first).to_have_text(ARTICLES[7]["headline"])
    # At a clock that all are later than nobody has an age.
    page.locator("#now").fill("2031-01-01T00:00")
    expect(page.locator(".board.site .title").first).to_have_text(re.compile("Bank storm warning"))
    page.get_by_label("Most of one source").fill("1")
    expect(page.locator(".board.site .title")).to_have_count(1)
    page.get_by_label("Length of each list").fill("0")
    expect(page.locator("#top-error")).to_be_visible()
    page.get_by_label("Length of each list").fill("3")
    expect(page.locator("#top-error")).to_be_hidden()
    page.reload()
    expect(page.locator("#ranking-count")).to_have_text("8 articles")
    expect(page.get_by_label("Length of each list")).to_have_value("3")


def test_lists_are_saved_as_page_text_json_and_csv(desk: Any, tmp_path: Path) -> None:
    from classifier.reading import read_all

    page = desk.open("/ranking")
    desk.drop(table(tmp_path))
    expect(page.locator(".board.site .title")).to_have_count(5)
    shown = titles(page)
    saved = {}
    for kind in ("txt", "json", "csv"):
        with page.expect_download() as waiting:
            page.locator(f"[data-export={kind}]").click()
        saved[kind] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved[kind])
    assert [entry["headline"] for entry in json.loads(saved["json"].read_text())["site"]] == shown
    for kind in ("csv",):
        boxes = read_all([str(saved[kind])]).boxes.to_pylist()
        assert [box["headline"] for box in boxes if box["list"] == "*"] == shown
    assert "ACCESS RANKING" in saved["txt"].read_text()


def test_articles_are_pasted_removed_and_opened(desk: Any) -> None:
    page = desk.open("/ranking")
    desk.paste("#ranking-paste", "Bank prices fall\nSenate vote fails\nMarket opens late\n")
    expect(page.locator("#ranking-count")).to_have_text("3 articles")
    desk.paste("#ranking-paste", "headline,body\nMayor wins,The mayor met the minister.\n")
    expect(page.locator("#ranking-count")).to_have_text("4 articles")
    expect(page.locator("#ranking-paste")).to_have_value("")
    page.locator("#ranking-count").click()
    page.get_by_role("button", name="Remove Senate vote fails").click()
    expect(page.locator("#ranking-count")).to_have_text("3 articles")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#ranking-nothing")).to_be_visible()
    page.get_by_role("button", name="Bring them back").click()
    page.locator(".board.site").get_by_role("button", name="Mayor wins").click()
    expect(page).to_have_url(f"{desk.origin}/")
    expect(page.locator("#body")).to_have_value("The mayor met the minister.")
    page.go_back()
    expect(page.locator(".board.site")).to_be_visible()


def test_too_many_articles_are_refused_where_they_are_added(desk: Any, tmp_path: Path) -> None:
    page = desk.open("/ranking")
    many, long = tmp_path / "many.jsonl", tmp_path / "long.jsonl"
    many.write_text("\n".join(json.dumps({"headline": f"Bank {i}"}) for i in range(53)))
    long.write_text(json.dumps({"headline": "Too much", "body": "bank " * 50_000}))
    desk.drop(table(tmp_path))
    expect(page.locator(".board.site .title")).to_have_count(5)
    desk.drop(long)
    expect(page.locator("#ranking-notice")).to_contain_text("200000")
    desk.drop(many)
    expect(page.locator("#articles-error")).to_contain_text("61 articles")
    page.locator("#ranking-count").click()
    page.get_by_role("button", name="Remove").first.click()
    expect(page.locator("#articles-error")).to_be_hidden()


def test_headlines_in_order(desk: Any) -> None:
    page = desk.open("/headlines")
    lines = ["A quiet day at the bank", "Storm warning for every school", "Storm warning for  every school"]
    page.locator("#lines").fill(lines[0])
    expect(page.locator("#lines-count")).to_have_text("1 headline of 2 to 20")
    expect(page.locator("#headlines-nothing")).to_be_visible()
    page.locator("#lines").fill("\n".join(lines))
    expect(page.locator("#headlines-given .title")).to_have_count(2)
    asked = page.request.post(f"{desk.origin}/v1/headlines", data={"headlines": lines}).json()["headlines"]
    shown = page.locator("#headlines-given .title").all_inner_texts()
    assert shown == [item["headline"] for item in asked]
    verdict = page.locator(".verdict")
    expect(verdict).to_have_text(re.compile("first is better" if asked[1]["told_apart"] else "cannot tell"))
    expect(page.locator("#headlines-given")).to_contain_text("given 2 times, listed once")
    reasons = page.locator(".reasons").first
    expect(reasons).to_be_visible()
    assert reasons.locator("li").count() >= 2


def test_what_cannot_be_told_apart_is_said(desk: Any) -> None:
    page = desk.open("/headlines")
    page.locator("#lines").fill("Quuxel frobs the wibble\nWibble frobs the quuxel")
    expect(page.locator(".verdict")).to_have_text(
        "The model cannot tell these 2 headlines apart: take the one you like."
    )
    expect(page.locator(".group")).to_have_text(["Cannot be told apart"])


def test_headlines_are_judged_for_the_story(desk: Any) -> None:
    page = desk.open("/headlines")
    page.locator("#lines").fill("Bank falls\nStorm warning")
    expect(page.locator("#story-said")).to_contain_text("There is no text in Article")
    page.get_by_role("link", name="Article").click()
    desk.write("Any", "The market met the bank on item 3 with a storm warning for every school.")
    with page.expect_request("**/v1/headlines") as waiting:
        page.get_by_role("link", name="Headlines").click()
        page.locator("#lines").press("ControlOrMeta+Enter")
    assert waiting.value.post_data_json["body"].startswith("The market met")
    assert "headline" not in waiting.value.post_data_json
    expect(page.locator("#story-said")).to_contain_text("The story: The market met")
    too_many = "\n".join(f"Bank {i}" for i in range(21))
    page.locator("#lines").fill(too_many)
    expect(page.locator("#lines-error")).to_be_visible()


def test_the_model_its_card_and_its_pictures(desk: Any, tiny_model_path: Path) -> None:
    page = desk.open("/model")
    [version] = ModelFolder(tiny_model_path).versions()
    expect(page.locator("#model-given .title")).to_have_text("tiny")
    expect(page.locator("#model-given")).to_contain_text(version)
    assert page.locator(".facts > div").count() >= 4
    pictures = page.locator(".pictures img")
    assert pictures.count() >= 2
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        page.wait_for_function("(img) => img.complete && img.naturalWidth > 0", arg=picture.element_handle())
        assert picture.get_attribute("alt")
    page.locator(".card summary", has_text="Data").click()
    expect(page.locator(".card[open]")).to_be_visible()
    expect(page.get_by_role("button", name="Put in use")).to_have_count(0)
    with page.context.expect_page() as waiting:
        page.get_by_role("link", name=re.compile("The whole report")).click()
    expect(waiting.value.locator("h1")).to_have_text("tiny")


def test_an_admin_changes_the_version(browse: Any, running: Any, store: ModelFolder, tmp_path: Path) -> None:
    state = tmp_path / "state"
    _, token = KeyFile(StateFolder(state).keys).add("chief", "admin")
    first, second, third = store.versions()
    with running(store.path, "--state", str(state), "--workers", "1") as server:
        desk = browse(server.port)
        page = desk.page
        page.goto(f"{desk.origin}/model")
        page.get_by_label("Key", exact=True).fill(token)
        page.keyboard.press("Enter")
        rows = page.locator(".versions tr")
        used = rows.filter(has=page.locator("strong"))
        expect(rows).to_have_count(3)
        expect(used).to_contain_text(first)
        rows.filter(has_text=third).get_by_role("button").click()
        dialog = page.locator("#confirm")
        expect(dialog).to_contain_text(third)
        dialog.get_by_role("button", name="Cancel").click()
        expect(used).to_contain_text(first)
        rows.filter(has_text=third).get_by_role("button").click()
        dialog.get_by_role("button", name="Put in use").click()
        expect(used).to_contain_text(third)
        expect(page.locator("#model-notice")).to_contain_text("is in use")
        page.get_by_role("button", name=re.compile("Roll back")).click()
        dialog.locator("#confirm-yes").click()
        expect(used).to_contain_text(first)
        assert page.request.get(f"{desk.origin}/v1/models").json()["current"] == first
        assert second in store.versions()

"""The view of one article."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from classifier.model import Model

HEADLINE = "Minister loses the vote in the assembly"
BODY = "The bank and the market looked on, and the coalition did not say a word."
PAGE = "Bank Shares Rise\n11:36 JST, April 2, 2031\nProfit and exports grew on the market.\n"


def words(page: Page, kind: str) -> list[str]:
    """What is marked in the text, for or against."""
    return page.locator(f".mirror mark.{kind}").all_inner_texts()


def test_an_answer_in_words(desk: Any, model: Model) -> None:
    page = desk.open()
    expect(page.locator("#answer-nothing")).to_be_visible()
    desk.write(HEADLINE, BODY)
    asked = {"headline": HEADLINE, "body": BODY}
    prediction = model.predict(asked)
    assert prediction.section == "Politics"
    assert prediction.section_probability is not None
    assert prediction.top5_probability is not None
    section = page.locator("#answer-section")
    expect(section.locator(".big")).to_contain_text("Politics")
    expect(section.locator(".big")).to_contain_text(f"{round(100 * prediction.section_probability)}%")
    said = {"file": "Sure enough to file unseen", "review": "For an editor to decide"}[
        str(prediction.decision)
    ]
    expect(section.locator(".decision")).to_have_text(said)
    readers = page.locator("#answer-readers")
    expect(readers).to_contain_text(f"{round(100 * prediction.top5_probability)}%")
    expect(readers).to_contain_text("chance of its source’s daily top five")
    expect(page.locator("#served")).to_contain_text(prediction.version)
    # For those who hear it, once.
    expect(page.locator("#spoken")).to_contain_text("Politics")


def test_the_words_that_decided_are_marked_where_they_stand(desk: Any, model: Model) -> None:
    page = desk.open()
    # Outside the basic plane, where code points and UTF-16 part.
    desk.write(f"{'🗞️🧑🏽‍💼' * 8} {HEADLINE}", f"{'🗞' * 30} {BODY}")
    assert "minister" in {word.lower() for word in words(page, "for")}
    assert "market" in words(page, "against")
    for kind, line in (("for", "solid"), ("against", "wavy")):
        mark = page.locator(f".mirror mark.{kind}").first
        assert mark.evaluate("(mark) => getComputedStyle(mark).textDecorationStyle") == line
    expect(page.locator("#answer-section-words h4")).to_have_count(2)
    expect(page.locator("#answer-section-words")).to_contain_text("For Economy instead")
    # The mirror lies exactly behind the field.
    for name in ("headline", "body"):
        field, mirror = page.locator(f"#{name}"), page.locator(f".field.{name} .mirror")
        assert field.bounding_box() == mirror.bounding_box()
        assert field.evaluate("(area) => area.scrollHeight <= area.clientHeight + 1")
    page.get_by_role("radio", name="Readers").check()
    expect(page.locator("#marks-legend")).to_contain_text("lifts it")
    page.get_by_role("radio", name="None").check()
    expect(page.locator(".mirror mark")).to_have_count(0)


NAMES = {
    "hour: 07": "published at 07 o’clock",
    "daypart: around 06, Monday to Friday": "published around 06 o’clock on a working day",
    "source Gazette × daypart: around 21, weekend": "source Gazette × published around 21 o’clock at the weekend",
    "daypart: 06 to 09": "published at 06–09 o’clock",
    "daypart: weekend": "published at the weekend",
    "source Gazette × daypart: Monday to Friday": "source Gazette × published on a working day",
    "headline shape: question": "headline: question",
    "headline length": "length of the headline",
    "summary length: about 120": "summary of about 120 characters",
    "source Gazette × body length: about 1400": "source Gazette × text of about 1400 characters",
    "url: sports": "address: sports",
    "source without url: Gazette": "address, which is not given",
    "source: A × B": "source: A × B",
    "source Fox: News × hour: 07": "source Fox: News × published at 07 o’clock",
    "word_count: about 500": "word_count: about 500",  # a column of the user's own keeps its name
    "desk: sports": "desk: sports",
}


def test_what_stands_nowhere_is_named_in_words(desk: Any) -> None:
    page = desk.open()
    found = page.evaluate(
        "async (names) => names.map((await import('/page/static/words.js')).featureName)", list(NAMES)
    )
    assert dict(zip(NAMES, found, strict=True)) == NAMES


def test_without_a_time_all_that_is_of_it_is_one(desk: Any) -> None:
    """Averages of every hour, day and part of the day, also those of one source."""
    named = [
        "daypart: weekend",
        "daypart: 03 to 06",
        "daypart: 06 to 09",
        "hour: 07",
        "source x: y × daypart: 06 to 09",
        "daypart: around 06, weekend",
    ]
    parts = [
        {"head": "popularity", "feature": name, "contribution": 0.5, "spans": []}
        for name in [*named, "desk: x"]
    ]
    page = desk.open()
    found = page.evaluate(
        "async (parts) => (await import('/page/static/words.js')).gather({}, parts, 'popularity', 'contribution').words",
        parts,
    )
    assert sorted(item["amount"] for item in found) == [0.5, 3.0]


def test_marks_move_with_their_words(desk: Any) -> None:
    page = desk.open()
    desk.write(HEADLINE)
    before = words(page, "for")
    # Nothing is asked any more, so what is marked is the page's own doing.
    page.route("**/v1/predict*", lambda route: route.abort("aborted"))
    page.locator("#headline").press("End")
    page.keyboard.type("!")
    page.locator("#headline").press("Home")
    page.keyboard.type("' ")
    assert words(page, "for") == before
    # Inside a word it is another word.
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.type("x")
    assert words(page, "for") == before[1:]
    assert before[1:]


def test_typing_never_floods_the_service(desk: Any, model: Model) -> None:
    page = desk.open()
    sent: list[str] = []
    held: list[Any] = []

    def hold_the_first(route: Any) -> None:
        sent.append(route.request.url)
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/v1/predict*", hold_the_first)
    text = "The minister met the bank. " * 5
    page.locator("#body").focus()
    with page.expect_request("**/v1/predict"):
        page.keyboard.type(text[0])
    page.keyboard.type(text[1:], delay=30)
    # One is under way, so nothing else is asked, whatever is typed meanwhile.
    assert len(sent) == 1
    held[0].continue_()
    desk.explained()
    expected = model.predict({"body": text})
    assert expected.section_probability is not None
    expect(page.locator("#answer-section .big")).to_contain_text(
        f"{round(100 * expected.section_probability)}%"
    )
    # Then what stands there at last is asked, and explained.
    assert len(sent) <= 4
    page.keyboard.type(text, delay=10)
    desk.explained()
    assert len(sent) < len(text) / 2


def test_the_text_survives_a_reload_and_can_be_brought_back(desk: Any) -> None:
    page = desk.open()
    desk.write(HEADLINE, BODY)
    page.reload()
    expect(page.locator("#headline")).to_have_value(HEADLINE)
    desk.explained()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#answer-nothing")).to_be_visible()
    expect(page.locator(".mirror mark")).to_have_count(0)
    page.get_by_role("button", name="Bring the text back").click()
    expect(page.locator("#body")).to_have_value(BODY)
    # Another tab knows nothing of it.
    other = page.context.new_page()
    other.goto(desk.origin)
    expect(other.locator("#headline")).to_have_value("")


def test_a_pasted_page_is_taken_apart(desk: Any) -> None:
    page = desk.open()
    desk.paste("#headline", PAGE)
    expect(page.locator("#headline")).to_have_value("Bank Shares Rise")
    expect(page.locator("#body")).to_have_value("Profit and exports grew on the market.")
    expect(page.locator("#article-more-said")).to_contain_text("2031-04-02 02:36")


def test_a_pasted_text_begins_with_its_headline(desk: Any) -> None:
    page = desk.open()
    desk.paste("#headline", f"{HEADLINE}\n\n{BODY}\nMore.")
    expect(page.locator("#headline")).to_have_value(HEADLINE)
    expect(page.locator("#body")).to_have_value(f"{BODY}\nMore.")
    # Into a text that is there a paste is just that.
    page.locator("#body").press("ControlOrMeta+End")
    desk.paste("#body", "\nOne\nTwo")
    expect(page.locator("#body")).to_have_value(f"{BODY}\nMore.\nOne\nTwo")
    expect(page.locator("#headline")).to_have_value(HEADLINE)


def test_files_are_dropped_anywhere(desk: Any, tmp_path: Path) -> None:
    html, feed, broken = tmp_path / "page.html", tmp_path / "feed.csv", tmp_path / "broken.jsonl"
    html.write_text(
        "<!doctype html><title>x</title><article><h1>Mayor resigns</h1><p>The mayor said so.</p></article>"
    )
    feed.write_text("headline,source\nBank falls,Gazette\nSenate votes,Gazette\n")
    broken.write_text('{"headline": "Ballot"}\n{"headline": "Vote", "published_at": "never"}\n')
    page = desk.open("/headlines")
    desk.drop(feed)
    expect(page).to_have_url(f"{desk.origin}/")
    offer = page.locator("#article-offer")
    expect(offer).to_contain_text("feed.csv: 2 articles")
    offer.get_by_role("button", name="Senate votes").click()
    expect(page.locator("#headline")).to_have_value("Senate votes")
    expect(page.locator("#source")).to_have_value("Gazette")
    expect(offer).to_be_hidden()
    desk.drop(html)
    expect(page.locator("#headline")).to_have_value("Mayor resigns")
    desk.drop(broken)
    expect(page.locator("#headline")).to_have_value("Ballot")
    expect(page.locator("#article-notice")).to_contain_text("One entry of broken.jsonl was left out")
    expect(page.locator("#article-notice li")).to_have_text(re.compile("line 2"))
    page.locator("#article-files").set_input_files([feed, html])
    expect(offer).to_contain_text("3 articles")
    offer.get_by_role("button", name="Rank them all").click()
    expect(page).to_have_url(f"{desk.origin}/ranking")
    expect(page.locator("#ranking-count")).to_have_text("3 articles")


def test_what_is_wrong_is_said_at_its_field(desk: Any, tmp_path: Path) -> None:
    odd = tmp_path / "odd.jsonl"
    odd.write_text('{"headline": "Ballot", "language": "en", "desk": "city"}\n')
    page = desk.open()
    desk.drop(odd)
    expect(page.locator("#article-extra")).to_contain_text("language and desk")
    page.locator("#body").fill("word " * 50_000)
    expect(page.locator("#body-error")).to_contain_text("longer than 200000 characters")
    expect(page.locator("#body")).to_have_attribute("aria-invalid", "true")
    page.locator("#body").fill("word")
    expect(page.locator("#body-error")).to_be_hidden()


def test_a_model_without_a_head_says_so(browse: Any, running: Any, tmp_path: Path, one_headed: Any) -> None:
    with running(one_headed("sections"), "--workers", "1") as server:
        desk = browse(server.port)
        page = desk.open()
        page.locator("#headline").fill(HEADLINE)
        expect(page.locator("#answer-readers")).to_contain_text("trained without readers")
        expect(page.locator("#answer-section")).to_contain_text("Politics")


@pytest.fixture
def one_headed(tiny_model_path: Path, tmp_path: Path) -> Any:
    """A model folder with one head of the tiny model's."""
    import numpy as np

    from classifier.artifact import open_version, write_version
    from classifier.store import ModelFolder

    def make(head: str) -> Path:
        folder = tmp_path / head
        [version] = ModelFolder(tiny_model_path).versions()
        path = tiny_model_path / version
        heads = {head: open_version(path).manifest.data["heads"][head]}
        arrays = {
            p.name.removesuffix(".npy"): np.load(p)
            for p in path.glob("*.npy")
            if p.name.startswith(f"{head}.")
        }
        name = write_version(
            folder, heads=heads, arrays=arrays, facts={}, documents={}, created=datetime.now(UTC)
        ).version
        ModelFolder(folder).promote(name)
        return folder

    return make

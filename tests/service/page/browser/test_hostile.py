"""What articles, files and names hold is text, whatever it looks like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

MARKUP = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "<svg onload='window.hit = 1'><style>*{display:none}</style></svg>",
    "\"><iframe srcdoc='<script>parent.hit = 1</script>'>",
    "</textarea></script><script>window.hit = 1</script>",
    "{{ 7 * 7 }} ${7 * 7} {% raw %} <%= 7 * 7 %>",
    "&lt;b&gt;bold&lt;/b&gt; &#60;script&#62;",
    "javascript:window.hit=1//",
    "__proto__ constructor toString hasOwnProperty",
]
ODD = [
    "bank\u202emarket\u202c and \u2066vote\u2069 minister",
    "b\u0301a\u0300n\u0327k " + "Z\u0351\u036b\u0343\u036a\u0302" * 50,
    "minister" * 2000,
    "السوق والبنك والوزير bank vote",
    "市場と銀行と大臣 vote 投票",
    "👩‍👩‍👧‍👦 minister 🏴󠁧󠁢󠁥󠁮󠁧󠁿 bank",
    "minister\x0b\x0c\x7f\u2028\u2029 bank\ufeff vote",
]
TAGS = "script, img, iframe, object, embed, svg, style, b"


def unharmed(page: Any, before: int) -> None:
    """Nothing ran, no element came of it, nothing is wider than the window."""
    assert page.evaluate("() => window.hit") is None
    assert page.locator(TAGS).count() == before
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_in_an_article(desk: Any) -> None:
    page = desk.open()
    before = page.locator(TAGS).count()
    page.locator("summary").first.click()
    for text in [*MARKUP, *ODD]:
        page.locator("#headline").fill(f"Minister {text}")
        page.locator("#source").fill(text[:200])
        with page.expect_response("**/v1/predict?explain=true"):
            page.locator("#body").fill(f"{text} bank {text}")
        desk.explained()
        unharmed(page, before)
        shown = page.locator(".field.body .mirror").text_content()
        assert shown.removesuffix("\u200b") == page.locator("#body").input_value()


def test_in_files_lists_and_headlines(desk: Any, tmp_path: Path) -> None:
    articles = [
        {"headline": f"Bank {text}", "section": text[:60], "source": text[:60], "desk": text, text[:30]: text}
        for text in [*MARKUP, *ODD]
    ]
    file = tmp_path / "<img src=x onerror=alert(1)>&.jsonl"
    file.write_text("\n".join(map(json.dumps, articles)), encoding="utf-8")
    page = desk.open("/ranking")
    before = page.locator(TAGS).count()
    desk.drop(file)
    expect(page.locator(".board.site .title")).to_have_count(5)
    page.locator("#ranking-count").click()
    unharmed(page, before)
    shown = page.locator("#ranking-given .title").all_text_contents()
    assert shown[0] == f"Bank {MARKUP[0]}"
    page.locator(".board.site .title").first.click()
    desk.explained()
    page.locator("summary").first.click()
    unharmed(page, before)
    page.get_by_role("link", name="Headlines").click()
    page.locator("#lines").fill("\n".join(f"Bank {text[:400]}" for text in [*MARKUP, *ODD]))
    expect(page.locator("#headlines-given .title").first).to_be_visible()
    unharmed(page, before)


def test_pasted_markup_is_read_and_not_shown(desk: Any) -> None:
    page = desk.open()
    before = page.locator(TAGS).count()
    html = (
        "<html><head><title>t</title></head><body><article><h1>Senate &lt;script&gt;</h1>"
        "<script>window.hit = 1</script><p onclick='window.hit=1'>The minister spoke at length about the vote.</p>"
        "<img src=x onerror='window.hit = 1'></article></body></html>"
    )
    desk.paste("#headline", html)
    expect(page.locator("#headline")).to_have_value("Senate <script>")
    desk.explained()
    unharmed(page, before)


def test_a_key_that_is_markup(browse: Any, guarded: Any) -> None:
    desk = browse(guarded.port)
    page = desk.page
    page.goto(desk.origin)
    before = page.locator(TAGS).count()
    page.get_by_label("Key", exact=True).fill(MARKUP[1])
    page.keyboard.press("Enter")
    expect(page.locator("#key-error")).to_be_visible()
    unharmed(page, before)

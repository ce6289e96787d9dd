"""Keys, and servers that come and go: nothing that was written is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import expect

HEADLINE = "Minister loses the vote"


def sign_in(page: Any, key: str) -> None:
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Sign in").last.click()


def test_signing_in_and_out(browse: Any, guarded: Any) -> None:
    desk = browse(guarded.port)
    page = desk.page
    page.goto(desk.origin)
    dialog = page.locator("#sign-in")
    expect(dialog).to_be_visible()
    sign_in(page, "newsdesk_00000000_wrong")
    expect(page.locator("#key-error")).to_be_visible()
    sign_in(page, guarded.tokens["predict"])
    expect(page.locator("#key-error")).to_contain_text("editor")
    sign_in(page, guarded.tokens["editor"])
    expect(dialog).to_be_hidden()
    expect(page.locator("#who")).to_contain_text("editor")
    desk.write(HEADLINE)
    # No script can get at the key, and it is not written anywhere.
    assert page.evaluate("() => document.cookie") == ""
    kept = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert guarded.tokens["editor"] not in kept
    page.reload()
    expect(page.locator("#who")).to_contain_text("editor")
    page.get_by_role("button", name="Sign out").click()
    expect(dialog).to_be_visible()
    assert page.context.cookies() == []


def test_a_key_that_is_revoked_meanwhile(
    browse: Any, running: Any, tiny_model_path: Path, keyed_state: Any
) -> None:
    state, keys, tokens = keyed_state
    with running(tiny_model_path, "--state", str(state), "--workers", "1") as server:
        desk = browse(server.port)
        page = desk.page
        page.goto(desk.origin)
        sign_in(page, tokens["editor"])
        expect(page.locator("#who")).to_contain_text("editor")
        desk.write(HEADLINE)
        keys.revoke("editor")
        for _ in range(200):  # until the service has seen it
            if page.request.get(f"{desk.origin}/v1/models").status == 401:
                break
            page.wait_for_timeout(50)
        page.locator("#headline").press_sequentially(" at last, after all these years", delay=30)
        expect(page.locator("#sign-in")).to_be_visible()
        expect(page.locator("#sign-in-why")).to_contain_text("not valid any more")
        sign_in(page, tokens["admin"])
        expect(page.locator("#who")).to_contain_text("admin")
        # The form took no key away.
        expect(page.locator("#headline")).to_have_value(f"{HEADLINE} at last, after all these years")
        desk.explained()
        expect(page.locator("#answer-section .big")).to_contain_text("Politics")


def test_another_tab_with_another_key(browse: Any, guarded: Any) -> None:
    desk = browse(guarded.port)
    page = desk.page
    page.goto(desk.origin)
    sign_in(page, guarded.tokens["editor"])
    expect(page.locator("#who")).to_contain_text("editor")
    other = page.context.new_page()
    other.goto(desk.origin)
    expect(other.locator("#who")).to_contain_text("editor")
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, guarded.tokens["admin"])
    expect(other.locator("#who")).to_contain_text("admin")
    desk.write(HEADLINE)
    expect(page.locator("#who")).to_contain_text("admin")


def test_a_server_that_is_restarted(browse: Any, running: Any, tiny_model_path: Path) -> None:
    with running(tiny_model_path, "--workers", "1") as server:
        port = server.port
        desk = browse(port)
        page = desk.open()
        desk.write(HEADLINE)
    page.locator("#headline").press_sequentially(" and the market", delay=5)
    banner = page.locator("#banner")
    expect(banner).to_contain_text("cannot be reached")
    typed = page.locator("#headline").input_value()
    # A view that was never shown cannot come now; it does later.
    page.get_by_role("link", name="Model").click()
    with running(tiny_model_path, "--port", str(port), "--workers", "1"):
        expect(banner).to_be_hidden()
        expect(page.locator("#model-given .title")).to_have_text("tiny")
        page.get_by_role("link", name="Article").click()
        expect(page.locator("#headline")).to_have_value(typed)
        desk.explained()
        expect(page.locator("#answer-readers")).to_contain_text("top five")


def test_a_service_that_is_busy_is_asked_again(desk: Any) -> None:
    page = desk.open()
    refused = []

    def refuse(route: Any) -> None:
        refused.append(route.request.url)
        if len(refused) > 1:
            route.continue_()
            return
        problem = '{"type": "/problems/busy", "title": "Busy", "status": 503, "detail": "busy"}'
        route.fulfill(
            status=503, content_type="application/problem+json", headers={"Retry-After": "1"}, body=problem
        )

    page.route("**/v1/predict", refuse)
    page.locator("#headline").fill(HEADLINE)
    expect(page.locator("#answer-section .big")).to_contain_text("Politics")
    assert len(refused) > 1
    expect(page.locator("#banner")).to_be_hidden()


def test_a_key_that_has_asked_too_often(
    browse: Any, running: Any, tiny_model_path: Path, keyed_state: Any
) -> None:
    state, keys, _ = keyed_state
    _, token = keys.add("slow", "editor", limit=15)
    with running(tiny_model_path, "--state", str(state), "--workers", "1") as server:
        desk = browse(server.port)
        page = desk.page
        page.goto(desk.origin)
        sign_in(page, token)
        expect(page.locator("#who")).to_contain_text("editor")
        page.locator("#body").press_sequentially("The minister met the bank at noon, again. ", delay=60)
        expect(page.locator("#answer-notice")).to_contain_text("too often")
        expect(page.locator("#answer-notice")).to_be_hidden()
        expect(page.locator("#answer-section .big")).to_be_visible()

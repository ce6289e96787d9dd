"""What is shown of the model, its report's pictures, and going back."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from classifier.artifact import open_version
from classifier.store import ModelFolder
from service import create_app
from service.keys import KeyFile
from service.page.figures import read_figures
from service.page.report import PICTURE_POLICY, read_pictures, report_policy
from service.settings import Settings

Running = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="session")
def sample_client(sample_model_path: Path) -> FlaskClient:
    """The bundled newspaper's model, whose report has every picture."""
    return create_app(Settings(model=sample_model_path, open="always")).test_client()


def test_it_tells_what_the_version_is(client: FlaskClient, tiny_model_path: Path) -> None:
    found = client.get("/page/model").json
    [version] = ModelFolder(tiny_model_path).versions()
    manifest = open_version(tiny_model_path / version).manifest.data
    assert (found["model"], found["version"], found["created"]) == ("tiny", version, manifest["created"])
    assert found["heads"] == {"sections": True, "popularity": True}
    assert sorted(found["sections"]) == ["Economy", "Politics"]
    [listed] = found["versions"]
    assert (listed["version"], listed["current"]) == (version, True)
    assert datetime.fromisoformat(listed["created"]) == datetime.fromisoformat(manifest["created"])
    assert (found["pinned"], found["may_promote"], found["can_roll_back"]) == (False, False, None)
    assert found["card"][0]["title"] == "Model card: tiny"
    assert found["report"] is True


def test_figures_are_the_manifest_s(client: FlaskClient, tiny_model_path: Path) -> None:
    [version] = ModelFolder(tiny_model_path).versions()
    metrics = open_version(tiny_model_path / version).manifest.data["metrics"]
    figures = {item["name"]: item for item in client.get("/page/model").json["figures"]}
    accuracy = figures["sections.accuracy"]
    assert accuracy["value"] == metrics["sections"]["accuracy"]
    assert [accuracy["low"], accuracy["high"]] == metrics["sections"]["intervals"]["accuracy"]
    assert figures["popularity.ndcg_at_10"]["value"] == metrics["popularity"]["ndcg_at_10"]
    assert figures["sections.file"].keys() == {"name", "target", "precision", "coverage"}
    assert all(item["value"] is not None for item in figures.values() if "value" in item)


@pytest.mark.parametrize(
    "manifest", [{}, {"metrics": None}, {"metrics": {"sections": None, "popularity": {}}}]
)
def test_a_version_without_figures(manifest: dict[str, Any]) -> None:
    assert read_figures(manifest) == []


def test_the_report_is_shown_under_a_policy_that_fits_it(sample_client: FlaskClient) -> None:
    answer = sample_client.get("/page/report")
    assert answer.content_type == "text/html; charset=utf-8"
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.endswith("; sandbox")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert "allow" not in policy


def test_every_picture_is_there_and_is_one(sample_client: FlaskClient) -> None:
    pictures = sample_client.get("/page/model").json["pictures"]
    report = sample_client.get("/page/report").text
    assert len(pictures) == report.count("<figure>") >= 8
    assert len({picture["name"] for picture in pictures}) == len(pictures)
    assert {"confusion", "popularity-time"} <= {picture["name"] for picture in pictures}
    for picture in pictures:
        assert all(picture[name] for name in ("title", "alt", "caption"))
        answer = sample_client.get(f"/page/report/{picture['name']}.svg")
        assert answer.mimetype == "image/svg+xml"
        assert answer.headers["Content-Security-Policy"] == PICTURE_POLICY
        assert ElementTree.fromstring(answer.data).get("aria-label") == picture["alt"]
    for name in ("nothing", "../report", "confusion.svg", "%2e%2e"):
        assert sample_client.get(f"/page/report/{name}.svg").status_code == 404


@pytest.mark.parametrize(
    "html", ["", "<h3 id='x'>y</h3>", "<svg></svg>", '<h3 id="a">T</h3><figure></figure>' * 999]
)
def test_another_kind_of_report_has_no_pictures(html: str) -> None:
    assert read_pictures(html) == []
    assert "style-src 'none'" in report_policy(html)


def test_a_hostile_report_gets_no_script_and_no_request() -> None:
    policy = report_policy("<style>a</style><script>x</script>")
    assert "sandbox" in policy.split("; ")
    assert "script-src" not in policy


def test_a_version_without_card_and_report(store: ModelFolder) -> None:
    """As `add_version` of the fixtures writes them."""
    later = store.versions()[-1]
    client = create_app(Settings(model=store.path / later, open="always")).test_client()
    found = client.get("/page/model").json
    assert (found["card"], found["report"], found["pictures"], found["figures"]) == (None, False, [], [])
    assert (found["pinned"], found["can_roll_back"]) == (True, None)
    assert [item["version"] for item in found["versions"]] == [later]
    for path in ("/page/report", "/page/report/confusion.svg"):
        assert client.get(path).status_code == 404


def test_a_folder_with_an_odd_name_is_listed_without_a_date(store: ModelFolder) -> None:
    (store.path / "99999999T999999Z-000000000000").mkdir()
    client = create_app(Settings(model=store.path, open="always")).test_client()
    versions = client.get("/page/model").json["versions"]
    assert [bool(item["created"]) for item in versions] == [True, True, True, False]


def test_a_damaged_card_is_not_shown(store: ModelFolder) -> None:
    card = store.path / store.versions()[0] / "card.md"
    card.write_bytes(card.read_bytes().replace(b"tiny", b"evil"))
    client = create_app(Settings(model=store.path, open="always")).test_client()
    answer = client.get("/page/model")
    assert answer.status_code == 503
    assert str(store.path) not in answer.text


def test_an_admin_promotes_and_goes_back_while_editors_look_on(
    running: Running,
    visit: Callable[[int], Any],
    store: ModelFolder,
    keyed_state: tuple[Path, KeyFile, dict[str, str]],
) -> None:
    state, _, tokens = keyed_state
    first, second, third = store.versions()
    with running(store.path, "--state", str(state), "--workers", "1") as server:
        admin, editor = visit(server.port), visit(server.port)
        admin.sign_in(tokens["admin"])
        editor.sign_in(tokens["editor"])
        assert admin.ask("POST", "/page/rollback").status == 404, "there is nothing to go back to"
        for version in (second, third):
            assert admin.ask("POST", f"/v1/models/{version}/promote").status == 200
        shown = admin.ask("GET", "/page/model").json
        assert (shown["version"], shown["can_roll_back"], shown["may_promote"]) == (third, second, True)
        assert editor.ask("GET", "/page/model").json["may_promote"] is False
        assert editor.ask("POST", "/page/rollback").status == 403
        answer = admin.ask("POST", "/page/rollback")
        assert answer.json == {"model": "tiny", "version": second, "before": third}
        assert editor.ask("GET", "/page/model").json["version"] == second
        assert editor.ask("POST", "/v1/predict", {"headline": "Bank"}).json["version"] == second
        assert admin.ask("POST", "/page/rollback").json["version"] == first
        assert admin.ask("POST", "/page/rollback").status == 404


def test_a_version_that_cannot_be_used_is_not_gone_back_to(
    running: Running,
    visit: Callable[[int], Any],
    store: ModelFolder,
    keyed_state: tuple[Path, KeyFile, dict[str, str]],
) -> None:
    state, _, tokens = keyed_state
    first, second, _ = store.versions()
    with running(store.path, "--state", str(state), "--workers", "1") as server:
        admin = visit(server.port)
        admin.sign_in(tokens["admin"])
        assert admin.ask("POST", f"/v1/models/{second}/promote").status == 200
        file = store.path / first / "popularity.intercept.npy"
        file.write_bytes(file.read_bytes()[:-1] + b"x")
        answer = admin.ask("POST", "/page/rollback")
        assert answer.status == 409
        assert str(store.path) not in answer.text
        assert admin.ask("GET", "/page/model").json["version"] == second


def test_one_version_alone_cannot_be_changed(store: ModelFolder, tmp_path: Path) -> None:
    _, token = KeyFile(tmp_path / "keys.json").add("a", "admin")
    settings = Settings(model=store.path / store.versions()[0], state=tmp_path)
    client = create_app(settings).test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.post("/page/rollback", headers=bearer).status_code == 409
    assert client.get("/page/model", headers=bearer).json["may_promote"] is True
    assert json.dumps(client.get("/page/model", headers=bearer).json["versions"])

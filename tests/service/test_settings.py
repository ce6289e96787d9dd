from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from classifier.errors import ArtifactMissing, ConfigError
from service import create_app
from service.settings import SETTINGS, Settings

MODEL = {"NEWSDESK_MODEL": "artifacts/some"}


def test_defaults() -> None:
    settings = Settings.from_env(MODEL)
    assert settings == Settings(model=Path("artifacts/some"))
    assert (settings.host, settings.port, settings.max_articles) == ("127.0.0.1", 8000, 1000)
    assert settings.state is None
    assert (settings.max_body_bytes, settings.max_text_length) == (8 * 1024 * 1024, 200_000)


def test_what_is_given_goes_before_the_environment() -> None:
    environ = {**MODEL, "NEWSDESK_PORT": "9000", "NEWSDESK_HOST": "::1"}
    settings = Settings.from_env(environ, {"port": "9001", "host": None})
    assert (settings.port, settings.host) == (9001, "::1")
    with pytest.raises(ConfigError, match=r'^--max-articles is "many"; it must be a whole number'):
        Settings.from_env(MODEL, {"max_articles": "many"})


def test_settings_survive_the_environment() -> None:
    every = Settings(
        model=Path("a b"),
        state=Path("c"),
        host="::",
        port=0,
        workers=3,
        open="always",
        hosts="news.example,127.0.0.1",
        rate_limit=0,
        max_body_bytes=5,
        max_articles=6,
        max_text_length=7,
        chunk_seconds=8,
        body_seconds=9,
        idle_seconds=11,
        stop_seconds=10,
        log_level="warning",
    )
    least = Settings(model=Path("a b"))
    assert not [f.name for f in fields(Settings) if getattr(every, f.name) == getattr(least, f.name)][1:]
    for settings in (every, least):
        assert Settings.from_env(settings.to_env()) == settings


def test_each_setting_has_a_variable_and_a_help() -> None:
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.variable == f"NEWSDESK_{setting.name.upper()}"
        assert setting.help
        if setting.default is not None:
            assert getattr(Settings.from_env(MODEL), setting.name) == setting.parse(setting.default)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NEWSDESK_MODEL", " "),
        ("NEWSDESK_HOST", ""),
        ("NEWSDESK_PORT", "65536"),
        ("NEWSDESK_PORT", "-1"),
        ("NEWSDESK_PORT", "http"),
        ("NEWSDESK_PORT", "٣"),
        ("NEWSDESK_PORT", "9" * 5000),
        ("NEWSDESK_WORKERS", "0"),
        ("NEWSDESK_WORKERS", "1.5"),
        ("NEWSDESK_MAX_BODY_BYTES", "8MB"),
        ("NEWSDESK_MAX_ARTICLES", ""),
        ("NEWSDESK_MAX_TEXT_LENGTH", "1_000"),
        ("NEWSDESK_STATE", " "),
        ("NEWSDESK_OPEN", "true"),
        ("NEWSDESK_HOSTS", ""),
        ("NEWSDESK_HOSTS", "a,,b"),
        ("NEWSDESK_HOSTS", "a b"),
        ("NEWSDESK_HOSTS", "http://a"),
        ("NEWSDESK_RATE_LIMIT", "-1"),
        ("NEWSDESK_CHUNK_SECONDS", "0"),
        ("NEWSDESK_BODY_SECONDS", "1.5"),
        ("NEWSDESK_STOP_SECONDS", "never"),
    ],
)
def test_a_wrong_value_is_refused_with_its_variable(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{variable} is ") as caught:
        Settings.from_env({**MODEL, variable: value})
    assert len(str(caught.value)) < 200


def test_a_model_must_be_named() -> None:
    with pytest.raises(ConfigError, match="NEWSDESK_MODEL is not set"):
        Settings.from_env({})


def test_the_application_takes_its_settings_from_the_environment(
    tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSDESK_MODEL", str(tiny_model_path))
    monkeypatch.setenv("NEWSDESK_MAX_ARTICLES", "1")
    monkeypatch.setenv("NEWSDESK_OPEN", "always")
    client = create_app().test_client()
    body = {"articles": [{"headline": "a"}, {"headline": "b"}]}
    assert client.post("/v1/predict/batch", json=body).status_code == 413


def test_a_model_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing):
        create_app(Settings(model=tmp_path / "none", open="always"))

"""Fixtures that several rooms share: the command line, a real model trained on the bundled newspaper, and a tiny one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

NEWSDESK_DATA = os.environ.get("NEWSDESK_DATA")


# A shell starts background jobs with SIGINT ignored, and children inherit that: then nothing could be interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Tests do not assert seconds: on a busy machine any example may take long.
settings.register_profile("newsdesk", deadline=None)
settings.load_profile("newsdesk")


class Ended(NamedTuple):
    """What a command that ended left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that it printed, on one line."""
        (line,) = self.out.splitlines()
        return dict(json.loads(line))


@pytest.fixture
def here(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Ended]:
    """Runs a command within this process: many times faster than `newsdesk`."""
    from classifier import cli

    def run(*arguments: str | Path) -> Ended:
        code = cli.run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Ended(code, out.decode(), err.decode())

    return run


@pytest.fixture(scope="session")
def newsdesk_command() -> str:
    """The path of the installed command."""
    return str(Path(sys.executable).with_name("newsdesk"))


@pytest.fixture(scope="session")
def newsdesk(newsdesk_command: str) -> Callable[..., Ended]:
    """Runs the installed command to its end, as users do; options are those of `subprocess.run`."""

    def run(*arguments: str | Path, **options: Any) -> Ended:
        done = subprocess.run(
            [newsdesk_command, *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
            env={**os.environ, "PYTHONUTF8": "1"},
            **options,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real articles; tests that need it are skipped, and say so, where NEWSDESK_DATA is not set."""
    if not NEWSDESK_DATA:
        pytest.skip("NEWSDESK_DATA is not set: the real articles are not here")
    return Path(NEWSDESK_DATA)


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The model folder that `newsdesk quickstart` trained on the bundled newspaper, and all that it printed."""
    from training.quickstart import run

    out = tmp_path_factory.mktemp("artifacts") / "sample"
    said: list[str] = []
    run(out, said.append)
    return out, "\n".join(said)


@pytest.fixture(scope="session")
def sample_model_path(quickstart: tuple[Path, str]) -> Path:
    """A model folder with both heads, trained on the bundled newspaper; treat it as read-only."""
    return quickstart[0]


@pytest.fixture(scope="session")
def tiny_model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with both heads, trained on 60 tiny articles of Politics and Economy; treat it as read-only."""
    from classifier.reading import read_all
    from training.config import Config
    from training.fit import train

    folder = tmp_path_factory.mktemp("tiny")
    articles = folder / "articles.jsonl"
    articles.write_text("\n".join(_tiny_articles()), encoding="utf-8")
    train(read_all([str(articles)]), folder / "artifacts" / "tiny", Config())
    return folder / "artifacts" / "tiny"


def _tiny_articles() -> list[str]:
    words = {
        "Politics": ["minister", "assembly", "vote", "coalition", "ballot", "mayor", "senate"],
        "Economy": ["bank", "market", "shares", "exports", "prices", "factory", "currency"],
    }
    rows = []
    for i in range(60):
        section = ("Politics", "Economy")[i % 2]
        own = words[section]
        day, place = divmod(i, 12)
        theme = " with a storm warning for every school" if place % 3 == 0 else " after a long quiet meeting"
        row = {
            "id": f"tiny-{i}",
            "headline": f"{own[i % 7].title()} and {own[(i + 3) % 7]} in case {i}",
            "body": f"The {own[(i + 1) % 7]} met the {own[(i + 2) % 7]} on item {i * 37 % 101}{theme}.",
            "section": section,
            "source": "Tiny Gazette",
            "published_at": f"2031-05-{day + 1:02d}T{6 + place:02d}:15:00+09:00",
            "popularity": float(1000 - 10 * place + (5000 if place % 3 == 0 else 0)),
        }
        rows.append(json.dumps(row))
    return rows
